package audit_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// TestNoBreakIsReportedOfOurOwnServer has package cors keep whatever policies
// there are: what the two halves make of each is the same.
func TestNoBreakIsReportedOfOurOwnServer(t *testing.T) {
	policy := anyPolicy()
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

func anyPolicy() *rapid.Generator[cors.Policy] {
	some := func(values ...string) *rapid.Generator[[]string] {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 4, rapid.ID[string])
	}
	return rapid.Custom(func(t *rapid.T) cors.Policy {
		return cors.Policy{
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
	})
}

// TestAPolicyThatDiffersIsBroken has a server keep another policy than the one
// that is asked about, which differs in one thing.
func TestAPolicyThatDiffersIsBroken(t *testing.T) {
	differences := map[string]func(*rapid.T, *cors.Policy) bool{ // false where there is nothing to change
		"an origin less":          func(t *rapid.T, p *cors.Policy) bool { return drop(t, &p.Origins) },
		"a method less":           func(t *rapid.T, p *cors.Policy) bool { return drop(t, &p.Methods) },
		"a request-header less":   func(t *rapid.T, p *cors.Policy) bool { return drop(t, &p.RequestHeaders) },
		"a response-header less":  func(t *rapid.T, p *cors.Policy) bool { return drop(t, &p.ExposedHeaders) },
		"any origin more":         func(_ *rapid.T, p *cors.Policy) bool { p.Origins = []string{"*"}; return true },
		"null more":               func(_ *rapid.T, p *cors.Policy) bool { return add(&p.Origins, "null") },
		"any method more":         func(_ *rapid.T, p *cors.Policy) bool { return add(&p.Methods, "*") },
		"any request-header more": func(_ *rapid.T, p *cors.Policy) bool { return add(&p.RequestHeaders, "*") },
		"Authorization more":      func(_ *rapid.T, p *cors.Policy) bool { return add(&p.RequestHeaders, "Authorization") },
		"a response-header more":  func(_ *rapid.T, p *cors.Policy) bool { return add(&p.ExposedHeaders, "X-Secret") },
		"credentials":             func(_ *rapid.T, p *cors.Policy) bool { p.Credentials = !p.Credentials; return true },
		"private networks":        func(_ *rapid.T, p *cors.Policy) bool { p.PrivateNetwork = !p.PrivateNetwork; return true },
		"max-age":                 func(_ *rapid.T, p *cors.Policy) bool { p.MaxAge = 77 * time.Second; return true },
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(differences))).Draw(t, "difference")
		asked := anyPolicy().Draw(t, "asked")
		kept := asked
		if len(asked.Origins) == 0 || !differences[name](t, &kept) || isSame(asked, kept) {
			t.Skip("there is no difference")
		}
		routes, err := cors.NewRoutes(map[string]cors.Policy{"/": kept})
		if err != nil {
			t.Skip(err)
		}
		plan, err := audit.NewPlan(map[string]cors.Policy{"/": asked}, audit.Target{URL: "https://staging.example.com", Transport: answering{routes.Wrap(application)}, Concurrency: 1})
		if err != nil {
			t.Skip(err)
		}
		if plan.Verify(t.Context(), nil).Count(audit.Broken) == 0 {
			t.Errorf("%s: nothing is broken:\nasked about %+v\nkept %+v", name, asked, kept)
		}
	})
}

// drop removes one element.
func drop(t *rapid.T, list *[]string) bool {
	if len(*list) == 0 {
		return false
	}
	i := rapid.IntRange(0, len(*list)-1).Draw(t, "index")
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	return true
}

func add(list *[]string, value string) bool {
	if slices.Contains(*list, value) || slices.Contains(*list, "*") {
		return false
	}
	*list = append(slices.Clone(*list), value)
	return true
}

// isSame reports whether no page can tell the policies apart: where the one names
// what the other allows by a wildcard, or by itself.
func isSame(a, b cors.Policy) bool {
	effective := func(list []string, byItself func(string) bool, notByWildcard string) []string {
		var names []string
		for _, n := range list {
			if n = strings.ToLower(n); !byItself(n) && (n == "*" || n == notByWildcard || !slices.Contains(list, "*")) {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	same := func(a, b []string, byItself func(string) bool, notByWildcard string) bool {
		return slices.Equal(effective(a, byItself, notByWildcard), effective(b, byItself, notByWildcard))
	}
	safe := func(method string) bool { return header.IsSafelistedMethod(strings.ToUpper(method)) }
	never := func(string) bool { return false }
	return same(distinct(a.Methods), distinct(b.Methods), safe, "") && same(a.RequestHeaders, b.RequestHeaders, never, "authorization") &&
		same(a.ExposedHeaders, b.ExposedHeaders, header.IsSafelistedResponse, "") && slices.Equal(allowed(a), allowed(b)) &&
		a.Credentials == b.Credentials && a.PrivateNetwork == b.PrivateNetwork && a.MaxAge == b.MaxAge
}

// distinct tells methods apart that differ in case.
func distinct(methods []string) []string {
	methods = slices.Clone(methods)
	for i, m := range methods {
		if m == "patch" {
			methods[i] = "patch in lower case"
		}
	}
	return methods
}

// allowed are those of some origins that p allows: of each pattern at least one.
func allowed(p cors.Policy) []string {
	m, err := cors.New(p)
	if err != nil {
		return nil
	}
	var all []string
	for _, o := range []string{
		"https://app.example.com", "https://app.example.com:8443", "https://x.example.com", "https://x.app.example.com", "http://x.example.com",
		"https://x-preview.example.com", "https://prex.example.com", "https://x.example.com:8443", "http://localhost", "http://127.0.0.1:3000", "https://[::1]",
		"moz-extension://x", "capacitor://localhost", "https://x.github.io", "https://evilexample.com", "https://cors-verify.test", "null", "https://x.y.example.com:1",
	} {
		if m.Decide(context.Background(), cors.Request{Method: "GET", Origin: []string{o}}).Allowed {
			all = append(all, o)
		}
	}
	return all
}
