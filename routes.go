package cors

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/crossorigin/cors/internal/routes"
)

// Routes keeps a policy for each of several routes. It stands in front of any
// router, so that a preflight meets none. It is safe for concurrent use; the
// zero Routes allows nothing.
type Routes struct {
	table    atomic.Pointer[routes.Table[*compiled]]
	observer observer
}

// NewRoutes returns routes from patterns to policies. Patterns are those of
// [http.ServeMux] without a method, since a preflight carries another one than
// the request to come: the most specific one wins, and no policy is inherited
// from another. Where none matches, or the policy is the zero one, no origin is
// allowed.
//
//	"/"                       every path that no other pattern matches
//	"/api/"                   what begins with it, and "/api" unless that has its own
//	"/users/{id}/avatar"      any one segment in place of {id}
//	"api.example.com/v2/"     on that host alone, whatever the port
//
// Routers differ in what they make of a path with an empty segment, a dot
// segment, an escape such as "%2F", a backslash or a semicolon. Where these
// readings of one path have different routes, no origin is allowed.
func NewRoutes(policies map[string]Policy) (*Routes, error) {
	rs := new(Routes)
	if err := rs.SetPolicies(policies); err != nil {
		return nil, err
	}
	return rs, nil
}

// SetPolicies replaces all routes at once while requests are served. If one is
// refused, the old ones stay, and the error holds one [*PolicyError] for each
// mistake.
func (rs *Routes) SetPolicies(policies map[string]Policy) error {
	t := new(routes.Table[*compiled])
	var faults []error
	for _, pattern := range slices.Sorted(maps.Keys(policies)) {
		c, err := compile(policies[pattern])
		if err != nil {
			for _, fault := range err.(interface{ Unwrap() []error }).Unwrap() {
				fault.(*PolicyError).Route = pattern
				faults = append(faults, fault)
			}
		}
		var bad *routes.Fault
		if errors.As(t.Add(pattern, c), &bad) {
			faults = append(faults, &PolicyError{Field: "pattern", Index: -1, Value: pattern, Reason: bad.Reason, Fix: bad.Fix})
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	rs.table.Store(t)
	return nil
}

// Observe is [Middleware.Observe] for all routes.
func (rs *Routes) Observe(f func(*http.Request, Decision)) { rs.observer.set(f) }

// Decide says what the policy of a route says of r, without a trace in metrics
// or logs. Path is that of the request line, escapes and all; a query behind it
// does not matter.
func (rs *Routes) Decide(ctx context.Context, host, path string, r Request) Decision {
	var d Decision
	path, _, _ = strings.Cut(path, "?")
	u := url.URL{RawPath: path}
	var err error
	if u.Path, err = url.PathUnescape(path); err != nil {
		off.decide(ctx, &r, &d)
		return d
	}
	rs.decide(ctx, host, &u, &r, &d)
	return d
}

// DecideHTTP is [Routes.Decide] for a request of net/http, of which the observer
// is told.
func (rs *Routes) DecideHTTP(r *http.Request) (d Decision) {
	view := RequestOf(r)
	rs.decideHTTP(r, &view, &d)
	return d
}

func (rs *Routes) decideHTTP(r *http.Request, view *Request, d *Decision) {
	rs.decide(r.Context(), r.Host, r.URL, view, d)
	rs.observer.tell(r, d)
}

func (rs *Routes) decide(ctx context.Context, host string, u *url.URL, r *Request, d *Decision) {
	c := off
	if t := rs.table.Load(); t != nil {
		if route, _ := t.Sure(r.Method, host, u); route != nil {
			c, d.Route = route.Value, route.Pattern
		}
	}
	c.decide(ctx, r, d)
}

// Wrap is [Middleware.Wrap] for all routes.
func (rs *Routes) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var d Decision
		view := RequestOf(r)
		rs.decideHTTP(r, &view, &d)
		serve(w, r, &view, &d, next)
	})
}
