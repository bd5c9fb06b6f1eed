package fetch

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
	Scenario string // one that shows it, in internal/scenario/testdata; "" where none can
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
		if quirkSets[p][q] {
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
	credentialsRefusedLate
	emptyLocation
	noLocationNoError
	manualBodyShown
	emptyLocationRefused
	equalLocations
	joinedLocations
	credentialsNotRejudged
	crossOriginDeleteIsGET
	redirectRestoresHeaders
	redirectRemovesHints
	originSurvivesGET
	crossOriginRedirectWithoutMetadata
	redirectedNeverSameSite
	noCORSRedirectNullOrigin
	referrerPolicyIgnoredForOrigin
	noReferrerNullOrigin
	redirectedStrictCookies
	loopbackIsMixed
	thirdPartyCookiesApart
	sandboxedFrameSameSite
	corpPrecursor
	localhostIsOneSite
	storageAccessHeaders
	proxyAuthenticationReadable
	misdirectedTypes
	singleHeaders
	nothingCached
	permanentResponsesCached
	everyStatusCached
	fewStatusesFresh
	headCached
	credentialsCachedApart
	authorizationCachedApart
	rangesCached
	pageBypassesCache
	pragmaIgnored
	blockedCached
	permanentRedirectApart
	littleInvalidated
	moreInvalidated
	unfollowedNotCached
	onlyIfCachedIgnored
	emptyLinesDropped
	sentAsUTF8
	mojibake
	nullBodyIsEmpty
	aboutBlankRefused
)

var quirks = [...]Quirk{
	clientHints: {"client hints are safelisted", []Profile{Chromium}, "header-868", Private,
		"DPR, Width, Viewport-Width, Device-Memory, Downlink, RTT, ECT and Save-Data need no preflight where their value is well-formed, nor does Intervention: from a draft that the standard has dropped"},
	userAgentSafelisted: {"User-Agent is safelisted", []Profile{Chromium}, "user-agent", Bug,
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
	rangeOverflows: {"numbers of a range may overflow", []Profile{Chromium, Firefox, WebKit}, "range-overflow", Reading,
		"a Range with numbers above 2^63 (Chromium) or 2^64 needs a preflight; the standard sets no limit"},
	laxRange: {"Range is parsed laxly", []Profile{WebKit}, "header-853", Bug,
		`"Bytes=0-1" and "bytes=+0-1" are safelisted`},
	originalHeadersPreflighted: {"preflights name the headers of the first request", []Profile{WebKit}, "original-headers", Bug,
		"also those that a redirect has removed, Authorization and Content-Type, and for them alone"},
	preflightSticks: {"once preflighted, always preflighted", []Profile{Firefox, WebKit}, "sticks", Bug,
		"after a redirect there is a preflight though nothing is unsafe any more"},
	preflightPageOrigin: {"preflights name the page's origin", []Profile{Firefox}, "redirect-1162", Bug,
		"where the request after it says null"},
	preflightSite: {"a preflight has seen no redirects", []Profile{Chromium, Firefox}, "preflight-site", Bug,
		"its Sec-Fetch-Site is that of the last URL alone"},
	taintedPreflightCrossSite: {"a preflight for a tainted origin is cross-site", []Profile{WebKit}, "preflight-site", Reading,
		"its origin is null, which is of no site"},
	preflightReferrer: {"a preflight has the first request's referrer", []Profile{WebKit}, "preflight-referrer", Bug,
		"with the path, where the redirect led to another origin of the site, and the origin, where it led to another site, whatever the policy"},
	preflightCacheMode: {"a preflight has the cache mode of its request", []Profile{Chromium, Firefox}, "preflight-cache-mode", Private,
		`the preflight of a request of mode "no-store" has Pragma and Cache-Control`},
	preflightAcceptLanguage: {"a preflight has Accept-Language", []Profile{Chromium, Firefox, WebKit}, "preflight-language", Private,
		"the network layer adds the user's to every request"},
	wildcardAuthorization: {"* covers Authorization", []Profile{Chromium, Firefox, WebKit}, "acah-448", Private,
		"Access-Control-Allow-Headers: * allows Authorization, which the standard wants to be named; sites depend on it"},
	wildcardAuthorizationCached: {"a cached * covers Authorization", []Profile{WebKit}, "cache-1799", Private,
		"and so spares its preflight"},
	negativeMaxAge: {"a negative max-age is zero", []Profile{Chromium, WebKit}, "negative-max-age", Reading,
		"it is not delta-seconds, for which the standard has 5 s"},
	unparsableMaxAge: {"an unparsable max-age is zero", []Profile{Firefox}, "cache-1751", Reading,
		"a negative one too; the standard has 5 s"},
	refusedPreflightCached: {"a refused preflight is cached", []Profile{WebKit}, "cache-1787", Bug,
		"it allows later requests what it says, though it did not allow the one it was for"},
	noStoreSkipsPreflightCache: {"the cache mode holds for the preflight cache", []Profile{Chromium, Firefox}, "no-store-preflight", Reading,
		`it is not read under "no-store" and "reload"; in Chromium not under "no-cache", and not written under "no-store" either`},
	opaqueOriginNotCached: {"an opaque origin has no preflight cache", []Profile{Chromium}, "opaque-not-cached", Reading,
		`"null" is every opaque origin, so nothing is kept for it`},
	relaxedReferrerTrimmed: {"no site tells another its full address", []Profile{Firefox, WebKit}, "relaxed-referrer", Private,
		`policies "unsafe-url", "no-referrer-when-downgrade" and "origin-when-cross-origin" are cut down to the origin, for that hop alone`},
	differingLocationsRefused: {"differing Location lines are malformed", []Profile{Chromium, Firefox}, "differing-locations", Reading,
		`in redirect mode "manual" too, where the standard does not look at them`},
	taintedOriginNotCached: {"a tainted origin has no preflight cache", []Profile{WebKit}, "tainted-not-cached", Reading,
		"each redirect to a third origin makes an opaque origin of its own"},
	onePreflightPerURL: {"the preflight cache holds one answer for each URL", []Profile{Chromium, WebKit}, "one-preflight", Private,
		"one that does not spare a preflight makes room for it, where the standard adds"},
	wildcardStaysCredentialed: {"a * that a credentialed preflight brought is a plain name", []Profile{Chromium}, "credentialed-star", Reading,
		"the standard lets it serve a later request without credentials"},
	credentialsKeptApart: {"preflights with and without credentials are kept apart", []Profile{Firefox}, "cache-1786", Reading,
		"the standard lets the one with serve a request without"},
	wildcardNotCached: {"a cached * is a plain name", []Profile{Firefox}, "cache-1765", Bug,
		"it allows this request and never spares the next one its preflight"},
	headNotCached: {"a cached preflight must name HEAD", []Profile{Firefox}, "head-named", Bug,
		"it is a safelisted method"},
	failureKeepsPreflight: {"a failed fetch keeps its preflight", []Profile{Chromium, Firefox, WebKit}, "failure-keeps-preflight", Bug,
		"the standard clears the cache entries of a preflighted request that ends in a network error; in Firefox one that is redirected in redirect mode \"error\" keeps them"},
	redirectCredentialsRefused: {"no redirect to a URL with user or password", []Profile{Chromium}, "location-1494", Private,
		"also in the modes, and to the origin, for which the standard lets it be"},
	noLocationNoError: {"without a Location there is no redirect", []Profile{WebKit}, "no-location", Reading,
		`in redirect mode "error" such a 302 is a response`},
	credentialsRefusedLate: {"user and password in a Location are refused late", []Profile{WebKit}, "late-credentials", Bug,
		"by the page's own origin: once the preflight for that URL has been made"},
	manualBodyShown: {"an opaque redirect that leads nowhere has a body", []Profile{WebKit}, "manual-body", Bug,
		"which the page can read, where there is no Location"},
	emptyLocationRefused: {"an empty Location is an error", []Profile{WebKit}, "location-1530", Reading,
		"at once, where the standard comes to an error after 20 redirects to the same URL"},
	emptyLocation: {"an empty Location is no redirect", []Profile{Chromium}, "location-1530", Reading,
		"the standard resolves it to the same URL, until 20 redirects are over"},
	equalLocations: {"equal Location lines count as one", []Profile{Chromium, Firefox}, "equal-locations", Reading,
		"the standard refuses any two"},
	joinedLocations: {"two Location lines are one URL", []Profile{WebKit}, "joined-locations", Bug,
		`"a, b" is followed`},
	credentialsNotRejudged: {"credentials are judged once", []Profile{WebKit}, "redirect2-1389", Bug,
		`with "same-origin" and a first URL of the page's origin, a redirect by another origin may not say *, which is found after the next preflight, and cookies follow it in mode "no-cors"`},
	crossOriginDeleteIsGET: {"DELETE becomes GET on a redirect to another origin", []Profile{WebKit}, "delete-is-get", Bug,
		"whatever the status; its HTTP library is to blame"},
	redirectRestoresHeaders: {"a redirect begins with the first request's headers", []Profile{Firefox, WebKit}, "restored-headers", Bug,
		`Content-Type is gone after the redirect that makes a POST a GET, and back after another, in WebKit a 307 or 308 or, in mode "cors", to or from another origin; in Firefox so is Authorization`},
	redirectRemovesHints: {"a redirect removes client hints", []Profile{Chromium}, "redirected-hints", Private,
		"but for Save-Data, where it leads to another origin than the page's, which may not be told them"},
	originSurvivesGET: {"Origin survives a redirect", []Profile{WebKit}, "origin-survives", Bug,
		"within its origin: one that makes it GET, or that brings another referrer policy; and that policy counts for nothing then"},
	crossOriginRedirectWithoutMetadata: {"no Sec-Fetch headers after a redirect to another origin", []Profile{WebKit}, "redirect-1138", Bug,
		`in mode "cors"`},
	redirectedNeverSameSite: {"a redirect is never same-site", []Profile{Firefox}, "redirect-1138", Bug,
		"Sec-Fetch-Site is cross-site once a redirect to or from another origin of the site is followed"},
	noCORSRedirectNullOrigin: {"a redirect to another origin sends Origin: null at once", []Profile{Chromium}, "no-cors-null-origin", Private,
		`in mode "no-cors"; the standard only where the redirecting origin is not the page's`},
	referrerPolicyIgnoredForOrigin: {"Origin ignores the referrer policy", []Profile{Chromium}, "origin-without-policy", Bug,
		`a POST of another mode than "cors" tells its origin under policy "no-referrer" too`},
	noReferrerNullOrigin: {"no referrer, no origin", []Profile{Firefox, WebKit}, "no-referrer-no-origin", Reading,
		`a POST of another mode than "cors" with referrer "" says Origin: null, as if the policy were "no-referrer"`},
	redirectedStrictCookies: {"SameSite ignores redirects", []Profile{Chromium, WebKit}, "", Private,
		"Lax and Strict cookies go to the page's own site whatever site redirected there"},
	loopbackIsMixed: {"loopback is mixed content", []Profile{WebKit}, "", Private,
		"pages over https may not fetch from http://localhost and http://127.0.0.1"},
	thirdPartyCookiesApart: {"third-party cookies have a jar of their own", []Profile{Firefox}, "third-party-cookies", Private,
		"for each top-level site, with those that say nothing of SameSite, which are Lax for the standard"},
	sandboxedFrameSameSite: {"a sandboxed frame is of its site", []Profile{WebKit}, "opaque-acao-1816", Bug,
		"cookies and Referer are sent as if its origin were that of its URL"},
	corpPrecursor: {"same-site asks who sandboxed", []Profile{Chromium}, "opaque-corp-1967", Bug,
		"for Cross-Origin-Resource-Policy a sandboxed frame, of opaque origin, is of the site it was loaded from"},
	localhostIsOneSite: {"localhost and all below it are one site", []Profile{WebKit}, "one-site", Reading,
		"for Cross-Origin-Resource-Policy; the standard has registrable domains"},
	storageAccessHeaders: {"Storage Access headers", []Profile{Chromium, Firefox}, "inactive-storage-access", Private,
		"credentialed requests in a cross-site context have Sec-Fetch-Storage-Access, and Origin where it is inactive"},
	proxyAuthenticationReadable: {"a 407 is a response", []Profile{Firefox, WebKit}, "actual-status-1131", Reading,
		"where no proxy is in use; the standard asks the user, or fails"},
	misdirectedTypes: {"the second 421 has the type of the first, too", []Profile{Firefox}, "misdirected", Bug,
		"its Content-Type is that of both tries, joined"},
	singleHeaders: {"two lines of Content-Type or Authorization are one", []Profile{Firefox}, "headers-1050", Bug,
		"the last one is sent, or of Content-Type with a body the first"},
	permanentResponsesCached: {"permanent responses are cached for ever", []Profile{Chromium, Firefox}, "permanent", Reading,
		"410 and, in Chromium, 300, 301 and 308, where they do not say for how long; HTTP allows it"},
	nothingCached: {"nothing is kept in the HTTP cache", []Profile{WebKit}, "nothing-cached", Private,
		"in a private window of WebKitGTK, as it was recorded"},
	everyStatusCached: {"responses of every status are cached", []Profile{Chromium, Firefox}, "every-status", Private,
		`for mode "force-cache", or for as long as they say; but for those about authentication, ranges and, in Firefox, too many requests, and redirects that lead nowhere`},
	fewStatusesFresh: {"few statuses stay fresh", []Profile{Firefox}, "few-fresh", Private,
		"a 404 or 500 is asked for again, whatever its max-age"},
	headCached: {"HEAD is cached apart", []Profile{Firefox}, "head-cached", Private,
		"its response is kept, and what GET brought does not answer it"},
	credentialsCachedApart: {"the HTTP cache keeps credentials apart", []Profile{Firefox}, "credentials-cached-apart", Private,
		"responses to requests with and without them"},
	authorizationCachedApart: {"the HTTP cache keeps Authorization apart", []Profile{Firefox}, "authorization-cached-apart", Private,
		"a response answers only requests with the same"},
	rangesCached: {"ranges are cached", []Profile{Chromium, Firefox}, "ranges", Private,
		`Chromium keeps the whole response to a single range and cuts ranges from it; Firefox takes "bytes=0-" for no range`},
	pageBypassesCache: {"a page's own directives bypass the cache", []Profile{Chromium}, "page-bypasses-cache", Private,
		`Cache-Control: no-cache, Pragma and conditions also in mode "force-cache"`},
	pragmaIgnored: {"Pragma in a request is ignored", []Profile{Firefox}, "pragma", Private,
		"HTTP calls it deprecated"},
	blockedCached: {"a blocked response is cached", []Profile{Firefox}, "blocked-cached", Private,
		"one that fails the CORS check answers the next request, and fails again"},
	permanentRedirectApart: {"a cached permanent redirect leads apart in the cache", []Profile{Firefox}, "after-permanent", Bug,
		"what was fetched otherwise is fetched again, once"},
	unfollowedNotCached: {"a redirect that is not followed is not cached", []Profile{Firefox}, "unfollowed", Private,
		"302, 303 and 307, for redirect mode or CORS check; 301 and 308 only for a Location that leads nowhere"},
	littleInvalidated: {"unsafe requests invalidate little", []Profile{Chromium}, "little-invalidated", Private,
		`not what Location names; and nothing in mode "no-store", or by a PUT without body`},
	moreInvalidated: {"unsafe requests invalidate more", []Profile{Firefox}, "more-invalidated", Private,
		"when they fail too, and what Location names at another port of the host; but of third parties not what Location names"},
	onlyIfCachedIgnored: {"only-if-cached goes to the network", []Profile{WebKit}, "only-if-cached", Bug,
		"the standard fails where there is nothing in the cache"},
	emptyLinesDropped: {"empty header lines are dropped", []Profile{Firefox}, "empty-lines", Reading,
		`but for three names; so an empty line beside "true" in Access-Control-Allow-Credentials does no harm`},
	sentAsUTF8: {"header values are sent as UTF-8", []Profile{WebKit}, "sent-as-utf-8", Bug,
		"a code point above U+007F is two bytes, where the standard has one"},
	mojibake: {"header values are decoded as UTF-8", []Profile{WebKit}, "mojibake", Bug,
		"the standard has one code point for each byte"},
	nullBodyIsEmpty: {"integrity of no body is that of an empty one", []Profile{Chromium, Firefox, WebKit}, "no-body-integrity", Reading,
		"the response to HEAD, and 204; the standard fails"},
	aboutBlankRefused: {"about:blank is not fetched", []Profile{Chromium, WebKit}, "about-blank", Bug,
		`a network error where the standard has an empty response, in mode "no-cors"`},
}

// quirkSets says which quirks a profile has.
var quirkSets = func() (sets [WebKit + 1][len(quirks)]bool) {
	for q := range quirks {
		for _, p := range quirks[q].Browsers {
			sets[p][q] = true
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

func (p Profile) has(q quirk) bool { return quirkSets[p][q] }
