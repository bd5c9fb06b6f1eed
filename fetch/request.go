package fetch

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A Request is what a page asks for: the arguments of fetch(), or what an
// XMLHttpRequest collects. Unless it has a Stream it may be used again, and by
// several goroutines.
//
// https://fetch.spec.whatwg.org/#request-class
type Request struct {
	// URL may be relative to the page's.
	URL string

	// Method is normalised as fetch() does; "" means GET.
	Method string

	// Header holds the author's headers, in order. Those that a page may not set
	// are dropped, as a browser does.
	Header []header.Field

	// Body is the body, nil for none. With a Body of its own a browser's page
	// also has a Content-Type: put it in Header.
	Body []byte

	// Stream is a body that can be read only once, as from a ReadableStream: it
	// needs a preflight, and HTTP/2, and cannot be sent again after a redirect. It
	// excludes Body.
	Stream io.Reader

	// Left empty, these are as fetch() has them.
	Mode        Mode
	Credentials Credentials
	Redirect    Redirect
	Cache       Cache
	Destination Destination

	// Referrer is "" or "about:client" for the page, "no-referrer" for none
	// (which is the empty string in JavaScript), or a URL of the page's origin.
	Referrer       string
	ReferrerPolicy ReferrerPolicy

	// Integrity is subresource integrity metadata, such as "sha256-…".
	Integrity string

	// Keepalive marks a request that may outlive its page. Its body, with those
	// of the others in flight, has 64 KiB at most.
	Keepalive bool

	// UploadListeners is set for an XMLHttpRequest whose upload has event
	// listeners: the standard's use-CORS-preflight flag.
	UploadListeners bool

	// URLCredentials lets user and password in URL answer a 401: set for an
	// XMLHttpRequest. Without it such a URL is refused.
	URLCredentials bool

	// Trace, if not nil, is told each step as it is taken.
	Trace func(Event)
}

// A Mode says what a page may do with another origin's response.
//
// https://fetch.spec.whatwg.org/#concept-request-mode
type Mode string

// The modes of fetch(); "" means [ModeCORS].
const (
	ModeCORS       Mode = "cors"
	ModeNoCORS     Mode = "no-cors"
	ModeSameOrigin Mode = "same-origin"
)

// Credentials says when cookies and authentication are sent.
//
// https://fetch.spec.whatwg.org/#concept-request-credentials-mode
type Credentials string

// The credentials modes; "" means [CredentialsSameOrigin].
const (
	CredentialsOmit       Credentials = "omit"
	CredentialsSameOrigin Credentials = "same-origin"
	CredentialsInclude    Credentials = "include"
)

// Redirect says what becomes of a redirect.
//
// https://fetch.spec.whatwg.org/#concept-request-redirect-mode
type Redirect string

// The redirect modes; "" means [RedirectFollow].
const (
	RedirectFollow Redirect = "follow"
	RedirectError  Redirect = "error"
	RedirectManual Redirect = "manual"
)

// Cache says how a fetch uses the HTTP cache.
//
// https://fetch.spec.whatwg.org/#concept-request-cache-mode
type Cache string

// The cache modes; "" means [CacheDefault].
const (
	CacheDefault      Cache = "default"
	CacheNoStore      Cache = "no-store"
	CacheReload       Cache = "reload"
	CacheNoCache      Cache = "no-cache"
	CacheForceCache   Cache = "force-cache"
	CacheOnlyIfCached Cache = "only-if-cached"
)

// A RequestError says why a page cannot make a request at all: in a browser,
// a TypeError from new Request().
type RequestError struct {
	Field  string // of Request, or as in "Page.URL"
	Value  string
	Reason string // why, and what to do instead
	Err    error  // for a URL, what its parser said; may be nil
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("fetch: %s: %.100q: %s", e.Field, e.Value, e.Reason)
}

func (e *RequestError) Unwrap() error { return e.Err }

// request is the standard's request, at work.
//
// https://fetch.spec.whatwg.org/#concept-request
type request struct {
	page    *Page
	browser *Browser
	trace   func(Event)

	method  string
	urls    []*urlRecord // the URL list
	first   [1]*urlRecord
	headers []header.Field
	body    []byte
	stream  io.Reader // the body, where it has no source
	hasBody bool

	destination Destination
	origin      origin.Origin
	mode        Mode
	credentials Credentials
	redirect    Redirect
	cache       Cache
	tainting    tainting

	referrerURL    *urlRecord // nil for "no-referrer"
	referrer       string     // once determined: the value of Referer, or ""
	referrerPolicy ReferrerPolicy

	integrity         string
	keepalive         bool
	held              int64 // bytes counted for keepalive
	useCORSPreflight  bool
	useURLCredentials bool
	redirectCount     int
	timingAllowFailed bool
	isPreflight       bool // one that CORS-preflight fetch made

	preventNoCacheHeader bool // the standard's prevent no-cache cache-control header modification flag

	unsafe      []string // CORS-unsafe request-header names, once a preflight is thought of
	preflighted bool     // at this URL or an earlier one
	pageOrigin  bool     // whatever redirects say, the origin is the page's: a quirk

	// For quirks: what a redirect has not changed.
	authored       []header.Field
	firstMethod    string
	firstReferrer  *urlRecord // told at the first URL
	askedReferrer  *urlRecord // before any policy
	noReferrer     bool       // the page asked for none
	keptOrigin     string
	refusedLate    *BlockedError // what the next hop's preflight comes before
	crossed        bool          // a redirect led to another origin
	permanent      bool          // a permanent redirect, not from the cache, led here
	stripped       []func(name string) bool
	authoredUnsafe bool

	exchanges *[]*Exchange
}

// tainting is the standard's response tainting.
//
// https://fetch.spec.whatwg.org/#concept-request-response-tainting
type tainting uint8

const (
	taintBasic tainting = iota
	taintCORS
	taintOpaque
)

// newRequest makes the request that new Request(input, init) and fetch() make.
//
// https://fetch.spec.whatwg.org/#dom-request
func newRequest(p *Page, in *Request) (*request, error) {
	r := &request{
		page: p, browser: p.Browser, trace: in.Trace, exchanges: new([]*Exchange),
		method: in.Method, body: in.Body, stream: in.Stream, hasBody: in.Body != nil || in.Stream != nil,
		destination: in.Destination, origin: p.origin, mode: in.Mode, credentials: in.Credentials, redirect: in.Redirect, cache: in.Cache,
		referrerURL: p.url, referrerPolicy: in.ReferrerPolicy,
		integrity: in.Integrity, keepalive: in.Keepalive, useCORSPreflight: in.UploadListeners, useURLCredentials: in.URLCredentials,
	}
	if p.err != nil {
		return nil, &RequestError{"Page.URL", p.URL, "open the page at an absolute URL", p.err}
	}
	if p.Browser.RefusePrivateAddresses && (p.Browser.Transport != nil || p.Browser.Dial != nil) {
		return nil, &RequestError{"Browser.RefusePrivateAddresses", "true", "a Transport or a Dial connects for itself; leave it nil, or refuse private addresses there", nil}
	}
	if !p.ReferrerPolicy.IsValid() {
		return nil, &RequestError{"Page.ReferrerPolicy", string(p.ReferrerPolicy), "there is no such referrer policy", nil}
	}
	if !p.EmbedderPolicy.isValid() {
		return nil, &RequestError{"Page.EmbedderPolicy", string(p.EmbedderPolicy), `write "unsafe-none", "credentialless" or "require-corp"`, nil}
	}
	u, err := parseURL(in.URL, p.url)
	if err != nil {
		return nil, &RequestError{"URL", in.URL, "give an absolute URL, or one relative to the page's", err}
	}
	if u.hasCredentials() && !in.URLCredentials {
		return nil, &RequestError{"URL", u.withoutCredentials().String(), "fetch() takes no URL with a user or password; remove them", nil}
	}
	r.first[0] = u
	r.urls = r.first[:]
	if err := r.setModes(); err != nil {
		return nil, err
	}
	if err := r.setReferrer(in.Referrer); err != nil {
		return nil, err
	}
	switch {
	case !header.IsToken(r.method):
		return nil, &RequestError{"Method", r.method, "a method is a token: letters, digits and !#$%&'*+-.^_`|~", nil}
	case header.IsForbiddenMethod(r.method):
		return nil, &RequestError{"Method", r.method, "no page may use this method", nil}
	}
	r.method = header.NormalizeMethod(r.method)
	if r.mode == ModeNoCORS && !header.IsSafelistedMethod(r.method) {
		return nil, &RequestError{"Method", r.method, `mode "no-cors" takes GET, HEAD and POST; use mode "cors"`, nil}
	}
	if r.hasBody && (r.method == "GET" || r.method == "HEAD") {
		return nil, &RequestError{"Body", r.method, "GET and HEAD have no body; use POST, or remove it", nil}
	}
	if in.Stream != nil && in.Body != nil {
		return nil, &RequestError{"Stream", "", "a request has a Body or a Stream, not both", nil}
	}
	if in.Stream != nil {
		if r.keepalive {
			return nil, &RequestError{"Stream", "", "a body that streams cannot outlive its page; remove Keepalive, or give a Body", nil}
		}
		if r.mode != ModeCORS && r.mode != ModeSameOrigin {
			return nil, &RequestError{"Stream", string(r.mode), `a body that streams needs mode "cors" or "same-origin"`, nil}
		}
		// 39.3. of the constructor: an upload in pieces needs the server's consent.
		r.useCORSPreflight = true
	}
	r.firstMethod, r.noReferrer = r.method, in.Referrer == "no-referrer"
	return r, r.setHeaders(in.Header)
}

func (r *request) setModes() error {
	if r.method == "" {
		r.method = "GET"
	}
	if r.mode == "" {
		r.mode = ModeCORS
	}
	if r.credentials == "" {
		r.credentials = CredentialsSameOrigin
	}
	if r.redirect == "" {
		r.redirect = RedirectFollow
	}
	if r.cache == "" {
		r.cache = CacheDefault
	}
	if !slices.Contains([]Mode{ModeCORS, ModeNoCORS, ModeSameOrigin}, r.mode) {
		return &RequestError{"Mode", string(r.mode), `a page's modes are "cors", "no-cors" and "same-origin"`, nil}
	}
	if !slices.Contains([]Credentials{CredentialsOmit, CredentialsSameOrigin, CredentialsInclude}, r.credentials) {
		return &RequestError{"Credentials", string(r.credentials), `write "omit", "same-origin" or "include"`, nil}
	}
	if !slices.Contains([]Redirect{RedirectFollow, RedirectError, RedirectManual}, r.redirect) {
		return &RequestError{"Redirect", string(r.redirect), `write "follow", "error" or "manual"`, nil}
	}
	if !slices.Contains([]Cache{CacheDefault, CacheNoStore, CacheReload, CacheNoCache, CacheForceCache, CacheOnlyIfCached}, r.cache) {
		return &RequestError{"Cache", string(r.cache), `write "default", "no-store", "reload", "no-cache", "force-cache" or "only-if-cached"`, nil}
	}
	if r.cache == CacheOnlyIfCached && r.mode != ModeSameOrigin {
		return &RequestError{"Cache", string(r.cache), `"only-if-cached" needs mode "same-origin"`, nil}
	}
	if !r.destination.isValid() {
		return &RequestError{"Destination", string(r.destination), "a page fetches for no such destination; leave it empty for fetch()", nil}
	}
	if !r.referrerPolicy.IsValid() {
		return &RequestError{"ReferrerPolicy", string(r.referrerPolicy), "there is no such referrer policy", nil}
	}
	return nil
}

func (r *request) setReferrer(referrer string) error {
	switch referrer {
	case "no-referrer":
		r.referrerURL = nil
		return nil
	case "", "about:client":
	default:
		u, err := parseURL(referrer, r.page.url)
		if err != nil {
			return &RequestError{"Referrer", referrer, "give a URL of the page's origin", err}
		}
		if origin.Same(u.origin, r.origin) {
			r.referrerURL = u
			return nil
		}
		// A referrer of another origin means the page, and so does about:client.
	}
	if r.page.Opaque && !r.quirk(sandboxedFrameSameSite) {
		r.referrerURL = nil // as the policy has it for documents of an opaque origin
	}
	return nil
}

// setHeaders fills the header list under the guard of the request's mode.
//
// https://fetch.spec.whatwg.org/#concept-headers-fill
func (r *request) setHeaders(fields []header.Field) error {
	h := Headers{Guard: GuardRequest, List: make([]header.Field, 0, len(fields)+2)} // and Accept, Accept-Language
	if r.mode == ModeNoCORS {
		h.Guard = GuardRequestNoCORS
	}
	for _, f := range fields {
		if !header.IsToken(f.Name) {
			return &RequestError{"Header", f.Name, "a header name is a token: letters, digits and !#$%&'*+-.^_`|~", nil}
		}
		if !header.IsValue(header.Normalize(f.Value)) {
			return &RequestError{"Header", f.Name, "a header value has no NUL and no end of line", nil}
		}
		// Under the guard of "no-cors" too a forbidden header is none.
		if r.guardQuirk(h, f) {
			if _, ok := get(h.List, f.Name); ok || !r.hasBody {
				continue
			}
			f.Value = "text/plain;charset=UTF-8" // the body's own, if it is a string
		}
		if header.IsForbiddenRequest(f.Name, f.Value) || !h.Append(f.Name, f.Value) {
			r.emit(Event{Kind: EventHeaderDropped, Name: f.Name, Value: f.Value})
		}
	}
	r.headers, r.authored = h.List, h.List
	return nil
}

func (r *request) currentURL() *urlRecord { return r.urls[len(r.urls)-1] }

// told is the current URL as errors and traces tell it: without a fragment, which
// is not sent, and without a password, which is nobody's business.
func (r *request) told() string { return r.currentURL().withoutCredentials().withoutFragment() }

// serializedOrigin is the standard's byte-serializing a request origin.
//
// https://fetch.spec.whatwg.org/#byte-serializing-a-request-origin
// https://fetch.spec.whatwg.org/#serializing-a-request-origin
func (r *request) serializedOrigin() string {
	if r.redirectTaint() != taintSameOrigin && !r.pageOrigin {
		return "null"
	}
	return r.page.serialized
}

// A redirectTaint says how far the redirects of a request have led it astray.
//
// https://fetch.spec.whatwg.org/#concept-request-tainted-origin
type redirectTaint uint8

const (
	taintSameOrigin redirectTaint = iota
	taintSameSite
	taintCrossSite
)

func (r *request) redirectTaint() redirectTaint {
	taint := taintSameOrigin
	for i := 1; i < len(r.urls); i++ {
		last, next := r.urls[i-1].origin, r.urls[i].origin
		if !origin.SameSite(next, last) && !origin.SameSite(r.origin, last) {
			return taintCrossSite
		}
		if !origin.Same(next, last) && !origin.Same(r.origin, last) {
			taint = taintSameSite
		}
	}
	return taint
}

func (r *request) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, ok := get(r.headers, name)
		return ok
	})
}

func (r *request) append(name, value string) { r.headers = appendField(r.headers, name, value) }

// roomForHeaders is how many the browser adds to those of a page.
const roomForHeaders = 10

// clone copies r so that headers and URLs of the copy can change.
//
// https://fetch.spec.whatwg.org/#concept-request-clone
func (r *request) clone() *request {
	c := *r
	c.headers = slices.Clip(r.headers)
	c.urls = slices.Clip(r.urls)
	return &c
}

// bodyReader returns the body to send, and its length, -1 where it streams.
func (r *request) bodyReader() (io.Reader, int64) {
	switch {
	case !r.hasBody:
		return nil, 0
	case r.stream != nil:
		return r.stream, -1
	}
	return bytes.NewReader(r.body), int64(len(r.body))
}
