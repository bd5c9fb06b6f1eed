package cors

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// compiled is a Policy made ready to decide. It does not change.
type compiled struct {
	policy Policy // as it was given, in slices of its own

	anyOrigin bool // every origin, by a static "*"
	origins   *origin.Set
	methods   map[string]struct{}
	anyMethod bool
	names     map[string]struct{} // of request-headers, in lower case
	anyName   bool
	exposed   string
	maxAge    string
	success   int // status of a preflight
	refusal   int
}

// compile returns every mistake in p at once.
func compile(p Policy) (*compiled, error) {
	c := &compiled{policy: p.clone(), origins: new(origin.Set), success: http.StatusNoContent, refusal: http.StatusForbidden}
	var faults []error
	fault := func(field string, index int, value, reason, fix string) {
		faults = append(faults, &PolicyError{Field: field, Index: index, Value: value, Reason: reason, Fix: fix})
	}
	c.compileOrigins(fault)
	c.compileMethods(fault)
	c.compileNames(fault)
	c.compileExposed(fault)
	switch {
	case p.MaxAge < 0:
		c.maxAge = "0"
	case p.MaxAge%time.Second != 0:
		fault("MaxAge", -1, p.MaxAge.String(), "browsers count whole seconds", "write "+p.MaxAge.Round(time.Second).String())
	case p.MaxAge > 0:
		c.maxAge = strconv.FormatInt(int64(p.MaxAge/time.Second), 10)
	}
	if p.PreflightStatus != 0 {
		c.success = p.PreflightStatus
		if p.PreflightStatus < 200 || p.PreflightStatus > 299 {
			fault("PreflightStatus", -1, strconv.Itoa(p.PreflightStatus), "a browser takes it for a refusal", "write a status from 200 to 299, or 0 for 204")
		}
	}
	if p.RefusedStatus != 0 {
		c.refusal = p.RefusedStatus
		if !slices.Contains([]int{200, 204, 403}, p.RefusedStatus) {
			fault("RefusedStatus", -1, strconv.Itoa(p.RefusedStatus), "a refused preflight is answered with 403, 204 or 200", "write one of them, or 0 for 403")
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return c, nil
}

func (c *compiled) compileOrigins(fault func(field string, index int, value, reason, fix string)) {
	p := &c.policy
	parse := origin.ParsePattern
	if p.InsecureAllowPublicSuffix {
		parse = origin.InsecureParsePattern
	}
	for i, text := range p.Origins {
		pattern, err := parse(text)
		var bad *origin.PatternError
		if errors.As(err, &bad) {
			if insecure, err := origin.InsecureParsePattern(text); err == nil && insecure.SpansPublicSuffix() {
				bad.Fix += ", or set InsecureAllowPublicSuffix"
			}
			fault("Origins", i, text, bad.Reason, bad.Fix)
			continue
		}
		switch {
		case pattern.Null() && !p.InsecureAllowNull:
			fault("Origins", i, text, "any page can have this origin, by a sandboxed frame", "remove it, or set InsecureAllowNull")
		case pattern.Any() && p.Credentials && !p.InsecureReflectAnyOrigin:
			fault("Origins", i, text, "with Credentials any page could read what the visitor may read", "list the origins, or set InsecureReflectAnyOrigin")
		case pattern.Any() && p.OriginSource != nil:
			fault("Origins", i, text, `OriginSource is never asked where every origin is allowed`, "remove the one or the other")
		case pattern.InsecureScheme() && p.Credentials && !p.InsecureAllowHTTP:
			fault("Origins", i, text, "with Credentials whoever is on the visitor's network could read what the visitor may read", "write https, or set InsecureAllowHTTP")
		case pattern.Any() && !p.Credentials:
			c.anyOrigin = true
		}
		c.origins.AddPattern(pattern)
	}
}

func (c *compiled) compileMethods(fault func(field string, index int, value, reason, fix string)) {
	c.methods = make(map[string]struct{}, len(c.policy.Methods))
	for i, m := range c.policy.Methods {
		switch normal := header.NormalizeMethod(m); {
		case m == "*":
			c.anyMethod = true
		case !header.IsToken(m):
			fault("Methods", i, m, "this is not a method", `write one such as "PUT", each as an element of its own`)
		case header.IsForbiddenMethod(m):
			fault("Methods", i, m, "browsers let no page use this method", "remove it")
		case normal != m:
			fault("Methods", i, m, "methods are case-sensitive, and browsers send this one in upper case", "write "+strconv.Quote(normal))
		default:
			c.methods[m] = struct{}{}
		}
	}
}

func (c *compiled) compileNames(fault func(field string, index int, value, reason, fix string)) {
	c.names = make(map[string]struct{}, len(c.policy.RequestHeaders))
	for i, n := range c.policy.RequestHeaders {
		switch {
		case n == "*":
			c.anyName = true
		case !header.IsToken(n):
			fault("RequestHeaders", i, n, "this is not a header name", `write one such as "Content-Type", each as an element of its own`)
		case header.IsForbiddenRequest(n, ""):
			fault("RequestHeaders", i, n, "browsers let no page set this header, so none asks for it", "remove it")
		default:
			c.names[header.Lower(n)] = struct{}{}
		}
	}
}

func (c *compiled) compileExposed(fault func(field string, index int, value, reason, fix string)) {
	for i, n := range c.policy.ExposedHeaders {
		switch {
		case n == "*" && c.policy.Credentials:
			fault("ExposedHeaders", i, n, `with Credentials "*" is a header of that name`, "list the names")
		case !header.IsToken(n):
			fault("ExposedHeaders", i, n, "this is not a header name", `write one such as "X-Request-Id", each as an element of its own`)
		case header.IsForbiddenResponse(n):
			fault("ExposedHeaders", i, n, "browsers show this header to no page", "remove it")
		}
	}
	c.exposed = strings.Join(c.policy.ExposedHeaders, ", ")
}

// clone shares no slice with p.
func (p Policy) clone() Policy {
	p.Origins = slices.Clone(p.Origins)
	p.Methods = slices.Clone(p.Methods)
	p.RequestHeaders = slices.Clone(p.RequestHeaders)
	p.ExposedHeaders = slices.Clone(p.ExposedHeaders)
	return p
}

// varies reports whether the CORS headers of responses depend on the request's
// origin.
func (c *compiled) varies() bool {
	return !c.anyOrigin && (len(c.policy.Origins) > 0 || c.policy.OriginSource != nil)
}
