package explain

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A message is a line that a browser prints in its console. Rendered, it is what
// [Diagnosis.Console] says; turned round, it is how [Recognise] reads one.
type message struct {
	browser   fetch.Profile
	key       string // the browser's own name for it, where it has one
	cause     Cause  // that it stands for, as long as nothing else is known
	preflight bool   // it says that a preflight failed
	text      string // names in braces stand for facts
	old       bool   // earlier versions said so; it is read and not written
}

const (
	chromiumAt     = "Access to fetch at {at} from origin '{page}' has been blocked by CORS policy: "
	chromiumAdvice = " Have the server send the header with a valid value." // not always copied, and once worded otherwise
	chromiumPF     = "Response to preflight request doesn't pass access control check: "
	firefoxAt      = "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. (Reason: "
	firefoxWarning = "Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at {url} soon. (Reason: "
	webkitHop      = "Cross-origin redirection to {location} denied by Cross-Origin Resource Sharing policy: "
)

// messages are what the three browsers print, measured: see testdata/console.json.
var messages = []message{
	{fetch.Chromium, "MissingAllowOriginHeader", "missing-allow-origin", false, "No 'Access-Control-Allow-Origin' header is present on the requested resource.", false},
	{fetch.Chromium, "AllowOriginMismatch", "origin-other", false, "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied origin." + chromiumAdvice, false},
	{fetch.Chromium, "MultipleAllowOriginValues", "origin-list", false, "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed." + chromiumAdvice, false},
	{fetch.Chromium, "InvalidAllowOriginValue", "origin-not-an-origin", false, "The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'." + chromiumAdvice, false},
	{fetch.Chromium, "WildcardOriginNotAllowed", "wildcard-with-credentials", false, "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.", false},
	{fetch.Chromium, "InvalidAllowCredentials", "allow-credentials-value", false, "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be 'true' when the request's credentials mode is 'include'.", false},
	{fetch.Chromium, "PreflightInvalidStatus", "preflight-status", true, "It does not have HTTP ok status.", false},
	{fetch.Chromium, "PreflightInvalidStatus", "preflight-status", true, "Response for preflight has invalid HTTP status code {status}", true},
	{fetch.Chromium, "PreflightInvalidStatus", "preflight-status", true, "cannot load {url}. Invalid HTTP status code {status}", true},
	{fetch.Chromium, "PreflightDisallowedRedirect", "preflight-redirect", true, "Redirect is not allowed for a preflight request.", false},
	{fetch.Chromium, "PreflightDisallowedRedirect", "preflight-redirect", true, "Response for preflight is invalid (redirect)", true},
	{fetch.Chromium, "PreflightDisallowedRedirect", "preflight-redirect", true, "The request was redirected to '{location}', which is disallowed for cross-origin requests that require preflight.", true},
	{fetch.Chromium, "InvalidAllowMethodsPreflightResponse", "methods-syntax", true, "Cannot parse Access-Control-Allow-Methods response header field in preflight response.", false},
	{fetch.Chromium, "InvalidAllowHeadersPreflightResponse", "headers-syntax", true, "Cannot parse Access-Control-Allow-Headers response header field in preflight response.", false},
	{fetch.Chromium, "MethodDisallowedByPreflightResponse", "method-not-listed", true, "Method {method} is not allowed by Access-Control-Allow-Methods in preflight response.", false},
	{fetch.Chromium, "HeaderDisallowedByPreflightResponse", "header-not-listed", true, "Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response.", false},
	{fetch.Chromium, "RedirectContainsCredentials", "redirect-credentials", false, "Redirect location '{value}' contains a username and password, which is disallowed for cross-origin requests.", false},
	{fetch.Chromium, "CorsDisabledScheme", "redirect-scheme", false, "Cross origin requests are only supported for protocol schemes: chrome, chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, https, isolated-app.", false},
	{fetch.Chromium, "CorsDisabledScheme", "scheme", false, "Cross origin requests are only supported for protocol schemes: {list}.", true},
	{fetch.Chromium, "DisallowedByMode", "same-origin-mode", false, `Fetch API cannot load {url}. Request mode is "same-origin" but the URL's origin is not same as the request origin {page}.`, false},
	{fetch.Chromium, "UnsupportedScheme", "scheme", false, `Fetch API cannot load {url}. URL scheme "{scheme}" is not supported.`, false},
	{fetch.Chromium, "LocalResource", "file-url", false, "Not allowed to load local resource: {url}", false},
	{fetch.Chromium, "LocalNetworkAccessPermissionDenied", "private-address", false, "Permission was denied for this request to access the `{list}` address space.", false},
	{fetch.Chromium, "InsecurePrivateNetwork", "private-address", false, "The request client is not a secure context and the resource is in more-private address space `{list}`.", true},
	{fetch.Chromium, "MixedContent", "mixed-content", false, "Mixed Content: The page at '{list}' was loaded over HTTPS, but requested an insecure resource '{url}'. This request has been blocked; the content must be served over HTTPS.", false},
	{fetch.Chromium, "MixedContent", "mixed-content", false, "Mixed Content: The page at '{list}' was loaded over HTTPS, but requested an insecure {value} '{url}'. This request has been blocked", true},
	{fetch.Chromium, "MIME", "mime-type", false, "Refused to execute script from '{url}' because its MIME type ('{value}') is not executable.", false},
	{fetch.Chromium, "strict MIME", "nosniff", false, "Refused to execute script from '{url}' because its MIME type ('{value}') is not executable, and strict MIME type checking is enabled.", false},
	{fetch.Chromium, "strict style", "nosniff", false, "Refused to apply style from '{url}' because its MIME type ('{value}') is not a supported stylesheet MIME type, and strict MIME checking is enabled.", false},
	{fetch.Chromium, "ERR_BLOCKED_BY_ORB", "nosniff", false, "net::ERR_BLOCKED_BY_ORB", true},
	{fetch.Chromium, "SRI", "integrity", false, "Fetch API cannot load {url}. SRI's integrity checks failed.", false},
	{fetch.Chromium, "digest", "integrity", false, "Failed to find a valid digest in the 'integrity' attribute for resource '{url}' with computed SHA-256 integrity '{value}'. The resource has been blocked.", true},
	{fetch.Chromium, "NoCorsRedirectModeNotFollow", "no-cors-redirect-mode", false, `Fetch API cannot load {url}. Request mode is "no-cors" but the redirect mode is not "follow".`, false},
	{fetch.Chromium, "ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION", "location", false, "net::ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION", false},
	{fetch.Chromium, "ERR_ALPN_NEGOTIATION_FAILED", "stream-over-http1", false, "net::ERR_ALPN_NEGOTIATION_FAILED", false},
	{fetch.Chromium, "ERR_UNEXPECTED_PROXY_AUTH", "proxy-authentication", false, "net::ERR_UNEXPECTED_PROXY_AUTH", false},
	{fetch.Chromium, "ERR_CONNECTION_REFUSED", "connection-refused", false, "net::ERR_CONNECTION_REFUSED", false},
	{fetch.Chromium, "ERR_NAME_NOT_RESOLVED", "name-not-resolved", false, "net::ERR_NAME_NOT_RESOLVED", false},
	{fetch.Chromium, "ERR_EMPTY_RESPONSE", "connection-reset", false, "net::ERR_EMPTY_RESPONSE", false},
	{fetch.Chromium, "ERR_CONNECTION_RESET", "connection-reset", false, "net::ERR_CONNECTION_RESET", false},
	{fetch.Chromium, "ERR_CONNECTION_CLOSED", "connection-reset", false, "net::ERR_CONNECTION_CLOSED", false},
	{fetch.Chromium, "ERR_TIMED_OUT", "timeout", false, "net::ERR_TIMED_OUT", false},
	{fetch.Chromium, "ERR_CONNECTION_TIMED_OUT", "timeout", false, "net::ERR_CONNECTION_TIMED_OUT", false},
	{fetch.Chromium, "ERR_ADDRESS_UNREACHABLE", "unreachable", false, "net::ERR_ADDRESS_UNREACHABLE", false},
	{fetch.Chromium, "ERR_INTERNET_DISCONNECTED", "unreachable", false, "net::ERR_INTERNET_DISCONNECTED", false},
	{fetch.Chromium, "ERR_CERT_AUTHORITY_INVALID", "tls-untrusted", false, "net::ERR_CERT_AUTHORITY_INVALID", false},
	{fetch.Chromium, "ERR_CERT_DATE_INVALID", "tls-expired", false, "net::ERR_CERT_DATE_INVALID", false},
	{fetch.Chromium, "ERR_CERT_COMMON_NAME_INVALID", "tls-wrong-host", false, "net::ERR_CERT_COMMON_NAME_INVALID", false},
	{fetch.Chromium, "ERR_SSL_PROTOCOL_ERROR", "https-to-http", false, "net::ERR_SSL_PROTOCOL_ERROR", false},
	{fetch.Chromium, "ERR_SSL_VERSION_OR_CIPHER_MISMATCH", "tls-failed", false, "net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", false},
	{fetch.Chromium, "ERR_EMPTY_RESPONSE", "http-to-https", false, "net::ERR_EMPTY_RESPONSE", false},
	{fetch.Chromium, "ERR_INVALID_HTTP_RESPONSE", "malformed-response", false, "net::ERR_INVALID_HTTP_RESPONSE", false},
	{fetch.Chromium, "ERR_UNSAFE_PORT", "bad-port", false, "net::ERR_UNSAFE_PORT", false},
	{fetch.Chromium, "ERR_TOO_MANY_REDIRECTS", "redirect-loop", false, "net::ERR_TOO_MANY_REDIRECTS", false},
	{fetch.Chromium, "ERR_UNSAFE_REDIRECT", "redirect-scheme", false, "net::ERR_UNSAFE_REDIRECT", false},
	{fetch.Chromium, "ERR_INVALID_REDIRECT", "location", false, "net::ERR_INVALID_REDIRECT", false},
	{fetch.Chromium, "ERR_BLOCKED_BY_RESPONSE", "corp", false, "net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin", false},
	{fetch.Chromium, "ERR_CACHE_MISS", "not-cached", false, "net::ERR_CACHE_MISS", false},
	{fetch.Chromium, "ERR_ABORTED", "aborted", false, "net::ERR_ABORTED", true},
	{fetch.Chromium, "ERR_FILE_NOT_FOUND", "blob-url", false, "net::ERR_FILE_NOT_FOUND", false},
	{fetch.Chromium, "ERR_INVALID_URL", "data-url", false, "net::ERR_INVALID_URL", false},
	{fetch.Chromium, "ERR_UNKNOWN_URL_SCHEME", "scheme", false, "net::ERR_UNKNOWN_URL_SCHEME", true},
	{fetch.Chromium, "ERR_FAILED", "network-failure", false, "net::ERR_FAILED", false},

	{fetch.Firefox, "CORSMissingAllowOrigin2", "missing-allow-origin", false, "CORS header ‘Access-Control-Allow-Origin’ missing). Status code: {status}.", false},
	{fetch.Firefox, "CORSMissingAllowOrigin", "missing-allow-origin", false, "CORS header ‘Access-Control-Allow-Origin’ missing).", true},
	{fetch.Firefox, "CORSAllowOriginNotMatchingOrigin", "origin-other", false, "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’).", false},
	{fetch.Firefox, "CORSMultipleAllowOriginNotAllowed", "doubled-header", false, "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed).", false},
	{fetch.Firefox, "CORSNotSupportingCredentials", "wildcard-with-credentials", false, "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’).", false},
	{fetch.Firefox, "CORSMissingAllowCredentials", "allow-credentials-missing", false, "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’).", false},
	{fetch.Firefox, "CORSExternalRedirectNotAllowed", "preflight-redirect", true, "CORS request external redirect not allowed).", false},
	{fetch.Firefox, "CORSPreflightDidNotSucceed3", "preflight-status", true, "CORS preflight response did not succeed). Status code: {status}.", false},
	{fetch.Firefox, "CORSPreflightDidNotSucceed2", "preflight-status", true, "CORS preflight channel did not succeed).", true},
	{fetch.Firefox, "CORSInvalidAllowMethod", "methods-syntax", true, "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’).", false},
	{fetch.Firefox, "CORSInvalidAllowHeader", "headers-syntax", true, "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’).", false},
	{fetch.Firefox, "CORSMethodNotFound", "method-not-listed", true, "Did not find method in CORS header ‘Access-Control-Allow-Methods’).", false},
	{fetch.Firefox, "CORSMissingAllowHeaderFromPreflight2", "header-not-listed", true, "header ‘{name}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response).", false},
	{fetch.Firefox, "CORSMissingAllowHeaderFromPreflight", "header-not-listed", true, "missing token ‘{name}’ in CORS header ‘Access-Control-Allow-Headers’ from CORS preflight channel).", true},
	{fetch.Firefox, "CORSAllowHeaderFromPreflightDeprecation", "authorization-wildcard", true, "When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered. To include the `Authorization` header, it must be explicitly listed in CORS header `Access-Control-Allow-Headers`).", false},
	{fetch.Firefox, "CORSRequestNotHttp", "scheme", false, "CORS request not http).", false},
	{fetch.Firefox, "CORSDidNotSucceed2", "network-failure", false, "CORS request did not succeed). Status code: (null).", false},
	{fetch.Firefox, "CORSDidNotSucceed", "network-failure", false, "CORS request did not succeed).", true},
	{fetch.Firefox, "CORSDisabled", "unknown", false, "CORS disabled).", true},
	{fetch.Firefox, "CrossSiteRequestBlocked", "unknown", false, "The Same Origin Policy disallows reading the remote resource at {url}. This can be fixed by moving the resource to the same domain or enabling CORS.", true},
	{fetch.Firefox, "DATA_URI_BLOCKED", "redirect-scheme", false, "Redirecting to data: URI not allowed (Blocked loading of: “{value}”)", false},
	{fetch.Firefox, "SOP", "same-origin-mode", false, "Security Error: Content at {list} may not load data from {url}.", false},
	{fetch.Firefox, "SOP", "file-url", false, "Security Error: Content at {list} may not load or link to {url}.", false},
	{fetch.Firefox, "COEP", "corp", false, "The resource at “{url}” was blocked due to its Cross-Origin-Resource-Policy header (or lack thereof). See https://developer.mozilla.org/docs/Web/HTTP/Cross-Origin_Resource_Policy_(CORP)#", false},
	{fetch.Firefox, "MIMEMISMATCH", "mime-type", false, "Script from “{url}” was blocked because of a disallowed MIME type (“{value}”).", false},
	{fetch.Firefox, "MIMEMISMATCH", "nosniff", false, "The resource from “{url}” was blocked due to MIME type (“{value}”) mismatch (X-Content-Type-Options: nosniff).", false},
	{fetch.Firefox, "Sub-resource Integrity", "integrity", false, "None of the “{algorithm}” hashes in the integrity attribute match the content of the subresource at “{url}”. The computed hash is “{value}”.", false},
	{fetch.Firefox, "Mixed Content Blocker", "mixed-content", false, "Blocked loading mixed active content “{url}”", false},

	{fetch.WebKit, "W1", "missing-allow-origin", false, "Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}", false},
	{fetch.WebKit, "W1", "missing-allow-origin", false, "Origin {origin} is not allowed by Access-Control-Allow-Origin.", true},
	{fetch.WebKit, "W2", "origin-list", false, "Access-Control-Allow-Origin cannot contain more than one origin.", false},
	{fetch.WebKit, "W3", "wildcard-with-credentials", false, "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.", false},
	{fetch.WebKit, "W4", "allow-credentials-missing", false, `Credentials flag is true, but Access-Control-Allow-Credentials is not "true".`, false},
	{fetch.WebKit, "W5", "preflight-status", true, "Preflight response is not successful. Status code: {status}", false},
	{fetch.WebKit, "W5", "preflight-status", true, "Preflight response is not successful", true},
	{fetch.WebKit, "W6", "method-not-listed", true, "Method {method} is not allowed by Access-Control-Allow-Methods.", false},
	{fetch.WebKit, "W7", "header-not-listed", true, "Request header field {name} is not allowed by Access-Control-Allow-Headers.", false},
	{fetch.WebKit, "W8", "methods-syntax", true, "Header Access-Control-Allow-Methods has an invalid value: {value}", false},
	{fetch.WebKit, "W8", "headers-syntax", true, "Header Access-Control-Allow-Headers has an invalid value: {value}", false},
	{fetch.WebKit, "W9", "redirect-credentials", false, "redirection URL {value} has credentials", false},
	{fetch.WebKit, "W9", "redirect-scheme", false, "not allowed to follow a cross-origin CORS redirection with non CORS scheme", false},
	{fetch.WebKit, "FTP", "redirect-scheme", false, "FTP URLs are disabled", false},
	{fetch.WebKit, "W10", "redirect-error", false, "Not allowed to follow a redirection while loading {url}", false},
	{fetch.WebKit, "W11", "redirect-loop", false, "Load cannot follow more than 20 redirections", false},
	{fetch.WebKit, "W12", "scheme", false, "Cross origin requests are only supported for HTTP.", false},
	{fetch.WebKit, "W13", "corp", false, "Cancelled load to {url} because it violates the resource's Cross-Origin-Resource-Policy response header.", false},
	{fetch.WebKit, "W14", "preflight-status", true, "Preflight response was blocked", true},
	{fetch.WebKit, "W15", "same-origin-mode", false, "Cross origin requests are not allowed when using same-origin fetch mode.", true},
	{fetch.WebKit, "MIME", "mime-type", false, "Refused to execute {url} as script because {value} is not a script MIME type.", false},
	{fetch.WebKit, "nosniff", "nosniff", false, `Refused to execute {url} as script because "X-Content-Type-Options: nosniff" was given and its Content-Type is not a script MIME type.`, false},
	{fetch.WebKit, "nosniff style", "nosniff", false, "Did not parse stylesheet at '{url}' because non CSS MIME types are not allowed in strict mode.", false},
	{fetch.WebKit, "integrity", "integrity", false, "Failed integrity metadata check.", false},
	{fetch.WebKit, "redirect mode", "no-cors-redirect-mode", false, "No-Cors mode requires follow redirect mode", false},
	{fetch.WebKit, "data", "data-url", false, "Data URL decoding failed", false},
	{fetch.WebKit, "keepalive", "keepalive-size", false, "Reached maximum amount of queued data of 64Kb for keepalive requests", false},
	{fetch.WebKit, "malformed", "malformed-response", false, "Could not parse HTTP response", false},
	{fetch.WebKit, "tls", "https-to-http", false, "Error performing TLS handshake: An unexpected TLS packet was received.", false},
	{fetch.WebKit, "tls", "tls-failed", false, "Error performing TLS handshake: {list}", false},
	{fetch.WebKit, "port", "bad-port", false, "Not allowed to use restricted network port {port}: {url}", false},
	{fetch.WebKit, "refused", "connection-refused", false, "Could not connect to {hostname}: Connection refused", false},
	{fetch.WebKit, "refused", "connection-refused", false, "Could not connect to the server.", true},
	{fetch.WebKit, "resolve", "name-not-resolved", false, "Error resolving “{hostname}”: Name or service not known", false},
	{fetch.WebKit, "resolve", "name-not-resolved", false, "A server with the specified hostname could not be found.", true},
	{fetch.WebKit, "reset", "connection-reset", false, "Connection terminated unexpectedly", false},
	{fetch.WebKit, "reset", "connection-reset", false, "The network connection was lost.", true},
	{fetch.WebKit, "reset", "http-to-https", false, "Connection terminated unexpectedly", false},
	{fetch.WebKit, "timeout", "timeout", false, "Connection timed out", false},
	{fetch.WebKit, "timeout", "timeout", false, "The request timed out.", true},
	{fetch.WebKit, "unreachable", "unreachable", false, "Could not connect to {hostname}: No route to host", false},
	{fetch.WebKit, "tls", "tls-untrusted", false, "Unacceptable TLS certificate", false},
	{fetch.WebKit, "tls", "tls-expired", false, "Unacceptable TLS certificate", false},
	{fetch.WebKit, "tls", "tls-wrong-host", false, "Unacceptable TLS certificate", false},
	{fetch.WebKit, "tls", "tls-untrusted", false, "The certificate for this server is invalid.", true},
	{fetch.WebKit, "mixed", "mixed-content", false, "[blocked] The page at {list} requested insecure content from {url}. This content was blocked and must be served over HTTPS.", false},
	{fetch.WebKit, "mode", "same-origin-mode", false, "Fetch API cannot load {url}.", false},
	{fetch.WebKit, "access", "unknown", false, "Fetch API cannot load {url} due to access control checks.", false},
	{fetch.WebKit, "access", "unknown", false, "XMLHttpRequest cannot load {url} due to access control checks.", true},
}

// text finds a message by its key, and by its cause where several share one.
func text(browser fetch.Profile, key string, cause Cause) string {
	found := ""
	for _, m := range messages {
		if m.browser != browser || m.key != key || m.old {
			continue
		}
		if found == "" || m.cause == cause {
			found = m.text
		}
	}
	return found
}

// Console is what browser prints for d, line by line. It is nil where nothing is
// blocked.
func (d *Diagnosis) Console(browser fetch.Profile) []string {
	if d.Verdict != Blocked && d.Verdict != Unreachable {
		return nil
	}
	c := consoleFacts(d)
	for name, value := range c.facts {
		c.facts[name] = brief(value)
	}
	var out []string
	switch browser {
	case fetch.Chromium:
		out = c.chromium()
	case fetch.Firefox:
		out = c.firefox()
	case fetch.WebKit:
		out = c.webkit()
	}
	for i := range out {
		out[i] = visible(out[i])
	}
	return out
}

// visible escapes what a server put into a line of a console; quotation marks
// are the browser's.
func visible(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "‘’“”")
		if i < 0 {
			b.WriteString(escape(s))
			return b.String()
		}
		b.WriteString(escape(s[:i]))
		b.WriteString(s[i : i+len("‘")])
		s = s[i+len("‘"):]
	}
}

// console knows what a line may speak of.
type console struct {
	d         *Diagnosis
	facts     facts
	lines     []string // of Access-Control-Allow-Origin
	locations int      // lines of Location
	redirect  bool     // the response that decided leads elsewhere
}

func consoleFacts(d *Diagnosis) console {
	c := console{d: d, facts: facts{}}
	raw := func(name string) string { return strings.Trim(d.facts[name], `"`) }
	u, err := url.Parse(d.BlockedAt)
	if err != nil {
		u = &url.URL{}
	}
	first := d.URL
	c.facts = facts{
		"url": d.BlockedAt, "at": "'" + d.BlockedAt + "'", "page": d.Page, "origin": d.Origin, "status": strconv.Itoa(d.Status),
		"method": raw("method"), "name": raw("name"), "hostname": u.Hostname(), "port": raw("port"), "scheme": u.Scheme, "list": d.document, "algorithm": d.algorithm,
	}
	if d.At >= 0 {
		last := d.Exchanges[d.At]
		c.lines = header.Lines(last.ResponseHeader, header.AccessControlAllowOrigin)
		location := get(last.ResponseHeader, "Location")
		c.redirect = isRedirect(last.Status) && location != ""
		c.locations = len(header.Lines(last.ResponseHeader, "Location"))
		c.facts["location"] = location
		if u, err := url.Parse(resolve(last.URL, location)); err == nil && location != "" {
			u.User = nil
			c.facts["location"] = u.String()
		}
		c.facts["value"] = strings.Join(d.Header.Sent, ", ")
	}
	if d.Hop > 0 && first != d.BlockedAt {
		c.facts["at"] = "'" + d.BlockedAt + "' (redirected from '" + first + "')"
	}
	return c
}

func (c console) line(browser fetch.Profile, key string) string {
	return c.facts.fill(text(browser, key, c.d.Cause))
}

func (c console) chromium() []string {
	if c.d.Cause == "authorization-wildcard" {
		return nil // it lets the request through
	}
	failed := func(net string) []string {
		return []string{"Failed to load resource: " + c.facts.fill(text(fetch.Chromium, net, c.d.Cause))}
	}
	cors := func(key string) []string {
		prefix := chromiumAt
		if c.d.Preflight && !strings.Contains(key, "PreflightResponse") {
			prefix += chromiumPF
		}
		return append([]string{c.facts.fill(prefix) + c.line(fetch.Chromium, key)}, failed("ERR_FAILED")...)
	}
	if c.d.Preflight && c.redirect {
		return cors("PreflightDisallowedRedirect") // a redirect is not looked into
	}
	switch c.d.Code {
	case fetch.CodeMissingAllowOrigin:
		return cors("MissingAllowOriginHeader")
	case fetch.CodeMultipleAllowOrigin:
		return cors("MultipleAllowOriginValues")
	case fetch.CodeOriginMismatch:
		if value := c.facts["value"]; value != "null" && !schemed.MatchString(value) {
			return cors("InvalidAllowOriginValue")
		}
		return cors("AllowOriginMismatch")
	case fetch.CodeWildcardOrigin:
		return cors("WildcardOriginNotAllowed")
	case fetch.CodeAllowCredentials:
		return cors("InvalidAllowCredentials")
	case fetch.CodePreflightStatus:
		return cors("PreflightInvalidStatus")
	case fetch.CodeAllowMethodsSyntax:
		return cors("InvalidAllowMethodsPreflightResponse")
	case fetch.CodeAllowHeadersSyntax:
		return cors("InvalidAllowHeadersPreflightResponse")
	case fetch.CodeMethodNotAllowed:
		return cors("MethodDisallowedByPreflightResponse")
	case fetch.CodeAuthorizationNotAllowed:
		c.facts["name"] = "authorization"
		return cors("HeaderDisallowedByPreflightResponse")
	case fetch.CodeHeaderNotAllowed:
		return cors("HeaderDisallowedByPreflightResponse")
	case fetch.CodeRedirectCredentials:
		c.facts["value"] = "" // the message has lost it
		return cors("RedirectContainsCredentials")
	case fetch.CodeRedirectScheme:
		if strings.HasPrefix(c.facts["location"], "data:") {
			return failed("ERR_UNSAFE_REDIRECT")
		}
		c.facts["at"] = "'" + c.facts["location"] + "' (redirected from '" + c.d.URL + "')"
		return cors("CorsDisabledScheme")
	case fetch.CodeSameOriginMode:
		return []string{c.line(fetch.Chromium, "DisallowedByMode")}
	case fetch.CodeScheme, fetch.CodeAboutURL:
		if c.facts["scheme"] == "file" {
			return []string{c.line(fetch.Chromium, "LocalResource")}
		}
		return []string{c.line(fetch.Chromium, "UnsupportedScheme")}
	case fetch.CodeNoCORSRedirectMode:
		return []string{c.line(fetch.Chromium, "NoCorsRedirectModeNotFollow")}
	case fetch.CodeIntegrity:
		return []string{c.line(fetch.Chromium, "SRI")}
	case fetch.CodeMIMEType:
		return []string{c.line(fetch.Chromium, "MIME")}
	case fetch.CodeNosniff:
		switch {
		case c.d.mode == fetch.ModeNoCORS:
			return nil // another check hides it first, and says nothing
		case c.d.destination == fetch.DestinationStyle:
			return []string{c.line(fetch.Chromium, "strict style")}
		}
		return []string{c.line(fetch.Chromium, "strict MIME")}
	case fetch.CodeLocation:
		if c.locations > 1 {
			return failed("ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION")
		}
		return failed("ERR_INVALID_REDIRECT")
	case fetch.CodeKeepaliveSize, fetch.CodeAborted:
		if c.d.Cause != "timeout" {
			return nil // it says nothing at all
		}
	case fetch.CodeFileURL:
		return []string{c.line(fetch.Chromium, "LocalResource")}
	case fetch.CodeMixedContent:
		return []string{c.line(fetch.Chromium, "MixedContent")}
	}
	for _, m := range messages {
		if m.browser == fetch.Chromium && m.cause == c.d.Cause && !m.old && strings.HasPrefix(m.key, "ERR_") {
			return failed(m.key)
		}
	}
	return failed("ERR_FAILED")
}

var schemed = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

func (c console) firefox() []string {
	at := func(key string) string {
		prefix := firefoxAt
		if key == "CORSNotSupportingCredentials" {
			prefix = strings.Replace(prefix, "{url}", "‘{url}’", 1) // as it is in that text alone
		}
		return c.facts.fill(prefix) + c.line(fetch.Firefox, key)
	}
	cors := func(keys ...string) (out []string) {
		for _, key := range keys {
			out = append(out, at(key))
		}
		if c.d.Preflight {
			out = append(out, at("CORSDidNotSucceed2"))
		}
		if c.redirect && keys[0] != "CORSExternalRedirectNotAllowed" {
			out = append(out, at("CORSDidNotSucceed2"))
		}
		return out
	}
	if c.d.Cause == "authorization-wildcard" {
		return []string{c.facts.fill(firefoxWarning) + c.line(fetch.Firefox, "CORSAllowHeaderFromPreflightDeprecation")}
	}
	if c.d.Preflight && c.redirect && c.d.Code == fetch.CodePreflightStatus {
		return cors("CORSExternalRedirectNotAllowed", "CORSPreflightDidNotSucceed3")
	}
	switch c.d.Code {
	case fetch.CodeMissingAllowOrigin:
		return cors("CORSMissingAllowOrigin2")
	case fetch.CodeMultipleAllowOrigin, fetch.CodeOriginMismatch:
		if len(c.lines) > 1 {
			return cors("CORSMultipleAllowOriginNotAllowed")
		}
		return cors("CORSAllowOriginNotMatchingOrigin")
	case fetch.CodeWildcardOrigin:
		return cors("CORSNotSupportingCredentials")
	case fetch.CodeAllowCredentials:
		return cors("CORSMissingAllowCredentials")
	case fetch.CodePreflightStatus:
		return cors("CORSPreflightDidNotSucceed3")
	case fetch.CodeAllowMethodsSyntax:
		c.facts["value"] = badToken(c.facts["value"])
		return cors("CORSInvalidAllowMethod")
	case fetch.CodeAllowHeadersSyntax:
		c.facts["value"] = badToken(c.facts["value"])
		return cors("CORSInvalidAllowHeader")
	case fetch.CodeMethodNotAllowed:
		return cors("CORSMethodNotFound")
	case fetch.CodeAuthorizationNotAllowed:
		c.facts["name"] = "authorization"
		return cors("CORSMissingAllowHeaderFromPreflight2")
	case fetch.CodeHeaderNotAllowed:
		return cors("CORSMissingAllowHeaderFromPreflight2")
	case fetch.CodeRedirectScheme:
		if strings.HasPrefix(c.facts["location"], "data:") {
			return []string{c.line(fetch.Firefox, "DATA_URI_BLOCKED"), at("CORSDidNotSucceed2")}
		}
		url := c.facts["url"]
		c.facts["url"] = c.facts["location"]
		first := at("CORSRequestNotHttp")
		c.facts["url"] = url
		return []string{first, at("CORSDidNotSucceed2")}
	case fetch.CodeScheme:
		if c.facts["scheme"] == "file" || c.facts["scheme"] == "about" {
			return []string{c.facts.fill(text(fetch.Firefox, "SOP", "file-url"))}
		}
		return []string{at("CORSRequestNotHttp")}
	case fetch.CodeMIMEType, fetch.CodeNosniff:
		out := []string{c.line(fetch.Firefox, "MIMEMISMATCH")}
		if c.d.mode != fetch.ModeNoCORS {
			out = append(out, at("CORSDidNotSucceed2"))
		}
		return out
	case fetch.CodeIntegrity:
		c.facts["value"] = "..."
		return []string{c.line(fetch.Firefox, "Sub-resource Integrity")}
	case fetch.CodeFileURL, fetch.CodeAboutURL:
		return []string{c.facts.fill(text(fetch.Firefox, "SOP", "file-url"))}
	case fetch.CodeSameOriginMode:
		return []string{c.facts.fill(text(fetch.Firefox, "SOP", "same-origin-mode"))}
	case fetch.CodeCORP:
		return []string{c.line(fetch.Firefox, "COEP")}
	case fetch.CodeMixedContent:
		return []string{c.line(fetch.Firefox, "Mixed Content Blocker")}
	case fetch.CodeRedirectError, fetch.CodeBadPort, fetch.CodeNoCORSRedirectMode, fetch.CodeBlobURL, fetch.CodeDataURL, fetch.CodeStreamOverHTTP1,
		fetch.CodeKeepaliveSize, fetch.CodeNotCached:
		return nil // it says nothing at all
	case fetch.CodeAborted, fetch.CodeProxyAuthentication:
		if c.d.Cause != "timeout" {
			return nil // the page's own doing, or a response like others
		}
	case fetch.CodeNetwork:
		if c.d.Preflight {
			return []string{at("CORSDidNotSucceed2"), at("CORSDidNotSucceed2")}
		}
	}
	return []string{at("CORSDidNotSucceed2")}
}

// badToken is the first element of a list that is no token.
func badToken(list string) string {
	for elem := range strings.SplitSeq(list, ",") {
		if elem = strings.TrimSpace(elem); elem != "" && !header.IsToken(elem) {
			return elem
		}
	}
	return ""
}

func (c console) webkit() []string {
	if c.d.Cause == "authorization-wildcard" {
		return nil // it lets the request through
	}
	const generic = "Fetch API cannot load {url} due to access control checks."
	failed := func(reason string) string { return "Failed to load resource: " + reason }
	checked := func(reason string) []string {
		return []string{reason, c.facts.fill(generic), failed(reason)}
	}
	cors := func(key string) []string {
		reason := c.line(fetch.WebKit, key)
		if c.redirect && !c.d.Preflight {
			reason = c.facts.fill(webkitHop) + reason
		}
		return checked(reason)
	}
	if c.d.Preflight && c.d.Status != 0 && (c.d.Status < 200 || c.d.Status > 299) {
		return checked(c.line(fetch.WebKit, "W5")) // the status comes first
	}
	switch c.d.Code {
	case fetch.CodeMissingAllowOrigin, fetch.CodeOriginMismatch:
		return cors("W1")
	case fetch.CodeMultipleAllowOrigin:
		if strings.Contains(c.facts["value"], ",") {
			return cors("W2")
		}
		return cors("W1")
	case fetch.CodeWildcardOrigin:
		return cors("W3")
	case fetch.CodeAllowCredentials:
		return cors("W4")
	case fetch.CodeMethodNotAllowed:
		return cors("W6")
	case fetch.CodeAuthorizationNotAllowed:
		c.facts["name"] = "Authorization"
		return cors("W7")
	case fetch.CodeHeaderNotAllowed:
		c.facts["name"] = c.asWritten(c.facts["name"])
		return cors("W7")
	case fetch.CodeAllowMethodsSyntax, fetch.CodeAllowHeadersSyntax:
		return cors("W8")
	case fetch.CodeRedirectCredentials:
		return checked(c.facts.fill(webkitHop + text(fetch.WebKit, "W9", c.d.Cause)))
	case fetch.CodeRedirectScheme:
		if strings.HasPrefix(c.facts["location"], "ftp:") {
			return checked(c.line(fetch.WebKit, "FTP"))
		}
		return checked(c.facts.fill(webkitHop + text(fetch.WebKit, "W9", c.d.Cause)))
	case fetch.CodeLocation:
		c.facts["location"] = c.facts["value"]
		return checked(c.facts.fill(webkitHop + text(fetch.WebKit, "W9", "redirect-scheme")))
	case fetch.CodeNoCORSRedirectMode:
		return []string{c.line(fetch.WebKit, "redirect mode"), "Not allowed to request resource", c.facts.fill(generic)}
	case fetch.CodeMIMEType:
		return []string{c.line(fetch.WebKit, "MIME")}
	case fetch.CodeNosniff:
		if c.d.destination == fetch.DestinationStyle {
			return []string{c.line(fetch.WebKit, "nosniff style")}
		}
		return []string{c.line(fetch.WebKit, "nosniff")}
	case fetch.CodeIntegrity:
		return []string{c.line(fetch.WebKit, "integrity"), c.facts.fill(generic)}
	case fetch.CodeKeepaliveSize:
		return []string{c.line(fetch.WebKit, "keepalive"), c.facts.fill(generic)}
	case fetch.CodeDataURL:
		return []string{c.line(fetch.WebKit, "mode"), failed(c.line(fetch.WebKit, "data"))}
	case fetch.CodeBlobURL:
		return []string{"Failed to load resource"}
	case fetch.CodeStreamOverHTTP1, fetch.CodeNotCached, fetch.CodeProxyAuthentication:
		return nil // it has no such failure
	case fetch.CodeAborted:
		if c.d.Cause != "timeout" {
			return nil // the page's own doing
		}
	case fetch.CodeRedirectError:
		return checked(c.line(fetch.WebKit, "W10"))
	case fetch.CodeTooManyRedirects:
		return checked(c.line(fetch.WebKit, "W11"))
	case fetch.CodeScheme, fetch.CodeFileURL, fetch.CodeAboutURL:
		return []string{c.line(fetch.WebKit, "W12"), c.facts.fill(generic)}
	case fetch.CodeCORP:
		return checked(c.line(fetch.WebKit, "W13"))
	case fetch.CodeSameOriginMode:
		return []string{c.line(fetch.WebKit, "mode")}
	case fetch.CodeBadPort:
		return []string{c.line(fetch.WebKit, "port")}
	case fetch.CodeMixedContent:
		return []string{c.line(fetch.WebKit, "mixed"), "Not allowed to request resource", c.facts.fill(generic)}
	}
	for _, m := range messages {
		if m.browser != fetch.WebKit || m.cause != c.d.Cause || m.old {
			continue
		}
		if c.d.Preflight {
			return checked(c.facts.fill(m.text))
		}
		return []string{failed(c.facts.fill(m.text))}
	}
	return []string{c.facts.fill(generic)}
}

// asWritten is a header name as the page wrote it, which WebKit shows.
func (c console) asWritten(name string) string {
	for _, written := range c.d.written {
		if header.EqualFold(written, name) {
			return written
		}
	}
	return name
}
