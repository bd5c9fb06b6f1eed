package explain

import (
	"strings"
	"testing"
	"unicode"
)

// Whatever is pasted, what is said of it can stand in a terminal, and each
// failure is told once.
func FuzzRecognise(f *testing.F) {
	for _, m := range messages {
		f.Add("Access to fetch at 'https://a.example/' from origin 'https://b.example' has been blocked by CORS policy: " + m.text)
	}
	f.Add("Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at \x1b[2J. (Reason: CORS request not http).")
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range Recognise(text) {
			d := h.Diagnose(false)
			if d.Sentence(English) == "" || d.Sentence(Japanese) == "" {
				t.Errorf("%q has no words", d.Cause)
			}
			for _, line := range d.Text(Amount{}) {
				if strings.ContainsFunc(line.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r) }) {
					t.Errorf("%q lets through %q", text, line)
				}
			}
		}
	})
}

// Text that is wrapped loses nothing but spaces, and fits.
func FuzzWrap(f *testing.F) {
	f.Add("Access-Control-Allow-Origin の末尾にスラッシュがあります。オリジンにパスはありません。", 20)
	f.Add("one two  three", 8)
	f.Add("（「ああああああ」）、、、、", 9)
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = 12 + (width%100+100)%100
		lines := wrap(text, width)
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(string([]rune(text))) {
			t.Errorf("wrap(%q, %d) = %q, which is other text", text, width, lines)
		}
		for _, line := range lines {
			// One character may hang over: what may not begin a line.
			if columns(line) > width+2 {
				t.Errorf("wrap(%q, %d) has a line of %d columns: %q", text, width, columns(line), line)
			}
		}
	})
}
