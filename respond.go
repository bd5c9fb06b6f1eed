package cors

import (
	"iter"
	"net/http"
	"sync"

	"github.com/crossorigin/cors/header"
)

// Fields yields the headers of the response. Vary is to be added to what is
// there, Access-Control-* to be set; a name comes more than once where its
// value is one of several lines.
func (d Decision) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		c := d.policy
		if c == nil || c.varies && !yield(header.Vary, header.Origin) || !d.grants() {
			return
		}
		if !yield(header.AccessControlAllowOrigin, d.allowOrigin()) ||
			c.policy.Credentials && !yield(header.AccessControlAllowCredentials, "true") {
			return
		}
		if d.Kind != Preflight {
			if c.exposed != "" {
				yield(header.AccessControlExposeHeaders, c.exposed)
			}
			return
		}
		if d.method != "" && !yield(header.AccessControlAllowMethods, d.method) {
			return
		}
		for _, line := range d.names {
			if !yield(header.AccessControlAllowHeaders, line) {
				return
			}
		}
		if c.maxAge != "" && !yield(header.AccessControlMaxAge, c.maxAge) {
			return
		}
		if d.privateNetwork {
			yield(header.AccessControlAllowPrivateNetwork, "true")
		}
	}
}

// grants reports whether the response has Access-Control-Allow-Origin. A static
// "*" stands in all but refused preflights, so that one response is like another
// and caches need no Vary.
func (d *Decision) grants() bool {
	return d.Allowed || d.policy.anyOrigin && d.Kind != Preflight
}

func (d *Decision) allowOrigin() string {
	if d.policy.anyOrigin {
		return "*"
	}
	return d.Origin
}

// Apply writes the headers of the response into h: Vary is added to, what else
// it writes is set. It is [Decision.Fields] without an allocation. No value in
// h is shared with another response; the lines of names are the request's own.
func (d Decision) Apply(h http.Header) { d.apply(h, &Request{}) }

// apply takes what r, if it is the request, has as it is to be in the response:
// then request and response share the value, which costs nothing, and no others
// do.
func (d *Decision) apply(h http.Header, r *Request) {
	c := d.policy
	if c == nil {
		return
	}
	s := slabs.Get().(*slab)
	if c.varies {
		s.vary(h)
	}
	if d.grants() {
		s.grant(h, d, r)
	}
	slabs.Put(s)
}

// A slab is memory for the values of headers. Each value gets a cell that was
// never another's: to share one between responses would let a handler that
// writes into h["Vary"][0] write into all of them. A slab is small, since the
// response that lives longest keeps all of it.
type slab struct{ free []string }

var slabs = sync.Pool{New: func() any { return new(slab) }}

const slabSize = 64

func (s *slab) value(v string) []string {
	if len(s.free) == 0 {
		s.free = make([]string, slabSize)
	}
	cell := s.free[:1:1]
	s.free = s.free[1:]
	cell[0] = v
	return cell
}

// grant writes Access-Control-*.
func (s *slab) grant(h http.Header, d *Decision, r *Request) {
	c := d.policy
	if !c.anyOrigin && len(r.Origin) > 0 {
		h[header.AccessControlAllowOrigin] = r.Origin[:1:1]
	} else {
		h[header.AccessControlAllowOrigin] = s.value(d.allowOrigin())
	}
	if c.policy.Credentials {
		h[header.AccessControlAllowCredentials] = s.value("true")
	}
	if d.Kind != Preflight {
		if c.exposed != "" {
			h[header.AccessControlExposeHeaders] = s.value(c.exposed)
		}
		return
	}
	switch {
	case d.method == "":
	case len(r.AccessControlRequestMethod) > 0:
		h[header.AccessControlAllowMethods] = r.AccessControlRequestMethod[:1:1]
	default:
		h[header.AccessControlAllowMethods] = s.value(d.method)
	}
	if len(d.names) > 0 {
		h[header.AccessControlAllowHeaders] = d.names[:len(d.names):len(d.names)]
	}
	if c.maxAge != "" {
		h[header.AccessControlMaxAge] = s.value(c.maxAge)
	}
	if d.privateNetwork {
		h[header.AccessControlAllowPrivateNetwork] = s.value("true")
	}
}

// vary adds Origin to Vary, unless it is there.
func (s *slab) vary(h http.Header) {
	lines := h[header.Vary]
	if len(lines) == 0 {
		h[header.Vary] = s.value(header.Origin)
		return
	}
	if header.VariesByOrigin(lines) {
		return
	}
	h[header.Vary] = append(lines[:len(lines):len(lines)], header.Origin)
}

// Own makes the policy the only author of the CORS response-headers in h: it
// removes all that are there, and applies d.
func (d Decision) Own(h http.Header) {
	Strip(h)
	d.apply(h, &Request{})
}

// Strip removes every header whose name begins with Access-Control- from h, the
// response-headers of CORS, in whatever case they are written.
func Strip(h http.Header) {
	for name := range h {
		if header.IsAccessControl(name) {
			delete(h, name)
		}
	}
}

// Status is the status with which a preflight is answered.
func (d Decision) Status() int {
	switch {
	case d.policy == nil:
		return http.StatusForbidden
	case d.Allowed:
		return d.policy.success
	}
	return d.policy.refusal
}
