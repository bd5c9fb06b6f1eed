package export_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

func upstreams(t *testing.T, target, text string) *export.Result {
	t.Helper()
	file, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	result, err := export.To(target, file, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Names are made of addresses, in which other bytes are dashes.
func TestUpstreamsWhoseNamesLookAlikeStayTwo(t *testing.T) {
	const text = `
upstream: http://a.b:80
routes:
  /: {origins: "https://x.example"}
  /a/: {origins: "https://x.example", upstream: "http://a-b:80"}
  a.b/: {origins: "https://x.example"}
  a-b/: {origins: "https://y.example"}
`
	for target, name := range map[string]string{
		"traefik":     `service: (\S+)`,
		"envoy":       `cluster: (\S+)`,
		"kong":        `(?m)^- name: (\S+)`,
		"istio":       `(?m)^  name: (\S+)`,
		"gateway-api": `(?m)^  name: (\S+)`,
	} {
		t.Run(target, func(t *testing.T) {
			var names []string
			for _, m := range regexp.MustCompile(name).FindAllStringSubmatch(string(upstreams(t, target, text).Files[0].Data), -1) {
				names = append(names, m[1])
			}
			slices.Sort(names)
			want := []string{"a-b-80", "a-b-80-2"}
			if target == "istio" || target == "gateway-api" {
				want = []string{"cors", "cors-a-b", "cors-a-b-2"}
			}
			if got := slices.Compact(names); !slices.Equal(got, want) {
				t.Errorf("names %q, want %q", got, want)
			}
		})
	}
}

func TestWhatIsNoServiceOfTheClusterIsFound(t *testing.T) {
	for _, test := range []struct {
		name, target, upstream, line, finding string
	}{
		{"a Service", "gateway-api", "http://api:3000", "- name: api", ""},
		{"a Service of a namespace", "gateway-api", "http://api.prod.svc.cluster.local", "namespace: prod", "ReferenceGrant"},
		{"a Service of a namespace, as import writes it", "gateway-api", "http://api.prod", "namespace: prod", "ReferenceGrant"},
		{"an address", "gateway-api", "http://127.0.0.1:3000", "- name: '127-0-0-1-3000'", "not the address of a Service"},
		{"a host elsewhere", "gateway-api", "http://api.github.com", "- name: api-github-com", "not the address of a Service"},
		{"TLS", "gateway-api", "https://api", "port: 443", "BackendTLSPolicy"},
		{"a Service in the mesh", "istio", "http://api.prod.svc.cluster.local", "host: api.prod.svc.cluster.local", ""},
		{"a host outside of the mesh", "istio", "http://api.github.com", "host: api.github.com", "ServiceEntry"},
		{"TLS from the mesh", "istio", "https://api", "number: 443", "DestinationRule"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := upstreams(t, test.target, "upstream: "+test.upstream+"\nroutes:\n  /: {origins: 'https://x.example'}\n")
			if text := string(result.Files[0].Data); !strings.Contains(text, test.line) {
				t.Errorf("no %q in\n%s", test.line, text)
			}
			var found []string
			for _, f := range result.Findings {
				if f.Field == "upstream" {
					found = append(found, f.String())
				}
			}
			if all := strings.Join(found, "\n"); test.finding == "" && all != "" || !strings.Contains(all, test.finding) {
				t.Errorf("findings:\n%s\nwant %q", all, test.finding)
			}
		})
	}
}
