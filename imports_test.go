package cors_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/crossorigin/cors"

func TestImportsGoOneWay(t *testing.T) {
	const url, yaml, grpc, envoy = "github.com/nlnwa/whatwg-url", "github.com/goccy/go-yaml", "google.golang.org/grpc", "github.com/envoyproxy/go-control-plane/envoy"
	tests := []struct {
		from, not []string
		because   string
	}{
		{[]string{".", "edge"}, []string{"fetch"}, "the server's half judges nothing as a browser does: one could not test the other"},
		{[]string{"fetch", "corstest", "explain"}, []string{".", "edge"}, "the browser's half knows no policy: it believes the wire alone"},
		{[]string{".", "edge", "origin", "header", "policyfile", "envoy"}, []string{url}, "a server compares origins byte by byte: who serves needs no URL parser"},
		{[]string{"origin", "header"}, []string{".", "fetch", "edge"}, "both halves stand on these"},
		{[]string{".", "edge", "origin", "header", "policyfile"}, []string{"export"}, "who decides knows no other server's language"},
		{[]string{"export"}, []string{"fetch", "explain", "audit"}, "what is written depends on the policy alone; what it does is asked in tests"},
		{[]string{".", "edge", "origin", "header", "fetch", "corstest", "explain", "audit"}, []string{yaml, "policyfile"}, "who writes Go needs no YAML"},
		{[]string{"cmd/cors"}, []string{grpc, envoy}, "who serves does not pay 1.3 ms at each start, and 4 MB, for those who ask by Envoy: that is cmd/cors-envoy"},
	}
	for _, tt := range tests {
		for _, from := range tt.from {
			deps := dependencies(t, from)
			for _, not := range tt.not {
				if first, _, _ := strings.Cut(not, "/"); first == "." || !strings.Contains(first, ".") {
					not = path.Join(module, not)
				}
				if slices.ContainsFunc(deps, func(d string) bool { return d == not || d != module && not != module && strings.HasPrefix(d, not+"/") }) {
					t.Errorf("%s reaches %s, and must not: %s", path.Join(module, from), not, tt.because)
				}
			}
		}
	}
}

func TestTheLibraryDependsOnLittle(t *testing.T) {
	for _, from := range []string{".", "edge", "origin", "header"} {
		for _, d := range dependencies(t, from) {
			first, _, _ := strings.Cut(d, "/")
			if strings.Contains(first, ".") && !strings.HasPrefix(d, module) && !strings.HasPrefix(d, "golang.org/x/") {
				t.Errorf("%s reaches %s: the library needs the standard library and golang.org/x alone", path.Join(module, from), d)
			}
		}
	}
}

// dependencies returns the packages that one of ours reaches.
func dependencies(t *testing.T, of string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", path.Join(module, of)).Output()
	if err != nil {
		t.Fatalf("go list of %s: %v", of, err)
	}
	return strings.Fields(string(out))
}
