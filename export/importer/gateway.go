package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
)

// readGateway reads HTTPRoutes.
//
// https://gateway-api.sigs.k8s.io/geps/gep-1767/
func readGateway(r *result, data []byte) error {
	docs, err := documents(data)
	if err != nil {
		return err
	}
	found := false
	for _, d := range docs {
		if d.at("kind").text() != "HTTPRoute" {
			continue
		}
		found = true
		hosts := d.at("spec", "hostnames").texts()
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for i, rule := range d.at("spec", "rules").list() {
			where := fmt.Sprintf("HTTPRoute %s, rule %d", d.at("metadata", "name").text(), i+1)
			r.gatewayRule(where, hosts, rule)
		}
	}
	if !found {
		return errors.New("there is no HTTPRoute")
	}
	return nil
}

func (r *result) gatewayRule(where string, hosts []string, rule tree) {
	var policy *cors.Policy
	for _, filter := range rule.at("filters").list() {
		if filter.at("type").text() == "CORS" {
			policy = r.gatewayPolicy(where, filter.at("cors"))
		}
	}
	matches := rule.at("matches").list()
	if len(matches) == 0 {
		matches = []tree{{}}
	}
	for _, m := range matches {
		path, ok := gatewayPath(m.at("path"))
		switch {
		case !ok:
			r.lost(where, "routes", m.at("path", "value").text(), "this path cannot be read as a route", "write the route yourself")
			continue
		case m.at("method").there() || m.at("headers").there() || m.at("queryParams").there():
			r.lost(where, "routes", path, "a route is found by host and path alone: a preflight carries neither the method nor the headers of the request to come", "write the route yourself, if the policy is for all of them")
			continue
		}
		for _, host := range hosts {
			r.route(host+path, where, policy, r.gatewayUpstream(where, rule))
		}
	}
}

func gatewayPath(path tree) (string, bool) {
	value := path.at("value").text()
	switch kind := path.at("type").text(); {
	case !path.there() || value == "":
		return "/", true
	case kind == "Exact":
		if strings.HasSuffix(value, "/") {
			value += "{$}"
		}
		return value, true
	case kind == "RegularExpression":
		if whole, ok := strings.CutSuffix(value, "(?:/.*)?"); ok {
			return pathOf("^" + whole + "/")
		}
		return pathOf("^" + value + "$")
	default: // a prefix of whole segments
		return strings.TrimSuffix(value, "/") + "/", true
	}
}

func (r *result) gatewayPolicy(where string, filter tree) *cors.Policy {
	p := new(cors.Policy)
	for _, o := range filter.at("allowOrigins").texts() {
		scheme, host, _ := strings.Cut(o, "://")
		switch {
		case o == "*" || !strings.Contains(o, "*") || scheme != "*" && strings.HasPrefix(host, "*.") && strings.Count(o, "*") == 1:
			add(&p.Origins, o) // its wildcard is one or more labels, too
		default:
			r.lost(where, "origins", o, "no pattern of cors.yaml is known to match the same", "write the origins that it is to match")
		}
	}
	add(&p.Methods, withoutSafelisted(filter.at("allowMethods").texts())...)
	add(&p.RequestHeaders, filter.at("allowHeaders").texts()...)
	add(&p.ExposedHeaders, filter.at("exposeHeaders").texts()...)
	p.Credentials = filter.at("allowCredentials").is()
	// Five seconds are what is so without it, here as in browsers.
	if age := filter.at("maxAge").text(); age != "5" {
		r.seconds(p, where, age)
	}
	r.starWithCredentials(p, where)
	if slices.Contains(p.Origins, "*") {
		p.Origins = []string{"*"}
	}
	return p
}

// gatewayUpstream returns the service behind a rule, by its name in the cluster.
func (r *result) gatewayUpstream(where string, rule tree) string {
	backends := rule.at("backendRefs").list()
	if len(backends) > 1 {
		r.lost(where, "upstream", backends[0].at("name").text(), "it is one of several backends, and cors.yaml takes one URL", "write the URL of what spreads requests among them")
	}
	if len(backends) != 1 || backends[0].at("name").text() == "" {
		return ""
	}
	host := backends[0].at("name").text()
	if namespace := backends[0].at("namespace").text(); namespace != "" {
		host += "." + namespace
	}
	if port := backends[0].at("port").text(); port != "" && port != "80" {
		host += ":" + port
	}
	return "http://" + host
}
