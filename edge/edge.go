package edge

import (
	"fmt"
	"iter"
	"net/http"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

// A Mode says whose CORS headers a response has: those of its author, or those
// of the policy. They are never mixed, since half of one and half of the other
// may allow what neither does.
type Mode uint8

const (
	// Strip removes the author's, and writes the policy's.
	Strip Mode = iota

	// Fill leaves the author's where they have Access-Control-Allow-Origin, and
	// otherwise does what Strip does.
	Fill

	// Keep leaves the author's, and writes none.
	Keep
)

var modes = [...]string{Strip: "strip", Fill: "fill", Keep: "keep"}

func (m Mode) String() string { return modes[m] }

// MarshalText returns "strip", "fill" or "keep".
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [Mode.MarshalText] writes.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, name := range modes {
		if string(text) == name {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf(`%.40q: this is no way to treat CORS headers; write "strip", "fill" or "keep"`, text)
}

// Own gives h, the header of a response whose author knows nothing of the
// policy, the CORS headers that it is to have: by d, where m says so. It returns
// which of the author's are gone. Vary is only ever added to.
func Own(h http.Header, d cors.Decision, m Mode) Stripped {
	if m == Keep || m == Fill && says(h) {
		return 0
	}
	stripped := StripAll(h)
	d.Apply(h)
	return stripped
}

// says reports whether the author of h allows some origin to read it.
func says(h http.Header) bool {
	for name := range h {
		if header.EqualFold(name, header.AccessControlAllowOrigin) {
			return true
		}
	}
	return false
}

// StripAll removes from h every header whose name begins with Access-Control-,
// in any case and also those that are yet to be invented, and returns which.
func StripAll(h http.Header) (stripped Stripped) {
	for name := range h {
		if header.IsAccessControl(name) {
			delete(h, name)
			stripped |= bit(name)
		}
	}
	return stripped
}

// Stripped is the set of the headers that were removed from a response.
type Stripped uint8

// Names are those that a set can hold. The last stands for every other name
// with that beginning, so that a hostile author cannot make up new ones.
var Names = [...]string{
	header.AccessControlAllowOrigin,
	header.AccessControlAllowCredentials,
	header.AccessControlAllowMethods,
	header.AccessControlAllowHeaders,
	header.AccessControlExposeHeaders,
	header.AccessControlMaxAge,
	header.AccessControlAllowPrivateNetwork,
	"Access-Control-*",
}

func bit(name string) Stripped {
	other := len(Names) - 1
	for i, known := range Names[:other] {
		if header.EqualFold(name, known) {
			return 1 << i
		}
	}
	return 1 << other
}

// All yields the index in [Names] and the name of each header in the set.
func (s Stripped) All() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, name := range Names {
			if s&(1<<i) != 0 && !yield(i, name) {
				return
			}
		}
	}
}
