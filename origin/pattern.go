package origin

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// A Pattern matches origins. The zero Pattern matches none. Patterns compare
// with ==.
type Pattern struct {
	kind kind
	// host is what follows the wildcard, or all of the host where there is none.
	scheme, before, host, port string
}

type kind uint8

const (
	matchNone kind = iota
	matchAny
	matchNull
	matchHost       // the host itself; with port "*", on any port
	matchSubdomains // one or more labels, then host, which begins with a dot
	matchLabel      // one label that begins with before, then host
	matchAnyHost    // any host of a scheme that is not HTTP
)

// A PatternError says what is wrong with a pattern, and what to write instead.
type PatternError struct {
	Value  string // the pattern
	Reason string // what is wrong, as in "an origin has no path"
	Fix    string // what to do, as in `write "https://example.com"`
}

func (e *PatternError) Error() string {
	value := e.Value
	if len(value) > MaxLen {
		value = value[:MaxLen] + "…"
	}
	return fmt.Sprintf("%q: %s; %s", value, e.Reason, e.Fix)
}

// ParsePattern parses a pattern:
//
//	https://example.com            that origin
//	https://*.example.com          its subdomains, one or more labels deep
//	https://*-preview.example.com  a wildcard within the first label
//	http://localhost:*             any port, the default one too
//	moz-extension://*              any host of a scheme that is not HTTP
//	null                           opaque origins, which any page can have
//	*                              every origin
//
// The error is a [*PatternError]. A wildcard right below a public suffix
// ("https://*.github.io") is one, since anyone can register a name there; see
// [InsecureParsePattern].
func ParsePattern(s string) (Pattern, error) {
	p, err := InsecureParsePattern(s)
	if err == nil && p.SpansPublicSuffix() {
		suffix := strings.TrimPrefix(p.host[strings.IndexByte(p.host, '.'):], ".")
		return Pattern{}, &PatternError{s, strconv.Quote(suffix) + " is a public suffix: anyone can register a name below it",
			"list each origin that you mean, such as " + strconv.Quote(p.scheme+"://my-site."+suffix)}
	}
	return p, err
}

// InsecureParsePattern is [ParsePattern], but lets a wildcard span a public
// suffix.
func InsecureParsePattern(s string) (Pattern, error) {
	switch s {
	case "*":
		return Pattern{kind: matchAny}, nil
	case "null":
		return Pattern{kind: matchNull}, nil
	}
	if o, err := Parse(s); err == nil && !strings.Contains(s, "*") {
		return Pattern{kind: matchHost, scheme: o.scheme, host: o.host, port: o.port}, nil
	}
	if reason, fix := fault(s); reason != "" {
		return Pattern{}, &PatternError{s, reason, fix}
	}
	return split(s), nil
}

// split takes apart a pattern with a wildcard that fault found no fault with.
func split(s string) Pattern {
	p := Pattern{kind: matchHost}
	p.scheme, p.host, _ = strings.Cut(s, "://")
	if host, ok := strings.CutSuffix(p.host, ":*"); ok {
		p.host, p.port = host, "*"
	} else if i := strings.LastIndexByte(p.host, ':'); i > strings.LastIndexByte(p.host, ']') {
		p.host, p.port = p.host[:i], p.host[i+1:]
	}
	before, after, ok := strings.Cut(p.host, "*")
	switch {
	case !ok:
	case before == "" && after == "":
		p.kind, p.host = matchAnyHost, ""
	case before == "" && after[0] == '.':
		p.kind, p.host = matchSubdomains, after
	default:
		p.kind, p.before, p.host = matchLabel, before, after
	}
	return p
}

// fault returns what is wrong with s, a pattern that is not one exact origin,
// and how to mend it; nothing where nothing is.
func fault(s string) (reason, fix string) {
	write := func(s string) string { return "write " + strconv.Quote(s) }
	if s == "" {
		return "an origin is missing", "remove it, or " + write("https://example.com")
	}
	if trimmed := strings.TrimSpace(s); trimmed != s {
		return "an origin has no space around it", write(trimmed)
	}
	if strings.ContainsAny(s, ", \t\n") {
		return "one element holds one origin", "write each origin as an element of its own"
	}
	if strings.Contains(s, "$") && !strings.ContainsAny(s, `\^`) {
		return "variables are not expanded here", "write the origin itself, such as " + strconv.Quote("https://example.com")
	}
	if strings.ContainsAny(s, `\^|()`) {
		return "patterns are not regular expressions", `write the origin, with "*" for any subdomain: "https://*.example.com"`
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return missingScheme(s)
	}
	if strings.Contains(scheme, "*") {
		return "a scheme has no wildcard", fmt.Sprintf("list %q and, only if you must, %q", "https://"+rest, "http://"+rest)
	}
	if lower := strings.ToLower(scheme); lower != scheme {
		return "a scheme is in lower case", write(lower + "://" + rest)
	}
	for i := range len(scheme) {
		if !isSchemeByte(scheme[i]) {
			return "there is no such scheme", write("https://" + rest)
		}
	}
	if scheme == "" || scheme[0] < 'a' || len(scheme) > maxScheme {
		return "there is no such scheme", write("https://" + rest)
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		what := map[byte]string{'/': "path", '?': "query", '#': "fragment"}[rest[i]]
		return "an origin has no " + what, write(scheme + "://" + rest[:i])
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		return "an origin has no user or password", write(scheme + "://" + rest[i+1:])
	}
	if strings.Count(rest, ":") > 1 && !strings.HasPrefix(rest, "[") {
		if addr, err := netip.ParseAddr(rest); err == nil {
			return "an IPv6 address stands in brackets", write(scheme + "://" + string(appendIPv6(nil, addr)))
		}
	}
	host, port, hasPort := rest, "", false
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		host, port, hasPort = rest[:i], rest[i+1:], true
	}
	o := Origin{scheme: scheme}
	if hasPort && port != "*" {
		if _, err := parsePort(":"+port, scheme); err == errDefault {
			return fmt.Sprintf("browsers leave out %s, the default port of %s", port, scheme), write(scheme + "://" + host)
		} else if err != nil {
			return fmt.Sprintf("%q is not a port", port), fmt.Sprintf(`write 1 to 65535 without leading zeros, or "*" for any port: %q`, scheme+"://"+host+":*")
		}
	}
	if hasPort {
		port = ":" + port
	}
	if host == "" {
		return "a host is missing", write(scheme + "://example.com" + port)
	}
	if host == "*" {
		if o.isHTTP() {
			return "any host is any origin", `write "*" if every origin may read, or "` + scheme + `://*.example.com"`
		}
		if port != "" {
			return "a scheme that is not HTTP has no ports", write(scheme + "://*")
		}
		return "", ""
	}
	return hostFault(o, host, port)
}

func missingScheme(s string) (reason, fix string) {
	guess := "https://"
	if scheme, after, ok := strings.Cut(s, ":/"); ok && scheme != "" {
		return "a scheme is followed by two slashes", "write " + strconv.Quote(scheme+"://"+strings.Trim(after, "/"))
	}
	host, _, _ := strings.Cut(strings.Trim(s, "/"), "/")
	if name, _, _ := strings.Cut(host, ":"); isLoopback(name) || name == "localhost" {
		guess = "http://"
	}
	if host == "" {
		host = "example.com"
	}
	return "an origin begins with a scheme", "write " + strconv.Quote(guess+strings.ToLower(host))
}

// hostFault is fault for the host of a pattern; port is as written, colon and
// all.
func hostFault(o Origin, host, port string) (reason, fix string) {
	write := func(host string) string { return "write " + strconv.Quote(o.scheme+"://"+host+port) }
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil || addr.Zone() != "" || !addr.Is6() {
			return fmt.Sprintf("%q is not an IPv6 address", host), "write one such as " + strconv.Quote(o.scheme+"://[2001:db8::1]"+port)
		}
		if canonical := string(appendIPv6(nil, addr)); canonical != host {
			return "browsers write this address in another form", write(canonical)
		}
		return "", ""
	}
	if o.isHTTP() {
		if lower := strings.ToLower(host); isASCII(host) && lower != host {
			return "browsers send the host in lower case", write(lower)
		}
		if !isASCII(host) {
			wildcard, name, _ := cutWildcard(host)
			if ascii, err := idna.Lookup.ToASCII(name); err == nil {
				return "browsers send the host in Punycode", write(wildcard + ascii)
			}
			return "this host is not a domain name", "write it in Punycode, as a browser's Origin header shows it"
		}
	}
	if n := strings.Count(host, "*"); n > 1 {
		return "a host has one wildcard at most", "write each origin, or one wildcard in the first label: " + strconv.Quote(o.scheme+"://*.example.com")
	}
	wildcard, name, ok := cutWildcard(host)
	if !ok {
		return "a wildcard stands in the first label alone", "write each origin, or " + strconv.Quote(o.scheme+"://*.example.com")
	}
	if wildcard != "" && !o.isHTTP() {
		return "only the whole host of a scheme that is not HTTP can be a wildcard", "write " + strconv.Quote(o.scheme+"://*")
	}
	if wildcard != "" && name == "" {
		return "a wildcard needs a domain behind it", "write " + strconv.Quote(o.scheme+"://"+strings.TrimSuffix(wildcard, ".")+".example.com"+port)
	}
	if wildcard != "" && isIP(name) {
		return "an address has no subdomains", "write each address"
	}
	// The rest of the host is judged as in any origin, one letter for the wildcard.
	if _, err := Parse(o.scheme + "://" + strings.Replace(wildcard, "*", "x", 1) + name); err != nil {
		switch err {
		case errIPv4:
			return "this is not an IPv4 address as browsers write it", "write four numbers up to 255 without leading zeros, as in " + strconv.Quote(o.scheme+"://192.0.2.1"+port)
		default:
			return fmt.Sprintf("%q is not a host", host), "write a domain name or an address, as a browser's Origin header shows it"
		}
	}
	return "", ""
}

// cutWildcard cuts host behind its first label if there is a wildcard in that;
// ok is false where there is one further on.
func cutWildcard(host string) (wildcard, rest string, ok bool) {
	i := strings.IndexByte(host, '*')
	if i < 0 {
		return "", host, true
	}
	if j := strings.IndexByte(host, '.'); j > i {
		return host[:j+1], host[j+1:], !strings.Contains(host[j:], "*")
	} else if j >= 0 {
		return "", host, false
	}
	return host, "", true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Match reports whether p matches o.
func (p Pattern) Match(o Origin) bool {
	switch p.kind {
	case matchAny:
		return true
	case matchNull:
		return o.Opaque()
	case matchAnyHost:
		return o.scheme == p.scheme && o.port == ""
	}
	return p.kind != matchNone && o.scheme == p.scheme && (p.port == "*" || o.port == p.port) && p.matchHost(o.host)
}

// matchHost reports whether p matches host, its scheme and port put aside.
func (p Pattern) matchHost(host string) bool {
	if p.kind == matchHost {
		return host == p.host
	}
	if len(host) <= len(p.before)+len(p.host) || !strings.HasPrefix(host, p.before) || !strings.HasSuffix(host, p.host) {
		return false
	}
	return p.kind == matchSubdomains || strings.IndexByte(host[len(p.before):len(host)-len(p.host)], '.') < 0
}

// String returns the pattern as it was written.
func (p Pattern) String() string {
	host := p.host
	switch p.kind {
	case matchNone:
		return ""
	case matchAny:
		return "*"
	case matchNull:
		return "null"
	case matchAnyHost, matchSubdomains, matchLabel:
		host = p.before + "*" + p.host
	}
	return Origin{p.scheme, host, p.port}.String()
}

// Any reports whether p is "*".
func (p Pattern) Any() bool { return p.kind == matchAny }

// Null reports whether p is "null".
func (p Pattern) Null() bool { return p.kind == matchNull }

// SpansPublicSuffix reports whether the wildcard of p stands right below a
// public suffix, where anyone can register a name.
//
// https://publicsuffix.org/
func (p Pattern) SpansPublicSuffix() bool {
	if p.kind != matchSubdomains && p.kind != matchLabel {
		return false
	}
	_, parent, _ := strings.Cut(p.host, ".")
	parent = strings.TrimSuffix(parent, ".")
	suffix, icann := publicsuffix.PublicSuffix(parent)
	// A single label that is not in the list is nobody's registry: localhost, internal.
	return suffix == parent && (icann || strings.Contains(suffix, "."))
}

// InsecureScheme reports whether p matches origins with the scheme http whose
// host is not this machine: whoever is on the network can speak as one.
func (p Pattern) InsecureScheme() bool {
	return p.scheme == "http" && !isLoopback(strings.TrimPrefix(p.host, "."))
}
