package explain

import "strings"

// A Line is a line of text whose spans say what they are, for whoever paints
// them. Nothing in it moves a cursor.
type Line []Span

// A Span is a piece of a line.
type Span struct {
	Text string
	Role Role
}

// A Role says what a span is. Colour may show it; the words say it too.
type Role uint8

// The roles.
const (
	Plain  Role = iota
	Bad         // what is wrong
	Good        // what is right, or should be
	Warn        // what may be wrong
	Strong      // what to look at first
	Faint       // what is there for completeness
)

func (l Line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.Text)
	}
	return strings.TrimRight(b.String(), " ")
}

// columns is how wide text is on a terminal.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if isWide(r) {
		return 2
	}
	return 1
}

// isWide reports whether r takes two columns: those that the words of this
// package are written with. What servers write is ASCII by then: see escape.
func isWide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115f, // Hangul
		r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, // radicals to Yi, kana and kanji among them
		r >= 0xac00 && r <= 0xd7a3,                // Hangul syllables
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, // full-width forms
		r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return true
	}
	return false
}

// pad is text with spaces up to width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// cut is text, shortened to width with an ellipsis.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	n := 0
	for i, r := range text {
		n += columnsOf(r)
		if n > width-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// wrap breaks text into lines of width columns at most: between words, between
// wide characters, and within words that are too long for a line.
func wrap(text string, width int) []string {
	return wrapBut(text, width, func(string) bool { return false })
}

// wrapProse is wrap, but for URLs, which are to be clicked and copied: they may
// hang over.
func wrapProse(text string, width int) []string {
	return wrapBut(text, width, func(word string) bool { return strings.Contains(word, "://") })
}

func wrapBut(text string, width int, whole func(word string) bool) (lines []string) {
	width = max(width, 8)
	var line strings.Builder
	n := 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		n = 0
	}
	for _, piece := range pieces(text) {
		w := columns(piece)
		if piece == " " && n == 0 {
			continue
		}
		if n+columns(strings.TrimRight(piece, " ")) > width && n > 0 {
			flush()
			if piece == " " {
				continue
			}
		}
		for w > width && !whole(piece) {
			head := cutAt(piece, width-n)
			line.WriteString(head)
			piece = piece[len(head):]
			flush()
			w = columns(piece)
		}
		line.WriteString(piece)
		n += w
	}
	if line.Len() > 0 {
		flush()
	}
	return lines
}

func cutAt(text string, width int) string {
	n := 0
	for i, r := range text {
		n += columnsOf(r)
		if n > width {
			return text[:i]
		}
	}
	return text
}

// pieces are what a line may be broken between: words, spaces, wide characters.
// What may not begin a line stays with what is before it.
func pieces(text string) (all []string) {
	word := ""
	end := func() {
		if word != "" {
			all = append(all, word)
			word = ""
		}
	}
	for _, r := range text {
		switch {
		case r == ' ':
			end()
			all = append(all, " ")
		case strings.ContainsRune("、。，．）」』】？！ー・：々っッゃゅょャュョ", r):
			if word == "" && len(all) > 0 && all[len(all)-1] != " " {
				all[len(all)-1] += string(r)
			} else {
				word += string(r)
			}
		case strings.ContainsRune("（「『【", r):
			end()
			word = string(r)
		case isWide(r):
			if word != "（" && word != "「" && word != "『" && word != "【" {
				end()
			}
			word += string(r)
			end()
		default:
			word += string(r)
		}
	}
	end()
	return all
}
