package console

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// ready is true, in JavaScript, when a panel shows what it is to be judged by.
var ready = map[string]string{
	"live":   "document.querySelectorAll('#log > *').length > 20 && document.querySelector('#origins > *') && document.querySelector('canvas')",
	"policy": "document.querySelector('.cm-content') && document.querySelector('#state').dataset.state === 'same'",
}

// isReady is for a panel that ready does not name.
const isReady = "document.readyState === 'complete'"

// stir has a panel show what it shows only later: each is a script, and what is
// true once it has been done.
var stir = map[string][][2]string{
	"live": {{"for (const d of document.querySelectorAll('details')) d.open = true", "document.querySelector('details[open] pre')"}},
	"try": {
		{"document.querySelector('[name=url]').value += 'users'; document.querySelector('[type=submit]').click()", "document.querySelector('#result .agreement')?.textContent"},
		{"document.querySelector('[data-start]').click(); document.querySelector('[name=url]').value = 'https://evil.example'; document.querySelector('[type=submit]').click()", "document.querySelector('#problem li')"},
	},
	"play": {
		{"document.querySelector('#add').click(); document.querySelector('[type=submit]').click()", "document.querySelector('#result .agreement')?.textContent"},
		{"for (const d of document.querySelectorAll('details')) d.open = true", "document.querySelector('details[open] pre')"},
		{"location.hash = '#2.eyJ9'", "document.querySelector('#problem li')"},
	},
	"learn": {
		{"document.querySelector('[data-example=origin-sent] .run').click(); document.querySelector('[data-example=max-age-kept] .run').click()", "document.querySelectorAll('.agreement').length === 2"},
		{"document.querySelector('[data-example=allow-headers-missing] .run').click()", "document.querySelectorAll('.agreement').length === 3"},
		{"for (const d of document.querySelectorAll('details')) d.open = true", "document.querySelector('details[open] pre')"},
	},
	"policy": {
		{"write(policy().replace('10m', 'ten minutes').replace('PUT', 'put'))", "document.querySelectorAll('#mistakes > *').length === 2"},
		{"write('routes:\\n  /:\\n    '); document.querySelector('.cm-content').dispatchEvent(new KeyboardEvent('keydown', { key: ' ', code: 'Space', keyCode: 32, ctrlKey: true, bubbles: true, cancelable: true }))", "document.querySelector('.cm-completionInfo')"},
		{"write(policy().replace('PATCH', 'DELETE').replace('true', 'false'))", "document.querySelectorAll('#changes > *').length > 2"},
	},
}

// helpers are what scripts of the tests use: write puts a text into the editor as
// if it were pasted over all that is there.
const helpers = `
window.policy = () => window.first ??= document.querySelector('#text').defaultValue;
window.write = text => {
  const content = document.querySelector('.cm-content');
  content.focus();
  content.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', code: 'KeyA', keyCode: 65, ctrlKey: true, bubbles: true, cancelable: true }));
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  content.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
};
`

// TestAxeFindsNothing runs the checks of axe-core on each panel, in each of its
// states, as two visitors see it who have nothing in common.
func TestAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	browser := chromium(t)
	s, alone := newSite(t), newAlone(t)
	s.traffic(t)
	for _, l := range []look{{"en", "light", 1280}, {"ja", "dark", 360}} {
		for _, panel := range panels {
			t.Run(panel.name+", "+l.String(), func(t *testing.T) {
				p := panel.in(s, alone).open(t, browser, panel.name, l)
				p.run(t, string(axe)+"\n"+helpers)
				p.until(t, readyOf(panel.name))
				p.judge(t, "at first")
				for _, state := range stir[panel.name] {
					p.run(t, state[0])
					p.until(t, state[1])
					p.judge(t, "after "+state[0])
				}
				p.isQuiet(t)
			})
		}
	}
}

// in is which of two consoles has the panel.
func (p panel) in(s, alone *site) *site {
	if p.shown == nil || p.shown(s.options) {
		return s
	}
	return alone
}

func readyOf(panel string) string {
	if expression, ok := ready[panel]; ok {
		return expression
	}
	return isReady
}

// judge has axe-core look at the page.
func (p *tab) judge(t *testing.T, when string) {
	t.Helper()
	const run = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations, passes }) => JSON.stringify({
		passes: passes.length,
		violations: violations.map(v => v.id + ': ' + v.help + '\n' + v.nodes.map(n => '    ' + n.target.join(' ') + '\n      ' + n.failureSummary.replaceAll('\n', '\n      ')).join('\n')),
	}))`
	text, err := chromedp.Run(p, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Violations) > 0 {
		t.Errorf("%s, axe-core finds:\n  %s", when, strings.Join(found.Violations, "\n  "))
	}
	if found.Passes < 10 {
		t.Errorf("%s, axe-core has found %d things in order, which is too few to have looked at a page", when, found.Passes)
	}
}
