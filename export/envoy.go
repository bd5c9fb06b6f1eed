package export

import (
	"slices"
	"strings"
)

// envoy writes a RouteConfiguration, with a CorsPolicy for each route.
//
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter
func envoy(j *job) error {
	config := envoyRoutes{Name: "cors"}
	matchers := j.matchers()
	var hosts []string
	for _, m := range matchers {
		if m.host != "" && !slices.Contains(hosts, m.host) {
			hosts = append(hosts, m.host)
		}
	}
	slices.Sort(hosts)
	for _, host := range append(hosts, "") {
		v := envoyHost{Name: host, Domains: []string{host, host + ":*"}}
		if host == "" {
			v.Name, v.Domains = "every-host", []string{"*"}
		}
		for _, m := range matchers {
			if m.host == "" || m.host == host {
				v.Routes = append(v.Routes, j.envoyRoute(m))
			}
		}
		if rest := j.rest(); rest != nil {
			v.Routes = append(v.Routes, envoyRoute{
				Name: "other", Match: envoyMatch{Prefix: "/"}, Route: envoyAction{j.serviceOf(rest).name}, Remove: stripped,
			})
		}
		config.Hosts = append(config.Hosts, v)
	}
	comments := map[string]string{
		"$.virtual_hosts": "The first route that matches decides. What the upstream says of CORS is removed before the filter speaks;\nVary is added, since the filter does not.",
	}
	j.needUpstream(true)
	j.envoyFindings()
	return j.writeYAML("envoy-routes.yaml", document{
		head: `CORS for Envoy, written by "cors export --to envoy": change cors.yaml, and write it again.` +
			"\nThis is a RouteConfiguration: the route_config of an HttpConnectionManager, or what a route discovery service answers.",
		content:  config,
		comments: comments,
	})
}

func (j *job) envoyRoute(m matcher) envoyRoute {
	r := j.of(m.route)
	route := envoyRoute{Name: m.route, Match: envoyPath(m), Route: envoyAction{j.serviceOf(r.upstream).name}}
	if !r.shadow {
		route.Remove = stripped
	}
	if r.off() {
		return route
	}
	route.Config = &envoyFilters{envoyCORS(r)}
	// The filter answers with the origin also where every one is allowed.
	if !r.shadow {
		route.Add = []envoyHeaderOption{{envoyHeader{"Vary", "Origin"}, "APPEND_IF_EXISTS_OR_ADD"}}
	}
	return route
}

// envoyPath matches the path as it came: Envoy undoes no escapes.
func envoyPath(m matcher) envoyMatch {
	path, ok := m.literal()
	switch {
	case !ok && m.exact:
		return envoyMatch{Regex: &envoyRegex{m.raw}}
	case !ok:
		return envoyMatch{Regex: &envoyRegex{m.raw + ".*"}}
	case m.exact:
		return envoyMatch{Path: path}
	}
	return envoyMatch{Prefix: path}
}

// envoyCORS returns what the filter is told. It answers a preflight of an origin
// that is allowed with these lists, and leaves it to the browser to compare.
func envoyCORS(r *rule) envoyPolicy {
	p := envoyPolicy{
		Type:          "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
		AllowMethods:  envoyMethods(r),
		AllowHeaders:  strings.Join(envoyNames(r), ","),
		ExposeHeaders: strings.Join(r.policy.ExposedHeaders, ","),
		MaxAge:        r.maxAge(),
	}
	if r.policy.Credentials {
		p.AllowCredentials = true
	}
	if r.policy.PrivateNetwork {
		p.AllowPrivateNetwork = true
	}
	if r.any() {
		p.AllowOrigins = []envoyString{{Exact: "*"}}
	}
	exact, wild := r.origins()
	for _, o := range exact {
		p.AllowOrigins = append(p.AllowOrigins, envoyString{Exact: o})
	}
	for _, o := range wild {
		p.AllowOrigins = append(p.AllowOrigins, envoyString{Regex: &envoyRegex{originRegexp(o)}})
	}
	if r.shadow {
		p.Enabled, p.Shadow = &envoyFraction{envoyPercent{Numerator: 0}}, &envoyFraction{envoyPercent{Numerator: 100}}
	}
	return p
}

// envoyMethods returns "*" for every method: the filter then answers with the one
// that is asked for.
func envoyMethods(r *rule) string {
	methods, every := r.methods()
	if every {
		return "*"
	}
	return strings.Join(methods, ",")
}

// envoyNames returns the names of request-headers, to be joined by commas. To a
// single "*" the filter answers with whatever is asked for, Authorization too; "*"
// twice it passes on, and to a browser that is what one is.
func envoyNames(r *rule) []string {
	names, every := r.names()
	switch {
	case every && r.policy.Credentials:
		return []string{"*"}
	case every && len(names) == 0:
		return []string{"*", "*"}
	case every:
		return append([]string{"*"}, names...)
	}
	return names
}

func (j *job) envoyFindings() {
	j.findEnvoyFilter()
	j.find(Finding{Field: "routes", Effect: Needs, Reason: "a CorsPolicy does nothing without the filter",
		Fix: "put envoy.filters.http.cors before envoy.filters.http.router in the http_filters of the HttpConnectionManager"})
	j.find(Finding{Field: "upstream", Effect: Needs, Reason: "the routes name clusters, which this file does not make", Fix: "name the clusters of the bootstrap as the routes do"})
	if j.hasWildcard() {
		j.find(Finding{Field: "origins", Effect: Needs, Reason: "Envoy refuses a regular expression of more than 100 instructions unless it is told otherwise",
			Fix: "set re2.max_program_size.error_level to 10000 in a layer of layered_runtime"})
	}
	if j.hasHost() {
		j.find(Finding{Field: "hosts", Effect: Needs, Reason: "a host with the dot of the root at its end is another one to Envoy", Fix: "set strip_trailing_host_dot on the HttpConnectionManager"})
	}
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "a path that can be read as that of another route is not refused by the filter",
			Fix: "set normalize_path, merge_slashes and path_with_escaped_slashes_action: REJECT_REQUEST on the HttpConnectionManager"})
	}
	for _, r := range j.rules {
		if r.policy.PrivateNetwork && !r.off() {
			j.findIn(r, Finding{Field: "private-network", Value: "true", Effect: Needs, Reason: "older releases refuse a configuration with allow_private_network_access",
				Fix: "use one that has it"})
		}
	}
}

// findEnvoyFilter tells what the filter does wherever it is configured.
func (j *job) findEnvoyFilter() {
	j.findStatuses(200, 200)
	j.findHeaders()
	j.findOff()
	j.find(Finding{Field: "lines", Effect: Lost, Reason: "an empty Origin is as none", Fix: "nothing: no browser sends one"})
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		if _, every := r.names(); every && r.policy.Credentials && !r.authorization() {
			j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened,
				Reason: "with credentials the names asked for are sent back, Authorization among them", Fix: "list the names"})
		}
		if _, every := r.methods(); every {
			j.findIn(r, Finding{Field: "methods", Value: "*", Effect: Needs, Reason: "a method of more than 64 bytes is allowed, too", Fix: "nothing: no page has one"})
		}
		if r.anyOrigin() {
			j.findIn(r, Finding{Field: "origins", Value: "*", Effect: Lost,
				Reason: `responses name the origin in place of "*", so that caches keep one for each`, Fix: "nothing: browsers take both"})
		}
	}
}

// hasWildcard reports whether an origin of j is written as a regular expression.
func (j *job) hasWildcard() bool {
	return slices.ContainsFunc(j.rules, func(r *rule) bool {
		_, wild := r.origins()
		return len(wild) > 0
	})
}

// What of Envoy's configuration is written, in the order and by the names of its
// protocol buffers.
type (
	envoyRoutes struct {
		Name  string      `yaml:"name"`
		Hosts []envoyHost `yaml:"virtual_hosts"`
	}
	envoyHost struct {
		Name    string       `yaml:"name"`
		Domains []string     `yaml:"domains"`
		Routes  []envoyRoute `yaml:"routes"`
	}
	envoyRoute struct {
		Name   string              `yaml:"name"`
		Match  envoyMatch          `yaml:"match"`
		Route  envoyAction         `yaml:"route"`
		Add    []envoyHeaderOption `yaml:"response_headers_to_add,omitempty"`
		Remove []string            `yaml:"response_headers_to_remove,omitempty"`
		Config *envoyFilters       `yaml:"typed_per_filter_config,omitempty"`
	}
	envoyMatch struct {
		Path   string      `yaml:"path,omitempty"`
		Prefix string      `yaml:"prefix,omitempty"`
		Regex  *envoyRegex `yaml:"safe_regex,omitempty"`
	}
	envoyAction struct {
		Cluster string `yaml:"cluster"`
	}
	envoyHeaderOption struct {
		Header envoyHeader `yaml:"header"`
		Action string      `yaml:"append_action"`
	}
	envoyHeader struct {
		Key   string `yaml:"key"`
		Value string `yaml:"value"`
	}
	envoyFilters struct {
		CORS envoyPolicy `yaml:"envoy.filters.http.cors"`
	}
	envoyPolicy struct {
		Type                string         `yaml:"@type"`
		AllowOrigins        []envoyString  `yaml:"allow_origin_string_match"`
		AllowMethods        string         `yaml:"allow_methods,omitempty"`
		AllowHeaders        string         `yaml:"allow_headers,omitempty"`
		ExposeHeaders       string         `yaml:"expose_headers,omitempty"`
		MaxAge              string         `yaml:"max_age,omitempty"`
		AllowCredentials    bool           `yaml:"allow_credentials,omitempty"`
		AllowPrivateNetwork bool           `yaml:"allow_private_network_access,omitempty"`
		Forward             bool           `yaml:"forward_not_matching_preflights"`
		Enabled             *envoyFraction `yaml:"filter_enabled,omitempty"`
		Shadow              *envoyFraction `yaml:"shadow_enabled,omitempty"`
	}
	envoyString struct {
		Exact string      `yaml:"exact,omitempty"`
		Regex *envoyRegex `yaml:"safe_regex,omitempty"`
	}
	envoyRegex struct {
		Regex string `yaml:"regex"`
	}
	envoyFraction struct {
		Default envoyPercent `yaml:"default_value"`
	}
	envoyPercent struct {
		Numerator   uint32 `yaml:"numerator"`
		Denominator string `yaml:"denominator,omitempty"`
	}
)
