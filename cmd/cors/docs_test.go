package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/console"
	"github.com/crossorigin/cors/export"
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

// TestConsoleDocs holds docs/console.md to the flags and to what is logged.
func TestConsoleDocs(t *testing.T) {
	for _, name := range []string{"console.md", "console.ja.md"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		commands := regexp.MustCompile("(?m)^cors serve(.*)$").FindAllSubmatch(text, -1)
		logged := regexp.MustCompile(`(?m)^\{"time".*\}$`).Find(text)
		if len(commands) == 0 || logged == nil {
			t.Fatalf("docs/%s has no command, or nothing that it logs", name)
		}
		var address string
		for _, found := range commands {
			serve := newServe()
			if err := serve.ParseFlags(strings.Fields(string(found[1]))); err != nil {
				t.Errorf("docs/%s: %s: %v", name, found[0], err)
			}
			address = serve.Flag("console").Value.String()
		}
		log := make(first, 1)
		l := &fakeListener{address: strings.Replace(address, "localhost", "127.0.0.1", 1)}
		page, err := newConsolePage(l, "localhost", console.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		page.serve(ctx, slog.New(slog.NewJSONHandler(log, nil)))
		pattern := strings.ReplaceAll(regexp.QuoteMeta(string(logged)), "…", ".+")
		if said := strings.TrimSpace(<-log); !regexp.MustCompile("^" + pattern + "$").MatchString(said) {
			t.Errorf("docs/%s shows %s, and what is logged is %s", name, logged, said)
		}
	}
}

// first keeps what is written first.
type first chan string

func (f first) Write(p []byte) (int, error) {
	select {
	case f <- string(p):
	default:
	}
	return len(p), nil
}

// TestPlayDocs holds the commands of docs/play.md to what the verb takes.
func TestPlayDocs(t *testing.T) {
	for _, name := range []string{"play.md", "play.ja.md"} {
		text, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		commands := regexp.MustCompile("(?m)^cors play(.*)$").FindAllSubmatch(text, -1)
		if len(commands) < 2 {
			t.Fatalf("docs/%s has %d commands", name, len(commands))
		}
		for _, found := range commands {
			play := newPlay()
			if err := play.ParseFlags(strings.Fields(string(found[1]))); err != nil {
				t.Errorf("docs/%s: %s: %v", name, found[0], err)
			}
			link := strings.Trim(strings.Join(play.Flags().Args(), " "), "'")
			if _, err := stateOf(strings.TrimSuffix(link, "…")); err != nil {
				t.Errorf("docs/%s: %s: %v", name, found[0], err)
			}
			if address := play.Flag("listen").Value.String(); !strings.Contains(string(text), "`"+address+"`") {
				t.Errorf("docs/%s does not say that the page is at %s", name, address)
			}
		}
	}
}

// A fakeListener has an address, and no connections.
type fakeListener struct{ address string }

func (l *fakeListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (l *fakeListener) Close() error              { return nil }
func (l *fakeListener) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.address))
}

// TestExportPages runs the commands that docs/export.md shows, and looks for each
// target in it.
func TestExportPages(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "cors")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range []string{"export.md", "export.ja.md"} {
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		policy := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
		if err := os.WriteFile(filepath.Join(dir, "cors.yaml"), policy[1], 0o666); err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)```\n\\$ cors (.*?)\n(.*?)```").FindAllSubmatch(page, -1)
		if len(shown) != 2 {
			t.Errorf("%s shows %d commands, want 2", name, len(shown))
		}
		runShown(t, name, program, dir, shown)
		for _, target := range export.Targets() {
			if !strings.Contains(string(page), "`"+target.Name+"`") {
				t.Errorf("%s says nothing of %s", name, target.Name)
			}
		}
	}
}

// runShown runs the commands that a page shows, and compares what they print.
func runShown(t *testing.T, name, program, dir string, shown [][][]byte) {
	t.Helper()
	for _, block := range shown {
		cmd := exec.Command(program, strings.Fields(string(block[1]))...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // some fail, as the page tells
		if string(out) != string(block[2]) {
			t.Errorf("%s: cors %s prints\n%swhere the page has\n%s", name, block[1], out, block[2])
		}
	}
}

// TestImportPages runs the commands that docs/import.md shows.
func TestImportPages(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "cors")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range []string{"import.md", "import.ja.md"} {
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		config := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindSubmatch(page)
		if err := os.WriteFile(filepath.Join(dir, "api.conf"), config[1], 0o666); err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)```\n\\$ cors (.*?)\n(.*?)```").FindAllSubmatch(page, -1)
		if len(shown) != 2 {
			t.Errorf("%s shows %d commands, want 2", name, len(shown))
		}
		runShown(t, name, program, dir, shown)
	}
}
