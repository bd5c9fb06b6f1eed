package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// What the command exits with.
const (
	Works       = 0
	Blocked     = 1 // CORS says no, or there are findings
	Misuse      = 2 // the command line or a file of the user's is wrong
	Unreachable = 3 // no answer to judge
)

// A Failure is why the command does not exit with 0.
type Failure struct {
	Code int    // [Blocked], [Misuse] or [Unreachable]
	Err  error  // what is wrong; nil where standard output says it already
	Hint string // how to mend it, as one sentence without full stop; may be ""
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit status %d", f.Code)
	}
	return f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Misused returns a Failure of [Misuse], made as by [fmt.Errorf].
func Misused(format string, args ...any) *Failure {
	return &Failure{Code: Misuse, Err: fmt.Errorf(format, args...)}
}

// Mistakes tells all faults at once, each error of those that hold several. It
// returns nil where there are none but nils.
func Mistakes(faults []error) error {
	var lines []string
	var split func(error)
	split = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				split(e)
			}
			return
		}
		lines = append(lines, err.Error())
	}
	for _, err := range slices.DeleteFunc(faults, func(err error) bool { return err == nil }) {
		split(err)
	}
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > 1 {
		return Misused("%d mistakes:\n  %s", len(lines), strings.Join(lines, "\n  "))
	}
	return Misused("%s", lines[0])
}

// WithHint returns f with how to mend it.
func (f *Failure) WithHint(format string, args ...any) *Failure {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// Exit says on stderr why command failed, if it did, and returns what to exit
// with. An error that is no [*Failure] is wrong use, which the parser of the
// command line has found.
func Exit(stderr io.Writer, command string, err error) int {
	if err == nil {
		return Works
	}
	var f *Failure
	if !errors.As(err, &f) {
		f = Misused("%w", err)
	}
	if f.Code == Misuse && f.Hint == "" {
		f.Hint = command + " --help shows how"
	}
	style := For(stderr)
	if f.Err != nil {
		fmt.Fprintf(stderr, "cors: %s %s\n", style.Bad("error:"), Clean(f.Err.Error()))
	}
	if f.Err != nil && f.Hint != "" {
		fmt.Fprintf(stderr, "cors: %s %s\n", style.Strong("hint:"), Clean(f.Hint))
	}
	return f.Code
}
