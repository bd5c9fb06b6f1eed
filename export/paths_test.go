package export

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// HAProxy and Caddy read a path twice, and then ask whether it is odd. What this
// finds is never another route than that of package cors, which finds none where
// the path can be read as that of two.
func TestAPathHasNoMoreThanItsRoute(t *testing.T) {
	patterns := []string{"/", "/api/", "/api/admin/", "/api/{id}", "/admin/{id}", "/users/{id}/avatar", "/users/{id}/", "/files/{path...}", "/x/{$}", "/a%20b/", "/metrics", "h.example/api/", "h.example/x"}
	file := &policyfile.File{}
	policies := map[string]cors.Policy{}
	for _, p := range patterns {
		file.Routes = append(file.Routes, policyfile.Route{Pattern: p})
		policies[p] = cors.Policy{Origins: []string{"*"}}
	}
	routes, err := cors.NewRoutes(policies)
	if err != nil {
		t.Fatal(err)
	}
	matchers := newJob(file).matchers()
	sent, read := make([]*regexp.Regexp, len(matchers)), make([]*regexp.Regexp, len(matchers))
	for i, m := range matchers {
		end := ""
		if m.exact {
			end = "$"
		}
		sent[i], read[i] = regexp.MustCompile("^"+m.raw+end), regexp.MustCompile("^"+m.path+end)
	}
	first := func(host, path string, expressions []*regexp.Regexp) string {
		for i, m := range matchers {
			if (m.host == "" || m.host == host) && expressions[i].MatchString(path) {
				return m.route
			}
		}
		return ""
	}
	odd, slash, slashed := regexp.MustCompile(oddPath), regexp.MustCompile("(?i)%2f"), regexp.MustCompile("^"+slashedPath+"$")
	found := func(host, path string) (route string, isOdd bool) {
		if odd.MatchString(path) || slash.MatchString(path) && !slashed.MatchString(path) {
			return "", true
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			return "", true
		}
		route = first(host, path, sent)
		if route != first(host, plain, read) {
			return "", false
		}
		return route, false
	}
	pieces := []string{"/", "/", "/", "/", "api", "admin", "users", "avatar", "files", "x", "metrics", "a%20b", "7", "%61pi", "%61dmin", "%2F", "%2f", "%2E", ".", "..", ";", "%3b", `\`, "%5C", "%0A", "%00", "%25", "%252F", "'", "%27", "%C3%A9", "%c3%a9", "+", "~", "%7E", "@", "%40", "%", "*"}
	r := rand.New(rand.NewPCG(1, 1))
	certain := 0
	for range 200_000 {
		path := "/"
		for range r.IntN(8) {
			path += pieces[r.IntN(len(pieces))]
		}
		host := []string{"h.example", "other.example"}[r.IntN(2)]
		want := routes.Decide(t.Context(), host, path, cors.Request{Method: "GET", Origin: []string{"https://a.example"}}).Route
		got, isOdd := found(host, path)
		if got != "" && got != want || got == "" && want != "" && !isOdd {
			t.Fatalf("%s%s has the route %q, want %q", host, path, got, want)
		}
		if got != "" {
			certain++
		}
	}
	if certain < 10_000 {
		t.Errorf("only %d paths had a route", certain)
	}
}
