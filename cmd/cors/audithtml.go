package main

import (
	"html/template"
	"io"

	"github.com/crossorigin/cors/cmd/internal/report"
)

// writeAuditHTML writes a page that needs nothing else.
func writeAuditHTML(w io.Writer, r *auditReport) error {
	return auditPage.Execute(w, map[string]any{"Records": r.kept, "URLs": r.urls, "Requests": r.requests, "Found": map[string]int{
		"high": r.found[3], "medium": r.found[2], "low": r.found[1], "info": r.found[0],
	}, "Unreachable": r.unreachable})
}

var auditPage = template.Must(template.New("audit").Funcs(template.FuncMap{"clean": report.Clean, "page": pageOf}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>cors audit</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1.1rem; overflow-wrap: anywhere; border-top: 1px solid; padding-top: .75rem }
dl { display: grid; grid-template-columns: 6rem 1fr; gap: .1rem .75rem; margin: .25rem 0 1rem }
dt { opacity: .75 } dd { margin: 0; overflow-wrap: anywhere }
code { font-size: .9em }
.severity { display: inline-block; min-width: 5rem; padding: 0 .5rem; border: 2px solid; border-radius: .25rem; text-align: center; font-weight: bold }
.high { color: light-dark(#a00, #f88) } .medium { color: light-dark(#940, #fb6) } .low { color: light-dark(#660, #dd6) }
</style>
<h1>What servers wrongly allow</h1>
<p>{{.URLs}} URLs, {{.Requests}} requests: {{.Found.high}} high, {{.Found.medium}} medium, {{.Found.low}} low, {{.Found.info}} info; {{.Unreachable}} without an answer.
{{range .Records}}{{if or .Findings .Unreachable}}<h2>{{clean .URL}}</h2>
{{with .Unreachable}}<p>No answer: {{clean .}}
{{end}}{{range .Findings}}<p><span class="severity {{.Severity}}">{{.Severity}}</span> {{.Title}} (<code>{{.Rule}}</code>)
<dl>
{{with page .}}<dt>page<dd>{{clean .}}
{{end}}<dt>asked<dd>{{.Method}} {{clean .URL}}
<dt>came<dd>{{clean .Got}}
<dt>mend<dd>{{.Mend}}
<dt>more<dd><a href="{{.Link}}">{{if .CWE}}CWE-{{.CWE}}{{else}}{{.Link}}{{end}}</a>
{{with .Replay}}<dt>replay<dd><code>{{clean .}}</code>
{{end}}</dl>
{{end}}{{end}}{{else}}<p>Nothing that a browser would let a page do.
{{end}}</html>
`))
