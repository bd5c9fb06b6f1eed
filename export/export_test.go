package export_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

func parse(t *testing.T, text string) *policyfile.File {
	t.Helper()
	file, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWhatCannotBeExportedIsSaid(t *testing.T) {
	tests := []struct{ row, target, text, want string }{
		{"a target that is none", "ngnix", "routes: {/: {origins: https://app.example.com}}", `"ngnix": there is no such target; write one of nginx, `},
		{"an upstream whose host is no name", "nginx", "upstream: 'http://a;b/'\nroutes: {/: {origins: https://app.example.com}}", `upstream "http://a;b/": a name in the DNS has no ';'; write`},
	}
	for _, tt := range tests {
		_, err := export.To(tt.target, parse(t, tt.text), export.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.row, err, tt.want)
		}
	}
}

func TestOnlyWhatIsNamedMayWiden(t *testing.T) {
	file := parse(t, "routes: {/: {origins: https://app.example.com, methods: PUT}}")
	result, err := export.To("s3", file, export.Options{})
	var widens *export.WideningError
	if !errors.As(err, &widens) || len(widens.Findings) == 0 {
		t.Fatalf("%v, want what would be widened", err)
	}
	if len(result.Files) > 0 {
		t.Errorf("it is written all the same: %q", result.Files)
	}
	var fields []string
	for _, f := range widens.Findings {
		fields = append(fields, f.Field)
	}
	if _, err := export.To("s3", file, export.Options{AllowWidening: fields[:len(fields)-1]}); !errors.As(err, &widens) {
		t.Errorf("%v, want an error for what is not named", err)
	}
	if result, err = export.To("s3", file, export.Options{AllowWidening: fields}); err != nil || len(result.Files) == 0 {
		t.Errorf("%v, want the files", err)
	}
}

func TestExportsAreTheSameEachTime(t *testing.T) {
	file, err := policyfile.Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range export.Targets() {
		first, err := export.To(target.Name, file, export.Options{})
		if err != nil {
			continue // what is wrong is in the golden file
		}
		for range 20 {
			again, err := export.To(target.Name, file, export.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range first.Files {
				if string(f.Data) != string(again.Files[i].Data) {
					t.Fatalf("%s: %s is another one", target.Name, f.Name)
				}
			}
		}
	}
}
