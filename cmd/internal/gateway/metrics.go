package gateway

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// Metrics are what a gateway counts. The labels have no more values than the
// configuration has routes, and package cors has reasons; nothing that a client
// or an upstream sends becomes one. Nil counts nothing.
type Metrics struct {
	Registry *prometheus.Registry

	decisions *prometheus.CounterVec
	stripped  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	reloads   *prometheus.CounterVec
	version   prometheus.Gauge
	loaded    prometheus.Gauge
}

// NewMetrics returns metrics in a registry of their own, beside those of the
// process.
func NewMetrics() *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cors_decisions_total",
			Help: "Requests by what the policy said of them. In shadow mode it was only asked.",
		}, []string{"route", "kind", "verdict", "reason"}),
		stripped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cors_upstream_headers_stripped_total",
			Help: "Responses of an upstream from which this header was removed.",
		}, []string{"route", "header"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cors_gateway_errors_total",
			Help: "Requests that the gateway itself had to answer, or had to break off, by cause.",
		}, []string{"route", "cause"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cors_request_duration_seconds",
			Help:    "Time from the header of a request to the end of its response.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60},
		}, []string{"route", "kind"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cors_policy_reloads_total",
			Help: "Policies that were replaced, and policies that were refused.",
		}, []string{"result"}),
		version: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cors_policy_version",
			Help: "How many policies have been in force since the start, the present one included.",
		}),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cors_policy_loaded_timestamp_seconds",
			Help: "When the present policy came into force, in Unix time.",
		}),
	}
	m.Registry.MustRegister(m.decisions, m.stripped, m.errors, m.latency, m.reloads, m.version, m.loaded,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.reloads.WithLabelValues("replaced")
	m.reloads.WithLabelValues("refused")
	return m
}

// reloaded is told of each configuration: the version now in force, and whether
// it is a new one. The first is no reload.
func (m *Metrics) reloaded(version int, taken bool) {
	if m == nil {
		return
	}
	if !taken {
		m.refusedPolicy()
		return
	}
	if version > 1 {
		m.reloads.WithLabelValues("replaced").Inc()
	}
	m.version.Set(float64(version))
	m.loaded.SetToCurrentTime()
}

// refusedPolicy counts a policy that was refused before it became a [Config].
func (m *Metrics) refusedPolicy() {
	if m != nil {
		m.reloads.WithLabelValues("refused").Inc()
	}
}

// keepRoutes drops what was counted of routes that are no more, so that reloads
// do not pile up labels.
func (m *Metrics) keepRoutes(old, now *table) {
	if m == nil || old == nil {
		return
	}
	for pattern := range old.routes {
		if now.routes[pattern] != nil {
			continue
		}
		for _, vec := range []interface {
			DeletePartialMatch(prometheus.Labels) int
		}{m.decisions, m.stripped, m.errors, m.latency} {
			vec.DeletePartialMatch(prometheus.Labels{"route": pattern})
		}
	}
}

// The most kinds and reasons that package cors will ever have.
const (
	maxKinds   = 4
	maxReasons = 32
)

// routeMetrics holds the counters of a route, each looked up once.
type routeMetrics struct {
	metrics   *Metrics
	pattern   string
	decisions [maxKinds][maxReasons]atomic.Pointer[prometheus.Counter]
	latency   [maxKinds]atomic.Pointer[prometheus.Observer]
	stripped  [len(edge.Names)]atomic.Pointer[prometheus.Counter]
}

func (m *Metrics) route(pattern string) *routeMetrics {
	if m == nil {
		return nil
	}
	return &routeMetrics{metrics: m, pattern: pattern}
}

func (r *routeMetrics) decided(d cors.Decision) {
	count(&r.decisions[d.Kind][d.Reason], func() prometheus.Counter {
		return r.metrics.decisions.WithLabelValues(r.pattern, d.Kind.String(), verdict(d), d.Reason.String())
	})
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

func (r *routeMetrics) observe(k cors.Kind, d time.Duration) {
	slot := &r.latency[k]
	observer := slot.Load()
	if observer == nil {
		o := r.metrics.latency.WithLabelValues(r.pattern, k.String())
		observer = &o
		slot.Store(observer)
	}
	(*observer).Observe(d.Seconds())
}

func (r *routeMetrics) strip(s edge.Stripped) {
	for i, name := range s.All() {
		count(&r.stripped[i], func() prometheus.Counter { return r.metrics.stripped.WithLabelValues(r.pattern, name) })
	}
}

func (r *routeMetrics) failed(f *failure) {
	r.metrics.errors.WithLabelValues(r.pattern, f.cause).Inc()
}
