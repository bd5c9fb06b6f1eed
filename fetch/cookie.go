package fetch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/header"
	"golang.org/x/net/publicsuffix"
)

// A CookieJar keeps cookies as a browser does. The zero value is an empty jar;
// it may be used by many goroutines, and must not be copied after first use. It
// holds 3,300 cookies at most, 180 of one site.
//
// https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5
type CookieJar struct {
	// Now tells the time by which cookies expire; nil is time.Now.
	Now func() time.Time

	mu    sync.Mutex
	sites map[string][]*cookie // by registrable domain, or by host where there is none
	count int
	clock uint64 // counts creations and uses, which time may not tell apart
}

const (
	maxCookie          = 4096 // name and value
	maxCookieAttribute = 1024
	maxCookieAge       = 400 * 24 * time.Hour
	maxCookies         = 3300
	maxCookiesOfSite   = 180
)

type cookie struct {
	name, value, domain, path  string
	hostOnly, secure, httpOnly bool
	sameSite                   sameSite
	expires                    time.Time // zero: never
	created, used              uint64
}

// sameSite is a cookie's SameSite attribute. The order is that of the levels
// below.
type sameSite uint8

const (
	sameSiteNone sameSite = iota
	sameSiteUnset
	sameSiteLax
	sameSiteStrict
)

// A sameSiteMode says which cookies a request may carry, and which its response
// may set: those with this SameSite attribute or a lower one. The engine finds
// it with "determine the same-site mode".
//
// https://fetch.spec.whatwg.org/#determine-the-same-site-mode
type sameSiteMode sameSite

const (
	// noneOnly is what becomes of unsetOrLess in a browser that treats cookies
	// without the attribute as Lax.
	noneOnly     = sameSiteMode(sameSiteNone)
	unsetOrLess  = sameSiteMode(sameSiteUnset)
	laxOrLess    = sameSiteMode(sameSiteLax)
	strictOrLess = sameSiteMode(sameSiteStrict)
)

// Cookie returns what document.cookie says in a page at url: no cookies that
// are HttpOnly.
func (j *CookieJar) Cookie(url string) (string, error) {
	u, err := parseURL(url, nil)
	if err != nil {
		return "", fmt.Errorf("cookies: %w", err)
	}
	return j.retrieve(u, strictOrLess, nonHTTP), nil
}

// SetCookie does what an assignment to document.cookie does in a page at url.
// The error says why the cookie is refused, which a page never learns.
func (j *CookieJar) SetCookie(url, cookie string) error {
	u, err := parseURL(url, nil)
	if err != nil {
		return fmt.Errorf("cookies: %w", err)
	}
	return j.store(u, cookie, strictOrLess, nonHTTP)
}

// Receive does what a line of Set-Cookie does in a response from url to a page of
// its own site: unlike [CookieJar.SetCookie] it takes cookies that are HttpOnly.
// The error says why the cookie is refused.
func (j *CookieJar) Receive(url, line string) error {
	u, err := parseURL(url, nil)
	if err != nil {
		return fmt.Errorf("cookies: %w", err)
	}
	return j.store(u, line, strictOrLess, overHTTP)
}

// Who asks for cookies: an HTTP exchange, or a script.
type cookieAPI uint8

const (
	overHTTP cookieAPI = iota
	nonHTTP
)

// retrieve returns the value of Cookie for a request to u, "" where there is no
// cookie to send.
//
// https://fetch.spec.whatwg.org/#append-a-request-cookie-header steps 3 to 7
func (j *CookieJar) retrieve(u *urlRecord, mode sameSiteMode, api cookieAPI) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == 0 || !u.authority {
		return ""
	}
	now := j.now()
	var found []*cookie
	for _, c := range j.sites[siteOfHost(u.host)] {
		if !c.expired(now) &&
			(c.domain == u.host || !c.hostOnly && domainMatches(u.host, c.domain)) &&
			pathMatches(u.path, c.path) &&
			(!c.secure || u.isSecure()) &&
			(!c.httpOnly || api == overHTTP) &&
			c.sameSite <= sameSite(mode) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *cookie) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.created, b.created))
	})
	var b strings.Builder
	for i, c := range found {
		c.used = j.tick()
		if i > 0 {
			b.WriteString("; ")
		}
		if c.name != "" {
			b.WriteString(c.name)
			b.WriteByte('=')
		}
		b.WriteString(c.value)
	}
	return b.String()
}

// store keeps the cookie that line, the value of one Set-Cookie in a response
// from u, describes, or says why not.
//
// https://fetch.spec.whatwg.org/#parse-and-store-response-set-cookie-headers step 6.2
func (j *CookieJar) store(u *urlRecord, line string, mode sameSiteMode, api cookieAPI) error {
	if !u.authority {
		return cookieError("a URL without a host has no cookies")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.now()
	c, err := parseCookie(line, u, now)
	if err != nil {
		return err
	}
	switch {
	case c.secure && !u.isSecure():
		return cookieError("Secure, but not set over https")
	case c.httpOnly && api == nonHTTP:
		return cookieError("HttpOnly, but set by a script")
	case c.sameSite > sameSite(mode):
		return cookieError("set across sites without SameSite=None")
	case c.sameSite == sameSiteNone && !c.secure:
		return cookieError("SameSite=None without Secure")
	}
	if err := c.checkPrefix(line); err != nil {
		return err
	}
	key := siteOfHost(c.domain)
	site := slices.DeleteFunc(j.sites[key], func(c *cookie) bool { return c.expired(now) })
	j.count -= len(j.sites[key]) - len(site)
	defer func() { j.keep(key, site) }()
	if !c.secure && !u.isSecure() {
		// A cookie set in the clear does not hide a secure one of the same name.
		for _, old := range site {
			if old.secure && old.name == c.name && (domainMatches(c.domain, old.domain) || domainMatches(old.domain, c.domain)) && pathMatches(c.path, old.path) {
				return cookieError("a Secure cookie of this name is there")
			}
		}
	}
	c.created = j.tick()
	if i := slices.IndexFunc(site, c.replaces); i >= 0 {
		if site[i].httpOnly && api == nonHTTP {
			return cookieError("an HttpOnly cookie of this name is there")
		}
		c.created = site[i].created
		site = slices.Delete(site, i, i+1)
		j.count--
	}
	if c.expired(now) {
		return nil
	}
	c.used = j.tick()
	site = append(site, c)
	j.count++
	if len(site) > maxCookiesOfSite {
		site = slices.Delete(site, leastUsed(site), leastUsed(site)+1)
		j.count--
	}
	return nil
}

// cookieError says why a cookie is refused. It holds nothing of the cookie,
// which may be a secret.
type cookieError string

func (e cookieError) Error() string { return "cookie refused: " + string(e) }

// keep stores the cookies of a site, and drops one of all sites when there are
// too many.
func (j *CookieJar) keep(key string, site []*cookie) {
	if j.sites == nil {
		j.sites = make(map[string][]*cookie)
	}
	if len(site) == 0 {
		delete(j.sites, key)
		return
	}
	j.sites[key] = site
	if j.count <= maxCookies {
		return
	}
	oldest := key
	for k, cookies := range j.sites {
		if cookies[leastUsed(cookies)].used < j.sites[oldest][leastUsed(j.sites[oldest])].used {
			oldest = k
		}
	}
	i := leastUsed(j.sites[oldest])
	j.count--
	if rest := slices.Delete(j.sites[oldest], i, i+1); len(rest) > 0 {
		j.sites[oldest] = rest
	} else {
		delete(j.sites, oldest)
	}
}

// leastUsed is the index of the cookie to drop first: one that is not secure,
// then the one used longest ago.
func leastUsed(cookies []*cookie) int {
	least := 0
	for i, c := range cookies {
		if l := cookies[least]; l.secure && !c.secure || l.secure == c.secure && c.used < l.used {
			least = i
		}
	}
	return least
}

func (j *CookieJar) now() time.Time {
	if j.Now == nil {
		return time.Now()
	}
	return j.Now()
}

func (j *CookieJar) tick() uint64 {
	j.clock++
	return j.clock
}

func (c *cookie) expired(now time.Time) bool {
	return !c.expires.IsZero() && !c.expires.After(now)
}

func (c *cookie) replaces(old *cookie) bool {
	return old.name == c.name && old.domain == c.domain && old.hostOnly == c.hostOnly && old.path == c.path
}

// checkPrefix holds a cookie whose name begins with __Secure-, __Host-, __Http-
// or __Host-Http- to the promise in that name. Browsers send a nameless cookie
// as its value alone, so that a value must not begin so either.
//
// https://httpwg.org/http-extensions/draft-ietf-httpbis-layered-cookies.html#store-a-cookie
func (c *cookie) checkPrefix(line string) error {
	if c.name == "" && slices.ContainsFunc([]string{"__Secure-", "__Host-", "__Http-"}, func(prefix string) bool { return hasPrefixFold(c.value, prefix) }) {
		return cookieError("a nameless value that begins like a prefixed name")
	}
	switch {
	case hasPrefixFold(c.name, "__Secure-") && !c.secure:
		return cookieError("__Secure- without Secure")
	case hasPrefixFold(c.name, "__Host-") && (!c.secure || !c.hostOnly || c.path != "/" || !saysPath(line)):
		return cookieError("__Host- needs Secure and Path=/ and no Domain")
	// The draft has "http-only is false", which is a slip: its own requirements on
	// servers, and browsers, say true.
	case (hasPrefixFold(c.name, "__Http-") || hasPrefixFold(c.name, "__Host-Http-")) && (!c.secure || !c.httpOnly):
		return cookieError("__Http- needs Secure and HttpOnly")
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && header.EqualFold(s[:len(prefix)], prefix)
}

// saysPath reports whether the last Path attribute of line is one, and not an
// empty value for which the default path was taken.
func saysPath(line string) bool {
	path := ""
	for name, value := range cookieAttributes(line) {
		if name == "path" {
			path = value
		}
	}
	return path == "/"
}

func pathMatches(path, of string) bool {
	rest, ok := strings.CutPrefix(path, of)
	return ok && (rest == "" || strings.HasSuffix(of, "/") || rest[0] == '/')
}

// domainMatches reports whether host is domain or one below it.
//
// https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.1.3
func domainMatches(host, domain string) bool {
	if host == domain {
		return true
	}
	sub, ok := strings.CutSuffix(host, domain)
	return ok && strings.HasSuffix(sub, ".") && !isIPHost(host)
}

func isIPHost(host string) bool {
	return strings.HasPrefix(host, "[") || isIPv4(host)
}

// isPublicSuffix reports whether others than its owner have names below domain.
// A name of one label that the list does not know, such as localhost, is one.
func isPublicSuffix(domain string) bool {
	if isIPHost(domain) {
		return false
	}
	domain = strings.TrimSuffix(domain, ".")
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// siteOfHost is the registrable domain of host, or host where it has none: no
// cookie reaches beyond it.
func siteOfHost(host string) string {
	if isIPHost(host) {
		return host
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(host, "."))
	if err != nil {
		return host
	}
	return site
}

// isSecure reports whether cookies that are Secure go to u: the draft leaves it
// to the user agent, and says that most trust localhost. WebKit does not.
func (u *urlRecord) isSecure() bool {
	return u.scheme == "https" || u.scheme == "wss" || isTrustworthyOrigin(u.origin)
}
