package policyfile_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/policyfile"
)

func TestEveryFieldIsFormatted(t *testing.T) {
	local, err := url.Parse("http://localhost:3000")
	if err != nil {
		t.Fatal(err)
	}
	other, err := url.Parse("h2c://localhost:9000/base")
	if err != nil {
		t.Fatal(err)
	}
	f := &policyfile.File{Upstream: local, Routes: []policyfile.Route{
		{Pattern: "/", Upstream: local, Policy: cors.Policy{Origins: []string{"*"}}},
		{Pattern: "/off", Upstream: local},
		{Pattern: "api.example.com/users/{id}", Upstream: other, UpstreamHeaders: edge.Fill, Shadow: true, Policy: cors.Policy{
			Origins: []string{"null", "http://intranet.example:8080", "https://*.github.io", "http://localhost:*"},
			Methods: []string{"PUT", "*"}, RequestHeaders: []string{"Authorization", "*"}, ExposedHeaders: []string{"x-id", "!#$%&'*+-.^_`|~"},
			Credentials: true, MaxAge: 90 * 60e9, PreflightStatus: 200, RefusedStatus: 204, PrivateNetwork: true,
			InsecureAllowNull: true, InsecureAllowPublicSuffix: true, InsecureAllowHTTP: true,
		}},
		{Pattern: "/reflect", Upstream: local, UpstreamHeaders: edge.Keep, Policy: cors.Policy{
			Origins: []string{"*"}, Credentials: true, MaxAge: -1, InsecureReflectAnyOrigin: true}},
		{Pattern: "/many/", Upstream: local, Policy: cors.Policy{Origins: strings.Fields(strings.Repeat("https://a.example ", 10))[:1],
			Methods: slices.Concat([]string{"ON", "NO", "Y"}, strings.Fields("A B C D E F G H I J K L M N O P Q R S T U V W X Z AA BB CC DD EE FF GG"))}},
	}}
	const want = `upstream: http://localhost:3000
routes:
  /:
    origins: ["*"]
  /off: off
  "api.example.com/users/{id}":
    origins: ["null", http://intranet.example:8080, "https://*.github.io", "http://localhost:*"]
    methods: [PUT, "*"]
    request-headers: [Authorization, "*"]
    exposed-headers: [x-id, "!#$%&'*+-.^_` + "`" + `|~"]
    credentials: true
    max-age: 1h30m
    preflight-status: 200
    refused-status: 204
    private-network: true
    upstream: h2c://localhost:9000/base
    upstream-headers: fill
    shadow: true
    insecure-allow-null: true
    insecure-allow-public-suffix: true
    insecure-allow-http: true
  /reflect:
    origins: ["*"]
    credentials: true
    max-age: 0
    upstream-headers: keep
    insecure-reflect-any-origin: true
  /many/:
`
	formatted := string(policyfile.Format(f))
	if diff := cmp.Diff(want, formatted[:min(len(want), len(formatted))]); diff != "" {
		t.Errorf("Format (-want +got):\n%s", diff)
	}
	again, err := policyfile.Parse([]byte(formatted))
	if err != nil {
		t.Fatalf("%s\nis refused: %v", formatted, err)
	}
	if diff := cmp.Diff(f, again, sameFile); diff != "" {
		t.Errorf("%s\nis read as another (-was +is):\n%s", formatted, diff)
	}
}
