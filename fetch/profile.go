package fetch

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A Profile says whose behaviour a [Browser] shows.
type Profile uint8

// The profiles. Standard is the Fetch Standard; the others are what these
// browsers really do, quirk by quirk.
const (
	Standard Profile = iota
	Chromium         // 156
	Firefox          // ESR 153
	WebKit           // WebKitGTK 2.50
)

func (p Profile) String() string {
	switch p {
	case Chromium:
		return "chromium"
	case Firefox:
		return "firefox"
	case WebKit:
		return "webkit"
	}
	return "standard"
}

// A Quirk is a way in which browsers are known to depart from the standard.
type Quirk struct {
	Name     string
	Browsers []Profile
	Scenario string // one that shows it, in the recordings of internal/scenario
	Kind     QuirkKind
	Does     string // what they do, and where it helps, why
}

// A QuirkKind says what a quirk is to be blamed on.
type QuirkKind string

// The kinds of quirks.
const (
	Bug     QuirkKind = "bug"             // the standard says otherwise, and no reason is known
	Reading QuirkKind = "another reading" // of what the standard or HTTP leaves open
	Private QuirkKind = "private"         // behaviour of a browser's own, which no standard asks for
)

// Quirks returns the quirks of p, in the order in which a fetch comes to them.
func (p Profile) Quirks() []Quirk {
	var of []Quirk
	for q := range quirks {
		if quirkSets[p]&(1<<q) != 0 {
			of = append(of, quirks[q])
		}
	}
	return of
}

// quirk numbers quirks.
type quirk uint8

const (
	clientHints quirk = iota
	userAgentSafelisted
	joinedLines
	repeatedNames
	noTotalLength
	highBytesUnsafe
	strictParameters
	rangeOverflows
	laxRange
	originalHeadersPreflighted
	preflightSticks
	preflightPageOrigin
	preflightSite
	taintedPreflightCrossSite
	preflightReferrer
	preflightCacheMode
	preflightAcceptLanguage
	wildcardAuthorization
	wildcardAuthorizationCached
	negativeMaxAge
	unparsableMaxAge
	refusedPreflightCached
	noStoreSkipsPreflightCache
	opaqueOriginNotCached
	relaxedReferrerTrimmed
	differingLocationsRefused
	taintedOriginNotCached
	onePreflightPerURL
	wildcardStaysCredentialed
	credentialsKeptApart
	wildcardNotCached
	headNotCached
	failureKeepsPreflight
	redirectCredentialsRefused
	emptyLocation
	noLocationNoError
	emptyLocationRefused
	equalLocations
	joinedLocations
	credentialsNotRejudged
	crossOriginDeleteIsGET
	redirectRestoresHeaders
	originSurvivesGET
	crossOriginRedirectWithoutMetadata
	redirectedNeverSameSite
	noCORSRedirectNullOrigin
	referrerPolicyIgnoredForOrigin
	noReferrerNullOrigin
	redirectedStrictCookies
	sandboxedFrameSameSite
	corpPrecursor
	localhostIsOneSite
	storageAccessHeaders
	proxyAuthenticationReadable
	oneContentType
	permanentResponsesCached
	onlyIfCachedIgnored
	emptyLinesDropped
	mojibake
	aboutBlankRefused
)

var quirks = [...]Quirk{
	clientHints: {"client hints are safelisted", []Profile{Chromium}, "header-868", Private,
		"DPR, Width, Viewport-Width, Device-Memory, Downlink, RTT, ECT, Save-Data and Intervention need no preflight: from a draft that the standard has dropped"},
	userAgentSafelisted: {"User-Agent is safelisted", []Profile{Chromium}, "header-958", Bug,
		"a User-Agent that the page sets needs no preflight"},
	joinedLines: {"lines of one name are judged together", []Profile{Chromium, WebKit}, "headers-1050", Bug,
		`two lines "text/plain" are the value "text/plain, text/plain", which is not safelisted; the standard judges each`},
	repeatedNames: {"names repeat in Access-Control-Request-Headers", []Profile{Firefox}, "headers-1044", Bug,
		"two lines of one name are listed twice; the standard has a set"},
	noTotalLength: {"safelisted values may be long together", []Profile{Firefox}, "safelist-1024-1040", Bug,
		"the standard's limit of 1,024 bytes for all of them is not kept"},
	highBytesUnsafe: {"bytes above 0x7F are unsafe", []Profile{Firefox}, "header-727", Reading,
		"in Accept and Content-Type; the standard names the unsafe bytes, and these are not among them"},
	strictParameters: {"Content-Type is parsed strictly", []Profile{Firefox}, "header-781", Reading,
		"a comma, or a last semicolon, makes it unsafe; the standard asks for the essence and the bytes alone"},
	rangeOverflows: {"numbers of a range may overflow", []Profile{Chromium, Firefox, WebKit}, "", Reading,
		"a Range with numbers above 2^63 (Chromium) or 2^64 needs a preflight; the standard sets no limit"},
	laxRange: {"Range is parsed laxly", []Profile{WebKit}, "header-853", Bug,
		`"Bytes=0-1" and "bytes=+0-1" are safelisted`},
	originalHeadersPreflighted: {"preflights name the headers of the first request", []Profile{WebKit}, "redirect-auth-1723", Bug,
		"also those that a redirect has removed, Authorization and Content-Type, and for them alone"},
	preflightSticks: {"once preflighted, always preflighted", []Profile{Firefox, WebKit}, "redirect-1186", Bug,
		"after a redirect there is a preflight though nothing is unsafe any more"},
	preflightPageOrigin: {"preflights name the page's origin", []Profile{Firefox}, "redirect-1162", Bug,
		"where the request after it says null"},
	preflightSite: {"a preflight has seen no redirects", []Profile{Chromium, Firefox, WebKit}, "redirect-1162", Bug,
		"its Sec-Fetch-Site is that of the last URL alone"},
	taintedPreflightCrossSite: {"a preflight for a tainted origin is cross-site", []Profile{WebKit}, "random-2741", Reading,
		"its origin is null, which is of no site"},
	preflightReferrer: {"a preflight has the first request's referrer", []Profile{WebKit}, "random-2766", Bug,
		"with the path, though the redirect led to another origin of the site"},
	preflightCacheMode: {"a preflight has the cache mode of its request", []Profile{Chromium, Firefox}, "acah-448", Private,
		`the preflight of a request of mode "no-store" has Pragma and Cache-Control`},
	preflightAcceptLanguage: {"a preflight has Accept-Language", []Profile{Chromium, Firefox, WebKit}, "header-732", Private,
		"the network layer adds the user's to every request"},
	wildcardAuthorization: {"* covers Authorization", []Profile{Chromium, Firefox, WebKit}, "acah-448", Private,
		"Access-Control-Allow-Headers: * allows Authorization, which the standard wants to be named; sites depend on it"},
	wildcardAuthorizationCached: {"a cached * covers Authorization", []Profile{WebKit}, "cache-1799", Private,
		"and so spares its preflight"},
	negativeMaxAge: {"a negative max-age is zero", []Profile{Chromium, Firefox, WebKit}, "cache-1750", Reading,
		"it is not delta-seconds, for which the standard has 5 s"},
	unparsableMaxAge: {"an unparsable max-age is zero", []Profile{Firefox}, "cache-1751", Reading,
		"the standard has 5 s"},
	refusedPreflightCached: {"a refused preflight is cached", []Profile{WebKit}, "cache-1787", Bug,
		"it allows later requests what it says, though it did not allow the one it was for"},
	noStoreSkipsPreflightCache: {"the cache mode holds for the preflight cache", []Profile{Chromium, Firefox}, "random-1983", Reading,
		`it is not read under "no-store" and "reload"; in Chromium not under "no-cache", and not written under "no-store" either`},
	opaqueOriginNotCached: {"an opaque origin has no preflight cache", []Profile{Chromium}, "random-2056", Reading,
		`"null" is every opaque origin, so nothing is kept for it`},
	relaxedReferrerTrimmed: {"no site tells another its full address", []Profile{Firefox, WebKit}, "", Private,
		`policies "unsafe-url" and "no-referrer-when-downgrade" are cut down to the origin`},
	differingLocationsRefused: {"differing Location lines are malformed", []Profile{Chromium, Firefox}, "", Reading,
		`in redirect mode "manual" too, where the standard does not look at them`},
	taintedOriginNotCached: {"a tainted origin has no preflight cache", []Profile{WebKit}, "random-2180", Reading,
		"each redirect to a third origin makes an opaque origin of its own"},
	onePreflightPerURL: {"the preflight cache holds one answer for each URL", []Profile{Chromium, WebKit}, "", Private,
		"one that does not spare a preflight makes room for it, where the standard adds"},
	wildcardStaysCredentialed: {"a * that a credentialed preflight brought is a plain name", []Profile{Chromium}, "", Reading,
		"the standard lets it serve a later request without credentials"},
	credentialsKeptApart: {"preflights with and without credentials are kept apart", []Profile{Firefox}, "cache-1786", Reading,
		"the standard lets the one with serve a request without"},
	wildcardNotCached: {"a cached * is a plain name", []Profile{Firefox}, "cache-1765", Bug,
		"it allows this request and never spares the next one its preflight"},
	headNotCached: {"a cached preflight must name HEAD", []Profile{Firefox}, "", Bug,
		"it is a safelisted method"},
	failureKeepsPreflight: {"a failed fetch keeps its preflight", []Profile{Chromium, Firefox, WebKit}, "random-2096", Bug,
		"the standard clears the cache entries of a preflighted request that ends in a network error; Firefox only where the CORS check or the preflight fails"},
	redirectCredentialsRefused: {"no redirect to a URL with user or password", []Profile{Chromium}, "location-1494", Private,
		"also in the modes, and to the origin, for which the standard lets it be"},
	noLocationNoError: {"without a Location there is no redirect", []Profile{Chromium, WebKit}, "", Reading,
		`in redirect mode "error" such a 302 is a response`},
	emptyLocationRefused: {"an empty Location is an error", []Profile{WebKit}, "location-1530", Reading,
		"at once, where the standard comes to an error after 20 redirects to the same URL"},
	emptyLocation: {"an empty Location is no redirect", []Profile{Chromium}, "location-1530", Reading,
		"the standard resolves it to the same URL, until 20 redirects are over"},
	equalLocations: {"equal Location lines count as one", []Profile{Chromium, Firefox}, "", Reading,
		"the standard refuses any two"},
	joinedLocations: {"two Location lines are one URL", []Profile{WebKit}, "", Bug,
		`"a, b" is followed`},
	credentialsNotRejudged: {"credentials are judged once", []Profile{WebKit}, "redirect2-1389", Bug,
		`with "same-origin" and a first URL of the page's origin, a redirect by another origin may not say *, and cookies follow it in mode "no-cors"`},
	crossOriginDeleteIsGET: {"DELETE becomes GET on a redirect to another origin", []Profile{WebKit}, "random-2529", Bug,
		"whatever the status; its HTTP library is to blame"},
	redirectRestoresHeaders: {"a redirect begins with the first request's headers", []Profile{Firefox, WebKit}, "random-2556", Bug,
		"Content-Type is gone after the redirect that makes a POST a GET, and back after another; in Firefox so is Authorization"},
	originSurvivesGET: {"Origin survives a redirect that makes it GET", []Profile{WebKit}, "random-2042", Bug,
		"where the standard sends none"},
	crossOriginRedirectWithoutMetadata: {"no Sec-Fetch headers after a redirect to another origin", []Profile{WebKit}, "redirect-1138", Bug,
		`in mode "cors"`},
	redirectedNeverSameSite: {"a redirect is never same-site", []Profile{Firefox}, "redirect-1138", Bug,
		"Sec-Fetch-Site is cross-site once a redirect to or from another origin of the site is followed"},
	noCORSRedirectNullOrigin: {"a redirect to another origin sends Origin: null at once", []Profile{Chromium}, "", Private,
		`in mode "no-cors"; the standard only where the redirecting origin is not the page's`},
	referrerPolicyIgnoredForOrigin: {"Origin ignores the referrer policy", []Profile{Chromium}, "", Bug,
		`a POST of another mode than "cors" tells its origin under policy "no-referrer" too`},
	noReferrerNullOrigin: {"no referrer, no origin", []Profile{Firefox, WebKit}, "", Reading,
		`a POST of another mode than "cors" with referrer "" says Origin: null, as if the policy were "no-referrer"`},
	redirectedStrictCookies: {"SameSite ignores redirects", []Profile{Chromium}, "", Private,
		"Lax and Strict cookies go to the page's own site whatever site redirected there"},
	sandboxedFrameSameSite: {"a sandboxed frame is of its site", []Profile{WebKit}, "opaque-acao-1816", Bug,
		"cookies and Referer are sent as if its origin were that of its URL"},
	corpPrecursor: {"same-site asks who sandboxed", []Profile{Chromium}, "opaque-corp-1967", Bug,
		"for Cross-Origin-Resource-Policy a sandboxed frame, of opaque origin, is of the site it was loaded from"},
	localhostIsOneSite: {"localhost and all below it are one site", []Profile{WebKit}, "", Reading,
		"for Cross-Origin-Resource-Policy; the standard has registrable domains"},
	storageAccessHeaders: {"Storage Access headers", []Profile{Chromium, Firefox}, "opaque-acao-1816", Private,
		"credentialed requests in a cross-site context have Sec-Fetch-Storage-Access, and Origin where it is inactive"},
	proxyAuthenticationReadable: {"a 407 is a response", []Profile{Firefox, WebKit}, "actual-status-1131", Reading,
		"where no proxy is in use; the standard asks the user, or fails"},
	oneContentType: {"two Content-Type lines are one", []Profile{Firefox}, "headers-1050", Bug,
		"the last one is sent, or with a body the first"},
	permanentResponsesCached: {"permanent responses are cached for ever", []Profile{Chromium, Firefox}, "random-2124", Reading,
		"410 and, in Chromium, 300, 301 and 308, where they do not say for how long; HTTP allows it"},
	onlyIfCachedIgnored: {"only-if-cached goes to the network", []Profile{WebKit}, "", Bug,
		"the standard fails where there is nothing in the cache"},
	emptyLinesDropped: {"empty header lines are dropped", []Profile{Firefox}, "", Reading,
		`but for three names; so an empty line beside "true" in Access-Control-Allow-Credentials does no harm`},
	mojibake: {"header values are decoded as UTF-8", []Profile{WebKit}, "", Bug,
		"the standard has one code point for each byte"},
	aboutBlankRefused: {"about:blank is not fetched", []Profile{Chromium, WebKit}, "", Bug,
		`a network error where the standard has an empty response, in mode "no-cors"`},
}

// quirkSets has a bit for each quirk of a profile.
var quirkSets = func() (sets [WebKit + 1]uint64) {
	for q := range quirks {
		for _, p := range quirks[q].Browsers {
			sets[p] |= 1 << q
		}
	}
	return sets
}()

// quirk reports whether the profile has q, and tells the trace if so: ask it
// last, where the answer makes a difference.
func (r *request) quirk(q quirk) bool {
	if !r.browser.Profile.has(q) {
		return false
	}
	r.emit(Event{Kind: EventQuirk, Name: quirks[q].Name})
	return true
}

func (p Profile) has(q quirk) bool { return quirkSets[p]&(1<<q) != 0 }

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
	case "save-data":
		return header.EqualFold(value, "on") && r.quirk(clientHints)
	case "dpr", "width", "viewport-width", "device-memory", "downlink", "rtt", "ect", "intervention":
		return len(value) <= 128 && r.quirk(clientHints)
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

// guardQuirk reports whether the guard of mode "no-cors" drops f for the
// profile, though not for the standard.
func (r *request) guardQuirk(h Headers, f header.Field) bool {
	if h.Guard != GuardRequestNoCORS || !r.browser.Profile.has(strictParameters) || !header.EqualFold(f.Name, "Content-Type") {
		return false
	}
	value := header.Normalize(f.Value)
	if present, ok := get(h.List, f.Name); ok {
		value = present + ", " + value
	}
	return !r.isSafelisted("content-type", value)
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
	if origin.SameSite(r.page.url.origin, r.currentURL().origin) && r.firstReferrer != r.referrer && r.quirk(preflightReferrer) {
		preflight.referrer = r.firstReferrer
	}
	preflight.pageOrigin = r.redirectTaint() != taintSameOrigin && r.quirk(preflightPageOrigin)
	preflight.firstMethod = preflight.method
}

// keepsPreflight reports whether a fetch that is blocked leaves the preflight
// cache as it is.
func (r *request) keepsPreflight(blocked *BlockedError) bool {
	if !r.quirk(failureKeepsPreflight) {
		return false
	}
	return r.browser.Profile != Firefox || blocked.Step.Anchor != "concept-cors-check" && blocked.Step.Anchor != "cors-preflight-fetch-0"
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
	return !(r.effectiveCache() == CacheNoStore && r.browser.Profile == Chromium && r.quirk(noStoreSkipsPreflightCache))
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

// trimReferrer cuts the referrer down to the origin.
func (r *request) trimReferrer() {
	switch r.referrerPolicy {
	case ReferrerPolicyUnsafeURL, ReferrerPolicyNoReferrerWhenDowngrade:
		if u, err := parseURL(r.referrer, nil); err == nil && !origin.SameSite(u.origin, r.currentURL().origin) && r.quirk(relaxedReferrerTrimmed) {
			_, r.referrer = stripReferrer(u)
		}
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

// checked returns the request for which the CORS check is made.
func (r *request) checked(res *response) *request {
	if isRedirectStatus(res.status) && !r.preflighted && r.startedAtHome() && r.quirk(credentialsNotRejudged) {
		strict := *r
		strict.credentials = CredentialsInclude
		return &strict
	}
	return r
}

// checkedForPreflight returns the request for which a preflight is checked.
func (r *request) checkedForPreflight() *request {
	if n := len(r.urls); n > 1 && !origin.Same(r.urls[n-2].origin, r.origin) && r.startedAtHome() && r.quirk(credentialsNotRejudged) {
		strict := *r
		strict.credentials = CredentialsInclude
		return &strict
	}
	return r
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
	if r.noReferrer && r.quirk(noReferrerNullOrigin) {
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
		return siteRelation(r.origin, r.urls[hops:])
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
// because its storage access is inactive: one that a redirect brought here only
// in Chromium, and where it has kept its method.
func (r *request) inactiveStorageAccess() bool {
	if len(r.urls) == 1 {
		return storageAccess(r) == "inactive"
	}
	first := *r
	first.urls = r.urls[:1]
	return (r.browser.Profile == Chromium || r.redirectsWithinOrigin()) && r.method == r.firstMethod && storageAccess(&first) == "inactive"
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
	kept := make([]header.Field, 0, len(list))
	for _, f := range list {
		if joined, _ := get(list, f.Name); f.Value != "" || strings.Trim(joined, ", ") == "" && !slices.Contains(kept, f) || forCheck && f.Name == header.AccessControlAllowOrigin || !r.quirk(emptyLinesDropped) {
			kept = append(kept, f)
		}
	}
	return kept
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

// restoreHeaders gives r, which is about to follow a redirect of this status,
// the headers of the first request again, where the profile does.
func (r *request) restoreHeaders(status int) {
	if r.browser.Profile == WebKit && r.mode != ModeCORS || !r.quirk(redirectRestoresHeaders) {
		return
	}
	r.headers = r.authored
	switch {
	case r.browser.Profile == Firefox && redirectsToGET(status, r.firstMethod):
		r.remove(header.IsRequestBody)
	case r.browser.Profile == WebKit && r.crossed:
		r.remove(header.IsNonWildcardRequestName)
	}
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
