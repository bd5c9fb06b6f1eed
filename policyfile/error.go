package policyfile

import (
	"fmt"
	"strings"
)

// An Error is one mistake in a file. The errors of [Parse] and [Load] hold one
// for each mistake, in the order of the file: reach them with errors.As, or all
// of them through Unwrap() []error.
type Error struct {
	File   string // as [Load] was given it, or ""
	Line   int    // from 1
	Column int    // from 1, in characters
	Route  string // the pattern of the route, or ""
	Field  string // the key, or ""
	Index  int    // of the element, where Field is a list; otherwise -1
	Value  string // what is there, as it was written
	Reason string // what is wrong with it
	Fix    string // what to do, as in `write "https://example.com"`
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	fmt.Fprintf(&b, "%d:%d: ", e.Line, e.Column)
	if e.Route != "" {
		fmt.Fprintf(&b, "route %.200q: ", e.Route)
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		if e.Index >= 0 {
			fmt.Fprintf(&b, "[%d]", e.Index)
		}
		b.WriteString(": ")
	}
	if e.Value != "" || e.Index >= 0 {
		fmt.Fprintf(&b, "%.200q: ", e.Value)
	}
	fmt.Fprintf(&b, "%s; %s", e.Reason, e.Fix)
	return b.String()
}

// A ValueError is why a value is refused, wherever it stands.
type ValueError struct {
	Value  string // what was given, without a password
	Reason string // what is wrong with it
	Fix    string // what to do
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("%.200q: %s; %s", e.Value, e.Reason, e.Fix)
}
