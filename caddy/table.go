package caddycors

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/internal/routes"
	"github.com/crossorigin/cors/policyfile"
)

// A table finds the route of a request.
type table struct {
	found         routes.Table[*route]
	none          *route // of requests that no route matches
	namesUpstream bool
}

// A route is one of a cors.yaml made ready.
type route struct {
	pattern string
	policy  *cors.Middleware
	mode    edge.Mode
	shadow  bool
	metrics *routeMetrics
}

func newTable(f *policyfile.File, m *metrics) (*table, error) {
	t := &table{none: &route{policy: new(cors.Middleware), metrics: m.route("")}}
	for _, r := range f.Routes {
		policy, err := cors.New(r.Policy)
		if err != nil {
			return nil, err
		}
		made := &route{r.Pattern, policy, r.UpstreamHeaders, r.Shadow, m.route(r.Pattern)}
		if err := t.found.Add(r.Pattern, made); err != nil {
			return nil, err
		}
		t.namesUpstream = t.namesUpstream || r.Upstream != nil
	}
	return t, nil
}

// match returns the route of r as its client sent it, whatever a handler has made
// of the path since. It is not ok where a server behind Caddy may well read the
// path as that of another route. As with [cors.Routes], a path that has another
// route once it is clean has none.
func (t *table) match(r *http.Request) (matched *route, ok bool) {
	u := r.URL
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		u = original.URL
	}
	found, ok := t.found.Sure(r.Method, r.Host, u)
	if found == nil {
		return t.none, ok
	}
	return found.Value, true
}

func (r *route) decide(q *http.Request) cors.Decision {
	d := r.policy.Decide(q.Context(), cors.RequestOf(q))
	d.Route = r.pattern
	return d
}
