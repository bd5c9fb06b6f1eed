package console

import (
	"crypto/subtle"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/crossorigin/cors/policyfile"
)

// marker is what a request that changes something carries. A page of another
// origin can send it after a preflight only, and preflights are refused.
const marker = "X-Cors-Console"

// maxBody is the longest body that a request may have: a policy, and what a
// message adds to it.
const maxBody = 2*policyfile.MaxSize + 64<<10

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = 30 * time.Second

// guard lets through to next what comes from the console's own pages, or from
// who has its token.
func (c *Console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", nothing)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		switch {
		case !c.isOwnHost(r.Host):
			// A name that someone has pointed at this machine is no name of the console.
			refuse(w, http.StatusMisdirectedRequest, "the console is at "+c.Origin())
		case c.exchangesToken(r):
			c.letIn(w, r)
		case c.comesFromElsewhere(r):
			refuse(w, http.StatusForbidden, "the console answers to its own pages alone; to open it, write its address yourself")
		case !c.hasCookie(r):
			refuse(w, http.StatusForbidden, "the console is behind a token: open the URL that cors printed when it started")
		case !isSafe(r.Method) && r.Header.Get(marker) == "":
			refuse(w, http.StatusForbidden, "a request that changes something has to say "+marker+": 1")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, why string) {
	http.Error(w, "cors console: "+why, status)
}

func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isOwnHost reports whether host is a name of the console. On loopback it has
// several; elsewhere it is also called by any address, to which nobody else can
// point a name.
func (c *Console) isOwnHost(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	if port != c.port {
		return false
	}
	own, _, _ := net.SplitHostPort(c.options.Address)
	if strings.EqualFold(name, own) {
		return true
	}
	if isLoopback(own) {
		return isLoopback(name)
	}
	_, err = netip.ParseAddr(name)
	return err == nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1"
}

// comesFromElsewhere reports whether a page of another origin has a hand in r.
// Ports are no sites: what another service of this machine sends counts as
// same-site, carries the cookie, and is refused here.
func (c *Console) comesFromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	if lines, ok := r.Header["Origin"]; ok {
		return len(lines) != 1 || !strings.EqualFold(lines[0], "http://"+r.Host)
	}
	return !isSafe(r.Method)
}

// exchangesToken reports whether r brings the token to have a cookie for it.
// From where it comes does not matter: who has the token has the console.
func (c *Console) exchangesToken(r *http.Request) bool {
	return isSafe(r.Method) && c.isToken(r.URL.Query().Get("token"))
}

func (c *Console) isToken(s string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(c.options.Token)) == 1
}

// letIn gives the browser a cookie and another address. It is not redirected
// there: a browser that came by a link from another site would not send the
// cookie along.
func (c *Console) letIn(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, c.cookie("token", c.options.Token))
	q := r.URL.Query()
	q.Del("token")
	// The path begins with one slash, or it would name another host.
	to := (&url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/\\"), RawQuery: q.Encode()}).String()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>cors</title>\n<meta http-equiv=\"refresh\" content=\"0; url=%[1]s\">\n<a href=\"%[1]s\">cors</a>\n", html.EscapeString(to))
}

func (c *Console) hasCookie(r *http.Request) bool {
	for _, cookie := range r.CookiesNamed(c.cookieName("token")) {
		if c.isToken(cookie.Value) {
			return true
		}
	}
	return false
}

// CookiePrefix is how the names of the console's cookies begin. Browsers send
// them to every port of its host, also to the gateway, which is not to pass them on.
const CookiePrefix = "cors-console-"

// cookieName has the port in it, since cookies are shared by all ports of a
// host.
func (c *Console) cookieName(what string) string { return CookiePrefix + c.port + "-" + what }

func (c *Console) cookie(what, value string) *http.Cookie {
	return &http.Cookie{Name: c.cookieName(what), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// nothing is the Content-Security-Policy of what is no page.
const nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// policyOf is the Content-Security-Policy of a panel's page.
func (c *Console) policyOf(p *panel, r *http.Request, nonce string) string {
	styles := "'self'"
	if nonce != "" {
		styles += " 'nonce-" + nonce + "'"
	}
	connect := []string{"'self'"}
	if p.connect != nil {
		connect = append(connect, p.connect(c, r)...)
	}
	return "default-src 'none'; script-src 'self'; style-src " + styles + "; img-src 'self' data: blob:; font-src 'self'; " +
		"connect-src " + strings.Join(connect, " ") + "; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}
