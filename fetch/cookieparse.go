package fetch

import (
	"strings"
	"time"

	"github.com/crossorigin/cors/header"
)

// parseCookie parses the value of Set-Cookie and does those steps of the
// storage model that need no store.
//
// https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.6
func parseCookie(line string, u *urlRecord, now time.Time) (*cookie, error) {
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			return nil, cookieError("a control character")
		}
	}
	pair, _, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", pair
	}
	c := &cookie{name: strings.Trim(name, " \t"), value: strings.Trim(value, " \t"), sameSite: sameSiteUnset}
	switch {
	case c.name == "" && c.value == "":
		return nil, cookieError("neither name nor value")
	case len(c.name)+len(c.value) > maxCookie:
		return nil, cookieError("name and value longer than 4096 bytes")
	}
	domain, path := "", ""
	var expires, maxAge time.Time
	for name, value := range cookieAttributes(line) {
		switch name {
		case "expires":
			if t, ok := parseCookieDate(value); ok {
				expires = t
			}
		case "max-age":
			if t, ok := parseMaxAge(value, now); ok {
				maxAge = t
			}
		case "domain":
			domain = header.Lower(strings.TrimPrefix(value, "."))
		case "path":
			path = value
		case "secure":
			c.secure = true
		case "httponly":
			c.httpOnly = true
		case "samesite":
			switch header.Lower(value) {
			case "none":
				c.sameSite = sameSiteNone
			case "lax":
				c.sameSite = sameSiteLax
			case "strict":
				c.sameSite = sameSiteStrict
			default:
				c.sameSite = sameSiteUnset
			}
		}
	}
	c.expires = expires
	if !maxAge.IsZero() {
		c.expires = maxAge
	}
	if limit := now.Add(maxCookieAge); c.expires.After(limit) {
		c.expires = limit
	}
	if domain != "" && isPublicSuffix(domain) {
		if domain != u.host {
			return nil, cookieError("Domain is a public suffix")
		}
		domain = ""
	}
	c.domain, c.hostOnly = u.host, domain == ""
	if domain != "" {
		if !domainMatches(u.host, domain) {
			return nil, cookieError("Domain does not cover the host that sets it")
		}
		c.domain = domain
	}
	c.path = path
	if !strings.HasPrefix(path, "/") {
		c.path = defaultCookiePath(u.path)
	}
	return c, nil
}

// cookieAttributes yields the attributes of line, names in lower case; those
// longer than 1024 bytes are as good as absent.
func cookieAttributes(line string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		_, rest, more := strings.Cut(line, ";")
		for more {
			var av string
			av, rest, more = strings.Cut(rest, ";")
			name, value, _ := strings.Cut(av, "=")
			name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
			if len(value) <= maxCookieAttribute && !yield(header.Lower(name), value) {
				return
			}
		}
	}
}

// parseMaxAge returns the time at which a cookie with this Max-Age expires.
func parseMaxAge(s string, now time.Time) (time.Time, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if s == "" || strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, false
	}
	digits = strings.TrimLeft(digits, "0")
	if negative || digits == "" {
		return time.Unix(0, 0), true
	}
	seconds := int64(maxCookieAge / time.Second)
	if len(digits) <= 9 {
		seconds = 0
		for i := range len(digits) {
			seconds = seconds*10 + int64(digits[i]-'0')
		}
	}
	return now.Add(time.Duration(seconds) * time.Second), true
}

// parseCookieDate finds a time, a day, a month and a year in s, in whatever
// order and form servers have written them.
//
// https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.1.1
func parseCookieDate(s string) (time.Time, bool) {
	hour, minute, second := -1, 0, 0
	day, month, year := -1, -1, -1
	for token := range strings.FieldsFuncSeq(s, isDateDelimiter) {
		if hour < 0 {
			if h, m, s, ok := parseClock(token); ok {
				hour, minute, second = h, m, s
				continue
			}
		}
		if day < 0 {
			if n, rest := leadingInt(token, 2); n >= 0 && !startsWithDigit(rest) {
				day = n
				continue
			}
		}
		if month < 0 && len(token) >= 3 {
			const names = "janfebmaraprmayjunjulaugsepoctnovdec"
			if i := strings.Index(names, header.Lower(token[:3])); i >= 0 && i%3 == 0 {
				month = i/3 + 1
				continue
			}
		}
		if year < 0 {
			if n, rest := leadingInt(token, 4); n >= 0 && len(token)-len(rest) >= 2 && !startsWithDigit(rest) {
				year = n
			}
		}
	}
	switch {
	case 70 <= year && year <= 99:
		year += 1900
	case 0 <= year && year <= 69:
		year += 2000
	}
	if hour < 0 || hour > 23 || minute > 59 || second > 59 || day < 1 || day > 31 || month < 0 || year < 1601 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // 31 February is no date
}

func isDateDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

func parseClock(token string) (hour, minute, second int, ok bool) {
	hour, rest := leadingInt(token, 2)
	rest, colon := strings.CutPrefix(rest, ":")
	minute, rest = leadingInt(rest, 2)
	rest, colon2 := strings.CutPrefix(rest, ":")
	second, rest = leadingInt(rest, 2)
	ok = hour >= 0 && colon && minute >= 0 && colon2 && second >= 0 && !startsWithDigit(rest)
	return hour, minute, second, ok
}

// leadingInt reads up to most digits; -1 where there are none.
func leadingInt(s string, most int) (n int, rest string) {
	i := 0
	for ; i < len(s) && i < most && startsWithDigit(s[i:]); i++ {
		n = n*10 + int(s[i]-'0')
	}
	if i == 0 {
		return -1, s
	}
	return n, s[i:]
}

func startsWithDigit(s string) bool {
	return s != "" && '0' <= s[0] && s[0] <= '9'
}

// defaultCookiePath is the directory of path.
//
// https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.1.4
func defaultCookiePath(path string) string {
	if last := strings.LastIndexByte(path, '/'); last > 0 && path[0] == '/' {
		return path[:last]
	}
	return "/"
}
