package origin

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Set holds patterns and finds the ones that match an origin: exact origins
// in a flat hash, the others in an index that costs only where there are any.
// The zero Set is empty and ready. Patterns may be added and removed while
// other goroutines ask.
type Set struct {
	mu       sync.Mutex // held by writers
	exact    atomic.Pointer[table]
	patterns atomic.Pointer[index]
}

// Add adds patterns. If one cannot be parsed, none is added and the error holds
// a [*PatternError] for each that cannot.
//
// An exact origin costs the same however many there are. The patterns with a
// wildcard are copied at each change: add many of them in one call.
func (s *Set) Add(patterns ...string) error {
	exact, others, err := parseAll(patterns, ParsePattern)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addExact(exact)
	if len(others) > 0 {
		s.patterns.Store(s.patterns.Load().with(others))
	}
	return nil
}

// AddPattern adds parsed patterns, also those of [InsecureParsePattern].
func (s *Set) AddPattern(patterns ...Pattern) {
	var exact []string
	var others []Pattern
	for _, p := range patterns {
		switch {
		case p.kind == matchHost && p.port != "*":
			exact = append(exact, p.String())
		case p.kind != matchNone:
			others = append(others, p)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addExact(exact)
	if len(others) > 0 {
		s.patterns.Store(s.patterns.Load().with(others))
	}
}

// Remove removes patterns, as they were written; one that is not there is no
// error. Nothing is removed if a pattern cannot be parsed.
func (s *Set) Remove(patterns ...string) error {
	exact, others, err := parseAll(patterns, InsecureParsePattern)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeExact(exact)
	if len(others) > 0 {
		s.patterns.Store(s.patterns.Load().without(others))
	}
	return nil
}

// parseAll parts patterns into the exact origins among them and the others.
func parseAll(patterns []string, parse func(string) (Pattern, error)) (exact []string, others []Pattern, err error) {
	var errs []error
	for i, text := range patterns {
		switch {
		case !isExact(text):
		case len(exact) == i:
			exact = patterns[: i+1 : i+1] // no copy of a million strings
			continue
		default:
			exact = append(exact, text)
			continue
		}
		p, err := parse(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		others = append(others, p)
	}
	return exact, others, errors.Join(errs...)
}

func (s *Set) addExact(exact []string) {
	if len(exact) == 0 {
		return
	}
	t := s.exact.Load()
	if t == nil || !t.hasRoom(len(exact)) {
		// Room is made for the new ones alone: a list that is added again and again,
		// as it grows, must not double the table each time.
		n, size := 0, 0
		for _, o := range exact {
			if t == nil || !t.has(o) {
				n, size = n+1, size+entrySize(o)
			}
		}
		t = t.grown(n, size)
		defer s.exact.Store(t) // when it is full, so that no reader misses an origin meanwhile
	}
	for _, o := range exact {
		t.add(o)
	}
}

func (s *Set) removeExact(exact []string) {
	t := s.exact.Load()
	if t == nil {
		return
	}
	for _, o := range exact {
		t.remove(o)
	}
	if t.removed > t.live {
		s.exact.Store(t.grown(0, 0))
	}
}

// Contains reports whether a pattern in s matches o.
func (s *Set) Contains(o Origin) bool {
	if t := s.exact.Load(); t != nil && !o.Opaque() {
		var buf [MaxLen]byte
		b := o.append(buf[:0])
		if t.find(maphash.Bytes(t.seed, b), view(b)) {
			return true
		}
	}
	return s.patterns.Load().match(&o)
}

// ContainsString reports whether a pattern in s matches the origin whose
// serialisation is serialised. It is faster than [Parse] and [Set.Contains]:
// where the origin is in s as it stands it is not parsed at all.
func (s *Set) ContainsString(serialised string) bool {
	if s.containsExact(serialised) {
		return true
	}
	patterns := s.patterns.Load()
	if patterns == nil {
		return false
	}
	o, err := Parse(serialised)
	return err == nil && patterns.match(&o)
}

// Find is [Set.ContainsString], and where nothing matches it returns what [Parse]
// does.
func (s *Set) Find(serialised string) (ok bool, o Origin, err error) {
	if s.containsExact(serialised) {
		return true, Origin{}, nil
	}
	if o, err = Parse(serialised); err != nil {
		return false, Origin{}, err
	}
	return s.patterns.Load().match(&o), o, nil
}

func (s *Set) containsExact(serialised string) bool {
	if len(serialised) > MaxLen {
		return false
	}
	t := s.exact.Load()
	return t != nil && t.find(maphash.String(t.seed, serialised), serialised)
}

// view returns b as a string without a copy, for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Exact returns the exact origins in s, in the order in which they were added.
// They share the memory of s.
func (s *Set) Exact() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.exact.Load()
	if t == nil || t.live == 0 {
		return nil
	}
	exact := make([]string, 0, t.live)
	t.each(func(o string) { exact = append(exact, o) })
	return exact
}

// Len returns the number of patterns in s.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if t := s.exact.Load(); t != nil {
		n = t.live
	}
	if x := s.patterns.Load(); x != nil {
		n += len(x.all)
	}
	return n
}
