package explain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

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

// AskAll is Ask for the standard, and then for each browser: their outcomes are
// in Browsers. What the server answered to the one is told to the next one that
// asks the same; only requests with safe methods are made for a second time.
func AskAll(ctx context.Context, transport http.RoundTripper, q Question) (*Diagnosis, error) {
	memory := &memory{transport: transport}
	d, err := Ask(ctx, &fetch.Browser{Transport: memory}, q)
	if err != nil {
		return nil, err
	}
	memory.safeOnly = true
	for _, profile := range []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit} {
		res, err := perform(ctx, &fetch.Browser{Profile: profile, Transport: memory}, q)
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

// decides reports whether a quirk can change the outcome: not those that change
// only what a request looks like.
func decides(quirk string) bool {
	switch quirk {
	case "a preflight has Accept-Language", "a preflight has the cache mode of its request", "Storage Access headers", "a preflight has seen no redirects":
		return false
	}
	return true
}

func perform(ctx context.Context, browser *fetch.Browser, q Question) (Result, error) {
	page := browser.Open(q.Page)
	page.Opaque = q.Opaque
	if browser.Cookies == nil {
		browser.Cookies = &fetch.CookieJar{Now: browser.Now}
	}
	req := *q.Request
	target := resolve(q.Page, req.URL)
	for _, cookie := range q.Cookies {
		if err := setCookie(browser.Cookies, target, cookie); err != nil {
			return Result{}, &fetch.RequestError{Field: "Cookies", Value: cookie, Reason: err.Error()}
		}
	}
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

// memory is a transport that remembers answers, and gives them to whoever asks
// the same again.
type memory struct {
	transport http.RoundTripper
	safeOnly  bool // send nothing more that may change something

	mu    sync.Mutex
	known map[string]remembered
}

type remembered struct {
	res  http.Response
	body []byte
	err  error
}

// mostRemembered is how much of a body is remembered.
const mostRemembered = 1 << 20

func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := drain(req)
	if err != nil {
		return nil, err
	}
	key := memoryKey(req, body)
	m.mu.Lock()
	r, ok := m.known[key]
	m.mu.Unlock()
	if ok {
		return r.again(req)
	}
	if m.safeOnly && req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != http.MethodOptions {
		return nil, errNotSentAgain
	}
	res, err := m.transport.RoundTrip(req)
	r = remembered{err: err}
	if err == nil {
		defer res.Body.Close()
		r.res = *res
		// A body that breaks off breaks off here too; the headers have decided.
		r.body, _ = io.ReadAll(io.LimitReader(res.Body, mostRemembered))
	}
	if req.Context().Err() == nil {
		m.mu.Lock()
		if m.known == nil {
			m.known = map[string]remembered{}
		}
		m.known[key] = r
		m.mu.Unlock()
	}
	return r.again(req)
}

func drain(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

func (r remembered) again(req *http.Request) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	res := r.res
	res.Request, res.Header = req, r.res.Header.Clone()
	res.Body = io.NopCloser(bytes.NewReader(r.body))
	return &res, nil
}

// memoryKey is what a server may answer by. Browsers differ in the rest without
// meaning to be answered differently.
func memoryKey(req *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		switch lower := header.Lower(name); {
		case strings.HasPrefix(lower, "sec-"), lower == "accept-language", lower == "accept-encoding", lower == "user-agent",
			lower == "pragma", lower == "cache-control", lower == "referer":
		default:
			fmt.Fprintf(&b, "%s: %q\n", lower, req.Header[name])
		}
	}
	b.Write(body)
	return b.String()
}

// Difference says what differs between browsers, or "" where nothing does.
func (d *Diagnosis) Difference(l Language) string {
	var works, blocked []string
	var why []string
	for _, o := range d.Browsers {
		name := BrowserName(o.Browser)
		if o.Verdict == Works || o.Verdict == Hidden {
			works = append(works, name)
		} else {
			blocked = append(blocked, name)
		}
		if (o.Verdict == Works) != (d.Verdict == Works) || o.Cause != d.Cause {
			for _, q := range o.Quirks {
				why = append(why, fmt.Sprintf(quirkPhrase[l], name, q))
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
	slices.Sort(why)
	for _, w := range slices.Compact(why) {
		sentence += " " + w
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

var quirkPhrase = phrase{"(%s: %s.)", "（%s: %s）"}

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
