package origin

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// An Origin is a tuple origin (scheme, host, port), or an opaque one, which is
// the zero value. Tuple origins compare with ==.
//
// https://html.spec.whatwg.org/multipage/browsers.html#concept-origin
type Origin struct {
	scheme, host, port string
}

const (
	maxScheme = 64  // longer than any scheme that a browser has
	maxHost   = 254 // a DNS name of 253 bytes, and the dot of the root
	maxLabel  = 63

	// MaxLen is the length of the longest origin that [Parse] looks at.
	MaxLen = maxScheme + len("://") + maxHost + len(":65535")
)

// A ParseError says why a string is not a serialised origin. It holds nothing
// of the string, which may be long and hostile.
type ParseError string

func (e ParseError) Error() string { return "origin: " + string(e) }

// The faults are variables so that to return one allocates nothing.
var (
	errLength  error = ParseError("longer than any origin")
	errScheme  error = ParseError("no scheme followed by ://")
	errHost    error = ParseError("not a host as a URL parser writes it")
	errIPv4    error = ParseError("not an IPv4 address as a URL parser writes it")
	errIPv6    error = ParseError("not an IPv6 address as a URL parser writes it")
	errPort    error = ParseError("not a port between 1 and 65535 without leading zeros")
	errDefault error = ParseError("the default port of its scheme is not written")
)

// Parse parses a serialised origin, as a browser puts it into an Origin header;
// "null" gives the opaque Origin. The parts of the result are substrings of s.
//
// It takes only the one form that a URL parser writes: no upper case in a
// domain, no default port, no path, IP addresses in their canonical form. In a
// domain it takes the letters that browsers really send beyond those of
// DNS, such as the underscore. Parse allocates nothing.
//
// https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
func Parse(s string) (Origin, error) {
	o, _, err := parse(s)
	return o, err
}

// parse is Parse, and reports whether the bytes of the host are plain.
func parse(s string) (o Origin, isPlain bool, err error) {
	if len(s) > MaxLen {
		return Origin{}, false, errLength
	}
	if s == "null" {
		return Origin{}, false, nil
	}
	end := 0
	for end < len(s) && isSchemeByte(s[end]) {
		end++
	}
	if end == 0 || end > maxScheme || s[0] < 'a' || !strings.HasPrefix(s[end:], "://") {
		return Origin{}, false, errScheme
	}
	o.scheme = s[:end]
	rest := s[end+len("://"):]
	if strings.HasPrefix(rest, "[") {
		isPlain = true
		end, err = parseIPv6(rest)
	} else {
		end, isPlain, err = parseHost(rest, o.isHTTP())
	}
	if err != nil {
		return Origin{}, false, err
	}
	o.host, rest = rest[:end], rest[end:]
	if o.host == "" && (o.scheme != "file" || rest != "") {
		return Origin{}, false, errHost
	}
	if rest != "" {
		if o.port, err = parsePort(rest, o.scheme); err != nil {
			return Origin{}, false, err
		}
	}
	return o, isPlain, nil
}

func isSchemeByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'
}

// parseHost returns the length of the domain, IPv4 address or opaque host with
// which s begins, and whether its bytes are plain.
func parseHost(s string, http bool) (n int, isPlain bool, err error) {
	bytes := inOpaqueHost | inDomain | plain // what all of them are
	label, badLabel := 0, false              // where the present label began; whether one was bad
	for ; n < len(s) && s[n] != ':'; n++ {
		bytes &= hostBytes[s[n]]
		if s[n] == '.' {
			// Empty labels parse as a URL, but no name with one resolves.
			badLabel = badLabel || n == label || n-label > maxLabel
			label = n + 1
		}
	}
	if n > maxHost || bytes&inOpaqueHost == 0 {
		return 0, false, errHost
	}
	if !http || n == 0 {
		return n, bytes&plain != 0, nil
	}
	if bytes&inDomain == 0 || badLabel || n-label > maxLabel || n == maxHost && n != label {
		return 0, false, errHost
	}
	// https://url.spec.whatwg.org/#ends-in-a-number-checker
	name := strings.TrimSuffix(s[:n], ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if (isNumber(last, '9', 0) || strings.HasPrefix(last, "0x") && isNumber(last[2:], '9', 'f')) && !isIPv4(s[:n]) {
		return 0, false, errIPv4
	}
	return n, bytes&plain != 0, nil
}

// isNumber reports whether the bytes of s are digits up to digit, or letters
// from a to letter.
func isNumber(s string, digit, letter byte) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > digit) && (c < 'a' || c > letter) {
			return false
		}
	}
	return true
}

// isIPv4 reports whether s is an IPv4 address as a URL parser writes it. It is
// not netip that reads the addresses of a request: its errors allocate.
func isIPv4(s string) bool {
	dots, n, digits := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && digits > 0 && dots < 3:
			dots, n, digits = dots+1, 0, 0
		case '0' <= c && c <= '9' && (digits == 0 || n > 0):
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return false
			}
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// parseIPv6 returns the length of the IPv6 address in brackets with which s
// begins.
func parseIPv6(s string) (int, error) {
	end := strings.IndexByte(s, ']')
	if end < 0 || end > len("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") {
		return 0, errIPv6
	}
	// Whatever readIPv6 makes of what is no address, it is written otherwise.
	var buf [41]byte
	if string(appendIPv6(buf[:0], readIPv6(s[1:end]))) != s[:end+1] {
		return 0, errIPv6
	}
	return end + 1, nil
}

// readIPv6 reads an address of hexadecimal pieces, and some address from any
// other string.
func readIPv6(s string) netip.Addr {
	var a [16]byte
	front, back, _ := strings.Cut(s, "::")
	readPieces(a[:], front)
	if size := 2 + 2*strings.Count(back, ":"); back != "" && size <= len(a) {
		readPieces(a[len(a)-size:], back)
	}
	return netip.AddrFrom16(a)
}

func readPieces(a []byte, s string) {
	for i := 0; i < len(s) && len(a) > 0; i++ {
		switch c := s[i]; {
		case c == ':':
			a = a[2:]
		case '0' <= c && c <= '9':
			a[0], a[1] = a[0]<<4|a[1]>>4, a[1]<<4|(c-'0')
		case 'a' <= c && c <= 'f':
			a[0], a[1] = a[0]<<4|a[1]>>4, a[1]<<4|(c-'a'+10)
		}
	}
}

// appendIPv6 serialises addr. netip writes ::ffff:0:0/96 with dots, a URL
// parser does not.
//
// https://url.spec.whatwg.org/#concept-ipv6-serializer
func appendIPv6(b []byte, addr netip.Addr) []byte {
	b = append(b, '[')
	if !addr.Is4In6() {
		b = addr.AppendTo(b)
	} else {
		const hex = "0123456789abcdef"
		a := addr.As16()
		b = append(b, "::ffff"...)
		for i := 12; i < 16; i += 2 {
			b = append(b, ':')
			piece, started := uint(a[i])<<8|uint(a[i+1]), false
			for shift := 12; shift >= 0; shift -= 4 {
				digit := piece >> shift & 0xf
				if started = started || digit != 0 || shift == 0; started {
					b = append(b, hex[digit])
				}
			}
		}
	}
	return append(b, ']')
}

// parsePort parses s, a colon and digits to the end.
func parsePort(s, scheme string) (string, error) {
	if s[0] != ':' || len(s) < 2 || len(s) > len(":65535") || s[1] == '0' {
		return "", errPort
	}
	n := 0
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return "", errPort
		}
		n = n*10 + int(s[i]-'0')
	}
	if n > 65535 {
		return "", errPort
	}
	if s[1:] == defaultPort(scheme) {
		return "", errDefault
	}
	return s[1:], nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

const (
	inOpaqueHost uint8 = 1 << iota // the host of a scheme that is not HTTP
	inDomain
	plain // what people and programs name hosts with
)

// hostBytes says where a byte can stand as a URL parser writes it: no forbidden
// host code points, and in a domain neither upper case nor percent signs.
//
// https://url.spec.whatwg.org/#forbidden-domain-code-point
var hostBytes = func() (t [256]uint8) {
	for c := '!'; c <= '~'; c++ {
		upper := 'A' <= c && c <= 'Z'
		if strings.ContainsRune("#/:<>?@[\\]^|", c) {
			continue
		}
		t[c] = inOpaqueHost
		if c != '%' && !upper {
			t[c] |= inDomain
		}
		if c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || upper {
			t[c] |= plain
		}
	}
	return t
}()

// String serialises o: "null" where it is opaque.
func (o Origin) String() string {
	switch {
	case o.Opaque():
		return "null"
	case o.port == "":
		return o.scheme + "://" + o.host
	}
	return o.scheme + "://" + o.host + ":" + o.port
}

// append serialises o, a tuple origin, onto b.
func (o Origin) append(b []byte) []byte {
	b = append(b, o.scheme...)
	b = append(b, "://"...)
	b = append(b, o.host...)
	if o.port != "" {
		b = append(b, ':')
		b = append(b, o.port...)
	}
	return b
}

// Scheme returns the scheme of o, without a colon; "" where o is opaque.
func (o Origin) Scheme() string { return o.scheme }

// Host returns the host of o, an IPv6 address in its brackets.
func (o Origin) Host() string { return o.host }

// Port returns the port of o, "" where it is the default one of the scheme.
func (o Origin) Port() string { return o.port }

// Opaque reports whether o is an opaque origin, which serialises as "null".
func (o Origin) Opaque() bool { return o.scheme == "" }

func (o Origin) isHTTP() bool { return o.scheme == "https" || o.scheme == "http" }

// Same reports whether a and b are the same origin. An opaque origin is the
// same as no other, and nothing here tells whether two are one.
//
// https://html.spec.whatwg.org/multipage/browsers.html#same-origin
func Same(a, b Origin) bool {
	return a == b && !a.Opaque()
}

// SameSite reports whether a and b are schemefully same site.
//
// https://html.spec.whatwg.org/multipage/browsers.html#same-site
func SameSite(a, b Origin) bool {
	if a.Opaque() || a.scheme != b.scheme {
		return false
	}
	if a.host == b.host {
		return true
	}
	domain := a.RegistrableDomain()
	return domain != "" && domain == b.RegistrableDomain()
}

// RegistrableDomain returns the part of the host of o that somebody registered:
// "example.co.uk" of "www.example.co.uk". It is "" where there is none: for IP
// addresses, public suffixes, and schemes that are not HTTP.
//
// https://url.spec.whatwg.org/#host-registrable-domain
func (o Origin) RegistrableDomain() string {
	if !o.isHTTP() || isIP(o.host) {
		return ""
	}
	name, root := strings.CutSuffix(o.host, ".")
	domain, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return ""
	}
	if root {
		return o.host[len(name)-len(domain):]
	}
	return domain
}

func isIP(host string) bool {
	if strings.HasPrefix(host, "[") {
		return true
	}
	last := host[len(host)-1]
	return '0' <= last && last <= '9' && isIPv4(host)
}

// isLoopback reports whether nobody but this machine answers for host.
func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "[::1]" ||
		strings.HasPrefix(host, "127.") && isIPv4(host)
}
