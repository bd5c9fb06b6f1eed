package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
)

// An Amount says how much of a diagnosis to tell.
type Amount struct {
	Language Language
	Width    int      // columns; 80 where it is 0
	Servers  []Server // whose configuration to show; nil for the one that seems to answer, or cors.yaml
	Consoles []fetch.Profile
}

// Text tells d: the sentence, the drawing, and what to change.
func (d *Diagnosis) Text(a Amount) []Line {
	if a.Width == 0 {
		a.Width = 80
	}
	t := teller{d: d, l: a.Language, width: min(max(a.Width, 40), 110)}
	t.verdict()
	if len(d.Exchanges) > 0 && !d.heard {
		t.drawing(d.draw(t.l))
	}
	t.facts()
	t.differences()
	t.config(a.Servers)
	t.consoles(a.Consoles)
	return t.lines
}

// teller writes lines.
type teller struct {
	d     *Diagnosis
	l     Language
	width int
	lines []Line
}

func (t *teller) line(spans ...Span) { t.lines = append(t.lines, spans) }
func (t *teller) gap() {
	if n := len(t.lines); n > 0 && len(t.lines[n-1]) > 0 {
		t.line()
	}
}

func (t *teller) verdict() {
	mark, role := "✗", Bad
	switch {
	case t.d.Verdict == Works && t.d.Cause != "works-with-error" && t.d.Cause != "works-unexpected-body":
		mark, role = "✓", Good
	case t.d.Verdict == Works, t.d.Verdict == Hidden:
		mark, role = "!", Warn
	}
	for i, line := range wrap(t.d.Sentence(t.l), t.width-2) {
		lead := "  "
		if i == 0 {
			lead = mark + " "
		}
		t.line(Span{lead, role}, Span{line, Strong})
	}
	t.line()
}

// The columns of a drawing: a margin for the mark, the page's line, what is
// said, the server's line, a note.
const (
	margin   = "  "
	noteRoom = 14
)

func (t *teller) drawing(d drawing) {
	if t.width < 60 {
		for i := range d.arrows {
			d.arrows[i].tag = "" // there is no room for it
		}
	}
	inner := t.innerWidth(d)
	t.line(Span{margin + pad(cut(d.page, inner), inner-3) + " ", Strong})
	last := ""
	for i, a := range d.arrows {
		if a.server != last {
			if i > 0 {
				t.line(Span{margin + "│" + strings.Repeat(" ", inner) + "│", Faint})
			}
			name := cut(a.server, inner)
			if i == 0 {
				t.lines = t.lines[:len(t.lines)-1]
				page := cut(d.page, max(8, inner-columns(name)-1))
				t.line(Span{margin, Plain}, Span{page, Strong}, Span{strings.Repeat(" ", max(1, inner+2-columns(page)-columns(name))), Plain}, Span{name, Strong})
			} else {
				t.line(Span{margin + "│" + strings.Repeat(" ", max(0, inner+1-columns(name))), Faint}, Span{name, Strong})
			}
			last = a.server
		}
		t.arrow(a, inner)
	}
	if d.end != "" {
		mark, role := "✓", Good
		if d.bad {
			mark, role = "✗", Bad
		}
		t.line(Span{margin + "│" + strings.Repeat(" ", inner) + "│", Faint})
		t.line(Span{mark + " ", role}, Span{"╰ ", Faint}, Span{cut(d.end, inner), role})
	}
	t.line()
}

// innerWidth is the room between the two lines: as much as is needed, and there is.
func (t *teller) innerWidth(d drawing) int {
	need := columns(d.page) + 4
	for _, a := range d.arrows {
		need = max(need, columns(a.label)+10, columns(d.page)+columns(a.server)+2)
		for _, f := range a.fields {
			need = max(need, columns(f.name)+columns(f.value)+8, columns(f.want)+max(columns(f.name)+8, columns(label(t.l, "should be"))+9))
		}
	}
	return max(30, min(need, t.width-len(margin)-2-noteRoom))
}

func (t *teller) arrow(a arrow, inner int) {
	text := cut(a.label, inner-8)
	role := Strong
	lead := Span{margin, Plain}
	if a.bad {
		role, lead = Bad, Span{"✗ ", Bad}
	}
	rule := strings.Repeat("─", inner-columns(text)-5)
	spans := Line{lead}
	if a.toServer {
		spans = append(spans, Span{"├── ", Faint}, Span{text, role}, Span{" " + rule + "▶│", Faint})
	} else {
		spans = append(spans, Span{"│◀" + rule + " ", Faint}, Span{text, role}, Span{" ──┤", Faint})
	}
	if a.tag != "" {
		spans = append(spans, Span{"  " + a.tag, Faint})
	}
	t.line(spans...)
	if a.want != "" {
		t.row(Line{{"     " + label(t.l, "should be") + " ", Faint}, {a.want, Good}}, inner, "")
	}
	for _, f := range a.fields {
		t.field(f, inner)
	}
}

func (t *teller) field(f drawn, inner int) {
	if !f.bad {
		text := f.name + ": " + f.value
		if f.name == "" {
			text = f.value
		}
		t.row(Line{{"     " + cut(text, inner-6), Plain}}, inner, "")
		return
	}
	text := f.name + ": " + f.value
	switch {
	case f.absent:
		text = f.name + " " + label(t.l, "missing")
	case f.name == "":
		text = f.value
	}
	rows := wrap(text, inner-6)
	if len(rows) > 6 {
		rows = append(rows[:6], "…")
	}
	for i, r := range rows {
		mark := ""
		if i == 0 {
			mark = "✗"
		}
		t.row(Line{{"     " + r, Bad}}, inner, mark)
	}
	t.want(f, len(rows) == 1, inner)
}

// want writes what a value should be: under the value, where there is room, and
// with marks under what differs.
func (t *teller) want(f drawn, oneRow bool, inner int) {
	if f.want == "" {
		return
	}
	lead := label(t.l, "should be") + " "
	under := !f.absent && oneRow && columns(f.name)+2 >= columns(lead) && columns(f.name)+2+columns(f.want)+6 <= inner
	if under {
		lead = strings.Repeat(" ", columns(f.name)+2-columns(lead)) + lead
	}
	rows := wrap(f.want, inner-6-columns(lead))
	if len(rows) > 4 {
		rows = append(rows[:4], "…")
	}
	for i, r := range rows {
		if i > 0 {
			lead = strings.Repeat(" ", columns(lead))
		}
		t.row(Line{{"     " + lead, Faint}, {r, Good}}, inner, "")
	}
	if from, to := differing(f.value, f.want); under && len(rows) == 1 && to > from {
		t.row(Line{{"     " + strings.Repeat(" ", columns(lead)+from) + strings.Repeat("^", to-from), Warn}}, inner, "")
	}
}

// differing is the range of b in which it differs from a; it is empty where
// there is nothing that the eye could miss.
func differing(a, b string) (from, to int) {
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	end := len(a)
	for to = len(b); to > from && end > from && a[end-1] == b[to-1]; to-- {
		end--
	}
	if from == 0 && to == len(b) {
		return 0, 0
	}
	if from == to {
		to++ // something is left out here
	}
	return from, to
}

// row is a line between the two lines.
func (t *teller) row(content Line, inner int, mark string) {
	lead := Span{margin, Plain}
	if mark != "" {
		lead = Span{mark + " ", Bad}
	}
	used := 0
	for _, s := range content {
		used += columns(s.Text)
	}
	spans := append(Line{lead, {"│", Faint}}, content...)
	t.line(append(spans, Span{strings.Repeat(" ", max(0, inner-used)) + "│", Faint})...)
}

// fact writes text beside a name, wrapped.
func (t *teller) fact(name, text string, role Role) {
	width := 0
	for _, n := range []string{"why preflight", "rule", "sent", "should be", "mend", "in the page", "remark", "says"} {
		width = max(width, columns(label(t.l, n)))
	}
	for i, line := range wrapProse(text, t.width-width-4) {
		if i > 0 {
			name = ""
		}
		t.line(Span{margin + pad(name, width) + "  ", Faint}, Span{line, role})
	}
}

func (t *teller) facts() {
	d := t.d
	if d.Header.Name != "" && d.Header.Name != ":status" && (d.Header.Want != "" || len(d.Header.Sent) > 0) && d.heard {
		sent := label(t.l, "nothing")
		for i, value := range d.Header.Sent {
			name := label(t.l, "sent")
			if i > 0 {
				name = ""
			}
			sent = ""
			t.fact(name, escape(brief(d.Header.Name+": "+value)), Bad)
		}
		if sent != "" {
			t.fact(label(t.l, "sent"), sent, Bad)
		}
		if d.Header.Want != "" {
			t.fact(label(t.l, "should be"), escape(brief(d.Header.Name+": "+d.Header.Want)), Good)
		}
	}
	if d.Said != "" && d.At < 0 {
		t.fact(label(t.l, "says"), escape(brief(d.Said)), Plain)
	}
	if d.Cause.Class() != "" || d.Verdict != Works {
		t.fact(label(t.l, "mend"), d.Mend(t.l), Strong)
	}
	if code := d.PageCode(); code != "" {
		t.fact(label(t.l, "in the page"), code, Plain)
	}
	if len(d.Reasons) > 0 && !d.heard {
		for i, r := range d.Reasons {
			name := ""
			if i == 0 {
				name = label(t.l, "why preflight")
			}
			t.fact(name, r.Text(t.l), Plain)
		}
	}
	if d.Step.Anchor != "" && !d.heard {
		t.fact(label(t.l, "rule"), d.Rule(t.l), Faint)
	}
	for i, r := range d.Remarks {
		name := ""
		if i == 0 {
			name = label(t.l, "remark")
		}
		t.fact(name, r.Text(t.l), Plain)
	}
}

// Rule names the step of the standard that decided, with its link.
func (d *Diagnosis) Rule(l Language) string {
	title := rules[d.Step.Anchor]
	if title == "" {
		title = d.Step.Anchor
	}
	step := labels["step"].in(l, facts{"value": d.Step.Number})
	return fmt.Sprintf("%s%s: https://fetch.spec.whatwg.org/#%s", title, step, d.Step.Anchor)
}

// rules are the titles of the standard's algorithms, which have one language.
var rules = map[string]string{
	"concept-main-fetch":                  "main fetch",
	"concept-scheme-fetch":                "scheme fetch",
	"concept-http-fetch":                  "HTTP fetch",
	"concept-http-redirect-fetch":         "HTTP-redirect fetch",
	"concept-http-network-or-cache-fetch": "HTTP-network-or-cache fetch",
	"concept-http-network-fetch":          "HTTP-network fetch",
	"cors-preflight-fetch-0":              "CORS-preflight fetch",
	"concept-cors-check":                  "CORS check",
}

func (t *teller) config(servers []Server) {
	d := t.d
	if d.Config(Library) == "" || d.Verdict == Works {
		return
	}
	chosen := servers
	if len(chosen) == 0 {
		chosen = []Server{CORSYAML}
		if d.Server != "" {
			chosen = []Server{d.Server}
		}
	}
	for _, s := range chosen {
		t.gap()
		for i, line := range wrap(s.Name()+": "+s.Place(t.l), t.width-2) {
			role := Plain
			if i == 0 {
				role = Strong
			}
			t.line(Span{margin, Plain}, Span{line, role})
		}
		t.line()
		for line := range strings.SplitSeq(d.Config(s), "\n") {
			t.line(Span{"    " + line, Plain})
		}
	}
	if len(servers) == 0 {
		t.gap()
		var names []string
		for _, s := range Servers() {
			if !slices.Contains(chosen, s) {
				names = append(names, string(s))
			}
		}
		for _, line := range wrap(labels["for servers"].in(t.l, facts{"value": strings.Join(names, ", ")}), t.width-2) {
			t.line(Span{margin + line, Faint})
		}
	}
}

func (t *teller) consoles(browsers []fetch.Profile) {
	if len(browsers) == 0 || t.d.Verdict == Works || t.d.Verdict == Hidden {
		return
	}
	t.gap()
	t.line(Span{margin + label(t.l, "consoles"), Faint})
	for _, b := range browsers {
		said := t.d.Console(b)
		if len(said) > 0 {
			said = said[:1] // the others repeat it
		} else {
			said = []string{label(t.l, "silent")}
		}
		name := BrowserName(b)
		for _, text := range said {
			rows := wrap(text, t.width-20)
			if len(rows) > 8 {
				rows = append(rows[:8], "…")
			}
			for i, line := range rows {
				lead := ""
				if i == 0 {
					lead = name
				}
				t.line(Span{margin + pad(lead, 16), Plain}, Span{line, Faint})
			}
		}
	}
}

func (t *teller) differences() {
	difference := t.d.Difference(t.l)
	if difference == "" {
		return
	}
	t.fact(label(t.l, "browsers"), difference, Warn)
}
