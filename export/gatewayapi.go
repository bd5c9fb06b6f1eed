package export

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/crossorigin/cors/policyfile"
)

// gatewayAPI writes HTTPRoutes of the Kubernetes Gateway API, with its CORS filter.
//
// https://gateway-api.sigs.k8s.io/geps/gep-1767/
func gatewayAPI(j *job) error {
	var docs []document
	matchers := j.matchers()
	var hosts []string
	for _, m := range matchers {
		if !slices.Contains(hosts, m.host) {
			hosts = append(hosts, m.host)
		}
	}
	slices.Sort(hosts)
	names := takenNames{}
	for _, host := range hosts {
		spec := gatewaySpec{Parents: []gatewayParent{{"gateway"}}}
		name := "cors"
		if host != "" {
			spec.Hostnames, name = []string{host}, names.of("cors-"+dashed(host))
		}
		own := gatewayMatchers(matchers, host)
		for _, r := range j.rules {
			if rule, ok := j.gatewayRule(r, own); ok {
				spec.Rules = append(spec.Rules, rule)
			}
		}
		if len(spec.Rules) > 16 {
			j.find(Finding{Field: "routes", Effect: Needs, Reason: "an HTTPRoute takes at most 16 rules, and the API server refuses it", Fix: "part the file"})
		}
		docs = append(docs, document{content: kubernetes[gatewaySpec]{
			APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute", Metadata: metadata{Name: name}, Spec: spec,
		}})
	}
	docs[0].head = `CORS for the Kubernetes Gateway API, written by "cors export --to gateway-api": change cors.yaml, and write it again.` +
		"\nThe most specific match wins, in whatever order they stand."
	j.needUpstream(true)
	j.findBackends()
	j.gatewayFindings()
	return j.writeYAML("httproute.yaml", docs...)
}

// gatewayMatchers returns the matchers for a host. Those of every host are among
// them, since there are implementations that look no further, but for those that
// none of its requests reaches: here an exact match would come first.
func gatewayMatchers(matchers []matcher, host string) []matcher {
	var own []matcher
	for _, m := range matchers {
		hidden := func(h matcher) bool { return h.host == host && h.hides(m) }
		if m.rank() != rankDirectory && (m.host == host || m.host == "" && !slices.ContainsFunc(matchers, hidden)) {
			own = append(own, m)
		}
	}
	return own
}

// hides reports whether m matches every path that other does.
func (m matcher) hides(other matcher) bool {
	_, a := m.segments()
	_, b := other.segments()
	if m.exact && (!other.exact || len(a) != len(b)) || len(a) > len(b) {
		return false
	}
	return slices.EqualFunc(a, b[:len(a)], func(x, y string) bool { return x == y || strings.HasPrefix(x, "{") })
}

// gatewayRule returns the rule of r, if it has some of the matchers. A prefix is
// one of whole segments, with or without a slash at its end.
func (j *job) gatewayRule(r *rule, matchers []matcher) (gatewayRule, bool) {
	rule := gatewayRule{Backends: gatewayBackend(j.serviceOf(r.upstream))}
	for _, m := range matchers {
		if !slices.Contains(r.routes, m.route) {
			continue
		}
		p := gatewayPath{Type: "PathPrefix"}
		path, ok := m.literal()
		switch {
		case !ok && m.exact:
			p = gatewayPath{"RegularExpression", m.raw}
		case !ok:
			p = gatewayPath{"RegularExpression", strings.TrimSuffix(m.raw, "/") + "(?:/.*)?"}
		case m.exact:
			p = gatewayPath{"Exact", path}
		default:
			p.Value = path
			if path != "/" {
				p.Value = strings.TrimSuffix(path, "/")
			}
		}
		rule.Matches = append(rule.Matches, gatewayMatch{p})
	}
	if len(rule.Matches) == 0 {
		return rule, false
	}
	if r.off() || r.shadow {
		return rule, true
	}
	if policy := j.gatewayCORS(r); len(policy.AllowOrigins) > 0 {
		rule.Filters = []gatewayFilter{{"CORS", policy}}
	}
	return rule, true
}

func gatewayBackend(s service) []gatewayRef {
	ref := gatewayRef{Name: s.name, Port: 80}
	if s.url != nil {
		if name, namespace, ok := kubernetesService(s.url); ok {
			ref.Name, ref.Namespace = name, namespace
		}
		if s.url.Scheme == "https" {
			ref.Port = 443
		}
		if n, ok := portNumber(s.url); ok {
			ref.Port = n
		}
	}
	return []gatewayRef{ref}
}

// kubernetesService returns the Service that u is the address of within a cluster:
// "api", "api.default" or "api.default.svc.cluster.local"; namespace may be "".
func kubernetesService(u *url.URL) (name, namespace string, ok bool) {
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), ".")
	if len(labels) > 2 && labels[2] != "svc" || strings.Contains(u.Hostname(), ":") {
		return "", "", false
	}
	if len(labels) == 1 {
		return labels[0], "", true
	}
	return labels[0], labels[1], true
}

// findBackends finds what the gateway has to have to reach the upstreams.
func (j *job) findBackends() {
	for _, s := range j.services() {
		if s.url == nil {
			continue
		}
		f := Finding{Field: "upstream", Value: s.url.String(), Effect: Needs}
		switch _, namespace, ok := kubernetesService(s.url); {
		case !ok:
			f.Reason = "this is not the address of a Service, and a route takes nothing else"
			f.Fix = fmt.Sprintf("put the name of a Service that stands for it in place of %q", s.name)
			j.find(f)
		case namespace != "":
			f.Reason = fmt.Sprintf("this is a Service in the namespace %q, which a route in another one may not name", namespace)
			f.Fix = "add a ReferenceGrant there, or keep the route there"
			j.find(f)
		}
		if s.url.Scheme == "https" {
			f.Reason, f.Fix = "gateways speak to a Service without TLS", "add a BackendTLSPolicy for the Service"
			j.find(f)
		}
	}
}

// gatewayMethods are those that the filter takes, beside "*".
var gatewayMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

func (j *job) gatewayCORS(r *rule) gatewayPolicy {
	p := gatewayPolicy{AllowCredentials: r.policy.Credentials, ExposeHeaders: r.policy.ExposedHeaders}
	if r.any() {
		p.AllowOrigins = []string{"*"}
	}
	exact, wild := r.origins()
	for _, o := range slices.Concat(exact, wild) {
		if gatewayOrigin(o) {
			p.AllowOrigins = append(p.AllowOrigins, o)
		}
	}
	methods, every := r.methods()
	for _, m := range methods {
		if slices.Contains(gatewayMethods, m) {
			p.AllowMethods = append(p.AllowMethods, m)
		}
	}
	if every {
		p.AllowMethods = []string{"*"}
	}
	names, everyName := r.names()
	if everyName {
		names = []string{"*"} // nothing may stand beside it
	}
	p.AllowHeaders = names
	if age := r.seconds(); age != nil {
		p.MaxAge = *age
	}
	return p
}

// gatewayOrigin reports whether the filter takes a pattern: http or https, a host
// of letters, digits and "-" in which "*" stands for subdomains, and a port.
func gatewayOrigin(o string) bool {
	scheme, host, _ := strings.Cut(o, "://")
	name, port := cutPort(host)
	plain := strings.Trim(strings.TrimPrefix(name, "*."), "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
	return (scheme == "http" || scheme == "https") && plain && port != "*" && len(o) <= 253
}

func (j *job) gatewayFindings() {
	j.find(Finding{Field: "routes", Effect: Needs, Reason: "an HTTPRoute belongs to a Gateway, and the CORS filter is an extended feature, written here as the standard channel of Gateway API 1.6 has it",
		Fix: `name yours in parentRefs, and see that its implementation has the feature HTTPRouteCORS`})
	j.find(Finding{Field: "upstream-headers", Effect: Needs, Reason: "what becomes of the CORS headers of the upstream is left to the implementation", Fix: "have the upstream say nothing of CORS"})
	j.findHosts("the implementation")
	j.findHostsFirst("the implementation")
	j.findStatuses(0, 0)
	j.findHeaders()
	j.findShadow()
	j.findPrivateNetwork()
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		exact, wild := r.origins()
		refused := slices.DeleteFunc(slices.Concat(exact, wild), gatewayOrigin)
		for _, o := range refused {
			j.narrowOrigin(r, o, `the filter takes http and https, hosts of letters, digits and "-", and "*" in the place of subdomains alone`, "list the origins, or serve the route by another target")
		}
		if len(refused) > 0 && len(refused) == len(exact)+len(wild) {
			j.findIn(r, Finding{Field: "origins", Effect: Narrowed, Reason: "none of the origins is left, and the route has no filter", Fix: "serve it by another target"})
		}
		for _, list := range []struct {
			field string
			n     int
		}{{"origins", len(exact) + len(wild)}, {"request-headers", len(r.policy.RequestHeaders)}, {"exposed-headers", len(r.policy.ExposedHeaders)}} {
			if list.n > 64 {
				j.findIn(r, Finding{Field: list.field, Effect: Needs, Reason: "the filter takes at most 64, and the API server refuses the route", Fix: "list fewer"})
			}
		}
		methods, _ := r.methods()
		j.findMethods(r, slices.DeleteFunc(methods, func(m string) bool { return slices.Contains(gatewayMethods, m) }), "the filter takes only the methods of HTTP itself")
		if _, every := r.names(); every {
			if r.authorization() {
				j.findIn(r, Finding{Field: "request-headers", Value: "Authorization", Effect: Narrowed, Reason: `nothing may stand beside "*", which an implementation may answer as it is, and then it does not cover Authorization`, Fix: "list the names"})
			} else {
				j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened, Reason: "an implementation may answer with the names asked for, Authorization among them", Fix: "list the names"})
			}
		}
		if r.policy.MaxAge == 0 {
			j.findIn(r, Finding{Field: "max-age", Effect: Lost, Reason: "5 s is said where nothing is set", Fix: "nothing: browsers keep an answer for 5 s in any case"})
		}
		if r.policy.MaxAge < 0 {
			j.findIn(r, Finding{Field: "max-age", Value: "0", Effect: Lost, Reason: "the filter takes no less than 1 s, and 5 s is what is said", Fix: "nothing"})
		}
	}
	if slices.ContainsFunc(j.file.Routes, func(r policyfile.Route) bool {
		return strings.Contains(r.Pattern, "{") && !strings.HasSuffix(r.Pattern, "{$}")
	}) {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "regular expressions in paths, and which of them wins, are left to the implementation", Fix: "see that yours takes RegularExpression, and try it"})
	}
	if rest := j.rest(); rest != nil {
		j.find(Finding{Field: "routes", Effect: Narrowed, Reason: "what no route of the file matches goes nowhere", Fix: `write "/: off"`})
	}
}

// What of an HTTPRoute is written.
type (
	gatewaySpec struct {
		Parents   []gatewayParent `yaml:"parentRefs"`
		Hostnames []string        `yaml:"hostnames,omitempty"`
		Rules     []gatewayRule   `yaml:"rules"`
	}
	gatewayParent struct {
		Name string `yaml:"name"`
	}
	gatewayRule struct {
		Matches  []gatewayMatch  `yaml:"matches"`
		Filters  []gatewayFilter `yaml:"filters,omitempty"`
		Backends []gatewayRef    `yaml:"backendRefs"`
	}
	gatewayMatch struct {
		Path gatewayPath `yaml:"path"`
	}
	gatewayPath struct {
		Type  string `yaml:"type"`
		Value string `yaml:"value"`
	}
	gatewayFilter struct {
		Type string        `yaml:"type"`
		CORS gatewayPolicy `yaml:"cors"`
	}
	gatewayPolicy struct {
		AllowOrigins     []string `yaml:"allowOrigins"`
		AllowMethods     []string `yaml:"allowMethods,omitempty"`
		AllowHeaders     []string `yaml:"allowHeaders,omitempty"`
		ExposeHeaders    []string `yaml:"exposeHeaders,omitempty"`
		AllowCredentials bool     `yaml:"allowCredentials,omitempty"`
		MaxAge           int64    `yaml:"maxAge,omitempty"`
	}
	gatewayRef struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace,omitempty"`
		Port      uint32 `yaml:"port"`
	}
)
