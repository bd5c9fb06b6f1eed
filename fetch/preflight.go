package fetch

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// corsPreflightFetch asks the server whether it understands CORS and lets r
// come; if so, its answer goes into the CORS-preflight cache.
//
// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
func corsPreflightFetch(ctx context.Context, r *request) *BlockedError {
	const anchor = "cors-preflight-fetch-0"
	// 1. and 2.
	preflight := &request{
		page: r.page, browser: r.browser, trace: r.trace, exchanges: r.exchanges, isPreflight: true,
		method: "OPTIONS", urls: r.urls, destination: r.destination, origin: r.origin, mode: ModeCORS, tainting: taintCORS,
		credentials: CredentialsSameOrigin, redirect: RedirectFollow, cache: CacheDefault,
		referrerURL: r.referrerURL, referrer: r.referrer, referrerPolicy: r.referrerPolicy,
		headers: []header.Field{{Name: "Accept", Value: "*/*"}},
	}
	r.dressPreflight(preflight)
	// 3.
	preflight.append(header.AccessControlRequestMethod, r.method)
	// 4. and 5. Without a space, for better or worse.
	if len(r.unsafe) > 0 {
		preflight.append(header.AccessControlRequestHeaders, strings.Join(r.unsafe, ","))
	}
	// 6.
	res, blocked := httpNetworkOrCacheFetch(ctx, preflight, false, false)
	if blocked != nil {
		return blocked
	}
	defer res.close()
	// 7. The check is for r, whose credentials mode counts.
	if blocked := corsCheck(preflight, r, res); blocked != nil && !(preflight.pageOrigin && origin.Same(r.origin, r.currentURL().origin)) {
		return blocked
	}
	if !isOKStatus(res.status) {
		return preflight.blocked(CodePreflightStatus, anchor, "7").because("", strconv.Itoa(res.status))
	}
	methods, methodsOK := header.List(header.Lines(res.header, header.AccessControlAllowMethods))
	names, namesOK := header.List(header.Lines(res.header, header.AccessControlAllowHeaders))
	methodsValue, hasMethods := get(res.header, header.AccessControlAllowMethods)
	namesValue, _ := get(res.header, header.AccessControlAllowHeaders)
	// 7.3.
	if !methodsOK {
		return preflight.blocked(CodeAllowMethodsSyntax, anchor, "7.3").because(header.AccessControlAllowMethods, methodsValue)
	}
	if !namesOK {
		return preflight.blocked(CodeAllowHeadersSyntax, anchor, "7.3").because(header.AccessControlAllowHeaders, namesValue)
	}
	// 7.4.
	if !hasMethods && r.useCORSPreflight {
		methods = []string{r.method}
	}
	age := r.maxAge(res)
	if r.browser.Profile.has(refusedPreflightCached) {
		r.browser.preflight.store(r, age, methods, names)
	}
	// 7.5. With credentials "*" is a method of that name.
	wildcard := func(list []string) bool {
		return r.credentials != CredentialsInclude && slices.Contains(list, "*")
	}
	if !slices.Contains(methods, r.method) && !header.IsSafelistedMethod(r.method) && !wildcard(methods) {
		return preflight.blocked(CodeMethodNotAllowed, anchor, "7.5").because(header.AccessControlAllowMethods, methodsValue)
	}
	listed := func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return header.EqualFold(n, name) })
	}
	// 7.6. "*" does not cover Authorization.
	for _, f := range r.headers {
		if header.IsNonWildcardRequestName(f.Name) && !listed(f.Name) && !(wildcard(names) && r.quirk(wildcardAuthorization)) {
			return preflight.blocked(CodeAuthorizationNotAllowed, anchor, "7.6").because(header.AccessControlAllowHeaders, namesValue)
		}
	}
	// 7.7.
	for _, name := range r.unsafe {
		if !listed(name) && !wildcard(names) {
			blocked := preflight.blocked(CodeHeaderNotAllowed, anchor, "7.7").because(header.AccessControlAllowHeaders, namesValue)
			blocked.Name = name
			return blocked
		}
	}
	// 7.8. to 7.15.
	r.browser.preflight.store(r, age, methods, names)
	return nil
}

const (
	// defaultMaxAge is for a response that says nothing, or nothing that parses.
	defaultMaxAge = 5 * time.Second
)

// maxMaxAge is the imposed limit. The standard leaves it open.
var maxMaxAge = [...]time.Duration{Standard: 2 * time.Hour, Chromium: 2 * time.Hour, Firefox: 24 * time.Hour, WebKit: 10 * time.Minute}

// maxAge is steps 7.8 to 7.10 of CORS-preflight fetch.
func (r *request) maxAge(res *response) time.Duration {
	value, ok := get(res.header, header.AccessControlMaxAge)
	// delta-seconds: digits alone, however many.
	if value == "" || strings.Trim(value, "0123456789") != "" {
		negative := strings.HasPrefix(value, "-") && strings.Trim(value[1:], "0123456789") == ""
		if negative && r.quirk(negativeMaxAge) || ok && value != "" && r.quirk(unparsableMaxAge) {
			return 0
		}
		return defaultMaxAge
	}
	limit := maxMaxAge[r.browser.Profile]
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds > int64(limit/time.Second) {
		return limit
	}
	return time.Duration(seconds) * time.Second
}
