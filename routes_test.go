package cors_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crossorigin/cors"
)

// routes returns routes each of which allows app.
func routes(t testing.TB, patterns ...string) *cors.Routes {
	t.Helper()
	policies := make(map[string]cors.Policy)
	for _, p := range patterns {
		policies[p] = cors.Policy{Origins: []string{app}}
	}
	rs, err := cors.NewRoutes(policies)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// routeOf is the route that decides for a target as it stands in a request line.
func routeOf(t testing.TB, rs *cors.Routes, host, target string) string {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: "GET", Host: host, URL: u, Header: h("Origin", app)}
	d := rs.DecideHTTP(r)
	if d.Allowed != (d.Route != "") {
		t.Errorf("%s%s: route %q, allowed %t", host, target, d.Route, d.Allowed)
	}
	if byHand := rs.Decide(context.Background(), host, target, cors.RequestOf(r)); byHand.Route != d.Route {
		t.Errorf("%s%s: Decide finds %q, DecideHTTP %q", host, target, byHand.Route, d.Route)
	}
	return d.Route
}

func TestTheMostSpecificRouteWins(t *testing.T) {
	patterns := []string{"/", "/api/", "/api/{id}", "/api/{id}/avatar", "/api/me", "/files/{path...}", "/exact", "/home/{$}",
		"api.example.com/", "api.example.com/v2/", "/caf%C3%A9/"}
	rs := routes(t, patterns...)
	tests := []struct{ host, target, want string }{
		{"x", "/", "/"},
		{"x", "/other", "/"},
		{"x", "/api/", "/api/"},
		{"x", "/api", "/api/"},
		{"x", "/api?q=1", "/api/"},
		{"x", "/apis", "/"},
		{"x", "/api/7", "/api/{id}"},
		{"x", "/api/7/", "/api/"},
		{"x", "/api/7/8", "/api/"},
		{"x", "/api/7/avatar", "/api/{id}/avatar"},
		{"x", "/api/me", "/api/me"},
		{"x", "/api/me/avatar", "/api/{id}/avatar"},
		{"x", "/files/", "/files/{path...}"},
		{"x", "/files/a/b", "/files/{path...}"},
		{"x", "/exact", "/exact"},
		{"x", "/exact/", "/"},
		{"x", "/home/", "/home/{$}"},
		{"x", "/home", "/home/{$}"},
		{"x", "/home/x", "/"},
		{"x", "/caf%C3%A9/x", "/caf%C3%A9/"},
		{"api.example.com", "/api/7", "api.example.com/"},
		{"api.example.com", "/v2/x", "api.example.com/v2/"},
		{"api.example.com:8080", "/v2/x", "api.example.com/v2/"},
		{"API.Example.com.", "/v2/x", "api.example.com/v2/"},
		{"www.api.example.com", "/v2/x", "/"},
		{"", "/v2/x", "/"},
		{"[::1]:80", "/v2/x", "/"},
	}
	for _, tt := range tests {
		if got := routeOf(t, rs, tt.host, tt.target); got != tt.want {
			t.Errorf("%s%s: route %q, want %q", tt.host, tt.target, got, tt.want)
		}
	}
}

func TestWhereNoRouteMatchesNothingIsAllowed(t *testing.T) {
	rs := routes(t, "/api/", "www.example.com/{$}")
	for _, at := range [][2]string{{"x", "/"}, {"x", "/ap"}, {"www.example.com", "/x"}, {"example.com", "/"}} {
		if got := routeOf(t, rs, at[0], at[1]); got != "" {
			t.Errorf("%s%s: route %q, want none", at[0], at[1], got)
		}
	}
}

// Routers differ in what they make of a path. The strict route must not be
// passed by on any of the ways.
func TestAPathOfTwoReadingsHasNoRoute(t *testing.T) {
	rs := routes(t, "/", "/api/", "/api/admin/", "/api/files/{name}")
	for _, target := range []string{
		"//api/admin/x", "/api//admin/x", "/api/./admin/x", "/api/x/../admin/x", "/api/admin/../x", "/api/admin/..", "/api/%61dmin/x",
		"/api%2Fadmin/x", "/api/admin%2Fx", "/api/x%2F..%2Fadmin/", "/api/%2e%2e/", "/api/admin/%2e%2e/x", "/%2E./api/admin/x",
		"/api/files/a%2Fb", "/api/files/%2e%2e/admin/x", `/api\admin\x`, "/api/admin;v=1/x", "/api%5Cadmin/x", "/api/x/..;/admin/x",
	} {
		if got := routeOf(t, rs, "x", target); got != "" {
			t.Errorf("%s: route %q, want none", target, got)
		}
	}
}

func TestAnOddPathOfOneReadingHasARoute(t *testing.T) {
	rs := routes(t, "/", "/api/", "/api/it's")
	for target, want := range map[string]string{
		"/x//y": "/", "/x/../y": "/", "/a%2Fb": "/", "/api/a%2Fb": "/api/", "/api/x/../y": "/api/", "/api//x": "/api/", "/api/%41": "/api/",
		"/api/it's": "/api/it's", "/api/!": "/api/", "/.well-known/x": "/", "/..x/y": "/", "/.../": "/", "/%00": "/", "/x;y": "/", "/api/x;y=/z": "/api/",
	} {
		if got := routeOf(t, rs, "x", target); got != want {
			t.Errorf("%s: route %q, want %q", target, got, want)
		}
	}
}

func TestWhatIsNoPathHasNoRoute(t *testing.T) {
	rs := routes(t, "/")
	for _, r := range []*http.Request{
		{Method: "OPTIONS", Host: "x", URL: &url.URL{Path: "*"}, Header: preflight(app, "GET").Header},
		{Method: "CONNECT", Host: "x:443", URL: &url.URL{Host: "x:443"}, Header: h("Origin", app)},
		{Method: "GET", Host: "x", URL: &url.URL{Opaque: "x", Path: "x"}, Header: h("Origin", app)},
	} {
		if d := rs.DecideHTTP(r); d.Allowed {
			t.Errorf("%s %s is allowed", r.Method, r.URL)
		}
	}
	for _, target := range []string{"*", "x", "/%", "/%zz"} {
		if d := rs.Decide(context.Background(), "x", target, cors.Request{Origin: []string{app}}); d.Allowed {
			t.Errorf("%q is allowed", target)
		}
	}
	if d := rs.Decide(context.Background(), "x", "", cors.Request{Origin: []string{app}}); !d.Allowed {
		t.Error("the empty path of an absolute URL is not that of the root")
	}
}

func TestARouteCanBeSwitchedOff(t *testing.T) {
	rs := must(cors.NewRoutes(map[string]cors.Policy{"/": {Origins: []string{app}}, "/metrics": {}}))
	reached := false
	handler := rs.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	w := httptest.NewRecorder()
	r := preflight(app, "GET")
	r.URL.Path = "/metrics"
	handler.ServeHTTP(w, r)
	if w.Code != 403 || len(w.Header()) != 0 || reached {
		t.Errorf("a preflight: status %d, %v, reached %t; want 403 and no more", w.Code, w.Header(), reached)
	}
	r = request("GET", app)
	r.URL.Path = "/metrics"
	if d := rs.DecideHTTP(r); d.Allowed || d.Reason != cors.ReasonOff || d.Route != "/metrics" {
		t.Errorf("the decision is %+v, want it refused as off", d)
	}
}

func TestAPreflightMeetsNoRouter(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /x", func(http.ResponseWriter, *http.Request) {})
	rs := must(cors.NewRoutes(map[string]cors.Policy{"/": {Origins: []string{app}, Methods: []string{"PUT"}}}))
	w := httptest.NewRecorder()
	rs.Wrap(mux).ServeHTTP(w, preflight(app, "PUT"))
	if w.Code != 204 {
		t.Errorf("status %d, want 204", w.Code)
	}
}

func TestARefusedSetOfRoutesLeavesTheOldOnes(t *testing.T) {
	rs := routes(t, "/")
	if err := rs.SetPolicies(map[string]cors.Policy{"/": {}, "/a": {Origins: []string{"a"}}}); err == nil {
		t.Fatal("no error")
	}
	if got := routeOf(t, rs, "x", "/"); got != "/" {
		t.Errorf("route %q, want the old one", got)
	}
}

func TestTheObserverOfRoutesIsTold(t *testing.T) {
	rs := routes(t, "/a/")
	var told []string
	rs.Observe(func(_ *http.Request, d cors.Decision) { told = append(told, d.Route+" "+d.Reason.String()) })
	for _, path := range []string{"/a/b", "/c"} {
		r := request("GET", app)
		r.URL.Path = path
		rs.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	}
	if diff := cmp.Diff([]string{"/a/ none", " off"}, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// On clean paths without escapes a route is what http.ServeMux finds.
func TestRoutesAreThoseOfServeMux(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "c", "{x}", "{y}", "a%41", "a{"})
	pattern := rapid.Custom(func(t *rapid.T) string {
		segments := rapid.SliceOfN(segment, 0, 3).Draw(t, "segments")
		for i, s := range segments {
			segments[i] = strings.Replace(s, "x}", fmt.Sprintf("x%d}", i), 1)
		}
		host := rapid.SampledFrom([]string{"", "", "h.example"}).Draw(t, "host")
		end := rapid.SampledFrom([]string{"", "/", "/{$}", "/{rest...}"}).Draw(t, "end")
		if len(segments) == 0 && end == "" {
			end = "/"
		}
		if len(segments) == 0 {
			return host + end
		}
		return host + "/" + strings.Join(segments, "/") + end
	})
	rapid.Check(t, func(t *rapid.T) {
		mux, policies := http.NewServeMux(), make(map[string]cors.Policy)
		for _, p := range rapid.SliceOfN(pattern, 1, 8).Draw(t, "patterns") {
			if handle(mux, p) == nil {
				policies[p] = cors.Policy{}
			}
		}
		rs, err := cors.NewRoutes(policies)
		if err != nil {
			t.Fatalf("NewRoutes(%q) refuses what http.ServeMux takes: %v", slices.Sorted(maps.Keys(policies)), err)
		}
		for range 20 {
			path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "aA"}), 0, 4).Draw(t, "path"), "/")
			if path != "/" && rapid.Bool().Draw(t, "slash") {
				path += "/"
			}
			host := rapid.SampledFrom([]string{"x", "h.example"}).Draw(t, "host")
			r := &http.Request{Method: "GET", Host: host, URL: &url.URL{Path: path}, Header: h("Origin", app)}
			_, want := mux.Handler(r)
			if got := rs.DecideHTTP(r).Route; got != want {
				t.Fatalf("of %q for %s%s: route %q, want %q", slices.Sorted(maps.Keys(policies)), host, path, got, want)
			}
		}
	})
}

func handle(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("%v", said)
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

func ExampleNewRoutes() {
	rs, err := cors.NewRoutes(map[string]cors.Policy{
		"/api/":    {Origins: []string{"https://app.example.com"}, Methods: []string{"PUT"}, Credentials: true},
		"/fonts/":  {Origins: []string{"*"}},
		"/metrics": {}, // off, as everything else is
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := rs.Wrap(http.NotFoundHandler()) // your router
	for _, path := range []string{"/api/users", "/fonts/a.woff2", "/metrics"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Origin", "https://app.example.com")
		handler.ServeHTTP(w, r)
		fmt.Printf("%s: %q\n", path, w.Header().Get("Access-Control-Allow-Origin"))
	}
	// Output:
	// /api/users: "https://app.example.com"
	// /fonts/a.woff2: "*"
	// /metrics: ""
}

func ExamplePolicyError() {
	_, err := cors.New(cors.Policy{Origins: []string{"https://example.com/", "*.example.com"}, Credentials: true, ExposedHeaders: []string{"*"}})
	fmt.Println(err)
	var first *cors.PolicyError
	if errors.As(err, &first) {
		fmt.Println(first.Field, first.Index, first.Fix)
	}
	// Output:
	// policy: Origins[0]: "https://example.com/": an origin has no path; write "https://example.com"
	// policy: Origins[1]: "*.example.com": an origin begins with a scheme; write "https://*.example.com"
	// policy: ExposedHeaders[0]: "*": with Credentials "*" is a header of that name; list the names
	// Origins 0 write "https://example.com"
}
