package origin

import (
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// An index finds the patterns that match an origin without trying each. It does
// not change: with and without return another. A nil index holds nothing.
type index struct {
	all map[Pattern]struct{}

	any, null bool
	schemes   map[string]struct{} // of the patterns for any host
	groups    map[string]*group   // the others, by their host or the end of it
	lengths   [maxHost/64 + 1]uint64
}

// A group holds the patterns with one end: some for each scheme and port, and
// perhaps thousands with a wildcard within the label before that end. Of these
// only the shapes are here; what has the shape of one is looked up in all.
type group struct {
	patterns []Pattern
	shapes   []shape
}

// A shape is how much of a label stands on each side of its wildcard.
type shape struct{ before, after int }

func (x *index) with(patterns []Pattern) *index {
	all := map[Pattern]struct{}{}
	if x != nil {
		all = maps.Clone(x.all)
	}
	for _, p := range patterns {
		all[p] = struct{}{}
	}
	return newIndex(all)
}

func (x *index) without(patterns []Pattern) *index {
	if x == nil {
		return nil
	}
	all := maps.Clone(x.all)
	for _, p := range patterns {
		delete(all, p)
	}
	return newIndex(all)
}

func newIndex(all map[Pattern]struct{}) *index {
	if len(all) == 0 {
		return nil
	}
	x := &index{all: all, schemes: map[string]struct{}{}, groups: map[string]*group{}}
	for p := range all {
		switch p.kind {
		case matchAny:
			x.any = true
		case matchNull:
			x.null = true
		case matchAnyHost:
			x.schemes[p.scheme] = struct{}{}
		default:
			x.group(p.end()).add(p)
		}
	}
	return x
}

// end returns what the hosts that p matches end in: all of it, or from a dot on.
func (p Pattern) end() string {
	if p.kind == matchLabel {
		return p.host[strings.IndexByte(p.host, '.'):]
	}
	return p.host
}

func (x *index) group(end string) *group {
	g := x.groups[end]
	if g == nil {
		g = new(group)
		x.groups[end] = g
		x.lengths[len(end)/64] |= 1 << (len(end) % 64)
	}
	return g
}

func (g *group) add(p Pattern) {
	if p.kind != matchLabel {
		g.patterns = append(g.patterns, p)
	} else if s := (shape{len(p.before), strings.IndexByte(p.host, '.')}); !slices.Contains(g.shapes, s) {
		g.shapes = append(g.shapes, s)
	}
}

func (x *index) match(o *Origin) bool {
	if x == nil {
		return false
	}
	if x.any || o.Opaque() {
		return x.any || x.null
	}
	if _, ok := x.schemes[o.scheme]; ok && o.port == "" {
		return true
	}
	if len(x.groups) == 0 {
		return false
	}
	// The end of each length that some pattern has, if it is all of the host or
	// begins with a dot.
	for w, word := range x.lengths {
		for ; word != 0; word &= word - 1 {
			i := len(o.host) - (w*64 + bits.TrailingZeros64(word))
			if i < 0 {
				return false
			}
			if (i == 0 || o.host[i] == '.') && x.matchEnd(o, i) {
				return true
			}
		}
	}
	return false
}

// matchEnd reports whether a pattern matches o whose end is what begins at i.
func (x *index) matchEnd(o *Origin, i int) bool {
	g := x.groups[o.host[i:]]
	if g == nil {
		return false
	}
	for j := range g.patterns {
		if g.patterns[j].match(o) {
			return true
		}
	}
	return len(g.shapes) > 0 && i == strings.IndexByte(o.host, '.') && x.matchLabel(g.shapes, o, i)
}

// matchLabel reports whether a pattern with one of the shapes matches o, whose
// host begins with a label of the length n.
func (x *index) matchLabel(shapes []shape, o *Origin, n int) bool {
	p := Pattern{kind: matchLabel, scheme: o.scheme}
	for _, s := range shapes {
		if n <= s.before+s.after {
			continue
		}
		p.before, p.host = o.host[:s.before], o.host[n-s.after:]
		for _, p.port = range [...]string{o.port, "*"} {
			if _, ok := x.all[p]; ok {
				return true
			}
		}
	}
	return false
}
