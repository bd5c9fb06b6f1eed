package gateway

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/crossorigin/cors"
)

// A table finds the route of a request. It does not change.
type table struct {
	mux    *http.ServeMux
	routes map[string]*route // by pattern
	only   *route            // of all requests, where there is but one
	none   *route            // of requests that no route matches
}

// A route is a Route made ready.
type route struct {
	Route
	pattern   string
	gateway   *Gateway
	policy    *cors.Middleware
	upstream  *upstream     // nil where there is none
	metrics   *routeMetrics // nil where nobody asks
	exchanges sync.Pool
}

func (g *Gateway) newRoute(pattern string, r Route) (*route, error) {
	policy, err := cors.New(r.Policy)
	if err != nil {
		return nil, err
	}
	compiled := &route{Route: r, pattern: pattern, gateway: g, policy: policy, metrics: g.options.Metrics.route(pattern)}
	if r.Upstream != nil {
		compiled.upstream = g.upstreamTo(r.Upstream)
	}
	compiled.exchanges.New = func() any { return newExchange(compiled) }
	return compiled, nil
}

func (r *route) decide(ctx context.Context, q cors.Request) cors.Decision {
	d := r.policy.Decide(ctx, q)
	d.Route = r.pattern
	return d
}

func (r *route) exchange() *exchange { return r.exchanges.Get().(*exchange) }

// ServeHTTP is never called: a route is a handler so that a ServeMux finds it.
func (r *route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// match returns the route of r, by host and path alone. It is not ok where an
// upstream may well read the path as that of another route, whose policy may be
// another.
func (t *table) match(r *http.Request) (matched *route, ok bool) {
	if t.only != nil {
		return t.only, true
	}
	matched = t.find(r)
	if plain, differs := plainPath(r.URL); differs {
		asRead := *r
		asRead.URL = plain
		return matched, t.find(&asRead) == matched
	}
	return matched, true
}

func (t *table) find(r *http.Request) *route {
	handler, pattern := t.mux.Handler(r)
	if found, ok := handler.(*route); ok {
		return found
	}
	// The mux would redirect to a cleaner path, and says whose that is.
	if found := t.routes[pattern]; found != nil {
		return found
	}
	return t.none
}

// plainPath returns u with what many servers make of its path before they look
// at it: "%2F" and a backslash are slashes there, and what follows a semicolon
// in a segment is a parameter. It differs where that may not be what the mux
// sees, to which all these are letters.
func plainPath(u *url.URL) (plain *url.URL, differs bool) {
	if !strings.Contains(u.RawPath, "%") && !strings.ContainsAny(u.Path, `\;`) {
		return nil, false
	}
	p := parameters.ReplaceAllString(strings.ReplaceAll(u.Path, `\`, "/"), "")
	cleaned := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return &url.URL{Path: cleaned}, true
}

var parameters = regexp.MustCompile(`;[^/]*`)
