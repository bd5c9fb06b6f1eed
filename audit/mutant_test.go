package audit_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

// A mutation is what is wrong with a server: it changes what one that keeps the
// policy would answer.
type mutation func(r *http.Request, res *http.Response)

func (m mutation) of(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		res := recorder.Result()
		m(r, res)
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		if r.Method != http.MethodHead {
			w.Write(recorder.Body.Bytes())
		}
	})
}

const (
	acao = "Access-Control-Allow-Origin"
	acac = "Access-Control-Allow-Credentials"
	acam = "Access-Control-Allow-Methods"
	acah = "Access-Control-Allow-Headers"
	aceh = "Access-Control-Expose-Headers"
	acma = "Access-Control-Max-Age"
	acrm = "Access-Control-Request-Method"
	acrh = "Access-Control-Request-Headers"
)

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get(acrm) != ""
}

// on changes what preflights, or the requests themselves, are answered.
func onPreflight(m mutation) mutation {
	return func(r *http.Request, res *http.Response) {
		if isPreflight(r) {
			m(r, res)
		}
	}
}

func onActual(m mutation) mutation {
	return func(r *http.Request, res *http.Response) {
		if !isPreflight(r) {
			m(r, res)
		}
	}
}

// set has a header of the answers that are granted be these lines.
func set(name string, values ...string) mutation {
	return func(_ *http.Request, res *http.Response) {
		if res.Header.Get(acao) != "" {
			res.Header[name] = values
		}
	}
}

// remove removes a header from all answers.
func remove(name string) mutation {
	return func(_ *http.Request, res *http.Response) { res.Header.Del(name) }
}

// admits lets in origins that the policy does not know, with all that others
// get.
func admits(match func(origin string) bool) mutation {
	return func(r *http.Request, res *http.Response) {
		if o := r.Header.Get("Origin"); o != "" && match(o) {
			res.Header.Set(acao, o)
			res.Header.Set(acac, "true")
			if isPreflight(r) {
				res.StatusCode = http.StatusNoContent
			}
		}
	}
}

func refuses(match func(origin string) bool) mutation {
	return func(r *http.Request, res *http.Response) {
		if match(r.Header.Get("Origin")) {
			cors.Strip(res.Header)
		}
	}
}

func is(origins ...string) func(string) bool {
	return func(o string) bool { return slices.Contains(origins, o) }
}

func status(code int) mutation {
	return func(_ *http.Request, res *http.Response) { res.StatusCode = code }
}

func strip(_ *http.Request, res *http.Response) { cors.Strip(res.Header) }

var careful = map[string]cors.Policy{"/api/": {
	Origins:        []string{"https://app.example.com", "https://*.example.org", "https://*-preview.example.net"},
	Methods:        []string{"PUT", "PATCH"},
	RequestHeaders: []string{"Authorization", "Content-Type"},
	ExposedHeaders: []string{"X-Request-Id", "ETag"},
	Credentials:    true,
	MaxAge:         10 * time.Minute,
	RefusedStatus:  403,
}}

var everybody = map[string]cors.Policy{"/api/": {
	Origins:         []string{"*"},
	Methods:         []string{"*"},
	RequestHeaders:  []string{"*"},
	ExposedHeaders:  []string{"*"},
	PreflightStatus: 200,
}}

// TestEachFaultIsNamed has servers that are wrong in one way each, and wants the
// lines that say so, and no others.
func TestEachFaultIsNamed(t *testing.T) {
	const (
		app     = "https://app.example.com"
		sub     = "https://cors-verify.example.org"
		deep    = "https://a.cors-verify.example.org"
		preview = "https://cors-verify-preview.example.net"
	)
	reads := []string{
		app + " may read",
		sub + " may read, by https://*.example.org",
		deep + " may read, by https://*.example.org, two labels deep",
		preview + " may read, by https://*-preview.example.net",
	}
	const (
		strangerReads = "https://cors-verify.test may not read: the policy does not know it"
		nullReads     = "null may not read: any page can have this origin"
		vary          = "answers that depend on Origin have Vary: Origin"
		elsewhere     = " may not read: it is allowed at /api/, not here"
	)
	tests := []struct {
		row    string
		policy map[string]cors.Policy
		mutate mutation
		want   []string
	}{
		{"nothing is wrong", careful, func(*http.Request, *http.Response) {}, nil},

		// Who is let in.
		{"any origin is reflected", careful, admits(func(string) bool { return true }), []string{
			strangerReads, nullReads, strangerReads, nullReads, // on the route, and where there is none
		}},
		{"any origin but null is reflected on the route", careful, func(r *http.Request, res *http.Response) {
			if strings.HasPrefix(r.URL.Path, "/api") {
				admits(func(o string) bool { return o != "null" })(r, res)
			}
		}, []string{strangerReads}},
		{"null is let in", careful, onActual(onRoute(admits(is("null")))), []string{nullReads}},
		{"the beginning of an origin is enough", careful, admits(func(o string) bool { return strings.HasPrefix(o, app) }), []string{
			app + ".evil.test may not read: it only begins like " + app,
			app + ":8443 may not read: its port is not that of " + app,
			app + ". may not read: it has a dot after " + app,
			app + elsewhere,
		}},
		{"the end of an origin is enough", careful, onRoute(admits(func(o string) bool { return strings.HasSuffix(o, "app.example.com") })), []string{
			"https://evilapp.example.com may not read: it only ends like " + app,
			"https://cors-verify.app.example.com may not read: it is below " + app,
			"http://app.example.com may not read: its scheme is not that of " + app,
		}},
		{"a wildcard takes what ends like it, without a dot", careful, onRoute(admits(func(o string) bool { return o == "https://evilexample.org" })), []string{
			"https://evilexample.org may not read: it only ends like https://*.example.org",
		}},
		{"a wildcard takes its parent", careful, onRoute(admits(is("https://example.org"))), []string{
			"https://example.org may not read: it is the parent, not below it as https://*.example.org",
		}},
		{"a wildcard takes one label alone", careful, refuses(is(deep)), reads[2:3]},
		{"a wildcard within a label takes two", careful, onRoute(admits(is("https://a.cors-verify-preview.example.net"))), []string{
			"https://a.cors-verify-preview.example.net may not read: it has two labels for the wildcard in https://*-preview.example.net",
		}},
		{"a wildcard within a label takes nothing", careful, onRoute(admits(is("https://-preview.example.net"))), []string{
			"https://-preview.example.net may not read: it has nothing for the wildcard in https://*-preview.example.net",
		}},
		{"a dot of a regular expression is any letter", careful, onRoute(admits(is("https://appxexample.com"))), []string{
			"https://appxexample.com may not read: it has another letter for a dot in " + app,
		}},
		{"the scheme does not matter", careful, onRoute(admits(is("http://app.example.com"))), []string{
			"http://app.example.com may not read: its scheme is not that of " + app,
		}},
		{"the port does not matter", careful, onRoute(admits(is(app + ":8443"))), []string{
			app + ":8443 may not read: its port is not that of " + app,
		}},
		{"the dot of the root does not matter", careful, onRoute(admits(is(app + "."))), []string{
			app + ". may not read: it has a dot after " + app,
		}},
		{"case does not matter, which harms nobody", careful, onRoute(admits(is("HTTPS://APP.EXAMPLE.COM"))), nil},
		{"an origin is forgotten", careful, refuses(is(app)), reads[:1]},
		{"a pattern is forgotten", careful, refuses(func(o string) bool { return strings.HasSuffix(o, ".example.org") }), reads[1:3]},
		{"one origin is allowed whoever asks", careful, onActual(set(acao, app)), reads[1:]},
		{"the policy is kept everywhere", careful, func(r *http.Request, res *http.Response) {
			if r.URL.Path == "/cors-verify-no-such-path" {
				admits(is(app, sub, preview))(r, res)
			}
		}, []string{app + elsewhere, sub + elsewhere, preview + elsewhere}},
		{"preflights of any origin pass", careful, onRoute(onPreflight(admits(func(string) bool { return true }))), []string{
			"a preflight from https://cors-verify.test does not pass",
		}},
		{"preflights of origins that end like one pass", careful, onRoute(onPreflight(admits(func(o string) bool { return strings.HasSuffix(o, "example.org") }))), []string{
			"https://evilexample.org may not read: it only ends like https://*.example.org",
			"https://example.org may not read: it is the parent, not below it as https://*.example.org",
			"http://cors-verify.example.org may not read: its scheme is not that of https://*.example.org",
		}},
		{"preflights know one origin", careful, onPreflight(refuses(func(o string) bool { return o != app })), []string{
			"a preflight from " + sub + " passes too", "a preflight from " + deep + " passes too", "a preflight from " + preview + " passes too",
		}},

		// Access-Control-Allow-Origin.
		{"there are no headers at all", careful, onActual(strip), reads},
		{"two layers name the origin", careful, onActual(func(r *http.Request, res *http.Response) {
			res.Header[acao] = append(res.Header[acao], res.Header[acao]...)
		}), reads},
		{"the origin has a slash at its end", careful, onActual(func(r *http.Request, res *http.Response) {
			set(acao, r.Header.Get("Origin")+"/")(r, res)
		}), reads},
		{"the pattern is sent", careful, onActual(func(r *http.Request, res *http.Response) {
			if strings.HasSuffix(r.Header.Get("Origin"), ".example.org") {
				set(acao, "https://*.example.org")(r, res)
			}
		}), reads[1:3]},
		{"* is sent together with credentials", careful, onActual(onRoute(func(r *http.Request, res *http.Response) {
			res.Header.Set(acao, "*")
			res.Header.Set(acac, "true")
		})), []string{strangerReads, nullReads, "a request with credentials may be read"}},

		// Which answers.
		{"a 404 has no headers", careful, func(r *http.Request, res *http.Response) {
			if res.StatusCode == http.StatusNotFound {
				cors.Strip(res.Header)
			}
		}, []string{"/api/cors-verify-no-such-path may be read, though nothing is there"}},
		{"a redirect has no headers", careful, func(r *http.Request, res *http.Response) {
			if res.StatusCode == http.StatusMovedPermanently {
				cors.Strip(res.Header)
			}
		}, []string{"a redirect at /api carries the headers, if there is one"}},
		{"HEAD has no headers", careful, func(r *http.Request, res *http.Response) {
			if r.Method == http.MethodHead {
				cors.Strip(res.Header)
			}
		}, []string{"a HEAD request may be read"}},

		// Credentials.
		{"credentials are not allowed", careful, onActual(remove(acac)), []string{"a request with credentials may be read"}},
		{"True is not true", careful, onActual(set(acac, "True")), []string{"a request with credentials may be read"}},
		{"true twice is not true", careful, onActual(set(acac, "true", "true")), []string{"a request with credentials may be read"}},
		{"a preflight does not allow credentials", careful, onPreflight(remove(acac)), []string{"a preflight for a request with credentials passes"}},
		{"credentials are allowed against the policy", everybody, onActual(admits(func(string) bool { return true })), []string{
			"a request with credentials may not be read", vary, strangerReads, nullReads,
		}},

		// Preflights.
		{"the router knows no OPTIONS", careful, onPreflight(func(r *http.Request, res *http.Response) {
			cors.Strip(res.Header)
			res.StatusCode = http.StatusMethodNotAllowed
		}), []string{"a preflight passes"}},
		{"the router knows no OPTIONS, the middleware does", careful, onPreflight(status(http.StatusMethodNotAllowed)), []string{"a preflight passes"}},
		{"a preflight needs a login", careful, onPreflight(status(http.StatusUnauthorized)), []string{"a preflight passes"}},
		{"a preflight is redirected", careful, onPreflight(func(r *http.Request, res *http.Response) {
			res.StatusCode = http.StatusFound
			res.Header.Set("Location", "/login")
		}), []string{"a preflight passes"}},
		{"a preflight names no origin", careful, onPreflight(remove(acao)), []string{"a preflight passes"}},
		{"a preflight has another status than the policy's", everybody, onPreflight(status(http.StatusNoContent)), []string{"a preflight that passes has status 200"}},
		{"a refused preflight has another status than the policy's", careful, onPreflight(func(r *http.Request, res *http.Response) {
			if res.Header.Get(acao) == "" {
				res.StatusCode = http.StatusOK
			}
		}), []string{"a preflight that does not pass has status 403"}},
		{"max-age differs", careful, set(acma, "60"), []string{"a preflight says Access-Control-Max-Age: 600"}},
		{"max-age is missing", careful, remove(acma), []string{"a preflight says Access-Control-Max-Age: 600"}},
		{"max-age is sent twice", careful, onPreflight(set(acma, "600", "600")), []string{"a preflight says Access-Control-Max-Age: 600"}},
		{"max-age is sent unasked", everybody, onPreflight(set(acma, "600")), []string{"a preflight says nothing of Access-Control-Max-Age"}},
		{"private networks are opened", careful, onPreflight(set("Access-Control-Allow-Private-Network", "true")), []string{
			"a preflight says nothing of Access-Control-Allow-Private-Network",
		}},

		// Methods.
		{"methods are in lower case", careful, onPreflight(func(r *http.Request, res *http.Response) {
			if m := res.Header.Get(acam); m != "" {
				res.Header.Set(acam, strings.ToLower(m))
			}
		}), []string{"method PUT is allowed", "method PATCH is allowed"}},
		{"a method is missing", careful, onPreflight(set(acam, "PATCH")), []string{"method PUT is allowed"}},
		{"methods are listed where any is allowed", map[string]cors.Policy{"/": {Origins: []string{app}, Methods: []string{"*"}}},
			onPreflight(set(acam, "PUT, PATCH, DELETE")), []string{"method CORS-VERIFY is allowed, as any method"}},
		{"a method too many", careful, onPreflight(anyMethod("PUT", "PATCH", "DELETE")), []string{"method DELETE is not allowed"}},
		{"the case of a method does not matter", careful, onPreflight(anyMethod("PUT", "PATCH", "patch")), []string{
			"method patch is not allowed, as methods are case-sensitive",
		}},
		{"* is no wildcard for methods with credentials", careful, onPreflight(set(acam, "*")), []string{"method PUT is allowed", "method PATCH is allowed"}},
		{"methods are parted by semicolons", careful, onPreflight(func(r *http.Request, res *http.Response) {
			if res.Header.Get(acam) != "" {
				res.Header.Set(acam, "PUT; PATCH")
			}
		}), []string{"method PUT is allowed", "method PATCH is allowed"}},

		// Names.
		{"a request-header is missing", careful, onPreflight(set(acah, "content-type")), []string{
			"request-header Authorization is allowed", "all these request-headers are allowed at once",
		}},
		{"only one request-header is allowed at a time", careful, onPreflight(func(r *http.Request, res *http.Response) {
			first, _, _ := strings.Cut(res.Header.Get(acah), ",")
			set(acah, first)(r, res)
		}), []string{"all these request-headers are allowed at once"}},
		{"request-headers are reflected", careful, onPreflight(anyName), []string{"request-header X-Cors-Verify is not allowed"}},
		{"* is no wildcard for request-headers with credentials", careful, onPreflight(set(acah, "*")), []string{
			"request-header Authorization is allowed", "request-header Content-Type is allowed", "all these request-headers are allowed at once",
		}},
		{"Authorization goes with *", everybody, onPreflight(anyName), []string{"request-header Authorization is not allowed, as * does not cover it"}},
		{"a response-header is not exposed", careful, set(aceh, "ETag"), []string{"response-header X-Request-Id is seen"}},
		{"no response-header is exposed", careful, remove(aceh), []string{"response-header X-Request-Id is seen", "response-header ETag is seen"}},
		{"a response-header too many is exposed", careful, set(aceh, "X-Request-Id, ETag, X-Internal"), []string{"no other response-header is seen"}},
		{"one is exposed that this answer does not have", careful, set(aceh, "X-Request-Id, ETag, X-Other"), []string{"no other response-header is seen"}},
		{"* is no wildcard for response-headers with credentials", careful, set(aceh, "*"), []string{"response-header X-Request-Id is seen", "response-header ETag is seen"}},
		{"response-headers are listed where any may be seen", everybody, set(aceh, "X-Request-Id"), []string{"any response-header is seen"}},

		// Caches.
		{"Vary is missing", careful, remove("Vary"), []string{vary}},
		{"Vary is another's", careful, func(_ *http.Request, res *http.Response) { res.Header["Vary"] = []string{"Accept-Encoding"} }, []string{vary}},
		{"Vary is missing where there is no Origin", careful, func(r *http.Request, res *http.Response) {
			if r.Header.Get("Origin") == "" {
				res.Header.Del("Vary")
			}
		}, []string{vary}},
		{"Vary is missing where the origin is refused", careful, func(r *http.Request, res *http.Response) {
			if res.Header.Get(acao) == "" {
				res.Header.Del("Vary")
			}
		}, []string{vary}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			_, report := verify(t, tt.policy, tt.mutate.of(keeping(t, tt.policy, application)))
			var got []string
			for _, r := range report.Results {
				if r.Verdict == audit.Broken {
					got = append(got, r.Expect)
					if r.Mend() == "" && r.Blocked == nil {
						t.Errorf("%s: %s: there is no mend", r.Expect, r.Got)
					}
				}
				if r.Verdict == audit.Unreachable {
					t.Errorf("%s: unreachable: %s", r.Expect, r.Got)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("broken (-want +got):\n%s", diff)
			}
		})
	}
}

// onRoute spares the paths of no route.
func onRoute(m mutation) mutation {
	return func(r *http.Request, res *http.Response) {
		if strings.HasPrefix(r.URL.Path, "/api") {
			m(r, res)
		}
	}
}

// anyMethod answers preflights of whatever origin is allowed with these methods.
func anyMethod(methods ...string) mutation {
	return func(r *http.Request, res *http.Response) {
		if slices.Contains(methods, r.Header.Get(acrm)) {
			admits(is("https://app.example.com"))(r, res)
			set(acam, strings.Join(methods, ", "))(r, res)
		}
	}
}

// anyName answers preflights of whatever origin is allowed with the names that
// they ask for.
func anyName(r *http.Request, res *http.Response) {
	if names := r.Header[acrh]; names != nil {
		admits(is("https://app.example.com", "https://cors-verify.test"))(r, res)
		set(acah, names...)(r, res)
	}
}
