package fetch

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crossorigin/cors/origin"
)

// parseOrdinary parses the URLs that nearly all fetches are for, in one pass
// over the bytes, or returns nil: a scheme with a host of plain ASCII, an
// absolute path on the base's host, or an opaque path such as data: has. The
// general parser takes fifteen times as long.
func parseOrdinary(s string, base *urlRecord) *urlRecord {
	if strings.HasSuffix(s, " ") {
		return nil // which the parser strips
	}
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		if base == nil || !base.authority || defaultPort(base.scheme) == "" {
			return nil
		}
		u := &urlRecord{
			scheme: base.scheme, authority: true, username: base.username, password: base.password,
			host: base.host, port: base.port, origin: base.origin,
		}
		if u = u.ordinaryPath(s); u != nil {
			u.href = u.serialize()
		}
		return u
	}
	colon := strings.IndexByte(s, ':')
	if colon < 1 {
		return nil
	}
	for i := range colon {
		if s[i]-'a' >= 26 {
			return nil
		}
	}
	input := s
	u := &urlRecord{scheme: s[:colon]}
	s = s[colon+1:]
	switch u.scheme {
	case "data", "about":
		return u.ordinaryOpaque(s)
	case "http", "https", "ws", "wss":
		return u.ordinaryAuthority(input, s)
	}
	return nil
}

// ordinaryAuthority reads s, which is input behind the scheme and its colon.
func (u *urlRecord) ordinaryAuthority(input, s string) *urlRecord {
	s, ok := strings.CutPrefix(s, "//")
	if !ok {
		return nil
	}
	end := strings.IndexAny(s, "/?#\\")
	if end < 0 {
		end = len(s)
	}
	host, port, hasPort := strings.Cut(s[:end], ":")
	if !isOrdinaryHost(host) {
		return nil
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil
		}
		if decimal := strconv.FormatUint(n, 10); decimal != defaultPort(u.scheme) {
			u.port = decimal
		}
	}
	u.host, u.authority = host, true
	if serialized := input[:len(input)-len(s)+end]; u.port == port {
		u.origin, _ = origin.Parse(serialized) // as it is
	} else {
		u.origin = originOf(u)
	}
	if u = u.ordinaryPath(s[end:]); u == nil {
		return nil
	}
	// Nothing gets shorter but for ports, so that what is as long is the same.
	if href, _, _ := strings.Cut(input, "#"); u.port == port && len(href) == u.length() {
		u.href = href
	} else {
		u.href = u.serialize()
	}
	return u
}

// isOrdinaryHost reports whether the URL parser leaves host as it is.
func isOrdinaryHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for i := range len(host) {
		if c := host[i]; c-'a' >= 26 && c-'0' >= 10 && c != '.' && c != '-' {
			return false
		}
	}
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" || last[0]-'a' >= 26 {
		return isIPv4(host)
	}
	return !strings.Contains(host, "xn--")
}

// isIPv4 reports whether host is an IPv4 address as the URL parser writes it.
func isIPv4(host string) bool {
	parts := 0
	for part := range strings.SplitSeq(host, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || strconv.FormatUint(n, 10) != part {
			return false
		}
		parts++
	}
	return parts == 4
}

// Which bytes the URL parser leaves as they are in the path, query and fragment
// of a special URL, in an opaque path and in the query behind one.
const (
	plainPath = 1 << iota
	plainQuery
	plainFragment
	plainOpaquePath
	plainOpaqueQuery
)

var urlClass = func() (t [256]uint8) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = 0xff
	}
	t[' '] = plainOpaquePath
	without := func(set string, what uint8) {
		for i := range len(set) {
			t[set[i]] &^= what
		}
	}
	without("\"<>?`{}^", plainPath)
	without("\"<>'", plainQuery)
	without("\"<>`", plainFragment)
	without("\"<>", plainOpaqueQuery)
	return t
}()

// ordinaryPath reads path, query and fragment of a special URL. A backslash,
// and dots that may mean "here" and "up", are left to the general parser.
func (u *urlRecord) ordinaryPath(s string) *urlRecord {
	s, ok := u.cutQueryAndFragment(s, plainQuery)
	if !ok || strings.Contains(s, "/.") || strings.Contains(s, "/%2") || strings.Contains(s, "\\") {
		return nil
	}
	if s == "" {
		s = "/"
	}
	if u.path, ok = percentEncode(s, plainPath); !ok {
		return nil
	}
	return u
}

func (u *urlRecord) ordinaryOpaque(s string) *urlRecord {
	s, ok := u.cutQueryAndFragment(s, plainOpaqueQuery)
	// A slash makes a path that is not opaque.
	if !ok || strings.HasPrefix(s, "/") {
		return nil
	}
	if u.path, ok = percentEncode(s, plainOpaquePath); !ok {
		return nil
	}
	u.opaquePath = true
	u.href = u.serialize()
	return u
}

func (u *urlRecord) cutQueryAndFragment(s string, query uint8) (rest string, ok bool) {
	s, u.fragment, u.hasFragment = strings.Cut(s, "#")
	s, u.query, u.hasQuery = strings.Cut(s, "?")
	if u.query, ok = percentEncode(u.query, query); !ok {
		return "", false
	}
	if u.fragment, ok = percentEncode(u.fragment, plainFragment); !ok {
		return "", false
	}
	return s, true
}

// percentEncode encodes the bytes of s that are not plain. It refuses what the
// parser would do something else with: remove or replace.
func percentEncode(s string, plain uint8) (encoded string, ok bool) {
	odd := 0
	for i := range len(s) {
		if s[i] < ' ' {
			return "", false
		}
		if urlClass[s[i]]&plain == 0 {
			odd++
		}
	}
	if odd == 0 {
		return s, true
	}
	if !utf8.ValidString(s) {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(s) + 2*odd)
	for i := range len(s) {
		if urlClass[s[i]]&plain != 0 {
			b.WriteByte(s[i])
		} else {
			writePercent(&b, s[i])
		}
	}
	return b.String(), true
}
