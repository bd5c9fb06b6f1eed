package main

import (
	"cmp"
	"html/template"
	"io"
	"slices"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// writeAuditHTML writes a page that needs nothing else, the worst first.
func writeAuditHTML(w io.Writer, r *auditReport) error {
	records := slices.Clone(r.kept)
	records = slices.DeleteFunc(records, func(a *auditRecord) bool { return len(a.Findings) == 0 && a.Unreachable == "" })
	slices.SortStableFunc(records, func(a, b *auditRecord) int { return cmp.Compare(worstOf(b), worstOf(a)) })
	type tally struct {
		Severity string
		N        int
	}
	var found []tally
	for s := audit.High; ; s-- {
		found = append(found, tally{s.String(), r.found[s]})
		if s == audit.Info {
			break
		}
	}
	what := count(r.urls, "URL") + ", " + count(r.requests, "request")
	if r.unasked {
		what = count(r.urls, "route") + " of a policy; no server was asked"
	}
	return auditPage.Execute(w, map[string]any{
		"Records": records, "What": what, "Found": found, "Unreachable": r.unreachable, "Credentials": r.credentials,
		"Session": r.session, "Unasked": r.unasked,
	})
}

// worstOf is the worst severity that is found, and -1 where nothing is.
func worstOf(r *auditRecord) int {
	worst := -1
	for _, f := range r.Findings {
		if s, err := audit.ParseSeverity(f.Severity); err == nil {
			worst = max(worst, int(s))
		}
	}
	return worst
}

// worstWord is that in a word, for a class.
func worstWord(r *auditRecord) string {
	if worst := worstOf(r); worst >= 0 {
		return audit.Severity(worst).String()
	}
	return "silent"
}

var auditPage = template.Must(template.New("audit").Funcs(template.FuncMap{"clean": report.Clean, "page": pageOf, "worst": worstWord}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>cors audit</title>
<style>
:root { color-scheme: light dark; --line: light-dark(#d5d8dd, #3b4048); --faint: light-dark(#59606b, #a3abb8); --card: light-dark(#f6f7f9, #1e2126);
  --high: light-dark(#b3121d, #ff8a8f); --medium: light-dark(#9a4a00, #ffb266); --low: light-dark(#6a5b00, #e3d25c); --info: light-dark(#3b5b85, #a0c3f0) }
* { box-sizing: border-box }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto 4rem; padding: 0 1rem; background: light-dark(#fff, #15171a); color: light-dark(#16181c, #e8eaed) }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; overflow-wrap: anywhere; margin: 2.5rem 0 .75rem; border-top: 1px solid var(--line); padding-top: 1rem }
h3 { font-size: 1rem; line-height: 1.4; margin: 0 0 .5rem }
.faint, dt { color: var(--faint) }
.tally { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none }
.tally li { flex: 1 1 6rem; border: 1px solid var(--line); border-top: .25rem solid; border-radius: .25rem; padding: .4rem .75rem }
.tally b { display: block; font-size: 1.5rem; line-height: 1.2 }
.none { opacity: .55 }
.index { padding: 0; list-style: none }
.index li { display: grid; grid-template-columns: 6.5rem 1fr; gap: .75rem; padding: .25rem 0; overflow-wrap: anywhere; align-items: baseline }
article { background: var(--card); border-left: .25rem solid; border-radius: .25rem; padding: .75rem 1rem; margin: 0 0 1rem }
h3, dl { color: light-dark(#16181c, #e8eaed) }
dl { display: grid; grid-template-columns: 4.5rem 1fr; gap: .15rem .75rem; margin: 0 }
dd { margin: 0; overflow-wrap: anywhere }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere }
a { color: light-dark(#0a55b8, #8ab8ff) }
.severity { border: 1px solid; border-radius: .25rem; padding: 0 .4rem; font-size: .8rem; font-weight: bold; text-align: center; text-transform: uppercase }
.high { color: var(--high) } .medium { color: var(--medium) } .low { color: var(--low) } .info { color: var(--info) } .silent { color: var(--faint) }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .4rem } .tally li { flex-basis: 40% } .index li { grid-template-columns: 1fr; gap: 0 } .index .severity { justify-self: start } }
@media print { article { break-inside: avoid } }
</style>
<h1>What servers wrongly allow</h1>
<p class="faint">{{.What}}{{if not .Unasked}}; asked {{if .Session}}with{{else}}without{{end}} a session{{end}}
<ul class="tally">
{{range .Found}}<li class="{{.Severity}}{{if not .N}} none{{end}}"><b>{{.N}}</b>{{.Severity}}
{{end}}{{if .Unreachable}}<li class="silent"><b>{{.Unreachable}}</b>without an answer
{{end}}</ul>
{{if .Credentials}}<p class="faint">With credentials means: with cookies that are SameSite=None, or of a browser that sends others across sites, or with a login by HTTP or a client's certificate.
{{end}}{{if not .Records}}<p>Nothing that a browser would let a page do.
{{else}}<ul class="index">
{{range $i, $r := .Records}}<li><span class="severity {{worst $r}}">{{if $r.Findings}}{{worst $r}}{{else}}no answer{{end}}</span><a href="#at{{$i}}">{{clean $r.URL}}</a>
{{end}}</ul>
{{end}}{{range $i, $r := .Records}}<h2 id="at{{$i}}">{{clean $r.URL}}</h2>
{{with $r.Unreachable}}<p>No answer: {{clean .}}
{{end}}{{range $r.Notes}}<p class="faint">{{clean .}}
{{end}}{{if $r.Omitted}}<p class="faint">The budget was used up, and something was not asked.
{{end}}{{range $r.Findings}}<article class="{{.Severity}}">
<h3><span class="severity {{.Severity}}">{{.Severity}}</span> {{.Title}}</h3>
<dl>
<dt>rule<dd><code>{{.Rule}}</code>{{if .CWE}}, <a href="{{.Link}}">CWE-{{.CWE}}</a>{{end}}
{{with page .}}<dt>page<dd>{{clean .}}
{{end}}{{if gt (len .Origins) 1}}<dt>origins<dd>{{range $n, $o := .Origins}}{{if $n}}, {{end}}<code>{{clean $o}}</code>{{end}}
{{end}}<dt>asked<dd>{{.Method}} {{clean .URL}}
<dt>came<dd>{{clean .Got}}
<dt>mend<dd>{{.Mend}}
{{if not .CWE}}<dt>more<dd><a href="{{.Link}}">{{.Link}}</a>
{{end}}{{with .Replay}}<dt>replay<dd><code>{{clean .}}</code>
{{end}}{{with .Proof}}<dt>proof<dd><code>{{clean .}}</code>
{{end}}</dl>
</article>
{{end}}{{end}}</html>
`))
