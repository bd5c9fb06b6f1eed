package standard

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Standard is what is known of the text of a standard.
type Standard struct {
	Commit   string // of the text that was read, and its date
	Terms    []Term // in the order of the text
	BadPorts []string
}

// A Term is what an anchor of the text stands at: a section, an algorithm, or a
// definition.
type Term struct {
	Anchor, Name string
	Section      string   // the title of the one that it is in
	Steps        []string // "1", "2", "2.1", … of an algorithm; a number comes again for each branch of a switch that has steps of its own
}

// Fetch returns what is known of https://fetch.spec.whatwg.org/.
var Fetch = sync.OnceValue(func() *Standard { return parse(fetchText) })

// Made by the command in extract.
//
//go:embed fetch.txt
var fetchText string

func parse(text string) *Standard {
	s := &Standard{}
	section := ""
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch kind {
		case "commit":
			s.Commit = rest
			continue
		case "ports":
			s.BadPorts = strings.Fields(rest)
			continue
		case "section", "algorithm", "definition", "anchor":
		default:
			panic(fmt.Sprintf("internal/standard/fetch.txt: unknown line %q", line))
		}
		anchor, rest, _ := strings.Cut(rest, "\t")
		name, steps, _ := strings.Cut(rest, "\t")
		if kind == "section" {
			section = name
		}
		s.Terms = append(s.Terms, Term{anchor, name, section, strings.Fields(steps)})
	}
	return s
}

// Term returns the term at anchor; nil where there is none.
func (s *Standard) Term(anchor string) *Term {
	i := slices.IndexFunc(s.Terms, func(t Term) bool { return t.Anchor == anchor })
	if i < 0 {
		return nil
	}
	return &s.Terms[i]
}
