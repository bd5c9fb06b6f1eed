package origin_test

import (
	"errors"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/origin"
)

var update = flag.Bool("u", false, "rewrite the golden files")

func TestWhatUsersWriteWronglyIsAnsweredWithWhatToWrite(t *testing.T) {
	inputs := []string{
		"", " ", "NULL", `"https://example.com"`, " https://example.com", "https://a.example, https://b.example", "https://a.example https://b.example",
		`^https://.*\.example\.com$`, `(app|www).example.com`, "https://(app|www).example.com",
		"example.com", "localhost:3000", "*.example.com", "//example.com", "https:/example.com", "/",
		"HTTPS://example.com", "*://example.com", "http*://example.com", "ht!tp://example.com", "://example.com",
		"https://example.com/", "https://example.com/app", "https://example.com?x", "https://example.com#x", "https://me:secret@example.com",
		"https://Example.com", "https://例え.テスト", "https://*.例え.テスト", "https://Bücher.example",
		"https://example.com:443", "http://example.com:80", "https://example.com:", "https://example.com:0", "https://example.com:65536",
		"https://example.com:080", "https://example.com:http", "https://", "https://:8443",
		"https://*", "http://*:3000", "chrome-extension://*:80", "moz-extension://a*",
		"https://*.com", "https://*.co.uk", "https://*.github.io", "https://my-*.github.io", "https://*",
		"https://*.*.example.com", "https://app.*.example.com", "https://example.*", "https://dev*",
		"https://*.192.0.2.1", "http://192.0.2.01", "http://192.0.2.256", "http://192.0.2", "http://::1", "http://[::0001]", "http://[fe80::1%25eth0]", "http://[x]",
		"ws://localhost:3000", "wss://*.example.com/", "https://a..example", "https://-a b.example", "https://" + strings.Repeat("a", 64) + ".example", "https://exa%6dple.com", "$ORIGINS", "https://$HOST",
		"https:example.com", "http//localhost:3000", "https://https://example.com", "127.0.0.1:3000", "[::1]:3000", "tauri:/localhost", "://",
		"https://.example.com", ".example.com", ".*.example.com", "https://*example.com", "https://*example.com:*", "https://*.kawasaki.jp", "https://*.com./",
		" HTTPS://Example.COM:443/app/?q#f", "Bücher.Example/", "https://FAß.example", "https://\u00e9_b.example", "https://*-é.example", "https://a..é",
		"https://{tenant}.example.com", "https://${HOST}.example.com", "https://<id>.example.com", "https://a'b.example", "tauri://{x}", "moz-extension://*/", "https://example.com;https://b.example",
		"https://" + strings.Repeat("é", 1<<20) + ".example",
	}
	var b strings.Builder
	for _, in := range inputs {
		p, err := origin.ParsePattern(in)
		if err == nil {
			t.Errorf("ParsePattern(%q) = %q, want an error", in, p)
			continue
		}
		b.WriteString(err.Error() + "\n")

		var pe *origin.PatternError
		errors.As(err, &pe)
		if advice, ok := toWrite(pe); ok {
			if _, err := origin.ParsePattern(advice); err != nil {
				t.Errorf("ParsePattern(%q) says to %s, which is wrong too: %v", in, pe.Fix, err)
			}
		}
	}
	golden(t, "testdata/pattern_errors.golden", b.String())
}

// toWrite returns what err says to write, if that is all it says.
func toWrite(err *origin.PatternError) (string, bool) {
	quoted, ok := strings.CutPrefix(err.Fix, "write ")
	if !ok {
		return "", false
	}
	pattern, unquoteErr := strconv.Unquote(quoted)
	return pattern, unquoteErr == nil
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite it with -u): -want +got:\n%s", name, diff)
	}
}
