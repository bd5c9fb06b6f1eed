package cors

import "strings"

// A nameSet holds header names in lower case, in which browsers ask for them.
type nameSet map[string]struct{}

func newNameSet(names []string) nameSet {
	s := make(nameSet, len(names))
	for _, n := range names {
		s[n] = struct{}{}
	}
	return s
}

func (s nameSet) has(name string) bool {
	_, ok := s[name]
	return ok
}

// cutName returns the first element of a list, without the white space around
// it, and what follows the comma behind it.
func cutName(list string) (name, rest string) {
	if i := strings.IndexByte(list, ','); i >= 0 {
		name, rest = list[:i], list[i+1:]
	} else {
		name = list
	}
	return strings.Trim(name, " \t"), rest
}
