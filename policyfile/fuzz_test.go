package policyfile_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// FuzzParse holds that what is accepted says the same once it is written again
// without aliases, merges or shorthands, and that every mistake has its place.
func FuzzParse(f *testing.F) {
	for _, path := range append(glob(f, "testdata/bad/*.yaml"), glob(f, "testdata/good/*.yaml")...) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := policyfile.Parse(data)
		if err != nil {
			lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r"))
			for _, fault := range err.(interface{ Unwrap() []error }).Unwrap() {
				e := fault.(*policyfile.Error)
				if e.Line < 1 || e.Line > lines || e.Column < 1 || e.Reason == "" || e.Fix == "" || strings.Contains(e.Error(), "\n") {
					t.Errorf("Parse(%q): %#v", data, e)
				}
			}
			return
		}
		for _, plain := range [][]byte{render(t, file), policyfile.Format(file)} {
			again, err := policyfile.Parse(plain)
			if err != nil {
				t.Fatalf("Parse(%q) accepts, but not %q: %v", data, plain, err)
			}
			if diff := cmp.Diff(file, again, sameFile); diff != "" {
				t.Errorf("Parse(%q), and of %q:\n%s", data, plain, diff)
			}
		}
	})
}

var sameFile = cmp.Options{
	cmp.Comparer(func(a, b cors.OriginSource) bool { return a == nil && b == nil }),
	cmp.Comparer(func(a, b []string) bool { return slices.Equal(a, b) }),
}

// render writes f as JSON, which is YAML, with every key in full.
func render(t *testing.T, f *policyfile.File) []byte {
	routes := make(map[string]any)
	order := []string{}
	for _, r := range f.Routes {
		order = append(order, r.Pattern)
		p := r.Policy
		route := map[string]any{
			"origins": orEmpty(p.Origins), "methods": orEmpty(p.Methods),
			"request-headers": orEmpty(p.RequestHeaders), "exposed-headers": orEmpty(p.ExposedHeaders),
			"credentials": p.Credentials, "private-network": p.PrivateNetwork, "shadow": r.Shadow,
			"insecure-allow-null": p.InsecureAllowNull, "insecure-allow-public-suffix": p.InsecureAllowPublicSuffix,
			"insecure-allow-http": p.InsecureAllowHTTP, "insecure-reflect-any-origin": p.InsecureReflectAnyOrigin,
			"upstream-headers": r.UpstreamHeaders.String(),
		}
		if p.MaxAge != 0 {
			route["max-age"] = max(0, p.MaxAge/time.Second)
		}
		if p.PreflightStatus != 0 {
			route["preflight-status"] = p.PreflightStatus
		}
		if p.RefusedStatus != 0 {
			route["refused-status"] = p.RefusedStatus
		}
		if r.Upstream != nil {
			route["upstream"] = r.Upstream.String()
		}
		routes[r.Pattern] = route
	}
	var b bytes.Buffer
	encode := func(v any) {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString("{")
	if f.Upstream != nil {
		b.WriteString(`"upstream":`)
		encode(f.Upstream.String())
		b.WriteString(",")
	}
	b.WriteString(`"routes":{`)
	for i, pattern := range order {
		if i > 0 {
			b.WriteString(",")
		}
		encode(pattern)
		b.WriteString(":")
		encode(routes[pattern])
	}
	b.WriteString("}}")
	return b.Bytes()
}

func orEmpty(list []string) []string { return append([]string{}, list...) }
