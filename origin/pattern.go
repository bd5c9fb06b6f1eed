package origin

import (
	"fmt"
	"strconv"
	"strings"

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
//
// A domain in a pattern has letters, digits, "-" and "_" alone. [Parse] takes
// more, but in a pattern "https://{tenant}.example.com" is a slip of the pen.
func ParsePattern(s string) (Pattern, error) {
	return parsePattern(s, Pattern.suffixFault)
}

// InsecureParsePattern is [ParsePattern], but lets a wildcard span a public
// suffix.
func InsecureParsePattern(s string) (Pattern, error) {
	return parsePattern(s, func(Pattern) fault { return fault{} })
}

func parsePattern(s string, check func(Pattern) fault) (Pattern, error) {
	p, f := readPattern(s)
	if f.reason == "" {
		f = check(p)
	}
	if f.reason == "" {
		return p, nil
	}
	// The advice is what to write once every fault is mended, so that it is good
	// the first time. A fault that only the user can mend is told instead.
	err := &PatternError{Value: s, Reason: f.reason, Fix: f.fix}
	for f.mended != "" {
		err.Fix = write(f.mended)
		if p, f = readPattern(f.mended); f.reason == "" {
			f = check(p)
		}
		if f.fix != "" {
			err.Reason, err.Fix = f.reason, f.fix
		}
	}
	return Pattern{}, err
}

func write(s string) string { return "write " + strconv.Quote(s) }

// readPattern returns the pattern that s is, or the first fault in s.
func readPattern(s string) (Pattern, fault) {
	switch s {
	case "*":
		return Pattern{kind: matchAny}, fault{}
	case "null":
		return Pattern{kind: matchNull}, fault{}
	}
	if isExact(s) {
		return split(s), fault{}
	}
	if f := findFault(s); f.reason != "" {
		return Pattern{}, f
	}
	return split(s), fault{}
}

// isExact reports whether s is a pattern for one tuple origin.
func isExact(s string) bool {
	o, isPlain, err := parse(s)
	return err == nil && isPlain && !o.Opaque() && o.scheme != "ws" && o.scheme != "wss"
}

// split takes apart a pattern without a fault.
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

// Match reports whether p matches o.
func (p Pattern) Match(o Origin) bool { return p.match(&o) }

func (p *Pattern) match(o *Origin) bool {
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
func (p *Pattern) matchHost(host string) bool {
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
	parent := strings.TrimSuffix(p.end()[1:], ".")
	suffix, icann := publicsuffix.PublicSuffix(parent)
	// A single label that is not in the list is nobody's registry: localhost, internal.
	if suffix == parent && (icann || strings.Contains(suffix, ".")) {
		return true
	}
	// "*.kawasaki.jp" in the list makes each name below kawasaki.jp a suffix.
	below := "x." + parent
	suffix, _ = publicsuffix.PublicSuffix(below)
	return suffix == below
}

// InsecureScheme reports whether the scheme of o is http and its host is not this
// machine: whoever is on the network can speak as o.
func (o Origin) InsecureScheme() bool {
	return o.scheme == "http" && !isLoopback(o.host)
}

// InsecureScheme reports whether p matches origins with the scheme http whose
// host is not this machine: whoever is on the network can speak as one.
func (p Pattern) InsecureScheme() bool {
	return p.scheme == "http" && !isLoopback(strings.TrimPrefix(p.host, "."))
}
