package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/edge"
)

// A Config says what a gateway does. It is not to be changed once it is in use.
type Config struct {
	// Routes are by pattern, as [cors.NewRoutes] takes them.
	Routes map[string]Route

	// Upstream serves the requests that no route matches, by a policy that
	// allows nothing. Without one they get 404.
	Upstream *url.URL
}

// A Route is what becomes of the requests that its pattern matches.
type Route struct {
	Policy   cors.Policy
	Upstream *url.URL  // http, https, or h2c for HTTP/2 without TLS
	Headers  edge.Mode // whose CORS headers the responses of the upstream have

	// Shadow lets everything pass as if there were no gateway, preflights too;
	// what the policy would have said is logged and counted.
	Shadow bool
}

// Options are what of a gateway does not change while it runs. The zero value
// is useful.
type Options struct {
	// Access is written a record of each request that has been answered.
	Access *slog.Logger

	// Observe is told of each decision before it is acted upon. It must not keep
	// the request, which is used again.
	Observe func(*http.Request, cors.Decision)

	// Refused is likewise told of those that refuse, as by [cors.LogRefusals].
	Refused func(*http.Request, cors.Decision)

	Metrics *service.Metrics

	// HideCookies is how the names of cookies begin that are not passed on. Cookies
	// know no ports: those of another service at the gateway's host come along.
	// "" hides none.
	HideCookies string

	// UpstreamTimeout is how long an upstream may take to begin its answer: 0
	// means a minute.
	UpstreamTimeout time.Duration

	// StallTimeout is how long a client may make no progress in sending a body,
	// or in reading a long response: 0 means a minute.
	StallTimeout time.Duration
}

// A Gateway answers preflights by the policy of their route, and passes other
// requests to its upstream, owning the CORS headers of what comes back. It is
// safe for concurrent use.
type Gateway struct {
	table   atomic.Pointer[table]
	options Options

	mu        sync.Mutex // for what follows
	upstreams map[string]*upstream
	version   int
	endLook   context.CancelFunc // of the look under way
}

// New returns a gateway. If c is refused the error holds every mistake in it.
func New(c Config, o Options) (*Gateway, error) {
	if o.UpstreamTimeout == 0 {
		o.UpstreamTimeout = time.Minute
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = time.Minute
	}
	g := &Gateway{options: o, upstreams: make(map[string]*upstream)}
	if err := g.SetConfig(c); err != nil {
		return nil, err
	}
	return g, nil
}

// SetConfig replaces what g does while it serves: a request is answered wholly
// by the old configuration or by the new one. If c is refused the old one stays,
// and the error holds every mistake in c.
func (g *Gateway) SetConfig(c Config) error {
	return g.PutConfig(c, func() error { return nil })
}

// PutConfig is SetConfig with a last step that may fail, once c is known to be
// good.
func (g *Gateway) PutConfig(c Config, last func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.compile(c)
	if err == nil {
		err = last()
	}
	if err != nil {
		g.options.Metrics.Refused()
		return err
	}
	g.version++
	old := g.table.Swap(t)
	g.options.Metrics.Replaced(g.version)
	if old != nil {
		for pattern := range old.routes {
			if t.routes[pattern] == nil {
				g.options.Metrics.Forget(pattern)
			}
		}
	}
	g.keepUpstreams(t)
	return nil
}

// Version counts the configurations that were in force, from 1.
func (g *Gateway) Version() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.version
}

// Routes counts the routes.
func (g *Gateway) Routes() int { return len(g.table.Load().routes) }

func (g *Gateway) compile(c Config) (*table, error) {
	policies := make(map[string]cors.Policy, len(c.Routes))
	for pattern, r := range c.Routes {
		policies[pattern] = r.Policy
	}
	// It also knows what a pattern must be.
	_, err := cors.NewRoutes(policies)
	faults := []error{err}
	check := func(to *url.URL) {
		if to != nil {
			faults = append(faults, checkUpstream(to))
		}
	}
	check(c.Upstream)
	for _, r := range c.Routes {
		check(r.Upstream)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	t := &table{routes: make(map[string]*route, len(c.Routes))}
	if t.none, err = g.newRoute("", Route{Upstream: c.Upstream}); err != nil {
		return nil, err
	}
	for pattern, r := range c.Routes {
		if r.Upstream == nil {
			r.Upstream = c.Upstream
		}
		compiled, err := g.newRoute(pattern, r)
		if err != nil {
			return nil, err
		}
		t.routes[pattern] = compiled
		if err := t.found.Add(pattern, compiled); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ServeHTTP answers r: a preflight at once, and anything else by the upstream of
// its route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var start time.Time
	if g.options.Access != nil || g.options.Metrics != nil {
		start = time.Now()
	}
	route, ok := g.table.Load().match(r)
	d := route.decide(r.Context(), cors.RequestOf(r))
	g.observe(route, d, func() *http.Request { return r })
	if d.Kind == cors.Preflight && ok && !route.Shadow {
		if r.ContentLength != 0 {
			// The server reads it before it answers.
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.options.StallTimeout))
		}
		d.Apply(w.Header())
		status := d.Status()
		w.WriteHeader(status)
		g.answered(r, route, d, answer{start: start, status: status})
		return
	}
	route.exchange().serve(w, r, d, start, ok)
}

// observe tells of a decision on the request that r returns.
func (g *Gateway) observe(route *route, d cors.Decision, r func() *http.Request) {
	if route.metrics != nil {
		route.metrics.Decided(d)
	}
	if g.options.Observe != nil {
		g.options.Observe(r(), d)
	}
	if g.options.Refused != nil && !d.Allowed && d.Kind != cors.NotCORS {
		g.options.Refused(r(), d)
	}
}

// An answer is what was sent to a client.
type answer struct {
	start  time.Time // of the request
	status int       // 0 where the client went before there was one
	bytes  int64     // of the body
	failed *failure  // why the gateway itself has answered, or broken off
}

// answered tells the logs and metrics.
func (g *Gateway) answered(r *http.Request, route *route, d cors.Decision, a answer) {
	if route.metrics != nil {
		route.metrics.Took(d.Kind, time.Since(a.start))
		if a.failed != nil {
			route.metrics.Failed(a.failed.cause)
		}
	}
	if g.options.Access != nil {
		logAccess(g.options.Access, r, route, d, a)
	}
}
