package fetch

import (
	"context"
	"slices"

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
			Method: r.method, URL: r.told(), FromCache: true,
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
		again, blocked := httpNetworkOrCacheFetch(ctx, r, isAuthenticationFetch, true)
		return r.joinTypes(res, again), blocked
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
	if r.mode != ModeCORS && !(len(r.urls) > 1 && r.quirk(originSurvivesGET)) && !r.quirk(referrerPolicyIgnoredForOrigin) {
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

// isSameSite is [origin.SameSite] for the origin of p. A page asks mostly about
// the same few origins, one after the other, so the last answer is remembered.
func (p *Page) isSameSite(o origin.Origin) bool {
	if last := p.lastSite.Load(); last != nil && last.origin == o {
		return last.same
	}
	same := origin.SameSite(p.origin, o)
	p.lastSite.Store(&siteAnswer{o, same})
	return same
}

type siteAnswer struct {
	origin origin.Origin
	same   bool
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

// userAgent is the value of User-Agent where the page sets none.
//
// https://fetch.spec.whatwg.org/#environment-default-user-agent-value
func (b *Browser) userAgent() string {
	if b.UserAgent != "" {
		return b.UserAgent
	}
	return "Mozilla/5.0 (compatible; crossorigin-cors)"
}
