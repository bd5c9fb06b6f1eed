package caddycors

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// metrics count into the registry of a configuration of Caddy. They are those of
// cors serve, so that a dashboard fits both. No label holds anything that a
// client or an upstream sends.
type metrics struct {
	decisions *prometheus.CounterVec
	stripped  *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) (m *metrics, err error) {
	m = new(metrics)
	if m.decisions, err = register(registry, prometheus.CounterOpts{
		Name: "cors_decisions_total",
		Help: "Requests by what the policy said of them. In shadow mode it was only asked.",
	}, "route", "kind", "verdict", "reason"); err != nil {
		return nil, err
	}
	if m.stripped, err = register(registry, prometheus.CounterOpts{
		Name: "cors_upstream_headers_stripped_total",
		Help: "Responses of an upstream from which this header was removed.",
	}, "route", "header"); err != nil {
		return nil, err
	}
	return m, nil
}

// register returns the counters of that name, which several handlers share.
func register(registry *prometheus.Registry, o prometheus.CounterOpts, labels ...string) (*prometheus.CounterVec, error) {
	vec := prometheus.NewCounterVec(o, labels)
	err := registry.Register(vec)
	if registered := (prometheus.AlreadyRegisteredError{}); errors.As(err, &registered) {
		if there, ok := registered.ExistingCollector.(*prometheus.CounterVec); ok {
			return there, nil
		}
	}
	return vec, err
}

// The most kinds and reasons that package cors will ever have.
const (
	maxKinds   = 4
	maxReasons = 32
)

// routeMetrics holds the counters of a route, each looked up once.
type routeMetrics struct {
	metrics   *metrics
	pattern   string
	decisions [maxKinds][maxReasons]atomic.Pointer[prometheus.Counter]
	stripped  [len(edge.Names)]atomic.Pointer[prometheus.Counter]
}

func (m *metrics) route(pattern string) *routeMetrics {
	return &routeMetrics{metrics: m, pattern: pattern}
}

func (r *routeMetrics) decided(d cors.Decision) {
	count(&r.decisions[d.Kind][d.Reason], func() prometheus.Counter {
		return r.metrics.decisions.WithLabelValues(r.pattern, d.Kind.String(), verdict(d), d.Reason.String())
	})
}

func verdict(d cors.Decision) string {
	switch {
	case d.Kind == cors.NotCORS:
		return "none"
	case d.Allowed:
		return "allowed"
	}
	return "refused"
}

func (r *routeMetrics) strip(s edge.Stripped) {
	for i, name := range s.All() {
		count(&r.stripped[i], func() prometheus.Counter { return r.metrics.stripped.WithLabelValues(r.pattern, name) })
	}
}

// count adds to the counter in slot, which look finds the first time.
func count(slot *atomic.Pointer[prometheus.Counter], look func() prometheus.Counter) {
	counter := slot.Load()
	if counter == nil {
		c := look()
		counter = &c
		slot.Store(counter)
	}
	(*counter).Inc()
}
