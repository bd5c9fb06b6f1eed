package cors

import (
	"math/bits"
	"strings"

	"github.com/crossorigin/cors/header"
)

// A nameSet is a set of header names, in which case does not matter: a hash with
// linear probing. The policy alone chooses what is in it, so that nobody can
// make names collide. It is fastest for names in the case in which it has them:
// the lower one, in which browsers ask.
type nameSet struct {
	slots []string // a power of two, "" where it is free; at most half are taken
	shift int
}

func newNameSet(names []string) nameSet {
	size := 4
	for size < 2*len(names)+1 {
		size *= 2
	}
	s := nameSet{make([]string, size), 64 - bits.TrailingZeros(uint(size))}
	for _, n := range names {
		if i, ok := s.find(n); !ok {
			s.slots[i] = header.Lower(n)
		}
	}
	return s
}

func (s *nameSet) has(name string) bool {
	_, ok := s.find(name)
	return ok
}

func (s *nameSet) find(name string) (i int, ok bool) {
	for i = int(hashName(name) >> s.shift); ; i = (i + 1) & (len(s.slots) - 1) {
		switch slot := s.slots[i]; {
		case slot == name || header.EqualFold(slot, name):
			return i, true
		case slot == "":
			return i, false
		}
	}
}

// hashName hashes s, eight bytes at a time; the high bits are the best. The case
// of letters is not in it.
func hashName(s string) uint64 {
	const (
		lower = 0x2020202020202020
		odd   = 0x9e3779b97f4a7c15
	)
	n := len(s)
	var first, last uint64
	switch {
	case n >= 8:
		first, last = load64(s), load64(s[n-8:])
		for i := 8; i < n-8; i += 8 {
			first = (first|lower)*odd ^ load64(s[i:])
		}
	case n >= 4:
		first, last = load32(s), load32(s[n-4:])
	case n > 0:
		first, last = uint64(s[0]), uint64(s[n/2])<<8|uint64(s[n-1])
	}
	return ((first|lower)*odd ^ bits.RotateLeft64(last|lower, 29) ^ uint64(n)) * odd
}

func load64(s string) uint64 { return load32(s) | load32(s[4:8])<<32 }

func load32(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// cutName returns the first element of a list that is not empty, without the
// white space around it, and what follows it.
func cutName(list string) (name, rest string) {
	for list != "" && (isBlank(list[0]) || list[0] == ',') {
		list = list[1:]
	}
	name = list
	if i := strings.IndexByte(list, ','); i >= 0 {
		name, rest = list[:i], list[i+1:]
	}
	for name != "" && isBlank(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	return name, rest
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
