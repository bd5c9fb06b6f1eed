package cors

import (
	"context"
	"net/http"
	"slices"

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

// A Decision is what a policy says of a request. It holds little of the request
// whatever was sent, and is good for as long as the request's headers are not
// changed. The zero Decision refuses, and writes nothing.
type Decision struct {
	Kind    Kind
	Allowed bool   // may the page at the request's origin go on? false where Kind is NotCORS
	Reason  Reason // why not
	Name    string // the method or the header name that is not allowed, where Reason is of one
	Origin  string // the request's origin, as it came; "" where it is none
	Route   string // the pattern of [NewRoutes] by which this was decided, or ""
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

var kinds = [...]string{NotCORS: "not-cors", Preflight: "preflight", Actual: "actual"}

// String returns "not-cors", "preflight" or "actual".
func (k Kind) String() string { return name(kinds[:], int(k)) }

// A Reason says why a request is refused. Its String is short and stable: for
// metrics and logs.
type Reason uint8

const (
	ReasonNone                 Reason = iota // it is allowed, or not CORS
	ReasonOff                                // the policy allows no origin, or no route matches
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

// String returns the name of the constant without Reason, as in "origin-syntax".
func (r Reason) String() string { return name(reasons[:], int(r)) }

func name(names []string, i int) string {
	if i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// decide is where everything is decided: d begins as the zero Decision. It
// allocates nothing.
func (c *compiled) decide(ctx context.Context, r *Request, d *Decision) {
	d.policy = c
	if len(r.Origin) == 0 {
		return
	}
	d.Kind = Actual
	// https://fetch.spec.whatwg.org/#cors-preflight-request
	if r.Method == http.MethodOptions && len(r.AccessControlRequestMethod) > 0 {
		d.Kind = Preflight
	}
	if len(r.Origin) == 1 && len(r.Origin[0]) <= origin.MaxLen {
		d.Origin = r.Origin[0]
	}
	if c.judgeOrigin(ctx, r, d); d.Reason != ReasonNone {
		return
	}
	if d.Kind == Preflight {
		if c.judgeMethod(r, d); d.Reason != ReasonNone {
			return
		}
		if c.judgeNames(r, d); d.Reason != ReasonNone {
			return
		}
		private := r.AccessControlRequestPrivateNetwork
		d.privateNetwork = c.policy.PrivateNetwork && len(private) == 1 && private[0] == "true"
	}
	d.Allowed = true
}

func (c *compiled) judgeOrigin(ctx context.Context, r *Request, d *Decision) {
	switch {
	case c.anyOrigin:
	case !c.varies:
		d.Reason = ReasonOff
	case len(r.Origin) > 1:
		d.Reason = ReasonOriginSyntax
	case slices.Contains(c.few, r.Origin[0]):
	default:
		listed, o, err := c.origins.Find(r.Origin[0])
		switch {
		case listed:
		case err != nil:
			d.Reason = ReasonOriginSyntax
		default:
			c.judgeUnlisted(ctx, o, d)
		}
	}
}

// judgeUnlisted judges an origin that Origins does not hold.
func (c *compiled) judgeUnlisted(ctx context.Context, o origin.Origin, d *Decision) {
	d.Reason = ReasonOrigin
	source := c.policy.OriginSource
	// An opaque origin is nobody's: no source can know whose.
	if source == nil || o.Opaque() || o.InsecureScheme() && c.policy.Credentials && !c.policy.InsecureAllowHTTP {
		return
	}
	switch ok, err := source(ctx, o); {
	case err != nil:
		d.Reason, d.Err = ReasonOriginSource, err
	case ok:
		d.Reason = ReasonNone
	}
}

// The budget for a preflight: no browser asks for more, and nobody can make the
// server work more.
const (
	maxMethod    = 64
	maxNames     = 16 << 10 // bytes of Access-Control-Request-Headers
	maxNameLines = 256      // over which an intermediary may have split them
	maxName      = 256      // bytes of a name that is not allowed in a Decision
)

func (c *compiled) judgeMethod(r *Request, d *Decision) {
	method := r.AccessControlRequestMethod[0]
	switch {
	case len(r.AccessControlRequestMethod) > 1 || len(method) > maxMethod || !header.IsToken(method):
		d.Reason = ReasonRequestMethodSyntax
	case header.IsSafelistedMethod(method):
	case c.allowsMethod(method):
		d.method = method
	default:
		d.Reason, d.Name = ReasonMethod, method
	}
}

func (c *compiled) allowsMethod(method string) bool {
	for _, m := range c.methods {
		if m == method {
			return true
		}
	}
	return c.anyMethod
}

func (c *compiled) judgeNames(r *Request, d *Decision) {
	lines := r.AccessControlRequestHeaders
	if len(lines) > maxNameLines {
		d.Reason = ReasonRequestHeadersLength
		return
	}
	size, asked := 0, false
	for _, line := range lines {
		if size += len(line); size > maxNames {
			d.Reason = ReasonRequestHeadersLength
			return
		}
		for rest := line; rest != ""; {
			var name string
			name, rest = cutName(rest)
			if name == "" {
				continue
			}
			if asked = true; !c.names.has(name) {
				if c.judgeUnlistedName(name, d); d.Reason != ReasonNone {
					return
				}
			}
		}
	}
	if asked {
		d.names = lines
	}
}

// judgeUnlistedName judges a name that RequestHeaders does not hold.
func (c *compiled) judgeUnlistedName(name string, d *Decision) {
	switch {
	case !header.IsToken(name):
		d.Reason = ReasonRequestHeadersSyntax
	case !c.anyName || header.IsNonWildcardRequestName(name):
		d.Reason, d.Name = ReasonRequestHeader, name[:min(len(name), maxName)]
	}
}
