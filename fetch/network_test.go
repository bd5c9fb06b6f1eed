package fetch_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

// https://fetch.spec.whatwg.org/#append-a-request-origin-header
func TestOriginHeader(t *testing.T) {
	const http_ = "http://api.example.com/"
	for _, tt := range []struct {
		row, page string
		request   fetch.Request
		want      string // "" for none
	}{
		{"another origin in mode cors", app, fetch.Request{URL: api}, "https://app.example.com"},
		{"GET to the page's own origin", app, fetch.Request{URL: "/"}, ""},
		{"HEAD too", app, fetch.Request{URL: "/", Method: "HEAD"}, ""},
		{"POST to the page's own origin", app, fetch.Request{URL: "/", Method: "POST"}, "https://app.example.com"},
		{"POST to it under no-referrer, in mode cors", app, fetch.Request{URL: "/", Method: "POST", ReferrerPolicy: "no-referrer"}, "https://app.example.com"},
		{"POST to it under no-referrer, in mode same-origin", app, fetch.Request{URL: "/", Method: "POST", Mode: fetch.ModeSameOrigin, ReferrerPolicy: "no-referrer"}, "null"},
		{"GET in mode no-cors", app, fetch.Request{URL: api, Mode: fetch.ModeNoCORS}, ""},
		{"POST in mode no-cors", app, fetch.Request{URL: api, Method: "POST", Mode: fetch.ModeNoCORS}, "https://app.example.com"},
		{"POST in mode no-cors under same-origin", app, fetch.Request{URL: api, Method: "POST", Mode: fetch.ModeNoCORS, ReferrerPolicy: "same-origin"}, "null"},
		{"POST in mode no-cors from https to http", "https://app.localhost/", fetch.Request{URL: "http://localhost/", Method: "POST", Mode: fetch.ModeNoCORS}, "null"},
		{"the same under unsafe-url", "https://app.localhost/", fetch.Request{URL: "http://localhost/", Method: "POST", Mode: fetch.ModeNoCORS, ReferrerPolicy: "unsafe-url"}, "https://app.localhost"},
		{"from http to http", "http://app.example.com/", fetch.Request{URL: http_, Method: "POST", Mode: fetch.ModeNoCORS}, "http://app.example.com"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{web{}}}
			res, err := b.Open(tt.page).Fetch(t.Context(), &tt.request)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			want := strings.TrimSuffix(" Origin="+tt.want, " Origin=")
			if got := sent(res.Exchanges, "Origin")[0]; !strings.HasSuffix(got, want) || tt.want == "" && strings.Contains(got, "Origin") {
				t.Errorf("sent %q, want Origin %q", got, tt.want)
			}
		})
	}
}

// The headers that a browser adds, in order.
//
// https://fetch.spec.whatwg.org/#concept-fetch
// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch
// https://fetch.spec.whatwg.org/#environment-default-user-agent-value
func TestHeadersThatTheBrowserAdds(t *testing.T) {
	fields := []header.Field{{Name: "Range", Value: "bytes=0-1"}, {Name: "User-Agent", Value: "mine"}, {Name: "accept", Value: "x/y"}}
	const names = "Accept Accept-Language Range User-Agent Pragma Cache-Control Accept-Encoding Referer Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site"
	const others = " Accept-Language=en-US,en;q=0.9 User-Agent=Mozilla/5.0 (compatible; crossorigin-cors)"
	const plain = " Accept=*/*" + others + " Accept-Encoding=gzip, deflate Referer=https://app.example.com/ Sec-Fetch-Dest=empty Sec-Fetch-Mode=cors"
	for _, tt := range []struct {
		row     string
		request fetch.Request
		want    []string
	}{
		{"to the page's own origin", fetch.Request{URL: "/"}, []string{"GET " + app + plain + " Sec-Fetch-Site=same-origin"}},
		{"to its site", fetch.Request{URL: api}, []string{"GET " + api + plain + " Sec-Fetch-Site=same-site"}},
		{"to another site", fetch.Request{URL: "https://other.example/"}, []string{"GET https://other.example/" + plain + " Sec-Fetch-Site=cross-site"}},
		{"to another site's image", fetch.Request{URL: "https://other.example/", Mode: fetch.ModeNoCORS, Destination: fetch.DestinationImage}, []string{"GET https://other.example/ Accept=image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5" + others +
			" Accept-Encoding=gzip, deflate Referer=https://app.example.com/ Sec-Fetch-Dest=image Sec-Fetch-Mode=no-cors Sec-Fetch-Site=cross-site"}},
		{"around those of the page", fetch.Request{URL: "/", Header: fields, Referrer: "no-referrer", Cache: fetch.CacheNoStore},
			[]string{"GET " + app + " Accept=x/y Accept-Language=en-US,en;q=0.9 Range=bytes=0-1 User-Agent=mine Pragma=no-cache Cache-Control=no-cache Accept-Encoding=identity Sec-Fetch-Dest=empty Sec-Fetch-Mode=cors Sec-Fetch-Site=same-origin"}},
		{"in mode no-cache", fetch.Request{URL: "/", Cache: fetch.CacheNoCache, Referrer: "no-referrer"}, []string{"GET " + app + " Accept=*/*" + others + " Cache-Control=max-age=0 Accept-Encoding=gzip, deflate Sec-Fetch-Dest=empty Sec-Fetch-Mode=cors Sec-Fetch-Site=same-origin"}},
		{"to a preflight", fetch.Request{URL: api, Method: "PUT", Cache: fetch.CacheNoStore, Destination: fetch.DestinationScript}, []string{
			"OPTIONS " + api + " Accept=*/* User-Agent=Mozilla/5.0 (compatible; crossorigin-cors) Accept-Encoding=gzip, deflate Referer=https://app.example.com/ Sec-Fetch-Dest=script Sec-Fetch-Mode=cors Sec-Fetch-Site=same-site",
			"PUT " + api + " Accept=*/*" + others + " Pragma=no-cache Cache-Control=no-cache Accept-Encoding=gzip, deflate Referer=https://app.example.com/ Sec-Fetch-Dest=script Sec-Fetch-Mode=cors Sec-Fetch-Site=same-site",
		}},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{web{}}}
			res, err := b.Open(app).Fetch(t.Context(), &tt.request)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if diff := cmp.Diff(tt.want, sent(res.Exchanges, strings.Fields(names)...)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// The exact form of a preflight: names in lower case, sorted, each once, with
// commas and no spaces between them.
//
// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
// https://fetch.spec.whatwg.org/#convert-header-names-to-a-sorted-lowercase-set
func TestPreflightAsksInTheExactForm(t *testing.T) {
	b := &fetch.Browser{Transport: serve{web{"api.example.com/users": says(200, acao, "*", acam, "patch", acah, "*, authorization")}}}
	b.Cookies = new(fetch.CookieJar)
	if err := b.Cookies.SetCookie(api, "a=1; Secure; SameSite=None"); err != nil {
		t.Fatal(err)
	}
	res, err := b.Open(app).Fetch(t.Context(), &fetch.Request{URL: api, Method: "patch", Header: []header.Field{
		{Name: "X-B", Value: "1"}, {Name: "Authorization", Value: "1"}, {Name: "x-a", Value: "1"}, {Name: "X-A", Value: "2"}, {Name: "Accept", Value: "text/html"},
		{Name: "Content-Type", Value: "application/json"}, {Name: "Host", Value: "forbidden"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	want := []string{
		"OPTIONS " + api + " Access-Control-Request-Method=patch Access-Control-Request-Headers=authorization,content-type,x-a,x-b Origin=https://app.example.com",
		"patch " + api + " Origin=https://app.example.com",
	}
	if diff := cmp.Diff(want, sent(res.Exchanges, "Access-Control-Request-Method", "Access-Control-Request-Headers", "Origin", "Cookie", "Host")); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// https://fetch.spec.whatwg.org/#authentication-entry
// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch steps 8.21, 15 and 17
func TestAuthentication(t *testing.T) {
	asks := func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			says(401, acao, "*", "WWW-Authenticate", "Basic")(w, r)
		}
	}
	const secret = "Basic dTpw"
	xhr := func(url string) *fetch.Request { return &fetch.Request{URL: url, URLCredentials: true} }
	for _, tt := range []struct {
		row      string
		web      web
		requests []*fetch.Request
		want     []string
		status   int // of the last
	}{
		{"a 401 is a response", web{"app.example.com/": asks}, []*fetch.Request{{URL: "/"}}, []string{"GET " + app}, 401},
		{"a password in the URL answers it", web{"app.example.com/": asks}, []*fetch.Request{xhr("https://u:p@app.example.com/")},
			[]string{"GET " + app, "GET " + app + " Authorization=" + secret}, 200},
		{"and is remembered", web{"app.example.com/": asks}, []*fetch.Request{xhr("https://u:p@app.example.com/"), {URL: "/"}}, []string{"GET " + app + " Authorization=" + secret}, 200},
		{"a wrong one is not", web{"app.example.com/": asks}, []*fetch.Request{xhr("https://u:x@app.example.com/"), {URL: "/"}}, []string{"GET " + app}, 401},
		{"not without credentials", web{"app.example.com/": asks}, []*fetch.Request{xhr("https://u:p@app.example.com/"), {URL: "/", Credentials: fetch.CredentialsOmit}}, []string{"GET " + app}, 401},
		{"a 421 is asked once more", web{"app.example.com/": says(421)}, []*fetch.Request{{URL: "/"}}, []string{"GET " + app, "GET " + app}, 421},
	} {
		t.Run(tt.row, func(t *testing.T) {
			page := (&fetch.Browser{Transport: serve{tt.web}}).Open(app)
			var res *fetch.Response
			for _, request := range tt.requests {
				var err error
				if res, err = page.Fetch(t.Context(), request); err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
			}
			if diff := cmp.Diff(tt.want, sent(res.Exchanges, "Authorization")); diff != "" || res.Status != tt.status {
				t.Errorf("status %d, want %d; requests of the last fetch (-want +got):\n%s", res.Status, tt.status, diff)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#cross-origin-embedder-policy-allows-credentials
// https://fetch.spec.whatwg.org/#cross-origin-resource-policy-check
func TestEmbedderPolicy(t *testing.T) {
	const other = "https://other.example/"
	corp := says(200, "Cross-Origin-Resource-Policy", "cross-origin")
	for _, tt := range []struct {
		row, url string
		policy   fetch.EmbedderPolicy
		web      web
		mode     fetch.Mode
		want     string // the request, or "blocked"
	}{
		{"without a policy all is taken", other, "", web{"other.example/": says(200)}, fetch.ModeNoCORS, "GET " + other + " Cookie=a=1"},
		{"require-corp refuses what says nothing", other, fetch.EmbedderPolicyRequireCORP, web{"other.example/": says(200)}, fetch.ModeNoCORS, "blocked"},
		{"it takes what says so", other, fetch.EmbedderPolicyRequireCORP, web{"other.example/": corp}, fetch.ModeNoCORS, "GET " + other + " Cookie=a=1"},
		{"and what CORS allows", other, fetch.EmbedderPolicyRequireCORP, web{"other.example/": says(200, acao, "https://app.example.com", acac, "true")}, fetch.ModeCORS, "GET " + other + " Cookie=a=1"},
		{"credentialless takes what says nothing, without credentials", other, fetch.EmbedderPolicyCredentialless, web{"other.example/": says(200)}, fetch.ModeNoCORS, "GET " + other},
		{"from its own origin with them", app, fetch.EmbedderPolicyCredentialless, web{}, fetch.ModeNoCORS, "GET " + app + " Cookie=a=1"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{tt.web}, Cookies: new(fetch.CookieJar)}
			if err := b.Cookies.SetCookie(tt.url, "a=1; Secure; SameSite=None"); err != nil {
				t.Fatal(err)
			}
			page := b.Open(app)
			page.EmbedderPolicy = tt.policy
			got := "blocked"
			res, err := page.Fetch(t.Context(), &fetch.Request{URL: tt.url, Mode: tt.mode, Credentials: fetch.CredentialsInclude})
			if err == nil {
				res.Body.Close()
				got = sent(res.Exchanges, "Cookie")[0]
			}
			if got != tt.want {
				t.Errorf("%s under %q: %s (%v), want %s", tt.url, tt.policy, got, err, tt.want)
			}
		})
	}
}
