package export_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

// What can only be written if it may allow more is read in reviews, too.
func TestWhatIsWrittenIfItMayWiden(t *testing.T) {
	paths, err := filepath.Glob("testdata/widened/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	for _, path := range paths {
		file, err := policyfile.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range export.Targets() {
			if target.Label == export.RunOnEngine {
				continue // they widen nothing
			}
			result, err := export.To(target.Name, file, export.Options{AllowWidening: everyField})
			var b strings.Builder
			if err != nil {
				fmt.Fprintf(&b, "error: %v\n", err)
			} else {
				for _, f := range result.Findings {
					fmt.Fprintln(&b, f)
				}
				for _, f := range result.Files {
					fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Data)
				}
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+"."+target.Name+".golden", b.String())
		}
	}
}

// everyField is what AllowWidening names where everything may be widened.
var everyField = []string{"routes", "origins", "methods", "request-headers", "exposed-headers", "credentials", "upstream-headers", "paths"}
