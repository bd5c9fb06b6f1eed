package fetch

import (
	"errors"
	"fmt"
	neturl "net/url"
	"strings"

	"github.com/crossorigin/cors/origin"
	whatwgerrors "github.com/nlnwa/whatwg-url/errors"
	whatwg "github.com/nlnwa/whatwg-url/url"
)

// A urlRecord is a parsed URL. It is never changed once parsed, so it is shared
// freely; the with functions return a copy.
//
// https://url.spec.whatwg.org/#concept-url
type urlRecord struct {
	scheme             string // in lower case, without the colon
	username, password string // percent-encoded
	host               string // serialised, IPv6 in brackets; "" for null and for the empty host
	port               string // decimal; "" where it is the scheme's default
	path               string // serialised
	query, fragment    string // without "?" and "#"
	origin             origin.Origin

	authority, hasQuery, hasFragment, opaquePath bool

	href string     // serialised without the fragment
	root *urlRecord // what originOnly returns, if that is known; nil if not
}

// maxURL is the longest URL that is looked at: Chromium's limit.
const maxURL = 2 << 20

// maxOddURL is the longest URL that is given to the general parser, whose time
// grows with the square of the length: 8 KiB take it under 0.1 s at worst. URLs
// that are ordinary enough for parseOrdinary are not bound by it.
const maxOddURL = 8 << 10

var errURLTooLong = errors.New("longer than this parser goes")

// parseURL parses s, in UTF-8, against base, which may be nil.
//
// https://url.spec.whatwg.org/#concept-url-parser
func parseURL(s string, base *urlRecord) (*urlRecord, error) {
	if len(s) > maxURL {
		return nil, fmt.Errorf("URL %q…: %w", s[:64], errURLTooLong)
	}
	if u := parseOrdinary(s, base); u != nil {
		return u, nil
	}
	if len(s) > maxOddURL {
		return nil, fmt.Errorf("URL %q…: %w", s[:64], errURLTooLong)
	}
	// The base is parsed anew: odd URLs are rare, and the fields above say all.
	var parsed *whatwg.Url
	var err error
	if base == nil {
		parsed, err = urlParser.Parse(s)
	} else if len(base.path)+len(base.query) > maxOddURL {
		return nil, fmt.Errorf("URL %q against a base: %w", s, errURLTooLong)
	} else {
		parsed, err = urlParser.ParseRef(base.withoutFragment(), s)
	}
	if err != nil {
		return nil, fmt.Errorf("URL %q does not parse: %s", s, urlFault(err))
	}
	return newURLRecord(parsed), nil
}

// urlFault is what the parser says without the URL, which it repeats.
func urlFault(err error) string {
	var fault *whatwgerrors.ValidationError
	if !errors.As(err, &fault) || fault.Type() == "" {
		return err.Error()
	}
	reason := string(fault.Type())
	return strings.ToLower(reason[:1]) + reason[1:]
}

// urlParser encodes "^" in paths, as the URL Standard does since 2024.
var urlParser = whatwg.NewParser(whatwg.WithPathPercentEncodeSet(whatwg.PathPercentEncodeSet.Set('^')))

func newURLRecord(p *whatwg.Url) *urlRecord {
	u := &urlRecord{
		scheme:     p.Scheme(),
		username:   p.Username(),
		password:   p.Password(),
		host:       p.Hostname(),
		port:       p.Port(),
		path:       p.Pathname(),
		query:      p.Query(),
		fragment:   p.Fragment(),
		opaquePath: p.OpaquePath(),
	}
	if u.port == defaultPort(u.scheme) {
		u.port = "" // which the parser leaves, for the second of two schemes
	}
	// Whether an empty part is there at all, only the serialisation tells.
	href := p.Href(false)
	rest, _, hasFragment := strings.Cut(href, "#")
	u.hasFragment = hasFragment
	u.hasQuery = strings.Contains(rest, "?")
	u.authority = strings.HasPrefix(rest[len(u.scheme):], "://")
	u.origin = originOf(u)
	u.href = u.serialize()
	return u
}

// originOf is the origin of a URL.
//
// https://url.spec.whatwg.org/#concept-url-origin
func originOf(u *urlRecord) origin.Origin {
	switch u.scheme {
	case "blob":
		// There is no blob URL store here, so the path speaks for the URL.
		inner, err := parseURL(u.path, nil)
		if err == nil && (isHTTPScheme(inner.scheme) || inner.scheme == "file") {
			return inner.origin
		}
	case "ftp", "http", "https", "ws", "wss":
		s := u.scheme + "://" + u.host
		if u.port != "" {
			s += ":" + u.port
		}
		// Hosts that the URL parser takes and no browser sends as an origin make
		// an opaque one, which is the same as nothing.
		o, err := origin.Parse(s)
		if err == nil {
			return o
		}
	}
	return origin.Origin{}
}

// String serialises u, fragment and all.
//
// https://url.spec.whatwg.org/#concept-url-serializer
func (u *urlRecord) String() string {
	if !u.hasFragment {
		return u.withoutFragment()
	}
	return u.withoutFragment() + "#" + u.fragment
}

// withoutFragment serialises u with "exclude fragment".
func (u *urlRecord) withoutFragment() string { return u.href }

// serialize makes href of the other fields. What copies a record and changes
// them calls it again.
func (u *urlRecord) serialize() string {
	var b strings.Builder
	b.Grow(u.length())
	b.WriteString(u.scheme)
	b.WriteByte(':')
	if u.authority {
		b.WriteString("//")
		if u.hasCredentials() {
			b.WriteString(u.username)
			if u.password != "" {
				b.WriteByte(':')
				b.WriteString(u.password)
			}
			b.WriteByte('@')
		}
		b.WriteString(u.hostPort())
	} else if strings.HasPrefix(u.path, "//") && !u.opaquePath {
		b.WriteString("/.") // or the path would be read as a host
	}
	b.WriteString(u.path)
	if u.hasQuery {
		b.WriteByte('?')
		b.WriteString(u.query)
	}
	return b.String()
}

// length is the length of what serialize makes, or a little more.
func (u *urlRecord) length() int {
	n := len(u.scheme) + len("://") + len(u.host) + len(u.path)
	if u.hasCredentials() {
		n += len(u.username) + len(u.password) + len(":@")
	}
	if u.port != "" {
		n += len(u.port) + len(":")
	}
	if u.hasQuery {
		n += len(u.query) + len("?")
	}
	return n
}

// hostPort is the host, and the port unless it is the scheme's default: what
// the Host header says.
func (u *urlRecord) hostPort() string {
	if u.port == "" {
		return u.host
	}
	return u.host + ":" + u.port
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	case "ftp":
		return "21"
	}
	return ""
}

// hasCredentials reports whether u includes credentials.
//
// https://url.spec.whatwg.org/#include-credentials
func (u *urlRecord) hasCredentials() bool {
	return u.username != "" || u.password != ""
}

// credentials returns user name and password, percent-decoded, for
// "Authorization: Basic".
func (u *urlRecord) credentials() (username, password string) {
	return string(percentDecode(u.username)), string(percentDecode(u.password))
}

func (u *urlRecord) withoutCredentials() *urlRecord {
	if !u.hasCredentials() {
		return u
	}
	v := *u
	v.username, v.password, v.root = "", "", nil
	v.href = v.serialize()
	return &v
}

// originOnly is u without credentials, path, query and fragment.
func (u *urlRecord) originOnly() *urlRecord {
	if u.root != nil {
		return u.root
	}
	if u.path == "/" && !u.hasQuery && !u.hasFragment && !u.hasCredentials() {
		return u
	}
	v := *u
	v.username, v.password, v.path, v.query, v.fragment = "", "", "/", "", ""
	v.hasQuery, v.hasFragment = false, false
	v.href = v.serialize()
	return &v
}

// withFragmentOf is u with the fragment of v, as a redirect gives it to a
// location that has none.
func (u *urlRecord) withFragmentOf(v *urlRecord) *urlRecord {
	if u.hasFragment == v.hasFragment && u.fragment == v.fragment {
		return u
	}
	w := *u
	w.fragment, w.hasFragment = v.fragment, v.hasFragment
	return &w
}

// netURL is u for an [http.Request], which writes path and query on the wire
// byte for byte as they are in u.
func (u *urlRecord) netURL() *neturl.URL {
	n := &neturl.URL{Scheme: u.scheme, Host: u.hostPort(), RawQuery: u.query, ForceQuery: u.hasQuery && u.query == ""}
	n.Path, n.RawPath = u.path, u.path
	if strings.Contains(u.path, "%") {
		n.Path = string(percentDecode(u.path))
	}
	if n.EscapedPath() != u.path {
		// net/url would encode bytes that the URL Standard leaves, "|" for one.
		n.Opaque = u.path
	}
	return n
}

// isHTTPScheme is the standard's "HTTP(S) scheme".
//
// https://fetch.spec.whatwg.org/#http-scheme
func isHTTPScheme(scheme string) bool {
	return scheme == "http" || scheme == "https"
}

// isTrustworthy reports whether u is a potentially trustworthy URL.
//
// https://w3c.github.io/webappsec-secure-contexts/#is-url-trustworthy
func (u *urlRecord) isTrustworthy() bool {
	switch u.scheme {
	case "data", "file":
		return true
	case "about":
		return u.path == "blank" || u.path == "srcdoc"
	}
	return isTrustworthyOrigin(u.origin)
}

// isTrustworthyOrigin reports whether o is a potentially trustworthy origin.
//
// https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
func isTrustworthyOrigin(o origin.Origin) bool {
	if o.Opaque() {
		return false
	}
	switch o.Scheme() {
	case "https", "wss", "file":
		return true
	}
	host := strings.TrimSuffix(o.Host(), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "[::1]" || isIPv4(host) && strings.HasPrefix(host, "127.")
}

// isomorphicDecode reads each byte of s as the code point of that number.
//
// https://infra.spec.whatwg.org/#isomorphic-decode
func isomorphicDecode(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			r := make([]rune, len(s))
			for j := range len(s) {
				r[j] = rune(s[j])
			}
			return string(r)
		}
	}
	return s
}

// percentEncodeHigh encodes the bytes of s above 0x7F, and no others.
func percentEncodeHigh(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			writePercent(&b, s[i])
		}
	}
	return b.String()
}

// percentDecode is https://url.spec.whatwg.org/#percent-decode.
func percentDecode(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		}
		b = append(b, c)
	}
	return b
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

func writePercent(b *strings.Builder, c byte) {
	const hex = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(hex[c>>4])
	b.WriteByte(hex[c&15])
}
