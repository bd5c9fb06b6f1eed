package explain

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// refine finds the cause behind the code of e.
func refine(d *Diagnosis, e *fetch.BlockedError, exchanges []*fetch.Exchange) Cause {
	last := &fetch.Exchange{Status: d.Status}
	if len(exchanges) > 0 {
		last = exchanges[len(exchanges)-1]
	}
	switch e.Code {
	case fetch.CodeNetwork, fetch.CodeMalformedResponse, fetch.CodeAborted:
		return refineNetwork(e)
	case fetch.CodeMissingAllowOrigin:
		if e.Preflight {
			return refinePreflight(last, d)
		}
		return refineMissing(d, exchanges, last)
	case fetch.CodePreflightStatus:
		return refinePreflight(last, d)
	case fetch.CodeOriginMismatch:
		return refineMismatch(e, last)
	case fetch.CodeMultipleAllowOrigin:
		if len(header.Lines(last.ResponseHeader, header.AccessControlAllowOrigin)) > 1 {
			return "doubled-header"
		}
		return "origin-list"
	case fetch.CodeAllowCredentials:
		if len(header.Lines(last.ResponseHeader, header.AccessControlAllowCredentials)) == 0 && e.Value == "" {
			return "allow-credentials-missing"
		}
		return "allow-credentials-value"
	case fetch.CodeMethodNotAllowed:
		return refineMethod(d, e)
	case fetch.CodeAuthorizationNotAllowed:
		if hasWildcard(e.Value) {
			return "authorization-wildcard"
		}
		return "authorization-not-listed"
	case fetch.CodeHeaderNotAllowed:
		switch {
		case hasWildcard(e.Value):
			return "header-wildcard"
		case e.Name == "content-type":
			return "content-type-not-listed"
		case e.Value == "":
			return "header-list-missing"
		}
		return "header-not-listed"
	}
	for _, c := range causes {
		if len(c.codes) > 0 && c.codes[0] == e.Code {
			return c.cause
		}
	}
	return "unknown"
}

func refineMissing(d *Diagnosis, exchanges []*fetch.Exchange, last *fetch.Exchange) Cause {
	switch location := d.facts["location"]; {
	case d.Hop > 0 && looksLikeLogin(d.BlockedAt), isRedirect(last.Status) && looksLikeLogin(location):
		return "login-redirect"
	case isRedirect(last.Status):
		return "redirect-without-cors"
	case isGatewayError(last.Status):
		return "gateway-error"
	case last.Status == 413, last.Status == 429, last.Status == 431, isFirewall(last):
		return "refused-at-the-edge"
	case last.Status >= 400:
		return "error-without-cors"
	case d.Origin == "null" && d.Hop > 0:
		return "origin-tainted"
	case d.Origin == "null":
		return "origin-opaque"
	case len(exchanges) > 1 && exchanges[len(exchanges)-2].Preflight:
		return "missing-after-preflight"
	}
	return "missing-allow-origin"
}

// refinePreflight is for a preflight that has no Access-Control-Allow-Origin, or
// has it and another status than it should.
func refinePreflight(last *fetch.Exchange, d *Diagnosis) Cause {
	status := d.Status
	switch {
	// A login knows nothing of origins, and names its scheme.
	case status == 403 && variesByOrigin(last.ResponseHeader) && get(last.ResponseHeader, "WWW-Authenticate") == "":
		return "preflight-refused"
	case status == 401 || status == 403 || status == 407:
		return "preflight-unauthorized"
	case status == 400 || status == 404 || status == 405 || status == 501:
		return "preflight-not-routed"
	case isGatewayError(status):
		return "preflight-gateway-error"
	case isRedirect(status):
		return refinePreflightRedirect(last.URL, d.facts["location"])
	case status >= 200 && status <= 299:
		return "preflight-missing"
	}
	return "preflight-status"
}

func refinePreflightRedirect(from, to string) Cause {
	f, err1 := url.Parse(from)
	t, err2 := url.Parse(to)
	switch {
	case looksLikeLogin(to):
		return "preflight-redirect-login"
	case err1 != nil || err2 != nil:
		return "preflight-redirect"
	case f.Scheme == "http" && t.Scheme == "https" && f.Hostname() == t.Hostname() && f.Path == t.Path:
		return "preflight-redirect-https"
	case f.Host == t.Host && f.Path != t.Path && strings.TrimSuffix(f.Path, "/") == strings.TrimSuffix(t.Path, "/"):
		return "preflight-redirect-slash"
	}
	return "preflight-redirect"
}

func refineMismatch(e *fetch.BlockedError, last *fetch.Exchange) Cause {
	value := e.Value
	switch {
	case e.Origin == "null" && e.Hop > 0 && looksLikeLogin(e.URL):
		return "login-redirect"
	case e.Origin == "null" && e.Hop > 0:
		return "origin-tainted"
	case e.Origin == "null":
		return "origin-opaque"
	case value == "":
		return "origin-empty"
	case value == "null":
		return "origin-null-value"
	case strings.Contains(value, "*"):
		return "origin-pattern"
	case strings.TrimRight(value, "/") == e.Origin:
		return "origin-slash"
	case header.EqualFold(value, e.Origin):
		return "origin-case"
	case strings.HasSuffix(e.Origin, "://"+strings.TrimRight(value, "/")):
		return "origin-without-scheme"
	}
	allowed, err := origin.Parse(value)
	asks, err2 := origin.Parse(e.Origin)
	if err != nil || err2 != nil {
		if u, err := url.Parse(value); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && len(u.Path) > 1 {
			return "origin-path"
		}
		return "origin-not-an-origin"
	}
	bare := func(o origin.Origin) string { return strings.TrimPrefix(o.Host(), "www.") }
	switch {
	case answersFromCache(last):
		return "shared-cache"
	case allowed.Host() == asks.Host() && allowed.Scheme() != asks.Scheme():
		return "origin-scheme"
	case allowed.Host() == asks.Host():
		return "origin-port"
	case bare(allowed) == bare(asks):
		return "origin-www"
	}
	return "origin-other"
}

func refineMethod(d *Diagnosis, e *fetch.BlockedError) Cause {
	upper := strings.ToUpper(d.facts["method"])
	if upper != d.facts["method"] {
		for name := range strings.SplitSeq(e.Value, ",") {
			if strings.TrimSpace(name) == upper {
				return "method-case"
			}
		}
	}
	switch {
	case hasWildcard(e.Value):
		return "method-wildcard"
	case e.Value == "":
		return "method-list-missing"
	}
	return "method-not-listed"
}

func hasWildcard(list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(name) == "*" {
			return true
		}
	}
	return false
}

// ErrNotRecorded is what a transport returns that plays a recording and finds
// nothing in it.
var ErrNotRecorded = errors.New("the recording holds no response")

// refineNetwork tells apart what a browser's console shows as one failure.
func refineNetwork(e *fetch.BlockedError) Cause {
	err := e.Err
	said := ""
	if err != nil {
		said = err.Error()
	}
	var (
		dns         *net.DNSError
		timeout     net.Error
		untrusted   x509.UnknownAuthorityError
		wrongHost   x509.HostnameError
		invalid     x509.CertificateInvalidError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case err == nil:
	case errors.Is(err, ErrNotRecorded):
		return "not-recorded"
	case errors.As(err, &dns) && !dns.IsTimeout:
		return "name-not-resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case e.Code == fetch.CodeAborted:
		return "aborted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection-refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.As(err, &wrongHost):
		return "tls-wrong-host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls-expired"
	case errors.As(err, &untrusted), errors.As(err, &invalid), errors.As(err, &certificate):
		return "tls-untrusted"
	case strings.Contains(said, "server gave HTTP response to HTTPS client"), strings.Contains(said, "first record does not look like a TLS handshake"):
		return "https-to-http"
	case strings.Contains(said, `\x15\x03`):
		return "http-to-https"
	case errors.As(err, &record), errors.As(err, &alert), strings.HasPrefix(said, "tls: "), strings.HasPrefix(said, "remote error: tls: "):
		return "tls-failed"
	case e.Code == fetch.CodeMalformedResponse:
		return "malformed-response"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(said, "server closed idle connection"), strings.Contains(said, "http2: server sent GOAWAY"):
		return "connection-reset"
	}
	switch e.Code {
	case fetch.CodeAborted:
		return "aborted"
	case fetch.CodeMalformedResponse:
		return "malformed-response"
	}
	return "network-failure"
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// isGatewayError reports whether status is what proxies say of the server behind
// them; 520 to 526 are a CDN's.
func isGatewayError(status int) bool {
	return status >= 502 && status <= 504 || status >= 520 && status <= 526
}

func isFirewall(e *fetch.Exchange) bool {
	return e.Status == 403 && (get(e.ResponseHeader, "Cf-Mitigated") != "" || get(e.ResponseHeader, "X-Amzn-Waf-Action") != "")
}

// answersFromCache reports whether a cache shared by several pages gave the
// response, without knowing that it differs by origin.
func answersFromCache(e *fetch.Exchange) bool {
	if variesByOrigin(e.ResponseHeader) {
		return false
	}
	if age := strings.Trim(get(e.ResponseHeader, "Age"), "0"); age != "" {
		return true
	}
	for _, name := range []string{"X-Cache", "Cf-Cache-Status", "X-Cache-Status", "X-Proxy-Cache", "X-Vercel-Cache", "Cache-Status"} {
		if strings.Contains(strings.ToLower(get(e.ResponseHeader, name)), "hit") {
			return true
		}
	}
	return e.FromCache
}

func variesByOrigin(list []header.Field) bool {
	return header.VariesByOrigin(header.Lines(list, header.Vary))
}

// looksLikeLogin reports whether a URL seems to be that of a login page.
func looksLikeLogin(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	return login.MatchString(u.Path) || loginHost.MatchString(u.Hostname())
}

var (
	login     = regexp.MustCompile(`(?i)(^|[/._-])(log-?in|sign-?in|sign_in|log-?on|sso|saml2?|oauth2?|authorize|openid-connect|adfs|auth)([/._-]|$)`)
	loginHost = regexp.MustCompile(`(?i)^(login|signin|sso|auth|accounts|idp)\.`)
)
