package main

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/envoy"
	"github.com/crossorigin/cors/policyfile"
)

// counted is a processor that is counted, and whose file may be replaced.
type counted struct {
	*envoy.Processor
	metrics *service.Metrics                                 // nil where nobody asks
	routes  atomic.Pointer[map[string]*service.RouteMetrics] // by pattern

	mu      sync.Mutex // for what follows
	version int
}

func newCounted(file *policyfile.File, m *service.Metrics, refused func(*http.Request, cors.Decision)) (*counted, error) {
	c := &counted{metrics: m}
	o := envoy.Options{Refused: refused}
	if m != nil {
		o.Decided = func(d cors.Decision) { c.route(d.Route, func(r *service.RouteMetrics) { r.Decided(d) }) }
		o.Stripped = func(pattern string, s edge.Stripped) {
			c.route(pattern, func(r *service.RouteMetrics) { r.Stripped(s) })
		}
		o.Failed = func(pattern, cause string) {
			c.route(pattern, func(r *service.RouteMetrics) { r.Failed(cause) })
		}
	}
	var err error
	if c.Processor, err = envoy.New(file, o); err != nil {
		return nil, err
	}
	c.begin(file)
	return c, nil
}

// route calls count for a route, unless it is no more.
func (c *counted) route(pattern string, count func(*service.RouteMetrics)) {
	if r := (*c.routes.Load())[pattern]; r != nil {
		count(r)
	}
}

// PutConfig replaces the file, as [service.Server] wants it.
func (c *counted) PutConfig(file *policyfile.File, last func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := last()
	if err == nil {
		err = c.SetFile(file)
	}
	if err != nil {
		c.metrics.Refused()
		return err
	}
	c.begin(file)
	return nil
}

// begin counts the routes of the file in force, and no others.
func (c *counted) begin(file *policyfile.File) {
	c.version++
	c.metrics.Replaced(c.version)
	now := map[string]*service.RouteMetrics{"": c.metrics.Route("")} // "" is of what no route matches
	for _, r := range file.Routes {
		now[r.Pattern] = c.metrics.Route(r.Pattern)
	}
	old := c.routes.Swap(&now)
	if old == nil {
		return
	}
	for pattern := range *old {
		if _, ok := now[pattern]; !ok {
			c.metrics.Forget(pattern)
		}
	}
}

// Version counts the files that were in force, from 1.
func (c *counted) Version() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// Routes counts the routes in force.
func (c *counted) Routes() int { return len(*c.routes.Load()) - 1 }
