package origin

import (
	"maps"
	"slices"
	"strings"
)

// An index finds the patterns that match an origin without trying each. It does
// not change: with and without return another. A nil index holds nothing.
type index struct {
	all map[Pattern]struct{}

	any, null bool
	schemes   map[string]struct{}  // of the patterns for any host
	hosts     map[string][]Pattern // the others, by their host or the end of it
	lengths   [maxHost/64 + 1]uint64
}

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
	x := &index{all: all, schemes: map[string]struct{}{}, hosts: map[string][]Pattern{}}
	for p := range all {
		switch p.kind {
		case matchAny:
			x.any = true
		case matchNull:
			x.null = true
		case matchAnyHost:
			x.schemes[p.scheme] = struct{}{}
		default:
			x.hosts[p.key()] = append(x.hosts[p.key()], p)
			x.lengths[len(p.key())/64] |= 1 << (len(p.key()) % 64)
		}
	}
	return x
}

// key returns what the hosts that p matches end in: all of it, or from a dot on.
func (p Pattern) key() string {
	if p.kind == matchLabel {
		return p.host[strings.IndexByte(p.host, '.'):]
	}
	return p.host
}

func (x *index) match(o Origin) bool {
	if x == nil {
		return false
	}
	if x.any || o.Opaque() {
		return x.any || x.null
	}
	if _, ok := x.schemes[o.scheme]; ok && o.port == "" {
		return true
	}
	if len(x.hosts) == 0 {
		return false
	}
	// The whole host, then what begins with each of its dots: one look-up for each
	// length that some pattern has.
	for i := 0; i < len(o.host); i++ {
		if i > 0 && o.host[i] != '.' {
			continue
		}
		end := o.host[i:]
		if x.lengths[len(end)/64]>>(len(end)%64)&1 == 0 {
			continue
		}
		if slices.ContainsFunc(x.hosts[end], func(p Pattern) bool { return p.Match(o) }) {
			return true
		}
	}
	return false
}
