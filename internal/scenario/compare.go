package scenario

import (
	"fmt"
	"regexp"
	"strings"
)

// A Difference is one between two recordings of a scenario.
type Difference struct {
	ID        string
	Kind      string // "verdict" for what the page sees, "wire" for what the servers do
	Got, Want string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s %s\n\tgot  %s\n\twant %s", d.Kind, d.ID, strings.ReplaceAll(d.Got, "\n", "\n\t     "), strings.ReplaceAll(d.Want, "\n", "\n\t     "))
}

// Compare holds got against want, scenario by scenario; one that only one of
// them knows differs in both ways.
func Compare(got, want []Recording) []Difference {
	byID := make(map[string]*Recording, len(want))
	for i := range want {
		byID[want[i].ID] = &want[i]
	}
	var differences []Difference
	for i := range got {
		g, w := &got[i], byID[got[i].ID]
		if w == nil {
			w = &Recording{ID: g.ID}
		}
		if g, w := g.Verdict(), w.Verdict(); g != w {
			differences = append(differences, Difference{got[i].ID, "verdict", g, w})
		}
		if g, w := g.Wire(), w.Wire(); g != w {
			differences = append(differences, Difference{got[i].ID, "wire", g, w})
		}
	}
	return differences
}

// Verdict is what the page saw, a line for each fetch. How a script is told of
// an error differs from browser to browser, and does not count.
func (r *Recording) Verdict() string {
	var b strings.Builder
	for _, o := range r.Outcomes {
		if o.Error != "" {
			b.WriteString("blocked\n")
			continue
		}
		line, _ := o.MarshalJSON()
		b.Write(line)
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// judged are the request-headers that count: those of CORS, and those in which
// the page's wishes and the browser's rules show.
var judged = regexp.MustCompile(`^(origin|access-control-.*|cookie|authorization|content-type|referer|sec-fetch-(site|mode|dest))$`)

// Wire is what the servers saw, a line for each request.
func (r *Recording) Wire() string {
	var b strings.Builder
	for _, q := range r.Requests {
		fmt.Fprintf(&b, "%s %s", q.Method, q.At)
		for _, f := range q.Headers {
			if judged.MatchString(f[0]) {
				fmt.Fprintf(&b, " %s=%q", f[0], f[1])
			}
		}
		if q.Body != "" {
			fmt.Fprintf(&b, " body=%q", q.Body)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}
