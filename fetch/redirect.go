package fetch

import (
	"context"
	"errors"
	"slices"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// maxRedirects is how many redirects a request follows.
const maxRedirects = 20

// httpRedirectFetch is HTTP-redirect fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
func httpRedirectFetch(ctx context.Context, r *request, res *response) (*response, *BlockedError) {
	const anchor = "concept-http-redirect-fetch"
	// 3. to 5.
	location, value, err := locationURL(r, res)
	if err == nil && value == "" && location != nil && r.quirk(emptyLocationRefused) {
		err = errEmptyLocation
	}
	if err == nil && location == nil {
		return res, nil
	}
	r.permanent = r.permanent || res.cached && (res.status == 301 || res.status == 308)
	res.close()
	fail := func(code Code, number string) (*response, *BlockedError) {
		return nil, r.blocked(code, anchor, number).because("Location", value)
	}
	if err != nil {
		res, blocked := fail(CodeLocation, "5")
		return res, blocked.after(err)
	}
	// 6.
	if !isHTTPScheme(location.scheme) {
		return fail(CodeRedirectScheme, "6")
	}
	// 7. and 8.
	if r.redirectCount == maxRedirects {
		return fail(CodeTooManyRedirects, "7")
	}
	r.redirectCount++
	// 9.
	if location.hasCredentials() && (r.mode == ModeCORS && !origin.Same(r.origin, location.origin) || r.quirk(redirectCredentialsRefused)) {
		if res, blocked := fail(CodeRedirectCredentials, "9"); !r.refusesLate(blocked) {
			return res, blocked
		}
	}
	// 10. This is for another origin that redirects back to the page's.
	if r.tainting == taintCORS && location.hasCredentials() {
		return fail(CodeRedirectCredentials, "10")
	}
	// 11.
	if res.status != 303 && r.stream != nil {
		return fail(CodeRedirectBody, "11")
	}
	if res.followed != nil && !(r.mode == ModeSameOrigin && !origin.Same(r.origin, location.origin)) {
		res.followed()
	}
	r.restoreHeaders(res.status, location)
	crossOrigin := !origin.Same(r.currentURL().origin, location.origin)
	// 12.
	bodyGone := redirectsToGET(res.status, r.method)
	if bodyGone {
		r.method = "GET"
		r.body, r.stream, r.hasBody = nil, nil, false
		r.remove(header.IsRequestBody)
	}
	if crossOrigin && r.method == "DELETE" && r.quirk(crossOriginDeleteIsGET) {
		r.method, r.body, r.stream, r.hasBody = "GET", nil, nil, false
	}
	// 13.
	if crossOrigin {
		r.crossed, r.keptOrigin = true, ""
		r.remove(header.IsNonWildcardRequestName)
	}
	r.removeHints(location)
	r.strip(bodyGone, crossOrigin)
	// 18.
	tainted := r.redirectTaint() != taintSameOrigin
	r.emit(Event{Kind: EventRedirected, Value: location.withoutFragment()})
	r.urls = append(r.urls, location)
	if !tainted && r.redirectTaint() != taintSameOrigin {
		r.emit(Event{Kind: EventOriginTainted})
	}
	// 19. https://w3c.github.io/webappsec-referrer-policy/#set-requests-referrer-policy-on-redirect
	if policy := parseReferrerPolicy(header.Lines(res.header, "Referrer-Policy")); policy != "" {
		r.referrerPolicy = policy
		r.beginReferrerAnew()
	}
	// 22.
	return mainFetch(ctx, r, true)
}

// redirectsToGET reports whether a redirect of this status makes method GET.
func redirectsToGET(status int, method string) bool {
	switch status {
	case 301, 302:
		return method == "POST"
	case 303:
		return method != "GET" && method != "HEAD"
	}
	return false
}

// remove removes the headers whose name is gone.
func (r *request) remove(gone func(name string) bool) {
	kept := make([]header.Field, 0, len(r.headers))
	for _, f := range r.headers {
		if gone(f.Name) {
			r.emit(Event{Kind: EventHeaderRemoved, Name: f.Name, Value: f.Value})
		} else {
			kept = append(kept, f)
		}
	}
	r.headers = kept
}

// locationURL is a response's location URL: nil and no error where there is no
// Location.
//
// https://fetch.spec.whatwg.org/#concept-response-location-url
func locationURL(r *request, res *response) (u *urlRecord, value string, err error) {
	values := header.Lines(res.header, "Location")
	switch len(values) {
	case 0:
		return nil, "", nil
	case 1:
	default:
		value, _ = get(res.header, "Location")
		switch {
		case !slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) && r.quirk(equalLocations):
		case r.quirk(joinedLocations):
			values[0] = value
		default:
			return nil, value, errTwoLocations
		}
	}
	// Bytes above 0x7F are encoded as they are, as Chromium and Firefox do.
	encoded := percentEncodeHigh(values[0])
	if r.browser.Profile.has(mojibake) {
		encoded = isomorphicDecode(values[0])
	}
	u, err = parseURL(encoded, r.currentURL())
	if err != nil {
		return nil, values[0], err
	}
	if !u.hasFragment {
		u = u.withFragmentOf(r.currentURL())
	}
	return u, values[0], nil
}

var (
	errTwoLocations  = errors.New("there are two Location lines")
	errEmptyLocation = errors.New("the Location line is empty")
)
