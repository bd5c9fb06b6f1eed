package fetch

import (
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// isBadPort reports whether a fetch of u is blocked, whatever is asked, because
// a service that is not HTTP may listen there.
//
// https://fetch.spec.whatwg.org/#block-bad-port
func isBadPort(u *urlRecord) bool {
	return isHTTPScheme(u.scheme) && u.port != "" && slices.Contains(badPorts, u.port)
}

// https://fetch.spec.whatwg.org/#bad-port
var badPorts = strings.Fields(`
	0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103
	104 109 110 111 113 115 117 119 123 135 137 139 143 161 179 389 427 465 512
	513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995
	1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668
	6669 6679 6697 10080`)

// isMixedContent reports whether the page of r, in a secure context, may not
// fetch u because what comes back could have been changed on the way. It holds
// for the request before it goes out and for each response.
//
// https://w3c.github.io/webappsec-mixed-content/#should-block-fetch
// https://w3c.github.io/webappsec-mixed-content/#should-block-response
func (r *request) isMixedContent(u *urlRecord) bool {
	trustworthy := u.isTrustworthy() && !(u.scheme == "http" && r.quirk(loopbackIsMixed))
	return !trustworthy && (prohibitsMixedContent(r.page.url.origin) || prohibitsMixedContent(r.page.topLevelOrigin()))
}

// prohibitsMixedContent reports whether pages of origin o, and in frames there,
// must not mix. The draft asks whether o is potentially trustworthy, by which
// http://localhost could not fetch http://example.com. In browsers it can: they
// ask whether the page came over https.
//
// https://w3c.github.io/webappsec-mixed-content/#categorize-settings-object
func prohibitsMixedContent(o origin.Origin) bool {
	return o.Scheme() == "https" || o.Scheme() == "wss"
}

// upgradeMixedContent gives the current URL the scheme "https" where it would be
// blocked for an image, audio or video.
//
// https://w3c.github.io/webappsec-mixed-content/#upgrade-algorithm
func (r *request) upgradeMixedContent() {
	switch r.destination {
	case DestinationAudio, DestinationImage, DestinationVideo:
	default:
		return
	}
	u := r.currentURL()
	if u.scheme != "http" || isIPHost(u.host) || !r.isMixedContent(u) {
		return
	}
	upgraded := *u
	upgraded.scheme = "https"
	upgraded.origin = originOf(&upgraded)
	upgraded.href = upgraded.serialize()
	r.urls = append(r.urls[:len(r.urls)-1:len(r.urls)-1], &upgraded)
}

// An EmbedderPolicy says which responses that do not ask for it a page takes in
// mode "no-cors": the value of its Cross-Origin-Embedder-Policy.
//
// https://html.spec.whatwg.org/multipage/browsers.html#embedder-policy-value
type EmbedderPolicy string

// The embedder policies; "" means [EmbedderPolicyUnsafeNone].
const (
	EmbedderPolicyUnsafeNone     EmbedderPolicy = "unsafe-none"
	EmbedderPolicyCredentialless EmbedderPolicy = "credentialless" // those that were fetched without credentials
	EmbedderPolicyRequireCORP    EmbedderPolicy = "require-corp"   // none without Cross-Origin-Resource-Policy
)

func (p EmbedderPolicy) isValid() bool {
	return p == "" || p == EmbedderPolicyUnsafeNone || p == EmbedderPolicyCredentialless || p == EmbedderPolicyRequireCORP
}

// allowsCredentials reports whether r may have credentials as far as the policy
// of its page is concerned. The standard's fifth step has a slip, "not", by which
// a page would fetch from its own origin without credentials.
//
// https://fetch.spec.whatwg.org/#cross-origin-embedder-policy-allows-credentials
func (p EmbedderPolicy) allowsCredentials(r *request) bool {
	return r.mode != ModeNoCORS || p != EmbedderPolicyCredentialless ||
		origin.Same(r.origin, r.currentURL().origin) && r.redirectTaint() == taintSameOrigin
}

// corpCheck is the cross-origin resource policy internal check, for a response
// from u to a page of origin o that is not a navigation. It reports whether the
// response is allowed. Asked with the policy of the page it is the check itself
// too: nothing is reported to anyone.
//
// https://fetch.spec.whatwg.org/#cross-origin-resource-policy-internal-check
// https://fetch.spec.whatwg.org/#cross-origin-resource-policy-check
func corpCheck(o origin.Origin, u *urlRecord, embedder EmbedderPolicy, list []header.Field, withCredentials bool) bool {
	// 2. and 3. Two lines, or two values, are no policy.
	policy, _ := get(list, "Cross-Origin-Resource-Policy")
	switch policy {
	case "same-origin", "same-site", "cross-origin":
	default:
		policy = ""
		if embedder == EmbedderPolicyRequireCORP || embedder == EmbedderPolicyCredentialless && withCredentials {
			policy = "same-origin"
		}
	}
	switch policy {
	case "same-origin":
		return origin.Same(o, u.origin)
	case "same-site":
		// 5. A secure response does not go to a page that is not; the other way
		// round it may.
		return isSchemelesslySameSite(o, u.origin) && (o.Scheme() == "https" || u.scheme != "https")
	}
	return true
}

// isSchemelesslySameSite is same site but for the scheme.
//
// https://html.spec.whatwg.org/multipage/browsers.html#schemelessly-same-site
func isSchemelesslySameSite(a, b origin.Origin) bool {
	if a.Opaque() || b.Opaque() {
		return false
	}
	if a.Host() == b.Host() {
		return true
	}
	domain := a.RegistrableDomain()
	return domain != "" && domain == b.RegistrableDomain()
}

// taoCheck is the TAO check without its first two steps, which ask for flags of
// the request; basic says whether the response tainting is "basic". It reports
// whether the page may see how long the fetch took.
//
// https://fetch.spec.whatwg.org/#concept-tao-check
func taoCheck(serializedOrigin string, basic bool, list []header.Field) bool {
	values := getSplit(list, "Timing-Allow-Origin")
	return slices.Contains(values, "*") || slices.Contains(values, serializedOrigin) || basic
}

// determineNosniff is https://fetch.spec.whatwg.org/#determine-nosniff.
func determineNosniff(list []header.Field) bool {
	values := getSplit(list, "X-Content-Type-Options")
	return values != nil && header.EqualFold(values[0], "nosniff")
}

// isBlockedByNosniff reports whether a response for destination is blocked
// because its type is not what the page wants to use it as. For fetch(), whose
// destination is empty, none is.
//
// https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-nosniff?
func isBlockedByNosniff(destination Destination, list []header.Field) bool {
	if destination == "" || !determineNosniff(list) {
		return false
	}
	mime, ok := header.ExtractMIMEType(header.Lines(list, "Content-Type"))
	switch {
	case destination.isScriptLike():
		return !ok || !isJavaScript(mime)
	case destination == DestinationStyle:
		return !ok || mime.Essence() != "text/css"
	}
	return false
}

// isBlockedByMIMEType reports whether a response for destination is blocked
// because it cannot be a script, whatever X-Content-Type-Options says.
//
// https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-mime-type?
func isBlockedByMIMEType(destination Destination, list []header.Field) bool {
	if !destination.isScriptLike() {
		return false
	}
	mime, ok := header.ExtractMIMEType(header.Lines(list, "Content-Type"))
	if !ok {
		return false
	}
	switch mime.Type {
	case "audio", "image", "video":
		return true
	}
	return mime.Essence() == "text/csv"
}

// isJavaScript is https://mimesniff.spec.whatwg.org/#javascript-mime-type.
func isJavaScript(m header.MIMEType) bool {
	switch m.Essence() {
	case "application/ecmascript", "application/javascript", "application/x-ecmascript", "application/x-javascript",
		"text/ecmascript", "text/javascript", "text/javascript1.0", "text/javascript1.1", "text/javascript1.2",
		"text/javascript1.3", "text/javascript1.4", "text/javascript1.5", "text/jscript", "text/livescript",
		"text/x-ecmascript", "text/x-javascript":
		return true
	}
	return false
}
