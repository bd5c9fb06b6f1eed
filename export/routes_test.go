package export

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// What is the first to match is what package cors finds, whatever the routes.
func TestTheFirstMatcherIsTheRoute(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	segments := []string{"a", "b", "a.b", "é", "{x}"}
	ends := []string{"", "/", "/{$}", "/{rest...}"}
	text := func() string {
		var b strings.Builder
		for range random.IntN(4) {
			b.WriteString("/" + segments[random.IntN(len(segments))])
		}
		end := ends[random.IntN(len(ends))]
		if b.Len() == 0 && end == "" {
			end = "/"
		}
		return strings.ReplaceAll(b.String()+end, "é", "%C3%A9")
	}
	found := 0
	for range 1000 {
		policies := map[string]cors.Policy{}
		file := new(policyfile.File)
		for range 1 + random.IntN(6) {
			pattern := text()
			if random.IntN(3) == 0 {
				pattern = []string{"h.example", "g.example"}[random.IntN(2)] + pattern
			}
			policies[pattern] = cors.Policy{}
			if _, err := cors.NewRoutes(policies); err != nil {
				delete(policies, pattern) // it is at odds with another
			}
		}
		for pattern := range policies {
			file.Routes = append(file.Routes, policyfile.Route{Pattern: pattern})
		}
		routes, err := cors.NewRoutes(policies)
		if err != nil {
			t.Fatal(err)
		}
		matchers := newJob(file).matchers()
		for range 20 {
			host := []string{"h.example", "g.example", "other.example"}[random.IntN(3)]
			path := strings.NewReplacer("{x}", "c", "{rest...}", "d", "{$}", "").Replace(text())
			d := routes.Decide(t.Context(), host, path, cors.Request{Method: "GET"})
			plain := strings.ReplaceAll(path, "%C3%A9", "é")
			got, raw := "", ""
			for _, m := range matchers {
				if m.host != "" && m.host != host {
					continue
				}
				end, rawEnd := "", ""
				if m.exact {
					end, rawEnd = "$", "$"
				}
				if got == "" && regexp.MustCompile("^"+m.path+end).MatchString(plain) {
					got = m.route
				}
				if raw == "" && regexp.MustCompile("^"+m.raw+rawEnd).MatchString(path) {
					raw = m.route
				}
			}
			if got != d.Route || raw != d.Route {
				t.Fatalf("%s%s: the matchers find %q and, as it came, %q; package cors %q of %v", host, path, got, raw, d.Route, file.Routes)
			}
			if got != "" {
				found++
			}
		}
	}
	if found < 6_000 {
		t.Errorf("%d of 20000 requests have a route: this proves little", found)
	}
}
