package importer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crossorigin/cors/export/importer"
	"github.com/crossorigin/cors/policyfile"
)

// Whatever is read, what comes out is a cors.yaml or an error.
func FuzzFrom(f *testing.F) {
	sources := importer.Sources()
	for i, s := range sources {
		files, err := filepath.Glob(filepath.Join("testdata", s.Name, "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		result, err := importer.From(sources[int(i)%len(sources)].Name, data)
		if err != nil {
			return
		}
		text := policyfile.Format(result.File)
		if _, err := policyfile.Parse(text); err != nil {
			t.Errorf("what is written is no cors.yaml: %v\n%s", err, text)
		}
	})
}
