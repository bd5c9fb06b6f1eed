package report

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// A Style marks up text for a terminal, or leaves it as it is. Colour is never
// the only mark: the words say the same.
type Style struct {
	Colour bool
	Width  int // columns; 80 where there is no terminal
}

// For returns the style for what is written to w: with colour on a terminal,
// unless NO_COLOR is set or TERM is "dumb", and elsewhere where FORCE_COLOR is
// set.
//
// https://no-color.org
func For(w io.Writer) Style {
	s := Style{Width: 80}
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	if terminal {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			s.Width = width
		}
	}
	switch {
	case os.Getenv("NO_COLOR") != "":
	case os.Getenv("FORCE_COLOR") != "", os.Getenv("CLICOLOR_FORCE") != "":
		s.Colour = true
	default:
		s.Colour = terminal && os.Getenv("TERM") != "dumb"
	}
	return s
}

// Bad is for what is wrong, Good for what works, Warn for what may be wrong,
// Strong for what to look at first, and Faint for what is there for
// completeness.
func (s Style) Bad(text string) string    { return s.paint("1;31", text) }
func (s Style) Good(text string) string   { return s.paint("32", text) }
func (s Style) Warn(text string) string   { return s.paint("33", text) }
func (s Style) Strong(text string) string { return s.paint("1", text) }
func (s Style) Faint(text string) string  { return s.paint("2", text) }

func (s Style) paint(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Clean returns text as a terminal may have it: what could move the cursor,
// change colours or hide other text is written as an escape, and so are bytes
// that are not UTF-8. Ends of lines stay.
func Clean(text string) string {
	if strings.IndexFunc(text, isUnsafe) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i])|0x100, 16)[1:])
		case isUnsafe(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// isUnsafe holds for controls, also those of Unicode that turn the direction
// of text, and for what is not meant to be seen.
func isUnsafe(r rune) bool {
	return r != '\n' && r != '\t' && !unicode.IsPrint(r)
}
