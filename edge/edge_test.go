package edge_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

func newMiddleware(t *testing.T) *cors.Middleware {
	t.Helper()
	mw, err := cors.New(cors.Policy{Origins: []string{app}, Methods: []string{"PUT"}, ExposedHeaders: []string{"X-Id"}, Credentials: true})
	if err != nil {
		t.Fatal(err)
	}
	return mw
}

// policys are the headers that the policy gives to app.
func policys(more ...string) http.Header {
	return fields(append(more, "Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Allow-Credentials", "true", "Access-Control-Expose-Headers", "X-Id")...)
}

func fields(pairs ...string) http.Header {
	h := make(http.Header)
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

func TestOwn(t *testing.T) {
	tests := []struct {
		row      string
		mode     edge.Mode
		origin   string
		authors  http.Header
		want     http.Header
		stripped string
	}{
		{"a response without CORS headers gets them", edge.Strip, app, fields("A", "b"), policys("A", "b"), ""},
		{"the author's star is overruled", edge.Strip, app, fields("Access-Control-Allow-Origin", "*"), policys(), "Access-Control-Allow-Origin"},
		{"two lines become one", edge.Strip, app, fields("Access-Control-Allow-Origin", app, "Access-Control-Allow-Origin", "*"), policys(), "Access-Control-Allow-Origin"},
		{"a refused origin gets nothing", edge.Strip, evil, fields("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "true"), fields("Vary", "Origin"),
			"Access-Control-Allow-Origin Access-Control-Allow-Credentials"},
		{"no origin gets nothing", edge.Strip, "", fields("Access-Control-Allow-Origin", "*"), fields("Vary", "Origin"), "Access-Control-Allow-Origin"},
		{"what only preflights have goes too", edge.Strip, app, fields("Access-Control-Allow-Methods", "*", "Access-Control-Max-Age", "9"), policys(), "Access-Control-Allow-Methods Access-Control-Max-Age"},
		{"a name that nobody knows goes too", edge.Strip, app, fields("Access-Control-Allow-Everything", "?1"), policys(), "Access-Control-*"},
		{"the case of names does not matter", edge.Strip, app, fields("access-control-allow-origin", "*"), policys(), "Access-Control-Allow-Origin"},
		{"Vary is added to", edge.Strip, app, fields("Vary", "Accept"), policys("Vary", "Accept"), ""},
		{"an author who says nothing is filled in for", edge.Fill, app, fields("A", "b"), policys("A", "b"), ""},
		{"an author who speaks is left alone", edge.Fill, app, fields("Access-Control-Allow-Origin", "*"), fields("Access-Control-Allow-Origin", "*"), ""},
		{"in any case of letters", edge.Fill, app, fields("access-control-allow-origin", "*"), fields("access-control-allow-origin", "*"), ""},
		{"half of what an author says is not mixed in", edge.Fill, evil, fields("Access-Control-Allow-Credentials", "true"), fields("Vary", "Origin"), "Access-Control-Allow-Credentials"},
		{"what is kept is kept", edge.Keep, evil, fields("Access-Control-Allow-Origin", "*", "Vary", "Accept"), fields("Access-Control-Allow-Origin", "*", "Vary", "Accept"), ""},
		{"and nothing is added", edge.Keep, app, fields("A", "b"), fields("A", "b"), ""},
	}
	mw := newMiddleware(t)
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			r := cors.Request{Method: "GET"}
			if tt.origin != "" {
				r.Origin = []string{tt.origin}
			}
			stripped := edge.Own(tt.authors, mw.Decide(context.Background(), r), tt.mode)
			if diff := cmp.Diff(tt.want, tt.authors); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := names(stripped); got != tt.stripped {
				t.Errorf("stripped %q, want %q", got, tt.stripped)
			}
		})
	}
}

func names(s edge.Stripped) string {
	var all []string
	for _, name := range s.All() {
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestOwnDoesNotAllocateToStrip(t *testing.T) {
	d := newMiddleware(t).Decide(context.Background(), cors.Request{Method: "GET", Origin: []string{evil}})
	h := http.Header{"Vary": make([]string, 0, 1)}
	value := []string{"*"}
	if n := testing.AllocsPerRun(100, func() {
		h["Access-Control-Allow-Origin"], h["Vary"] = value, h["Vary"][:0]
		edge.Own(h, d, edge.Strip)
	}); n > 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestModesAreWrittenAndRead(t *testing.T) {
	for _, m := range []edge.Mode{edge.Strip, edge.Fill, edge.Keep} {
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got := edge.Mode(9)
		if err := got.UnmarshalText(text); err != nil || got != m {
			t.Errorf("%q is read as %d, %v, want %d", text, got, err, m)
		}
	}
	m := edge.Keep
	want := `"stripe": this is no way to treat CORS headers; write "strip", "fill" or "keep"`
	if err := m.UnmarshalText([]byte("stripe")); err == nil || err.Error() != want || m != edge.Keep {
		t.Errorf("got %v and %v, want %s and no change", err, m, want)
	}
}

// serve answers one request of origin by a Handler before next.
func serve(t *testing.T, h *edge.Handler, method, origin string) *http.Response {
	t.Helper()
	h.Decide = newMiddleware(t).DecideHTTP
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set("Origin", origin)
	if method == "OPTIONS" {
		r.Header.Set("Access-Control-Request-Method", "PUT")
	}
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	star := func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") }
	tests := []struct {
		row, method, origin string
		mode                edge.Mode
		status              int
		allow               string
		reached             bool
	}{
		{"a preflight does not reach the handler", "OPTIONS", app, edge.Strip, 204, app, false},
		{"not even where its headers are kept", "OPTIONS", app, edge.Keep, 204, app, false},
		{"a refused preflight does not either", "OPTIONS", evil, edge.Strip, 403, "", false},
		{"a response is the policy's", "GET", app, edge.Strip, 200, app, true},
		{"a refused one too", "GET", evil, edge.Strip, 200, "", true},
		{"unless it is kept", "GET", evil, edge.Keep, 200, "*", true},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			reached := false
			res := serve(t, &edge.Handler{Mode: tt.mode, Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached = true
				star(w, r)
			})}, tt.method, tt.origin)
			got := strings.Join(res.Header["Access-Control-Allow-Origin"], " | ")
			if res.StatusCode != tt.status || got != tt.allow || reached != tt.reached {
				t.Errorf("status %d, Access-Control-Allow-Origin %q, reached %t; want %d, %q, %t", res.StatusCode, got, reached, tt.status, tt.allow, tt.reached)
			}
		})
	}
}

func TestHandlerTellsWhatItStripped(t *testing.T) {
	var told []string
	serve(t, &edge.Handler{
		Stripped: func(_ *http.Request, s edge.Stripped) { told = append(told, names(s)) },
		Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.WriteHeader(500)
		}),
	}, "GET", app)
	if diff := cmp.Diff([]string{"Access-Control-Allow-Origin"}, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHandlerStripsTrailers(t *testing.T) {
	for _, announced := range []bool{true, false} {
		res := serve(t, &edge.Handler{Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			prefix := http.TrailerPrefix
			if announced {
				prefix = ""
				w.Header()["Trailer"] = []string{"X-Sum, access-control-allow-origin", "Access-Control-Max-Age"}
			}
			io.WriteString(w, "body")
			w.Header().Set(prefix+"X-Sum", "1")
			w.Header().Set(prefix+"Access-Control-Allow-Origin", "*")
		})}, "GET", app)
		io.Copy(io.Discard, res.Body)
		if diff := cmp.Diff(fields("X-Sum", "1"), res.Trailer); diff != "" {
			t.Errorf("announced: %t: -want +got:\n%s", announced, diff)
		}
	}
}

func TestOwnStatusOnlyStripsInformationalResponses(t *testing.T) {
	d := newMiddleware(t).Decide(context.Background(), cors.Request{Method: "GET", Origin: []string{app}})
	h := fields("Access-Control-Allow-Origin", "*", "Link", "</a>")
	edge.OwnStatus(h, http.StatusEarlyHints, d, edge.Strip)
	if diff := cmp.Diff(fields("Link", "</a>"), h); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A proxy sends what its upstream says of CORS to everybody, unless something
// owns the response.
func ExampleHandler() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		io.WriteString(w, "secret")
	}))
	defer upstream.Close()
	to, _ := url.Parse(upstream.URL)
	proxy := httputil.NewSingleHostReverseProxy(to)
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, handler := range []http.Handler{mw.Wrap(proxy), &edge.Handler{Decide: mw.DecideHTTP, Next: proxy}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Origin", "https://evil.example")
		handler.ServeHTTP(w, r)
		fmt.Println(w.Result().Header["Access-Control-Allow-Origin"])
	}
	// Output:
	// [*]
	// []
}
