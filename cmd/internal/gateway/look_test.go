package gateway_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/edge"
)

func TestLookSaysWhatWillHappen(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}
	star := func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") }
	const (
		unanswered = "INFO the upstream does not answer OPTIONS, and need not: the policy answers preflights"
		answered   = "INFO the upstream answers OPTIONS; preflights no longer reach it, the policy answers them"
	)
	tests := []struct {
		row      string
		upstream http.HandlerFunc
		change   func(*gateway.Route)
		want     []string
	}{
		{"a service that knows nothing of CORS", silent, nil, []string{unanswered}},
		{"a service with CORS of its own", star, nil, []string{"WARN the upstream sends CORS headers; they are stripped, the policy alone speaks", answered}},
		{"a service that says it only to whom it allows", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") == app {
				star(w, r)
			}
		}, nil, []string{"WARN the upstream sends CORS headers; they are stripped, the policy alone speaks", answered}},
		{"and filled", star, func(r *gateway.Route) { r.Headers = edge.Fill },
			[]string{"WARN the upstream sends CORS headers; where it does they stay, whatever the policy says", answered}},
		{"and kept", star, func(r *gateway.Route) { r.Headers = edge.Keep },
			[]string{"WARN the upstream sends CORS headers; they stay, whatever the policy says", answered}},
		{"nothing to keep", silent, func(r *gateway.Route) { r.Headers = edge.Keep },
			[]string{"WARN the upstream sends no CORS headers, and with upstream-headers: keep nobody else does: pages of other origins can read nothing", unanswered}},
		{"a shadow before CORS", star, func(r *gateway.Route) { r.Shadow = true }, []string{"INFO shadow mode: the upstream's CORS headers pass as they are"}},
		{"a shadow before none", silent, func(r *gateway.Route) { r.Shadow = true },
			[]string{"WARN shadow mode, and the upstream sends no CORS headers: pages of other origins can read nothing",
				"WARN shadow mode: preflights reach the upstream, and it does not answer OPTIONS"}},
		{"nothing that answers", nil, nil, []string{"WARN the upstream does not answer; until it does, requests get 502 or 504"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			route := gateway.Route{Policy: policy, Upstream: nowhere(t)}
			if tt.upstream != nil {
				route.Upstream = serve(t, tt.upstream)
			}
			if tt.change != nil {
				tt.change(&route)
			}
			// Two routes to one place are one look.
			g := newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": route, "api.example.com/": route}}, gateway.Options{})
			log := new(lines)
			g.Look(t.Context(), slog.New(slog.NewTextHandler(log, nil)))
			var got []string
			for line := range strings.Lines(log.String()) {
				level, rest, _ := strings.Cut(strings.SplitAfterN(line, "level=", 2)[1], " ")
				said, _, _ := strings.Cut(strings.TrimPrefix(rest, `msg="`), `"`)
				got = append(got, level+" "+said)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLookGoesToTheBeginningOfEachRoute(t *testing.T) {
	asked := make(chan string, 10)
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r.Method + " " + r.URL.Path }))
	g := newGateway(t, gateway.Config{Routes: map[string]gateway.Route{
		"example.com/api/{id}/x": {Policy: policy, Upstream: upstream},
		"/b/":                    {Policy: policy, Upstream: upstream},
	}}, gateway.Options{})
	g.Look(t.Context(), slog.New(slog.DiscardHandler))
	close(asked)
	var got []string
	for a := range asked {
		got = append(got, a)
	}
	if diff := cmp.Diff([]string{"GET /b/", "OPTIONS /b/", "GET /api/", "OPTIONS /api/"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
