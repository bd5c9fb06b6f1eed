package cors_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
)

var update = flag.Bool("u", false, "rewrite the golden files")

func TestWhatIsWrongWithAPolicyIsToldWithTheMend(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	policies := []cors.Policy{
		{Origins: []string{"https://example.com/", "example.com", "*.example.com", "https://Example.com", "https://example.com:443", "", "https://a.example, https://b.example", "https://" + long}},
		{Origins: []string{"https://bücher.example", "https://*.com", "https://*.github.io", "https://*", "/^https://", "https://$HOST"}},
		{Origins: []string{"null"}},
		{Origins: []string{"*"}, Credentials: true},
		{Origins: []string{"*"}, OriginSource: nobody},
		{Origins: []string{"http://app.example.com", "http://*.example.com:*", "http://localhost:3000", "http://127.0.0.1:*"}, Credentials: true},
		{Origins: []string{app, "http://app.example.com", "https://a.example/", "https://b.example", "null"}, Credentials: true},
		{Methods: []string{"", "PUT, DELETE", "put", "Delete", "TRACE", "connect", "G ET", strings.Repeat("A", 65)}},
		{RequestHeaders: []string{"", "Content-Type: application/json", "X-A, X-B", "Cookie", "host", "Sec-Fetch-Mode", "proxy-x", "X-" + long + " "}},
		{ExposedHeaders: []string{"", "X-A X-B", "Set-Cookie", "set-cookie2"}},
		{ExposedHeaders: []string{"*"}, Credentials: true},
		{MaxAge: 1500 * time.Millisecond},
		{MaxAge: time.Nanosecond},
		{PreflightStatus: 199},
		{PreflightStatus: 302},
		{RefusedStatus: 404},
		{RefusedStatus: -1},
		{Origins: []string{"null"}, Methods: []string{"get"}, RequestHeaders: []string{"Host"}, ExposedHeaders: []string{"@"}, MaxAge: 1, PreflightStatus: 1, RefusedStatus: 1},
	}
	var b strings.Builder
	faulty := make(map[string]bool)
	for _, p := range policies {
		_, err := cors.New(p)
		writeFaults(t, &b, err, faulty)
	}
	for field := range reflect.TypeFor[cors.Policy]().Fields() {
		cannotBeWrong := field.Type.Kind() == reflect.Bool || field.Type.Kind() == reflect.Func
		if !cannotBeWrong && !faulty[field.Name] {
			t.Errorf("no policy has a fault in %s", field.Name)
		}
	}
	golden(t, "testdata/policy_errors.golden", b.String())
}

func TestWhatIsWrongWithARouteIsToldWithTheMend(t *testing.T) {
	var b strings.Builder
	for _, patterns := range [][]string{
		{""}, {"api"}, {"api.example.com"}, {"GET /api/"}, {"GET /"}, {" /api/"}, {" "}, {"/a b/"}, {"GET /a b"}, {"https://api.example.com/"}, {"//api.example.com/"},
		{"api.example.com:8080/"}, {"API.example.com/"}, {"api.example.com./"}, {"[::1]:80/"},
		{"/api/*"}, {"*.example.com/"}, {"*"}, {"/api?x=1"}, {"/api#x"}, {"/a//b"}, {"/a/../b"}, {"/a/./"}, {"/a%2Fb"}, {"/a%2fb"}, {`/a\b`}, {"/a;b"},
		{"/{"}, {"/{x"}, {"/{x...}/a"}, {"/{x}/{x}"}, {"/a{x}"}, {"{host}/"}, {"/{$}/a"}, {"/{}"},
		{"/{x}/b", "/a/{y}"}, {"/a/{x}", "/a/{y}"}, {"/a/", "/a/{x...}"},
	} {
		policies := make(map[string]cors.Policy)
		for _, p := range patterns {
			policies[p] = cors.Policy{}
		}
		_, err := cors.NewRoutes(policies)
		writeFaults(t, &b, err, nil)
	}
	_, err := cors.NewRoutes(map[string]cors.Policy{"/b/": {Origins: []string{"b", "*"}, Credentials: true}, "/a/": {Methods: []string{"put"}}, "GET /": {MaxAge: 1}})
	writeFaults(t, &b, err, nil)
	golden(t, "testdata/route_errors.golden", b.String())
}

// writeFaults writes each fault in err on a line, and notes its field.
func writeFaults(t *testing.T, b *strings.Builder, err error, fields map[string]bool) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v: want all faults joined", err)
	}
	for _, fault := range joined.Unwrap() {
		var pe *cors.PolicyError
		if !errors.As(fault, &pe) || pe.Reason == "" || pe.Fix == "" {
			t.Fatalf("%v: want a PolicyError with a Reason and a Fix", fault)
		}
		if fields != nil {
			fields[pe.Field] = true
		}
		if len(pe.Error()) > 3000 {
			t.Errorf("the message has %d bytes: %.200s", len(pe.Error()), pe)
		}
		fmt.Fprintln(b, pe)
	}
	b.WriteByte('\n')
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite it with -u): -want +got:\n%s", name, diff)
	}
}
