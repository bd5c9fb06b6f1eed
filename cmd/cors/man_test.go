package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra/doc"
)

//go:generate go test -run ^TestManPages$ . -u

var update = flag.Bool("u", false, "rewrite the man pages and the golden parts of scripts")

// TestManPages holds the pages in man/ to the help that they are made of.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if *update {
		dir = "man"
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // or they would change every day
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	header := &doc.GenManHeader{Title: "CORS", Section: "1", Source: "cors", Manual: "cors", Date: &date}
	if err := doc.GenManTree(root, header, dir); err != nil {
		t.Fatal(err)
	}
	got, want := readAll(t, "man"), readAll(t, dir)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("man/ is not what the help says (-help +man/); go generate ./cmd/cors mends it:\n%s", diff)
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s holds no man pages: %v", dir, err)
	}
	pages := map[string]string{}
	for _, name := range names {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.Base(name)] = string(page)
	}
	return pages
}

// TestHelpFitsAScreen holds every verb to 80 columns and 40 lines.
func TestHelpFitsAScreen(t *testing.T) {
	for _, verb := range append(newRoot().Commands(), newRoot()) {
		var help strings.Builder
		verb.SetOut(&help)
		if err := verb.Help(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(help.String(), "\n"), "\n")
		if len(lines) > 40 {
			t.Errorf("%s --help has %d lines, want 40 at most", verb.CommandPath(), len(lines))
		}
		for _, line := range lines {
			if len([]rune(line)) > 80 {
				t.Errorf("%s --help has a line of %d columns, want 80 at most:\n%s", verb.CommandPath(), len([]rune(line)), line)
			}
		}
	}
}
