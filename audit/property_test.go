package audit_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/fetch"
)

// TestNoBreakIsReportedOfOurOwnServer has package cors keep whatever policies
// there are: what the two halves make of each is the same.
func TestNoBreakIsReportedOfOurOwnServer(t *testing.T) {
	some := func(values ...string) *rapid.Generator[[]string] {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 4, rapid.ID[string])
	}
	policy := rapid.Custom(func(t *rapid.T) cors.Policy {
		p := cors.Policy{
			Origins: some("https://app.example.com", "https://app.example.com:8443", "https://*.example.com", "https://*.app.example.com", "http://*.example.com",
				"https://*-preview.example.com", "https://pre*.example.com", "https://*.example.com:*", "http://localhost:*", "http://127.0.0.1:3000", "https://[::1]:*",
				"moz-extension://*", "capacitor://localhost", "https://*.github.io", "https://evilexample.com", "https://cors-verify.test", "null", "*").Draw(t, "origins"),
			Methods:                   some("PUT", "PATCH", "DELETE", "patch", "GET", "OPTIONS", "PURGE", "*").Draw(t, "methods"),
			RequestHeaders:            some("Authorization", "Content-Type", "Accept", "Accept-Language", "Range", "X-A", "x-cors-verify", "*").Draw(t, "names"),
			ExposedHeaders:            some("X-Request-Id", "ETag", "Content-Type", "X-Cors-Verify", "*").Draw(t, "exposed"),
			Credentials:               rapid.Bool().Draw(t, "credentials"),
			MaxAge:                    rapid.SampledFrom([]time.Duration{-1, 0, time.Second, time.Hour, 1000 * time.Hour}).Draw(t, "max-age"),
			PreflightStatus:           rapid.SampledFrom([]int{0, 200, 204, 299}).Draw(t, "status"),
			RefusedStatus:             rapid.SampledFrom([]int{0, 200, 204, 403}).Draw(t, "refused"),
			PrivateNetwork:            rapid.Bool().Draw(t, "private"),
			OverrideHandler:           rapid.Bool().Draw(t, "override"),
			InsecureAllowNull:         true,
			InsecureAllowPublicSuffix: true,
			InsecureAllowHTTP:         true,
			InsecureReflectAnyOrigin:  true,
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		policies := rapid.MapOfN(rapid.SampledFrom([]string{"/", "/api/", "/api/{$}", "/users/{id}", "/files/{path...}", "staging.example.com/v1/", "other.example.com/"}), policy, 1, 3).Draw(t, "policies")
		routes, err := cors.NewRoutes(policies)
		if err != nil {
			t.Skip(err)
		}
		target := audit.Target{
			URL:         rapid.SampledFrom([]string{"https://staging.example.com", "http://staging.example.com:8080", "http://localhost:8080"}).Draw(t, "url"),
			Profile:     rapid.SampledFrom([]fetch.Profile{fetch.Standard, fetch.Chromium, fetch.Firefox, fetch.WebKit}).Draw(t, "browser"),
			Transport:   answering{routes.Wrap(application)},
			Concurrency: 1,

			UnsafeMethods: rapid.Bool().Draw(t, "unsafe"),
		}
		if rapid.Bool().Draw(t, "connected") {
			target.Connect = map[string]string{"other.example.com": "127.0.0.1"}
		}
		plan, err := audit.NewPlan(policies, target)
		if err != nil {
			t.Fatal(err)
		}
		report := plan.Verify(t.Context(), nil)
		for _, r := range report.Results {
			if r.Verdict == audit.Broken || r.Verdict == audit.Unreachable {
				t.Errorf("%s: %s: %s, %s", r.Route, r.Expect, r.Verdict, r.Got)
			}
		}
		// One for each redirect at a path without its slash, which is not followed, and
		// for the redirects of the application.
		if most := plan.Requests + len(report.Results); report.Requests > most {
			t.Errorf("%d requests were sent, want %d at most", report.Requests, most)
		}
	})
}
