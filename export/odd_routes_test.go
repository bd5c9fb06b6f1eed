package export_test

import (
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

// A route's path is put between quotes of three kinds, and in braces Caddy has its
// placeholders.
func TestNothingInARouteEndsItsQuotes(t *testing.T) {
	for target, special := range map[string]string{"nginx": `"`, "apache": `"`, "haproxy": `'`, "caddyfile": "`{}"} {
		for _, c := range special {
			text := "upstream: http://localhost:3000\nroutes:\n  /: {origins: 'https://x.example'}\n  '/before" +
				map[rune]string{'"': "%22", '\'': "%27", '`': "%60", '{': "%7B", '}': "%7D"}[c] + "after/': {origins: 'https://y.example'}\n"
			for _, file := range upstreams(t, target, text).Files {
				for line := range strings.Lines(string(file.Data)) {
					if _, after, ok := strings.Cut(line, "before"); ok && strings.HasPrefix(after, string(c)) {
						t.Errorf("%s: %q stands in %s", target, c, line)
					}
				}
			}
		}
	}
}

func TestARouteThatNoConfigurationHoldsIsRefused(t *testing.T) {
	for _, segment := range []string{"%0A", "%00", "%7F", "%C2%85", "%FF"} {
		file, err := policyfile.Parse([]byte("upstream: http://localhost:3000\nroutes:\n  '/a" + segment + "/': {origins: 'https://x.example'}\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range export.Targets() {
			if _, err := export.To(target.Name, file, export.Options{}); err == nil || !strings.Contains(err.Error(), segment) {
				t.Errorf("%s, %s: error %v", target.Name, segment, err)
			}
		}
	}
}
