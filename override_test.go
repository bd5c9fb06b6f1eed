package cors_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
)

// careless is a handler that says of CORS what it should not, before it answers.
func careless(answer func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Access-Control-Allow-Origin"] = []string{"*", evil}
		w.Header()["access-control-allow-credentials"] = []string{"true"}
		w.Header().Set("Access-Control-Allow-Methods", "*")
		w.Header().Set("Access-Control-Whatever", "1")
		w.Header().Set("Vary", "Accept")
		answer(w, r)
	}
}

func TestOverrideHandler(t *testing.T) {
	p := cors.Policy{Origins: []string{app}, ExposedHeaders: []string{"X-A"}, OverrideHandler: true}
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"nothing":    func(http.ResponseWriter, *http.Request) {},
		"a body":     func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") },
		"an error":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) },
		"a panic":    func(http.ResponseWriter, *http.Request) { panic("no") },
		"hints, then a body": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			io.WriteString(w, "x")
		},
	}
	origins := map[string]http.Header{
		"":   h("Vary", "Accept", "Vary", "Origin"),
		app:  h("Vary", "Accept", "Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Expose-Headers", "X-A"),
		evil: h("Vary", "Accept", "Vary", "Origin"),
	}
	for row, answer := range answers {
		for origin, want := range origins {
			t.Run(row+" for "+origin, func(t *testing.T) {
				handler := must(cors.New(p)).Wrap(careless(answer))
				got := serve(t, handler, origin)
				for name := range got {
					if http.CanonicalHeaderKey(name)[0] != 'A' && name != "Vary" {
						delete(got, name)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// serve returns the headers of a response over HTTP, with a recoverer outside
// handler.
func serve(t *testing.T, handler http.Handler, origin string) http.Header {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(500)
			}
		}()
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	r := must(http.NewRequest("GET", server.URL, nil))
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	res, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.Header
}

func TestWithoutOverrideHandlerTheHandlerSpeaksLast(t *testing.T) {
	handler := must(cors.New(cors.Policy{Origins: []string{app}})).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	if got := serve(t, handler, app).Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q, want the handler's", got)
	}
}

func TestErrorsRedirectsAndPanicsCarryTheHeaders(t *testing.T) {
	for row, answer := range map[string]http.HandlerFunc{
		"an error":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
		"not found":  http.NotFound,
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) },
		"a panic":    func(http.ResponseWriter, *http.Request) { panic("no") },
	} {
		t.Run(row, func(t *testing.T) {
			if got := serve(t, must(cors.New(full)).Wrap(answer), app).Get("Access-Control-Allow-Origin"); got != app {
				t.Errorf("Access-Control-Allow-Origin: %q, want %q", got, app)
			}
		})
	}
}

func TestOverrideHandlerOwnsPreflights(t *testing.T) {
	handler := must(cors.New(cors.Policy{Origins: []string{app}, OverrideHandler: true})).Wrap(http.NotFoundHandler())
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Allow-Methods", "*") // by a middleware further out
	handler.ServeHTTP(w, preflight(app, "GET"))
	if diff := cmp.Diff(h("Vary", "Origin", "Access-Control-Allow-Origin", app), w.Header()); diff != "" || w.Code != 204 {
		t.Errorf("status %d; -want +got:\n%s", w.Code, diff)
	}
}

func TestStripTakesEveryCase(t *testing.T) {
	header := h("Access-Control-Allow-Origin", "*", "access-control-max-age", "1", "ACCESS-CONTROL-X", "1", "Access-Control", "1", "Accept", "1", "Vary", "Origin")
	cors.Strip(header)
	if diff := cmp.Diff(h("Access-Control", "1", "Accept", "1", "Vary", "Origin"), header); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
