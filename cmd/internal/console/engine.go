package console

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

// engineTimeout is how long the engine waits for an answer.
const engineTimeout = 15 * time.Second

// A told is what the engine makes of a fetch.
type told struct {
	Outcome   scenario.Outcome `json:"outcome"`
	Reason    string           `json:"reason,omitempty"` // why no page can make this request
	Diagnosis *explain.Record  `json:"diagnosis,omitempty"`
	Drawing   string           `json:"drawing,omitempty"`   // of the exchange, as SVG
	Text      string           `json:"text,omitempty"`      // what Drawing shows, for who does not see it
	Console   []string         `json:"console,omitempty"`   // what this browser prints
	Elsewhere string           `json:"elsewhere,omitempty"` // where the engine would have had to go, and did not

	exchanges []*fetch.Exchange
}

// ask performs f, whose URL is expanded, as page does.
func ask(ctx context.Context, page *fetch.Page, f *scenario.Fetch, l explain.Language) told {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	req, ok := f.Request()
	if !ok {
		return told{Outcome: scenario.Outcome{Error: "TypeError"}, Reason: fmt.Sprintf("method %q or a header cannot be sent", f.Method)}
	}
	var result explain.Result
	var mu sync.Mutex // what goes on behind a stale response is told too
	req.Trace = func(e fetch.Event) {
		mu.Lock()
		defer mu.Unlock()
		result.Events = append(result.Events, e)
	}
	response, err := page.Fetch(ctx, req)
	t := told{Outcome: scenario.See(response, err)}
	mu.Lock()
	defer mu.Unlock()
	if err != nil && !errors.As(err, &result.Blocked) {
		t.Reason = err.Error()
		return t
	}
	var elsewhere *elsewhereError
	if errors.As(err, &elsewhere) {
		t.Elsewhere = elsewhere.address
	}
	result.Response, result.Body = response, []byte(t.Outcome.Body)
	if response != nil {
		t.exchanges = response.Exchanges
	} else {
		t.exchanges = result.Blocked.Exchanges
	}
	d := explain.Diagnose(explain.Question{Page: page.URL, Request: req}, result)
	record := d.Record(l)
	t.Diagnosis = &record
	t.Drawing = string(d.SVG(l))
	var text strings.Builder
	for _, line := range d.Text(explain.Amount{Language: l}) {
		text.WriteString(line.String())
		text.WriteByte('\n')
	}
	t.Text = text.String()
	t.Console = d.Console(page.Browser.Profile)
	return t
}

// shorten takes a path that means nothing to the visitor out of what is told.
func (t *told) shorten(path string) {
	texts := []*string{&t.Drawing, &t.Text}
	if t.Diagnosis != nil {
		texts = append(texts, &t.Diagnosis.Sentence, &t.Diagnosis.Mend)
	}
	for i := range t.Console {
		texts = append(texts, &t.Console[i])
	}
	for _, text := range texts {
		*text = strings.ReplaceAll(*text, path, "")
	}
}

// An elsewhereError says that the engine does not go to an address.
type elsewhereError struct{ address string }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("the console's engine does not go to %s", e.address)
}

// dialWithin connects to the servers of origins, and to nothing else that a URL or
// a redirect may name.
func dialWithin(origins ...string) func(context.Context, string, string) (net.Conn, error) {
	within := map[string]bool{}
	for _, o := range origins {
		within[addressOf(o)] = true
	}
	var d net.Dialer
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if !within[strings.ToLower(address)] {
			return nil, &elsewhereError{address}
		}
		return d.DialContext(ctx, network, address)
	}
}

// addressOf is the host and port of an origin.
func addressOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

// profileOf is that of the browser which sent r. All browsers of iOS are WebKit,
// whatever they call themselves.
func profileOf(r *http.Request) fetch.Profile {
	agent := r.UserAgent()
	switch {
	case strings.Contains(r.Header.Get("Sec-Ch-Ua"), `"Chromium"`), strings.Contains(agent, " Chrome/"), strings.Contains(agent, " Chromium/"), strings.Contains(agent, " HeadlessChrome/"):
		return fetch.Chromium
	case strings.Contains(agent, " Firefox/"):
		return fetch.Firefox
	case strings.Contains(agent, " AppleWebKit/"):
		return fetch.WebKit
	}
	return fetch.Standard
}

// newBrowser is an engine that behaves as the browser which sent r.
func (c *Console) newBrowser(r *http.Request, origins ...string) *fetch.Browser {
	b := &fetch.Browser{Profile: profileOf(r)}
	if c.options.Browser != nil {
		b = c.options.Browser(b.Profile)
	}
	b.Cookies = &fetch.CookieJar{}
	b.Dial = dialWithin(origins...)
	if c.options.Roots != nil {
		b.Transport = &http.Transport{
			DialContext: b.Dial, TLSClientConfig: &tls.Config{RootCAs: c.options.Roots}, DisableCompression: true, ForceAttemptHTTP2: true,
			IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 256 << 10,
		}
	}
	b.UserAgent = r.UserAgent() // a service may answer one browser otherwise than another
	b.Limits.BodyBytes = 1 << 20
	return b
}

// openPage is the page from which r was sent.
func openPage(b *fetch.Browser, r *http.Request, path string) *fetch.Page {
	page := b.Open("http://" + r.Host + path)
	page.ReferrerPolicy = fetch.ReferrerPolicyNoReferrer // as guard has it
	return page
}
