package fetch

import (
	"io"
	"slices"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// What the quirks of redirects do, and of what they change: Origin, Referer and
// fetch metadata.

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
	values := header.Lines(res.header, "Location")
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
