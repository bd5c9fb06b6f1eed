package importer_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/export/importer"
	"github.com/crossorigin/cors/policyfile"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// Each configuration in testdata has what is read of it beside it.
func TestGolden(t *testing.T) {
	for _, source := range importer.Sources() {
		files, err := filepath.Glob(filepath.Join("testdata", source.Name, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("there is no configuration of %s: %v", source.Name, err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			t.Run(source.Name+"/"+filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := read(t, source.Name, data)
				golden := file + ".golden"
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("- want, + got:\n%s", diff)
				}
			})
		}
	}
}

// read returns what is read, as text.
func read(t *testing.T, source string, data []byte) string {
	t.Helper()
	var b strings.Builder
	result, err := importer.From(source, data)
	if err != nil {
		b.WriteString("error: " + err.Error() + "\n")
	}
	if result == nil {
		return b.String()
	}
	for _, f := range result.Findings {
		b.WriteString(f.String() + "\n")
	}
	if result.File != nil {
		text := policyfile.Format(result.File)
		if _, err := policyfile.Parse(text); err != nil {
			t.Errorf("what is written is no cors.yaml: %v\n%s", err, text)
		}
		b.WriteString("\n" + string(text))
	}
	return b.String()
}
