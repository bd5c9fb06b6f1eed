package table

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/audit"
)

// Whoever exports a policy asks by cors verify whether it is kept. What that
// derives from the policy is another's work than the rows here.
func TestVerifyFindsNothingWrong(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // which is to be removed
		w.Header().Set("X-Request-Id", "1")
	}))
	defer upstream.Close()
	for _, e := range Engines {
		t.Run(e.Target, func(t *testing.T) {
			t.Parallel()
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			for _, p := range Policies {
				if strings.Contains(p.Text, "CLOSED") || strings.Contains(p.Text, "upstream-headers") {
					continue // it is asked of the policy, and an upstream speaks in its place
				}
				file, err := p.Parse(upstream.URL)
				if err != nil {
					t.Fatal(err)
				}
				server, err := e.Start(t.TempDir(), file)
				if err != nil {
					t.Fatal(err)
				}
				connect := map[string]string{}
				for _, host := range []string{"api.example.com", "www.example.com"} {
					if strings.Contains(p.Text, host) {
						connect[host] = strings.TrimPrefix(server.URL, "http://")
					}
				}
				plan, err := audit.NewPlan(file.Policies(), audit.Target{URL: server.URL, Connect: connect, UnsafeMethods: true, MaxRequests: 600})
				if err != nil {
					t.Fatal(err)
				}
				report := plan.Verify(t.Context(), func(audit.Result) {})
				for _, r := range report.Results {
					if r.Verdict == audit.Broken && announced(server.Findings, Row{Route: r.Route, About: []string{"methods"}}, r.Blocked == nil) == nil {
						t.Errorf("%s: %+v", p.Name, r)
					}
				}
				if report.Count(audit.Kept) < 3 {
					t.Errorf("%s: %d expectations are kept: this proves little", p.Name, report.Count(audit.Kept))
				}
				t.Logf("%s: %d kept, %d broken", p.Name, report.Count(audit.Kept), report.Count(audit.Broken))
				server.Close()
			}
		})
	}
}
