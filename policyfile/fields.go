package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// A field is a key of a route.
type field struct {
	name   string
	policy string // the field of cors.Policy that it is, or ""
	read   func(*reader, *Route, ast.Node) position
	flag   func(*cors.Policy) *bool // where it is one
}

var fields = []field{
	list("origins", "Origins", `[https://app.example.com]`, func(p *cors.Policy) *[]string { return &p.Origins }),
	list("methods", "Methods", `[PUT, DELETE]`, func(p *cors.Policy) *[]string { return &p.Methods }),
	list("request-headers", "RequestHeaders", `[Authorization, Content-Type]`, func(p *cors.Policy) *[]string { return &p.RequestHeaders }),
	list("exposed-headers", "ExposedHeaders", `[X-Request-Id]`, func(p *cors.Policy) *[]string { return &p.ExposedHeaders }),
	flag("credentials", "Credentials", func(p *cors.Policy) *bool { return &p.Credentials }),
	value("max-age", "MaxAge", func(r *reader, route *Route, n ast.Node) { route.Policy.MaxAge = r.maxAge(n) }),
	value("preflight-status", "PreflightStatus", func(r *reader, route *Route, n ast.Node) {
		route.Policy.PreflightStatus = r.status(n, "a status is wanted", "write 200 to 299, or remove it for 204")
	}),
	value("refused-status", "RefusedStatus", func(r *reader, route *Route, n ast.Node) {
		route.Policy.RefusedStatus = r.status(n, "a status is wanted", "write 403, 204 or 200, or remove it for 403")
	}),
	flag("private-network", "PrivateNetwork", func(p *cors.Policy) *bool { return &p.PrivateNetwork }),
	flag("insecure-allow-null", "InsecureAllowNull", func(p *cors.Policy) *bool { return &p.InsecureAllowNull }),
	flag("insecure-allow-public-suffix", "InsecureAllowPublicSuffix", func(p *cors.Policy) *bool { return &p.InsecureAllowPublicSuffix }),
	flag("insecure-allow-http", "InsecureAllowHTTP", func(p *cors.Policy) *bool { return &p.InsecureAllowHTTP }),
	flag("insecure-reflect-any-origin", "InsecureReflectAnyOrigin", func(p *cors.Policy) *bool { return &p.InsecureReflectAnyOrigin }),
	value("upstream", "", func(r *reader, route *Route, n ast.Node) { route.Upstream = r.upstream(n) }),
	value("upstream-headers", "", func(r *reader, route *Route, n ast.Node) { route.UpstreamHeaders = r.upstreamHeaders(n) }),
	value("shadow", "", func(r *reader, route *Route, n ast.Node) { route.Shadow = r.boolean(n) }),
}

func list(name, policy, example string, of func(*cors.Policy) *[]string) field {
	return field{name: name, policy: policy, read: func(r *reader, route *Route, n ast.Node) position {
		values, at := r.list(n, example)
		*of(&route.Policy) = values
		return position{placeOf(n), at}
	}}
}

func flag(name, policy string, of func(*cors.Policy) *bool) field {
	return field{name: name, policy: policy, flag: of, read: func(r *reader, route *Route, n ast.Node) position {
		*of(&route.Policy) = r.boolean(n)
		return position{at: placeOf(n)}
	}}
}

func value(name, policy string, read func(*reader, *Route, ast.Node)) field {
	return field{name: name, policy: policy, read: func(r *reader, route *Route, n ast.Node) position {
		read(r, route, n)
		return position{at: placeOf(n)}
	}}
}

// What fields says, by what is asked.
var (
	fieldNames []string
	fieldNamed = make(map[string]field)
	yamlName   = make(map[string]string) // by the field of cors.Policy
	inYAML     *strings.Replacer         // what package cors says, in the words of the file
)

func init() {
	words := []string{", or 0 for ", ", or remove it for "}
	var policy []field
	for _, f := range fields {
		fieldNames = append(fieldNames, f.name)
		fieldNamed[f.name] = f
		yamlName[f.policy] = f.name
		if f.policy != "" {
			policy = append(policy, f)
		}
	}
	// The longest first: strings.Replacer takes the first that fits.
	slices.SortFunc(policy, func(a, b field) int { return cmp.Compare(len(b.policy), len(a.policy)) })
	for _, f := range policy {
		if f.flag != nil {
			words = append(words, "set "+f.policy, "write \""+f.name+": true\"")
		}
		words = append(words, f.policy, f.name)
	}
	inYAML = strings.NewReplacer(words...)
}

func (r *reader) upstreamHeaders(n ast.Node) (mode edge.Mode) {
	const wanted, fix = "strip, fill or keep is wanted", "write strip (the policy alone speaks), fill (the policy where the upstream says nothing) or keep (the upstream alone)"
	s, ok := r.text(n, wanted, fix)
	if ok && mode.UnmarshalText([]byte(s)) != nil {
		r.fault(placeOf(n), s, wanted, fix)
	}
	return mode
}

// maxAge reads how long a browser may keep the answer to a preflight.
func (r *reader) maxAge(n ast.Node) time.Duration {
	var s string
	switch v := r.deref(n).(type) {
	case nil:
		return 0
	case *ast.IntegerNode:
		s = v.Token.Value
		if strings.TrimLeft(s, "-0123456789") != "" {
			r.fault(placeOf(v), s, "seconds are written in decimal digits", fmt.Sprintf("write %d", v.Value))
			return 0
		}
	default:
		var ok bool
		if s, ok = r.text(v, "a duration is wanted", durationFix); !ok {
			return 0
		}
	}
	d, err := ParseMaxAge(s)
	if err, ok := err.(*ValueError); ok {
		r.fault(placeOf(n), s, err.Reason, err.Fix)
	}
	return d
}
