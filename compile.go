package cors

import (
	"cmp"
	"errors"
	"fmt"
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
	// policy is as it was given, in slices of its own. Its Origins, of which there
	// may be a million, are held once: in origins, and the wildcards in wildcards.
	policy    Policy
	origins   *origin.Set
	wildcards []wildcard
	few       []string // the exact origins, where they are so few that to look at each is fastest

	anyOrigin bool // by a static "*"
	varies    bool // the CORS headers of responses depend on the origin
	methods   []string
	anyMethod bool
	names     nameSet // of request-headers
	anyName   bool
	exposed   string
	maxAge    string
	success   int // status of a preflight
	refusal   int
}

// A wildcard is an element of Origins that is not the one origin it names.
type wildcard struct {
	index int
	text  string
}

// off is the policy that allows nothing.
var off, _ = compile(Policy{})

// compile returns every mistake in p at once.
func compile(p Policy) (*compiled, error) {
	c := &compiled{policy: p.clone(), success: http.StatusNoContent, refusal: http.StatusForbidden}
	var faults []*PolicyError
	fault := func(field string, index int, value, reason, fix string) {
		faults = append(faults, &PolicyError{Field: field, Index: index, Value: value, Reason: reason, Fix: fix})
	}
	c.compileOrigins(p.Origins, fault)
	slices.SortStableFunc(faults, func(a, b *PolicyError) int { return cmp.Compare(a.Index, b.Index) })
	c.compileMethods(fault)
	c.compileNames(fault)
	c.compileExposed(fault)
	c.compileMaxAge(fault)
	c.compileStatuses(fault)
	if len(faults) == 0 {
		return c, nil
	}
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return nil, errors.Join(errs...)
}

// clone shares no slice with p, and has no Origins.
func (p Policy) clone() Policy {
	p.Origins = nil
	p.Methods = slices.Clone(p.Methods)
	p.RequestHeaders = slices.Clone(p.RequestHeaders)
	p.ExposedHeaders = slices.Clone(p.ExposedHeaders)
	return p
}

// restored is the policy as it was given, each exact origin once.
func (c *compiled) restored() Policy {
	p := c.policy.clone()
	exact := c.origins.Exact()
	for _, w := range c.wildcards {
		n := min(max(w.index-len(p.Origins), 0), len(exact))
		p.Origins = append(append(p.Origins, exact[:n]...), w.text)
		exact = exact[n:]
	}
	p.Origins = append(p.Origins, exact...)
	return p
}

// A report takes a mistake; its index is -1 where the field is no list.
type report func(field string, index int, value, reason, fix string)

func (c *compiled) compileOrigins(texts []string, fault report) {
	c.origins = new(origin.Set)
	var patterns []origin.Pattern
	for i, text := range texts {
		if isPlain(text) {
			continue // the set judges it
		}
		p, ok := c.compileOrigin(i, text, fault)
		if ok && (text == "null" || strings.Contains(text, "*")) {
			c.wildcards = append(c.wildcards, wildcard{i, text})
			patterns = append(patterns, p)
		}
	}
	c.origins.AddPattern(patterns...)
	exact := without(texts, c.wildcards)
	if len(exact) <= 8 {
		c.few = slices.Clone(exact)
	}
	if err := c.origins.Add(exact...); err != nil {
		for i, text := range texts {
			if isPlain(text) {
				c.compileOrigin(i, text, fault)
			}
		}
	}
	c.varies = !c.anyOrigin && (len(texts) > 0 || c.policy.OriginSource != nil)
}

// isPlain reports whether text can only be an exact origin with which nothing
// is wrong but perhaps how it is written.
func isPlain(text string) bool {
	return strings.HasPrefix(text, "https://") && strings.IndexByte(text, '*') < 0
}

// without returns texts, which is not copied if there are no wildcards.
func without(texts []string, wildcards []wildcard) []string {
	if len(wildcards) == 0 {
		return texts
	}
	exact := make([]string, 0, len(texts)-len(wildcards))
	start := 0
	for _, w := range wildcards {
		exact = append(exact, texts[start:w.index]...)
		start = w.index + 1
	}
	return append(exact, texts[start:]...)
}

func (c *compiled) compileOrigin(i int, text string, fault report) (p origin.Pattern, ok bool) {
	policy := &c.policy
	parse := origin.ParsePattern
	if policy.InsecureAllowPublicSuffix {
		parse = origin.InsecureParsePattern
	}
	p, err := parse(text)
	var bad *origin.PatternError
	if errors.As(err, &bad) {
		fix := bad.Fix
		if insecure, err := origin.InsecureParsePattern(text); err == nil && insecure.SpansPublicSuffix() {
			fix += ", or set InsecureAllowPublicSuffix"
		}
		fault("Origins", i, text, bad.Reason, fix)
		return p, false
	}
	switch {
	case p.Null() && !policy.InsecureAllowNull:
		fault("Origins", i, text, "any page can have this origin, by a sandboxed frame", "remove it, or set InsecureAllowNull")
	case p.Any() && policy.Credentials && !policy.InsecureReflectAnyOrigin:
		fault("Origins", i, text, "with Credentials any page could read what the visitor may read", "list the origins, or set InsecureReflectAnyOrigin")
	case p.Any() && policy.OriginSource != nil:
		fault("Origins", i, text, "OriginSource is never asked where every origin is allowed", "remove the one or the other")
	case p.InsecureScheme() && policy.Credentials && !policy.InsecureAllowHTTP:
		fault("Origins", i, text, "with Credentials whoever is on the visitor's network could read what the visitor may read",
			"write "+strconv.Quote("https"+strings.TrimPrefix(text, "http"))+", or set InsecureAllowHTTP")
	case p.Any() && !policy.Credentials:
		c.anyOrigin = true
		return p, true
	default:
		return p, true
	}
	return p, false
}

func (c *compiled) compileMethods(fault report) {
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
		case len(m) > maxMethod:
			fault("Methods", i, m, fmt.Sprintf("a method of more than %d bytes is never answered", maxMethod), "remove it")
		case !slices.Contains(c.methods, m):
			c.methods = append(c.methods, m)
		}
	}
}

func (c *compiled) compileNames(fault report) {
	var names []string
	for i, n := range c.policy.RequestHeaders {
		switch {
		case n == "*":
			c.anyName = true
		case !header.IsToken(n):
			fault("RequestHeaders", i, n, "this is not a header name", `write one such as "Content-Type", each as an element of its own`)
		case header.IsForbiddenRequest(n, ""):
			fault("RequestHeaders", i, n, "browsers let no page set this header, so none asks for it", "remove it")
		default:
			names = append(names, n)
		}
	}
	c.names = newNameSet(names)
}

func (c *compiled) compileExposed(fault report) {
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

func (c *compiled) compileMaxAge(fault report) {
	switch age := c.policy.MaxAge; {
	case age < 0:
		c.maxAge = "0"
	case age%time.Second != 0:
		fault("MaxAge", -1, age.String(), "browsers count whole seconds", "write "+max(age.Round(time.Second), time.Second).String())
	case age > 0:
		c.maxAge = strconv.FormatInt(int64(age/time.Second), 10)
	}
}

func (c *compiled) compileStatuses(fault report) {
	if s := c.policy.PreflightStatus; s != 0 {
		c.success = s
		if s < 200 || s > 299 {
			fault("PreflightStatus", -1, strconv.Itoa(s), "a browser takes it for a refusal", "write a status from 200 to 299, or 0 for 204")
		}
	}
	if s := c.policy.RefusedStatus; s != 0 {
		c.refusal = s
		if s != 200 && s != 204 && s != 403 {
			fault("RefusedStatus", -1, strconv.Itoa(s), "a refused preflight is answered with 403, 204 or 200", "write one of them, or 0 for 403")
		}
	}
}
