package importer

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// readTraefik reads what Traefik's file provider reads.
func readTraefik(r *result, data []byte) error {
	v, err := policyfile.Tree(data)
	if err != nil {
		var m map[string]any
		if toml.Unmarshal(data, &m) != nil {
			return err
		}
		v = m
	}
	config := tree{v}.at("http")
	if !config.there() {
		return errors.New(`there is no "http"; the dynamic configuration is wanted, not the static one`)
	}
	t := &traefikReader{result: r, policies: map[string]*cors.Policy{}, used: map[string]bool{}}
	for _, name := range config.at("middlewares").keys() {
		t.middleware(name, config.at("middlewares", name))
	}
	for _, name := range config.at("routers").keys() {
		router := config.at("routers", name)
		t.router("router "+name, router.at("rule").text(), router.at("middlewares").texts(), t.service("router "+name, config, router.at("service").text()))
	}
	t.finish()
	return nil
}

// readTraefikCRD reads objects of Kubernetes.
func readTraefikCRD(r *result, data []byte) error {
	docs, err := documents(data)
	if err != nil {
		return err
	}
	t := &traefikReader{result: r, policies: map[string]*cors.Policy{}, used: map[string]bool{}}
	for _, d := range docs {
		if d.at("kind").text() == "Middleware" {
			t.middleware(d.at("metadata", "name").text(), d.at("spec"))
		}
	}
	for _, d := range docs {
		if d.at("kind").text() != "IngressRoute" {
			continue
		}
		for i, route := range d.at("spec", "routes").list() {
			var names []string
			for _, m := range route.at("middlewares").list() {
				names = append(names, m.at("name").text())
			}
			where := fmt.Sprintf("IngressRoute %s, route %d", d.at("metadata", "name").text(), i+1)
			t.router(where, route.at("match").text(), names, "")
		}
	}
	t.finish()
	return nil
}

type traefikReader struct {
	*result
	policies map[string]*cors.Policy // by middleware
	used     map[string]bool
}

// middleware reads a middleware, if it is one for headers that says something of
// CORS.
func (t *traefikReader) middleware(name string, m tree) {
	h := m.at("headers")
	where := "middleware " + name
	p := new(cors.Policy)
	origins := h.at("accessControlAllowOriginList").texts()
	for _, o := range origins {
		add(&p.Origins, o)
	}
	for _, e := range h.at("accessControlAllowOriginListRegex").list() {
		t.addExpression(p, where, e.text(), false)
	}
	add(&p.Methods, withoutSafelisted(h.at("accessControlAllowMethods").texts())...)
	add(&p.RequestHeaders, h.at("accessControlAllowHeaders").texts()...)
	add(&p.ExposedHeaders, h.at("accessControlExposeHeaders").texts()...)
	p.Credentials = h.at("accessControlAllowCredentials").is()
	t.seconds(p, where, h.at("accessControlMaxAge").text())
	for _, header := range h.at("customResponseHeaders").keys() {
		if value := h.at("customResponseHeaders", header).text(); value != "" && strings.HasPrefix(strings.ToLower(header), "access-control-") {
			t.lost(where, "origins", header+": "+value, "a header that is written by hand goes to everybody", "say it by accessControl… of the middleware, or here")
		}
	}
	t.starWithCredentials(p, where)
	if len(p.Origins) > 0 || len(h.at("accessControlAllowOriginListRegex").list()) > 0 {
		t.policies[name] = p
		return
	}
	if strips := h.at("customResponseHeaders", "Access-Control-Allow-Origin"); strips.there() && strips.text() == "" {
		t.policies[name] = nil // it removes what the upstream says: off
	}
}

// starWithCredentials writes out what "*" means where what was asked for is sent
// back, as it is with credentials.
func (r *result) starWithCredentials(p *cors.Policy, where string) {
	if p.Credentials && slices.Contains(p.RequestHeaders, "*") && !slices.ContainsFunc(p.RequestHeaders, func(n string) bool { return strings.EqualFold(n, "Authorization") }) {
		p.RequestHeaders = append(p.RequestHeaders, "Authorization")
	}
	if p.Credentials && slices.Contains(p.ExposedHeaders, "*") {
		p.ExposedHeaders = slices.DeleteFunc(p.ExposedHeaders, func(n string) bool { return n == "*" })
		r.find(Finding{where, "exposed-headers", "*", Lost, "with credentials it means nothing to browsers", "list the names"})
	}
}

// withoutSafelisted is a list of methods without those that need no mention.
func withoutSafelisted(methods []string) []string {
	return slices.DeleteFunc(slices.Clone(methods), func(m string) bool {
		return m == http.MethodGet || m == http.MethodHead || m == http.MethodPost
	})
}

// service returns the one server of a service.
func (t *traefikReader) service(where string, config tree, name string) string {
	name, _, _ = strings.Cut(name, "@")
	servers := config.at("services", name, "loadBalancer", "servers").list()
	if len(servers) != 1 {
		if len(servers) > 1 {
			t.lost(where, "upstream", name, "it is several servers, and cors.yaml takes one URL", "write the URL of what spreads requests among them")
		}
		return ""
	}
	return servers[0].at("url").text()
}

// router reads the routes of a router, and the policy of its middleware.
func (t *traefikReader) router(where, rule string, middlewares []string, upstream string) {
	var policy *cors.Policy
	for _, name := range middlewares {
		name, _, _ = strings.Cut(name, "@")
		p, ok := t.policies[name]
		switch {
		case !ok:
		case policy != nil && p != nil:
			t.lost(where, "routes", name, "another of its middlewares is of CORS too", "see which is meant")
		default:
			policy = p
			t.used[name] = true
		}
	}
	patterns, err := t.rule(where, rule)
	if err != nil {
		t.lost(where, "routes", rule, "this rule cannot be read as routes ("+err.Error()+")", "write the route yourself")
		return
	}
	for _, pattern := range patterns {
		t.route(pattern, where, policy, upstream)
	}
}

// finish adds the middlewares that no router names, which may be of routers
// elsewhere.
func (t *traefikReader) finish() {
	var unused []string
	for name, p := range t.policies {
		if !t.used[name] && p != nil {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	for _, name := range unused {
		where := "middleware " + name
		if len(unused) == 1 && len(t.routes) == 0 {
			t.find(Finding{where, "routes", "", Widened, "no router that is here names it: it is read as that of every path", `write its route in place of "/"`})
			t.route("/", where, t.policies[name], "")
			continue
		}
		t.lost(where, "routes", "", "no router that can be read names it", "add the routers to the file, or write its route yourself")
	}
}

// rule returns the routes of a rule: hosts and paths, all of them, joined by &&
// and ||.
func (t *traefikReader) rule(where, rule string) (patterns []string, err error) {
	if len(rule) > maxExpression {
		return nil, errors.New("it is too long")
	}
	for either := range strings.SplitSeq(rule, "||") {
		hosts, paths := []string{""}, []string{"/"}
		for both := range strings.SplitSeq(either, "&&") {
			name, values, err := traefikMatcher(strings.TrimSpace(both))
			if err != nil {
				return nil, err
			}
			switch name {
			case "Host":
				hosts = nil
				for _, v := range values {
					add(&hosts, strings.ToLower(v))
				}
			case "Path":
				paths = nil
				for _, v := range values {
					if v == "/" {
						v = "/{$}"
					}
					add(&paths, v)
				}
			case "PathPrefix":
				paths = nil
				for _, v := range values {
					if !strings.HasSuffix(v, "/") {
						t.find(Finding{where, "routes", v, Narrowed, fmt.Sprintf("it matches %q too, which here is another route", v+"x"), "write that route too, if it is meant"})
						v += "/"
					}
					add(&paths, v)
				}
			case "PathRegexp":
				paths = nil
				for _, v := range values {
					p, ok := pathOf(v)
					if !ok {
						return nil, fmt.Errorf("PathRegexp(%q)", v)
					}
					add(&paths, p)
				}
			default:
				return nil, fmt.Errorf("%s", name)
			}
		}
		for _, h := range hosts {
			for _, p := range paths {
				add(&patterns, h+p)
			}
		}
	}
	return patterns, nil
}

// traefikMatcher takes apart "Host(`a`, `b`)".
func traefikMatcher(text string) (name string, values []string, err error) {
	name, rest, ok := strings.Cut(text, "(")
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), ")")
	if !ok || !closed || strings.ContainsAny(name, "!( ") {
		return "", nil, fmt.Errorf("%.60q", text)
	}
	for rest != "" {
		quote := rest[0]
		end := strings.IndexByte(rest[1:], quote)
		if quote != '`' && quote != '"' || end < 0 || quote == '"' && strings.Contains(rest[:end+1], `\`) {
			return "", nil, fmt.Errorf("%.60q", text)
		}
		values = append(values, rest[1:1+end])
		rest = strings.TrimLeft(rest[end+2:], " ,")
	}
	return name, values, nil
}

// pathOf returns the route of an expression that has one segment, or several, in
// place of a name, as package export writes it.
func pathOf(expression string) (string, bool) {
	e, ok := strings.CutPrefix(expression, "^/")
	e, whole := strings.CutSuffix(e, "$")
	if !ok {
		return "", false
	}
	e = strings.NewReplacer("[^/]+", wild, "[^/?]+", wild, `\.`, ".").Replace(e)
	segments := strings.Split(e, "/")
	for i, s := range segments {
		switch {
		case s == wild:
			segments[i] = fmt.Sprintf("{name%d}", i+1)
		case strings.ContainsAny(s, wild+`\^$.|?*+()[]{}`) && !plainSegment(s):
			return "", false
		}
	}
	path := "/" + strings.Join(segments, "/")
	if !whole && !strings.HasSuffix(path, "/") {
		return "", false
	}
	if whole && strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return path, true
}

func plainSegment(s string) bool { return !strings.ContainsAny(s, wild+`\^$|?*+()[]{}`) }
