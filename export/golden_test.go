package export_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// What is exported is read in reviews: every change of it is one here.
func TestWhatIsWritten(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	for _, path := range paths {
		file, err := policyfile.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range export.Targets() {
			name := strings.TrimSuffix(path, ".yaml") + "." + target.Name + ".golden"
			var b strings.Builder
			result, err := export.To(target.Name, file, export.Options{})
			if err != nil {
				fmt.Fprintf(&b, "error: %v\n", err)
			}
			if result != nil {
				for _, f := range result.Findings {
					fmt.Fprintln(&b, f)
				}
				for _, f := range result.Files {
					fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Data)
				}
			}
			golden(t, name, b.String())
		}
	}
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
