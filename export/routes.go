package export

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// A matcher finds the requests of a route. Of those of a file the first that
// matches decides.
type matcher struct {
	route string // the pattern
	host  string // in lower case, without port; "" for every host
	exact bool   // path is all of the path, not its beginning

	// Expressions without anchors, for the path with its escapes undone and as
	// browsers write it.
	path, raw string
}

// matchers returns those of j in an order in which the first that matches is the
// one that [http.ServeMux] finds, for paths that are clean.
func (j *job) matchers() []matcher {
	hosts := map[string][]matcher{}
	var own []string
	for _, r := range j.file.Routes {
		host, _, _ := strings.Cut(r.Pattern, "/")
		if host != "" && hosts[host] == nil {
			own = append(own, host)
		}
		hosts[host] = append(hosts[host], newMatchers(r.Pattern)...)
	}
	slices.Sort(own)
	all := hosts[""]
	slices.SortStableFunc(all, matcher.compare)
	var first, last []matcher
	for _, host := range own {
		ms := hosts[host]
		slices.SortStableFunc(ms, matcher.compare)
		for i, m := range ms {
			// "/api" of this host is not below any other of its routes, so that an exact
			// one of every host comes before it.
			if m.rank() == rankDirectory && !slices.ContainsFunc(ms[i:], func(below matcher) bool { return below.covers(m) }) {
				last = append(last, m)
				continue
			}
			first = append(first, m)
		}
	}
	i := slices.IndexFunc(all, func(m matcher) bool { return m.rank() > rankExact })
	if i < 0 {
		i = len(all)
	}
	return slices.Concat(first, all[:i], last, all[i:])
}

// The ranks of matchers of one host.
const (
	rankExact     = iota
	rankDirectory // "/api" of "/api/"
	rankBelow
)

func (m matcher) rank() int {
	_, path := m.segments()
	slash := strings.HasSuffix(m.route, "/") || strings.HasSuffix(m.route, "...}") || strings.HasSuffix(m.route, "{$}")
	switch {
	case !m.exact:
		return rankBelow
	case slash && !strings.HasSuffix(m.path, "/") && len(path) > 0:
		return rankDirectory
	}
	return rankExact
}

// segments returns the segments of the pattern, without what says that it goes on.
func (m matcher) segments() (host string, segments []string) {
	host, path, _ := strings.Cut(m.route, "/")
	segments = strings.Split(path, "/")
	if last := segments[len(segments)-1]; last == "" || last == "{$}" || strings.HasSuffix(last, "...}") {
		segments = segments[:len(segments)-1]
	}
	return host, segments
}

// compare puts the more specific of two before the other.
func (m matcher) compare(other matcher) int {
	_, a := m.segments()
	_, b := other.segments()
	byPath := slices.CompareFunc(a, b, func(x, y string) int {
		wildX, wildY := strings.HasPrefix(x, "{"), strings.HasPrefix(y, "{")
		switch {
		case wildX && wildY:
			return 0
		case wildX:
			return 1
		case wildY:
			return -1
		}
		return cmp.Compare(x, y)
	})
	if n := min(len(a), len(b)); len(a) != len(b) && samePrefix(a[:n], b[:n]) {
		byPath = cmp.Compare(len(b), len(a)) // the longer one
	}
	return cmp.Or(cmp.Compare(m.rank(), other.rank()), byPath, cmp.Compare(m.last(), other.last()))
}

// last is 0 where nothing may follow the slash at the end of the pattern.
func (m matcher) last() int {
	if strings.HasSuffix(m.route, "/{$}") {
		return 0
	}
	return 1
}

func samePrefix(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool {
		return x == y || strings.HasPrefix(x, "{") && strings.HasPrefix(y, "{")
	})
}

// covers reports whether m, which is of what is below, matches what a directory
// without its slash does.
func (m matcher) covers(directory matcher) bool {
	_, a := m.segments()
	_, b := directory.segments()
	return m.rank() == rankBelow && len(a) < len(b) && slices.EqualFunc(a, b[:len(a)], func(x, y string) bool {
		return x == y || strings.HasPrefix(x, "{")
	})
}

// newMatchers returns the one or two of a pattern.
func newMatchers(pattern string) []matcher {
	host, rest, _ := strings.Cut(pattern, "/")
	var path, raw strings.Builder
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		m := matcher{route: pattern, host: host}
		switch {
		case segment == "{$}", segment == "", strings.HasSuffix(segment, "...}"):
			m.exact, m.path, m.raw = segment == "{$}", path.String()+"/", raw.String()+"/"
			if i == 0 {
				return []matcher{m}
			}
			directory := m
			directory.exact, directory.path, directory.raw = true, path.String(), raw.String()
			return []matcher{directory, m}
		case segment[0] == '{':
			path.WriteString("/[^/]+")
			raw.WriteString("/[^/?]+")
		default:
			plain, err := url.PathUnescape(segment)
			if err != nil {
				plain = segment
			}
			path.WriteString("/" + quotePath(plain))
			raw.WriteString("/" + quotePath((&url.URL{Path: plain}).EscapedPath()))
		}
		if i == len(segments)-1 {
			m.exact, m.path, m.raw = true, path.String(), raw.String()
			return []matcher{m}
		}
	}
	return nil
}
