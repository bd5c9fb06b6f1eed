package importer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/importer"
	"github.com/crossorigin/cors/policyfile"
)

// What is exported and imported again is what it was.
func TestRoundTrip(t *testing.T) {
	tests := []struct {
		row, targets, policy string
	}{
		{"all that a policy says", "traefik traefik-crd gateway-api s3", `
upstream: http://api
routes:
  /:
    origins: [https://app.example.com, https://admin.example.com:8443, "https://*.example.com"]
    methods: [PUT, DELETE]
    request-headers: [Authorization, Content-Type]
    exposed-headers: [X-Request-Id]
    credentials: true
    max-age: 10m
`},
		{"everybody", "traefik traefik-crd gateway-api s3", `
upstream: http://api
routes:
  /:
    origins: "*"
    max-age: 1d
`},
		{"patterns", "traefik traefik-crd", `
upstream: http://api
routes:
  /:
    origins: ["null", "https://*-preview.example.com", "http://localhost:*", "https://pr-*.example.net", "https://*.deep.example:*"]
    methods: PATCH
    insecure-allow-null: true
`},
		{"ports", "s3", `
routes:
  /:
    origins: ["https://*.example.com", "http://localhost:*"]
    credentials: true
`},
		{"routes", "traefik gateway-api", `
upstream: http://api
routes:
  /:
    origins: [https://app.example.com]
  /admin/: off
  /api/:
    origins: [https://app.example.com]
    credentials: true
    max-age: 1m
  /exact:
    origins: [https://exact.example]
  /users/{name2}/avatar:
    origins: ["*"]
`},
		{"hosts", "traefik", `
upstream: http://api
routes:
  /:
    origins: [https://app.example.com]
  api.example.com/v1/:
    origins: [https://host.example]
    max-age: 0
`},
	}
	for _, tt := range tests {
		for target := range strings.FieldsSeq(tt.targets) {
			t.Run(target+"/"+tt.row, func(t *testing.T) {
				want, err := policyfile.Parse([]byte(tt.policy))
				if err != nil {
					t.Fatal(err)
				}
				exported, err := export.To(target, want, export.Options{AllowWidening: []string{"origins", "credentials", "methods"}})
				if err != nil {
					t.Fatal(err)
				}
				if target != "traefik" && target != "gateway-api" {
					want.Upstream = nil // these know none
					for i := range want.Routes {
						want.Routes[i].Upstream = nil
					}
				}
				for _, file := range exported.Files {
					got, err := importer.From(target, file.Data)
					if err != nil {
						t.Fatalf("%v\n%s", err, file.Data)
					}
					for _, f := range got.Findings {
						t.Log(f)
					}
					if diff := cmp.Diff(string(policyfile.Format(want)), string(policyfile.Format(got.File))); diff != "" {
						t.Errorf("%s, - want, + got:\n%s", file.Name, diff)
					}
				}
			})
		}
	}
}
