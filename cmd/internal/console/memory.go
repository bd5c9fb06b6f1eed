package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// kept is how many decisions are remembered: as many that allow, and as many
// that refuse, so that a flood of the ones does not wash away the others.
const kept = 1_000

// The most reasons that package cors will ever have.
const maxReasons = 32

// A memory holds the last decisions, and counts all. What it takes does not
// depend on what clients send, and noting a decision neither waits nor, once
// it is warm, allocates.
type memory struct {
	notCORS, allowed atomic.Uint64
	refused          [maxReasons]atomic.Uint64 // by reason

	last             atomic.Uint64 // the number of the latest decision
	lastRead         atomic.Int64  // how many were read at last
	passes, refusals ring
}

func newMemory() *memory { return new(memory) }

// note is told of every decision.
func (m *memory) note(r *http.Request, d cors.Decision) {
	if d.Kind == cors.NotCORS {
		m.notCORS.Add(1)
		return
	}
	if d.Allowed {
		m.allowed.Add(1)
		m.passes.note(m.last.Add(1), r, d)
		return
	}
	m.refused[int(d.Reason)%maxReasons].Add(1)
	m.refusals.note(m.last.Add(1), r, d)
}

// A ring holds the last of the decisions that it is told of.
type ring struct {
	next  atomic.Uint64
	slots [kept]slot
}

type slot struct {
	mu       sync.Mutex
	id       uint64 // 0 where there is nothing yet
	drained  bool
	time     time.Time
	kind     cors.Kind
	allowed  bool
	reason   cors.Reason
	cut      bool   // any of the texts
	cutAsked bool   // one by which the policy of a route decides
	text     []byte // the texts, one after the other
	ends     [texts]int
}

// What of a request is kept, and how many bytes of each.
const (
	textOrigin = iota
	textName
	textRoute
	textMethod
	textHost
	textPath
	textRequestMethod
	textRequestHeaders
	texts
)

var maxText = [texts]int{origin.MaxLen, 256, 256, 64, 256, 256, 64, 1 << 10}

func (g *ring) note(id uint64, r *http.Request, d cors.Decision) {
	s := &g.slots[g.next.Add(1)%kept]
	if !s.mu.TryLock() {
		return // it is being read, or the ring has come round while it was written
	}
	defer s.mu.Unlock()
	s.id, s.drained, s.time, s.kind, s.allowed, s.reason, s.text = id, false, time.Now(), d.Kind, d.Allowed, d.Reason, s.text[:0]
	s.cut, s.cutAsked = false, false
	for i, text := range [texts]string{
		textOrigin:         d.Origin,
		textName:           d.Name,
		textRoute:          d.Route,
		textMethod:         r.Method,
		textHost:           r.Host,
		textPath:           r.URL.EscapedPath(),
		textRequestMethod:  r.Header.Get(header.AccessControlRequestMethod),
		textRequestHeaders: "",
	} {
		if i == textRequestHeaders {
			s.addLines(r.Header[header.AccessControlRequestHeaders])
			continue
		}
		if len(text) > maxText[i] {
			text, s.cut = text[:maxText[i]], true
			s.cutAsked = s.cutAsked || i != textName && i != textHost && i != textPath
		}
		s.text = append(s.text, text...)
		s.ends[i] = len(s.text)
	}
}

// addLines adds Access-Control-Request-Headers as one line, which means the same.
func (s *slot) addLines(lines []string) {
	start := len(s.text)
	for i, line := range lines {
		if i > 0 {
			s.text = append(s.text, ',')
		}
		room := maxText[textRequestHeaders] - (len(s.text) - start)
		if len(line) > room {
			line, s.cut, s.cutAsked = line[:max(room, 0)], true, true
		}
		s.text = append(s.text, line...)
		if s.cutAsked {
			break
		}
	}
	s.ends[textRequestHeaders] = len(s.text)
}

// An observation is what is remembered of a request, as it came.
type observation struct {
	ID      uint64
	Time    time.Time
	Kind    cors.Kind
	Allowed bool
	Reason  cors.Reason
	Name    string
	Origin  string // "" where it is none, or longer than any
	Route   string // the pattern
	Method  string // of the request itself: OPTIONS for a preflight
	Host    string
	Path    string

	RequestMethod  string // Access-Control-Request-Method
	RequestHeaders string // the lines of Access-Control-Request-Headers, as one

	// Cut is set where one of these was too long to be kept whole, and CutAsked
	// where that is one by which the policy of the route decides.
	Cut, CutAsked bool
}

// request is the view by which a policy decides.
func (o observation) request() cors.Request {
	q := cors.Request{Method: o.Method, Origin: []string{o.Origin}}
	if o.Kind == cors.Preflight {
		q.AccessControlRequestMethod = []string{o.RequestMethod}
		if o.RequestHeaders != "" {
			q.AccessControlRequestHeaders = []string{o.RequestHeaders}
		}
	}
	return q
}

// read returns what s holds, if anything; only what it has not returned to a
// drain before where this is one.
func (s *slot) read(drain bool) (o observation, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == 0 || drain && s.drained {
		return o, false
	}
	s.drained = s.drained || drain
	all := string(s.text)
	text := func(i int) string {
		start := 0
		if i > 0 {
			start = s.ends[i-1]
		}
		return all[start:s.ends[i]]
	}
	return observation{
		ID: s.id, Time: s.time, Kind: s.kind, Allowed: s.allowed, Reason: s.reason, Cut: s.cut, CutAsked: s.cutAsked,
		Name: text(textName), Origin: text(textOrigin), Route: text(textRoute), Method: text(textMethod), Host: text(textHost), Path: text(textPath),
		RequestMethod: text(textRequestMethod), RequestHeaders: text(textRequestHeaders),
	}, true
}

// all returns what is kept, the oldest first.
func (m *memory) all() []observation { return m.read(false, &m.passes, &m.refusals) }

// drain returns what came since it was called last, and is still kept.
func (m *memory) drain() []observation { return m.read(true, &m.passes, &m.refusals) }

func (m *memory) read(drain bool, rings ...*ring) (all []observation) {
	all = make([]observation, 0, m.lastRead.Load()+16)
	defer func() { m.lastRead.Store(int64(len(all))) }()
	for _, g := range rings {
		for i := range g.slots {
			if o, ok := g.slots[i].read(drain); ok {
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, func(a, b observation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// last returns the last n requests that had an Origin, n at most 1,000, the
// oldest first.
func (c *Console) last(n int) []observation {
	all := c.memory.all()
	return all[max(0, len(all)-n):]
}

// visible is s, which a client has sent, as it may be shown and logged: what
// would turn the direction of text, move a cursor or hide is written as an
// escape.
func visible(s string) string { return lines.Replace(report.Clean(s)) }

var lines = strings.NewReplacer("\n", `\n`, "\t", `\t`)
