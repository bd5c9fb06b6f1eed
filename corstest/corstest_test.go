package corstest_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("u", false, "rewrite the golden files")

const (
	app = "https://app.example.com"
	api = "https://api.example.com/users"
)

// answers is a handler that sends these headers, names and values in turn, with
// every answer.
func answers(status int, namesAndValues ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(namesAndValues); i += 2 {
			w.Header().Add(namesAndValues[i], namesAndValues[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "hello")
	})
}

// preflightThen answers OPTIONS with the one and the rest with the other.
func preflightThen(preflight, actual http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			preflight.ServeHTTP(w, r)
			return
		}
		actual.ServeHTTP(w, r)
	})
}

func redirectTo(url string) http.Handler {
	return answers(302, "Location", url, "Access-Control-Allow-Origin", "*")
}

var open = answers(200, "Access-Control-Allow-Origin", app, "Access-Control-Allow-Credentials", "true",
	"Access-Control-Allow-Methods", "GET, PUT", "Access-Control-Allow-Headers", "content-type, x-a",
	"Access-Control-Expose-Headers", "X-Request-Id", "X-Request-Id", "7", "X-Secret", "8")

func TestBrowser(t *testing.T) {
	page := corstest.From(t, app, open)
	page.Fetch(&fetch.Request{URL: api}).Allowed().Preflights(0).Status(200).Sees("X-Request-Id", "7").DoesNotSee("X-Secret")
	put := &fetch.Request{URL: api, Method: "PUT", Header: []header.Field{{Name: "X-A", Value: "1"}}, Credentials: fetch.CredentialsInclude}
	page.Fetch(put).Allowed().Preflights(1)
	page.Fetch(put).Allowed().Preflights(0) // the browser remembers
	page.Fetch(&fetch.Request{URL: api, Method: "DELETE"}).Refused().RefusedFor(fetch.CodeMethodNotAllowed)
	page.Open("https://evil.example").Fetch(&fetch.Request{URL: api}).RefusedFor(fetch.CodeOriginMismatch)
	corstest.From(t, "null", open).Fetch(&fetch.Request{URL: api}).RefusedFor(fetch.CodeOriginMismatch)
	if got := page.Fetch(&fetch.Request{URL: api}).Body; got != "hello" {
		t.Errorf("body %q, want %q", got, "hello")
	}
}

func TestFromWantsAnOrigin(t *testing.T) {
	for _, origin := range []string{"app.example.com", "", "*", "data:text/html,x"} {
		r := &recorder{TB: t}
		func() {
			defer func() { recover() }()
			corstest.From(r, origin, open)
		}()
		if len(r.said) != 1 || !strings.Contains(r.said[0], "is no origin of a page") {
			t.Errorf("From(%q) said %q", origin, r.said)
		}
	}
}

func TestHosts(t *testing.T) {
	web := corstest.Hosts{
		"app.example.com":      redirectTo("https://api.example.com:8443/"),
		"api.example.com:8443": answers(200, "Access-Control-Allow-Origin", "*"),
	}
	page := corstest.From(t, app, web)
	res := page.Fetch(&fetch.Request{URL: "/"}).Allowed()
	if want := "https://api.example.com:8443/"; res.Response.URL != want || !res.Response.Redirected {
		t.Errorf("redirected to %q, want %q", res.Response.URL, want)
	}
	page.Fetch(&fetch.Request{URL: "https://api.example.com/"}).RefusedFor(fetch.CodeNetwork)
}

func TestCookies(t *testing.T) {
	var got []string
	page := corstest.From(t, app, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.Header.Get("Cookie"))
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
	}))
	page.SetCookie("https://api.example.com", "sid=1; Secure; HttpOnly; SameSite=None")
	page.SetCookie("https://api.example.com", "lax=1")
	page.Fetch(&fetch.Request{URL: api}).Allowed()
	page.Fetch(&fetch.Request{URL: api, Method: "PUT", Credentials: fetch.CredentialsInclude}).Allowed()
	page.Open("https://other.example").Fetch(&fetch.Request{URL: api, Credentials: fetch.CredentialsInclude}).Allowed()
	want := []string{"GET ", "OPTIONS ", "PUT sid=1; lax=1", "GET sid=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cookies on the wire (-want +got):\n%s", diff)
	}
}

// A handler is asked as net/http's server would ask it, and answers as it would
// write.
func TestWire(t *testing.T) {
	page := corstest.From(t, app, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "POST /a%2Fb?c /a/b api.example.com 5 text/plain true"
		if got := fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.URL.Path, " ", r.Host, " ", r.ContentLength, " ", r.Header.Get("Content-Type"), " ", r.TLS != nil); got != want {
			t.Errorf("the handler is asked %q, want %q", got, want)
		}
		w.Header().Set("Access-Control-Allow-Origin", "*\r\nX-Evil: 1")
	}))
	page.Fetch(&fetch.Request{
		URL: "https://api.example.com/a%2Fb?c", Method: "post", Body: []byte("hello"),
		Header: []header.Field{{Name: "content-TYPE", Value: "text/plain"}},
	}).RefusedFor(fetch.CodeMultipleAllowOrigin)
}

// recorder is a testing.TB that keeps what is reported to it.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(fatal{})
}

type fatal struct{}

// What a failing test says is golden: testdata/failures.txt, which reads as a
// catalogue of what goes wrong with CORS.
func TestFailuresExplain(t *testing.T) {
	put := func(names ...string) *fetch.Request {
		r := &fetch.Request{URL: api, Method: "PUT"}
		for _, name := range names {
			r.Header = append(r.Header, header.Field{Name: name, Value: "1"})
		}
		return r
	}
	get := &fetch.Request{URL: api}
	with := func(r *fetch.Request) *fetch.Request { r.Credentials = fetch.CredentialsInclude; return r }
	const acao, acac, acam, acah = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
	var all strings.Builder
	for _, tt := range []struct {
		name string
		web  http.Handler
		page string
		do   func(p *corstest.Page)
	}{
		{"no header at all", answers(200), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"no header with an error", answers(500), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"another origin", answers(200, acao, "https://www.example.com"), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a slash at the end", answers(200, acao, app+"/"), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a pattern", answers(200, acao, "https://*.example.com"), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"no scheme", answers(200, acao, "app.example.com"), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"two lines", answers(200, acao, app, acao, app), app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a star with credentials", answers(200, acao, "*"), app, func(p *corstest.Page) { p.Fetch(with(&fetch.Request{URL: api})).Allowed() }},
		{"credentials with a capital", answers(200, acao, app, acac, "True"), app, func(p *corstest.Page) { p.Fetch(with(&fetch.Request{URL: api})).Allowed() }},
		{"a sandboxed page", answers(200, acao, app), "null", func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a redirect to a third origin", corstest.Hosts{"api.example.com": redirectTo("https://cdn.example.net/x"), "cdn.example.net": answers(200, acao, app)}, app,
			func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a preflight that meets a router", preflightThen(answers(405, "Allow", "PUT"), open), app, func(p *corstest.Page) { p.Fetch(put()).Allowed() }},
		{"a preflight of status 404 with the header", preflightThen(answers(404, acao, app), open), app, func(p *corstest.Page) { p.Fetch(put()).Allowed() }},
		{"a method that is not listed", answers(200, acao, app, acam, "GET, POST"), app, func(p *corstest.Page) { p.Fetch(put()).Allowed() }},
		{"a star for methods with credentials", answers(200, acao, app, acac, "true", acam, "*"), app, func(p *corstest.Page) { p.Fetch(with(put())).Allowed() }},
		{"a method in lower case", answers(200, acao, app, acam, "PATCH"), app, func(p *corstest.Page) { p.Fetch(&fetch.Request{URL: api, Method: "patch"}).Allowed() }},
		{"a header that is not listed", answers(200, acao, app, acam, "PUT", acah, "content-type"), app, func(p *corstest.Page) { p.Fetch(put("X-Token")).Allowed() }},
		{"a star does not cover Authorization", answers(200, acao, app, acam, "PUT", acah, "*"), app, func(p *corstest.Page) { p.Fetch(put("Authorization")).Allowed() }},
		{"a list with semicolons", answers(200, acao, app, acam, "GET; PUT"), app, func(p *corstest.Page) { p.Fetch(put()).Allowed() }},
		{"a host that is not there", corstest.Hosts{"app.example.com": open}, app, func(p *corstest.Page) { p.Fetch(get).Allowed() }},
		{"a handler that panics", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }), app, func(p *corstest.Page) { p.Fetch(get).Refused() }},
		{"no-cors hides", open, app, func(p *corstest.Page) { p.Fetch(&fetch.Request{URL: api, Mode: fetch.ModeNoCORS}).Allowed() }},
		{"not refused, by a star", answers(200, acao, "*"), "https://evil.example", func(p *corstest.Page) { p.Fetch(get).Refused() }},
		{"not refused, by its name", open, app, func(p *corstest.Page) { p.Fetch(get).RefusedFor(fetch.CodeOriginMismatch) }},
		{"not refused, as its own origin", open, app, func(p *corstest.Page) { p.Fetch(&fetch.Request{URL: "/users"}).Refused() }},
		{"refused for another reason", answers(200), app, func(p *corstest.Page) { p.Fetch(get).RefusedFor(fetch.CodeOriginMismatch) }},
		{"a header that is not exposed", open, app, func(p *corstest.Page) { p.Fetch(get).Sees("X-Secret", "8") }},
		{"a header that is not sent", open, app, func(p *corstest.Page) { p.Fetch(get).Sees("X-Other", "8") }},
		{"a star exposes nothing with credentials", answers(200, acao, app, acac, "true", "Access-Control-Expose-Headers", "*", "X-Secret", "8"), app,
			func(p *corstest.Page) { p.Fetch(with(&fetch.Request{URL: api})).Sees("X-Secret", "8") }},
		{"a cookie is never seen", answers(200, acao, app, "Set-Cookie", "a=1"), app, func(p *corstest.Page) { p.Fetch(get).Sees("Set-Cookie", "a=1") }},
		{"another value", open, app, func(p *corstest.Page) { p.Fetch(get).Sees("X-Request-Id", "8") }},
		{"a header seen that should not be", open, app, func(p *corstest.Page) { p.Fetch(get).DoesNotSee("X-Request-Id") }},
		{"another status", open, app, func(p *corstest.Page) { p.Fetch(get).Status(201) }},
		{"a preflight that was not thought of", open, app, func(p *corstest.Page) { p.Fetch(put()).Preflights(0) }},
		{"a request that no script can make", open, app, func(p *corstest.Page) { p.Fetch(&fetch.Request{URL: api, Method: "TRACE"}).Allowed() }},
		{"a cookie that is refused", open, app, func(p *corstest.Page) { p.SetCookie(api, "a=1; SameSite=None") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			func() {
				defer func() {
					if fault := recover(); fault != nil && fault != (fatal{}) {
						panic(fault)
					}
				}()
				tt.do(corstest.From(r, tt.page, tt.web))
			}()
			if len(r.said) != 1 {
				t.Errorf("%d failures are reported, want 1: %q", len(r.said), r.said)
			}
			fmt.Fprintf(&all, "== %s ==\n%s\n\n", tt.name, strings.Join(r.said, "\n"))
		})
	}
	golden(t, "failures.txt", all.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -u rewrites it):\n%s", file, diff)
	}
}
