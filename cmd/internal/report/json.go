package report

import (
	"encoding/json"
	"io"
)

// JSON writes v as indented JSON with an end of line. HTML is not escaped: who
// reads it is a program, or a person in a terminal.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
