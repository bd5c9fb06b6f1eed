package audit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

// policies say something of everything that a policy can say.
var policies = map[string]cors.Policy{
	"/api/": {
		Origins:        []string{"https://app.example.com", "https://*.example.org", "https://*-preview.example.net", "http://localhost:*", "capacitor://localhost"},
		Methods:        []string{"PUT", "PATCH"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Request-Id", "ETag"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	},
	"/public/{id}": {
		Origins:        []string{"*"},
		Methods:        []string{"*"},
		RequestHeaders: []string{"*"},
		ExposedHeaders: []string{"*"},
		MaxAge:         -1,
	},
	"/": {},
}

// application is an application that knows nothing of CORS.
var application = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", "7")
	w.Header().Set("X-Internal", "secret")
	switch r.URL.Path {
	case "/api":
		http.Redirect(w, r, "/api/", http.StatusMovedPermanently)
	case "/api/", "/public/1":
		io.WriteString(w, "hello")
	default:
		http.NotFound(w, r)
	}
})

func keeping(t *testing.T, policies map[string]cors.Policy, next http.Handler) http.Handler {
	t.Helper()
	routes, err := cors.NewRoutes(policies)
	if err != nil {
		t.Fatal(err)
	}
	return routes.Wrap(next)
}

// verify verifies policies at a server of h.
func verify(t *testing.T, policies map[string]cors.Policy, h http.Handler, change ...func(*audit.Target)) (*audit.Plan, *audit.Report) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	target := audit.Target{URL: server.URL}
	for _, f := range change {
		f(&target)
	}
	plan, err := audit.NewPlan(policies, target)
	if err != nil {
		t.Fatal(err)
	}
	return plan, plan.Verify(t.Context(), nil)
}

func TestAServerThatKeepsThePolicyKeepsEveryExpectation(t *testing.T) {
	plan, report := verify(t, policies, keeping(t, policies, application))
	for _, r := range report.Results {
		t.Logf("%-12s %-11s %-22s %s %s", r.Route, r.Verdict, r.Rule, r.Expect, r.Got)
		if r.Verdict != audit.Kept {
			t.Errorf("%s %s: %s: %s", r.Route, r.Expect, r.Verdict, r.Got)
		}
	}
	if report.Requests > plan.Requests+1 {
		t.Errorf("%d requests were sent, planned were %d and a redirect", report.Requests, plan.Requests)
	}
}
