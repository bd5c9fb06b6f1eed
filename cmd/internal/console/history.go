package console

import (
	"sync"
	"time"

	"github.com/crossorigin/cors"
)

// counts are decisions by reason; those that allow are under ReasonNone.
type counts [maxReasons]uint64

func (m *memory) counts() (c counts) {
	c[cors.ReasonNone] = m.allowed.Load()
	for i := range m.refused {
		c[i] += m.refused[i].Load()
	}
	return c
}

// A history is what was counted of late, in steps of several lengths.
type history struct {
	mu    sync.Mutex
	last  counts
	spans []*span
}

// A span is one length of time, in equal steps.
type span struct {
	name  string
	step  time.Duration
	at    int64 // the number of the present step since 1970
	steps []counts
}

func newHistory(now time.Time) *history {
	h := new(history)
	for _, s := range []span{
		{name: "5m", step: time.Second, steps: make([]counts, 300)},
		{name: "1h", step: 10 * time.Second, steps: make([]counts, 360)},
		{name: "24h", step: 5 * time.Minute, steps: make([]counts, 288)},
	} {
		s.at = s.number(now)
		h.spans = append(h.spans, &s)
	}
	return h
}

func (s *span) number(t time.Time) int64 { return t.UnixNano() / int64(s.step) }

// take is told at now what has been counted since the start.
func (h *history) take(now time.Time, total counts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.spans {
		s.forward(s.number(now))
		present := &s.steps[s.at%int64(len(s.steps))]
		for i, n := range total {
			present[i] += n - h.last[i]
		}
	}
	h.last = total
}

// forward begins steps up to that of number to. A clock that was set back stays
// in the present one.
func (s *span) forward(to int64) {
	if to-s.at > int64(len(s.steps)) {
		s.at = to - int64(len(s.steps))
	}
	for s.at < to {
		s.at++
		s.steps[s.at%int64(len(s.steps))] = counts{}
	}
}

// perSecond is the mean of the last whole seconds.
func (h *history) perSecond() float64 {
	const seconds = 5
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.spans[0]
	var sum uint64
	for back := int64(1); back <= seconds; back++ {
		for _, n := range s.steps[(s.at-back)%int64(len(s.steps))] {
			sum += n
		}
	}
	return float64(sum) / seconds
}

// A toldHistory is a span as the page has it.
type toldHistory struct {
	Step   int          `json:"step"` // seconds
	Times  []int64      `json:"times"`
	Series []toldSeries `json:"series"`
}

type toldSeries struct {
	Verdict string   `json:"verdict"`
	Reason  string   `json:"reason"`
	Counts  []uint64 `json:"counts"`
}

// of returns the span of that name, the oldest step first.
func (h *history) of(name string) (told toldHistory, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.spans {
		if s.name == name {
			return s.tell(), true
		}
	}
	return told, false
}

func (s *span) tell() toldHistory {
	n := int64(len(s.steps))
	told := toldHistory{Step: int(s.step / time.Second), Series: []toldSeries{}}
	for i := s.at - n + 1; i <= s.at; i++ {
		told.Times = append(told.Times, i*int64(told.Step))
	}
	for reason := range maxReasons {
		series := toldSeries{Verdict: "refused", Reason: cors.Reason(reason).String()}
		if cors.Reason(reason) == cors.ReasonNone {
			series.Verdict = "allowed"
		}
		var sum uint64
		for i := s.at - n + 1; i <= s.at; i++ {
			count := s.steps[i%n][reason]
			sum += count
			series.Counts = append(series.Counts, count)
		}
		if sum > 0 {
			told.Series = append(told.Series, series)
		}
	}
	return told
}
