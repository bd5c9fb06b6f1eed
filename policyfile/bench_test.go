package policyfile_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/crossorigin/cors/policyfile"
)

func BenchmarkParse(b *testing.B) {
	full, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var origins, routes strings.Builder
	origins.WriteString("routes:\n  /:\n    origins:\n")
	for i := range 10_000 {
		fmt.Fprintf(&origins, "      - https://tenant-%d.example.com\n", i)
	}
	routes.WriteString("x-api: &api {origins: https://app.example.com, methods: PUT}\nroutes:\n")
	for i := range 1000 {
		fmt.Fprintf(&routes, "  /%d/:\n    <<: *api\n    max-age: 10m\n", i)
	}
	for name, text := range map[string]string{"seven routes": string(full), "10,000 origins": origins.String(), "1,000 routes": routes.String()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := policyfile.Parse([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
