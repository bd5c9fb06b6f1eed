package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

const (
	app = "https://app.example.com/"
	api = "https://api.example.com/users"
)

// says is a handler that sends these headers, names and values in turn, with
// every answer.
func says(status int, namesAndValues ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(namesAndValues); i += 2 {
			w.Header().Add(namesAndValues[i], namesAndValues[i+1])
		}
		w.WriteHeader(status)
	}
}

// redirects is a handler that redirects everything to url, readable by all.
func redirects(status int, url string) http.HandlerFunc {
	return says(status, "Location", url, acao, "*")
}

const (
	acao = "Access-Control-Allow-Origin"
	acac = "Access-Control-Allow-Credentials"
	acam = "Access-Control-Allow-Methods"
	acah = "Access-Control-Allow-Headers"
)

// failing is a transport that does not get through.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// why is what a page does not learn about a fetch that failed.
type why struct {
	Code          fetch.Code
	Step          string
	Header, Value string
	Name          string
	Hop           int
	Preflight     bool
}

func in(code fetch.Code, anchor, number string) why {
	return why{Code: code, Step: "https://fetch.spec.whatwg.org/#" + anchor + " step " + number}
}

func (w why) because(header, value string) why {
	w.Header, w.Value = header, value
	return w
}

func (w why) hop(n int) why {
	w.Hop = n
	return w
}

func (w why) preflight() why {
	w.Preflight = true
	return w
}

func (w why) name(name string) why {
	w.Name = name
	return w
}

type blockedRow struct {
	row     string
	page    string // app if empty
	request *fetch.Request
	web     http.HandlerFunc
	browser *fetch.Browser
	want    why
}

func blockedRows(http1 *httptest.Server) []blockedRow {
	return []blockedRow{
		// https://fetch.spec.whatwg.org/#concept-main-fetch
		{row: "a port where mail is sent", request: &fetch.Request{URL: "https://api.example.com:25/"},
			want: in(fetch.CodeBadPort, "concept-main-fetch", "7")},
		{row: "http in a page over https", request: &fetch.Request{URL: "http://api.example.com/"},
			want: in(fetch.CodeMixedContent, "concept-main-fetch", "7")},
		{row: "a redirect from https to http", request: &fetch.Request{URL: api}, web: redirects(302, "http://api.example.com/"),
			want: in(fetch.CodeMixedContent, "concept-main-fetch", "7").hop(1)},
		{row: "another origin in mode same-origin", request: &fetch.Request{URL: api, Mode: fetch.ModeSameOrigin},
			want: in(fetch.CodeSameOriginMode, "concept-main-fetch", "12")},
		{row: "a redirect to another origin in mode same-origin", request: &fetch.Request{URL: "/", Mode: fetch.ModeSameOrigin}, web: redirects(302, api),
			want: in(fetch.CodeSameOriginMode, "concept-main-fetch", "12").hop(1)},
		{row: "mode no-cors that does not follow redirects", request: &fetch.Request{URL: api, Mode: fetch.ModeNoCORS, Redirect: fetch.RedirectManual},
			want: in(fetch.CodeNoCORSRedirectMode, "concept-main-fetch", "12")},
		{row: "a scheme that is not HTTP", page: "http://app.example.com/", request: &fetch.Request{URL: "ftp://api.example.com/"},
			want: in(fetch.CodeScheme, "concept-main-fetch", "12")},
		{row: "a script that is an image", request: &fetch.Request{URL: api, Mode: fetch.ModeNoCORS, Destination: fetch.DestinationScript}, web: says(200, "Content-Type", "image/png"),
			want: in(fetch.CodeMIMEType, "concept-main-fetch", "20").because("Content-Type", "image/png")},
		{row: "a style sheet that is plain text, with nosniff", request: &fetch.Request{URL: api, Destination: fetch.DestinationStyle},
			web:  says(200, acao, "*", "Content-Type", "text/plain", "X-Content-Type-Options", "nosniff"),
			want: in(fetch.CodeNosniff, "concept-main-fetch", "20").because("Content-Type", "text/plain")},
		{row: "another digest", request: &fetch.Request{URL: api, Integrity: "sha256-AAAA"}, web: says(200, acao, "*"),
			want: in(fetch.CodeIntegrity, "concept-main-fetch", "23.3.1")},
		{row: "a digest of more than the limit", request: &fetch.Request{URL: api, Integrity: "sha256-AAAA"}, web: func(w http.ResponseWriter, r *http.Request) {
			says(200, acao, "*")(w, r)
			io.WriteString(w, "hello")
		}, browser: &fetch.Browser{Limits: fetch.Limits{BodyBytes: 4}}, want: in(fetch.CodeResponseTooLarge, "concept-main-fetch", "23.4")},
		{row: "a digest of what cannot be read", request: &fetch.Request{URL: api, Mode: fetch.ModeNoCORS, Integrity: "sha256-AAAA"}, web: says(200),
			want: in(fetch.CodeIntegrity, "concept-main-fetch", "23.2")},

		// https://fetch.spec.whatwg.org/#concept-scheme-fetch
		{row: "an about: URL that is not about:blank", page: "http://app.example.com/", request: &fetch.Request{URL: "about:config", Mode: fetch.ModeNoCORS},
			want: in(fetch.CodeAboutURL, "concept-scheme-fetch", "3")},
		{row: "a blob: URL", request: &fetch.Request{URL: "blob:https://app.example.com/1", Mode: fetch.ModeNoCORS},
			want: in(fetch.CodeBlobURL, "concept-scheme-fetch", "3.2")},
		{row: "a data: URL without a comma", request: &fetch.Request{URL: "data:text/plain"},
			want: in(fetch.CodeDataURL, "concept-scheme-fetch", "3.2")},
		{row: "a file: URL", request: &fetch.Request{URL: "file:///etc/passwd", Mode: fetch.ModeNoCORS},
			want: in(fetch.CodeFileURL, "concept-scheme-fetch", "3")},
		{row: "a scheme that nobody knows, in mode no-cors", page: "http://app.example.com/", request: &fetch.Request{URL: "gopher://api.example.com/", Mode: fetch.ModeNoCORS},
			want: in(fetch.CodeScheme, "concept-scheme-fetch", "4")},

		// https://fetch.spec.whatwg.org/#concept-http-fetch
		{row: "Cross-Origin-Resource-Policy in mode no-cors", request: &fetch.Request{URL: api, Mode: fetch.ModeNoCORS}, web: says(200, "Cross-Origin-Resource-Policy", "same-origin"),
			want: in(fetch.CodeCORP, "concept-http-fetch", "5").because("Cross-Origin-Resource-Policy", "same-origin")},
		{row: "a redirect that is an error", request: &fetch.Request{URL: "/", Redirect: fetch.RedirectError}, web: redirects(302, "/x"),
			want: in(fetch.CodeRedirectError, "concept-http-fetch", "6.3.1")},

		// https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
		{row: "a Location that does not parse", request: &fetch.Request{URL: api}, web: redirects(302, "https://["),
			want: in(fetch.CodeLocation, "concept-http-redirect-fetch", "5").because("Location", "https://[")},
		{row: "two Locations", request: &fetch.Request{URL: api}, web: says(302, acao, "*", "Location", "/a", "Location", "/b"),
			want: in(fetch.CodeLocation, "concept-http-redirect-fetch", "5").because("Location", "/a, /b")},
		{row: "a redirect to data:", request: &fetch.Request{URL: api}, web: redirects(302, "data:,x"),
			want: in(fetch.CodeRedirectScheme, "concept-http-redirect-fetch", "6").because("Location", "data:,x")},
		{row: "a loop of redirects", request: &fetch.Request{URL: api}, web: redirects(302, "/users"),
			want: in(fetch.CodeTooManyRedirects, "concept-http-redirect-fetch", "7").because("Location", "/users").hop(20)},
		{row: "a password in the Location, to another origin", request: &fetch.Request{URL: "/"}, web: redirects(302, "https://u:p@api.example.com/"),
			want: in(fetch.CodeRedirectCredentials, "concept-http-redirect-fetch", "9").because("Location", "https://u:p@api.example.com/")},
		{row: "a password in the Location, back to the page's origin", request: &fetch.Request{URL: api}, web: redirects(302, "https://u:p@app.example.com/"),
			want: in(fetch.CodeRedirectCredentials, "concept-http-redirect-fetch", "10").because("Location", "https://u:p@app.example.com/")},
		{row: "a body that is gone when the redirect wants it", request: &fetch.Request{URL: "/", Method: "POST", Stream: strings.NewReader("x")}, web: redirects(307, "/x"),
			want: in(fetch.CodeRedirectBody, "concept-http-redirect-fetch", "11").because("Location", "/x")},

		// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch
		{row: "a keepalive body of more than 64 KiB", request: &fetch.Request{URL: "/", Method: "POST", Keepalive: true, Body: make([]byte, 64<<10+1)},
			want: in(fetch.CodeKeepaliveSize, "concept-http-network-or-cache-fetch", "8.10.5")},
		{row: "nothing in the cache", request: &fetch.Request{URL: "/", Mode: fetch.ModeSameOrigin, Cache: fetch.CacheOnlyIfCached},
			want: in(fetch.CodeNotCached, "concept-http-network-or-cache-fetch", "11.1")},
		{row: "a password asked for when the body is gone", web: says(401),
			request: &fetch.Request{URL: "https://u:p@app.example.com/", URLCredentials: true, Method: "POST", Stream: strings.NewReader("x")},
			want:    in(fetch.CodeAuthenticationBody, "concept-http-network-or-cache-fetch", "15.2.1")},
		{row: "a proxy that asks for a password", request: &fetch.Request{URL: "/"}, web: says(407),
			want: in(fetch.CodeProxyAuthentication, "concept-http-network-or-cache-fetch", "16.1")},

		// https://fetch.spec.whatwg.org/#concept-http-network-fetch
		{row: "nobody there", request: &fetch.Request{URL: api}, browser: &fetch.Browser{Transport: failing{errors.New("connection refused")}},
			want: in(fetch.CodeNetwork, "concept-http-network-fetch", "8.1")},
		{row: "a body that streams over HTTP/1", page: http1.URL, request: &fetch.Request{URL: "/", Method: "POST", Stream: strings.NewReader("x")}, browser: &fetch.Browser{Transport: http1.Client().Transport},
			want: in(fetch.CodeStreamOverHTTP1, "concept-http-network-fetch", "8.3")},
		{row: "NUL in a header", request: &fetch.Request{URL: api}, web: says(200, acao, "*", "X-A", "a\x00b"),
			want: in(fetch.CodeMalformedResponse, "concept-http-network-fetch", "8.5").because("X-A", "a\x00b")},
		{row: "another protocol, unasked", request: &fetch.Request{URL: api}, web: says(101, acao, "*", "Upgrade", "websocket"),
			want: in(fetch.CodeMalformedResponse, "concept-http-network-fetch", "8.5").because("", "101")},
		{row: "a header larger than the limit", request: &fetch.Request{URL: api}, web: says(200, acao, "*", "X-A", strings.Repeat("a", 300)),
			browser: &fetch.Browser{Limits: fetch.Limits{HeaderBytes: 256}},
			want:    in(fetch.CodeResponseTooLarge, "concept-http-network-fetch", "8.5").because("X-A", "")},
		{row: "an address that is not public", request: &fetch.Request{URL: "http://127.0.0.1:8080/"}, page: "http://app.example.com/",
			browser: &fetch.Browser{RefusePrivateAddresses: true},
			want:    in(fetch.CodePrivateAddress, "concept-http-network-fetch", "8.1")},
		{row: "a context that ends", request: &fetch.Request{URL: api}, browser: &fetch.Browser{Transport: failing{context.Canceled}},
			want: in(fetch.CodeAborted, "concept-http-network-fetch", "9.2")},

		// https://fetch.spec.whatwg.org/#concept-cors-check
		{row: "no CORS headers", request: &fetch.Request{URL: api}, web: says(200),
			want: in(fetch.CodeMissingAllowOrigin, "concept-cors-check", "2").because(acao, "")},
		{row: "no CORS headers at the second server", request: &fetch.Request{URL: "/"}, web: func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "app.example.com" {
				redirects(302, api)(w, r)
			}
		}, want: in(fetch.CodeMissingAllowOrigin, "concept-cors-check", "2").because(acao, "").hop(1)},
		{row: "the origin twice", request: &fetch.Request{URL: api}, web: says(200, acao, "https://app.example.com", acao, "https://app.example.com"),
			want: in(fetch.CodeMultipleAllowOrigin, "concept-cors-check", "4").because(acao, "https://app.example.com, https://app.example.com")},
		{row: "another origin", request: &fetch.Request{URL: api}, web: says(200, acao, "https://www.example.com"),
			want: in(fetch.CodeOriginMismatch, "concept-cors-check", "4").because(acao, "https://www.example.com")},
		{row: "a star with credentials", request: &fetch.Request{URL: api, Credentials: fetch.CredentialsInclude}, web: says(200, acao, "*", acac, "true"),
			want: in(fetch.CodeWildcardOrigin, "concept-cors-check", "4").because(acao, "*")},
		{row: "credentials in capitals", request: &fetch.Request{URL: api, Credentials: fetch.CredentialsInclude}, web: says(200, acao, "https://app.example.com", acac, "TRUE"),
			want: in(fetch.CodeAllowCredentials, "concept-cors-check", "8").because(acac, "TRUE")},
		{row: "no CORS headers in the preflight", request: &fetch.Request{URL: api, Method: "PUT"}, web: says(204),
			want: in(fetch.CodeMissingAllowOrigin, "concept-cors-check", "2").because(acao, "").preflight()},

		// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
		{row: "a preflight that is not found", request: &fetch.Request{URL: api, Method: "PUT"}, web: says(404, acao, "*", acam, "PUT"),
			want: in(fetch.CodePreflightStatus, "cors-preflight-fetch-0", "7").because("", "404").preflight()},
		{row: "a preflight that is redirected", request: &fetch.Request{URL: api, Method: "PUT"}, web: redirects(307, "/x"),
			want: in(fetch.CodePreflightStatus, "cors-preflight-fetch-0", "7").because("", "307").preflight()},
		{row: "methods with a semicolon", request: &fetch.Request{URL: api, Method: "PUT"}, web: says(204, acao, "*", acam, "GET; PUT"),
			want: in(fetch.CodeAllowMethodsSyntax, "cors-preflight-fetch-0", "7.3").because(acam, "GET; PUT").preflight()},
		{row: "header names with a semicolon", request: &fetch.Request{URL: api, Method: "PUT"}, web: says(204, acao, "*", acam, "PUT", acah, "a;b"),
			want: in(fetch.CodeAllowHeadersSyntax, "cors-preflight-fetch-0", "7.3").because(acah, "a;b").preflight()},
		{row: "a method that is not listed", request: &fetch.Request{URL: api, Method: "PUT"}, web: says(204, acao, "*", acam, "put"),
			want: in(fetch.CodeMethodNotAllowed, "cors-preflight-fetch-0", "7.5").because(acam, "put").preflight()},
		{row: "a star for methods, with credentials", request: &fetch.Request{URL: api, Method: "PUT", Credentials: fetch.CredentialsInclude}, web: says(204, acao, "https://app.example.com", acac, "true", acam, "*"),
			want: in(fetch.CodeMethodNotAllowed, "cors-preflight-fetch-0", "7.5").because(acam, "*").preflight()},
		{row: "a star for headers, with credentials", request: &fetch.Request{URL: api, Credentials: fetch.CredentialsInclude, Header: []header.Field{{Name: "X-Token", Value: "x"}}},
			web:  says(204, acao, "https://app.example.com", acac, "true", acah, "*"),
			want: in(fetch.CodeHeaderNotAllowed, "cors-preflight-fetch-0", "7.7").because(acah, "*").name("x-token").preflight()},
		{row: "Authorization under a star", request: &fetch.Request{URL: api, Header: []header.Field{{Name: "Authorization", Value: "x"}}}, web: says(204, acao, "*", acah, "*"),
			want: in(fetch.CodeAuthorizationNotAllowed, "cors-preflight-fetch-0", "7.6").because(acah, "*").preflight()},
		{row: "a header that is not listed", request: &fetch.Request{URL: api, Header: []header.Field{{Name: "X-Token", Value: "x"}}}, web: says(204, acao, "*", acah, "x-other"),
			want: in(fetch.CodeHeaderNotAllowed, "cors-preflight-fetch-0", "7.7").because(acah, "x-other").name("x-token").preflight()},
	}
}

// Every way to be blocked has a code, and is reached here from a page.
//
// https://fetch.spec.whatwg.org/#concept-main-fetch
// https://fetch.spec.whatwg.org/#concept-scheme-fetch
// https://fetch.spec.whatwg.org/#concept-http-fetch
// https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
// https://fetch.spec.whatwg.org/#concept-cors-check
// https://fetch.spec.whatwg.org/#concept-network-error
// https://fetch.spec.whatwg.org/#http-scheme
// https://fetch.spec.whatwg.org/#ok-status
// https://fetch.spec.whatwg.org/#dom-global-fetch
func TestBlocked(t *testing.T) {
	http1 := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s went out", r.Method, r.URL) }))
	defer http1.Close()
	reached := map[fetch.Code]bool{}
	for _, tt := range blockedRows(http1) {
		t.Run(tt.row, func(t *testing.T) {
			reached[tt.want.Code] = true
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := tt.browser
			if b == nil {
				b = &fetch.Browser{}
			}
			if b.Transport == nil && !b.RefusePrivateAddresses {
				b.Transport = serve{tt.web}
			}
			if b.Transport == (failing{context.Canceled}) {
				cancel()
			}
			page := tt.page
			if page == "" {
				page = app
			}
			res, err := b.Open(page).Fetch(ctx, tt.request)
			var blocked *fetch.BlockedError
			if !errors.As(err, &blocked) {
				if res != nil {
					res.Body.Close()
				}
				t.Fatalf("not blocked: %v", err)
			}
			got := why{blocked.Code, blocked.Step.String(), blocked.Header, blocked.Value, blocked.Name, blocked.Hop, blocked.Preflight}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("blocked (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
	for _, code := range fetch.Codes() {
		if !reached[code] {
			t.Errorf("no row is blocked because %q", code)
		}
	}
}

func TestAnAbortedFetchOfDataFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b fetch.Browser
	_, err := b.Open(app).Fetch(ctx, &fetch.Request{URL: "data:,hello"})
	var blocked *fetch.BlockedError
	if !errors.As(err, &blocked) || blocked.Code != fetch.CodeAborted || !errors.Is(err, context.Canceled) {
		t.Errorf("fetching data: with a context that has ended: %v, want code %q", err, fetch.CodeAborted)
	}
}

func TestMixedContent(t *testing.T) {
	for _, tt := range []struct {
		row, page, url string
		destination    fetch.Destination
		want           string // what is fetched, "" if it is blocked
	}{
		{"a page over https may not fetch http", app, "http://b.example/", "", ""},
		{"nor from a private address", app, "http://192.168.0.1/", "", ""},
		{"but from localhost", app, "http://localhost:3000/", "", "http://localhost:3000/"},
		{"and data:", app, "data:,x", "", "data:,x"},
		{"a page over http may fetch http", "http://a.example/", "http://b.example/", "", "http://b.example/"},
		{"so may one on localhost", "http://localhost:3000/", "http://b.example/", "", "http://b.example/"},
		{"an image comes over https", app, "http://b.example:8080/", fetch.DestinationImage, "https://b.example:8080/"},
		{"from an address it does not come", app, "http://192.0.2.1/", fetch.DestinationImage, ""},
		{"a script does not come", app, "http://b.example/", fetch.DestinationScript, ""},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{says(200, acao, "*")}}
			res, err := b.Open(tt.page).Fetch(t.Context(), &fetch.Request{URL: tt.url, Destination: tt.destination})
			got := ""
			if err == nil {
				res.Body.Close()
				got = res.URL
			}
			if got != tt.want {
				t.Errorf("a page at %s fetching %s for %q: fetched %q (%v), want %q", tt.page, tt.url, tt.destination, got, err, tt.want)
			}
		})
	}
}

// The frame is over http, the page around it over https.
func TestMixedContentInAFrame(t *testing.T) {
	b := &fetch.Browser{Transport: serve{says(200, acao, "*")}}
	frame := b.Open("http://localhost:3000/")
	frame.TopLevel = b.Open(app).Origin()
	_, err := frame.Fetch(t.Context(), &fetch.Request{URL: "http://b.example/"})
	var blocked *fetch.BlockedError
	if !errors.As(err, &blocked) || blocked.Code != fetch.CodeMixedContent {
		t.Errorf("a frame in a page over https fetches http: %v, want code %q", err, fetch.CodeMixedContent)
	}
}

// What is on its way counts for the page until its response has been read, and
// for no other page.
func TestKeepaliveBodiesCountTogether(t *testing.T) {
	b := &fetch.Browser{Transport: serve{says(200, acao, "*")}}
	page, other := b.Open(app), b.Open(app)
	half := func(p *fetch.Page) (*fetch.Response, error) {
		return p.Fetch(t.Context(), &fetch.Request{URL: api, Method: "POST", Keepalive: true, Body: make([]byte, 40<<10)})
	}
	first, err := half(page)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half(page); err == nil {
		t.Error("two bodies of 40 KiB are on their way, and 64 KiB is the limit")
	}
	if _, err := half(other); err != nil {
		t.Errorf("another page has a limit of its own: %v", err)
	}
	if _, err := io.ReadAll(first.Body); err != nil {
		t.Fatal(err)
	}
	if _, err := half(page); err != nil {
		t.Errorf("the first one is done: %v", err)
	}
}

// https://fetch.spec.whatwg.org/#dom-request
// https://fetch.spec.whatwg.org/#cors-safelisted-method
// https://fetch.spec.whatwg.org/#forbidden-method
func TestRequestErrors(t *testing.T) {
	for _, tt := range []struct {
		row     string
		request fetch.Request
		field   string
	}{
		{"no URL at all", fetch.Request{URL: "https://["}, "URL"},
		{"a password in the URL", fetch.Request{URL: "https://u:p@api.example.com/"}, "URL"},
		{"navigation", fetch.Request{Mode: "navigate"}, "Mode"},
		{"a space in the method", fetch.Request{Method: "P UT"}, "Method"},
		{"a forbidden method", fetch.Request{Method: "TrAcE"}, "Method"},
		{"PUT in mode no-cors", fetch.Request{Method: "PUT", Mode: fetch.ModeNoCORS}, "Method"},
		{"GET with a body", fetch.Request{Body: []byte{}}, "Body"},
		{"two bodies", fetch.Request{Method: "POST", Body: []byte{}, Stream: strings.NewReader("")}, "Stream"},
		{"a stream in mode no-cors", fetch.Request{Method: "POST", Mode: fetch.ModeNoCORS, Stream: strings.NewReader("")}, "Stream"},
		{"a stream that outlives its page", fetch.Request{Method: "POST", Keepalive: true, Stream: strings.NewReader("")}, "Stream"},
		{"a line end in a header", fetch.Request{Header: []header.Field{{Name: "X-A", Value: "a\r\nb"}}}, "Header"},
		{"a space in a header name", fetch.Request{Header: []header.Field{{Name: "X A", Value: "a"}}}, "Header"},
		{"credentials that there are not", fetch.Request{Credentials: "always"}, "Credentials"},
		{"a redirect mode that there is not", fetch.Request{Redirect: "yes"}, "Redirect"},
		{"a cache mode that there is not", fetch.Request{Cache: "yes"}, "Cache"},
		{"only the cache, of another origin", fetch.Request{Cache: fetch.CacheOnlyIfCached}, "Cache"},
		{"a referrer policy that there is not", fetch.Request{ReferrerPolicy: "yes"}, "ReferrerPolicy"},
		{"a referrer that does not parse", fetch.Request{Referrer: "https://["}, "Referrer"},
		{"the destination of a navigation", fetch.Request{Destination: "document"}, "Destination"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: failing{errors.New("a request went out")}}
			_, err := b.Open(app).Fetch(t.Context(), &tt.request)
			var refused *fetch.RequestError
			if !errors.As(err, &refused) || refused.Field != tt.field {
				t.Errorf("%+v: %v, want a *RequestError about %s", tt.request, err, tt.field)
			}
		})
	}
}

// What cannot be as it is set fails, rather than being silently something else.
func TestPagesAndBrowsersThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		row   string
		page  func() *fetch.Page
		field string
	}{
		{"a URL that is none", func() *fetch.Page { return new(fetch.Browser).Open("app.example.com") }, "Page.URL"},
		{"a referrer policy that there is not", func() *fetch.Page { return &fetch.Page{Browser: new(fetch.Browser), URL: app, ReferrerPolicy: "none"} }, "Page.ReferrerPolicy"},
		{"an embedder policy that there is not", func() *fetch.Page { return &fetch.Page{Browser: new(fetch.Browser), URL: app, EmbedderPolicy: "none"} }, "Page.EmbedderPolicy"},
		{"private addresses refused by a transport that dials for itself", func() *fetch.Page {
			return (&fetch.Browser{RefusePrivateAddresses: true, Transport: http.DefaultTransport}).Open(app)
		}, "Browser.RefusePrivateAddresses"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			_, err := tt.page().Fetch(t.Context(), &fetch.Request{URL: "data:,x"})
			var refused *fetch.RequestError
			if !errors.As(err, &refused) || refused.Field != tt.field {
				t.Errorf("%v, want a *RequestError about %s", err, tt.field)
			}
		})
	}
}

// A password in a URL is in no error, trace or record of what went over the wire.
func TestPasswordsAreNotTold(t *testing.T) {
	var told []string
	b := &fetch.Browser{Transport: serve{says(200)}}
	_, err := b.Open(app).Fetch(t.Context(), &fetch.Request{
		URL: "https://user:hunter2@api.example.com/", URLCredentials: true,
		Trace: func(e fetch.Event) { told = append(told, fmt.Sprintf("%+v", e)) },
	})
	var blocked *fetch.BlockedError
	if !errors.As(err, &blocked) {
		t.Fatal(err)
	}
	for _, e := range blocked.Exchanges {
		told = append(told, fmt.Sprintf("%+v", e))
	}
	for _, s := range append(told, err.Error(), blocked.URL) {
		if strings.Contains(s, "hunter2") {
			t.Errorf("the password is told: %s", s)
		}
	}
}

// https://fetch.spec.whatwg.org/#concept-http-network-fetch step 8.3
func TestStreamsGoOverHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	res, err := (&fetch.Browser{Transport: server.Client().Transport}).Open(server.URL).Fetch(t.Context(), &fetch.Request{
		URL: "/", Method: "POST", Stream: io.MultiReader(strings.NewReader("hel"), strings.NewReader("lo")),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "hello" || err != nil {
		t.Errorf("body %q, %v, want %q", body, err, "hello")
	}
	if res.StatusText != "" {
		t.Errorf("status text %q: HTTP/2 has none", res.StatusText)
	}
}
