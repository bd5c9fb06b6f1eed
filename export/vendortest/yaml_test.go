package vendortest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

// Names of headers that some reader of YAML takes for a truth, a number or nothing
// are texts.
func TestNamesAreTexts(t *testing.T) {
	upstream := &url.URL{Scheme: "http", Host: "localhost:3000"}
	for _, name := range []string{
		"on", "Yes", "NO", "y", "n", "True", "OFF", "null", "~", "1", "1e3", "1E3", "0x1F", "1_000", "0o7", "017", ".5", "+1", "-1", "1.5", ".nan", ".INF", "2001-01-01",
		"!x", "%y", "&z", "'q", "`b", "#c", "-", "|p", "e", "_",
	} {
		policy := cors.Policy{Origins: []string{"https://app.example.com"}, RequestHeaders: []string{name}, ExposedHeaders: []string{name}}
		file := &policyfile.File{Routes: []policyfile.Route{{Pattern: "/", Policy: policy, Upstream: upstream}}}
		for _, target := range []string{"traefik", "traefik-crd", "envoy", "istio", "gateway-api", "kong", "apisix"} {
			result, err := export.To(target, file, export.Options{})
			if err != nil {
				t.Errorf("%s: %q: %v", target, name, err)
				continue
			}
			var content any
			if err := json.Unmarshal(toJSON(t, bytes.TrimSuffix(result.Files[0].Data, []byte("#END\n"))), &content); err != nil {
				t.Fatal(err)
			}
			if n := count(content, name); n != 2 {
				t.Errorf("%s: %q is %d texts, want 2\n%s", target, name, n, result.Files[0].Data)
			}
		}
	}
}

// count returns how many texts in content are s.
func count(content any, s string) (n int) {
	switch content := content.(type) {
	case string:
		if content == s {
			n++
		}
	case []any:
		for v := range slices.Values(content) {
			n += count(v, s)
		}
	case map[string]any:
		for _, v := range content {
			n += count(v, s)
		}
	}
	return n
}
