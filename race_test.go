package cors_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/crossorigin/cors"
)

// generation is a policy each of whose parts bears its number.
func generation(n int) cors.Policy {
	return cors.Policy{
		Origins:        []string{app, fmt.Sprintf("https://%d.example", n)},
		ExposedHeaders: []string{fmt.Sprintf("X-%d", n)},
		Credentials:    n%2 == 0,
	}
}

func TestNoRequestMeetsTwoPolicies(t *testing.T) {
	for _, override := range []bool{false, true} {
		generation := func(n int) cors.Policy {
			p := generation(n)
			p.OverrideHandler = override
			return p
		}
		m := must(cors.New(generation(0)))
		rs := must(cors.NewRoutes(map[string]cors.Policy{"/": generation(0)}))
		done := make(chan struct{})
		var serving sync.WaitGroup
		for _, handler := range []http.Handler{m.Wrap(http.NotFoundHandler()), rs.Wrap(http.NotFoundHandler())} {
			for range 4 {
				serving.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						w := httptest.NewRecorder()
						handler.ServeHTTP(w, request("GET", app))
						var n int
						h := w.Header()
						if _, err := fmt.Sscanf(h.Get("Access-Control-Expose-Headers"), "X-%d", &n); err != nil {
							t.Errorf("%v: %v", h, err)
							return
						}
						if (h.Get("Access-Control-Allow-Credentials") != "") != (n%2 == 0) || h.Get("Access-Control-Allow-Origin") != app {
							t.Errorf("a mixture of policies: %v", h)
							return
						}
					}
				})
			}
		}
		for n := range 1000 {
			bad := generation(n)
			bad.MaxAge = 1
			if m.SetPolicy(bad) == nil || rs.SetPolicies(map[string]cors.Policy{"/": bad}) == nil {
				t.Error("a bad policy is taken")
			}
			if err := m.SetPolicy(generation(n)); err != nil {
				t.Error(err)
			}
			if err := rs.SetPolicies(map[string]cors.Policy{"/": generation(n)}); err != nil {
				t.Error(err)
			}
			m.Observe(func(*http.Request, cors.Decision) {})
			if got := m.Policy().ExposedHeaders[0]; got != fmt.Sprintf("X-%d", n) {
				t.Errorf("Policy() is %s after generation %d was set", got, n)
			}
		}
		close(done)
		serving.Wait()
	}
}
