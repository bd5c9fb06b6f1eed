package gateway

import (
	"context"
	"net/http"
	"sync"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/internal/routes"
)

// A table finds the route of a request. It does not change.
type table struct {
	found  routes.Table[*route]
	routes map[string]*route // by pattern
	none   *route            // of requests that no route matches
}

// A route is a Route made ready.
type route struct {
	Route
	pattern   string
	gateway   *Gateway
	policy    *cors.Middleware
	upstream  *upstream             // nil where there is none
	metrics   *service.RouteMetrics // nil where nobody asks
	exchanges sync.Pool
}

func (g *Gateway) newRoute(pattern string, r Route) (*route, error) {
	policy, err := cors.New(r.Policy)
	if err != nil {
		return nil, err
	}
	compiled := &route{Route: r, pattern: pattern, gateway: g, policy: policy, metrics: g.options.Metrics.Route(pattern)}
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

// match returns the route of r, by host and path alone. It is not ok where an
// upstream may well read the path as that of another route, whose policy may be
// another.
func (t *table) match(r *http.Request) (matched *route, ok bool) {
	found, certainty := t.found.Find(r.Host, r.URL)
	if found == nil {
		return t.none, certainty != routes.Uncertain
	}
	return found.Value, certainty != routes.Uncertain
}
