package fetch

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// httpNetworkOrCacheFetch is HTTP-network-or-cache fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch
func httpNetworkOrCacheFetch(ctx context.Context, r *request, isAuthenticationFetch, isNewConnectionFetch bool) (*response, *BlockedError) {
	const anchor = "concept-http-network-or-cache-fetch"
	// 8.2. What is added to the request is for this once: a redirect or a 401 sends
	// it again with other headers.
	kept, mode := r.headers, r.cache
	defer func() { r.headers, r.cache = kept, mode }()
	r.headers = append(make([]header.Field, 0, len(kept)+roomForHeaders), kept...)
	// 8.3.
	includeCredentials := r.credentials == CredentialsInclude || r.credentials == CredentialsSameOrigin && (r.tainting == taintBasic ||
		r.tainting == taintOpaque && r.startedAtHome() && r.quirk(credentialsNotRejudged))
	// 8.4.
	includeCredentials = includeCredentials && r.page.EmbedderPolicy.allowsCredentials(r)
	// 8.5. to 8.9. Content-Length is net/http's to write.
	_, contentLength := r.bodyReader()
	// 8.10.
	if r.keepalive && !r.hold(contentLength) {
		return nil, r.blocked(CodeKeepaliveSize, anchor, "8.10.5")
	}
	// 8.11.
	if r.referrer != "" {
		r.append("Referer", r.referrer)
	}
	// 8.12.
	appendOrigin(r)
	r.keptOrigin, _ = get(r.headers, header.Origin)
	// 8.13.
	appendFetchMetadata(r)
	// 8.15.
	if !r.has("User-Agent") {
		r.append("User-Agent", r.browser.userAgent())
	}
	// 8.16.
	r.cache = r.effectiveCache()
	// 8.17.
	if r.cache == CacheNoCache && !r.preventNoCacheHeader && !r.has("Cache-Control") {
		r.append("Cache-Control", "max-age=0")
	}
	// 8.18.
	if r.cache == CacheNoStore || r.cache == CacheReload {
		if !r.has("Pragma") {
			r.append("Pragma", "no-cache")
		}
		if !r.has("Cache-Control") {
			r.append("Cache-Control", "no-cache")
		}
	}
	// 8.19. and 8.20.
	if r.has("Range") {
		r.append("Accept-Encoding", "identity")
	} else {
		r.append("Accept-Encoding", r.browser.encodings)
	}
	// 8.21.
	if includeCredentials {
		appendCredentials(r, isAuthenticationFetch)
	}
	// 8.25.
	var stored *storedResponse
	var res *response
	revalidating := false
	sent := r.browser.now()
	if r.cache != CacheNoStore && r.cache != CacheReload {
		stored = r.browser.cache.lookup(r)
	}
	switch {
	case stored == nil:
	case r.cache == CacheDefault && stored.isStaleWhileRevalidate(r, sent):
		res = stored.response(r)
		revalidate(ctx, r, kept)
	case r.cache != CacheForceCache && r.cache != CacheOnlyIfCached && stored.isStale(r, sent):
		revalidating = true
		stored.validators(r)
	default:
		res = stored.response(r)
	}
	if res != nil {
		*r.exchanges = append(*r.exchanges, &Exchange{
			Method: r.method, URL: r.currentURL().withoutFragment(), FromCache: true,
			RequestHeader: r.headers, Status: res.status, ResponseHeader: res.header,
		})
	}
	// 11.
	if res == nil {
		if r.cache == CacheOnlyIfCached && !r.quirk(onlyIfCachedIgnored) {
			return nil, r.blocked(CodeNotCached, anchor, "11.1")
		}
		forward, blocked := httpNetworkFetch(ctx, r, includeCredentials, isNewConnectionFetch)
		if blocked != nil {
			return nil, blocked
		}
		// 11.3.
		r.browser.cache.invalidate(r, forward)
		if revalidating && forward.status == 304 {
			// 11.4.
			forward.close()
			res = r.browser.cache.freshen(r, stored, forward, sent).response(r)
		} else {
			// 11.5.
			res = r.browser.cache.store(r, forward, sent)
		}
	}
	// 12.
	res.urls = slices.Clip(r.urls)
	// 14.
	res.includesCredentials = includeCredentials
	// 15. Nobody is here to be asked for a password: only the URL's own is tried.
	if res.status == 401 && r.tainting != taintCORS && includeCredentials && r.useURLCredentials &&
		!isAuthenticationFetch && r.currentURL().hasCredentials() {
		res.close()
		if r.stream != nil {
			return nil, r.blocked(CodeAuthenticationBody, anchor, "15.2.1")
		}
		r.headers, r.cache = kept, mode
		return httpNetworkOrCacheFetch(ctx, r, true, isNewConnectionFetch)
	}
	// 16.
	if res.status == 407 && !r.quirk(proxyAuthenticationReadable) {
		res.close()
		return nil, r.blocked(CodeProxyAuthentication, anchor, "16.1")
	}
	// 17.
	if res.status == 421 && !isNewConnectionFetch && r.stream == nil {
		res.close()
		r.headers, r.cache = kept, mode
		return httpNetworkOrCacheFetch(ctx, r, isAuthenticationFetch, true)
	}
	// 18.
	if isAuthenticationFetch && res.status != 401 {
		r.browser.auth.set(r.currentURL())
	}
	return res, nil
}

// appendOrigin is https://fetch.spec.whatwg.org/#append-a-request-origin-header.
func appendOrigin(r *request) {
	serialized := r.serializedOrigin()
	if r.tainting == taintCORS {
		r.append(header.Origin, serialized)
		return
	}
	if r.appendKeptOrigin() {
		return
	}
	if r.method == "GET" || r.method == "HEAD" {
		switch {
		case r.inactiveStorageAccess() && r.quirk(storageAccessHeaders):
		default:
			return
		}
	}
	if r.mode != ModeCORS && !r.quirk(referrerPolicyIgnoredForOrigin) {
		switch r.referrerPolicy {
		case ReferrerPolicyNoReferrer:
			serialized = "null"
		case ReferrerPolicyNoReferrerWhenDowngrade, ReferrerPolicyStrictOrigin, ReferrerPolicyStrictOriginWhenCrossOrigin:
			if r.origin.Scheme() == "https" && r.currentURL().scheme != "https" {
				serialized = "null"
			}
		case ReferrerPolicySameOrigin:
			if !origin.Same(r.origin, r.currentURL().origin) {
				serialized = "null"
			}
		}
	}
	if r.mode != ModeCORS && r.originQuirk() {
		serialized = "null"
	}
	r.append(header.Origin, serialized)
}

// effectiveCache is step 8.16: a page that asks a question of its own about a
// cached response wants no cache of the browser in between.
func (r *request) effectiveCache() Cache {
	if r.cache == CacheDefault && r.hasCondition() {
		return CacheNoStore
	}
	return r.cache
}

func (r *request) hasCondition() bool {
	return r.has("If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range")
}

// appendFetchMetadata is https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-append-the-fetch-metadata-headers-for-a-request.
func appendFetchMetadata(r *request) {
	if !r.currentURL().isTrustworthy() {
		return
	}
	site := siteRelation(r.page, r.urls)
	if site = r.siteQuirk(site); site == "" {
		return
	}
	if value := storageAccess(r); value != "" && r.quirk(storageAccessHeaders) {
		r.append("Sec-Fetch-Storage-Access", value)
	}
	r.append("Sec-Fetch-Dest", r.destination.secFetchDest())
	r.append("Sec-Fetch-Mode", string(r.mode))
	r.append("Sec-Fetch-Site", site)
}

// siteRelation is how far urls lead from the origin of p, at worst: the value of
// Sec-Fetch-Site.
//
// https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-set-site
func siteRelation(p *Page, urls []*urlRecord) string {
	site := "same-origin"
	for _, u := range urls {
		if origin.Same(u.origin, p.origin) {
			continue
		}
		if !p.isSameSite(u.origin) {
			return "cross-site"
		}
		site = "same-site"
	}
	return site
}

// isSameSite is [origin.SameSite] for the origin of p. Most other sites need no
// look at the list of public suffixes: no host there ends in p's domain.
func (p *Page) isSameSite(o origin.Origin) bool {
	return strings.HasSuffix(o.Host(), p.domain) && origin.SameSite(p.origin, o)
}

// appendCredentials is step 8.21.
func appendCredentials(r *request, isAuthenticationFetch bool) {
	u := r.currentURL()
	jar, mode := r.cookies()
	if cookie := jar.retrieve(u, mode, overHTTP); cookie != "" {
		r.append("Cookie", cookie)
		r.emit(Event{Kind: EventCookiesSent, Value: cookie})
	}
	if r.has("Authorization") {
		return
	}
	if entry, ok := r.browser.auth.get(u); ok && (!r.useURLCredentials || !u.hasCredentials()) {
		r.append("Authorization", entry)
	} else if u.hasCredentials() && isAuthenticationFetch {
		r.append("Authorization", authorizationValue(u))
	}
}

// sameSiteMode is "determine the same-site mode", in the reading of browsers: a
// request to another site than the page's has no cookies that are Lax, which
// they are where they say nothing.
//
// https://fetch.spec.whatwg.org/#determine-the-same-site-mode
func (r *request) sameSiteMode() sameSiteMode {
	top := r.page.topLevelOrigin()
	switch {
	case !origin.SameSite(top, r.currentURL().origin),
		(r.page.Opaque || !origin.SameSite(top, r.page.origin)) && !r.quirk(sandboxedFrameSameSite):
		return noneOnly
	case r.redirectTaint() == taintCrossSite && !r.quirk(redirectedStrictCookies):
		return unsetOrLess
	}
	return strictOrLess
}

// authorizationValue is a URL converted to an `Authorization` value.
func authorizationValue(u *urlRecord) string {
	username, password := u.credentials()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// authEntries are the authentication entries: one for each origin, since no
// realm is asked about.
//
// https://fetch.spec.whatwg.org/#authentication-entry
type authEntries struct {
	mu      sync.Mutex
	entries map[origin.Origin]string
}

func (a *authEntries) get(u *urlRecord) (value string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	value, ok = a.entries[u.origin]
	return value, ok
}

func (a *authEntries) set(u *urlRecord) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entries == nil {
		a.entries = map[origin.Origin]string{}
	}
	a.entries[u.origin] = authorizationValue(u)
}

// inflight counts the bytes of a page's keepalive bodies on their way.
type inflight struct {
	mu    sync.Mutex
	bytes int64
}

// hold counts n bytes for r, in place of what it held for an earlier URL, and
// reports whether the page may have so many on their way. The standard's list
// has r itself in it too, which no browser counts twice.
func (r *request) hold(n int64) bool {
	f := &r.page.keepalive
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes-r.held+n > 64<<10 {
		return false
	}
	f.bytes += n - r.held
	r.held = n
	return true
}

// A holdingBody is the body of a response whose request counts until it has been
// read or closed.
type holdingBody struct {
	io.ReadCloser
	request *request
}

func (b holdingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.request.hold(0)
	}
	return n, err
}

func (b holdingBody) Close() error {
	b.request.hold(0)
	return b.ReadCloser.Close()
}

// userAgent is the value of User-Agent where the page sets none.
//
// https://fetch.spec.whatwg.org/#environment-default-user-agent-value
func (b *Browser) userAgent() string {
	if b.UserAgent != "" {
		return b.UserAgent
	}
	return "Mozilla/5.0 (compatible; crossorigin-cors)"
}

// httpNetworkFetch is HTTP-network fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
func httpNetworkFetch(ctx context.Context, r *request, includeCredentials, forceNewConnection bool) (*response, *BlockedError) {
	const anchor = "concept-http-network-fetch"
	if forceNewConnection {
		r.browser.CloseIdleConnections()
	}
	if err := ctx.Err(); err != nil {
		return nil, r.blocked(CodeAborted, anchor, "9.2").after(err)
	}
	exchange := &Exchange{Preflight: r.isPreflight, Method: r.method, URL: r.currentURL().withoutFragment(), RequestHeader: r.headers}
	*r.exchanges = append(*r.exchanges, exchange)
	r.emit(Event{Kind: EventRequestSent, Exchange: exchange})
	// 8.3.
	var refused *atomic.Bool
	if r.stream != nil {
		refused = new(atomic.Bool)
		ctx = refuseHTTP1(ctx, refused)
	}
	// 8.5.
	hres, head, err := r.send(httpRequest(ctx, r))
	if err != nil {
		if refused != nil && refused.Load() {
			return nil, r.blocked(CodeStreamOverHTTP1, anchor, "8.3")
		}
		code, step := networkCode(ctx, err)
		return nil, r.blocked(code, anchor, step).after(err)
	}
	res := &response{body: hres.Body}
	if head != nil {
		res.status, res.statusText, res.header = head.status, head.statusText, head.lines
	} else {
		res.status, res.header = hres.StatusCode, fields(hres.Header)
		if hres.ProtoMajor < 2 { // HTTP/2 has no reason phrase; net/http makes one up
			_, res.statusText, _ = strings.Cut(hres.Status, " ")
		}
	}
	res.header = r.receivedQuirk(res.header)
	exchange.Status, exchange.ResponseHeader = res.status, res.header
	r.emit(Event{Kind: EventResponse, Exchange: exchange})
	if blocked := checkReceived(r, res); blocked != nil {
		res.close()
		return nil, blocked
	}
	// 17.
	if includeCredentials {
		jar, mode := r.cookies()
		for _, line := range lines(res.header, "Set-Cookie") {
			// Why a cookie is refused is nobody's business here.
			_ = jar.store(r.currentURL(), line, mode, overHTTP)
		}
	}
	// 18.1.
	codings, limit := lines(res.header, "Content-Encoding"), r.browser.Limits.BodyBytes
	if codings == nil && limit == 0 {
		return res, nil
	}
	if limit == 0 {
		limit = math.MaxInt64
	}
	decoded, err := decodeBody(res.body, codings, r.browser.ContentCodings, limit)
	if err != nil {
		decoded = failingReader{err}
	}
	res.body = readCloser{decoded, res.body}
	return res, nil
}

// checkReceived says what is wrong with the header of res as HTTP has it. The
// transport need not have looked.
func checkReceived(r *request, res *response) *BlockedError {
	const anchor = "concept-http-network-fetch"
	// 8.5.5.3. A 101 is no final response, and nobody asked for another protocol.
	if res.status >= 100 && res.status <= 199 {
		return r.blocked(CodeMalformedResponse, anchor, "8.5").because("", strconv.Itoa(res.status))
	}
	left := r.browser.Limits.headerBytes()
	for _, f := range res.header {
		if !header.IsValue(f.Value) {
			return r.blocked(CodeMalformedResponse, anchor, "8.5").because(f.Name, f.Value)
		}
		if left -= int64(len(f.Name) + len(f.Value) + len(": \r\n")); left < 0 {
			return r.blocked(CodeResponseTooLarge, anchor, "8.5").because(f.Name, "")
		}
	}
	return nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// httpRequest puts r on the wire. The names keep the case that the page gave
// them; lines of the same name become one, as in browsers.
func httpRequest(ctx context.Context, r *request) *http.Request {
	h := make(http.Header, len(r.headers))
	values := make([]string, len(r.headers)) // one slice for all of them
	for i, f := range r.headers {
		name := f.Name
		if header.EqualFold(name, "User-Agent") {
			name = "User-Agent" // net/http adds its own otherwise
		}
		f.Value = r.encodeValue(f.Value)
		if lines := h[name]; len(lines) == 0 {
			values[i] = f.Value
			h[name] = values[i : i+1 : i+1]
		} else if r.isSingle(name) {
			if r.lastCounts(name) {
				lines[0] = f.Value
			}
		} else {
			lines[0] += ", " + f.Value
		}
	}
	u := r.currentURL()
	hreq := new(http.Request).WithContext(ctx)
	hreq.Method, hreq.URL, hreq.Host, hreq.Header = r.method, u.netURL(), u.hostPort(), h
	hreq.Proto, hreq.ProtoMajor, hreq.ProtoMinor = "HTTP/1.1", 1, 1
	if body, length := r.bodyReader(); body != nil {
		hreq.Body, hreq.ContentLength = io.NopCloser(body), length
		if length == 0 {
			hreq.Body = http.NoBody
		}
		if r.stream == nil {
			hreq.GetBody = func() (io.ReadCloser, error) {
				again, _ := r.bodyReader()
				return io.NopCloser(again), nil
			}
		}
	}
	return hreq
}

// refuseHTTP1 closes a connection of HTTP/1 before anything is written to it, and
// says so in refused.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch step 8.3
func refuseHTTP1(ctx context.Context, refused *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
		if !ok || conn.ConnectionState().NegotiatedProtocol != "h2" {
			refused.Store(true)
			info.Conn.Close()
		}
	}})
}

// fields lists h by name; net/http keeps the order of lines within one. It lets
// names through that are no tokens, which browsers drop, the line with the name.
func fields(h http.Header) []header.Field {
	var buf [24]string // on the stack for most responses
	names, n := buf[:0], 0
	for name, values := range h {
		if header.IsToken(name) {
			names = append(names, name)
			n += len(values)
		}
	}
	slices.Sort(names)
	list := make([]header.Field, 0, n)
	for _, name := range names {
		for _, value := range h[name] {
			list = append(list, header.Field{Name: name, Value: value})
		}
	}
	return list
}

// networkCode classifies what the transport says; net/http has no types for most
// of it.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
func networkCode(ctx context.Context, err error) (code Code, step string) {
	said := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(err.Error(), part) })
	}
	switch {
	case errors.Is(err, errPrivateAddress):
		return CodePrivateAddress, "8.1"
	case ctx.Err() != nil:
		return CodeAborted, "9.2"
	case errors.Is(err, errHeadTooLarge), said("headers exceeded", "header list larger"):
		return CodeResponseTooLarge, "8.5"
	case errors.Is(err, errMalformedHead), said("malformed", "Content-Length", "transfer encoding", "too many 1xx"):
		return CodeMalformedResponse, "8.5"
	}
	return CodeNetwork, "8.1"
}
