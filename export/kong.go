package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

// kong writes a declarative configuration with the cors plugin on each route.
//
// https://developer.konghq.com/plugins/cors/
func kong(j *job) error {
	config := kongConfig{FormatVersion: "3.0"}
	matchers := j.matchers()
	byService := map[string][]kongRoute{}
	for i, m := range matchers {
		r := j.of(m.route)
		byService[j.serviceOf(r.upstream).name] = append(byService[j.serviceOf(r.upstream).name], j.kongRoute(m, r, len(matchers)-i, i+1))
	}
	if rest := j.rest(); rest != nil {
		byService[j.serviceOf(rest).name] = append(byService[j.serviceOf(rest).name], kongRoute{
			Name: "cors-other", Paths: []string{"~/"}, Plugins: kongPlugins(&rule{}),
		})
	}
	for _, s := range j.services() {
		service := kongService{Name: s.name, URL: "http://" + s.name, Routes: byService[s.name]}
		if s.url != nil {
			service.URL = s.url.String()
			if s.url.Scheme == "h2c" {
				service.URL = "http" + strings.TrimPrefix(service.URL, "h2c")
				j.find(Finding{Field: "upstream", Value: s.url.String(), Effect: Lost, Reason: "Kong speaks HTTP/1.1 to it", Fix: "use a service of protocol grpc, if that is what it speaks"})
			}
		}
		config.Services = append(config.Services, service)
	}
	j.needUpstream(false)
	j.kongFindings()
	comments := map[string]string{
		"$.services": "regex_priority makes the most specific route win, as in cors.yaml. response-transformer removes what the upstream\n" +
			"says of CORS and the cors plugin does not overwrite. Request-headers are never left out: without a list Kong allows\nwhatever is asked for; no page can set \"" + nobody + "\".",
	}
	return j.writeYAML("kong.yaml", document{
		head:     `CORS for Kong, written by "cors export --to kong": change cors.yaml, and write it again.`,
		content:  config,
		comments: comments,
	})
}

func (j *job) kongRoute(m matcher, r *rule, priority, number int) kongRoute {
	route := kongRoute{Name: fmt.Sprintf("cors-%02d", number), Paths: []string{"~" + m.path}, Priority: priority}
	if m.exact {
		route.Paths[0] += "$"
	}
	if m.host != "" {
		route.Hosts = []string{m.host}
	}
	if !r.shadow {
		route.Plugins = kongPlugins(r)
	}
	return route
}

// kongPlugins returns those that say what r does. Of the headers of responses the
// cors plugin sets Access-Control-Allow-Origin, or removes it, always; and the
// response-transformer removes the others where it does not set them.
func kongPlugins(r *rule) []kongPlugin {
	remove := slices.Clone(stripped)
	drop := func(name string) {
		remove = slices.DeleteFunc(remove, func(s string) bool { return s == name })
	}
	var plugins []kongPlugin
	if !r.off() {
		drop(header.AccessControlAllowOrigin)
		if r.policy.Credentials {
			drop(header.AccessControlAllowCredentials)
		}
		if len(r.policy.ExposedHeaders) > 0 {
			drop(header.AccessControlExposeHeaders)
		}
		plugins = append(plugins, kongPlugin{"cors", kongCORS(r)})
	}
	return append(plugins, kongPlugin{"response-transformer", kongTransformer{kongRemove{remove}}})
}

// kongMethods are those that the plugin takes.
var kongMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

func kongCORS(r *rule) kongPolicy {
	p := kongPolicy{
		Exposed:        r.policy.ExposedHeaders,
		Credentials:    r.policy.Credentials,
		PrivateNetwork: r.policy.PrivateNetwork,
		MaxAge:         r.seconds(),
	}
	if r.any() {
		p.Origins = []string{"*"}
	}
	exact, wild := r.origins()
	for _, o := range exact {
		// What has other bytes than these Kong takes for a regular expression.
		if !kongPlain.MatchString(o) {
			o = anchored(o)
		}
		p.Origins = append(p.Origins, o)
	}
	for _, o := range wild {
		p.Origins = append(p.Origins, anchored(o))
	}
	methods, every := r.allMethods()
	if every {
		methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	}
	for _, m := range methods {
		if slices.Contains(kongMethods, m) {
			p.Methods = append(p.Methods, m)
		}
	}
	names, everyName := r.names()
	switch {
	case everyName && r.policy.Credentials:
		// No list: the names asked for are sent back.
	case everyName:
		p.Headers = append([]string{"*"}, names...)
	case len(names) == 0:
		p.Headers = []string{nobody}
	default:
		p.Headers = names
	}
	return p
}

var kongPlain = regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)

func (j *job) kongFindings() {
	j.findStatuses(200, 200)
	j.findHeaders()
	j.findShadow()
	j.findOff()
	j.find(Finding{Field: "lines", Effect: Needs, Reason: "of a header that comes in several lines Kong reads the first", Fix: "nothing: no browser sends one so"})
	j.findHosts("Kong")
	j.findHostsFirst("Kong")
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "Kong matches a path that it has made plain, and passes on the one that came",
			Fix: "use Kong 3.0 or later, and have the upstream read a path no other way"})
	}
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		if r.any() && r.policy.Credentials {
			j.findIn(r, Finding{Field: "origins", Value: "*", Effect: Needs, Reason: `to a request without an origin Kong says "*", and sends no Vary: a cache may give that to a page that sends credentials, which then cannot read it`,
				Fix: "have a cache in front keep one answer for each Origin"})
		}
		if r.policy.PrivateNetwork {
			j.findIn(r, Finding{Field: "private-network", Value: "true", Effect: Needs, Reason: "older ones refuse the configuration", Fix: "use Kong 3.5 or later"})
		}
		if _, every := r.names(); every && r.policy.Credentials && !r.authorization() {
			j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened,
				Reason: "with credentials the names asked for are sent back, Authorization among them", Fix: "list the names"})
		}
		methods, every := r.methods()
		if every {
			j.findMethods(r, []string{"*"}, "Kong has no word for every method: those of HTTP are listed that a page can use")
		}
		j.findMethods(r, slices.DeleteFunc(methods, func(m string) bool { return slices.Contains(kongMethods, m) }), "Kong takes only the methods of HTTP itself")
		exact, _ := r.origins()
		for _, o := range exact {
			if strings.Contains(o, "://[") {
				j.narrowOrigin(r, o, "Kong takes the brackets off the host of a request's origin, and then knows it no more", "use a name in place of the address")
			}
		}
	}
}

// What of Kong's configuration is written.
type (
	kongConfig struct {
		FormatVersion string        `yaml:"_format_version"`
		Services      []kongService `yaml:"services"`
	}
	kongService struct {
		Name   string      `yaml:"name"`
		URL    string      `yaml:"url"`
		Routes []kongRoute `yaml:"routes"`
	}
	kongRoute struct {
		Name      string       `yaml:"name"`
		Hosts     []string     `yaml:"hosts,omitempty"`
		Paths     []string     `yaml:"paths"`
		Priority  int          `yaml:"regex_priority"`
		StripPath bool         `yaml:"strip_path"`
		Plugins   []kongPlugin `yaml:"plugins,omitempty"`
	}
	kongPlugin struct {
		Name   string `yaml:"name"`
		Config any    `yaml:"config"`
	}
	kongPolicy struct {
		Origins        []string `yaml:"origins"`
		Methods        []string `yaml:"methods"`
		Headers        []string `yaml:"headers,omitempty"`
		Exposed        []string `yaml:"exposed_headers,omitempty"`
		Credentials    bool     `yaml:"credentials"`
		PrivateNetwork bool     `yaml:"private_network,omitempty"`
		MaxAge         *int64   `yaml:"max_age,omitempty"`
	}
	kongTransformer struct {
		Remove kongRemove `yaml:"remove"`
	}
	kongRemove struct {
		Headers []string `yaml:"headers"`
	}
)
