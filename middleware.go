package cors

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/crossorigin/cors/header"
)

// A Middleware keeps a policy. It is safe for concurrent use, its policy may be
// replaced while it serves.
type Middleware struct {
	policy  atomic.Pointer[compiled]
	observe atomic.Pointer[func(*http.Request, Decision)]
}

// New returns a middleware that keeps p. If p is refused, the error holds one
// [*PolicyError] for each mistake in it.
func New(p Policy) (*Middleware, error) {
	m := new(Middleware)
	if err := m.SetPolicy(p); err != nil {
		return nil, err
	}
	return m, nil
}

// SetPolicy replaces the policy while requests are served. If p is refused, the
// old policy stays, and the error holds one [*PolicyError] for each mistake.
func (m *Middleware) SetPolicy(p Policy) error {
	c, err := compile(p)
	if err != nil {
		return err
	}
	m.policy.Store(c)
	return nil
}

// Policy returns a copy of the policy that is in force.
func (m *Middleware) Policy() Policy { return m.policy.Load().policy.clone() }

// Observe has f told of each request and the decision on it, before the handler
// is called; nil ends that. The decision is the same with it and without. One
// function observes at a time.
func (m *Middleware) Observe(f func(*http.Request, Decision)) {
	if f == nil {
		m.observe.Store(nil)
		return
	}
	m.observe.Store(&f)
}

// Decide says what the policy says of r, without a trace in metrics or logs. It
// is what [Middleware.Wrap] asks, for servers that are not of net/http.
func (m *Middleware) Decide(ctx context.Context, r Request) Decision {
	return m.policy.Load().decide(ctx, r)
}

// DecideHTTP is [Middleware.Decide] for a request of net/http, of which the
// observer is told.
func (m *Middleware) DecideHTTP(r *http.Request) Decision {
	d := m.policy.Load().decide(r.Context(), RequestOf(r))
	if observe := m.observe.Load(); observe != nil {
		(*observe)(r, d)
	}
	return d
}

// RequestOf returns what of r the decision depends on.
func RequestOf(r *http.Request) Request {
	return Request{
		Method:                             r.Method,
		Origin:                             r.Header[header.Origin],
		AccessControlRequestMethod:         r.Header[header.AccessControlRequestMethod],
		AccessControlRequestHeaders:        r.Header[header.AccessControlRequestHeaders],
		AccessControlRequestPrivateNetwork: r.Header[header.AccessControlRequestPrivateNetwork],
	}
}

// Wrap returns next behind m: preflights are answered and never reach it, every
// other request does, with the headers that the policy grants already in the
// response.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, m.DecideHTTP(r), next)
	})
}

func serve(w http.ResponseWriter, r *http.Request, d Decision, next http.Handler) {
	d.Apply(w.Header())
	if d.Kind == Preflight {
		w.WriteHeader(d.Status())
		return
	}
	next.ServeHTTP(w, r)
}
