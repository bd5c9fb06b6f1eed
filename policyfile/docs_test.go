package policyfile_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/crossorigin/cors/policyfile"
)

// fence is a block of code, and what its language is.
var fence = regexp.MustCompile("(?ms)^```([a-z ]*)\n(.*?)^```$")

// snippets returns the YAML of a page, as whole files.
func snippets(t *testing.T, page string) (loads []string, refused map[string]string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	refused = make(map[string]string)
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	for i, block := range blocks {
		switch language, code := block[1], block[2]; language {
		case "yaml":
			if !strings.Contains(code, "routes:") { // it is what stands below a route
				code = "routes:\n  /:\n    " + strings.ReplaceAll(strings.TrimSuffix(code, "\n"), "\n", "\n    ") + "\n"
			}
			loads = append(loads, code)
		case "yaml refused":
			refused[code] = blocks[i+1][2]
		}
	}
	return loads, refused
}

func TestTheDocumentationsExamplesLoad(t *testing.T) {
	for _, page := range []string{"../docs/cors-yaml.md", "../docs/cors-yaml.ja.md", "../README.md", "../README.ja.md"} {
		s := schema(t)
		loads, refused := snippets(t, page)
		if len(loads) == 0 {
			t.Errorf("%s has no YAML", page)
		}
		for _, code := range loads {
			if _, err := policyfile.Parse([]byte(code)); err != nil {
				t.Errorf("%s: Parse: %v\n%s", page, err, code)
			}
			if v, err := values([]byte(code)); err != nil || s.Validate(v) != nil {
				t.Errorf("%s: the schema refuses (%v, %v)\n%s", page, err, s.Validate(v), code)
			}
		}
		for code, want := range refused {
			if _, err := policyfile.Parse([]byte(code)); err == nil || err.Error()+"\n" != want {
				t.Errorf("%s: Parse gives\n%v\nwhere the page has\n%s", page, err, want)
			}
		}
	}
}
