package export

import (
	"slices"
	"strings"
)

// istio writes a VirtualService, whose proxies are Envoy: what [envoy] says of the
// filter holds here.
//
// https://istio.io/latest/docs/reference/config/networking/virtual-service/
func istio(j *job) error {
	var docs []document
	matchers := j.matchers()
	var hosts []string
	for _, m := range matchers {
		if m.host != "" && !slices.Contains(hosts, m.host) {
			hosts = append(hosts, m.host)
		}
	}
	slices.Sort(hosts)
	names := takenNames{}
	for _, host := range append(hosts, "") {
		spec := istioSpec{Hosts: []string{host}}
		name := "cors"
		if host == "" {
			spec.Hosts = []string{"*"}
		} else {
			name = names.of("cors-" + dashed(host))
		}
		for _, m := range matchers {
			if m.host == "" || m.host == host {
				spec.HTTP = append(spec.HTTP, j.istioRoute(m))
			}
		}
		if rest := j.rest(); rest != nil {
			spec.HTTP = append(spec.HTTP, istioRoute{
				Name: "other", Match: []istioMatch{{istioString{Prefix: "/"}}}, Route: istioTo(j.serviceOf(rest)),
				Headers: &istioHeaders{istioOperations{Remove: stripped}},
			})
		}
		docs = append(docs, document{
			content: kubernetes[istioSpec]{APIVersion: "networking.istio.io/v1", Kind: "VirtualService", Metadata: metadata{Name: name}, Spec: spec},
			comments: map[string]string{
				"$.spec.http": "The first route that matches decides. What the upstream says of CORS is removed before the policy speaks;\nVary is added, since the policy does not.",
			},
		})
	}
	docs[0].head = `CORS for Istio, written by "cors export --to istio": change cors.yaml, and write it again.`
	j.needUpstream(true)
	j.findDestinations()
	j.istioFindings()
	return j.writeYAML("istio-virtualservice.yaml", docs...)
}

func (j *job) istioRoute(m matcher) istioRoute {
	r := j.of(m.route)
	route := istioRoute{Name: m.route, Match: []istioMatch{{istioPath(m)}}, Route: istioTo(j.serviceOf(r.upstream))}
	if r.shadow {
		return route
	}
	route.Headers = &istioHeaders{istioOperations{Remove: stripped}}
	if r.off() {
		return route
	}
	route.Headers.Response.Add = map[string]string{"Vary": "Origin"}
	route.CORS = j.istioCORS(r)
	return route
}

func istioPath(m matcher) istioString {
	p := envoyPath(m)
	switch {
	case p.Regex != nil:
		return istioString{Regex: p.Regex.Regex}
	case p.Path != "":
		return istioString{Exact: p.Path}
	}
	return istioString{Prefix: p.Prefix}
}

func istioTo(s service) []istioDestination {
	d := istioService{Host: s.name}
	if s.url != nil {
		d.Host = s.url.Hostname()
		port := uint32(80)
		if s.url.Scheme == "https" {
			port = 443
		}
		if n, ok := portNumber(s.url); ok {
			port = n
		}
		d.Port = &istioPort{port}
	}
	return []istioDestination{{d}}
}

// findDestinations finds what the mesh has to know of the upstreams.
func (j *job) findDestinations() {
	for _, s := range j.services() {
		if s.url == nil {
			continue
		}
		f := Finding{Field: "upstream", Value: s.url.String(), Effect: Needs}
		if _, namespace, ok := kubernetesService(s.url); !ok || namespace != "" && !strings.Contains(s.url.Hostname(), ".svc") {
			f.Reason, f.Fix = "Istio passes on only to what its registry has", "add a ServiceEntry for the host, if it is not that of a Service"
			j.find(f)
		}
		if s.url.Scheme == "https" {
			f.Reason, f.Fix = "proxies speak to it without TLS", "add a DestinationRule for the host, with tls.mode: SIMPLE"
			j.find(f)
		}
	}
}

// istioMethods are those that Istio takes.
var istioMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"}

func (j *job) istioCORS(r *rule) *istioPolicy {
	p := &istioPolicy{
		AllowHeaders:     envoyNames(r),
		ExposeHeaders:    r.policy.ExposedHeaders,
		AllowCredentials: r.policy.Credentials,
		Unmatched:        "IGNORE",
	}
	if r.any() {
		p.AllowOrigins = []istioString{{Exact: "*"}}
	}
	exact, wild := r.origins()
	for _, o := range exact {
		p.AllowOrigins = append(p.AllowOrigins, istioString{Exact: o})
	}
	for _, o := range wild {
		p.AllowOrigins = append(p.AllowOrigins, istioString{Regex: originRegexp(o)})
	}
	methods, every := r.methods()
	if every {
		methods = []string{"*"}
	}
	var refused []string
	for _, m := range methods {
		if slices.Contains(istioMethods, m) {
			p.AllowMethods = append(p.AllowMethods, m)
		} else {
			refused = append(refused, m)
		}
	}
	j.findMethods(r, refused, "Istio takes only the methods of HTTP itself")
	if r.policy.MaxAge > 0 {
		p.MaxAge = r.maxAge() + "s"
	}
	return p
}

func (j *job) istioFindings() {
	j.findEnvoyFilter()
	j.findShadow()
	j.findPrivateNetwork()
	j.find(Finding{Field: "routes", Effect: Needs, Reason: "a VirtualService without gateways holds within the mesh alone", Fix: "name the Gateway in spec.gateways if requests come from outside"})
	j.find(Finding{Field: "origins", Effect: Needs, Reason: "unmatchedPreflights: IGNORE keeps preflights of other origins from the upstream, and old releases do not have it",
		Fix: "use a release that has it; without it the upstream's CORS headers are removed all the same"})
	j.findHosts("Istio")
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "a path that can be read as that of another route is not refused by the policy",
			Fix: "set pathNormalization.normalization: DECODE_AND_MERGE_SLASHES in the mesh configuration"})
	}
	for _, r := range j.rules {
		if r.policy.MaxAge < 0 && !r.shadow {
			j.findIn(r, Finding{Field: "max-age", Value: "0", Effect: Lost, Reason: "Istio refuses a duration of 0, so that nothing is said and browsers keep an answer for 5 s", Fix: "nothing"})
		}
	}
}

// What of a VirtualService is written.
type (
	istioSpec struct {
		Hosts []string     `yaml:"hosts"`
		HTTP  []istioRoute `yaml:"http"`
	}
	istioRoute struct {
		Name    string             `yaml:"name"`
		Match   []istioMatch       `yaml:"match"`
		CORS    *istioPolicy       `yaml:"corsPolicy,omitempty"`
		Headers *istioHeaders      `yaml:"headers,omitempty"`
		Route   []istioDestination `yaml:"route"`
	}
	istioMatch struct {
		URI istioString `yaml:"uri"`
	}
	istioString struct {
		Exact  string `yaml:"exact,omitempty"`
		Prefix string `yaml:"prefix,omitempty"`
		Regex  string `yaml:"regex,omitempty"`
	}
	istioPolicy struct {
		AllowOrigins     []istioString `yaml:"allowOrigins"`
		AllowMethods     []string      `yaml:"allowMethods,omitempty"`
		AllowHeaders     []string      `yaml:"allowHeaders,omitempty"`
		ExposeHeaders    []string      `yaml:"exposeHeaders,omitempty"`
		MaxAge           string        `yaml:"maxAge,omitempty"`
		AllowCredentials bool          `yaml:"allowCredentials"`
		Unmatched        string        `yaml:"unmatchedPreflights"`
	}
	istioHeaders struct {
		Response istioOperations `yaml:"response"`
	}
	istioOperations struct {
		Add    map[string]string `yaml:"add,omitempty"`
		Remove []string          `yaml:"remove,omitempty"`
	}
	istioDestination struct {
		Destination istioService `yaml:"destination"`
	}
	istioService struct {
		Host string     `yaml:"host"`
		Port *istioPort `yaml:"port,omitempty"`
	}
	istioPort struct {
		Number uint32 `yaml:"number"`
	}
)
