package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// An Outcome is what one browser makes of a fetch.
type Outcome struct {
	Browser fetch.Profile
	Verdict Verdict
	Cause   Cause
	Code    fetch.Code

	// Quirks are the ways of this browser that made a difference, by their names
	// in [fetch.Profile.Quirks].
	Quirks []string

	// NotTried is set where this browser, unlike the one before, would send the
	// request itself, and it was not sent for it a second time: it may change
	// something.
	NotTried bool
}

// Ask performs the fetch that q asks about as browser would, and says what came
// of it. An error is a [*fetch.RequestError]: no page can make this request.
func Ask(ctx context.Context, browser *fetch.Browser, q Question) (*Diagnosis, error) {
	res, err := perform(ctx, browser, q)
	if err != nil {
		return nil, err
	}
	return Diagnose(q, res), nil
}

// AskAll is Ask for browser, and then for each profile: their outcomes are in
// Browsers. What the server answered to the first is told to the next one that
// asks the same; only requests with safe methods are made for a second time.
func AskAll(ctx context.Context, browser *fetch.Browser, q Question) (*Diagnosis, error) {
	res, err := perform(ctx, browser, q)
	if err != nil {
		return nil, err
	}
	d := Diagnose(q, res)
	if q.Request.Integrity != "" || q.Request.Stream != nil {
		return d, nil // the answers are not kept whole, nor can the body be sent again
	}
	m := &memory{transport: browser.Transport}
	if m.transport == nil {
		// For what another profile asks in another way. One request is as good as
		// another here, so net/http's own will do.
		own := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 256 << 10, TLSHandshakeTimeout: 10 * time.Second}
		defer own.CloseIdleConnections()
		m.transport = own
	}
	m.learn(res)
	for _, profile := range []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit} {
		res, err := perform(ctx, &fetch.Browser{Profile: profile, Transport: m, Limits: browser.Limits, Now: browser.Now}, q)
		if err != nil {
			continue // this browser cannot make the request, and the standard can
		}
		d.Browsers = append(d.Browsers, outcome(profile, q, res))
	}
	return d, nil
}

func outcome(profile fetch.Profile, q Question, res Result) Outcome {
	d := Diagnose(q, res)
	o := Outcome{Browser: profile, Verdict: d.Verdict, Cause: d.Cause, Code: d.Code}
	for _, e := range res.Events {
		if e.Kind == fetch.EventQuirk && !slices.Contains(o.Quirks, e.Name) && decides(e.Name) {
			o.Quirks = append(o.Quirks, e.Name)
		}
	}
	if res.Blocked != nil && errors.Is(res.Blocked.Err, errNotSentAgain) {
		o.NotTried, o.Verdict, o.Cause, o.Code = true, Works, "works", fetch.CodeUnknown
	}
	return o
}

// decides reports whether a quirk can change the outcome of one fetch: not those
// of caches, nor those that change only what a request looks like.
func decides(quirk string) bool {
	for _, aside := range []string{"cache", "keeps its preflight", "Accept-Language", "Storage Access", "seen no redirects", "Sec-Fetch", "referrer", "repeat in"} {
		if strings.Contains(quirk, aside) {
			return false
		}
	}
	return true
}

// Open opens q's page in browser, and gives the browser q's cookies. Fetching
// q.Request there is up to the caller, as in [Ask] it is not.
func (q Question) Open(browser *fetch.Browser) (*fetch.Page, error) {
	page := browser.Open(q.Page)
	page.Opaque = q.Opaque
	if browser.Cookies == nil {
		browser.Cookies = &fetch.CookieJar{Now: browser.Now}
	}
	target := resolve(q.Page, q.Request.URL)
	for _, cookie := range q.Cookies {
		if err := setCookie(browser.Cookies, target, cookie); err != nil {
			return nil, &fetch.RequestError{Field: "Cookies", Value: cookie, Reason: err.Error()}
		}
	}
	return page, nil
}

func perform(ctx context.Context, browser *fetch.Browser, q Question) (Result, error) {
	page, err := q.Open(browser)
	if err != nil {
		return Result{}, err
	}
	req := *q.Request
	var res Result
	var mu sync.Mutex // a preflight may be shared with another fetch
	trace := req.Trace
	req.Trace = func(e fetch.Event) {
		mu.Lock()
		res.Events = append(res.Events, e)
		mu.Unlock()
		if trace != nil {
			trace(e)
		}
	}
	response, err := page.Fetch(ctx, &req)
	switch {
	case errors.As(err, &res.Blocked):
		return res, nil
	case err != nil:
		return Result{}, err
	}
	defer response.Body.Close()
	res.Response = response
	// A body that ends early is the page's to notice; what began it is enough here.
	res.Body, _ = io.ReadAll(io.LimitReader(response.Body, 4<<10))
	return res, nil
}

// setCookie gives the jar a cookie. One that says nothing of itself is taken for
// one that is meant to be sent across sites.
func setCookie(jar *fetch.CookieJar, url, cookie string) error {
	if !strings.Contains(cookie, ";") && strings.HasPrefix(url, "https:") {
		cookie += "; Secure; SameSite=None"
	}
	return jar.SetCookie(url, cookie)
}

var errNotSentAgain = errors.New("the request was not sent a second time")

// memory is a transport that gives the answers of a fetch to whoever asks the
// same again, and lets nothing through that may change something.
type memory struct {
	transport http.RoundTripper

	mu    sync.Mutex
	known map[string]remembered
}

type remembered struct {
	exchange *fetch.Exchange
	err      error
}

// learn remembers what went over the wire.
func (m *memory) learn(res Result) {
	m.known = map[string]remembered{}
	var exchanges []*fetch.Exchange
	var last error
	switch {
	case res.Blocked != nil:
		exchanges, last = res.Blocked.Exchanges, res.Blocked.Err
	case res.Response != nil:
		exchanges = res.Response.Exchanges
	}
	for _, e := range exchanges {
		r := remembered{exchange: e}
		if e.Status == 0 {
			if last == nil {
				continue
			}
			r.err = last
		}
		m.known[memoryKey(e.Method, e.URL, e.RequestHeader)] = r
	}
}

func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []header.Field
	for name, values := range req.Header {
		sent = append(sent, header.Field{Name: name, Value: strings.Join(values, ", ")})
	}
	key := memoryKey(req.Method, req.URL.String(), sent)
	m.mu.Lock()
	r, ok := m.known[key]
	m.mu.Unlock()
	if ok {
		if req.Body != nil {
			req.Body.Close()
		}
		return r.again(req)
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != http.MethodOptions {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errNotSentAgain
	}
	return m.transport.RoundTrip(req)
}

func (r remembered) again(req *http.Request) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	e := r.exchange
	res := &http.Response{
		StatusCode: e.Status, Status: fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: req,
	}
	for _, f := range e.ResponseHeader {
		res.Header.Add(f.Name, f.Value)
	}
	return res, nil
}

// memoryKey is what a server may answer by. Browsers differ in the rest without
// meaning to be answered differently.
func memoryKey(method, url string, sent []header.Field) string {
	var lines []string
	for _, f := range sent {
		switch name := header.Lower(f.Name); {
		case strings.HasPrefix(name, "sec-"), name == "accept", name == "accept-language", name == "accept-encoding", name == "user-agent",
			name == "pragma", name == "cache-control", name == "referer", name == "idempotency-key":
		default:
			lines = append(lines, name+": "+f.Value)
		}
	}
	slices.Sort(lines)
	return method + " " + url + "\n" + strings.Join(lines, "\n")
}

// Difference says what differs between browsers, or "" where nothing does.
func (d *Diagnosis) Difference(l Language) string {
	var works, blocked []string
	var why []string               // quirks
	whose := map[string][]string{} // and the browsers that have them
	for _, o := range d.Browsers {
		name := BrowserName(o.Browser)
		if o.Verdict == Works || o.Verdict == Hidden {
			works = append(works, name)
		} else {
			blocked = append(blocked, name)
		}
		if (o.Verdict == Works) != (d.Verdict == Works) || o.Cause != d.Cause {
			for _, q := range o.Quirks {
				if whose[q] == nil {
					why = append(why, q)
				}
				whose[q] = append(whose[q], name)
			}
		}
	}
	if len(d.Browsers) == 0 {
		return ""
	}
	standard := d.Verdict == Works || d.Verdict == Hidden
	f := facts{"works": join(works, l), "blocked": join(blocked, l)}
	var sentence string
	switch {
	case len(blocked) == 0 && standard, len(works) == 0 && !standard:
		return ""
	case len(blocked) == 0:
		sentence = differences["allowed-by-all"].in(l, f)
	case len(works) == 0:
		sentence = differences["blocked-by-all"].in(l, f)
	default:
		sentence = differences["some"].in(l, f)
	}
	for _, q := range why {
		sentence += fmt.Sprintf(quirkPhrase[l], q, join(whose[q], l))
	}
	return sentence
}

var differences = map[string]phrase{
	"allowed-by-all": {
		"The standard blocks it; {works} let it through all the same.",
		"標準ではブロックされますが、{works} は通します。",
	},
	"blocked-by-all": {
		"The standard lets it through; {blocked} block it.",
		"標準では通りますが、{blocked} はブロックします。",
	},
	"some": {
		"It works in {works} and is blocked in {blocked}.",
		"{works} では通り、{blocked} ではブロックされます。",
	},
}

// quirkPhrase names a quirk and the browsers that have it.
var quirkPhrase = phrase{" Why: %s (%s).", "理由: %s（%s）。"}

// BrowserName is the name of a profile as people write it.
func BrowserName(p fetch.Profile) string {
	switch p {
	case fetch.Chromium:
		return "Chromium"
	case fetch.Firefox:
		return "Firefox"
	case fetch.WebKit:
		return "Safari (WebKit)"
	}
	return "the standard"
}

func join(names []string, l Language) string {
	if l == Japanese {
		return strings.Join(names, "、")
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
