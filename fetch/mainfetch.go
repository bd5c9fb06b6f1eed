package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// mainFetch is main fetch. Content Security Policy and HSTS have no place here.
//
// https://fetch.spec.whatwg.org/#concept-main-fetch
func mainFetch(ctx context.Context, r *request, recursive bool) (*response, *BlockedError) {
	const anchor = "concept-main-fetch"
	// 6.
	r.upgradeMixedContent()
	// 7.
	if isBadPort(r.currentURL()) {
		return nil, r.blocked(CodeBadPort, anchor, "7")
	}
	if r.isMixedContent(r.currentURL()) {
		return nil, r.blocked(CodeMixedContent, anchor, "7")
	}
	// 8.
	if r.referrerPolicy == "" {
		r.referrerPolicy = r.page.ReferrerPolicy
	}
	if r.referrerPolicy == "" {
		r.referrerPolicy = ReferrerPolicyStrictOriginWhenCrossOrigin
	}
	// 9.
	if !recursive {
		r.askedReferrer = r.referrerURL
	}
	if r.referrerURL != nil {
		// What one hop is not told, the next one is not told either.
		r.referrerURL = determineReferrer(r.referrerPolicy, r.referrerURL, r.currentURL())
		r.referrer = ""
		if told := r.trimReferrer(r.referrerURL); told != nil {
			r.referrer = told.href
		}
	}
	if !recursive {
		r.firstReferrer = r.referrerURL
	}
	res, blocked := dispatch(ctx, r)
	if blocked != nil || recursive {
		return res, blocked // 13.
	}
	return finish(r, res)
}

// dispatch is step 12 of main fetch: what may become of this URL in this mode?
func dispatch(ctx context.Context, r *request) (*response, *BlockedError) {
	const anchor = "concept-main-fetch"
	u := r.currentURL()
	switch {
	case origin.Same(u.origin, r.origin) && r.tainting == taintBasic, u.scheme == "data":
		r.taint(taintBasic)
		return schemeFetch(ctx, r)
	case r.mode == ModeSameOrigin:
		return nil, r.blocked(CodeSameOriginMode, anchor, "12")
	case r.mode == ModeNoCORS:
		if r.redirect != RedirectFollow {
			return nil, r.blocked(CodeNoCORSRedirectMode, anchor, "12")
		}
		r.taint(taintOpaque)
		return schemeFetch(ctx, r)
	case !isHTTPScheme(u.scheme):
		return nil, r.blocked(CodeScheme, anchor, "12")
	case r.needsPreflight():
		r.taint(taintCORS)
		res, blocked := httpFetch(ctx, r, true)
		if blocked != nil && !r.keepsPreflight(blocked) {
			// Where redirects led r elsewhere, that is whose entries go.
			r.browser.preflight.clear(r)
		}
		return res, blocked
	}
	r.taint(taintCORS)
	return httpFetch(ctx, r, false)
}

// needsPreflight reports whether the server must agree before r is sent there.
func (r *request) needsPreflight() bool {
	r.unsafe = r.unsafeNames()
	if r.useCORSPreflight || !header.IsSafelistedMethod(r.method) || len(r.unsafe) > 0 || r.sticks() {
		r.preflighted = true
		return true
	}
	return false
}

func (r *request) taint(t tainting) {
	r.tainting = t
	r.emit(Event{Kind: EventTainted, Value: [...]string{"basic", "cors", "opaque"}[t]})
}

// finish is main fetch from step 14 on: what of the response may the page see?
//
// https://fetch.spec.whatwg.org/#concept-main-fetch steps 14 to 23
func finish(r *request, res *response) (*response, *BlockedError) {
	if r.browser.Profile.has(emptyLinesDropped) {
		res.header = r.mergeEmptyLines(res.header, false)
	}
	internal := res
	if res.typ == "" {
		if r.tainting == taintCORS {
			expose(r, res) // 14.1.
		}
		res = filter(r, res) // 14.2.
	}
	// 16.
	if len(internal.urls) == 0 {
		internal.urls = r.urls
		if res.typ != TypeOpaque {
			res.urls = r.urls
		}
	}
	// 19.
	res.timingAllowed = !r.timingAllowFailed
	// 20.
	if blocked := blockedResponse(r, internal); blocked != nil {
		internal.close()
		return nil, blocked
	}
	// 22.
	if r.method == "HEAD" || isNullBodyStatus(internal.status) {
		internal.close()
		res.body = nil
	}
	// 23.
	if r.integrity != "" {
		return checkIntegrity(r, res)
	}
	return res, nil
}

// blockedResponse says why the page must not have res, or nil.
//
// https://fetch.spec.whatwg.org/#concept-main-fetch step 20
func blockedResponse(r *request, res *response) *BlockedError {
	const anchor = "concept-main-fetch"
	value, _ := get(res.header, "Content-Type")
	switch {
	case r.isMixedContent(res.urls[len(res.urls)-1]):
		return r.blocked(CodeMixedContent, anchor, "20")
	case isBlockedByMIMEType(r.destination, res.header):
		return r.blocked(CodeMIMEType, anchor, "20").because("Content-Type", value)
	case isBlockedByNosniff(r.destination, res.header):
		return r.blocked(CodeNosniff, anchor, "20").because("Content-Type", value)
	}
	return nil
}

// expose sets the CORS-exposed header-name list.
//
// https://fetch.spec.whatwg.org/#concept-main-fetch step 14.1
func expose(r *request, res *response) {
	names, ok := header.List(header.Lines(res.header, header.AccessControlExposeHeaders))
	if !ok {
		return
	}
	// 14.1.2.
	for _, name := range names {
		if name == "*" && r.credentials != CredentialsInclude {
			names = nil
			for _, f := range res.header {
				names = append(names, f.Name)
			}
			break
		}
	}
	res.exposed = names // 14.1.3. "*" may still be one of them, and is a name then.
}

// checkIntegrity is step 23 of main fetch.
func checkIntegrity(r *request, res *response) (*response, *BlockedError) {
	const anchor = "concept-main-fetch"
	if res.body == nil && res.typ != TypeOpaque && bytesMatchIntegrity(nil, r.integrity) && r.nullBodyIsEmpty(res) {
		return res, nil
	}
	if res.body == nil || res.typ == TypeOpaque { // which hides it
		res.close()
		return nil, r.blocked(CodeIntegrity, anchor, "23.2")
	}
	defer res.close()
	body, err := io.ReadAll(io.LimitReader(res.body, maxIntegrityBody+1))
	if err == nil && len(body) > maxIntegrityBody {
		return nil, r.blocked(CodeResponseTooLarge, anchor, "23.4")
	}
	switch {
	case errors.Is(err, ErrBodyTooLarge):
		return nil, r.blocked(CodeResponseTooLarge, anchor, "23.4").after(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil, r.blocked(CodeAborted, anchor, "23.4").after(err)
	case err != nil:
		return nil, r.blocked(CodeNetwork, anchor, "23.4").after(err)
	case !bytesMatchIntegrity(body, r.integrity):
		return nil, r.blocked(CodeIntegrity, anchor, "23.3.1")
	}
	res.body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// maxIntegrityBody is the longest body that is held in memory to be checked.
const maxIntegrityBody = 256 << 20
