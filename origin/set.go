package origin

import (
	"errors"
	"hash/maphash"
	"strings"
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
func (s *Set) Add(patterns ...string) error {
	return s.change(patterns, (*Set).add)
}

// Remove removes patterns, as they were written; one that is not there is no
// error. Nothing is removed if a pattern cannot be parsed.
func (s *Set) Remove(patterns ...string) error {
	return s.change(patterns, (*Set).remove)
}

func (s *Set) change(patterns []string, apply func(*Set, []string, []Pattern)) error {
	var errs []error
	var exact []string
	var others []Pattern
	for i, text := range patterns {
		if o, err := Parse(text); err == nil && !o.Opaque() && strings.IndexByte(text, '*') < 0 {
			if exact == nil {
				exact = make([]string, 0, len(patterns)-i)
			}
			exact = append(exact, text)
			continue
		}
		p, err := ParsePattern(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		others = append(others, p)
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	apply(s, exact, others)
	return nil
}

// AddPattern adds a parsed pattern, also one of [InsecureParsePattern].
func (s *Set) AddPattern(p Pattern) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.kind == matchHost && p.port != "*" {
		s.add([]string{p.String()}, nil)
	} else {
		s.add(nil, []Pattern{p})
	}
}

func (s *Set) add(exact []string, others []Pattern) {
	if len(exact) > 0 {
		t := s.exact.Load()
		if t == nil || !t.hasRoom(len(exact)) {
			size := 0
			for _, o := range exact {
				size += entrySize(o)
			}
			t = t.grown(len(exact), size)
			defer s.exact.Store(t)
		}
		for _, o := range exact {
			t.add(o)
		}
	}
	if len(others) > 0 {
		s.patterns.Store(s.patterns.Load().with(others))
	}
}

func (s *Set) remove(exact []string, others []Pattern) {
	if t := s.exact.Load(); t != nil {
		for _, o := range exact {
			t.remove(o)
		}
		if t.removed > t.live {
			s.exact.Store(t.grown(0, 0))
		}
	}
	if len(others) > 0 {
		s.patterns.Store(s.patterns.Load().without(others))
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
	return s.patterns.Load().match(o)
}

// ContainsString reports whether a pattern in s matches the origin whose
// serialisation is serialised. It is faster than [Parse] and [Set.Contains]:
// where the origin is in s as it stands it is not parsed at all.
func (s *Set) ContainsString(serialised string) bool {
	if len(serialised) > MaxLen {
		return false
	}
	if t := s.exact.Load(); t != nil && t.find(maphash.String(t.seed, serialised), serialised) {
		return true
	}
	patterns := s.patterns.Load()
	if patterns == nil {
		return false
	}
	o, err := Parse(serialised)
	return err == nil && patterns.match(o)
}

// view returns b as a string without a copy, for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

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
