package corstest

import (
	"fmt"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// mend says in a sentence what to change.
func mend(r *Result) string {
	e := r.Blocked
	switch e.Code {
	case fetch.CodeMissingAllowOrigin:
		if e.Preflight {
			return fmt.Sprintf("let OPTIONS reach the CORS middleware, before routing and login, so that it answers with %s: %s", header.AccessControlAllowOrigin, e.Origin)
		}
		return fmt.Sprintf("send %s: %s and Vary: Origin, with errors too", header.AccessControlAllowOrigin, e.Origin)
	case fetch.CodeMultipleAllowOrigin:
		return fmt.Sprintf("send %s once, with the one value %s; two layers may each have set it", header.AccessControlAllowOrigin, e.Origin)
	case fetch.CodeOriginMismatch:
		return mendMismatch(e)
	case fetch.CodeWildcardOrigin:
		return fmt.Sprintf("send %s: %s and Vary: Origin, or fetch without credentials", header.AccessControlAllowOrigin, e.Origin)
	case fetch.CodeAllowCredentials:
		return fmt.Sprintf("send %s: true, in these very letters, or fetch without credentials", header.AccessControlAllowCredentials)
	case fetch.CodePreflightStatus:
		return fmt.Sprintf("answer OPTIONS with 204, before routing and login, and not with %s", e.Value)
	case fetch.CodeAllowMethodsSyntax, fetch.CodeAllowHeadersSyntax:
		return fmt.Sprintf("write names in %s with commas between them, and nothing else", e.Header)
	case fetch.CodeMethodNotAllowed:
		return mendMethod(r)
	case fetch.CodeAuthorizationNotAllowed:
		return fmt.Sprintf("add authorization to %s by its name; * does not cover it", header.AccessControlAllowHeaders)
	case fetch.CodeHeaderNotAllowed:
		fix := fmt.Sprintf("add %s to %s", e.Name, header.AccessControlAllowHeaders)
		if hasWildcard(e.Value) {
			fix += "; with credentials * is no wildcard"
		}
		return fix
	}
	return mends[e.Code]
}

func mendMismatch(e *fetch.BlockedError) string {
	switch {
	case e.Origin == "null" && e.Hop > 0:
		return "let the first server redirect to no other origin, or fetch the last URL at once"
	case e.Origin == "null":
		return "serve the page from an origin; do not allow null, which any page can take on"
	case strings.Contains(e.Value, "*"):
		return fmt.Sprintf("send %s: %s; browsers know no patterns, the server matches and names the one origin", e.Header, e.Origin)
	case strings.TrimSuffix(e.Value, "/") == e.Origin:
		return fmt.Sprintf("send %s: %s, without the slash at the end: an origin has no path", e.Header, e.Origin)
	case !strings.Contains(e.Value, "://") && e.Value != "" && strings.HasSuffix(e.Origin, "://"+e.Value):
		return fmt.Sprintf("send %s: %s, with the scheme", e.Header, e.Origin)
	}
	return fmt.Sprintf("allow %s, and send it in %s as it is: bytes are compared", e.Origin, e.Header)
}

func mendMethod(r *Result) string {
	e := r.Blocked
	method := r.request.Method
	upper := strings.ToUpper(method)
	for name := range strings.SplitSeq(e.Value, ",") {
		if method != upper && strings.TrimSpace(name) == upper && upper == "PATCH" {
			return "write the method as PATCH in the page: browsers do not put it in upper case, and the server allows " + upper
		}
	}
	fix := fmt.Sprintf("add %s to %s", header.NormalizeMethod(method), header.AccessControlAllowMethods)
	if hasWildcard(e.Value) {
		fix += "; with credentials * is no wildcard"
	}
	return fix
}

func hasWildcard(list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(name) == "*" {
			return true
		}
	}
	return false
}

// mends holds what to change where the reason is none of CORS.
var mends = map[fetch.Code]string{
	fetch.CodeUnknown:             "this is a fault of package fetch; please report it",
	fetch.CodeBadPort:             "serve at a port that browsers do not block",
	fetch.CodeMixedContent:        "fetch https: from a page that came over https",
	fetch.CodeSameOriginMode:      `use mode "cors" to fetch from another origin`,
	fetch.CodeNoCORSRedirectMode:  `use redirect mode "follow" in mode "no-cors"`,
	fetch.CodeScheme:              "fetch from http: or https:; a host with a port and no scheme before it is read as a scheme",
	fetch.CodeMIMEType:            "serve scripts with Content-Type: text/javascript",
	fetch.CodeNosniff:             "serve scripts with Content-Type: text/javascript, and style sheets with text/css",
	fetch.CodeIntegrity:           "give the digest of the body that is served now",
	fetch.CodeAboutURL:            "only about:blank can be fetched",
	fetch.CodeBlobURL:             "pages in tests have no blobs; serve the content from a handler",
	fetch.CodeDataURL:             "write the data: URL with a comma before its content",
	fetch.CodeFileURL:             "serve the file over http:",
	fetch.CodeCORP:                `send Cross-Origin-Resource-Policy: cross-origin, or fetch in mode "cors"`,
	fetch.CodeRedirectError:       `use redirect mode "follow", or fetch the URL that it redirects to`,
	fetch.CodeLocation:            "redirect with one Location that parses as a URL",
	fetch.CodeRedirectScheme:      "redirect to http: or https:",
	fetch.CodeTooManyRedirects:    "break the loop of redirects",
	fetch.CodeRedirectCredentials: "redirect to a URL without user and password",
	fetch.CodeRedirectBody:        "redirect with 303, or send a body that is not a stream",
	fetch.CodeKeepaliveSize:       "send at most 64 KiB in requests that outlive their page",
	fetch.CodeNotCached:           `use another cache mode than "only-if-cached"`,
	fetch.CodeAuthenticationBody:  "send a body that is not a stream where the server asks for a password",
	fetch.CodeProxyAuthentication: "do not answer 407: that is for proxies",
	fetch.CodeNetwork:             "let a handler answer at this host without panicking",
	fetch.CodeStreamOverHTTP1:     "serve HTTP/2, or send a body that is not a stream",
	fetch.CodeMalformedResponse:   "send headers without NUL and line ends in them",
	fetch.CodeResponseTooLarge:    "raise the browser's Limits, or send less",
	fetch.CodePrivateAddress:      "fetch a public address, or leave RefusePrivateAddresses off",
	fetch.CodeAborted:             "let the handler answer before the test ends",
}
