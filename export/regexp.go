package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

// The regular expressions here are of the syntax that RE2 and PCRE share, are to
// be anchored, and need no quotes but for their backslashes: what means something
// in the configuration of some server is written \x and its number.

// A label of a host as a browser may send it, and the bytes of a host of a scheme
// that is not HTTP. Package origin knows why.
const (
	labelByte  = `[!\x22\x24&-\x2d0-9;=_-\x7b\x7d~]`
	opaqueByte = `[!\x22\x24-.0-9;=A-Z_-\x7b\x7d~]`
)

// What any host may be, nearly: an address in brackets or with dots, or a name
// whose last label has something that is no digit.
const (
	otherByte = `[!\x22\x24&-\x2d;=_-\x7b\x7d~]` // of a label, and no digit
	octet     = `(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
	anyIPv6   = `\[[0-9a-f:]{2,39}\]`
	anyHost   = `(?:` + anyIPv6 + `|(?:` + octet + `\.){3}` + octet + `|(?:` + labelByte + `{1,63}\.)*(?:` + otherByte + labelByte + `{0,62}|[0-9]{1,62}` + otherByte + labelByte + `{0,61})\.?)`
)

// otherScheme is a scheme that is neither http nor https.
const otherScheme = `(?:[a-gi-z][a-z0-9+.-]{0,63}|h(?:[a-su-z0-9+.-][a-z0-9+.-]{0,62})?|ht(?:[a-su-z0-9+.-][a-z0-9+.-]{0,61})?|htt(?:[a-oq-z0-9+.-][a-z0-9+.-]{0,60})?|http[a-rt-z0-9+.-][a-z0-9+.-]{0,59}|https[a-z0-9+.-]{1,59})`

// originLength matches what originRegexp does, and knows how long a host may be.
const originLength = `null|[^:]+://(?:[^:\[ ]{0,253}\.?|\[[^ ]+\])(?::[0-9]+)?`

// OriginRegexp returns the expression, without anchors, that [To] writes for the
// origins that a pattern of package origin matches. RE2 and PCRE read it alike.
func OriginRegexp(pattern string) string { return originRegexp(pattern) }

// originRegexp returns the expression, without anchors, for the origins that a
// pattern of package origin matches. It knows nothing of how long a host may be,
// nor of IPv6 addresses as hosts of "moz-extension://*"; for "*" it also matches
// what only looks like an origin.
func originRegexp(pattern string) string {
	switch pattern {
	case "*":
		return `(?:null|http://` + anyHost + anyPort("http") + `|https://` + anyHost + anyPort("https") + `|` + otherScheme + `://(?:` + opaqueByte + `{1,254}|` + anyIPv6 + `)` + anyPort("") + `|file://)`
	case "null":
		return pattern
	}
	scheme, host, _ := strings.Cut(pattern, "://")
	host, port := cutPort(host)
	switch port {
	case "":
	case "*":
		port = anyPort(scheme)
	default:
		port = ":" + port
	}
	before, after, wild := strings.Cut(host, "*")
	switch {
	case !wild:
		host = regexp.QuoteMeta(host)
	case before == "" && after == "":
		host = opaqueByte + `{1,254}`
	case before == "" && after[0] == '.':
		host = `(?:` + labelByte + `{1,63}\.)+` + regexp.QuoteMeta(after[1:])
	default:
		rest, _, _ := strings.Cut(after, ".")
		host = regexp.QuoteMeta(before) + fmt.Sprintf(labelByte+`{1,%d}`, max(1, 63-len(before)-len(rest))) + regexp.QuoteMeta(after)
	}
	return regexp.QuoteMeta(scheme) + "://" + host + port
}

func cutPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i], host[i+1:]
	}
	return host, ""
}

// anyPort returns the expression for no port, or one that is not the default one
// of scheme.
func anyPort(scheme string) string {
	two, three := `[1-9][0-9]`, `[1-9][0-9]{2}`
	switch scheme {
	case "http":
		two = `[1-79][0-9]|8[1-9]`
	case "https":
		three = `[1-35-9][0-9]{2}|4[0-35-9][0-9]|44[0-24-9]`
	}
	return `(?::(?:[1-9]|` + two + `|` + three + `|[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?`
}

// tokenByte is a byte of a method or of the name of a header.
const tokenByte = `[!#\x24%&\x27*+.0-9A-Z^_\x60a-z|~-]`

// methodRegexp returns the expression for the methods that need no mention or
// are in methods, or for any method.
func methodRegexp(methods []string) string {
	if slices.Contains(methods, "*") {
		return tokenByte + `{1,64}`
	}
	all := []string{"GET", "HEAD", "POST"}
	for _, m := range methods {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return alternatives(all)
}

// nameListRegexp returns the expressions, to be matched in any case, for the lists
// of header names that a preflight may ask for: they match allowed, and not refused
// unless that is "".
func nameListRegexp(names []string) (allowed, refused string) {
	name := ""
	var listed []string
	for _, n := range names {
		if n != "*" {
			listed = append(listed, header.Lower(n))
		}
	}
	slices.Sort(listed)
	listed = slices.Compact(listed)
	switch {
	case len(listed) < len(names) && slices.Contains(names, "*"):
		name = tokenByte + `+`
		// "*" is every name but this.
		if !slices.Contains(listed, "authorization") {
			refused = `^(?:.*[ \t,])?authorization(?:[ \t,].*)?$`
		}
	case len(listed) == 0:
		return `^[ \t,]*$`, ""
	default:
		name = alternatives(listed)
	}
	return `^[ \t,]*(?:` + name + `[ \t]*(?:,[ \t,]*|$))*$`, refused
}

func alternatives(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	return `(?:` + strings.Join(quoted, `|`) + `)`
}

// quotePath is [regexp.QuoteMeta] without what ends a text in quotes, or begins a
// placeholder of Caddy's.
func quotePath(s string) string {
	return strings.NewReplacer(`"`, `\x22`, "'", `\x27`, "`", `\x60`, `\{`, `\x7b`, `\}`, `\x7d`).Replace(regexp.QuoteMeta(s))
}

// quote is [regexp.QuoteMeta], and nothing in it is special to a server.
func quote(s string) string {
	return strings.NewReplacer(`\$`, `\x24`, "'", `\x27`, "`", `\x60`, `\{`, `\x7b`, `\}`, `\x7d`, "#", `\x23`, "%", `\x25`).Replace(regexp.QuoteMeta(s))
}
