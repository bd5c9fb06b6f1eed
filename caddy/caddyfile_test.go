package caddycors_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/google/go-cmp/cmp"
)

// Each Caddyfile in testdata/adapt has the JSON, or the error, that becomes of it
// beside it.
func TestAdapts(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfile")
	if err != nil || len(files) == 0 {
		t.Fatal("no Caddyfiles", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": file})
			if err != nil {
				got = []byte(strings.ReplaceAll(err.Error(), ", at ", "\n\tat ") + "\n")
			} else {
				var indented bytes.Buffer
				if err := json.Indent(&indented, adapted, "", "\t"); err != nil {
					t.Fatal(err)
				}
				got = append(indented.Bytes(), '\n')
			}
			for _, w := range warnings {
				t.Errorf("a warning: %s:%d: %s", w.File, w.Line, w.Message)
			}
			golden := strings.TrimSuffix(file, "caddyfile") + "golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("- want, + got:\n%s", diff)
			}
		})
	}
}
