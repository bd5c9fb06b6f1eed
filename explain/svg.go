package explain

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// The measures of an SVG drawing, in pixels. A column is one of the fixed-width
// font, and a wide character takes two.
const (
	svgColumn = 7.9
	svgRow    = 21
	svgPad    = 28
	svgInner  = 72 // columns at most between the two lines
)

// SVG draws d's exchanges as an SVG document, in colours for light and dark.
func (d *Diagnosis) SVG(l Language) []byte {
	p := &svgPen{l: l}
	drawing := d.draw(l)
	inner := 40
	for _, a := range drawing.arrows {
		inner = max(inner, columns(a.label)+14, columns(drawing.page)+columns(a.server)+4)
		for _, f := range a.fields {
			inner = max(inner, columns(f.name)+columns(f.value)+8, columns(f.want)+columns(label(l, "should be"))+10)
		}
	}
	p.left = svgPad + 8
	p.right = p.left + float64(min(inner, svgInner))*svgColumn
	p.inner = min(inner, svgInner)
	width := p.right + 13*svgColumn
	p.y = 40
	sentence := d.Sentence(l)
	for _, line := range wrap(sentence, int((width-2*svgPad)/svgColumn)-2) {
		p.text(svgPad, p.y, "title", line)
		p.y += svgRow + 2
	}
	p.y += 16
	p.sequence(drawing)
	for i, line := range wrap(d.Mend(l), int((width-2*svgPad)/svgColumn)-columns(label(l, "mend"))-4) {
		if d.Verdict == Works && d.Cause.Class() == "" {
			break
		}
		if i == 0 {
			p.text(svgPad, p.y, "faint", label(l, "mend"))
		}
		p.text(svgPad+float64(columns(label(l, "mend"))+2)*svgColumn, p.y, "plain", line)
		p.y += svgRow
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" lang="%s">`+"\n", width, p.y+svgPad/2, width, p.y+svgPad/2, l)
	fmt.Fprintf(&out, "<title>%s</title>\n%s", escapeXML(sentence), svgStyle)
	out.Write(p.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

const svgStyle = `<style>
svg { --back: #ffffff; --ink: #1f2328; --faint: #6e7781; --line: #8c959f; --bad: #b3261e; --badback: #ffebe9; --good: #1a7f37; --goodback: #dafbe1; }
@media (prefers-color-scheme: dark) {
svg { --back: #0d1117; --ink: #e6edf3; --faint: #8b949e; --line: #6e7681; --bad: #ff7b72; --badback: #3c1618; --good: #56d364; --goodback: #12261e; } }
.back { fill: var(--back); } .badback { fill: var(--badback); } .goodback { fill: var(--goodback); }
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace; fill: var(--ink); white-space: pre; }
.title { font-weight: 600; } .strong { font-weight: 600; } .faint { fill: var(--faint); } .bad { fill: var(--bad); font-weight: 600; } .good { fill: var(--good); font-weight: 600; }
line, path { stroke: var(--line); stroke-width: 1.4; fill: none; } .life { stroke-dasharray: 2 4; } .head { fill: var(--line); stroke: none; }
.badline { stroke: var(--bad); } .badhead { fill: var(--bad); stroke: none; }
</style>
<rect class="back" width="100%" height="100%" rx="8"/>
`

// svgPen writes elements from the top to the bottom.
type svgPen struct {
	bytes.Buffer
	l           Language
	left, right float64
	inner       int
	y           float64
}

func (p *svgPen) text(x, y float64, class, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" class="%s">%s</text>`+"\n", x, y, class, escapeXML(text))
}

func (p *svgPen) textEnd(x, y float64, class, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" class="%s" text-anchor="end">%s</text>`+"\n", x, y, class, escapeXML(text))
}

func (p *svgPen) textMiddle(x, y float64, class, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" class="%s" text-anchor="middle">%s</text>`+"\n", x, y, class, escapeXML(text))
}

// back is a coloured row between the two lines.
func (p *svgPen) back(class string) {
	fmt.Fprintf(p, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="3"/>`+"\n", class, p.left+7, p.y-15, p.right-p.left-14, svgRow)
}

func (p *svgPen) sequence(d drawing) {
	if len(d.arrows) == 0 {
		p.text(svgPad, p.y, "strong", d.page)
		p.y += svgRow
		if d.end != "" {
			p.text(svgPad, p.y, "bad", "✗ "+d.end)
			p.y += svgRow
		}
		p.y += svgRow / 2
		return
	}
	p.text(svgPad, p.y, "strong", cut(d.page, p.inner))
	top := p.y + 10
	server := ""
	for _, a := range d.arrows {
		if a.server != server {
			x := p.right + 8
			if server != "" {
				p.y += svgRow
				x = p.right - 10 // beside the line
			}
			p.textEnd(x, p.y, "strong", cut(a.server, p.inner/2))
			server = a.server
		}
		p.y += svgRow + 8
		p.arrow(a)
	}
	p.y += svgRow
	bottom := p.y - 8
	fmt.Fprintf(p, `<line class="life" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", p.left, top, p.left, bottom)
	fmt.Fprintf(p, `<line class="life" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", p.right, top, p.right, bottom)
	if d.end != "" {
		class, mark := "good", "✓ "
		if d.bad {
			class, mark = "bad", "✗ "
		}
		p.y += 8
		p.text(p.left-6, p.y, class, mark+d.end)
		p.y += svgRow
	}
	p.y += svgRow / 2
}

func (p *svgPen) arrow(a arrow) {
	bad, ink := "", "strong"
	if a.bad {
		bad, ink = "bad", "bad"
		p.back("badback")
	}
	middle := (p.left + p.right) / 2
	p.textMiddle(middle, p.y, ink, cut(a.label, p.inner-4))
	if a.tag != "" {
		p.text(p.right+12, p.y+4, "faint", a.tag)
	}
	p.y += 7
	from, to, head := p.left, p.right, -8.0
	if !a.toServer {
		from, to, head = p.right, p.left, 8.0
	}
	fmt.Fprintf(p, `<line class="%sline" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", bad, from, p.y, to, p.y)
	fmt.Fprintf(p, `<path class="%shead" d="M%.1f %.1f l%.1f -4.5 v9 z"/>`+"\n", bad, to, p.y, head)
	p.y += svgRow - 2
	if a.want != "" {
		p.want(a.want)
	}
	for _, f := range a.fields {
		p.field(f)
	}
	p.y -= svgRow - 8
}

func (p *svgPen) field(f drawn) {
	x := p.left + 22
	text := f.name + ": " + f.value
	switch {
	case f.absent:
		text = f.name + " " + label(p.l, "missing")
	case f.name == "":
		text = f.value
	}
	if !f.bad {
		p.text(x, p.y, "plain", cut(text, p.inner-5))
		p.y += svgRow
		return
	}
	rows := wrap(text, p.inner-6)
	if len(rows) > 6 {
		rows = append(rows[:6], "…")
	}
	for i, row := range rows {
		p.back("badback")
		if i == 0 {
			p.text(p.left-22, p.y, "bad", "✗")
		}
		p.text(x, p.y, "bad", row)
		p.y += svgRow
	}
	if f.want != "" {
		p.want(f.want)
	}
}

func (p *svgPen) want(text string) {
	lead := label(p.l, "should be") + " "
	for i, row := range wrap(text, p.inner-7-columns(lead)) {
		if i == 4 {
			break
		}
		p.back("goodback")
		if i == 0 {
			p.text(p.left+22, p.y, "faint", lead)
		}
		p.text(p.left+22+float64(columns(lead))*svgColumn, p.y, "good", row)
		p.y += svgRow
	}
}

func escapeXML(text string) string {
	var b bytes.Buffer
	// A Buffer's Write has no error.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}
