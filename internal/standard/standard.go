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
	Commit     string // of the text that was read, and its date
	Sections   []Section
	Algorithms []Algorithm // in the order of the text
	BadPorts   []string

	anchors map[string]bool
}

// A Section is one of the text's headings.
type Section struct{ Anchor, Title string }

// An Algorithm is one whose steps are numbered.
type Algorithm struct {
	Anchor, Name string
	Section      string   // the title of the one that it is in
	Steps        []string // "1", "2", "2.1", …; a number comes again for each branch of a switch that has steps of its own
}

// Fetch returns what is known of https://fetch.spec.whatwg.org/.
var Fetch = sync.OnceValue(func() *Standard { return parse(fetchText) })

// Made by the command in extract.
//
//go:embed fetch.txt
var fetchText string

func parse(text string) *Standard {
	s := &Standard{anchors: map[string]bool{}}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch fields[0] {
		case "commit":
			s.Commit = fields[1]
			continue
		case "ports":
			s.BadPorts = strings.Fields(fields[1])
			continue
		case "section":
			s.Sections = append(s.Sections, Section{fields[1], fields[2]})
		case "algorithm":
			s.Algorithms = append(s.Algorithms, Algorithm{fields[1], fields[2], s.Sections[len(s.Sections)-1].Title, strings.Fields(fields[3])})
		case "anchor":
		default:
			panic(fmt.Sprintf("internal/standard/fetch.txt: unknown line %q", line))
		}
		s.anchors[fields[1]] = true
	}
	return s
}

// Has reports whether the text has this anchor.
func (s *Standard) Has(anchor string) bool { return s.anchors[anchor] }

// Algorithm returns the algorithm at anchor; nil where there is none.
func (s *Standard) Algorithm(anchor string) *Algorithm {
	i := slices.IndexFunc(s.Algorithms, func(a Algorithm) bool { return a.Anchor == anchor })
	if i < 0 {
		return nil
	}
	return &s.Algorithms[i]
}
