package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// httpNetworkOrCacheFetch is HTTP-network-or-cache fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch
func httpNetworkOrCacheFetch(ctx context.Context, r *request, isAuthenticationFetch, isNewConnectionFetch bool) (*response, *BlockedError) {
	const anchor = "concept-http-network-or-cache-fetch"
	// 8.2. Copied, because a redirect or a 401 sends the request again with other headers.
	hr := r.clone()
	// 8.3.
	includeCredentials := r.credentials == CredentialsInclude || r.credentials == CredentialsSameOrigin && (r.tainting == taintBasic ||
		r.tainting == taintOpaque && r.startedAtHome() && r.quirk(credentialsNotRejudged))
	// 8.5. to 8.9. Content-Length is net/http's to write.
	_, contentLength := r.bodyReader()
	// 8.10.
	if r.keepalive && contentLength > 0 {
		if !r.browser.keepalive.add(contentLength) {
			return nil, r.blocked(CodeKeepaliveSize, anchor, "8.10.5")
		}
		defer r.browser.keepalive.add(-contentLength)
	}
	// 8.11.
	if hr.referrer != "" {
		hr.append("Referer", hr.referrer)
	}
	// 8.12.
	appendOrigin(hr)
	// 8.13.
	appendFetchMetadata(hr)
	// 8.15.
	if !hr.has("User-Agent") {
		hr.append("User-Agent", r.browser.userAgent())
	}
	// 8.16.
	hr.cache = hr.effectiveCache()
	// 8.17.
	if hr.cache == CacheNoCache && !r.preventNoCacheHeader && !hr.has("Cache-Control") {
		hr.append("Cache-Control", "max-age=0")
	}
	// 8.18.
	if hr.cache == CacheNoStore || hr.cache == CacheReload {
		if !hr.has("Pragma") {
			hr.append("Pragma", "no-cache")
		}
		if !hr.has("Cache-Control") {
			hr.append("Cache-Control", "no-cache")
		}
	}
	// 8.19. and 8.20.
	if hr.has("Range") {
		hr.append("Accept-Encoding", "identity")
	} else {
		hr.append("Accept-Encoding", r.browser.acceptEncoding())
	}
	// 8.21.
	if includeCredentials {
		appendCredentials(hr, isAuthenticationFetch)
	}
	// 8.25.
	var stored *storedResponse
	var res *response
	revalidating := false
	sent := r.browser.now()
	if hr.cache != CacheNoStore && hr.cache != CacheReload {
		stored = r.browser.cache.lookup(hr)
	}
	switch {
	case stored == nil:
	case hr.cache == CacheDefault && stored.isStaleWhileRevalidate(hr, sent):
		res = stored.response()
		revalidate(ctx, r)
	case hr.cache != CacheForceCache && hr.cache != CacheOnlyIfCached && stored.isStale(hr, sent):
		revalidating = true
		stored.validators(hr)
	default:
		res = stored.response()
	}
	if res != nil {
		*r.exchanges = append(*r.exchanges, &Exchange{
			Method: hr.method, URL: hr.currentURL().withoutFragment(), FromCache: true,
			RequestHeader: hr.headers, Status: res.status, ResponseHeader: res.header,
		})
	}
	// 11.
	if res == nil {
		if hr.cache == CacheOnlyIfCached && !r.quirk(onlyIfCachedIgnored) {
			return nil, r.blocked(CodeNotCached, anchor, "11.1")
		}
		forward, blocked := httpNetworkFetch(ctx, hr, includeCredentials, isNewConnectionFetch)
		if blocked != nil {
			return nil, blocked
		}
		// 11.3.
		r.browser.cache.invalidate(hr, forward)
		if revalidating && forward.status == 304 {
			// 11.4.
			forward.close()
			res = r.browser.cache.freshen(hr, stored, forward, sent).response()
		} else {
			// 11.5.
			res = r.browser.cache.store(hr, forward, sent)
		}
	}
	// 12. to 14.
	res.urls = slices.Clip(hr.urls)
	res.rangeRequested = hr.has("Range")
	res.includesCredentials = includeCredentials
	// 15. Nobody is here to be asked for a password: only the URL's own is tried.
	if res.status == 401 && r.tainting != taintCORS && includeCredentials && r.useURLCredentials &&
		!isAuthenticationFetch && r.currentURL().hasCredentials() {
		res.close()
		if r.stream != nil {
			return nil, r.blocked(CodeAuthenticationBody, anchor, "15.2.1")
		}
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
	if r.method == "GET" || r.method == "HEAD" {
		switch {
		case r.method != r.firstMethod && r.redirectsWithinOrigin() && r.quirk(originSurvivesGET):
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
	if r.cache == CacheDefault && r.has("If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range") {
		return CacheNoStore
	}
	return r.cache
}

// appendFetchMetadata is https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-append-the-fetch-metadata-headers-for-a-request.
func appendFetchMetadata(r *request) {
	if !r.currentURL().isTrustworthy() {
		return
	}
	site := siteRelation(r.origin, r.urls)
	if site = r.siteQuirk(site); site == "" {
		return
	}
	if value := storageAccess(r); value != "" && r.quirk(storageAccessHeaders) {
		r.append("Sec-Fetch-Storage-Access", value)
	}
	r.append("Sec-Fetch-Dest", "empty")
	r.append("Sec-Fetch-Mode", string(r.mode))
	r.append("Sec-Fetch-Site", site)
}

// siteRelation is how far urls lead from o, at worst: the value of
// Sec-Fetch-Site.
//
// https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-set-site
func siteRelation(o origin.Origin, urls []*urlRecord) string {
	site := "same-origin"
	for _, u := range urls {
		if origin.Same(u.origin, o) {
			continue
		}
		if !origin.SameSite(u.origin, o) {
			return "cross-site"
		}
		site = "same-site"
	}
	return site
}

// appendCredentials is step 8.21.
func appendCredentials(r *request, isAuthenticationFetch bool) {
	u := r.currentURL()
	if cookie := r.browser.Cookies.retrieve(u, r.sameSiteMode(), overHTTP); cookie != "" {
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

// inflight counts the bytes of keepalive bodies on their way.
type inflight struct {
	mu    sync.Mutex
	bytes int64
}

func (f *inflight) add(n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n > 0 && f.bytes+n > 64<<10 {
		return false
	}
	f.bytes += n
	return true
}

func (b *Browser) userAgent() string {
	if b.UserAgent != "" {
		return b.UserAgent
	}
	return "Mozilla/5.0 (compatible; crossorigin-cors)"
}

func (b *Browser) acceptEncoding() string {
	names := slices.Sorted(maps.Keys(b.ContentCodings))
	return strings.Join(append([]string{"gzip", "deflate"}, names...), ", ")
}

// httpNetworkFetch is HTTP-network fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
func httpNetworkFetch(ctx context.Context, r *request, includeCredentials, forceNewConnection bool) (*response, *BlockedError) {
	const anchor = "concept-http-network-fetch"
	if forceNewConnection {
		if t, ok := r.browser.transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
	exchange := &Exchange{Preflight: r.isPreflight, Method: r.method, URL: r.currentURL().withoutFragment(), RequestHeader: r.headers}
	*r.exchanges = append(*r.exchanges, exchange)
	r.emit(Event{Kind: EventRequestSent, Exchange: exchange})
	// 8.
	hres, err := r.browser.transport.RoundTrip(httpRequest(ctx, r))
	if err != nil {
		return nil, r.blocked(networkCode(ctx, err), anchor, "8.1").after(err)
	}
	res := &response{status: hres.StatusCode, header: r.receivedQuirk(fields(hres.Header)), body: hres.Body}
	if _, text, ok := strings.Cut(hres.Status, " "); ok {
		res.statusText = text
	}
	exchange.Status, exchange.ResponseHeader = res.status, res.header
	r.emit(Event{Kind: EventResponse, Exchange: exchange})
	for _, f := range res.header {
		if !header.IsValue(f.Value) {
			res.close()
			return nil, r.blocked(CodeMalformedResponse, anchor, "8.5").because(f.Name, f.Value)
		}
	}
	// 17.
	if includeCredentials {
		mode := r.sameSiteMode()
		for _, line := range lines(res.header, "Set-Cookie") {
			// Why a cookie is refused is nobody's business here.
			_ = r.browser.Cookies.store(r.currentURL(), line, mode, overHTTP)
		}
	}
	// 18.1.
	limit := r.browser.Limits.BodyBytes
	if limit == 0 {
		limit = math.MaxInt64
	}
	decoded, err := decodeBody(res.body, lines(res.header, "Content-Encoding"), r.browser.ContentCodings, limit)
	if err != nil {
		decoded = failingReader{err}
	}
	res.body = readCloser{decoded, res.body}
	return res, nil
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
	for _, f := range r.headers {
		name := f.Name
		if header.EqualFold(name, "User-Agent") {
			name = "User-Agent" // net/http adds its own otherwise
		}
		if values := h[name]; len(values) == 0 {
			h[name] = []string{f.Value}
		} else if header.EqualFold(name, "Content-Type") && r.quirk(oneContentType) {
			if !r.hasBody || len(r.urls) > 1 {
				values[0] = f.Value
			}
		} else {
			values[0] += ", " + f.Value
		}
	}
	u := r.currentURL()
	hreq := &http.Request{
		Method: r.method, URL: u.netURL(), Host: u.hostPort(), Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
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
	return hreq.WithContext(ctx)
}

// fields lists h by name; net/http keeps the order of lines within one.
func fields(h http.Header) []header.Field {
	list := make([]header.Field, 0, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			list = append(list, header.Field{Name: name, Value: value})
		}
	}
	return list
}

func networkCode(ctx context.Context, err error) Code {
	switch {
	case errors.Is(err, errPrivateAddress):
		return CodePrivateAddress
	case ctx.Err() != nil:
		return CodeAborted
	case strings.Contains(err.Error(), "malformed") || strings.Contains(err.Error(), "server response headers exceeded"):
		return CodeMalformedResponse
	}
	return CodeNetwork
}
