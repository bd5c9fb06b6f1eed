package envoy

import (
	"context"
	"errors"
	"net/http"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/internal/routes"
	"github.com/crossorigin/cors/policyfile"
)

// A table finds the route of a request. It does not change.
type table struct {
	found routes.Table[*route]
	none  *route // of requests that no route matches
	count int
}

// A route is one of the file made ready.
type route struct {
	policyfile.Route
	policy *cors.Middleware
}

func newTable(file *policyfile.File) (*table, error) {
	// It also knows what a pattern must be.
	if _, err := cors.NewRoutes(file.Policies()); err != nil {
		return nil, err
	}
	t := &table{count: len(file.Routes)}
	var faults []error
	for _, r := range append([]policyfile.Route{{}}, file.Routes...) {
		policy, err := cors.New(r.Policy)
		compiled := &route{r, policy}
		if r.Pattern == "" {
			t.none = compiled
		} else {
			err = errors.Join(err, t.found.Add(r.Pattern, compiled))
		}
		faults = append(faults, err)
	}
	return t, errors.Join(faults...)
}

// find returns the route of r, by host and path alone. Where servers read the
// path in ways that have different routes it is that of no route; and r is
// refused where not even those agree that clean a path, since what stands behind
// Envoy may well be one of the others.
func (t *table) find(r *request) (found *route, refused bool) {
	u, readable := r.url()
	if !readable && r.Method != http.MethodConnect {
		return t.none, true
	}
	f, ok := t.found.Sure(r.Method, r.host, u)
	if f == nil {
		return t.none, !ok
	}
	return f.Value, false
}

func (r *route) decide(ctx context.Context, q cors.Request) cors.Decision {
	d := r.policy.Decide(ctx, q)
	d.Route = r.Pattern
	return d
}
