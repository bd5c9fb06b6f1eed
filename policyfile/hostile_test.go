package policyfile_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/crossorigin/cors/policyfile"
)

func TestHostileFilesAreRefusedWithinBounds(t *testing.T) {
	repeat := func(s string) string { return strings.Repeat(s, policyfile.MaxSize/len(s)) }
	bomb := "x-0: &a0 [https://a.example]\n"
	for i := 1; i < 40; i++ {
		bomb += fmt.Sprintf("x-%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1)
	}
	merges := "x-0: &a0 {origins: https://a.example}\n"
	for i := 1; i < 40; i++ {
		merges += fmt.Sprintf("x-%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i, i, i-1, i-1, i-1)
	}
	for _, tt := range []struct{ name, text, reason string }{
		{"larger than the limit", strings.Repeat(" ", policyfile.MaxSize+1), "the file is larger than"},
		{"brackets without end", repeat("["), "nested too deeply"},
		{"braces without end", repeat("{a: "), "nested too deeply"},
		{"lists in lists", repeat("- "), "nested too deeply"},
		{"anchors of anchors", repeat("- &a\n"), "nothing behind this on its line"},
		{"keys without end", repeat("a:\n"), "keys in this file"},
		{"documents without end", repeat("---\n"), "more than one document"},
		{"quotes without end", repeat(`"`), "a value follows a value"},
		{"aliases in a row", repeat("*a "), "a value follows a value"},
		{"aliases of aliases of lists", bomb + "routes:\n  /:\n    origins: *a39\n", "with every alias in full"},
		{"merges of merges", merges + "routes:\n  /: *a39\n", "with every alias in full"},
		{"bytes that are not text", "routes: \xff", "byte 0xff is not text"},
		{"zero bytes", "routes: \x00", "byte 0x00 is not text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := policyfile.Parse([]byte(tt.text))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("Parse(%.40q…) = %.200v, want an error with %q", tt.text, err, tt.reason)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
				t.Errorf("Parse(%.40q…) allocates %d MiB", tt.text, used>>20)
			}
			if size := len(fmt.Sprint(err)); size > 64<<10 {
				t.Errorf("Parse(%.40q…) has an error of %d bytes", tt.text, size)
			}
		})
	}
}

func TestMistakesWithoutEndAreCounted(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("routes:\n  /:\n    origins:\n")
	for range 1000 {
		b.WriteString("    - a.example\n")
	}
	_, err := policyfile.Parse(b.Bytes())
	if want := "104:7: there are 900 more mistakes from here on; mend those above first"; !strings.HasSuffix(fmt.Sprint(err), want) {
		t.Errorf("the error ends with %.100q, want %q", fmt.Sprint(err)[max(0, len(fmt.Sprint(err))-100):], want)
	}
}
