package audit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// AuditPolicies puts the questions of an [Auditor] to policies, by pattern as in
// [cors.NewRoutes], without a network: what would a server wrongly allow that
// keeps them? The inspections are in the order of the paths; each is told by its
// pattern in place of a URL.
func AuditPolicies(ctx context.Context, policies map[string]cors.Policy) ([]*Inspection, error) {
	target := Target{URL: "https://policy.invalid", Connect: map[string]string{}}
	for pattern := range policies {
		if i := strings.IndexByte(pattern, '/'); i > 0 {
			target.Connect[pattern[:i]] = pattern[:i]
		}
	}
	placed, err := routes(policies, &target)
	if err != nil {
		return nil, err
	}
	keeper, err := cors.NewRoutes(policies)
	if err != nil {
		return nil, err
	}
	server := keeper.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "what the route answers")
	}))
	var all []*Inspection
	for _, r := range placed {
		if r.pattern == "" {
			continue
		}
		if r.skip != "" {
			all = append(all, &Inspection{URL: r.pattern, Skipped: r.skip})
			continue
		}
		a := &Auditor{Transport: inProcess{server}, MaxRequests: 1000}
		for _, text := range r.policy.Origins {
			p, err := origin.InsecureParsePattern(text)
			if err != nil {
				return nil, fmt.Errorf("audit: route %q: %w", r.pattern, err)
			}
			for _, m := range members(p, text) {
				if o, err := origin.Parse(m.origin); err == nil && (o.Scheme() == "http" || o.Scheme() == "https") && len(a.Origins) < 16 {
					a.Origins = append(a.Origins, m.origin)
				}
			}
		}
		got, err := a.Audit(ctx, r.base+r.path)
		if err != nil {
			return nil, err
		}
		got.URL = r.pattern
		all = append(all, got)
	}
	return all, nil
}

// inProcess is a transport to a handler.
type inProcess struct{ http.Handler }

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}
