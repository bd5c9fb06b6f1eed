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

// What the quirks of the HTTP cache do.

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
