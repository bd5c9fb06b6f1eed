package audit

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/origin"
)

// A route is a pattern of the policy and where to ask about it.
type route struct {
	pattern string
	policy  cors.Policy
	keeper  *cors.Middleware // of policy
	base    string           // scheme and host, without a slash
	path    string           // as in a URL, and so below
	more    []string         // other paths that the user named
	missing string           // a path of the route where nothing should be, or ""
	bare    string           // the path without its slash at the end, or ""
	skip    string           // why nothing is asked about it
}

// routes finds where to ask about each policy.
func routes(policies map[string]cors.Policy, t *Target) ([]*route, error) {
	// Several mistakes at once: those of the policies are told apart by their route.
	if _, err := cors.NewRoutes(policies); err != nil {
		return nil, err
	}
	server := new(fetch.Browser).Open(t.URL).Origin()
	if server.Scheme() != "http" && server.Scheme() != "https" {
		return nil, fmt.Errorf(`audit: %q is no server; write it as "https://staging.example.com"`, t.URL)
	}
	if u, err := url.Parse(t.URL); err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("audit: %q is more than a server, and the paths are those of the policy; write %q", t.URL, server)
	}
	for pattern := range t.Paths {
		if _, ok := policies[pattern]; !ok {
			return nil, fmt.Errorf("audit: there is no route %q to ask about at %q; the policy has %q", pattern, t.Paths[pattern], slices.Sorted(maps.Keys(policies)))
		}
	}
	mux := http.NewServeMux()
	for pattern := range policies {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	var all []*route
	for _, pattern := range slices.SortedFunc(maps.Keys(policies), byPath) {
		r := &route{pattern: pattern, policy: policies[pattern], base: server.String()}
		var err error
		if r.keeper, err = cors.New(r.policy); err != nil {
			return nil, err
		}
		if err := r.place(server, mux, t); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	// Where no route is, no origin is allowed.
	off := &route{base: server.String(), path: "/cors-verify-no-such-path"}
	_, host, _ := strings.Cut(off.base, "://")
	if _, pattern := mux.Handler(&http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: off.path}}); pattern == "" {
		var err error
		if off.keeper, err = cors.New(off.policy); err != nil {
			return nil, err
		}
		all = append(all, off)
	}
	return all, nil
}

// byPath orders patterns by their path, so that hosts do not tear routes apart.
func byPath(a, b string) int {
	ahost, apath := cut(a)
	bhost, bpath := cut(b)
	return strings.Compare(ahost+"\x00"+apath, bhost+"\x00"+bpath)
}

func cut(pattern string) (host, path string) {
	i := strings.IndexByte(pattern, '/')
	return pattern[:i], pattern[i:]
}

// place finds the host and the paths at which the pattern of r decides.
func (r *route) place(server origin.Origin, mux *http.ServeMux, t *Target) error {
	if why, ok := t.Skip[r.pattern]; ok {
		r.skip = why
		return nil
	}
	host, path := cut(r.pattern)
	if host != "" && host != server.Host() {
		if _, ok := t.Connect[host]; !ok {
			r.skip = fmt.Sprintf("it is for the host %s; say where that is served here", host)
			return nil
		}
		r.base = server.Scheme() + "://" + host
	}
	_, at, _ := strings.Cut(r.base, "://")
	owns := func(path string) bool {
		u, err := url.Parse(path)
		if err != nil || u.Host != "" {
			return false
		}
		_, pattern := mux.Handler(&http.Request{Method: http.MethodGet, Host: at, URL: u})
		return pattern == r.pattern
	}
	concrete, subtree := fill(path)
	for _, p := range t.Paths[r.pattern] {
		if !strings.HasPrefix(p, "/") {
			return fmt.Errorf("audit: path %q of route %q does not begin with a slash; write %q", p, r.pattern, "/"+p)
		}
		if !owns(p) {
			return fmt.Errorf("audit: path %q is not of the route %q; give one that is", p, r.pattern)
		}
	}
	candidates := slices.Concat(t.Paths[r.pattern], []string{concrete})
	if subtree {
		candidates = append(candidates, concrete+"cors-verify", concrete+"cors-verify/page")
	}
	i := slices.IndexFunc(candidates, owns)
	if i < 0 {
		r.skip = "other routes take the paths that were tried; say which path is its own"
		return nil
	}
	r.path = candidates[i]
	if len(t.Paths[r.pattern]) > 1 {
		r.more = t.Paths[r.pattern][1:]
	}
	if missing := concrete + "cors-verify-no-such-path"; subtree && owns(missing) {
		r.missing = missing
	}
	if bare := strings.TrimRight(concrete, "/"); subtree && bare != "" && strings.HasSuffix(path, "/") && owns(bare) {
		r.bare = bare
	}
	return nil
}

// fill makes a path, as in a URL, of the path of a pattern, and says whether what
// is below it is of the pattern too.
func fill(path string) (concrete string, subtree bool) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if !strings.HasPrefix(s, "{") {
			continue
		}
		segments[i] = "1" // an id as good as any
		if last := i == len(segments)-1; last && (s == "{$}" || strings.HasSuffix(s, "...}")) {
			segments[i], subtree = "", s != "{$}"
		}
	}
	subtree = subtree || strings.HasSuffix(path, "/")
	concrete = strings.Join(segments, "/")
	// A pattern may be escaped already.
	if _, err := url.PathUnescape(concrete); err != nil || !strings.Contains(concrete, "%") {
		concrete = (&url.URL{Path: concrete}).EscapedPath()
	}
	return concrete, subtree
}
