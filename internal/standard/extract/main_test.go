package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExtract(t *testing.T) {
	const bs = `
<h3 id=cors-check>CORS check</h3>
<p>A <dfn for=request/destination>script-like</dfn> thing, a <dfn export lt="block bad port">should be blocked</dfn> one.
<div algorithm>
<p>To perform a <dfn id=concept-cors-check>CORS check</dfn> with <a for=/>that</a>:
<ol>
 <li><p>First.
 <li>
  <p>Then one of:
  <dl class=switch>
   <dt>"a" <dd><ol><li><p>This. <li><p>And <dfn>this</dfn>.</ol>
   <dt>"b" <dd><ol><li><p>That.</ol>
  </dl>
 <li><ul><li><ol><li>Deep.</ol></ul>
</ol>
</div>
<div algorithm><p>The <dfn method for=Headers><code>set(<var>name</var>)</code></dfn> steps: <ol><li>Set.</ol></div>
<table><tr><th>Port<th>Typical service <tr><td>0<td>— <tr><td>25<td>smtp</table>`
	const want = `commit	abc of 2026-07-02
section	cors-check	CORS check
definition	request-destination-script-like	script-like
definition	block-bad-port	should be blocked
algorithm	concept-cors-check	CORS check	1 2 2.1 2.2 2.1 3 3.1
definition	this	this
algorithm	dom-headers-set	set(name)	1
ports	0 25
`
	var got strings.Builder
	if err := extract(strings.NewReader(bs), &got, "abc of 2026-07-02"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("extract (-want +got):\n%s", diff)
	}
}
