package importer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// A Source is a server whose configuration is read.
type Source struct {
	Name  string // as [From] takes it
	Title string
	Reads string // what of it
	read  func(*result, []byte) error
}

var sources = []Source{
	{"nginx", "nginx", "servers and locations: add_header, if, set, map and return", readNginx},
	{"traefik", "Traefik", "the file provider's YAML or TOML: routers, and their headers middlewares", readTraefik},
	{"traefik-crd", "Traefik on Kubernetes", "Middleware and IngressRoute of traefik.io/v1alpha1", readTraefikCRD},
	{"gateway-api", "Kubernetes Gateway API", "HTTPRoute, with its CORS filter", readGateway},
	{"s3", "AWS S3", "the CORS configuration of a bucket, in JSON or XML", readS3},
	{"rs-cors", "rs/cors, and what is like it", "its options as JSON", readOptions},
}

// Sources returns all sources, always in the same order.
func Sources() []Source { return slices.Clone(sources) }

// MaxSize is the largest configuration that is read, in bytes.
const MaxSize = policyfile.MaxSize

// A Result is what was read.
type Result struct {
	File     *policyfile.File // that policyfile.Parse takes, once it is formatted
	Findings []Finding
}

// A Finding is what of the configuration is not in the file as it was, or is
// unsafe as it was.
type Finding struct {
	Where  string `json:"where,omitempty"` // in the configuration
	Field  string `json:"field"`           // the key of cors.yaml that it is about
	Value  string `json:"value,omitempty"` // as the configuration has it
	Effect Effect `json:"effect"`
	Reason string `json:"reason"`
	Fix    string `json:"fix"`
}

// An Effect is what becomes of a part of the configuration.
type Effect string

const (
	Unsafe   Effect = "unsafe"   // it is read as it is, and lets in more than is good
	Widened  Effect = "widened"  // the file allows more
	Narrowed Effect = "narrowed" // the file allows less
	Lost     Effect = "lost"     // it is not in the file, which allows no more for that
)

func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(string(f.Effect) + ": ")
	if f.Where != "" {
		b.WriteString(f.Where + ": ")
	}
	b.WriteString(f.Field)
	if f.Value != "" {
		fmt.Fprintf(&b, ": %.200q", f.Value)
	}
	fmt.Fprintf(&b, ": %s; %s", f.Reason, f.Fix)
	return b.String()
}

// From reads the configuration of a source. The error is of what is no
// configuration of that source at all, or lets no origin in; then the findings
// are there alone.
func From(source string, data []byte) (*Result, error) {
	i := slices.IndexFunc(sources, func(s Source) bool { return s.Name == source })
	if i < 0 {
		var names []string
		for _, s := range sources {
			names = append(names, s.Name)
		}
		return nil, fmt.Errorf("%.40q: there is no such source; write one of %s", source, strings.Join(names, ", "))
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("import from %s: the file is larger than %d bytes; take the part that is of CORS", source, MaxSize)
	}
	r := &result{routes: make(map[string]*route), work: budget, translated: make(map[string]struct {
		t   translation
		err error
	})}
	if err := sources[i].read(r, data); err != nil {
		return nil, fmt.Errorf("import from %s: %w", source, err)
	}
	f := r.file()
	if r.work < 0 {
		r.lost("", "routes", "", "the configuration is too complicated to be read as a whole", "take the part that is of CORS")
	}
	if !slices.ContainsFunc(f.Routes, func(r policyfile.Route) bool { return len(r.Policy.Origins) > 0 }) {
		return &Result{Findings: r.findings}, fmt.Errorf("import from %s: no origin that may read can be taken from it", source)
	}
	return &Result{f, r.findings}, nil
}

// A result is gathered.
type result struct {
	routes   map[string]*route // by pattern
	findings []Finding
	work     int // that may still be done

	translated map[string]struct {
		t   translation
		err error
	}
}

// A route is off where it has no policy.
type route struct {
	where    string
	policy   *cors.Policy
	upstream string
}

// spend takes from the work that may still be done, and reports whether there is
// none left.
func (r *result) spend(work int) bool {
	r.work -= work
	return r.work < 0
}

func (r *result) find(f Finding) {
	if !slices.Contains(r.findings, f) && len(r.findings) < maxFindings {
		r.findings = append(r.findings, f)
	}
}

const maxFindings = 1000

// lost tells of what is not in the file.
func (r *result) lost(where, field, value, reason, fix string) {
	r.find(Finding{where, field, value, Lost, reason, fix})
}

// route adds a route. The first of a pattern stays.
func (r *result) route(pattern, where string, policy *cors.Policy, upstream string) {
	if first, ok := r.routes[pattern]; ok {
		if !same(first.policy, policy) {
			r.lost(where, "routes", pattern, "there is another policy for it, of "+first.where, "see which is meant")
		}
		return
	}
	r.routes[pattern] = &route{where, policy, upstream}
}

func same(a, b *cors.Policy) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Origins, b.Origins) && slices.Equal(a.Methods, b.Methods) && slices.Equal(a.RequestHeaders, b.RequestHeaders) &&
		slices.Equal(a.ExposedHeaders, b.ExposedHeaders) && a.Credentials == b.Credentials && a.MaxAge == b.MaxAge
}

// file returns what was gathered, without what would be refused.
func (r *result) file() *policyfile.File {
	f := new(policyfile.File)
	policies := make(map[string]cors.Policy)
	for _, pattern := range slices.SortedFunc(maps.Keys(r.routes), byHost) {
		route := r.routes[pattern]
		if route.policy == nil && route.upstream == "" && !r.covered(pattern) {
			continue // it is off without that
		}
		// "/api/" is for "/api" too.
		if below := r.routes[pattern+"/"]; below != nil && same(below.policy, route.policy) && below.upstream == route.upstream {
			continue
		}
		var p cors.Policy
		if route.policy != nil {
			if p = r.sound(route.where, *route.policy); len(p.Origins) == 0 {
				p = cors.Policy{} // off
			}
		}
		policies[pattern] = p
		if _, err := cors.NewRoutes(policies); err != nil {
			// What is wrong can only be the pattern: the policies were asked one by one.
			reason, fix := "this is no route of cors.yaml", "write one that is"
			var fault *cors.PolicyError
			if errors.As(err, &fault) {
				reason, fix = fault.Reason, fault.Fix
			}
			r.lost(route.where, "routes", pattern, reason, fix)
			delete(policies, pattern)
			continue
		}
		out := policyfile.Route{Pattern: pattern, Policy: p}
		if route.upstream != "" {
			to, err := policyfile.ParseUpstream(route.upstream)
			if err != nil {
				r.lost(route.where, "upstream", route.upstream, "it is no upstream of cors.yaml", "write the URL of the service")
			}
			out.Upstream = to
		}
		f.Routes = append(f.Routes, out)
	}
	if len(f.Routes) > 0 && f.Routes[0].Upstream != nil {
		one := f.Routes[0].Upstream
		if !slices.ContainsFunc(f.Routes, func(r policyfile.Route) bool { return r.Upstream == nil || r.Upstream.String() != one.String() }) {
			f.Upstream = one
		}
	}
	// What no route matches goes there, and is off.
	if f.Upstream != nil && len(f.Routes) > 1 && f.Routes[0].Pattern == "/" && len(f.Routes[0].Policy.Origins) == 0 {
		f.Routes = f.Routes[1:]
	}
	return f
}

// covered reports whether a route that has a policy is for what another is for,
// too.
func (r *result) covered(pattern string) bool {
	for other, route := range r.routes {
		host, path, _ := strings.Cut(other, "/")
		if route.policy != nil && strings.HasPrefix(pattern, host) && strings.HasPrefix(pattern[strings.IndexByte(pattern, '/')+1:], path) && other != pattern {
			return true
		}
	}
	return false
}

// byHost sorts routes of every host first.
func byHost(a, b string) int {
	return cmp.Or(cmp.Compare(strings.IndexByte(a, '/'), strings.IndexByte(b, '/')), strings.Compare(a, b))
}

// keys are the names of a policy's fields in cors.yaml.
var keys = map[string]string{
	"Origins": "origins", "Methods": "methods", "RequestHeaders": "request-headers", "ExposedHeaders": "exposed-headers",
	"Credentials": "credentials", "MaxAge": "max-age", "PreflightStatus": "preflight-status",
}

// sound returns p as package cors takes it: with the flags for what is insecure in
// it, and without what is wrong.
func (r *result) sound(where string, p cors.Policy) cors.Policy {
	for _, flag := range []struct {
		set *bool
		key string
	}{
		{&p.InsecureAllowNull, "insecure-allow-null"},
		{&p.InsecureAllowPublicSuffix, "insecure-allow-public-suffix"},
		{&p.InsecureAllowHTTP, "insecure-allow-http"},
		{&p.InsecureReflectAnyOrigin, "insecure-reflect-any-origin"},
	} {
		before := faults(p)
		*flag.set = true
		after := faults(p)
		if len(after) >= len(before) {
			*flag.set = false
			continue
		}
		for _, fault := range before {
			if !slices.ContainsFunc(after, func(f *cors.PolicyError) bool {
				return f.Field == fault.Field && f.Value == fault.Value && f.Reason == fault.Reason
			}) {
				r.find(Finding{where, key(fault.Field), fault.Value, Unsafe, inYAML.Replace(fault.Reason), "remove it, and " + flag.key + ", unless that is meant"})
			}
		}
	}
	for {
		all := faults(p)
		if len(all) == 0 {
			return p
		}
		// From the end, so that what comes before keeps its index.
		fault := all[len(all)-1]
		r.lost(where, key(fault.Field), fault.Value, inYAML.Replace(fault.Reason), inYAML.Replace(fault.Fix))
		switch list := map[string]*[]string{"Origins": &p.Origins, "Methods": &p.Methods, "RequestHeaders": &p.RequestHeaders, "ExposedHeaders": &p.ExposedHeaders}[fault.Field]; {
		case list != nil && fault.Index >= 0:
			*list = slices.Delete(slices.Clone(*list), fault.Index, fault.Index+1)
		case fault.Field == "MaxAge":
			p.MaxAge = 0
		case fault.Field == "PreflightStatus":
			p.PreflightStatus = 0
		case fault.Field == "Credentials":
			p.Credentials = false
		default:
			return cors.Policy{}
		}
	}
}

// inYAML has the names of fields as cors.yaml has them.
var inYAML = func() *strings.Replacer {
	var pairs []string
	for _, field := range []string{"RequestHeaders", "ExposedHeaders", "PreflightStatus", "Credentials", "Origins", "Methods", "MaxAge"} {
		pairs = append(pairs, field, keys[field])
	}
	return strings.NewReplacer(pairs...)
}()

func key(field string) string { return cmp.Or(keys[field], field) }

func faults(p cors.Policy) (all []*cors.PolicyError) {
	_, err := cors.New(p)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			var fault *cors.PolicyError
			if errors.As(err, &fault) {
				all = append(all, fault)
			}
		}
	}
	return all
}
