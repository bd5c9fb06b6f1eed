package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// How much of the decisions pages are told.
const (
	tick       = 250 * time.Millisecond
	maxReaders = 32  // pages that are open at once
	maxShown   = 200 // decisions that a page is told at first
	maxTold    = 40  // decisions in one event after that
	maxOrigins = 20  // refused origins

	maxFilter = 200 // bytes

	originsEvery = 4 // ticks
)

// Observe takes note of a decision. It is what a gateway is given.
func (c *Console) Observe(r *http.Request, d cors.Decision) { c.memory.note(r, d) }

// live tells pages what is decided.
type live struct {
	memory  *memory
	policy  func() Policy
	history *history
	timeout time.Duration // within which a page has to read an event

	mu      sync.Mutex
	readers int
	now     *moment

	telling   sync.Mutex // for what follows
	mends     map[refusal]mend
	mendedFor *policyfile.File
}

// A moment is what is new, made once for all readers, who follow from one to
// the next at a pace of their own: a reader that does not is cut off before many
// pile up.
type moment struct {
	decisions []observation
	passing   map[string]policyfile.Route
	counts    []byte // the event
	origins   []byte // the event; nil where nothing has changed

	next  *moment
	ready chan struct{} // closed once there is next

	mu   sync.Mutex
	told map[filter][]byte // the events of decisions, for those who want the same
}

// event is what a reader is told of the decisions of m.
func (m *moment) event(f filter) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	told, ok := m.told[f]
	if !ok {
		told = f.decisions(m.decisions, maxTold, m.passing)
		if m.told == nil {
			m.told = make(map[filter][]byte)
		}
		m.told[f] = told
	}
	return told
}

func newMoment() *moment { return &moment{ready: make(chan struct{})} }

func newLive(m *memory, policy func() Policy) *live {
	return &live{memory: m, policy: policy, history: newHistory(time.Now()), timeout: 10 * time.Second, now: newMoment()}
}

func mountLive(c *Console, mux *http.ServeMux) {
	mux.HandleFunc("GET /live/events", c.live.events)
	mux.HandleFunc("GET /live/history", c.live.serveHistory)
}

// liveConnects is the gateway, where there are examples to send to it.
func liveConnects(c *Console, _ *http.Request) []string {
	if len(c.options.Examples) == 0 {
		return nil
	}
	return []string{c.options.Gateway}
}

// liveData are the reasons by which a page filters, and the examples.
func liveData(c *Console, _ *http.Request) any {
	var reasons []string
	for r := cors.ReasonNone + 1; r.String() != "unknown"; r++ {
		reasons = append(reasons, r.String())
	}
	return map[string]any{"Reasons": reasons, "Examples": c.options.Examples}
}

// run keeps the history, and makes a moment four times a second where somebody
// reads.
func (l *live) run(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	var origins []byte
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			l.history.take(now, l.memory.counts())
			if l.isRead() {
				m := newMoment()
				m.decisions, m.passing, m.counts = l.memory.drain(), l.policy().passing(), l.counts()
				if i%originsEvery == 0 {
					if o := l.origins(); !bytes.Equal(o, origins) {
						m.origins, origins = o, o
					}
				}
				l.tell(m)
			}
		}
	}
}

func (l *live) isRead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readers > 0
}

func (l *live) tell(m *moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.next = m
	close(l.now.ready)
	l.now = m
}

// join returns the present moment to a reader, unless there are too many.
func (l *live) join() (*moment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers == maxReaders {
		return nil, false
	}
	l.readers++
	return l.now, true
}

func (l *live) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
}

// events sends what is kept, and what is to come, as server-sent events.
func (l *live) events(w http.ResponseWriter, r *http.Request) {
	f, err := newFilter(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m, ok := l.join()
	if !ok {
		w.Header().Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("%d consoles are open, and no more can be: close one", maxReaders), http.StatusServiceUnavailable)
		return
	}
	defer l.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	http.NewResponseController(w).SetReadDeadline(time.Time{}) // the request has been read
	s := stream{w: w, timeout: l.timeout}
	kept := l.memory.all()
	if s.flush(f.decisions(kept, maxShown, l.policy().passing()), l.counts(), l.origins()) != nil {
		return
	}
	// The next moments may repeat some of the past.
	past := make(map[uint64]bool, len(kept))
	for _, o := range kept {
		past[o.ID] = true
	}
	for repeats := 2; ; repeats-- {
		select {
		case <-r.Context().Done():
			return
		case <-m.ready:
			m = m.next
		}
		decisions, origins := m.decisions, m.origins
		alone := repeats <= 0
		for isClosed(m.ready) {
			m, alone = m.next, false
			decisions = append(decisions[:len(decisions):len(decisions)], m.decisions...)
			if m.origins != nil {
				origins = m.origins
			}
		}
		var told []byte
		if alone {
			told = m.event(f)
		} else {
			decisions = slices.DeleteFunc(slices.Clone(decisions), func(o observation) bool { return past[o.ID] })
			told = f.decisions(decisions, maxTold, m.passing)
		}
		if s.flush(told, m.counts, origins) != nil {
			return
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A stream is what one page is told.
type stream struct {
	w       http.ResponseWriter
	timeout time.Duration
	buf     bytes.Buffer
}

// A told decision is one as the page has it.
type toldDecision struct {
	ID      uint64 `json:"id"`
	Time    string `json:"time"`
	Kind    string `json:"kind"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
	Name    string `json:"name"`
	Origin  string `json:"origin"`
	Method  string `json:"method"` // the one to come, for a preflight
	Host    string `json:"host"`
	Path    string `json:"path"`
	Route   string `json:"route"`
	Shadow  bool   `json:"shadow"` // the policy was asked, and not enforced
}

// decisions is the event of those of all that f wants, limit at most; nil where
// there are none. Some by a route of passing were not enforced.
func (f filter) decisions(all []observation, limit int, passing map[string]policyfile.Route) []byte {
	wanted := all
	if f != (filter{}) {
		wanted = nil
		for _, o := range all {
			if f.wants(o) {
				wanted = append(wanted, o)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	told := make([]toldDecision, 0, limit)
	for _, o := range sample(wanted, limit) {
		d := tellDecision(o)
		r, ok := passing[o.Route]
		d.Shadow = ok && passes(r, o.Kind)
		told = append(told, d)
	}
	return event("decisions", toJSON(map[string]any{"decisions": told, "skipped": len(wanted) - len(told)}))
}

// passing are the routes, by pattern, that do not enforce each decision.
func (p Policy) passing() map[string]policyfile.Route {
	routes := make(map[string]policyfile.Route)
	if p.File == nil {
		return routes
	}
	for _, r := range p.File.Routes {
		if passes(r, cors.Actual) {
			routes[r.Pattern] = r
		}
	}
	return routes
}

// sample is the last of all, and where there are many the last of those that
// refuse, so that a flood of others does not hide them.
func sample(all []observation, limit int) []observation {
	if len(all) <= limit {
		return all
	}
	taken := make([]bool, len(all))
	n := 0
	take := func(upTo int, which func(observation) bool) {
		for i := len(all) - 1; i >= 0 && n < upTo; i-- {
			if !taken[i] && which(all[i]) {
				taken[i] = true
				n++
			}
		}
	}
	take(limit/2, func(o observation) bool { return !o.Allowed })
	take(limit, func(observation) bool { return true })
	some := make([]observation, 0, limit)
	for i, o := range all {
		if taken[i] {
			some = append(some, o)
		}
	}
	return some
}

func tellDecision(o observation) toldDecision {
	return toldDecision{
		ID: o.ID, Time: o.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Kind: o.Kind.String(), Allowed: o.Allowed, Reason: o.Reason.String(),
		Name: visible(o.Name), Origin: visible(o.Origin), Method: visible(o.wants()), Host: visible(o.Host), Path: visible(o.Path), Route: visible(o.Route),
	}
}

// wants is the method of the request that is to come, or has come.
func (o observation) wants() string {
	if o.Kind == cors.Preflight {
		return o.RequestMethod
	}
	return o.Method
}

func event(name string, data []byte) []byte {
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
}

// flush sends events, and fails where the page does not read them.
func (s *stream) flush(events ...[]byte) error {
	s.buf.Reset()
	for _, e := range events {
		s.buf.Write(e)
	}
	c := http.NewResponseController(s.w)
	c.SetWriteDeadline(time.Now().Add(s.timeout))
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return err
	}
	return c.Flush()
}

func toJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // there is nothing in it that JSON has not
	}
	return data
}

// A filter is what a page wants to see; what it does not name it wants all of.
type filter struct{ text, verdict, kind, reason string }

func newFilter(r *http.Request) (filter, error) {
	q := r.URL.Query()
	f := filter{text: strings.ToLower(q.Get("text")), verdict: q.Get("verdict"), kind: q.Get("kind"), reason: q.Get("reason")}
	if !slices.Contains([]string{"", "allowed", "refused"}, f.verdict) {
		return f, fmt.Errorf("verdict %.40q: write allowed or refused", f.verdict)
	}
	if len(f.text) > maxFilter {
		return f, fmt.Errorf("text %.40q: write %d bytes at most", f.text, maxFilter)
	}
	return f, nil
}

func (f filter) wants(o observation) bool {
	switch {
	case f.verdict != "" && o.Allowed != (f.verdict == "allowed"),
		f.kind != "" && f.kind != o.Kind.String(),
		f.reason != "" && f.reason != o.Reason.String():
		return false
	case f.text == "":
		return true
	}
	for _, s := range []string{o.Origin, o.Host + o.Path, o.Name, o.wants()} {
		if strings.Contains(strings.ToLower(s), f.text) {
			return true
		}
	}
	return false
}

func (l *live) counts() []byte {
	var allowed, refused uint64
	for reason, n := range l.memory.counts() {
		if reason == int(cors.ReasonNone) {
			allowed += n
		} else {
			refused += n
		}
	}
	return event("counts", toJSON(map[string]any{"allowed": allowed, "refused": refused, "notCORS": l.memory.notCORS.Load(), "perSecond": l.history.perSecond()}))
}

// A refusal is what refusals have in common that are counted as one.
type refusal struct {
	origin, name, route string
	reason              cors.Reason
}

// A refusedOrigin stands for the refusals of one origin for one reason.
type refusedOrigin struct {
	Origin string `json:"origin"`
	Reason string `json:"reason"`
	Name   string `json:"name"`
	Route  string `json:"route"`
	Count  int    `json:"count"` // of the refusals that are kept
	Last   string `json:"last"`
	Mend   mend   `json:"mend"`
}

// origins tells who is refused most, among the refusals that are kept.
func (l *live) origins() []byte {
	l.telling.Lock()
	defer l.telling.Unlock()
	counts := make(map[refusal]int)
	latest := make(map[refusal]observation)
	refusals := l.memory.read(false, &l.memory.refusals)
	for _, o := range refusals {
		k := refusal{o.Origin, o.Name, o.Route, o.Reason}
		counts[k]++
		latest[k] = o
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b refusal) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(latest[b].ID, latest[a].ID))
	})
	told := make([]refusedOrigin, 0, maxOrigins)
	policy := l.policy()
	if policy.File != l.mendedFor || len(l.mends) > 10*maxOrigins {
		l.mendedFor, l.mends = policy.File, make(map[refusal]mend)
	}
	for _, k := range keys[:min(len(keys), maxOrigins)] {
		m, ok := l.mends[k]
		if !ok {
			m = mendOf(policy, latest[k])
			l.mends[k] = m
		}
		d := tellDecision(latest[k])
		told = append(told, refusedOrigin{Origin: d.Origin, Reason: d.Reason, Name: d.Name, Route: d.Route, Count: counts[k], Last: d.Time, Mend: m})
	}
	return event("origins", toJSON(map[string]any{"origins": told, "of": len(refusals), "others": max(0, len(keys)-maxOrigins)}))
}

func (l *live) serveHistory(w http.ResponseWriter, r *http.Request) {
	span := cmp.Or(r.URL.Query().Get("span"), "5m")
	h, ok := l.history.of(span)
	if !ok {
		http.Error(w, fmt.Sprintf("span %.40q: write 5m, 1h or 24h", span), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(toJSON(h))
}
