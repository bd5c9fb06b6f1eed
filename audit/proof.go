package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"

	"github.com/crossorigin/cors/fetch"
)

// ProofPage is a page that makes the attack in a browser and shows what it got,
// nil where no page gets anything by f. Pages with an opaque origin can be opened
// from anywhere; others show it where they are served at f.Origins[0]. Nothing of
// a session is in it: the browser has its own.
func (f *Finding) ProofPage() ([]byte, error) {
	if f.Reach == Nothing || len(f.Origins) == 0 || f.Request == nil {
		return nil, nil
	}
	// The keys are those of fetch().
	options := map[string]any{"credentials": fetch.CredentialsInclude, "redirect": "follow"}
	if f.Reach == Reads {
		options["credentials"] = fetch.CredentialsOmit
	}
	if f.Request.Method != "" {
		options["method"] = f.Request.Method
	}
	if f.Request.ReferrerPolicy != "" {
		options["referrerPolicy"] = f.Request.ReferrerPolicy
	}
	headers := map[string]string{}
	for _, h := range f.Request.Header {
		headers[h.Name] = h.Value
	}
	if len(headers) > 0 {
		options["headers"] = headers
	}
	url, err := json.Marshal(f.Request.URL)
	if err != nil {
		return nil, fmt.Errorf("audit: proof of %s: %w", f.Rule.ID, err)
	}
	with, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("audit: proof of %s: %w", f.Rule.ID, err)
	}
	data := struct {
		Finding  *Finding
		URL      string
		At, Page string
		Script   template.JS
		Inner    string
		Sends    bool
	}{Finding: f, URL: f.Request.URL, At: f.Origins[0], Page: f.Page, Sends: f.Reach == Sends}
	// What JSON's encoder escapes cannot end a script.
	data.Script = template.JS(fmt.Sprintf(`const show = (text) => { document.getElementById("got").textContent = text };
fetch(%s, %s).then(
	async (res) => show("READ: status " + res.status + "\n" + (await res.text()).slice(0, 2000)),
	(err) => show("BLOCKED: " + err),
);`, url, with))
	if data.Sends {
		data.Script = "document.getElementById(\"go\").onclick = () => {\n" + data.Script + "\n};" // which may change something
	}
	var inner, page bytes.Buffer
	if f.Opaque {
		if err := sandboxTemplate.Execute(&inner, data); err != nil {
			return nil, fmt.Errorf("audit: proof of %s: %w", f.Rule.ID, err)
		}
		data.Inner = inner.String()
	}
	if err := proofTemplate.Execute(&page, data); err != nil {
		return nil, fmt.Errorf("audit: proof of %s: %w", f.Rule.ID, err)
	}
	return page.Bytes(), nil
}

var sandboxTemplate = template.Must(template.New("sandbox").Parse(`<!doctype html><meta charset="utf-8">{{if .Sends}}<p>What is sent may change something, and the answer is not for the page to read: look at the network's log.
<p><button id="go">Send it</button>{{end}}<pre id="got">…</pre><script>{{.Script}}</script>`))

var proofTemplate = template.Must(template.New("proof").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<title>{{.Finding.Rule.ID}}: {{.URL}}</title>
<style>body { font: 1rem/1.5 sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem } pre, iframe { width: 100%; min-height: 8rem; border: 1px solid; padding: .5rem; white-space: pre-wrap; box-sizing: border-box }</style>
<h1>{{.Finding.Rule.Title}}</h1>
<p>{{.URL}}
{{if .Inner}}<p>This page can be opened from anywhere: the frame below is a sandbox, whose origin is null.
<iframe sandbox="allow-scripts" srcdoc="{{.Inner}}"></iframe>
{{else}}<p>Serve this page at <code>{{.Page}}</code>: elsewhere it shows what another origin gets.{{if .Sends}} What is sent may change something, and the answer is not for the page to read: look at the network's log.
<p><button id="go">Send it</button>{{end}}
<pre id="got">…</pre>
<script>{{.Script}}</script>
{{end}}<p>{{.Finding.Rule.Mend}}. <a href="{{.Finding.Rule.Link}}">{{.Finding.Rule.Link}}</a>
</html>
`))
