package fetch

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// This file is what the quirks of profile.go do, in the order in which a fetch
// comes to them. The algorithms of the standard ask it by name.

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

// emptyLocation reports whether res, which has the status of a redirect, is none.
func (r *request) emptyLocation(res *response) bool {
	value, _ := get(res.header, "Location")
	if value != "" || r.redirect == RedirectManual {
		return false
	}
	return r.redirect == RedirectError && r.quirk(noLocationNoError) || r.quirk(emptyLocation)
}

// differingLocations reports whether res has Location lines that contradict each
// other.
func (r *request) differingLocations(res *response) bool {
	values := lines(res.header, "Location")
	return len(values) > 1 && slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) && r.quirk(differingLocationsRefused)
}

// trimReferrer cuts the referrer u down to the origin, for this hop. In Firefox
// the next one begins with the first referrer again.
func (r *request) trimReferrer(u *urlRecord) *urlRecord {
	switch r.referrerPolicy {
	case ReferrerPolicyUnsafeURL, ReferrerPolicyNoReferrerWhenDowngrade, ReferrerPolicyOriginWhenCrossOrigin:
		if u != nil && !origin.SameSite(u.origin, r.currentURL().origin) && r.quirk(relaxedReferrerTrimmed) {
			if r.browser.Profile == Firefox {
				r.referrerURL = r.askedReferrer
			}
			return u.originOnly()
		}
	}
	return u
}

// beginReferrerAnew makes what the last hop was told, now that a redirect has set
// the policy, all that there is to tell the next.
func (r *request) beginReferrerAnew() {
	r.noReferrer = false
	if r.browser.Profile == Firefox {
		r.askedReferrer, _ = parseURL(r.referrer, nil)
		r.referrerURL = r.askedReferrer
	}
}

// redirectsWithinOrigin reports whether no redirect led to another origin.
func (r *request) redirectsWithinOrigin() bool {
	return !slices.ContainsFunc(r.urls, func(u *urlRecord) bool { return !origin.Same(u.origin, r.urls[0].origin) })
}

// startedAtHome reports whether r went to the page's own origin first.
func (r *request) startedAtHome() bool {
	return len(r.urls) > 1 && r.credentials == CredentialsSameOrigin && origin.Same(r.urls[0].origin, r.origin)
}

// checkRedirectStrictly is the CORS check with credentials, for a redirect by
// another origin of a request that went to the page's own first. It fails late:
// once the preflight for the next URL has been made.
func (r *request) checkRedirectStrictly(res *response) *BlockedError {
	if !isRedirectStatus(res.status) || !r.startedAtHome() || !r.quirk(credentialsNotRejudged) {
		return nil
	}
	strict := *r
	strict.credentials = CredentialsInclude
	return corsCheck(r, &strict, res)
}

// refusesLate reports whether a redirect to user and password is refused once the
// preflight for their URL has been made: one from the page's own origin.
func (r *request) refusesLate(blocked *BlockedError) bool {
	if r.tainting != taintBasic || r.mode != ModeCORS || !r.quirk(credentialsRefusedLate) {
		return false
	}
	r.refusedLate = blocked
	return true
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

// originQuirk reports whether a request of another mode than "cors" hides its
// origin where the standard does not.
func (r *request) originQuirk() bool {
	if r.noReferrer && !(len(r.urls) > 1 && r.browser.Profile == WebKit) && r.quirk(noReferrerNullOrigin) {
		return true
	}
	return !r.redirectsWithinOrigin() && r.quirk(noCORSRedirectNullOrigin)
}

// siteQuirk returns the value of Sec-Fetch-Site where the standard has site; ""
// means that there is none.
func (r *request) siteQuirk(site string) string {
	hops := len(r.urls) - 1
	switch {
	case hops == 0:
	case r.isPreflight && r.quirk(taintedPreflightCrossSite) && r.serializedOrigin() == "null":
		return "cross-site"
	case r.isPreflight && r.quirk(preflightSite):
		return siteRelation(r.page, r.urls[hops:])
	case r.isPreflight:
	case r.mode == ModeCORS && !origin.Same(r.urls[hops].origin, r.urls[hops-1].origin) && r.quirk(crossOriginRedirectWithoutMetadata):
		return ""
	case site == "same-site" && r.quirk(redirectedNeverSameSite):
		return "cross-site"
	}
	return site
}

// storageAccess is the value of Sec-Fetch-Storage-Access: "" for none.
//
// https://privacycg.github.io/storage-access-headers/
func storageAccess(r *request) string {
	top := r.page.topLevelOrigin()
	switch {
	case r.credentials != CredentialsInclude, r.isPreflight:
	case !origin.SameSite(top, r.currentURL().origin):
		return "none"
	case r.page.Opaque || !origin.SameSite(top, r.page.origin):
		return "inactive"
	}
	return ""
}

// inactiveStorageAccess reports whether a request without body says its origin
// because its storage access is inactive: one that a redirect brought here too,
// but for one that has become GET in Chromium, or has left the origin in Firefox.
func (r *request) inactiveStorageAccess() bool {
	if len(r.urls) == 1 {
		return storageAccess(r) == "inactive"
	}
	first := *r
	first.urls = r.urls[:1]
	if r.browser.Profile == Chromium && r.method != r.firstMethod || r.browser.Profile == Firefox && !r.redirectsWithinOrigin() {
		return false
	}
	return storageAccess(&first) == "inactive"
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

// filterRedirect is filterOpaque for a redirect in redirect mode "manual".
func (r *request) filterRedirect(res *response) *response {
	_, redirects := get(res.header, "Location")
	if !redirects && r.quirk(manualBodyShown) {
		return &response{typ: TypeOpaqueRedirect, urls: res.urls, body: res.body}
	}
	if r.integrity != "" && r.browser.Profile == Firefox && r.quirk(nullBodyIsEmpty) {
		// It looks at the body that the page does not see.
		if body, err := io.ReadAll(io.LimitReader(res.body, maxIntegrityBody)); err == nil && bytesMatchIntegrity(body, r.integrity) {
			r.integrity = ""
		}
	}
	return filterOpaque(res, TypeOpaqueRedirect)
}

// cachedHeader is list as the HTTP cache hands it out.
func (r *request) cachedHeader(list []header.Field) []header.Field {
	isEmpty := func(f header.Field) bool { return f.Value == "" }
	if !slices.ContainsFunc(list, isEmpty) || !r.quirk(emptyLinesDropped) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), isEmpty)
}

// keepsOnceFollowed reports whether res, a redirect, is cached only if it is
// followed.
func (r *request) keepsOnceFollowed(res *response) bool {
	switch res.status {
	case 302, 303, 307:
		return r.quirk(unfollowedNotCached)
	case 301, 308:
		return r.redirect == RedirectFollow && r.quirk(unfollowedNotCached)
	}
	return false
}

// invalidates reports whether the response to r, which names other, forgets it.
func (r *request) invalidates(other *urlRecord) bool {
	u := r.currentURL()
	if !r.browser.Profile.has(moreInvalidated) {
		return origin.Same(other.origin, u.origin)
	}
	return other.host == u.host && r.sameSiteMode() != noneOnly && r.quirk(moreInvalidated)
}

// cachedApart tells what the HTTP cache of the profile keeps apart.
func (r *request) cachedApart() string {
	apart := ""
	if r.method == "HEAD" && r.quirk(headCached) {
		apart = "HEAD"
	}
	anonymous := r.credentials == CredentialsOmit || r.credentials == CredentialsSameOrigin && r.tainting != taintBasic
	if anonymous && r.quirk(credentialsCachedApart) {
		apart += " anonymous"
	}
	if r.permanent && r.quirk(permanentRedirectApart) {
		apart += " redirected"
	}
	return apart
}

// bypassesCache reports whether r does not look into the HTTP cache.
func (r *request) bypassesCache() bool {
	if r.page.Opaque && r.quirk(opaqueOriginNotCached) {
		return true
	}
	_, pragma := get(r.headers, "Pragma")
	return (pragma || directivesOf(r.headers).has("no-cache") || r.hasCondition()) && r.quirk(pageBypassesCache)
}

// cachesRange reports whether the HTTP cache is for r in spite of its Range.
func (r *request) cachesRange() bool {
	value, ok := get(r.headers, "Range")
	if !ok {
		return true
	}
	if r.browser.Profile == Firefox && value != "bytes=0-" {
		return false
	}
	// HTTP lets a cache cut a range from a whole response; browsers go further.
	_, _, ok = parseRange(value, 1)
	return ok && (r.browser.Profile == Standard || r.quirk(rangesCached))
}

var singleRange = regexp.MustCompile(`^(?i:bytes)[ \t]*=[ \t]*([0-9]*)[ \t]*-[ \t]*([0-9]*)$`)

// parseRange returns the first byte and the one behind the last that a single
// range means in a body; start is not below size where there is no such byte.
func parseRange(value string, size int) (start, end int, ok bool) {
	m := singleRange.FindStringSubmatch(value)
	if m == nil || m[1] == "" && m[2] == "" {
		return 0, 0, false
	}
	first, err1 := strconv.Atoi(m[1])
	last, err2 := strconv.Atoi(m[2])
	switch {
	case m[1] == "":
		return max(0, size-last), size, err2 == nil && last > 0
	case m[2] == "":
		return first, size, err1 == nil
	}
	return first, min(last+1, size), err1 == nil && err2 == nil && first <= last
}

// cutRange cuts the range that r asks for from a whole response in the cache.
func (r *request) cutRange(res *response, body []byte) *response {
	value, ok := get(r.headers, "Range")
	if !ok || res.status != 200 || r.browser.Profile != Chromium && r.browser.Profile != Standard {
		return res
	}
	start, end, ok := parseRange(value, len(body))
	if !ok || start >= len(body) {
		return res
	}
	res.status, res.statusText = 206, "Partial Content"
	res.header = setField(res.header, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(body)))
	res.header = setField(res.header, "Content-Length", strconv.Itoa(end-start))
	slices.SortStableFunc(res.header, func(a, b header.Field) int { return strings.Compare(a.Name, b.Name) })
	res.body = io.NopCloser(bytes.NewReader(body[start:end]))
	return res
}

// cachesQuirkily reports whether a browser keeps a response that nothing said
// forbids to keep.
func (r *request) cachesQuirkily(res *response) bool {
	switch {
	case r.quirk(nothingCached):
		return false
	case !isStorableStatus(res) && !r.quirk(everyStatusCached):
		return false
	case r.browser.Profile == Chromium:
		return res.status != 206 && res.status != 401 && res.status != 407 && res.status != 416
	}
	_, redirects := get(res.header, "Location")
	switch res.status {
	case 300, 304, 421, 425, 429:
		return false
	case 301, 302, 307, 308:
		return redirects
	case 303:
		return redirects && r.freshFor(res) > 0
	}
	return true
}

func (r *request) freshFor(res *response) time.Duration {
	stored := &storedResponse{header: res.header, status: res.status, received: r.browser.now()}
	return stored.lifetime(r.browser)
}

// neverFresh reports whether a stored response of this status needs validation
// whatever it says.
func (r *request) neverFresh(status int) bool {
	switch status {
	case 200, 203, 204, 206, 301, 302, 303, 307, 308, 410:
		return false
	}
	return r.quirk(fewStatusesFresh)
}

// invalidatesNothing reports whether r leaves the HTTP cache as it is.
func (r *request) invalidatesNothing() bool {
	return (r.cache == CacheNoStore || r.method == "PUT" && !r.hasBody) && r.quirk(littleInvalidated)
}

// cachesForEver reports whether a response of this status, which does not say
// how long it is fresh, always is.
func (p Profile) cachesForEver(status int) bool {
	switch status {
	case 410:
		return p.has(permanentResponsesCached)
	case 300, 301, 308:
		return p == Chromium && p.has(permanentResponsesCached)
	}
	return false
}

// removeHints takes from r, about to go to u, the client hints that a page may
// not tell another origin.
func (r *request) removeHints(u *urlRecord) {
	if origin.Same(r.origin, u.origin) || !r.quirk(redirectRemovesHints) {
		return
	}
	r.remove(func(name string) bool {
		name = header.Lower(name)
		return clientHintValues[name] != nil && name != "save-data" && name != "intervention"
	})
}

// restoreHeaders gives r, which is about to follow a redirect of this status to
// u, the headers of the first request again, where the profile does.
func (r *request) restoreHeaders(status int, u *urlRecord) {
	switch r.browser.Profile {
	case Firefox:
		if r.quirk(redirectRestoresHeaders) {
			r.headers = r.authored
			if redirectsToGET(status, r.firstMethod) {
				r.remove(header.IsRequestBody)
			}
		}
	case WebKit:
		crossOrigin := r.mode == ModeCORS && (r.tainting == taintCORS || !origin.Same(r.origin, u.origin))
		if (status == 307 || status == 308 || crossOrigin) && r.quirk(redirectRestoresHeaders) {
			r.headers = r.authored
			if r.crossed {
				r.remove(header.IsNonWildcardRequestName)
			}
		}
	}
}

// appendKeptOrigin appends the Origin that r had before it was redirected within
// an origin.
func (r *request) appendKeptOrigin() bool {
	if r.keptOrigin == "" || !r.quirk(originSurvivesGET) {
		return false
	}
	r.append(header.Origin, r.keptOrigin)
	return true
}

// strip notes what this redirect, and no earlier one, takes from the list of the
// next preflight in Firefox.
func (r *request) strip(bodyGone, crossOrigin bool) {
	r.stripped = nil
	if bodyGone {
		r.stripped = append(r.stripped, header.IsRequestBody)
	}
	if crossOrigin {
		r.stripped = append(r.stripped, header.IsNonWildcardRequestName)
	}
}
