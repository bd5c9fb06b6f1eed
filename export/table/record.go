package table

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/crossorigin/cors/export"
)

// A Record is what a report comes to. Those in the directory records are what
// docs/engines.md shows.
type Record struct {
	Title   string           `json:"title"`
	Version string           `json:"version"`
	How     string           `json:"how"` // it is known, as in "run on the real engine"
	Topics  map[string]Count `json:"topics"`

	// Deviations are the findings that came true.
	Deviations []Deviation `json:"deviations,omitempty"`
}

// A Count is of rows.
type Count struct {
	Right     int `json:"right"`
	Announced int `json:"announced,omitempty"` // wrong, as a finding said
	Unseen    int `json:"unseen,omitempty"`    // other than it must be, in what no page and no cache can tell
	Wrong     int `json:"wrong,omitempty"`
}

// A Deviation is a finding, of whatever route, and how many rows it announced.
type Deviation struct {
	Field  string        `json:"field"`
	Effect export.Effect `json:"effect"`
	Reason string        `json:"reason"`
	Rows   int           `json:"rows"`
}

// Topics are what rows are about, in the order in which they are shown.
var Topics = []string{"origins", "methods", "request-headers", "private-network", "routes", "upstream-headers", "shadow", "paths", "lines"}

// topic is the one of row.
func (row Row) topic() string {
	for _, t := range []string{"lines", "paths"} { // the narrowest first
		if slices.Contains(row.About, t) {
			return t
		}
	}
	if len(row.About) > 0 && slices.Contains(Topics, row.About[0]) {
		return row.About[0]
	}
	return "routes"
}

// Record sums r up.
func (r *Report) Record(title, version, how string) Record {
	record := Record{Title: title, Version: version, How: how, Topics: map[string]Count{}}
	for _, o := range r.Outcomes {
		c := record.Topics[o.Row.topic()]
		switch {
		case len(o.Wrong) == 0:
			c.Right++
		case o.Finding != nil:
			c.Announced++
			record.deviate(*o.Finding)
		case !o.Seen():
			c.Unseen++
		default:
			c.Wrong++
		}
		record.Topics[o.Row.topic()] = c
	}
	slices.SortStableFunc(record.Deviations, func(a, b Deviation) int {
		return cmp.Or(cmp.Compare(slices.Index(Topics, a.Field), slices.Index(Topics, b.Field)), cmp.Compare(a.Reason, b.Reason))
	})
	return record
}

func (r *Record) deviate(f export.Finding) {
	same := func(d Deviation) bool { return d.Field == f.Field && d.Effect == f.Effect && d.Reason == f.Reason }
	i := slices.IndexFunc(r.Deviations, same)
	if i < 0 {
		i = len(r.Deviations)
		r.Deviations = append(r.Deviations, Deviation{Field: f.Field, Effect: f.Effect, Reason: f.Reason})
	}
	r.Deviations[i].Rows++
}

// Hold compares r with the record in the file at path, or writes it there. Where
// the file is of another version, there is nothing to compare.
func (r Record) Hold(path string, update bool) error {
	if update {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(path, append(text, '\n'), 0o666)
	}
	was, err := ReadRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not there: write it with -u", path)
	}
	if err != nil || was.Version != r.Version {
		return err
	}
	if !reflect.DeepEqual(was, r) {
		return fmt.Errorf("%s (rewrite it with -u, and then docs/engines.md by the tests of export/table) has\n%+v\nand it is\n%+v", path, was, r)
	}
	return nil
}

// ReadRecord reads what [Record.Hold] writes.
func ReadRecord(path string) (r Record, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ModuleVersion is that of a module that the go.mod in the present directory
// requires, without the "v" before it.
func ModuleVersion(path string) string {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(words) > 1 && words[0] == path {
			return strings.TrimPrefix(words[1], "v")
		}
	}
	return ""
}
