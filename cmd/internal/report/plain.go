package report

import (
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// Plain returns w for what a server sent: as it is, or where w is a terminal
// as [Clean] has it.
func Plain(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return w
	}
	return &cleaner{w: w}
}

// A cleaner keeps back what may be the first bytes of a character.
type cleaner struct {
	w    io.Writer
	rest []byte
}

func (c *cleaner) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if b := text[len(text)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-back:]) {
				end = len(text) - back
			}
			break
		}
	}
	c.rest = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(c.w, Clean(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}
