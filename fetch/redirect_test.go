package fetch_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

// sent lists the exchanges of a fetch, each as its method, its URL and the
// request-headers of these names that it has.
func sent(exchanges []*fetch.Exchange, names ...string) []string {
	var all []string
	for _, e := range exchanges {
		line := e.Method + " " + e.URL
		for _, name := range names {
			for _, f := range e.RequestHeader {
				if header.EqualFold(f.Name, name) {
					line += fmt.Sprintf(" %s=%s", name, f.Value)
				}
			}
		}
		all = append(all, line)
	}
	return all
}

// web answers by host and path, as in "api.example.com/users".
type web map[string]http.HandlerFunc

func (w web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if h := w[r.Host+r.URL.Path]; h != nil {
		h(rw, r)
		return
	}
	says(200, acao, "*", acam, "*", acah, "*, authorization")(rw, r)
}

// https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
// https://fetch.spec.whatwg.org/#concept-request-tainted-origin
// https://fetch.spec.whatwg.org/#serializing-a-request-origin
// https://fetch.spec.whatwg.org/#byte-serializing-a-request-origin
// https://fetch.spec.whatwg.org/#concept-response-location-url
// https://fetch.spec.whatwg.org/#redirect-status
// https://fetch.spec.whatwg.org/#request-body-header-name
// https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
func TestRedirects(t *testing.T) {
	fields := func(s ...string) (list []header.Field) {
		for i := 0; i < len(s); i += 2 {
			list = append(list, header.Field{Name: s[i], Value: s[i+1]})
		}
		return list
	}
	const to, other = "https://app.example.com/to", "https://other.example/"
	post := func(method string) *fetch.Request {
		return &fetch.Request{URL: "/", Method: method, Body: []byte("a"), Header: fields("Content-Type", "text/plain")}
	}
	toTo := func(status int) web { return web{"app.example.com/": redirects(status, to)} }
	for _, tt := range []struct {
		row     string
		web     web
		request *fetch.Request
		names   string // of the headers that are shown
		want    []string
		url     string // that the page sees
	}{
		{"301 makes a POST a GET", toTo(301), post("POST"), "Content-Type", []string{"POST " + app + " Content-Type=text/plain", "GET " + to}, to},
		{"302 makes a POST a GET", toTo(302), post("POST"), "Content-Type", []string{"POST " + app + " Content-Type=text/plain", "GET " + to}, to},
		{"302 leaves a PUT", toTo(302), post("PUT"), "Content-Type", []string{"PUT " + app + " Content-Type=text/plain", "PUT " + to + " Content-Type=text/plain"}, to},
		{"303 makes a PUT a GET", toTo(303), post("PUT"), "Content-Type", []string{"PUT " + app + " Content-Type=text/plain", "GET " + to}, to},
		{"303 leaves a HEAD", toTo(303), &fetch.Request{URL: "/", Method: "HEAD"}, "", []string{"HEAD " + app, "HEAD " + to}, to},
		{"307 leaves a POST and its body", toTo(307), post("POST"), "Content-Type", []string{"POST " + app + " Content-Type=text/plain", "POST " + to + " Content-Type=text/plain"}, to},
		{"308 leaves a POST and its body", toTo(308), post("POST"), "Content-Type", []string{"POST " + app + " Content-Type=text/plain", "POST " + to + " Content-Type=text/plain"}, to},
		{"304 is no redirect", toTo(304), &fetch.Request{URL: "/"}, "", []string{"GET " + app}, app},
		{"without a Location there is none", web{"app.example.com/": says(302)}, &fetch.Request{URL: "/"}, "", []string{"GET " + app}, app},
		{"a Location is relative to its URL", web{"api.example.com/a/b": redirects(302, "../c")}, &fetch.Request{URL: "https://api.example.com/a/b"}, "",
			[]string{"GET https://api.example.com/a/b", "GET https://api.example.com/c"}, "https://api.example.com/c"},
		{"Authorization stays within the origin", toTo(302), &fetch.Request{URL: "/", Header: fields("Authorization", "x")}, "Authorization",
			[]string{"GET " + app + " Authorization=x", "GET " + to + " Authorization=x"}, to},
		{"and goes at another", web{"app.example.com/": redirects(302, api)}, &fetch.Request{URL: "/", Header: fields("Authorization", "x", "X-A", "1")}, "Authorization X-A Access-Control-Request-Headers",
			[]string{"GET " + app + " Authorization=x X-A=1", "OPTIONS " + api + " Access-Control-Request-Headers=x-a", "GET " + api + " X-A=1"}, api},
		{"the second server learns the origin", web{"app.example.com/": redirects(302, api)}, &fetch.Request{URL: "/"}, "Origin",
			[]string{"GET " + app, "GET " + api + " Origin=https://app.example.com"}, api},
		{"also one of another site", web{"app.example.com/": redirects(302, other)}, &fetch.Request{URL: "/"}, "Origin",
			[]string{"GET " + app, "GET " + other + " Origin=https://app.example.com"}, other},
		{"a third origin does not", web{"api.example.com/users": redirects(302, other)}, &fetch.Request{URL: api}, "Origin",
			[]string{"GET " + api + " Origin=https://app.example.com", "GET " + other + " Origin=null"}, other},
		{"nor does the page's own, from another", web{"api.example.com/users": redirects(302, app)}, &fetch.Request{URL: api}, "Origin",
			[]string{"GET " + api + " Origin=https://app.example.com", "GET " + app + " Origin=null"}, app},
		{"a redirect within another origin keeps it", web{"api.example.com/users": redirects(302, api+"/1")}, &fetch.Request{URL: api}, "Origin",
			[]string{"GET " + api + " Origin=https://app.example.com", "GET " + api + "/1 Origin=https://app.example.com"}, api + "/1"},
		{"each URL has a preflight of its own", web{"api.example.com/users": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "OPTIONS" {
				says(200, acao, "*", acam, "*")(w, r)
			} else {
				redirects(307, api+"/1")(w, r)
			}
		}}, &fetch.Request{URL: api, Method: "PUT"}, "Access-Control-Request-Method",
			[]string{"OPTIONS " + api + " Access-Control-Request-Method=PUT", "PUT " + api, "OPTIONS " + api + "/1 Access-Control-Request-Method=PUT", "PUT " + api + "/1"}, api + "/1"},
		{"the policy of a redirect holds from there", web{"app.example.com/": says(302, "Location", api, "Referrer-Policy", "no-referrer")}, &fetch.Request{URL: "/"}, "Referer",
			[]string{"GET " + app + " Referer=" + app, "GET " + api}, api},
		{"what one hop is not told, the next one is not", web{"api.example.com/users": redirects(302, app)}, &fetch.Request{URL: api}, "Referer",
			[]string{"GET " + api + " Referer=" + app, "GET " + app + " Referer=" + app}, app},
		{"mode manual does not follow, and shows the URL", toTo(302), &fetch.Request{URL: "/", Redirect: fetch.RedirectManual}, "", []string{"GET " + app}, app},
		{"mode no-cors sees no URL", web{"api.example.com/users": redirects(302, other)}, &fetch.Request{URL: api, Mode: fetch.ModeNoCORS}, "Origin", []string{"GET " + api, "GET " + other}, ""},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{tt.web}}
			res, err := b.Open(app).Fetch(t.Context(), tt.request)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if diff := cmp.Diff(tt.want, sent(res.Exchanges, strings.Fields(tt.names)...)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if res.URL != tt.url {
				t.Errorf("the page sees URL %q, want %q", res.URL, tt.url)
			}
		})
	}
}

// The fragment of the first URL is given to a Location that has none; it shows
// only in Referer, which never has one, and so here in nothing but the URL that
// parses.
//
// https://fetch.spec.whatwg.org/#concept-response-location-url step 4
func TestAFragmentIsNoPartOfWhatIsFetched(t *testing.T) {
	b := &fetch.Browser{Transport: serve{web{"app.example.com/": redirects(302, "/to")}}}
	res, err := b.Open(app).Fetch(t.Context(), &fetch.Request{URL: "/#a"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if want := []string{"GET " + app, "GET " + app + "to"}; !cmp.Equal(want, sent(res.Exchanges)) || res.URL != app+"to" {
		t.Errorf("fetched %q and saw %q, want %q", sent(res.Exchanges), res.URL, want)
	}
}

func TestTwentyRedirectsAreFollowed(t *testing.T) {
	n := 0
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n <= 20 {
			redirects(302, fmt.Sprint("/", n))(w, r)
		}
	})}}
	res, err := b.Open(app).Fetch(t.Context(), &fetch.Request{URL: "/"})
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		t.Fatalf("20 redirects: %v", err)
	}
	defer res.Body.Close()
	if res.URL != app+"20" || !res.Redirected {
		t.Errorf("URL %q, redirected %t, want %q", res.URL, res.Redirected, app+"20")
	}
}
