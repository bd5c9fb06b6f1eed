package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStdioExamples runs the programs in docs/stdio.md.
func TestStdioExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/stdio.md")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(serveAPI))
	defer server.Close()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	const origin = "https://app.example.com"
	tests := []struct {
		language, command string
		urls              []string
		want              string
	}{
		{"python", "python3", []string{server.URL + "/users"}, `200 PUT by https://app.example.com, cookie "", body "{\"name\":\"Ada\"}"`},
		{"javascript", "node", []string{server.URL + "/private", server.URL + "/users"}, `blocked: fetch "` + server.URL + `/private": no Access-Control-Allow-Origin`},
		{"javascript", "node", []string{server.URL + "/private", server.URL + "/users"}, "\n200 GET by https://app.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.language, func(t *testing.T) {
			program, err := exec.LookPath(tt.command)
			if err != nil {
				t.Skipf("there is no %s", tt.command)
			}
			block := regexp.MustCompile("(?s)```" + tt.language + "\n(?:#|//) (\\S+)\n(.*?)```").FindSubmatch(page)
			if block == nil {
				t.Fatalf("docs/stdio.md has no program in %s", tt.language)
			}
			file := filepath.Join(dir, string(block[1]))
			if err := os.WriteFile(file, block[2], 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, append([]string{file, origin}, tt.urls...)...)
			cmd.Env = append(os.Environ(), "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%s %q: %v, %q, want %q in it", tt.command, cmd.Args[1:], err, out, tt.want)
			}
		})
	}
}
