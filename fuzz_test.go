package cors_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// fuzzed are the policies with which requests are tried.
var fuzzed = []cors.Policy{
	full, open, {}, {Origins: []string{app}},
	{Origins: []string{"*", app}, Methods: []string{"PUT", "*"}, RequestHeaders: []string{"*", "Authorization"}, MaxAge: -1},
	{Origins: []string{"*"}, Methods: []string{"*"}, RequestHeaders: []string{"*"}, Credentials: true, InsecureReflectAnyOrigin: true},
	{Origins: []string{"null", "http://127.0.0.1:*", "https://a.example:8443", "tauri://localhost"}, InsecureAllowNull: true, RequestHeaders: []string{"X-A", "a", "ab", "abc", "abcd"}},
}

var middlewares = func() (all []*cors.Middleware) {
	for _, p := range fuzzed {
		all = append(all, must(cors.New(p)))
	}
	return all
}()

// FuzzDecide compares a decision, and what a browser makes of the response, with
// a plain reading of the policy. Lines of one header are parted by "\n"; "" is
// no line.
func FuzzDecide(f *testing.F) {
	for i := range fuzzed {
		f.Add(uint8(i), "GET", app, "", "")
		f.Add(uint8(i), "OPTIONS", app, "PUT", "x-a,X-B")
		f.Add(uint8(i), "OPTIONS", "https://x.example.org", "patch", "authorization\n\nx-a , ,x-a")
		f.Add(uint8(i), "OPTIONS", "null", "GET\nPUT", "")
		f.Add(uint8(i), "OPTIONS", app+"\n"+app, "GET", "*")
		f.Add(uint8(i), "OPTIONS", "http://localhost:3000", "*", "x-a;x-b")
		f.Add(uint8(i), "OPTIONS", "moz-extension://ab", "PUT", "content-type")
	}
	f.Fuzz(func(t *testing.T, which uint8, method, origins, requestMethods, names string) {
		p := fuzzed[int(which)%len(fuzzed)]
		r := cors.Request{Method: method, Origin: lines(origins), AccessControlRequestMethod: lines(requestMethods), AccessControlRequestHeaders: lines(names)}
		d := middlewares[int(which)%len(fuzzed)].Decide(context.Background(), r)
		kind := kindOf(r)
		if want := kind != cors.NotCORS && plainlyAllowed(p, r); d.Kind != kind || d.Allowed != want || d.Allowed != (kind != cors.NotCORS && d.Reason == cors.ReasonNone) {
			t.Fatalf("%+v under %+v:\n%+v\nwant kind %v, allowed %t", r, p, d, kind, want)
		}
		h := make(http.Header)
		for name, value := range d.Fields() {
			h[name] = append(h[name], value)
		}
		checkBrowser(t, p, r, d, h)
		checkBounds(t, p, r, d, h)
	})
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func kindOf(r cors.Request) cors.Kind {
	switch {
	case len(r.Origin) == 0:
		return cors.NotCORS
	case r.Method == "OPTIONS" && len(r.AccessControlRequestMethod) > 0:
		return cors.Preflight
	}
	return cors.Actual
}

// plainlyAllowed reads the policy as its documentation says, one thing after the
// other, and without thought for speed.
func plainlyAllowed(p cors.Policy, r cors.Request) bool {
	if !isStatic(p) && (len(r.Origin) != 1 || !listsOrigin(p, r.Origin[0])) {
		return false
	}
	if kindOf(r) != cors.Preflight {
		return true
	}
	method := r.AccessControlRequestMethod[0]
	if len(r.AccessControlRequestMethod) != 1 || len(method) > 64 || !token.MatchString(method) {
		return false
	}
	if !slices.Contains([]string{"GET", "HEAD", "POST"}, method) && !slices.Contains(p.Methods, method) && !slices.Contains(p.Methods, "*") {
		return false
	}
	names, ok := list(r.AccessControlRequestHeaders)
	if !ok || len(strings.Join(r.AccessControlRequestHeaders, "")) > 16<<10 || len(r.AccessControlRequestHeaders) > 256 {
		return false
	}
	for _, name := range names {
		listed := containsFold(p.RequestHeaders, name)
		if !listed && (!slices.Contains(p.RequestHeaders, "*") || strings.EqualFold(name, "Authorization")) {
			return false
		}
	}
	return true
}

func isStatic(p cors.Policy) bool { return slices.Contains(p.Origins, "*") && !p.Credentials }

func listsOrigin(p cors.Policy, serialised string) bool {
	if _, err := origin.Parse(serialised); err != nil {
		return false
	}
	return slices.ContainsFunc(p.Origins, func(pattern string) bool {
		switch {
		case pattern == "*":
			return true
		case strings.HasPrefix(pattern, "moz-extension://"):
			return regexp.MustCompile(`^moz-extension://[^:]+$`).MatchString(serialised)
		}
		expr := regexp.QuoteMeta(pattern)
		expr = strings.Replace(expr, `:\*`, `(:[0-9]+)?`, 1)
		expr = strings.Replace(expr, `//\*\.`, `//.+\.`, 1)
		expr = strings.Replace(expr, `\*`, `[^.]+`, 1)
		return regexp.MustCompile("^(" + expr + ")$").MatchString(serialised)
	})
}

var token = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")

func list(lines []string) (elems []string, ok bool) {
	for _, elem := range strings.Split(strings.Join(lines, ","), ",") {
		elem = strings.Trim(elem, " \t")
		if elem == "" {
			continue
		}
		if !token.MatchString(elem) {
			return nil, false
		}
		elems = append(elems, elem)
	}
	return elems, true
}

// containsFold is for tokens, which have no letters but those of ASCII.
func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, s) })
}

// checkBrowser compares what a browser would make of the response with the
// decision.
func checkBrowser(t *testing.T, p cors.Policy, r cors.Request, d cors.Decision, h http.Header) {
	if len(r.Origin) != 1 {
		return // no browser sends two
	}
	if _, err := origin.Parse(r.Origin[0]); err != nil {
		return // nor this
	}
	for _, credentials := range []bool{false, true} {
		switch d.Kind {
		case cors.Actual:
			want := d.Allowed && (!credentials || p.Credentials)
			if got := corsCheck(h, r.Origin[0], credentials); got != want {
				t.Fatalf("%+v, credentials %t: the CORS check passes: %t, want %t\n%v", r, credentials, got, want, h)
			}
		case cors.Preflight:
			names, ok := list(r.AccessControlRequestHeaders)
			if !ok || len(r.AccessControlRequestMethod) != 1 {
				return
			}
			want := d.Allowed && (!credentials || p.Credentials)
			got := d.Status() >= 200 && d.Status() <= 299 && corsCheck(h, r.Origin[0], credentials) && preflightPasses(h, r.AccessControlRequestMethod[0], names, credentials)
			if got != want {
				t.Fatalf("%+v, credentials %t: the preflight succeeds: %t, want %t\n%v", r, credentials, got, want, h)
			}
		}
	}
}

// https://fetch.spec.whatwg.org/#concept-cors-check
func corsCheck(h http.Header, requestOrigin string, include bool) bool {
	lines, ok := h["Access-Control-Allow-Origin"] // 1.
	if !ok {
		return false // 2.
	}
	allow := strings.Join(lines, ", ")
	if !include && allow == "*" {
		return true // 3.
	}
	if requestOrigin != allow {
		return false // 4.
	}
	if !include {
		return true // 5.
	}
	return strings.Join(h["Access-Control-Allow-Credentials"], ", ") == "true" // 6. to 8.
}

// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
func preflightPasses(h http.Header, method string, unsafeNames []string, include bool) bool {
	methods, ok := list(h["Access-Control-Allow-Methods"]) // 7.1.
	names, ok2 := list(h["Access-Control-Allow-Headers"])  // 7.2.
	if !ok || !ok2 {
		return false // 7.3.
	}
	if !slices.Contains(methods, method) && !slices.Contains([]string{"GET", "HEAD", "POST"}, method) && (include || !slices.Contains(methods, "*")) {
		return false // 7.5.
	}
	for _, name := range unsafeNames {
		listed := containsFold(names, name)
		if strings.EqualFold(name, "Authorization") && !listed {
			return false // 7.6.
		}
		if !listed && (include || !slices.Contains(names, "*")) {
			return false // 7.7.
		}
	}
	return true
}

// checkBounds holds the response to what was asked.
func checkBounds(t *testing.T, p cors.Policy, r cors.Request, d cors.Decision, h http.Header) {
	methods, names := h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"]
	if len(methods) > 0 && !slices.Equal(methods, r.AccessControlRequestMethod) || len(names) > 0 && !slices.Equal(names, r.AccessControlRequestHeaders) {
		t.Fatalf("%+v: methods %q or names %q that were not asked for", r, methods, names)
	}
	if d.Kind == cors.Preflight && !d.Allowed || !d.Allowed && !isStatic(p) {
		for name := range h {
			if name != "Vary" {
				t.Fatalf("%+v is refused, and answered with %v", r, h)
			}
		}
	}
	dependsOnOrigin := !isStatic(p) && len(p.Origins) > 0
	if slices.Equal(h["Vary"], []string{"Origin"}) != dependsOnOrigin {
		t.Fatalf("%+v: Vary is %q", r, h["Vary"])
	}
	for name, values := range h {
		for _, v := range values {
			if len(v) > 16<<10 || strings.ContainsAny(v, "\r\n\x00") {
				t.Fatalf("%+v: %s is %q", r, name, v)
			}
		}
	}
}

// FuzzRequestHeaders compares the reading of a list of names with a plain one,
// for any names in the policy.
func FuzzRequestHeaders(f *testing.F) {
	f.Add("X-A,x-b", "x-a,x-b")
	f.Add("abcdefghX1234567,abcdefghY1234567,a,ab,abc,abcd,abcdefg,abcdefgh", "abcdefghy1234567\n,,a , AB\tabc")
	f.Add("*,Authorization", "authorization, x")
	f.Add("*", "authorization")
	f.Add("", ",\n,\t")
	f.Fuzz(func(t *testing.T, listed, asked string) {
		p := cors.Policy{Origins: []string{app}, RequestHeaders: strings.Split(listed, ",")}
		if len(p.RequestHeaders) > 1000 {
			return
		}
		m, err := cors.New(p)
		if err != nil {
			return
		}
		r := cors.Request{Method: "OPTIONS", Origin: []string{app}, AccessControlRequestMethod: []string{"GET"}, AccessControlRequestHeaders: lines(asked)}
		d := m.Decide(context.Background(), r)
		if want := plainlyAllowed(p, r); d.Allowed != want {
			t.Fatalf("RequestHeaders %q, asked for %q: allowed %t, want %t (%v %q)", p.RequestHeaders, r.AccessControlRequestHeaders, d.Allowed, want, d.Reason, d.Name)
		}
		if d.Reason == cors.ReasonRequestHeader {
			if !strings.Contains(asked, d.Name) || !token.MatchString(d.Name) || containsFold(p.RequestHeaders, d.Name) {
				t.Fatalf("RequestHeaders %q, asked for %q: the name at fault is %q", p.RequestHeaders, r.AccessControlRequestHeaders, d.Name)
			}
		}
	})
}

// FuzzRoutes compares the route of any path, where it has one, with what
// http.ServeMux finds, and with what a router would that cleans nothing.
func FuzzRoutes(f *testing.F) {
	for _, path := range []string{"/", "/api", "/api/admin/", "//api/admin", "/api/%61dmin/", "/api%2fadmin/x", "/api/x/..//admin", "/api/%2e%2e/", "/%", "*", "/home/./"} {
		f.Add(path)
	}
	patterns := []string{"/", "/api/", "/api/admin/", "/api/{x}", "/home/{$}"}
	rs, mux := routes(f, patterns...), http.NewServeMux()
	for _, p := range patterns {
		mux.Handle(p, http.NotFoundHandler())
	}
	f.Fuzz(func(t *testing.T, path string) {
		d := rs.Decide(context.Background(), "x", path, cors.Request{Origin: []string{app}})
		path, _, _ = strings.Cut(path, "?")
		plain, err := url.PathUnescape(path)
		if d.Route == "" || err != nil || path == "" {
			return
		}
		if _, want := mux.Handler(&http.Request{Method: "GET", Host: "x", URL: &url.URL{Path: plain, RawPath: path}}); d.Route != want {
			t.Fatalf("%s: route %q, of http.ServeMux %q", path, d.Route, want)
		}
		for _, reading := range []string{plain, path} {
			if strings.HasPrefix(reading, "/api/admin/") && d.Route != "/api/admin/" {
				t.Fatalf("%s: route %q, though it begins with /api/admin/", path, d.Route)
			}
		}
	})
}
