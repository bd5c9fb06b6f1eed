package origin

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// A fault is what is wrong with a pattern: in mended it is put right, though
// other faults may be left; if nobody but the user can do that, fix says how.
// The zero fault is none.
type fault struct {
	reason, mended, fix string
}

// maxPattern bounds the work for a pattern, which a tenant may have written. A
// Unicode host is longer than its Punycode, but not by this much.
const maxPattern = 4 * MaxLen

const hostFix = "write a domain name or an address, as a browser's Origin header shows it"

// findFault returns the first fault in s, which is not an exact origin.
func findFault(s string) fault {
	if len(s) > maxPattern {
		return fault{reason: "this is longer than any origin", fix: "remove it"}
	}
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return fault{reason: "an origin is missing", fix: "remove it, or " + write("https://example.com")}
	}
	if trimmed != s {
		return fault{reason: "an origin has no space around it", mended: trimmed}
	}
	if unquoted := strings.Trim(s, "\"'`"); unquoted != s && unquoted != "" {
		return fault{reason: "an origin has no quotes around it", mended: unquoted}
	}
	if strings.ContainsAny(s, ", ;\t\r\n") {
		return fault{reason: "one element holds one origin", fix: "write each origin as an element of its own"}
	}
	if strings.ContainsAny(s, `\^|()`) || strings.Contains(s, "/.*") || strings.HasPrefix(s, ".*") {
		return fault{reason: "patterns are not regular expressions", fix: `write the origin, with "*" for any subdomain: "https://*.example.com"`}
	}
	if strings.ContainsAny(s, "${}<>") {
		return fault{reason: "variables are not expanded here", fix: `write the origin itself, such as "https://example.com", or "https://*.example.com" for any subdomain`}
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return schemeMissing(s)
	}
	if strings.Contains(rest, "://") {
		return fault{reason: "one scheme is enough", mended: rest}
	}
	if f := schemeFault(scheme, rest); f.reason != "" {
		return f
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		what := map[byte]string{'/': "path", '?': "query", '#': "fragment"}[rest[i]]
		return fault{reason: "an origin has no " + what, mended: scheme + "://" + rest[:i]}
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		return fault{reason: "an origin has no user or password", mended: scheme + "://" + rest[i+1:]}
	}
	return authorityFault(Origin{scheme: scheme}, rest)
}

// schemeMissing is the fault in s, which has no "://".
func schemeMissing(s string) fault {
	if strings.EqualFold(s, "null") {
		return fault{reason: "the opaque origin is in lower case", mended: "null"}
	}
	for _, scheme := range []string{"https", "http"} {
		if rest, ok := strings.CutPrefix(strings.ToLower(s), scheme); ok && rest != "" && (rest[0] == ':' || rest[0] == '/') {
			return fault{reason: `a scheme is followed by "://"`, mended: scheme + "://" + strings.TrimLeft(rest, ":/")}
		}
	}
	if scheme, after, ok := strings.Cut(s, ":/"); ok && scheme != "" {
		return fault{reason: `a scheme is followed by "://"`, mended: scheme + "://" + after}
	}
	host, _, _ := strings.Cut(strings.Trim(s, "/"), "/")
	scheme, name := "https", host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name = host[:i]
	}
	if isLoopback(name) {
		scheme = "http" // nobody has a certificate for it
	}
	if host == "" {
		host = "example.com"
	}
	return fault{reason: "an origin begins with a scheme", mended: scheme + "://" + host}
}

func schemeFault(scheme, rest string) fault {
	if strings.Contains(scheme, "*") {
		return fault{reason: "a scheme has no wildcard", fix: fmt.Sprintf("list %q and, only if you must, %q", "https://"+rest, "http://"+rest)}
	}
	if lower := strings.ToLower(scheme); lower != scheme {
		return fault{reason: "a scheme is in lower case", mended: lower + "://" + rest}
	}
	for i := range len(scheme) {
		if !isSchemeByte(scheme[i]) || scheme[0] < 'a' || len(scheme) > maxScheme {
			return fault{reason: "there is no such scheme", mended: "https://" + rest}
		}
	}
	if scheme == "ws" || scheme == "wss" {
		return fault{reason: "no page has this scheme, though it opens WebSockets", mended: "http" + scheme[2:] + "://" + rest}
	}
	if scheme == "" {
		return fault{reason: "a scheme is missing", mended: "https://" + rest}
	}
	return fault{}
}

// authorityFault returns the fault in rest, which follows the scheme of o.
func authorityFault(o Origin, rest string) fault {
	mend := func(reason, rest string) fault { return fault{reason: reason, mended: o.scheme + "://" + rest} }
	host, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		host, port = rest[:i], rest[i:]
	}
	if strings.Contains(host, ":") && host[0] != '[' {
		if addr, err := netip.ParseAddr(rest); err == nil && addr.Zone() == "" {
			return mend("an IPv6 address stands in brackets", string(appendIPv6(nil, addr)))
		}
	}
	if port != "" && port != ":*" {
		if _, err := parsePort(port, o.scheme); err == errDefault {
			return mend(fmt.Sprintf("browsers leave out %s, the default port of %s", port[1:], o.scheme), host)
		} else if err != nil {
			return fault{reason: fmt.Sprintf("%q is not a port", port[1:]),
				fix: fmt.Sprintf(`write 1 to 65535 without leading zeros, or "*" for any port: %q`, o.scheme+"://"+host+":*")}
		}
	}
	switch {
	case host == "":
		return fault{reason: "a host is missing", fix: write(o.scheme + "://example.com" + port)}
	case host == "*" && o.isHTTP():
		return fault{reason: "any host is any origin", fix: `write "*" if every origin may read, or "` + o.scheme + `://*.example.com"`}
	case host == "*" && port != "":
		return mend("a scheme that is not HTTP has no ports", "*")
	case host == "*":
		return fault{}
	case host[0] == '[':
		return addressFault(o, host, port)
	case o.isHTTP():
		return domainFault(o, host, port)
	case strings.Contains(host, "*"):
		return fault{reason: "only the whole host of a scheme that is not HTTP can be a wildcard", mended: o.scheme + "://*"}
	}
	return parseFault(o, host, host)
}

// addressFault returns the fault in host, an IPv6 address.
func addressFault(o Origin, host, port string) fault {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || addr.Zone() != "" || !addr.Is6() {
		return fault{reason: fmt.Sprintf("%q is not an IPv6 address", host), fix: "write one such as " + strconv.Quote(o.scheme+"://[2001:db8::1]"+port)}
	}
	if canonical := string(appendIPv6(nil, addr)); canonical != host {
		return fault{reason: "browsers write this address in another form", mended: o.scheme + "://" + canonical + port}
	}
	return fault{}
}

// domainFault returns the fault in host, a domain or an IPv4 address, perhaps
// with a wildcard.
func domainFault(o Origin, host, port string) fault {
	mend := func(reason, host string) fault { return fault{reason: reason, mended: o.scheme + "://" + host + port} }
	wildcard, name, ok := cutWildcard(host)
	if !isASCII(host) {
		ascii, err := toASCII.ToASCII(name)
		if err != nil || !isASCII(wildcard) || ascii == name {
			return fault{reason: "this host is not a domain name", fix: "write it in Punycode, as a browser's Origin header shows it"}
		}
		return mend("browsers send the host in Punycode", wildcard+ascii)
	}
	if lower := strings.ToLower(host); lower != host {
		return mend("browsers send the host in lower case", lower)
	}
	if strings.HasPrefix(host, ".") {
		return mend(`subdomains are written with a "*"`, "*"+host)
	}
	if wildcard != "" && name == "" {
		return mend("a wildcard needs a domain behind it", strings.TrimSuffix(wildcard, ".")+".example.com")
	}
	if wildcard != "" && isIP(name) {
		return fault{reason: "an address has no subdomains", fix: "write each address"}
	}
	if !ok && strings.Count(host, "*") > 1 {
		return fault{reason: "a host has one wildcard at most", fix: "write each origin, or one wildcard in the first label: " + strconv.Quote(o.scheme+"://*.example.com")}
	}
	if !ok {
		return fault{reason: "a wildcard stands in the first label alone", fix: "write each origin, or " + strconv.Quote(o.scheme+"://*.example.com")}
	}
	// The rest of the host is judged as in any origin, one letter for the wildcard.
	return parseFault(o, host, strings.Replace(wildcard, "*", "x", 1)+name)
}

// parseFault returns the fault that Parse finds with host, which the user wrote
// as written.
func parseFault(o Origin, written, host string) fault {
	_, isPlain, err := parse(o.scheme + "://" + host)
	switch {
	case err == errIPv4:
		return fault{reason: "this is not an IPv4 address as browsers write it", fix: "write four numbers up to 255 without leading zeros, such as 192.0.2.1"}
	case err != nil || !isPlain:
		return fault{reason: fmt.Sprintf("%q is not a host", written), fix: hostFix}
	}
	return fault{}
}

// toASCII converts a domain as a URL parser does.
//
// https://url.spec.whatwg.org/#concept-domain-to-ascii
var toASCII = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.CheckHyphens(false),
	idna.StrictDomainName(false), idna.Transitional(false))

// cutWildcard cuts host behind its first label if there is a wildcard in that;
// ok is false where there are others, or one further on.
func cutWildcard(host string) (wildcard, rest string, ok bool) {
	i := strings.IndexByte(host, '*')
	if i < 0 {
		return "", host, true
	}
	dot := strings.IndexByte(host, '.')
	switch {
	case dot >= 0 && dot < i:
		return "", host, false
	case dot >= 0:
		wildcard, rest = host[:dot+1], host[dot+1:]
	default:
		wildcard = host
	}
	return wildcard, rest, strings.Count(host, "*") == 1
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// suffixFault returns the fault of a pattern with a wildcard right below a
// public suffix.
func (p Pattern) suffixFault() fault {
	if !p.SpansPublicSuffix() {
		return fault{}
	}
	suffix := p.end()[1:]
	port := ""
	if p.port != "" {
		port = ":" + p.port
	}
	// "https://*example.com" is seldom meant.
	if name := strings.TrimSuffix(p.host, "."); p.kind == matchLabel && p.before == "" && p.host[0] != '-' {
		if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil && domain == name {
			return fault{reason: fmt.Sprintf("anyone can register a name such as %q", "evil"+p.host), mended: p.scheme + "://*." + p.host + port}
		}
	}
	return fault{reason: strconv.Quote(suffix) + " is a public suffix: anyone can register a name below it",
		fix: "list each origin that you mean, such as " + strconv.Quote(p.scheme+"://my-site."+suffix+port)}
}
