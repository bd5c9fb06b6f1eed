package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
)

// metrics are the lines of m that begin with cors_ and are no duration or time.
func metrics(m *service.Metrics) []string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "cors_") && !strings.Contains(line, "_seconds_bucket") && !strings.Contains(line, "_seconds_sum") && !strings.Contains(line, "timestamp") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// await waits until m has the line: what is counted when a client has gone has
// nobody to wait for.
func await(t testing.TB, m *service.Metrics, line string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		for _, l := range metrics(m) {
			if l == line {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("no %s in\n%s", line, strings.Join(metrics(m), "\n"))
}

func TestMetrics(t *testing.T) {
	m := service.NewMetrics()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Nonsense", r.URL.Path)
	}))
	c := gateway.Config{Routes: map[string]gateway.Route{
		"/":        {Policy: policy, Upstream: upstream},
		"/shadow/": {Policy: policy, Upstream: upstream, Shadow: true},
		"/down/":   {Policy: policy, Upstream: nowhere(t)},
	}}
	g := newGateway(t, c, gateway.Options{Metrics: m})
	to := serve(t, g)
	for _, r := range []*http.Request{
		request(t, "GET", to.JoinPath("/1"), nil, "Origin", app),
		request(t, "GET", to.JoinPath("/2"), nil, "Origin", evil),
		request(t, "GET", to.JoinPath("/3"), nil),
		request(t, "OPTIONS", to, nil, "Origin", app, "Access-Control-Request-Method", "PUT"),
		request(t, "OPTIONS", to, nil, "Origin", app, "Access-Control-Request-Method", "DELETE"),
		request(t, "OPTIONS", to, nil, "Origin", app, "Access-Control-Request-Method", "PATCH"),
		request(t, "GET", to.JoinPath("/shadow/"), nil, "Origin", evil),
		request(t, "GET", to.JoinPath("/down/"), nil, "Origin", app),
	} {
		do(t, r)
	}
	if err := g.SetConfig(gateway.Config{Routes: map[string]gateway.Route{"no slash": {}}}); err == nil {
		t.Error("a pattern without a slash is taken")
	}
	want := []string{
		`cors_decisions_total{kind="actual",reason="none",route="/",verdict="allowed"} 1`,
		`cors_decisions_total{kind="actual",reason="none",route="/down/",verdict="allowed"} 1`,
		`cors_decisions_total{kind="actual",reason="origin",route="/",verdict="refused"} 1`,
		`cors_decisions_total{kind="actual",reason="origin",route="/shadow/",verdict="refused"} 1`,
		`cors_decisions_total{kind="not-cors",reason="none",route="/",verdict="none"} 1`,
		`cors_decisions_total{kind="preflight",reason="method",route="/",verdict="refused"} 2`,
		`cors_decisions_total{kind="preflight",reason="none",route="/",verdict="allowed"} 1`,
		`cors_gateway_errors_total{cause="unreachable",route="/down/"} 1`,
		`cors_policy_reloads_total{result="refused"} 1`,
		`cors_policy_reloads_total{result="replaced"} 0`,
		`cors_policy_version 1`,
		`cors_request_duration_seconds_count{kind="actual",route="/"} 2`,
		`cors_request_duration_seconds_count{kind="actual",route="/down/"} 1`,
		`cors_request_duration_seconds_count{kind="actual",route="/shadow/"} 1`,
		`cors_request_duration_seconds_count{kind="not-cors",route="/"} 1`,
		`cors_request_duration_seconds_count{kind="preflight",route="/"} 3`,
		`cors_upstream_headers_stripped_total{header="Access-Control-*",route="/"} 3`,
		`cors_upstream_headers_stripped_total{header="Access-Control-Allow-Origin",route="/"} 3`,
	}
	// The last request is counted after its response.
	await(t, m, want[12])
	if diff := cmp.Diff(want, metrics(m)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	if err := g.SetConfig(gateway.Config{Routes: map[string]gateway.Route{"/other/": {}}}); err != nil {
		t.Fatal(err)
	}
	want = []string{`cors_policy_reloads_total{result="refused"} 1`, `cors_policy_reloads_total{result="replaced"} 1`, `cors_policy_version 2`}
	if diff := cmp.Diff(want, metrics(m)); diff != "" {
		t.Errorf("routes that are no more are still counted: -want +got:\n%s", diff)
	}
}
