package console

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// maxStops is more than any panel has.
const maxStops = 300

// stops are where the focus goes.
const stops = `
window.stops = [];
window.stop = () => {
  const e = document.activeElement;
  if (e === document.body) return { end: true };
  const at = stops.indexOf(e);
  if (at < 0) stops.push(e);
  // What shows the focus may be the box of an editor, or the label of a hidden control.
  const shown = [e, e.closest('.editor'), e.nextElementSibling].some(e => {
    const style = e && getComputedStyle(e);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  });
  return { end: at === 0, again: at > 0, shown, editor: e.matches('.cm-content'), html: e.outerHTML.slice(0, 200) };
};
window.missed = () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"], [contenteditable="true"]')]
  .filter(e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }) && !stops.includes(e))
  .filter(e => e.type !== 'radio' || ![...document.getElementsByName(e.name)].some(other => stops.includes(other)))
  .map(e => e.outerHTML.slice(0, 200));
`

// TestTheKeyboardReachesEverything walks each panel by Tab from its beginning to
// its end. What there is to reach is recorded in testdata/keyboard, by role and
// name, as a screen reader says it.
func TestTheKeyboardReachesEverything(t *testing.T) {
	browser := chromium(t)
	s, alone := newSite(t), newAlone(t)
	s.traffic(t)
	for _, panel := range panels {
		t.Run(panel.name, func(t *testing.T) {
			s := panel.in(s, alone)
			p := s.open(t, browser, panel.name, look{"en", "light", 1280})
			p.until(t, readyOf(panel.name))
			p.run(t, stops)
			var walk strings.Builder
			for range maxStops {
				p.press(t, kb.Tab)
				var stop struct {
					End, Again, Shown, Editor bool
					HTML                      string
				}
				if err := json.Unmarshal([]byte(p.text(t, "JSON.stringify(stop())")), &stop); err != nil {
					t.Fatal(err)
				}
				if stop.End {
					break
				}
				if stop.Again {
					t.Fatalf("the focus comes again to %s, without having been everywhere", stop.HTML)
				}
				if !stop.Shown {
					t.Errorf("nothing shows that the focus is on %s", stop.HTML)
				}
				fmt.Fprintln(&walk, strings.ReplaceAll(p.focused(t), s.options.Address, "CONSOLE"))
				if stop.Editor {
					p.press(t, kb.Escape) // or Tab would indent
				}
			}
			if missed := p.text(t, "missed().join('\\n')"); missed != "" {
				t.Errorf("no Tab leads to\n%s", missed)
			}
			golden(t, "testdata/keyboard/"+panel.name+".txt", walk.String())
			p.isQuiet(t)
		})
	}
}

// press presses keys, one after the other. As from a real keyboard, and other than
// with chromedp.KeyEvent, a key writes nothing where the page has taken it for
// something else.
func (p *tab) press(t *testing.T, keys string, held ...kb.Modifier) {
	t.Helper()
	for _, key := range keys {
		p.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return press(ctx, key, held) }))
	}
}

func press(ctx context.Context, key rune, held []kb.Modifier) error {
	events := kb.Encode(key)
	down, up := events[0], events[len(events)-1]
	down.Type = input.DispatchKeyEventTypeRawKeyDown
	for _, e := range events {
		if e.Type == input.DispatchKeyEventTypeChar && len(held) == 0 {
			down.Type, down.Text = input.DispatchKeyEventTypeKeyDown, e.Text
		}
		for _, m := range held {
			e.Modifiers |= int64(m)
		}
	}
	if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *down); err != nil {
		return err
	}
	_, err := chromedp.Call(ctx, input.DispatchKeyEvent, *up)
	return err
}

// focused is the role and the name of what has the focus, as assistive technology
// gets them.
func (p *tab) focused(t *testing.T) string {
	t.Helper()
	name, err := chromedp.Run(p, func(ctx context.Context, _ *chromedp.Target) (string, error) {
		e, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement"})
		if err != nil {
			return "", err
		}
		alone := false
		tree, err := chromedp.Call(ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: e.Result.ObjectID, FetchRelatives: &alone})
		if err != nil {
			return "", err
		}
		var role, name string
		n := tree.Nodes[0]
		if n.Role != nil {
			json.Unmarshal(n.Role.Value, &role)
		}
		if n.Name != nil {
			json.Unmarshal(n.Name.Value, &name)
		}
		return fmt.Sprintf("%s %q", role, name), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test -u", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), which go test -u rewrites:\n%s", path, diff)
	}
}

// TestAPolicyIsEditedByKeyboardAlone opens the panel from the one before it,
// writes a mistake, goes to it, mends it with a completion, leaves the editor,
// applies and takes back.
func TestAPolicyIsEditedByKeyboardAlone(t *testing.T) {
	browser := chromium(t)
	s := newSite(t)
	s.traffic(t)
	p := s.open(t, browser, "live", look{"en", "light", 1280})
	p.tabTo(t, `link "Policy"`)
	enter := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return press(ctx, '\r', nil) })
	if _, err := chromedp.RunResponse(p, enter); err != nil {
		t.Fatal(err)
	}
	p.until(t, ready["policy"])

	p.tabTo(t, `textbox "The policy, cors.yaml"`)
	p.press(t, kb.Home, kb.ModifierCtrl)
	p.press(t, strings.Repeat(kb.ArrowDown, 8)+kb.End+kb.ArrowLeft+", put")
	p.until(t, "document.querySelectorAll('#mistakes > *').length === 1")

	// A key, and its value, from what is offered.
	p.press(t, kb.End+kb.Enter+"shad")
	p.until(t, "document.querySelector('.cm-tooltip-autocomplete [aria-selected]')?.innerText === 'shadow'")
	p.rest(t)
	p.press(t, kb.Enter+"t")
	p.until(t, "document.querySelector('.cm-tooltip-autocomplete [aria-selected]')?.innerText === 'true'")
	p.rest(t)
	p.press(t, kb.Enter)
	p.until(t, "document.querySelector('.cm-content').innerText.includes('shadow: true\\n')")

	// To the mistake, by the button that has its place.
	p.press(t, kb.Escape+kb.Tab)
	p.tabTo(t, `button "9:27"`)
	p.press(t, kb.Enter)
	p.until(t, "document.activeElement.matches('.cm-content')")
	p.press(t, strings.Repeat("\u007f", 3)+"DELETE")
	p.until(t, "document.querySelector('#state').dataset.state === 'ready'")
	p.until(t, "document.querySelectorAll('#changes > *').length > 0")

	p.press(t, kb.Escape) // for what is offered
	p.press(t, kb.Escape)
	p.tabTo(t, `button "Apply"`)
	p.press(t, kb.Enter)
	p.until(t, "document.querySelector('#state').innerText.startsWith('In force since')")
	if text := string(s.options.Policy().Text); !strings.Contains(text, "methods: [PUT, PATCH, DELETE]\n    shadow: true\n") {
		t.Errorf("in force is\n%s", text)
	}
	p.tabTo(t, `button "Undo the last Apply"`)
	p.press(t, " ")
	p.until(t, "document.querySelector('#state').dataset.state === 'same' && document.querySelector('#undo').disabled")
	if text := string(s.options.Policy().Text); strings.Contains(text, "shadow") {
		t.Errorf("after it is taken back, in force is\n%s", text)
	}
	p.isQuiet(t)
}

// tabTo presses Tab until the focus is on what has this role and name.
func (p *tab) tabTo(t *testing.T, name string) {
	t.Helper()
	for range maxStops {
		p.press(t, kb.Tab)
		if p.focused(t) == name {
			return
		}
	}
	t.Fatalf("no Tab leads to %s; the page shows:\n%s", name, p.text(t, "document.body.innerText"))
}

// rest waits until a list of completions takes keys: it does not at once, so that
// nobody chooses by mistake what appears under a key that was meant for the text.
func (p *tab) rest(t *testing.T) {
	t.Helper()
	p.run(t, "window.shown = performance.now()")
	p.until(t, "performance.now() - window.shown > 100")
}
