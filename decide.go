package cors

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A Request is what of an HTTP request the decision depends on. The fields but
// for Method are the lines of the headers of those names, as they came.
type Request struct {
	Method                             string
	Origin                             []string
	AccessControlRequestMethod         []string
	AccessControlRequestHeaders        []string
	AccessControlRequestPrivateNetwork []string
}

// A Decision is what a policy says of a request. It holds no more of the request
// than is safe to log, and is good for as long as the request's headers are not
// changed.
type Decision struct {
	Kind    Kind
	Allowed bool   // may the page at the request's origin go on? false where Kind is NotCORS
	Reason  Reason // why not
	Name    string // the method or the header name that is not allowed, where Reason is of one
	Origin  string // the request's origin, as it came; "" where it is none
	Err     error  // what the OriginSource said, where Reason is ReasonOriginSource

	policy         *compiled
	method         string   // to allow by name
	names          []string // to allow by name, line by line
	privateNetwork bool
}

// A Kind says what a request is to CORS.
type Kind uint8

const (
	NotCORS   Kind = iota // it has no Origin
	Preflight             // a browser asks before it sends the request itself
	Actual                // it has an Origin, and is no preflight
)

func (k Kind) String() string { return [...]string{"not-cors", "preflight", "actual"}[k] }

// A Reason says why a request is refused. Its String is short and stable: for
// metrics and logs.
type Reason uint8

const (
	ReasonNone                 Reason = iota // it is allowed, or not CORS
	ReasonOff                                // the policy allows no origin
	ReasonOriginSyntax                       // Origin is not one serialised origin
	ReasonOrigin                             // the origin is not allowed
	ReasonOriginSource                       // the OriginSource failed
	ReasonRequestMethodSyntax                // Access-Control-Request-Method is not one method
	ReasonMethod                             // the method is not allowed
	ReasonRequestHeadersSyntax               // Access-Control-Request-Headers is not a list of names
	ReasonRequestHeadersLength               // Access-Control-Request-Headers is longer than any browser's
	ReasonRequestHeader                      // a request-header is not allowed
)

var reasons = [...]string{
	ReasonNone:                 "none",
	ReasonOff:                  "off",
	ReasonOriginSyntax:         "origin-syntax",
	ReasonOrigin:               "origin",
	ReasonOriginSource:         "origin-source",
	ReasonRequestMethodSyntax:  "request-method-syntax",
	ReasonMethod:               "method",
	ReasonRequestHeadersSyntax: "request-headers-syntax",
	ReasonRequestHeadersLength: "request-headers-length",
	ReasonRequestHeader:        "request-header",
}

func (r Reason) String() string { return reasons[r] }

// decide is where everything is decided. It allocates nothing.
func (c *compiled) decide(ctx context.Context, r Request) Decision {
	d := Decision{policy: c}
	if len(r.Origin) == 0 {
		return d
	}
	d.Kind = Actual
	if r.Method == http.MethodOptions && len(r.AccessControlRequestMethod) > 0 {
		d.Kind = Preflight
	}
	if len(r.Origin) == 1 && len(r.Origin[0]) <= origin.MaxLen {
		d.Origin = r.Origin[0]
	}
	if d.Reason, d.Err = c.judgeOrigin(ctx, r.Origin); d.Reason != ReasonNone {
		return d
	}
	if d.Kind == Preflight && !c.judgePreflight(r, &d) {
		return d
	}
	d.Allowed = true
	return d
}

func (c *compiled) judgeOrigin(ctx context.Context, lines []string) (Reason, error) {
	if c.anyOrigin {
		return ReasonNone, nil
	}
	if len(c.policy.Origins) == 0 && c.policy.OriginSource == nil {
		return ReasonOff, nil
	}
	if len(lines) > 1 {
		return ReasonOriginSyntax, nil
	}
	if c.origins.ContainsString(lines[0]) {
		return ReasonNone, nil
	}
	o, err := origin.Parse(lines[0])
	if err != nil {
		return ReasonOriginSyntax, nil
	}
	// An opaque origin is nobody's: no source can know whose.
	if c.policy.OriginSource == nil || o.Opaque() {
		return ReasonOrigin, nil
	}
	ok, err := c.policy.OriginSource(ctx, o)
	switch {
	case err != nil:
		return ReasonOriginSource, err
	case !ok:
		return ReasonOrigin, nil
	}
	return ReasonNone, nil
}

// judgePreflight judges what is to come. What it finds is in d.
func (c *compiled) judgePreflight(r Request, d *Decision) bool {
	method := r.AccessControlRequestMethod[0]
	if len(r.AccessControlRequestMethod) > 1 || len(method) > maxMethod || !header.IsToken(method) {
		d.Reason = ReasonRequestMethodSyntax
		return false
	}
	if !header.IsSafelistedMethod(method) {
		if _, ok := c.methods[method]; !ok && !c.anyMethod {
			d.Reason, d.Name = ReasonMethod, method
			return false
		}
		d.method = method
	}
	if d.Reason, d.Name = c.judgeNames(r.AccessControlRequestHeaders); d.Reason != ReasonNone {
		return false
	}
	d.names = r.AccessControlRequestHeaders
	private := r.AccessControlRequestPrivateNetwork
	d.privateNetwork = c.policy.PrivateNetwork && len(private) == 1 && private[0] == "true"
	return true
}

// The budget for a preflight: no browser asks for more, and nobody can make the
// server work more.
const (
	maxMethod    = 64
	maxNames     = 16 << 10 // bytes of Access-Control-Request-Headers
	maxNameLines = 256      // over which an intermediary may have split them
)

func (c *compiled) judgeNames(lines []string) (Reason, string) {
	if len(lines) > maxNameLines {
		return ReasonRequestHeadersLength, ""
	}
	size := 0
	for _, line := range lines {
		if size += len(line); size > maxNames {
			return ReasonRequestHeadersLength, ""
		}
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "" {
				continue
			}
			if !header.IsToken(name) {
				return ReasonRequestHeadersSyntax, ""
			}
			if !c.allowsName(name) {
				return ReasonRequestHeader, name
			}
		}
	}
	return ReasonNone, ""
}

func (c *compiled) allowsName(name string) bool {
	if _, ok := c.names[header.Lower(name)]; ok {
		return true
	}
	return c.anyName && !header.IsNonWildcardRequestName(name)
}

// Fields yields the headers of the response. Vary is to be added to what is
// there, Access-Control-* to be set; a name comes more than once where its
// value is one of several lines.
func (d Decision) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		c := d.policy
		if c == nil {
			return
		}
		if c.varies() && !yield(header.Vary, header.Origin) {
			return
		}
		switch {
		case c.anyOrigin && (d.Kind != Preflight || d.Allowed):
			if !yield(header.AccessControlAllowOrigin, "*") {
				return
			}
		case d.Allowed:
			if !yield(header.AccessControlAllowOrigin, d.Origin) {
				return
			}
		default:
			return
		}
		if c.policy.Credentials && !yield(header.AccessControlAllowCredentials, "true") {
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

// Apply writes the headers of the response into h: Vary is added to, what else
// it writes is set.
func (d Decision) Apply(h http.Header) {
	before := ""
	for name, value := range d.Fields() {
		if name == header.Vary || name == before {
			h[name] = append(h[name], value)
		} else {
			h[name] = []string{value}
		}
		before = name
	}
}

// Own makes the policy the only author of the CORS response-headers in h: it
// removes all that are there, and applies d.
func (d Decision) Own(h http.Header) {
	Strip(h)
	d.Apply(h)
}

// Status is the status with which a preflight is answered.
func (d Decision) Status() int {
	if d.Allowed {
		return d.policy.success
	}
	return d.policy.refusal
}

// Strip removes the response-headers of CORS from h.
func Strip(h http.Header) {
	for _, name := range [...]string{
		header.AccessControlAllowOrigin, header.AccessControlAllowCredentials, header.AccessControlAllowMethods,
		header.AccessControlAllowHeaders, header.AccessControlExposeHeaders, header.AccessControlMaxAge,
		header.AccessControlAllowPrivateNetwork,
	} {
		delete(h, name)
	}
}
