package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A Progress shows on a terminal how far a long run has come. It is for one
// goroutine.
type Progress struct {
	w           io.Writer // nil where nothing is shown
	what        string
	total, done int
	from, shown time.Time
	now         func() time.Time
}

// patience is how long a run may last without showing how far it has come, and
// pace how often that is shown.
const (
	patience = time.Second
	pace     = 100 * time.Millisecond
)

// NewProgress returns the progress of what, which has total steps, or 0 where
// that is not known. It is shown only if w is a terminal.
func NewProgress(w io.Writer, what string, total int) *Progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		w = nil
	}
	return newProgress(w, what, total, time.Now)
}

func newProgress(w io.Writer, what string, total int, now func() time.Time) *Progress {
	return &Progress{w: w, what: what, total: total, from: now(), now: now}
}

// Step counts a step.
func (p *Progress) Step() {
	p.done++
	now := p.now()
	if p.w == nil || now.Sub(p.from) < patience || now.Sub(p.shown) < pace {
		return
	}
	p.shown = now
	if p.total == 0 {
		fmt.Fprintf(p.w, "\r%s: %d", p.what, p.done)
		return
	}
	const width = 30
	full := width * p.done / p.total
	fmt.Fprintf(p.w, "\r%s [%s%s] %d of %d", p.what, strings.Repeat("=", full), strings.Repeat(" ", width-full), p.done, p.total)
}

// End removes what was shown.
func (p *Progress) End() {
	if !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
