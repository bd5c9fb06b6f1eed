package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/internal/browser"
)

// operator is a module that the test adds to the page, and that edits the policy
// as somebody would: by the browser's own editing.
const operator = `
const until = async (what, f) => {
  for (let i = 0; i < 1000; i++) {
    const value = f();
    if (value) return value;
    await new Promise(done => setTimeout(done, 20));
  }
  throw new Error('there is never ' + what + ' in: ' + document.body.innerText);
};
const $ = selector => document.querySelector(selector);
const all = selector => [...document.querySelectorAll(selector)].map(e => e.innerText.replace(/\s+/g, ' ').trim());
const state = () => $('#state').dataset.state;

// select selects a text in the editor.
const select = text => {
  const walk = document.createTreeWalker($('.cm-content'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const at = walk.currentNode.data.indexOf(text);
    if (at < 0) continue;
    $('.cm-content').focus();
    getSelection().setBaseAndExtent(walk.currentNode, at, walk.currentNode, at + text.length);
    document.dispatchEvent(new Event('selectionchange'));
    return;
  }
  throw new Error('the editor shows no ' + text);
};
const type = text => document.execCommand('insertText', false, text);
const ask = async () => (await fetch('/test/ask?gateway=' + document.body.dataset.gateway)).text();

const report = {};
try {
  await until('the editor', () => $('.cm-content') && state() === 'same');
  report.styled = getComputedStyle($('.cm-scroller')).display; // by the style that has the nonce
  report.before = await ask();

  select('PUT');
  type('put');
  await until('a mistake', () => $('#mistakes li'));
  report.mistakes = all('#mistakes li');
  report.marked = all('.cm-lintRange-error');
  report.refused = $('#apply').disabled;
  $('#mistakes button').click();
  report.focused = document.activeElement === $('.cm-content');

  select('put');
  type('PUT, DELETE');
  await until('a policy without mistakes', () => state() === 'ready');
  report.summary = all('#summary span');
  report.changes = all('#changes li');
  report.meanwhile = await ask();

  $('#apply').click();
  await until('a policy in force', () => state() === 'same');
  report.applied = await ask();

  $('#undo').click();
  await until('nothing to undo', () => state() === 'same' && $('#undo').disabled);
  report.undone = await ask();

  $('#editor').scrollIntoView(); // or the window may end above what is offered
  select('true');
  getSelection().collapseToEnd();
  document.dispatchEvent(new Event('selectionchange'));
  const press = (key, keyCode, more) => $('.cm-content').dispatchEvent(new KeyboardEvent('keydown', { key, code: key === ' ' ? 'Space' : key, keyCode, bubbles: true, cancelable: true, ...more }));
  press('Enter', 13);
  type('sha');
  await until('completions', () => $('.cm-tooltip-autocomplete li'));
  report.explained = await until('in sight what the key is for', () => {
    if (!$('.cm-tooltip-autocomplete li')) press(' ', 32, { ctrlKey: true }); // a busy browser may have closed them
    $('#editor').scrollIntoView();
    const box = $('.cm-completionInfo')?.getBoundingClientRect();
    return box && document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)?.closest('.cm-completionInfo')?.innerText;
  });
  report.offered = all('.cm-tooltip-autocomplete li');
  $('#discard').click();
  await until('the text in force', () => state() === 'same');
  report.overflow = document.documentElement.scrollWidth > innerWidth;
} catch (error) {
  report.failed = String(error);
}
await fetch('/test/report', { method: 'POST', body: JSON.stringify(report) });
`

type operated struct {
	Before, Meanwhile, Applied, Undone string // what the gateway answers
	Mistakes, Marked, Summary          []string
	Changes, Offered                   []string
	Refused, Focused, Overflow         bool
	Styled, Explained, Failed          string
}

func TestThePolicyIsEditedInEachBrowser(t *testing.T) {
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			want := operated{
				Styled: "flex",
				Before: "403 ", Meanwhile: "403 ", Applied: "204 DELETE", Undone: "403 ",
				Mistakes:  []string{`9:15 route "/": methods[0]: "put": methods are case-sensitive, and browsers send this one in upper case; write "PUT"`},
				Marked:    []string{"put"},
				Summary:   []string{"5 of the last 33 requests would now be allowed."},
				Changes:   []string{"would be allowed 5 times preflight DELETE /users/1 from https://app.example.com until now: the method is not in the policy: DELETE"},
				Offered:   []string{"shadow"},
				Explained: "Decide and count, but enforce nothing: to try a policy on live traffic.",
				Refused:   true, Focused: true,
			}
			if diff := cmp.Diff(want, operate(t, name)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// operate opens the panel of a site in a browser, and returns what the operator
// reports.
func operate(t *testing.T, name browser.Name) operated {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	reports := make(chan operated, 1)
	s := newSite(t, func(own http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/test/operator.js":
				w.Header().Set("Content-Type", "text/javascript")
				io.WriteString(w, operator)
			case "/test/ask":
				asked := &site{gateway: r.URL.Query().Get("gateway")}
				res := asked.ask(t, "DELETE", "/users/1", "https://app.example.com", "Authorization")
				fmt.Fprint(w, res.StatusCode, " ", res.Header.Get("Access-Control-Allow-Methods"))
			case "/test/report":
				var report operated
				if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
					t.Error(err)
				}
				reports <- report
			default:
				own.ServeHTTP(w, r)
				if r.URL.Path == "/policy" && w.Header().Get("Set-Cookie") == "" {
					io.WriteString(w, `<script type="module" src="/test/operator.js"></script>`)
				}
			}
		})
	})
	s.traffic(t)
	p, err := browser.Start(ctx, name, "http://"+s.options.Address+"/policy?token="+s.options.Token)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case report := <-reports:
		return report
	case <-ctx.Done():
		t.Fatal("the page reported nothing")
	}
	return operated{}
}
