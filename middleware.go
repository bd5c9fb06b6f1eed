package cors

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/intercept"
)

// A Middleware keeps a policy. It is safe for concurrent use, its policy may be
// replaced while it serves. The zero Middleware allows nothing.
type Middleware struct {
	policy   atomic.Pointer[compiled]
	observer observer
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

// SetPolicy replaces the policy while requests are served: each is decided and
// answered by the old one or by the new one. If p is refused, the old policy
// stays, and the error holds one [*PolicyError] for each mistake.
func (m *Middleware) SetPolicy(p Policy) error {
	c, err := compile(p)
	if err != nil {
		return err
	}
	m.policy.Store(c)
	return nil
}

// Policy returns a copy of the policy that is in force. An exact origin that was
// listed twice is there once.
func (m *Middleware) Policy() Policy { return m.compiled().restored() }

func (m *Middleware) compiled() *compiled {
	if c := m.policy.Load(); c != nil {
		return c
	}
	return off
}

// Observe has f told of each request and the decision on it, before the handler
// is called; nil ends that. The decision is the same with it and without. One
// function observes at a time. See [LogRefusals].
func (m *Middleware) Observe(f func(*http.Request, Decision)) { m.observer.set(f) }

// Decide says what the policy says of r, without a trace in metrics or logs. It
// is what [Middleware.Wrap] asks, for servers that are not of net/http.
func (m *Middleware) Decide(ctx context.Context, r Request) Decision {
	var d Decision
	m.compiled().decide(ctx, &r, &d)
	return d
}

// DecideHTTP is [Middleware.Decide] for a request of net/http, of which the
// observer is told.
func (m *Middleware) DecideHTTP(r *http.Request) (d Decision) {
	view := RequestOf(r)
	m.decideHTTP(r, &view, &d)
	return d
}

func (m *Middleware) decideHTTP(r *http.Request, view *Request, d *Decision) {
	m.compiled().decide(r.Context(), view, d)
	m.observer.tell(r, d)
}

// RequestOf returns what of r the decision depends on. The lines are those of
// r.Header, not copies.
func RequestOf(r *http.Request) Request {
	view := Request{Method: r.Method, Origin: r.Header[header.Origin]}
	if r.Method == http.MethodOptions && len(view.Origin) > 0 {
		view.AccessControlRequestMethod = r.Header[header.AccessControlRequestMethod]
		view.AccessControlRequestHeaders = r.Header[header.AccessControlRequestHeaders]
		view.AccessControlRequestPrivateNetwork = r.Header[header.AccessControlRequestPrivateNetwork]
	}
	return view
}

// Wrap returns next behind m: preflights are answered and never reach it, every
// other request does, with the headers that the policy grants already in the
// response. Where next may write CORS headers or Vary of its own, see
// [Policy.OverrideHandler].
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var d Decision
		view := RequestOf(r)
		m.decideHTTP(r, &view, &d)
		serve(w, r, &view, &d, next)
	})
}

func serve(w http.ResponseWriter, r *http.Request, view *Request, d *Decision, next http.Handler) {
	switch {
	case d.policy.policy.OverrideHandler:
		override(w, r, *d, next)
	case d.Kind == Preflight:
		d.apply(w.Header(), view)
		w.WriteHeader(d.Status())
	default:
		d.apply(w.Header(), view)
		next.ServeHTTP(w, r)
	}
}

// override has next answer, and d written over what next says of CORS.
func override(w http.ResponseWriter, r *http.Request, d Decision, next http.Handler) {
	if d.Kind == Preflight {
		d.Own(w.Header())
		w.WriteHeader(d.Status())
		return
	}
	intercept.Serve(w, r, next, func(h http.Header, status int) {
		if status >= 200 || status == http.StatusSwitchingProtocols {
			d.Own(h)
		} else {
			Strip(h) // no browser applies CORS to informational responses
		}
	})
}

// An observer is told of decisions.
type observer struct {
	f atomic.Pointer[func(*http.Request, Decision)]
}

func (o *observer) set(f func(*http.Request, Decision)) {
	if f == nil {
		o.f.Store(nil)
		return
	}
	o.f.Store(&f)
}

func (o *observer) tell(r *http.Request, d *Decision) {
	if f := o.f.Load(); f != nil {
		(*f)(r, *d)
	}
}
