package engine_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/internal/engine"
)

var engines = []*engine.Engine{engine.Nginx, engine.Apache, engine.Caddy, engine.HAProxy}

func TestAnEnginePassesOn(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer upstream.Close()
	for _, e := range engines {
		t.Run(e.Program, func(t *testing.T) {
			if err := e.Installed(); err != nil {
				t.Skip(err)
			}
			p, err := e.Start(t.TempDir(), engine.Config{Upstream: strings.TrimPrefix(upstream.URL, "http://")})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			res, err := http.Get(p.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusTeapot {
				t.Errorf("status %d, want the upstream's, 418", res.StatusCode)
			}
		})
	}
}

func TestWhatAnEngineDoesNotTakeIsShown(t *testing.T) {
	for _, e := range engines {
		t.Run(e.Program, func(t *testing.T) {
			if err := e.Installed(); err != nil {
				t.Skip(err)
			}
			if p, err := e.Start(t.TempDir(), engine.Config{Inside: "nonsense"}); err == nil {
				p.Close()
				t.Error("it takes nonsense")
			} else if !strings.Contains(err.Error(), "nonsense") {
				t.Errorf("%v, want the configuration in it", err)
			}
		})
	}
}
