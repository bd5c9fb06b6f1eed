package explain_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// putWithToken is a request that needs all that a policy can say.
func putWithToken(url string) *fetch.Request {
	return &fetch.Request{
		URL: url, Method: "PUT", Body: []byte("{}"), Credentials: fetch.CredentialsInclude,
		Header: []header.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Token", Value: "1"}},
	}
}

// What is written for each server is golden: testdata/config.txt.
func TestConfigurations(t *testing.T) {
	preflight := says(204, acao, "https://app.example.com", acac, "true", acam, "DELETE", acah, "x-other")
	f := failure{id: "x", preflight: preflight}
	d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: stage{f}}, explain.Question{Page: "https://app.example.com/", Request: putWithToken("https://api.example.com/users")})
	if err != nil {
		t.Fatal(err)
	}
	f = failure{id: "x", actual: says(200, "Cross-Origin-Resource-Policy", "same-origin")}
	corp, err := explain.Ask(t.Context(), &fetch.Browser{Transport: stage{f}}, explain.Question{Page: "https://app.example.com/", Request: &fetch.Request{URL: "https://api.example.com/i.png", Mode: fetch.ModeNoCORS}})
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range explain.Servers() {
		for _, l := range []explain.Language{explain.English, explain.Japanese} {
			fmt.Fprintf(&all, "== %s: %s\n", s.Name(), s.Place(l))
		}
		fmt.Fprintf(&all, "\n%s\n\n-- CORP:\n%s\n\n", d.Config(s), corp.Config(s))
	}
	golden(t, "config.txt", all.String())
}

// What can be read here by the standard library is.
func TestConfigurationsParse(t *testing.T) {
	for _, cause := range []explain.Cause{"method-not-listed", "header-wildcard", "authorization-wildcard", "missing-allow-origin"} {
		d := find(cause).ask(t)
		source := "package p\nfunc f() {\n" + d.Config(explain.Library) + "\n}"
		if _, err := parser.ParseFile(token.NewFileSet(), "", source, 0); err != nil {
			t.Errorf("%s: the Go code does not parse: %v\n%s", cause, err, source)
		}
		if s3 := d.Config(explain.S3); !json.Valid([]byte(s3)) {
			t.Errorf("%s: what S3 is to read is no JSON:\n%s", cause, s3)
		}
		_, gateway, _ := strings.Cut(d.Config(explain.APIGateway), "'")
		if gateway = strings.TrimSuffix(gateway, "'"); !json.Valid([]byte(gateway)) {
			t.Errorf("%s: what API Gateway is to read is no JSON:\n%s", cause, gateway)
		}
	}
}

// What a server or a page may have written to break out of a configuration does
// not get into one.
func TestConfigurationsHoldNothingHostile(t *testing.T) {
	const evil = "x-'$(reboot)`\";{}"
	f := failure{id: "x", preflight: says(204, acao, "https://app.example.com", acam, "`reboot`, $x, a'b", acah, "x-`id`, x-$y, $z")}
	q := explain.Question{Page: "http://a'b\"$x.localhost/", Request: &fetch.Request{URL: "https://api.example.com/", Method: "P$T", Header: []header.Field{{Name: "x-$evil`'", Value: evil}}}}
	d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: stage{f}}, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range explain.Servers() {
		config := d.Config(s)
		for _, bad := range []string{"reboot", "$x", "$y", "$z", "a'b", "P$T", "$evil", "`id`"} {
			if strings.Contains(config, bad) {
				t.Errorf("the configuration for %s holds %q:\n%s", s, bad, config)
			}
		}
	}
}
