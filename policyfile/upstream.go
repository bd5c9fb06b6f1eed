package policyfile

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

const upstreamExample = `"http://localhost:3000"`

// upstream reads the URL of a server.
func (r *reader) upstream(n ast.Node) *url.URL {
	s, ok := r.text(n, "a URL is wanted", "write one such as "+upstreamExample)
	if !ok {
		return nil
	}
	u, err := ParseUpstream(s)
	if err, ok := err.(*ValueError); ok {
		r.fault(placeOf(n), err.Value, err.Reason, err.Fix)
	}
	return u
}

// ParseUpstream reads the URL of an upstream, as a file or a flag gives it. Its
// errors are of type [*ValueError].
func ParseUpstream(s string) (*url.URL, error) {
	const example = upstreamExample
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		scheme := ""
		if before, _, ok := strings.Cut(s[:i], "://"); ok {
			scheme = before + "://"
		}
		return nil, &ValueError{scheme + "…" + s[i:], "an upstream has no user or password", "remove them; let the client send its own Authorization"}
	}
	u, err := url.Parse(s)
	if err != nil || !strings.Contains(s, "://") {
		fix := "write one such as " + example
		if bare, err := url.Parse("http://" + s); err == nil && bare.Hostname() != "" && !strings.ContainsAny(s, " \t") {
			fix = "write " + strconv.Quote("http://"+s)
		}
		return nil, &ValueError{s, "an upstream is a URL", fix}
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c":
		return nil, &ValueError{s, "an upstream speaks http, https or h2c (HTTP/2 without TLS)", "write one such as " + example}
	case u.Hostname() == "":
		return nil, &ValueError{s, "a host is missing", "write one such as " + example}
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		u.RawQuery, u.ForceQuery, u.Fragment = "", false, ""
		return nil, &ValueError{s, "an upstream has no query and no fragment", "write " + strconv.Quote(u.String())}
	case u.Port() != "" && !isPort(u.Port()):
		return nil, &ValueError{s, fmt.Sprintf("%q is not a port", u.Port()), "write 1 to 65535"}
	}
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
