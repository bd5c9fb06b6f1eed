package console

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/crossorigin/cors/internal/browser"
)

// A look is how a visitor sees a page.
type look struct {
	lang   string
	scheme string // of colours: light or dark
	width  int64
}

func (l look) String() string { return fmt.Sprintf("%s, %s, %d px", l.lang, l.scheme, l.width) }

// chromium starts a Chromium until the test ends.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if err := browser.Available(browser.Chromium); err != nil {
		t.Skip(err)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-lcd-text", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A tab is a page in Chromium.
type tab struct {
	context.Context

	mu   sync.Mutex
	said []string // errors and warnings of the browser and of scripts
}

// open opens a panel in a tab of its own, with the token.
func (s *site) open(t *testing.T, browser context.Context, panel string, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &tab{Context: ctx}
	p.do(t, chromedp.EmulateViewport(l.width, 900))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == "warning" || m.Type == chromedp.ConsoleException {
				p.mu.Lock()
				p.said = append(p.said, fmt.Sprintf("%s: %s", m.Type, m.Text))
				p.mu.Unlock()
			}
		}
	}()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": l.lang}}); err != nil {
		t.Fatal(err)
	}
	token := s.cookie("token", s.options.Token)
	if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: token.Name, Value: token.Value, URL: s.Origin()}); err != nil {
		t.Fatal(err)
	}
	p.do(t, chromedp.Navigate(s.Origin()+"/"+panel))
	p.until(t, "document.querySelector('h1')")
	return p
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p, steps...); err != nil {
		t.Fatal(err)
	}
}

// until waits for an expression of JavaScript to be true.
func (p *tab) until(t *testing.T, expression string) {
	t.Helper()
	_, err := chromedp.Run(p, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingTimeout(time.Minute), chromedp.WithPollingInterval(20*time.Millisecond)))
	if err != nil {
		t.Fatalf("%s is never true: %v; the page shows:\n%s", expression, err, p.text(t, "document.body.innerText"))
	}
}

// run runs a script in the page.
func (p *tab) run(t *testing.T, script string) {
	t.Helper()
	if _, err := chromedp.Run(p, chromedp.Evaluate[string](script+"\n;''")); err != nil {
		t.Fatal(err)
	}
}

// text is the value of an expression of JavaScript.
func (p *tab) text(t *testing.T, expression string) string {
	t.Helper()
	text, err := chromedp.Run(p, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// isQuiet fails if a script has thrown, or the browser refused or missed
// something.
func (p *tab) isQuiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.said {
		if strings.Contains(text, "blocked by CORS policy") || strings.Contains(text, "net::ERR_FAILED") {
			continue // which is what some of the console is there to show
		}
		t.Errorf("the browser says: %s", text)
	}
}
