package cors

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Routes keeps a policy for each of several routes. It stands in front of any
// router, so that a preflight meets none.
type Routes struct {
	table   atomic.Pointer[routeTable]
	observe atomic.Pointer[func(*http.Request, Decision)]
}

type routeTable struct {
	mux      *http.ServeMux
	policies map[string]*compiled
}

// NewRoutes returns routes from patterns to policies. Patterns are those of
// [http.ServeMux] without a method, since a preflight carries another one than
// the request to come: the most specific one wins, and no policy is inherited
// from another. Where none matches, or the policy is the zero one, no origin is
// allowed.
func NewRoutes(policies map[string]Policy) (*Routes, error) {
	rs := new(Routes)
	if err := rs.SetPolicies(policies); err != nil {
		return nil, err
	}
	return rs, nil
}

// off is the policy where no route matches.
var off, _ = compile(Policy{})

// SetPolicies replaces all routes at once while requests are served. If one is
// refused, the old ones stay, and the error holds one [*PolicyError] for each
// mistake.
func (rs *Routes) SetPolicies(policies map[string]Policy) error {
	t := &routeTable{http.NewServeMux(), make(map[string]*compiled, len(policies))}
	var faults []error
	for _, pattern := range slices.Sorted(maps.Keys(policies)) {
		if err := t.register(pattern); err != nil {
			faults = append(faults, err)
			continue
		}
		c, err := compile(policies[pattern])
		if err != nil {
			for _, fault := range err.(interface{ Unwrap() []error }).Unwrap() {
				fault.(*PolicyError).Route = pattern
				faults = append(faults, fault)
			}
			continue
		}
		t.policies[pattern] = c
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	rs.table.Store(t)
	return nil
}

// register has the mux match pattern. The mux panics where it cannot.
func (t *routeTable) register(pattern string) (err error) {
	fault := &PolicyError{Field: "pattern", Index: -1, Value: pattern}
	if strings.ContainsAny(pattern, " \t") {
		fault.Reason, fault.Fix = "a route has no method: a preflight carries another than the request to come", "write the host and path alone"
		return fault
	}
	if pattern == "" {
		fault.Reason, fault.Fix = "a pattern is missing", `write a path such as "/api/", or "/" for every path`
		return fault
	}
	if scheme, rest, ok := strings.Cut(pattern, "://"); ok && !strings.Contains(scheme, "/") {
		fault.Reason, fault.Fix = "a route has no scheme", "write "+strconv.Quote(rest)
		return fault
	}
	if i := strings.IndexByte(pattern, '/'); i >= 0 && cleanPath(pattern[i:]) != pattern[i:] {
		fault.Reason, fault.Fix = "no request has this path once it is clean", fmt.Sprintf("write %q", pattern[:i]+cleanPath(pattern[i:]))
		return fault
	}
	if before, _, ok := strings.Cut(pattern, "*"); ok {
		fault.Reason, fault.Fix = `"*" matches only itself here`, fmt.Sprintf("write %q for all that begins with it, or %q for one segment", before, before+"{name}")
		return fault
	}
	defer func() {
		if said := recover(); said != nil {
			fault.Reason, fault.Fix = fmt.Sprint(said), `write a path such as "/api/", or a host and a path`
			if _, other, ok := strings.Cut(fault.Reason, "conflicts with pattern "); ok {
				other, _ = strconv.QuotedPrefix(other)
				fault.Reason, fault.Fix = "this and "+other+" match some of the same paths, and neither is the more specific one", "make one of them match less"
			}
			err = fault
		}
	}()
	t.mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// cleanPath is p as [http.ServeMux] looks for it.
func cleanPath(p string) string {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// Observe is [Middleware.Observe] for all routes.
func (rs *Routes) Observe(f func(*http.Request, Decision)) {
	if f == nil {
		rs.observe.Store(nil)
		return
	}
	rs.observe.Store(&f)
}

// DecideHTTP says what the policy of the route of r says of it, and tells the
// observer.
func (rs *Routes) DecideHTTP(r *http.Request) Decision {
	t := rs.table.Load()
	_, pattern := t.mux.Handler(r)
	c := t.policies[pattern]
	if c == nil {
		c = off
	}
	d := c.decide(r.Context(), RequestOf(r))
	if observe := rs.observe.Load(); observe != nil {
		(*observe)(r, d)
	}
	return d
}

// Wrap is [Middleware.Wrap] for all routes.
func (rs *Routes) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, rs.DecideHTTP(r), next)
	})
}
