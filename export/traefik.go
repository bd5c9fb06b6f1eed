package export

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// traefik writes a file for Traefik's file provider: a router for each route, and
// the headers middleware for each policy.
//
// https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/headers/
func traefik(j *job) error {
	config := traefikConfig{HTTP: traefikHTTP{
		Routers:  map[string]traefikRouter{},
		Services: map[string]traefikService{},
	}}
	comments := map[string]string{
		"$.http.routers": "The priorities make the most specific route win, as in cors.yaml.",
	}
	matchers := j.matchers()
	for i, m := range matchers {
		r := j.of(m.route)
		router := traefikRouter{Rule: traefikRule(m), Priority: len(matchers) - i + 1, Service: j.serviceOf(r.upstream).name}
		if !r.shadow {
			router.Middlewares = []string{traefikName(r)}
		}
		config.HTTP.Routers[traefikRouterName(i)] = router
		comments["$.http.routers."+traefikRouterName(i)] = strconv.Quote(m.route)
	}
	middlewares := j.traefikMiddlewares()
	if rest := j.rest(); rest != nil {
		config.HTTP.Routers["other"] = traefikRouter{Rule: "PathPrefix(`/`)", Priority: 1, Service: j.serviceOf(rest).name, Middlewares: []string{"cors-off"}}
		middlewares["cors-off"] = traefikMiddleware{traefikStrip}
		comments["$.http.routers.other"] = "What no route matches: no origin may read it."
	}
	for _, s := range j.services() {
		config.HTTP.Services[s.name] = traefikService{traefikLoadBalancer{[]traefikServer{{traefikURL(s)}}}}
	}
	if len(middlewares) > 0 {
		config.HTTP.Middlewares = middlewares
	}
	for name := range middlewares {
		comments["$.http.middlewares."+name+".headers.customResponseHeaders"] = traefikStrips
	}
	j.needUpstream(true)
	j.traefikFindings()
	return j.writeYAML("traefik-cors.yaml", document{
		head:     `CORS for Traefik's file provider, written by "cors export --to traefik": change cors.yaml, and write it again.`,
		content:  config,
		comments: comments,
	})
}

// traefikMiddleware is Middleware of traefik.io/v1alpha1, one for each policy.
//
// https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/middleware/
func traefikCRD(j *job) error {
	var docs []document
	middlewares := j.traefikMiddlewares()
	for _, r := range j.rules {
		name := traefikName(r)
		m, ok := middlewares[name]
		if !ok {
			continue
		}
		d := document{
			head: "For the routes of an IngressRoute that match " + strings.Join(r.routes, " "),
			content: kubernetes[traefikMiddleware]{
				APIVersion: "traefik.io/v1alpha1", Kind: "Middleware", Metadata: metadata{Name: name}, Spec: m,
			},
			comments: map[string]string{"$.spec.headers.customResponseHeaders": traefikStrips},
		}
		docs = append(docs, d)
	}
	if len(docs) == 0 {
		return fmt.Errorf("in shadow nothing is enforced, and there is nothing to write; remove shadow")
	}
	docs[0].head = `CORS for Traefik on Kubernetes, written by "cors export --to traefik-crd": change cors.yaml, and write it again.` + "\n" + docs[0].head
	j.find(Finding{Field: "routes", Effect: Needs, Reason: "a Middleware acts on the routes that name it",
		Fix: "name each in the middlewares of the IngressRoute's route that its comment tells, with a priority that makes the most specific one win"})
	j.traefikFindings()
	return j.writeYAML("traefik-middlewares.yaml", docs...)
}

func traefikName(r *rule) string { return fmt.Sprintf("cors-%d", r.number) }

func traefikRouterName(i int) string { return fmt.Sprintf("route-%02d", i+1) }

const traefikStrips = "An empty value removes what the upstream says; the policy is written after that."

// traefikStrip removes what the upstream says of CORS: an empty value deletes, and
// what the policy says is set after that.
var traefikStrip = traefikHeaders{CustomResponseHeaders: func() map[string]string {
	m := make(map[string]string, len(stripped))
	for _, name := range stripped {
		m[name] = ""
	}
	return m
}()}

// traefikMiddlewares returns those of all rules that enforce something.
func (j *job) traefikMiddlewares() map[string]traefikMiddleware {
	middlewares := map[string]traefikMiddleware{}
	for _, r := range j.rules {
		if !r.shadow {
			middlewares[traefikName(r)] = traefikMiddleware{r.traefik()}
		}
	}
	return middlewares
}

// traefik returns what the middleware is told. Traefik answers a preflight with
// these lists whatever the origin, and leaves it to the browser to compare.
func (r *rule) traefik() traefikHeaders {
	h := traefikStrip
	if r.off() {
		return h
	}
	h.AccessControlAllowCredentials = r.policy.Credentials
	h.AddVaryHeader = r.varies()
	if r.any() {
		h.AccessControlAllowOriginList = []string{"*"}
	}
	exact, wild := r.origins()
	h.AccessControlAllowOriginList = append(h.AccessControlAllowOriginList, exact...)
	for _, o := range wild {
		h.AccessControlAllowOriginListRegex = append(h.AccessControlAllowOriginListRegex, anchored(o))
	}
	methods, every := r.methods()
	if every {
		methods = []string{"*"}
	}
	h.AccessControlAllowMethods = methods
	names, every := r.names()
	if every {
		names = append([]string{"*"}, names...)
	}
	h.AccessControlAllowHeaders = names
	h.AccessControlExposeHeaders = r.policy.ExposedHeaders
	switch age := r.policy.MaxAge; {
	case age < 0:
		h.AccessControlMaxAge = new(int64)
	case age > 0:
		seconds := int64(age / time.Second)
		h.AccessControlMaxAge = &seconds
	}
	return h
}

func (j *job) traefikFindings() {
	j.findStatuses(200, 200)
	j.findHeaders()
	j.findShadow()
	j.findOff()
	j.findPrivateNetwork()
	const version = "use Traefik 3.6.22, 3.7.6, or a later one"
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		const compares, nothing = "a preflight is answered with the list, whatever it asks for; browsers compare", "nothing: browsers refuse"
		j.findIn(r, Finding{Field: "origins", Effect: Lost,
			Reason: "an origin that is not allowed gets every header of CORS but Access-Control-Allow-Origin, and its preflights get 200 with no Vary", Fix: nothing})
		_, everyMethod := r.methods()
		if !everyMethod {
			j.findIn(r, Finding{Field: "methods", Effect: Lost, Reason: compares, Fix: nothing})
		}
		_, everyName := r.names()
		if !everyName {
			j.findIn(r, Finding{Field: "request-headers", Effect: Lost, Reason: compares, Fix: nothing})
		}
		if everyMethod {
			j.findIn(r, Finding{Field: "methods", Value: "*", Effect: Needs, Reason: "a method is allowed however long it is", Fix: "list the methods, or have the entry point limit header lines"})
		}
		if everyName && r.policy.Credentials && !r.authorization() {
			j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened,
				Reason: "with credentials the names asked for are sent back, Authorization among them", Fix: "list the names"})
		}
		if r.policy.MaxAge == 0 {
			j.findIn(r, Finding{Field: "max-age", Effect: Needs, Reason: "older ones say 0 where nothing is set, and browsers then ask before each request", Fix: version})
		}
		if r.policy.Credentials && (r.any() || everyMethod || everyName) {
			j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Needs, Reason: `older ones answer "*", which means nothing with credentials`, Fix: version})
		}
		if r.varies() {
			j.findIn(r, Finding{Field: "lines", Effect: Lost, Reason: "where the upstream sends Vary in several lines, the first alone stays", Fix: "have the upstream send one line"})
		}
	}
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "a path that can be read as that of another route is not refused by the middleware",
			Fix: "have the entry point sanitise paths, and refuse encoded slashes and backslashes (http.sanitizePath, http.encodedCharacters)"})
	}
}

// traefikRule is the rule of a router.
func traefikRule(m matcher) string {
	rule := "PathRegexp(" + traefikQuote("^"+m.path) + ")"
	if m.exact {
		rule = "PathRegexp(" + traefikQuote("^"+m.path+"$") + ")"
	}
	if path, ok := m.literal(); ok && !strings.Contains(path, "%") {
		if rule = "PathPrefix(" + traefikQuote(path) + ")"; m.exact {
			rule = "Path(" + traefikQuote(path) + ")"
		}
	}
	if m.host != "" {
		return "Host(" + traefikQuote(m.host) + ") && " + rule
	}
	return rule
}

func traefikQuote(s string) string {
	if strings.Contains(s, "`") {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

func traefikURL(s service) string {
	if s.url == nil {
		return "http://" + s.name
	}
	return s.url.Scheme + "://" + s.url.Host
}

// What of Traefik's dynamic configuration is written.
type (
	traefikConfig struct {
		HTTP traefikHTTP `yaml:"http"`
	}
	traefikHTTP struct {
		Routers     map[string]traefikRouter     `yaml:"routers"`
		Middlewares map[string]traefikMiddleware `yaml:"middlewares,omitempty"`
		Services    map[string]traefikService    `yaml:"services"`
	}
	traefikRouter struct {
		Rule        string   `yaml:"rule"`
		Priority    int      `yaml:"priority"`
		Middlewares []string `yaml:"middlewares,omitempty"`
		Service     string   `yaml:"service"`
	}
	traefikMiddleware struct {
		Headers traefikHeaders `yaml:"headers"`
	}
	traefikHeaders struct {
		AccessControlAllowOriginList      []string          `yaml:"accessControlAllowOriginList,omitempty"`
		AccessControlAllowOriginListRegex []string          `yaml:"accessControlAllowOriginListRegex,omitempty"`
		AccessControlAllowCredentials     bool              `yaml:"accessControlAllowCredentials,omitempty"`
		AccessControlAllowMethods         []string          `yaml:"accessControlAllowMethods,omitempty"`
		AccessControlAllowHeaders         []string          `yaml:"accessControlAllowHeaders,omitempty"`
		AccessControlExposeHeaders        []string          `yaml:"accessControlExposeHeaders,omitempty"`
		AccessControlMaxAge               *int64            `yaml:"accessControlMaxAge,omitempty"`
		AddVaryHeader                     bool              `yaml:"addVaryHeader,omitempty"`
		CustomResponseHeaders             map[string]string `yaml:"customResponseHeaders,omitempty"`
	}
	traefikService struct {
		LoadBalancer traefikLoadBalancer `yaml:"loadBalancer"`
	}
	traefikLoadBalancer struct {
		Servers []traefikServer `yaml:"servers"`
	}
	traefikServer struct {
		URL string `yaml:"url"`
	}
)

// kubernetes is an object of Kubernetes.
type kubernetes[Spec any] struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       Spec     `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}
