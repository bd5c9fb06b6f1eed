package fetch

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// This file and its two neighbours are what the quirks of profile.go do, in the
// order in which a fetch comes to them; the algorithms of the standard ask them by
// name. Here: the request and its preflight, what it sends and what it gets.

// unsafeNames is the CORS-unsafe request-header names with r's header list, as
// the profile has them.
func (r *request) unsafeNames() []string {
	p := r.browser.Profile
	if p == Standard {
		return header.UnsafeRequestNames(r.headers)
	}
	list := r.headers
	if p.has(originalHeadersPreflighted) {
		list = r.authored
	} else if p.has(preflightSticks) {
		list = r.withoutStripped(r.authored)
	}
	if p.has(joinedLines) {
		list = joinLines(list)
	}
	if p == Chromium {
		for i := range list {
			list[i].Value = strings.TrimRight(list[i].Value, " ") // an empty last line leaves a space
		}
	}
	var unsafe, safe []string
	size := 0
	for _, f := range list {
		name := header.Lower(f.Name)
		if !r.isSafelisted(name, f.Value) {
			unsafe = append(unsafe, name)
			continue
		}
		safe = append(safe, name)
		size += len(f.Value)
	}
	if size > 1024 && !r.quirk(noTotalLength) {
		unsafe = append(unsafe, safe...)
	}
	slices.Sort(unsafe)
	if p.has(repeatedNames) {
		return unsafe
	}
	return slices.Compact(unsafe)
}

// withoutStripped returns list without what redirects of a request that CORS
// watches over have taken.
func (r *request) withoutStripped(list []header.Field) []header.Field {
	if len(r.stripped) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(f header.Field) bool {
		return slices.ContainsFunc(r.stripped, func(gone func(string) bool) bool { return gone(f.Name) })
	})
}

// sticks reports whether there is a preflight though nothing is unsafe any more.
func (r *request) sticks() bool {
	if len(r.urls) == 1 {
		return false
	}
	return (r.preflighted || r.browser.Profile == Firefox && r.authoredUnsafe) && r.quirk(preflightSticks)
}

func joinLines(list []header.Field) []header.Field {
	var joined []header.Field
	for _, f := range list {
		if _, has := get(joined, f.Name); !has {
			f.Value, _ = get(list, f.Name)
			joined = append(joined, f)
		}
	}
	return joined
}

// isSafelisted reports whether a header, with its name in lower case, is
// CORS-safelisted for the profile.
func (r *request) isSafelisted(name, value string) bool {
	safe := header.IsSafelistedRequest(name, value)
	switch name {
	case "save-data", "dpr", "device-memory", "downlink", "width", "viewport-width", "rtt", "ect", "intervention":
		return len(value) <= 128 && clientHintValues[name].MatchString(value) && r.quirk(clientHints)
	case "user-agent":
		return len(value) <= 128 && r.quirk(userAgentSafelisted)
	case "accept":
		return safe && !(hasHighByte(value) && r.quirk(highBytesUnsafe))
	case "content-type":
		return safe && !(hasHighByte(value) && r.quirk(highBytesUnsafe)) &&
			!((strings.Contains(value, ",") || strings.HasSuffix(value, ";") && strings.Count(value, ";") > 1) && r.quirk(strictParameters))
	case "range":
		if !safe && laxRangeValue.MatchString(value) && r.quirk(laxRange) {
			value = strings.ReplaceAll(header.Lower(value), "+", "")
			safe = header.IsSafelistedRequest(name, value)
		}
		return safe && !(r.rangeOverflows(value) && r.quirk(rangeOverflows))
	}
	return safe
}

// guardQuirk reports whether the guard of mode "no-cors" drops f, a Content-Type,
// for the profile, though not for the standard.
func (r *request) guardQuirk(h Headers, f header.Field) bool {
	if h.Guard != GuardRequestNoCORS || !r.browser.Profile.has(strictParameters) || !header.EqualFold(f.Name, "Content-Type") {
		return false
	}
	value := header.Normalize(f.Value)
	if present, ok := get(h.List, f.Name); ok {
		value = present + ", " + value
	}
	return header.IsSafelistedRequest("content-type", value) && !r.isSafelisted("content-type", value)
}

var clientHintValues = map[string]*regexp.Regexp{
	"save-data":      regexp.MustCompile(`^(?i:on)$`),
	"dpr":            regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
	"device-memory":  regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
	"downlink":       regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
	"width":          regexp.MustCompile(`^[0-9]+$`),
	"viewport-width": regexp.MustCompile(`^[0-9]+$`),
	"rtt":            regexp.MustCompile(`^[0-9]+$`),
	"ect":            regexp.MustCompile(`^(slow-2g|2g|3g|4g)$`),
	"intervention":   regexp.MustCompile(``),
}

var laxRangeValue = regexp.MustCompile(`^(?i:bytes)=\+?[0-9]+-(\+?[0-9]+)?$`)

func (r *request) rangeOverflows(value string) bool {
	bits := 64
	if r.browser.Profile == Chromium {
		bits = 63
	}
	start, end, _ := strings.Cut(strings.TrimPrefix(value, "bytes="), "-")
	for _, number := range []string{start, end} {
		if _, err := strconv.ParseUint(number, 10, bits); number != "" && err != nil {
			return true
		}
	}
	return false
}

func hasHighByte(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c > 0x7f })
}

// dressPreflight gives a preflight for r what the standard does not.
func (r *request) dressPreflight(preflight *request) {
	if mode := r.effectiveCache(); mode != CacheDefault && r.quirk(preflightCacheMode) {
		preflight.cache = mode
	}
	if r.quirk(preflightAcceptLanguage) {
		preflight.append("Accept-Language", acceptLanguage)
	}
	if len(r.urls) > 1 && r.firstReferrer != nil && r.quirk(preflightReferrer) {
		told := r.firstReferrer
		if !origin.SameSite(told.origin, r.currentURL().origin) {
			told = told.originOnly()
		}
		preflight.referrer = told.href
	}
	preflight.pageOrigin = r.redirectTaint() != taintSameOrigin && r.quirk(preflightPageOrigin)
	preflight.firstMethod = preflight.method
}

// keepsPreflight reports whether a fetch that is blocked leaves the preflight
// cache as it is.
func (r *request) keepsPreflight(blocked *BlockedError) bool {
	if r.browser.Profile == Firefox && blocked.Code != CodeRedirectError && blocked.Code != CodeProxyAuthentication {
		return false
	}
	return r.quirk(failureKeepsPreflight)
}

// preflightOrigin is the origin by which the preflight cache knows r.
func (r *request) preflightOrigin() string {
	if r.browser.Profile.has(preflightPageOrigin) {
		return r.origin.String()
	}
	return r.serializedOrigin()
}

// readsPreflightCache reports whether r asks the preflight cache.
func (r *request) readsPreflightCache() bool {
	if r.serializedOrigin() == "null" && r.quirk(opaqueOriginNotCached) ||
		!r.origin.Opaque() && r.redirectTaint() != taintSameOrigin && r.quirk(taintedOriginNotCached) {
		return false
	}
	switch r.effectiveCache() {
	case CacheNoStore, CacheReload:
		return !r.quirk(noStoreSkipsPreflightCache)
	case CacheNoCache:
		return !(r.browser.Profile == Chromium && r.quirk(noStoreSkipsPreflightCache))
	}
	return true
}

// writesPreflightCache reports whether a preflight for r is kept.
func (r *request) writesPreflightCache() bool {
	if r.serializedOrigin() == "null" && r.quirk(opaqueOriginNotCached) {
		return false
	}
	return !(r.cache == CacheNoStore && r.browser.Profile == Chromium && r.quirk(noStoreSkipsPreflightCache))
}

// mustNameHead reports whether HEAD needs a cache entry of its own.
func (r *request) mustNameHead() bool { return r.method == "HEAD" && r.quirk(headNotCached) }

// cachedWildcardIsName reports whether a cached "*" is a plain name to r.
func (r *request) cachedWildcardIsName(rec *cacheRecord) bool {
	return r.quirk(wildcardNotCached) || r.credentials == CredentialsInclude && r.quirk(refusedPreflightCached) || rec.credentials && r.quirk(wildcardStaysCredentialed)
}

// corpQuirk reports whether a response that the CORP check blocks is let through.
func (r *request) corpQuirk(res *response) bool {
	if value, _ := get(res.header, "Cross-Origin-Resource-Policy"); value != "same-site" {
		return false
	}
	page, target := r.page.url.origin, r.currentURL().origin
	if r.origin.Opaque() {
		return isSchemelesslySameSite(page, target) && r.quirk(corpPrecursor)
	}
	return isLocalhost(page.Host()) && isLocalhost(target.Host()) && r.quirk(localhostIsOneSite)
}

func isLocalhost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// receivedQuirk returns the header of a response as the profile's HTTP stack
// hands it on.
func (r *request) receivedQuirk(list []header.Field) []header.Field {
	if r.browser.Profile.has(mojibake) {
		for i := range list {
			list[i].Value = string([]rune(list[i].Value)) // each byte that is not UTF-8 becomes U+FFFD
		}
	}
	if r.browser.Profile.has(emptyLinesDropped) {
		return r.mergeEmptyLines(list, true)
	}
	return list
}

// mergeEmptyLines drops the empty lines of list that are not alone. The CORS
// check sees Access-Control-Allow-Origin as it came, the page does not.
func (r *request) mergeEmptyLines(list []header.Field, forCheck bool) []header.Field {
	if !slices.ContainsFunc(list, func(f header.Field) bool { return f.Value == "" }) {
		return list
	}
	says := map[string]bool{} // by name: is there a line that says something?
	for _, f := range list {
		says[header.Lower(f.Name)] = says[header.Lower(f.Name)] || strings.Trim(f.Value, ", ") != ""
	}
	empty := map[string]bool{} // names of which an empty line is kept
	kept := make([]header.Field, 0, len(list))
	for _, f := range list {
		if f.Value != "" || !says[header.Lower(f.Name)] && !empty[f.Name] || forCheck && f.Name == header.AccessControlAllowOrigin || !r.quirk(emptyLinesDropped) {
			kept = append(kept, f)
			empty[f.Name] = empty[f.Name] || f.Value == ""
		}
	}
	return kept
}

// cookies returns the cookie jar for r, and which of its cookies are for it.
func (r *request) cookies() (*CookieJar, sameSiteMode) {
	mode := r.sameSiteMode()
	if mode == noneOnly && r.quirk(thirdPartyCookiesApart) {
		return r.browser.partition(r.page.site), unsetOrLess
	}
	return r.browser.Cookies, mode
}

// encodeValue is a request-header's value in bytes.
func (r *request) encodeValue(value string) string {
	if !r.browser.Profile.has(sentAsUTF8) {
		return value
	}
	return isomorphicDecode(value)
}

// isSingle reports whether the lines of name, a request-header, are one.
func (r *request) isSingle(name string) bool {
	return (header.EqualFold(name, "Content-Type") || header.EqualFold(name, "Authorization")) && r.quirk(singleHeaders)
}

func (r *request) lastCounts(name string) bool {
	return header.EqualFold(name, "Authorization") || !r.hasBody || len(r.urls) > 1
}

// nullBodyIsEmpty reports whether integrity metadata that an empty body would
// fit is fit by res, which has none.
func (r *request) nullBodyIsEmpty(res *response) bool {
	if res.typ == TypeOpaqueRedirect {
		return r.browser.Profile == WebKit && r.quirk(nullBodyIsEmpty)
	}
	return r.quirk(nullBodyIsEmpty)
}

// joinTypes gives again, what came of another try, the Content-Type of the first
// one too.
func (r *request) joinTypes(first, again *response) *response {
	if again == nil || again.status != 421 {
		return again
	}
	before, ok := get(first.header, "Content-Type")
	if value, has := get(again.header, "Content-Type"); ok && has && r.quirk(misdirectedTypes) {
		again.header = setField(again.header, "Content-Type", before+","+value)
	}
	return again
}
