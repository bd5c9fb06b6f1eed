package envoy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThePagesShowTheFilter holds docs/envoy.md to the filter of the example.
func TestThePagesShowTheFilter(t *testing.T) {
	example, err := os.ReadFile("examples/bootstrap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(example), "                  - name: envoy.filters.http.ext_proc\n")
	filter, _, ok := strings.Cut(rest, "                  - name: envoy.filters.http.router\n")
	if !ok {
		t.Fatal("examples/bootstrap.yaml has no filter")
	}
	want := "name: envoy.filters.http.ext_proc\n" + strings.ReplaceAll("\n"+filter, "\n"+strings.Repeat(" ", 20), "\n")[1:]
	for _, name := range []string{"envoy.md", "envoy.ja.md"} {
		page, err := os.ReadFile("../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)<!-- filter -->\n```yaml\n(.*?)```").FindSubmatch(page)
		if shown == nil || string(shown[1]) != want {
			t.Errorf("docs/%s shows\n%s\nand the example has\n%s", name, shown, want)
		}
	}
}
