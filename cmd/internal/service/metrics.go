package service

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// Metrics are what a server of policies counts. The labels have no more values than the
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

// Replaced is told of each version that comes into force. The first is no
// reload.
func (m *Metrics) Replaced(version int) {
	if m == nil {
		return
	}
	if version > 1 {
		m.reloads.WithLabelValues("replaced").Inc()
	}
	m.version.Set(float64(version))
	m.loaded.SetToCurrentTime()
}

// Refused counts a policy that was not taken.
func (m *Metrics) Refused() {
	if m != nil {
		m.reloads.WithLabelValues("refused").Inc()
	}
}

// Forget drops what was counted of a route that is no more, so that reloads do
// not pile up labels.
func (m *Metrics) Forget(pattern string) {
	if m == nil {
		return
	}
	for _, vec := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.decisions, m.stripped, m.errors, m.latency} {
		vec.DeletePartialMatch(prometheus.Labels{"route": pattern})
	}
}

// The most kinds and reasons that package cors will ever have.
const (
	maxKinds   = 4
	maxReasons = 32
)

// RouteMetrics holds the counters of a route, each looked up once.
type RouteMetrics struct {
	metrics   *Metrics
	pattern   string
	decisions [maxKinds][maxReasons]atomic.Pointer[prometheus.Counter]
	latency   [maxKinds]atomic.Pointer[prometheus.Observer]
	stripped  [len(edge.Names)]atomic.Pointer[prometheus.Counter]
}

// Route returns the counters of a route, nil where nobody asks.
func (m *Metrics) Route(pattern string) *RouteMetrics {
	if m == nil {
		return nil
	}
	return &RouteMetrics{metrics: m, pattern: pattern}
}

// Decided counts a decision.
func (r *RouteMetrics) Decided(d cors.Decision) {
	count(&r.decisions[d.Kind][d.Reason], func() prometheus.Counter {
		return r.metrics.decisions.WithLabelValues(r.pattern, d.Kind.String(), Verdict(d), d.Reason.String())
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

// Took notes how long a request of this kind took.
func (r *RouteMetrics) Took(k cors.Kind, d time.Duration) {
	slot := &r.latency[k]
	observer := slot.Load()
	if observer == nil {
		o := r.metrics.latency.WithLabelValues(r.pattern, k.String())
		observer = &o
		slot.Store(observer)
	}
	(*observer).Observe(d.Seconds())
}

// Stripped counts the headers that a response lost.
func (r *RouteMetrics) Stripped(s edge.Stripped) {
	for i, name := range s.All() {
		count(&r.stripped[i], func() prometheus.Counter { return r.metrics.stripped.WithLabelValues(r.pattern, name) })
	}
}

// Failed counts a request that the server itself had to answer, or break off.
func (r *RouteMetrics) Failed(cause string) {
	r.metrics.errors.WithLabelValues(r.pattern, cause).Inc()
}

// Verdict is "allowed", "refused", or "none" of what is not CORS.
func Verdict(d cors.Decision) string {
	switch {
	case d.Kind == cors.NotCORS:
		return "none"
	case d.Allowed:
		return "allowed"
	}
	return "refused"
}
