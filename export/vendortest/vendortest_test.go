package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
	"github.com/crossorigin/cors/policyfile"
	"sigs.k8s.io/yaml"
)

// each calls check with what is exported to target of every policy there is, if
// the target has a word for any of it.
func each(t *testing.T, target string, check func(*testing.T, []export.File)) {
	files := map[string]*policyfile.File{}
	for _, pattern := range []string{"../testdata/*.yaml", "../testdata/widened/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			file, err := policyfile.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			files[path] = file
		}
	}
	for _, p := range table.Policies {
		file, err := p.Parse("http://127.0.0.1:3000")
		if err != nil {
			t.Fatal(err)
		}
		files[p.Name] = file
	}
	checked := 0
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			allow := []string{"routes", "origins", "methods", "request-headers", "exposed-headers", "credentials", "upstream-headers", "paths"}
			result, err := export.To(target, file, export.Options{AllowWidening: allow})
			var wide *export.WideningError
			if errors.As(err, &wide) {
				t.Fatal(err)
			}
			if err != nil {
				t.Skip(err) // it says more than the target has words for
			}
			checked++
			check(t, result.Files)
		})
	}
	if checked < 4 {
		t.Errorf("%d files were checked, want 4 at least", checked)
	}
}

// strictly decodes JSON, and refuses what v has no field for.
func strictly(t *testing.T, data []byte, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}

func toJSON(t *testing.T, data []byte) []byte {
	t.Helper()
	out, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return out
}

// documents returns those of a YAML file, as JSON.
func documents(t *testing.T, data []byte) (all [][]byte) {
	t.Helper()
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		all = append(all, toJSON(t, doc))
	}
	return all
}
