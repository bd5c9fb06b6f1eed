package explain

import (
	"fmt"
	"strings"
)

// escape makes s, which a server may have chosen, fit for terminals, consoles and
// drawings: what is not visible ASCII is shown as \x and its bytes, so that
// nothing moves the cursor, changes direction, or is wider than it looks.
func escape(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			var b strings.Builder
			for i := range len(s) {
				if c := s[i]; c < ' ' || c > '~' {
					fmt.Fprintf(&b, `\x%02x`, c)
				} else {
					b.WriteByte(c)
				}
			}
			return b.String()
		}
	}
	return s
}

// shown is how much of a value stands in a sentence.
const shown = 160

// show is s as it stands in a sentence: escaped, not too long, and in quotes
// where one might not see where it ends.
func show(s string) string {
	long := s
	if len(s) > shown {
		s = s[:shown]
	}
	e := escape(s)
	if len(long) > shown {
		e += "…"
	}
	if e == "" || strings.ContainsAny(e, " ,") {
		return `"` + e + `"`
	}
	return e
}

// longestValue is how much is looked at of a value that a server made long, wherever
// the whole of it is not asked for.
const longestValue = 2 << 10

// brief is the beginning of s.
func brief(s string) string {
	if len(s) > longestValue {
		return s[:longestValue] + "..."
	}
	return s
}
