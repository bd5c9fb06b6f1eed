package service

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// NewLog returns a log for people on a terminal, and for programs elsewhere.
func NewLog(w io.Writer) *slog.Logger {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}
