package export_test

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

func TestEachOfManyRoutesHasItsOwnName(t *testing.T) {
	file := &policyfile.File{Upstream: &url.URL{Scheme: "http", Host: "localhost:3000"}}
	for i := range 250 {
		file.Routes = append(file.Routes, policyfile.Route{
			Pattern: fmt.Sprintf("/%d/", i), Upstream: file.Upstream,
			Policy: cors.Policy{Origins: []string{fmt.Sprintf("https://%d.example.com", i)}},
		})
	}
	for target, name := range map[string]string{"traefik": `(?m)^    (route-\d+):$`, "kong": `(?m)^  - name: (\S+)$`, "apisix": `(?m)^- id: (\S+)$`} {
		result, err := export.To(target, file, export.Options{})
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, found := range regexp.MustCompile(name).FindAllStringSubmatch(string(result.Files[0].Data), -1) {
			if names[found[1]] {
				t.Errorf("%s: two are %s", target, found[1])
			}
			names[found[1]] = true
		}
		// "/0/" is a path and what is below it.
		if len(names) < 500 {
			t.Errorf("%s: %d routes, want 500 at least", target, len(names))
		}
	}
}
