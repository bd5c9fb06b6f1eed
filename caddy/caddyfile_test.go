package caddycors_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	core "github.com/caddyserver/caddy/v2"
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

// TestPages adapts the Caddyfiles that docs/caddy.md shows, and validates its JSON.
func TestPages(t *testing.T) {
	for _, name := range []string{"caddy.md", "caddy.ja.md"} {
		page, err := os.ReadFile("../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindAllSubmatch(page, -1)
		if len(shown) != 3 {
			t.Errorf("%s shows %d Caddyfiles, want 3", name, len(shown))
		}
		for _, block := range shown {
			// The policy is beside this file.
			config := map[string]any{"filename": "testdata/adapt/policy/Caddyfile"}
			if _, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(block[1], config); err != nil {
				t.Errorf("%s: %v\n%s", name, err, block[1])
			}
		}
		handler := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(page)[1]
		var config core.Config
		text := fmt.Sprintf(`{"admin": {"disabled": true}, "apps": {"http": {"servers": {"s": {"listen": ["127.0.0.1:0"], "routes": [{"handle": [%s]}]}}}}}`, handler)
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			t.Fatal(err)
		}
		if err := core.Validate(&config); err != nil {
			t.Errorf("%s: %v\n%s", name, err, handler)
		}
		mistakes := regexp.MustCompile(`(?m)^cors: (.*), at Caddyfile:(\d+)$`).FindAllSubmatch(page, -1)
		golden, err := os.ReadFile("testdata/adapt/mistakes.golden")
		if err != nil || len(mistakes) == 0 {
			t.Fatal(err, mistakes)
		}
		for _, m := range mistakes {
			if !strings.Contains(string(golden), fmt.Sprintf("cors: %s\n\tat testdata/adapt/mistakes.caddyfile:%s\n", m[1], m[2])) {
				t.Errorf("%s: %s is not what is said of testdata/adapt/mistakes.caddyfile", name, m[0])
			}
		}
	}
}
