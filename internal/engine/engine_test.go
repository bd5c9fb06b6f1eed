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

func TestAnEngineReloads(t *testing.T) {
	upstream := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	first, second := upstream(http.StatusTeapot), upstream(http.StatusAccepted)
	for _, e := range engines {
		t.Run(e.Program, func(t *testing.T) {
			if err := e.Installed(); err != nil {
				t.Skip(err)
			}
			p, err := e.Start(t.TempDir(), engine.Config{Upstream: first})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			pid := p.Pid()
			for _, want := range []struct {
				upstream string
				status   int
			}{{second, http.StatusAccepted}, {first, http.StatusTeapot}} {
				if err := p.Reload(engine.Config{Upstream: want.upstream}); err != nil {
					t.Fatal(err)
				}
				res, err := http.Get(p.URL)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != want.status || p.Pid() != pid {
					t.Errorf("status %d of process %d, want %d of %d", res.StatusCode, p.Pid(), want.status, pid)
				}
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
