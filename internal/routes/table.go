package routes

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/header"
)

// A Table holds values by the patterns of [http.ServeMux] without methods. It is
// for one goroutine while it is filled, and then for many.
type Table[V any] struct {
	hosts map[string]*node[V] // "" for patterns without a host
	mux   *http.ServeMux      // to judge patterns, not to find them
}

// A Route is a pattern and its value.
type Route[V any] struct {
	Pattern string
	Value   V
}

// A node is a place in the patterns of one host, some segments deep.
type node[V any] struct {
	literal map[string]*node[V]
	any     *node[V]  // of "{name}"
	end     *Route[V] // of the pattern that ends here
	slash   *Route[V] // of the pattern that ends here with "/{$}"
	below   *Route[V] // of the pattern that ends here with "/" or "/{name...}"
}

// A Fault is what is wrong with a pattern.
type Fault struct {
	Reason string // as in "a route has no scheme"
	Fix    string // as in `write "example.com/"`
}

func (f *Fault) Error() string { return f.Reason + "; " + f.Fix }

// Add adds a value. The error is a [*Fault] of the pattern, in itself or beside
// the others; then nothing is added.
func (t *Table[V]) Add(pattern string, value V) error {
	if t.hosts == nil {
		t.hosts, t.mux = make(map[string]*node[V]), http.NewServeMux()
	}
	if err := t.judge(pattern); err != nil {
		return err
	}
	r := &Route[V]{pattern, value}
	host, path, _ := strings.Cut(pattern, "/")
	n := t.hosts[host]
	if n == nil {
		n = new(node[V])
		t.hosts[host] = n
	}
	for {
		segment, rest, more := strings.Cut(path, "/")
		switch {
		case segment == "{$}":
			n.slash = r
			return nil
		case segment == "" || strings.HasSuffix(segment, "...}"):
			n.below = r
			return nil
		}
		n = n.child(segment)
		if !more {
			n.end = r
			return nil
		}
		path = rest
	}
}

// child returns the node of segment below n, which it makes if need be.
func (n *node[V]) child(segment string) *node[V] {
	if segment[0] == '{' {
		if n.any == nil {
			n.any = new(node[V])
		}
		return n.any
	}
	if unescaped, err := url.PathUnescape(segment); err == nil {
		segment = unescaped
	}
	child := n.literal[segment]
	if child == nil {
		if n.literal == nil {
			n.literal = make(map[string]*node[V])
		}
		child = new(node[V])
		n.literal[segment] = child
	}
	return child
}

// judge returns what is wrong with pattern, in itself or beside the others.
func (t *Table[V]) judge(pattern string) (err error) {
	fault := func(reason, fix string) error {
		return &Fault{reason, fix}
	}
	host, path, ok := strings.Cut(pattern, "/")
	path = "/" + path
	switch before, _, star := strings.Cut(pattern, "*"); {
	case pattern == "*":
		return fault(`"*" matches only itself here`, `write "/" for every path`)
	case pattern == "":
		return fault("a pattern is missing", `write a path such as "/api/", or "/" for every path`)
	case strings.TrimSpace(pattern) != pattern:
		return fault("a pattern has no space around it", "write "+strconv.Quote(cmp.Or(strings.TrimSpace(pattern), "/")))
	case strings.ContainsAny(pattern, " \t"):
		escape := strings.NewReplacer(" ", "%20", "\t", "%09").Replace
		i := strings.IndexAny(pattern, " \t")
		if !header.IsToken(pattern[:i]) {
			return fault("a path has no space in it", "write "+strconv.Quote(escape(pattern)))
		}
		return fault("a route has no method: a preflight carries another than the request to come", "write "+strconv.Quote(escape(strings.TrimSpace(pattern[i:]))))
	case strings.HasSuffix(host, ":") && strings.HasPrefix(path, "//"):
		return fault("a route has no scheme", "write "+strconv.Quote(path[2:]))
	case !ok:
		return fault("a path begins with a slash", fmt.Sprintf("write %q for a path, or %q for a host", "/"+pattern, pattern+"/"))
	case strings.Contains(host, ":") && !strings.HasSuffix(host, "]"):
		return fault("a host is matched without its port", "write "+strconv.Quote(host[:strings.LastIndexByte(host, ':')]+path))
	case host != plainHost(host):
		return fault("a host is in lower case, and has no dot at its end", "write "+strconv.Quote(plainHost(host)+path))
	case strings.Contains(host, "*"):
		return fault("a host has no wildcard", "write each host, or "+strconv.Quote(path)+" for every host")
	case star:
		return fault(`"*" matches only itself here`, fmt.Sprintf("write %q for all that begins with it, or %q for one segment", before, before+"{name}"))
	case strings.ContainsAny(path, "?#"):
		return fault("a route has no query and no fragment", "write "+strconv.Quote(host+path[:strings.IndexAny(path, "?#")]))
	case cleaned(path) != path:
		return fault("no request has this path once it is clean", "write "+strconv.Quote(host+cleaned(path)))
	case strings.ContainsAny(path, `\;`):
		return fault("servers differ in what they make of a backslash or a semicolon", `write "{name}" for a segment that has one`)
	case strings.Contains(strings.ToLower(path), "%2f"):
		return fault(`routers differ in whether "%2F" parts two segments`, `write "{name}" for a segment that has it`)
	}
	// The mux panics at a pattern that it does not take.
	defer func() {
		said := recover()
		if said == nil {
			return
		}
		_, other, ok := strings.Cut(fmt.Sprint(said), "conflicts with pattern ")
		if !ok {
			reason := fmt.Sprint(said)
			err = fault(reason[strings.LastIndex(reason, ": ")+len(": "):], `write a path such as "/api/", or a host and a path`)
			return
		}
		other, _ = strconv.QuotedPrefix(other)
		err = fault("this and "+other+" match some of the same paths, and neither is the more specific one", "remove one of them, or make it match less")
	}()
	t.mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// cleaned is p as [http.ServeMux] looks for it.
func cleaned(p string) string {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// A Certainty says whether other servers and routers find the same route for a
// path that can be read in more than one way.
type Certainty uint8

const (
	Certain   Certainty = iota // all of them do
	IfCleaned                  // those do that clean a path of "//", "/./" and "/../"
	Uncertain                  // not even those: they differ over escapes, backslashes, semicolons
)

// Sure returns the route of a request if all servers find the same one, and nil
// where they do not or none matches; also of CONNECT, which names a server and no
// path of it. It is not ok where not even servers that clean a path agree, so that
// one of those behind may well find another.
func (t *Table[V]) Sure(method, host string, u *url.URL) (route *Route[V], ok bool) {
	if method == http.MethodConnect {
		return nil, true
	}
	route, certainty := t.Find(host, u)
	if certainty != Certain {
		return nil, certainty != Uncertain
	}
	return route, true
}

// Find returns the route of a request, or nil: the one that [http.ServeMux] finds,
// but without allocating where the path is plain.
func (t *Table[V]) Find(host string, u *url.URL) (*Route[V], Certainty) {
	host = plainHost(host)
	p := u.Path
	switch {
	case p == "":
		p = "/" // of "GET http://example.com HTTP/1.1"
	case p[0] != '/':
		return nil, Certain // of OPTIONS *
	}
	// A RawPath is there where the path is not escaped as net/url would.
	if strings.IndexByte(u.RawPath, '%') < 0 && isPlain(p) {
		return t.match(host, p), Certain
	}
	parted, odd, err := unescaped(u.EscapedPath())
	if err != nil {
		return nil, Uncertain
	}
	r := t.match(host, cleaned(parted))
	for _, reading := range [...]string{p, odd, loose(p)} {
		if t.match(host, cleaned(reading)) != r {
			return r, Uncertain
		}
	}
	for _, reading := range [...]string{p, odd, parted} {
		if t.match(host, reading) != r {
			return r, IfCleaned
		}
	}
	return r, Certain
}

// unescaped returns path with its segments unescaped one by one: all of them, a
// slash within one as a NUL; and only those that net/url would escape as they are.
func unescaped(path string) (parted, odd string, err error) {
	var all, some strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return "", "", err
		}
		all.WriteByte('/')
		all.WriteString(strings.ReplaceAll(plain, "/", "\x00"))
		if (&url.URL{Path: plain}).EscapedPath() == segment {
			segment = plain
		}
		some.WriteByte('/')
		some.WriteString(segment)
	}
	return all.String(), some.String(), nil
}

// plainHost returns host in lower case, without a port and the dot of the root.
func plainHost(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return header.Lower(strings.TrimSuffix(host, "."))
}

// loose returns p as servers read it to which a backslash is a slash, and what
// follows a semicolon in a segment a parameter.
func loose(p string) string {
	var b strings.Builder
	parameter := false
	for i := range len(p) {
		c := p[i]
		if c == '\\' {
			c = '/'
		}
		parameter = c == ';' || parameter && c != '/'
		if !parameter {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isPlain reports whether p has one reading: no empty segment, no dot segment,
// no backslash and no semicolon.
func isPlain(p string) bool {
	for i := range len(p) {
		switch {
		case p[i] == '\\' || p[i] == ';':
			return false
		case p[i] != '/' || i+1 == len(p):
			continue
		}
		rest := strings.TrimPrefix(p[i+1:], ".")
		rest = strings.TrimPrefix(rest, ".")
		if rest == "" && p[i+1] == '.' || rest != "" && rest[0] == '/' {
			return false
		}
	}
	return true
}

// match returns the most specific route of a path that is clean: one of the host
// before one of every host.
func (t *Table[V]) match(host, path string) *Route[V] {
	own, all := t.hosts[host], t.hosts[""]
	r := own.match(path)
	last := own
	if r == nil {
		r, last = all.match(path), all
	}
	if r != nil && !strings.HasSuffix(r.Pattern, "/") && !strings.HasSuffix(r.Pattern, "...}") {
		return r
	}
	// As the mux has it: "/api" belongs to "/api/", to which it is redirected.
	for _, n := range [...]*node[V]{own, last} {
		if d := n.directory(path); d != nil {
			return d
		}
	}
	return r
}

func (n *node[V]) match(path string) *Route[V] {
	switch {
	case n == nil:
		return nil
	case path == "":
		return n.end
	case path == "/" && n.slash != nil:
		return n.slash
	}
	segment, rest := cutSegment(path)
	if r := n.literal[segment].match(rest); r != nil {
		return r
	}
	if path != "/" {
		if r := n.any.match(rest); r != nil {
			return r
		}
	}
	return n.below
}

// directory returns the route of path with a slash added, and nothing behind it.
func (n *node[V]) directory(path string) *Route[V] {
	switch {
	case n == nil || path == "/":
		return nil
	case path == "" && n.slash != nil:
		return n.slash
	case path == "":
		return n.below
	}
	segment, rest := cutSegment(path)
	if r := n.literal[segment].directory(rest); r != nil {
		return r
	}
	return n.any.directory(rest)
}

// cutSegment returns the first segment of path, which begins with a slash, and
// the path behind it.
func cutSegment(path string) (segment, rest string) {
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[1 : 1+i], path[1+i:]
	}
	return path[1:], ""
}
