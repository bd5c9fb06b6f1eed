//go:build !race

package cors_test

// The race detector makes sync.Pool forget at random, so that these would count
// what it does.

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// A discard is a response writer that can be used again.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// hostile is what costs a server most, if it looks at all of it.
var hostile = map[string][]string{
	"1 MB in one line":       {strings.Repeat("a", 1<<20)},
	"1 MB of commas":         {strings.Repeat(",", 1<<20)},
	"1 MB of names":          {strings.Repeat("x-a,", 1<<18)},
	"30,000 lines":           repeat("x-a,x-b,x-a,x-b,x-a,x-b,x-a,x-b", 30000),
	"30,000 empty lines":     repeat("", 30000),
	"a million empty lines":  repeat("", 1e6),
	"16 KiB of one name":     {strings.Repeat("a", 16<<10)},
	"16 KiB of upper case":   {strings.Repeat("X-A,", 4<<10)},
	"16 KiB of white space":  {strings.Repeat(" ", 16<<10)},
	"16 KiB of names, lines": repeat("x-a,x-b,x-c,x-d,x-e,x-f,x-g,x-h,x-a,x-b,x-c,x-d,x-e,x-f,x-g,x-h", 256),
}

func TestNothingIsAllocated(t *testing.T) {
	many := full
	many.RequestHeaders = nil
	for i := range 100 {
		many.RequestHeaders = append(many.RequestHeaders, "x-name-"+string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	all := strings.ToLower(strings.Join(many.RequestHeaders, ","))
	sourced := cors.Policy{OriginSource: func(context.Context, origin.Origin) (bool, error) { return true, nil }}
	type row struct {
		row    string
		policy cors.Policy
		r      *http.Request
	}
	tests := []row{
		{"not CORS", full, request("GET", "")},
		{"actual", full, request("GET", app)},
		{"actual, refused", full, request("GET", evil)},
		{"actual, no origin", full, request("GET", "x")},
		{"actual, a subdomain", full, request("GET", "https://a.b.example.org")},
		{"actual, a label", full, request("GET", "https://7-preview.example.net")},
		{"actual, any origin", open, request("GET", app)},
		{"actual, off", cors.Policy{}, request("GET", app)},
		{"actual, of a source", sourced, request("GET", app)},
		{"a preflight", full, preflight(app, "PUT")},
		{"a preflight with names", full, preflight(app, "PUT", "authorization,x-a,x-b")},
		{"a preflight with 100 names", many, preflight(app, "PUT", all)},
		{"a preflight with names in upper case", full, preflight(app, "PUT", "AUTHORIZATION, X-A, X-B")},
		{"a preflight with names over lines", full, preflight(app, "PUT", "authorization", "x-a", "x-b")},
		{"a preflight, any origin", open, preflight(app, "PUT", "x-a")},
		{"a preflight, refused for its origin", full, preflight(evil, "PUT")},
		{"a preflight, refused for its method", full, preflight(app, "DELETE")},
		{"a preflight, refused for a name", full, preflight(app, "PUT", "x-c")},
	}
	for name, lines := range hostile {
		tests = append(tests, row{"names: " + name, full, preflight(app, "PUT", lines...)})
		r := request("GET", "")
		r.Header["Origin"] = lines
		tests = append(tests, row{"Origin: " + name, full, r})
		r = preflight(app, "")
		r.Header["Access-Control-Request-Method"] = lines
		tests = append(tests, row{"method: " + name, full, r})
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			m := must(cors.New(tt.policy))
			m.Observe(func(*http.Request, cors.Decision) {})
			handler := m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			w := discard{make(http.Header)}
			if got := testing.AllocsPerRun(1000, func() {
				clear(w.header)
				handler.ServeHTTP(w, tt.r)
			}); got > 0 {
				t.Errorf("%v allocations for a request, want 0", got)
			}
		})
	}
}

func TestFindingARouteAllocatesNothing(t *testing.T) {
	rs := routes(t, "/", "/api/", "/api/{id}/avatar", "api.example.com/v2/")
	handler := rs.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := discard{make(http.Header)}
	for _, target := range []string{"http://x/", "http://x:80/api", "http://x/api/7/avatar", "http://api.example.com:8080/v2/x"} {
		r := request("GET", app)
		r.URL = must(url.Parse(target))
		r.Host = r.URL.Host
		if got := testing.AllocsPerRun(1000, func() {
			clear(w.header)
			handler.ServeHTTP(w, r)
		}); got > 0 {
			t.Errorf("%s: %v allocations, want 0", target, got)
		}
	}
}

func TestOverridingAllocatesLittle(t *testing.T) {
	p := full
	p.OverrideHandler = true
	handler := must(cors.New(p)).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }))
	w := discard{make(http.Header)}
	r := request("GET", app)
	if got := testing.AllocsPerRun(1000, func() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}); got > 3 {
		t.Errorf("%v allocations, want the writer and the decision", got)
	}
}
