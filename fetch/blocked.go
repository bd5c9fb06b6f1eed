package fetch

import (
	"fmt"
	"strings"
)

// A BlockedError is the standard's network error: a fetch of which the page
// learns nothing but that it failed. It says what the page does not learn.
//
// https://fetch.spec.whatwg.org/#concept-network-error
type BlockedError struct {
	Code Code
	Step Step

	// Header and Value are what decided: a response-header, and its lines joined by
	// ", ". Where a status decided, Value is that and Header is empty. Both come
	// from the server, which may be hostile.
	Header, Value string

	// Name is the request-header that a preflight did not allow, in lower case.
	Name string

	// Origin is the request's origin as the server saw it: "null" after a redirect
	// to a third origin.
	Origin string

	URL       string // that was fetched when it was blocked, after Hop redirects; without fragment and password
	Hop       int
	Preflight bool // it was the preflight that failed

	Exchanges []*Exchange // all that went over the wire, in order
	Err       error       // what the transport or a parser said; may be nil
}

// A Step is a step of an algorithm of the Fetch Standard.
type Step struct {
	Anchor string // of the algorithm, as in "concept-cors-check"
	Number string // as in "4" or "7.5"
}

func (s Step) String() string {
	return "https://fetch.spec.whatwg.org/#" + s.Anchor + " step " + s.Number
}

func (e *BlockedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fetch %q: ", e.URL)
	if e.Preflight {
		b.WriteString("preflight: ")
	}
	b.WriteString(e.Code.String())
	if e.Name != "" {
		fmt.Fprintf(&b, ": %.100q", e.Name)
	}
	switch {
	case e.Value == "": // as the code says
	case e.Header == "":
		fmt.Fprintf(&b, " (%.200s)", e.Value)
	default:
		fmt.Fprintf(&b, " (%s: %.200q)", e.Header, e.Value)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *BlockedError) Unwrap() error { return e.Err }

// A Code is a way in which a fetch is blocked.
type Code uint8

// The codes, in the order in which the standard comes to them.
const (
	CodeUnknown Code = iota

	// Main fetch
	CodeBadPort
	CodeMixedContent
	CodeSameOriginMode
	CodeNoCORSRedirectMode
	CodeScheme
	CodeMIMEType
	CodeNosniff
	CodeIntegrity

	// Scheme fetch
	CodeAboutURL
	CodeBlobURL
	CodeDataURL
	CodeFileURL

	// HTTP fetch
	CodeCORP
	CodeRedirectError

	// HTTP-redirect fetch
	CodeLocation
	CodeRedirectScheme
	CodeTooManyRedirects
	CodeRedirectCredentials
	CodeRedirectBody

	// HTTP-network-or-cache fetch
	CodeKeepaliveSize
	CodeNotCached
	CodeAuthenticationBody
	CodeProxyAuthentication

	// HTTP-network fetch
	CodeNetwork
	CodeStreamOverHTTP1
	CodeMalformedResponse
	CodeResponseTooLarge
	CodePrivateAddress
	CodeAborted

	// CORS check
	CodeMissingAllowOrigin
	CodeMultipleAllowOrigin
	CodeOriginMismatch
	CodeWildcardOrigin
	CodeAllowCredentials

	// CORS-preflight fetch
	CodePreflightStatus
	CodeAllowMethodsSyntax
	CodeAllowHeadersSyntax
	CodeMethodNotAllowed
	CodeAuthorizationNotAllowed
	CodeHeaderNotAllowed
)

var codes = [...]string{
	CodeUnknown:                 "unknown",
	CodeBadPort:                 "port is blocked by browsers",
	CodeMixedContent:            "insecure URL in a page over HTTPS",
	CodeSameOriginMode:          `another origin in mode "same-origin"`,
	CodeNoCORSRedirectMode:      `another origin in mode "no-cors" with a redirect mode that is not "follow"`,
	CodeScheme:                  "scheme is not HTTP or HTTPS",
	CodeMIMEType:                "content that cannot be a script",
	CodeNosniff:                 "content of another type than its use needs, with X-Content-Type-Options: nosniff",
	CodeIntegrity:               "body does not match the integrity metadata",
	CodeAboutURL:                "there is no such about: URL",
	CodeBlobURL:                 "there is no such blob",
	CodeDataURL:                 "data: URL does not parse",
	CodeFileURL:                 "file: URLs are not fetched",
	CodeCORP:                    "refused by Cross-Origin-Resource-Policy",
	CodeRedirectError:           `redirected in redirect mode "error"`,
	CodeLocation:                "redirected to a URL that does not parse",
	CodeRedirectScheme:          "redirected to a scheme that is not HTTP or HTTPS",
	CodeTooManyRedirects:        "redirected more than 20 times",
	CodeRedirectCredentials:     "redirected to a URL with user or password",
	CodeRedirectBody:            "redirected with a body that cannot be sent again",
	CodeKeepaliveSize:           "bodies of keepalive requests are larger than 64 KiB",
	CodeNotCached:               `nothing cached in cache mode "only-if-cached"`,
	CodeAuthenticationBody:      "authentication asked for with a body that cannot be sent again",
	CodeProxyAuthentication:     "a proxy asks for authentication",
	CodeNetwork:                 "network failure",
	CodeStreamOverHTTP1:         "body that streams over HTTP/1",
	CodeMalformedResponse:       "malformed response",
	CodeResponseTooLarge:        "response larger than the limit",
	CodePrivateAddress:          "address is not public",
	CodeAborted:                 "aborted",
	CodeMissingAllowOrigin:      "no Access-Control-Allow-Origin",
	CodeMultipleAllowOrigin:     "more than one value in Access-Control-Allow-Origin",
	CodeOriginMismatch:          "Access-Control-Allow-Origin names another origin",
	CodeWildcardOrigin:          "Access-Control-Allow-Origin is * with credentials",
	CodeAllowCredentials:        "Access-Control-Allow-Credentials is not true",
	CodePreflightStatus:         "preflight status is not 200 to 299",
	CodeAllowMethodsSyntax:      "Access-Control-Allow-Methods does not parse",
	CodeAllowHeadersSyntax:      "Access-Control-Allow-Headers does not parse",
	CodeMethodNotAllowed:        "method is not in Access-Control-Allow-Methods",
	CodeAuthorizationNotAllowed: "Authorization is not in Access-Control-Allow-Headers",
	CodeHeaderNotAllowed:        "header is not in Access-Control-Allow-Headers",
}

// Codes returns every code, for those who hold something ready for each.
func Codes() []Code {
	all := make([]Code, 0, len(codes)-1)
	for c := range codes[1:] {
		all = append(all, Code(c+1))
	}
	return all
}

func (c Code) String() string {
	if int(c) < len(codes) {
		return codes[c]
	}
	return codes[CodeUnknown]
}

// IsCORS reports whether a fetch that is blocked for c would go through if the
// server sent other CORS headers.
func (c Code) IsCORS() bool { return c >= CodeMissingAllowOrigin && c <= CodeHeaderNotAllowed }

// blocked makes the network error that step number of the algorithm at anchor
// returns for r.
func (r *request) blocked(code Code, anchor, number string) *BlockedError {
	return &BlockedError{
		Code: code, Step: Step{anchor, number},
		Origin: r.serializedOrigin(), URL: r.told(), Hop: len(r.urls) - 1, Preflight: r.isPreflight,
		Exchanges: *r.exchanges,
	}
}

// because adds the header that decided.
func (e *BlockedError) because(header, value string) *BlockedError {
	e.Header, e.Value = header, value
	return e
}

// after adds what the transport or a parser said.
func (e *BlockedError) after(err error) *BlockedError {
	e.Err = err
	return e
}
