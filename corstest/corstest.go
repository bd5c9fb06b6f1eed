package corstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Page is a page in a browser whose whole web is one handler. The fields of
// the page and of its Browser may be set before the first Fetch: Opaque for a
// sandboxed frame, Browser.Profile for the ways of one browser.
type Page struct {
	*fetch.Page
	t testing.TB
}

// From opens a page of the given origin, such as "https://app.example.com", in a
// new browser. All requests of the page go to handler, whatever their host: see
// [Hosts] for several. The origin "null" is that of a sandboxed frame.
func From(t testing.TB, origin string, handler http.Handler) *Page {
	t.Helper()
	return open(t, &fetch.Browser{Transport: inProcess{handler}, Cookies: new(fetch.CookieJar)}, origin)
}

// Open opens another page in the browser of p. The two share cookies and the
// preflight cache.
func (p *Page) Open(origin string) *Page {
	p.t.Helper()
	return open(p.t, p.Browser, origin)
}

func open(t testing.TB, browser *fetch.Browser, origin string) *Page {
	t.Helper()
	page := &Page{browser.Open(origin), t}
	switch {
	case origin == "null":
		page.URL, page.Opaque = "https://sandbox.invalid/", true
	case browser.Open(origin).Origin().Opaque(): // asked of another page: this one's fields may still be set
		t.Fatalf("corstest: %q is no origin of a page; write it as in %q", origin, "https://app.example.com")
	}
	return page
}

// Get is Fetch with GET and nothing else.
func (p *Page) Get(url string) *Result {
	p.t.Helper()
	return p.Fetch(&fetch.Request{URL: url})
}

// SetCookie gives the browser a cookie, written as in Set-Cookie, of the server
// at url. A cookie for other sites' pages needs "SameSite=None; Secure".
func (p *Page) SetCookie(url, cookie string) {
	p.t.Helper()
	if err := p.Browser.Cookies.Receive(url, cookie); err != nil {
		p.t.Fatalf("corstest: setting a cookie at %s: %v", url, err)
	}
}

// Fetch fetches as a script in the page does, and reads the whole body. A
// request that no script could make ends the test.
func (p *Page) Fetch(in *fetch.Request) *Result {
	p.t.Helper()
	r := &Result{t: p.t, page: p.Origin().String(), request: in}
	res, err := p.Page.Fetch(p.t.Context(), in)
	switch {
	case errors.As(err, &r.Blocked):
		r.Exchanges = r.Blocked.Exchanges
	case err != nil:
		p.t.Fatalf("corstest: no script can make this request: %v", err)
	default:
		defer res.Body.Close()
		r.Response, r.Exchanges = res, res.Exchanges
		var body bytes.Buffer
		if _, err := io.Copy(&body, res.Body); err != nil {
			p.t.Fatalf("corstest: reading the body from %s: %v", in.URL, err)
		}
		r.Body = body.String()
	}
	return r
}

// A Result is what came of a fetch. Its methods report to the test what is not
// as they say, and return the Result for the next.
type Result struct {
	// Response is what the page may see; nil where the fetch is blocked.
	Response *fetch.Response

	// Body is the body, decoded. It is empty where the page may not see it.
	Body string

	// Blocked says why the fetch is blocked; nil where it is not.
	Blocked *fetch.BlockedError

	// Exchanges are all requests and responses on the wire, preflights included.
	Exchanges []*fetch.Exchange

	t       testing.TB
	page    string
	request *fetch.Request
}

// Allowed wants the page to be allowed to read the response, whatever its
// status.
func (r *Result) Allowed() *Result {
	r.t.Helper()
	switch {
	case r.Blocked != nil:
		r.t.Errorf("%s", explainBlocked(r))
	case r.hidden():
		r.t.Errorf("%s", explainHidden(r))
	}
	return r
}

// Refused wants the page not to be allowed to read the response, for reasons of
// CORS: not because the network failed, nor because it is opaque by its mode.
func (r *Result) Refused() *Result {
	r.t.Helper()
	if r.Blocked == nil {
		r.t.Errorf("%s", explainAllowed(r))
	} else if !r.Blocked.Code.IsCORS() {
		r.t.Errorf("%s", explainBlocked(r))
	}
	return r
}

// RefusedFor wants the fetch to be blocked for this very reason.
func (r *Result) RefusedFor(code fetch.Code) *Result {
	r.t.Helper()
	if r.Blocked == nil {
		r.t.Errorf("%s", explainAllowed(r))
	} else if r.Blocked.Code != code {
		r.t.Errorf("%s\n\n  but the test wants it blocked because: %s", explainBlocked(r), code)
	}
	return r
}

// Sees wants the page to see a response-header of this name with this value;
// lines of one name are joined by ", ".
func (r *Result) Sees(name, value string) *Result {
	r.t.Helper()
	if r.Response == nil || r.hidden() {
		return r.Allowed()
	}
	if got, ok := r.Response.Get(name); !ok {
		r.t.Errorf("%s", explainUnseen(r, name))
	} else if got != value {
		r.t.Errorf("corstest: %s sees %s: %q, want %q", r.subject(), name, got, value)
	}
	return r
}

// DoesNotSee wants the response to be readable without its header of this name.
func (r *Result) DoesNotSee(name string) *Result {
	r.t.Helper()
	if r.Response == nil || r.hidden() {
		return r.Allowed()
	}
	if got, ok := r.Response.Get(name); ok {
		r.t.Errorf("corstest: %s sees %s: %q, and should not; take it out of Access-Control-Expose-Headers", r.subject(), name, got)
	}
	return r
}

// Status wants this status to be seen by the page.
func (r *Result) Status(want int) *Result {
	r.t.Helper()
	if r.Response == nil || r.hidden() {
		return r.Allowed()
	}
	if r.Response.Status != want {
		r.t.Errorf("corstest: %s gets status %d, want %d", r.subject(), r.Response.Status, want)
	}
	return r
}

// Preflights wants so many preflights to have been sent.
func (r *Result) Preflights(want int) *Result {
	r.t.Helper()
	got := 0
	for _, e := range r.Exchanges {
		if e.Preflight {
			got++
		}
	}
	if got != want {
		r.t.Errorf("%s", explainPreflights(r, got, want))
	}
	return r
}

func (r *Result) hidden() bool {
	return r.Response.Type == fetch.TypeOpaque || r.Response.Type == fetch.TypeOpaqueRedirect
}

func (r *Result) subject() string {
	return "the page at " + r.page + ", fetching " + r.method() + " " + r.request.URL + ","
}

func (r *Result) method() string {
	if r.request.Method == "" {
		return "GET"
	}
	return header.NormalizeMethod(r.request.Method)
}
