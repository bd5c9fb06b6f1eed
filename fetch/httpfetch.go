package fetch

import (
	"context"

	"github.com/crossorigin/cors/header"
)

// httpFetch is HTTP fetch. There are no service workers.
//
// https://fetch.spec.whatwg.org/#concept-http-fetch
func httpFetch(ctx context.Context, r *request, makeCORSPreflight bool) (*response, *BlockedError) {
	const anchor = "concept-http-fetch"
	// 4.1.
	if makeCORSPreflight {
		if blocked := ensurePreflight(ctx, r); blocked != nil {
			return nil, blocked
		}
	}
	if r.refusedLate != nil {
		return nil, r.refusedLate
	}
	// 4.3.
	res, blocked := httpNetworkOrCacheFetch(ctx, r, false, false)
	if blocked != nil {
		return nil, blocked
	}
	// 4.4.
	if r.tainting == taintCORS {
		if blocked := corsCheck(r, r, res); blocked != nil {
			if r.quirk(blockedCached) {
				res.drain()
			}
			res.close()
			return nil, blocked
		}
		r.refusedLate = r.checkRedirectStrictly(res)
	}
	// 4.5.
	if r.timingAllowFailed || !taoCheck(r.serializedOrigin(), r.tainting == taintBasic, res.header) {
		r.timingAllowFailed = true
	}
	// 5.
	if r.tainting == taintOpaque && !corpCheck(r.origin, r.currentURL(), r.page.EmbedderPolicy, res.header, res.includesCredentials) && !r.corpQuirk(res) {
		res.close()
		value, _ := get(res.header, "Cross-Origin-Resource-Policy")
		return nil, r.blocked(CodeCORP, anchor, "5").because("Cross-Origin-Resource-Policy", value)
	}
	// 6.
	if isRedirectStatus(res.status) && r.differingLocations(res) {
		res.close()
		value, _ := get(res.header, "Location")
		return nil, r.blocked(CodeLocation, "concept-http-redirect-fetch", "5").because("Location", value)
	}
	if isRedirectStatus(res.status) && !r.emptyLocation(res) {
		switch r.redirect {
		case RedirectError:
			res.close()
			return nil, r.blocked(CodeRedirectError, anchor, "6.3.1")
		case RedirectManual:
			return r.filterRedirect(res), nil
		}
		return httpRedirectFetch(ctx, r, res)
	}
	return res, nil
}

// ensurePreflight is step 4.1 of HTTP fetch: it makes a CORS-preflight fetch if
// the cache does not spare it.
func ensurePreflight(ctx context.Context, r *request) *BlockedError {
	cache := &r.browser.preflight
	if !cache.spares(r) {
		if r.trace != nil {
			e := Event{Kind: EventPreflightNeeded, Names: r.unsafe}
			if !header.IsSafelistedMethod(r.method) {
				e.Name = r.method
			}
			if r.useCORSPreflight {
				e.Value = "upload"
			}
			r.emit(e)
		}
		return cache.share(ctx, r, func() *BlockedError { return corsPreflightFetch(ctx, r) })
	}
	r.emit(Event{Kind: EventPreflightCached})
	return nil
}
