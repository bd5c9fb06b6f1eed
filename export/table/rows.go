package table

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// Rows returns all rows.
var Rows = sync.OnceValues(func() ([]Row, error) {
	var all []Row
	for _, p := range Policies {
		file, err := p.Parse("http://127.0.0.1:2")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		routes, err := cors.NewRoutes(file.Policies())
		if err != nil {
			return nil, err
		}
		w := &writer{policy: p.Name, seen: map[string]bool{}}
		switch p.Name {
		case "routes":
			w.paths()
		case "whose headers":
			w.upstreams()
		case "no upstream but a route's", "off":
			w.rest()
		default:
			w.origins(file.Routes[0])
			w.methods(file.Routes[0])
			w.names(file.Routes[0])
			w.answers(file.Routes[0])
			w.odd(file.Routes[0])
		}
		for _, row := range w.rows {
			row.Route, row.Want = want(file, routes, row)
			plain := row
			plain.Request.Method = http.MethodGet
			_, row.read = want(file, routes, plain)
			all = append(all, row)
		}
	}
	return all, nil
})

// A writer writes the rows of a policy.
type writer struct {
	policy string
	rows   []Row
	seen   map[string]bool
}

// add adds a row, unless its request and answer were there.
func (w *writer) add(name string, q Request, a Answer, about ...string) {
	if q.Host == "" {
		q.Host = "service.example"
	}
	if q.Path == "" {
		q.Path = "/x"
	}
	key := fmt.Sprint(q, a)
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	w.rows = append(w.rows, Row{Policy: w.policy, Name: name, Request: q, Answer: a, About: about})
}

func get(origin string) Request {
	return Request{Method: http.MethodGet, Header: fields(header.Origin, origin)}
}

// preflight asks for a method and, unless there are none, names.
func preflight(origin, method string, names ...string) Request {
	q := Request{Method: http.MethodOptions, Header: fields(header.Origin, origin, header.AccessControlRequestMethod, method)}
	for _, n := range names {
		q.Header = append(q.Header, header.Field{Name: header.AccessControlRequestHeaders, Value: n})
	}
	return q
}

func (q Request) at(path string) Request {
	q.Path = path
	return q
}

func (q Request) of(host string) Request {
	q.Host = host
	return q
}

func (q Request) with(pairs ...string) Request {
	q.Header = append(slices.Clone(q.Header), fields(pairs...)...)
	return q
}

// origins asks as those that a route allows, and as those that are near them.
func (w *writer) origins(r policyfile.Route) {
	all := []string{"null", "https://evil.example", "http://evil.example:8080", "https://[2001:db8::2]", "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba"}
	for _, pattern := range r.Policy.Origins {
		if pattern == "*" {
			pattern = "https://app.example.com"
		}
		for i, m := range members(pattern) {
			all = append(all, m)
			if i < 2 {
				all = append(all, near(m)...)
			}
		}
	}
	for i, o := range all {
		w.add(fmt.Sprintf("GET by %.80q", o), get(o), Answer{}, "origins")
		if i%4 == 0 {
			w.add(fmt.Sprintf("a preflight by %.80q", o), preflight(o, "GET"), Answer{}, "origins", "max-age")
		}
	}
	w.add("no origin", Request{Method: http.MethodGet}, Answer{}, "origins")
	w.add("no origin, HEAD", Request{Method: http.MethodHead}, Answer{}, "origins")
	w.add("OPTIONS with a method to come, but no origin", Request{Method: http.MethodOptions, Header: fields(header.AccessControlRequestMethod, "PUT")}, Answer{}, "origins")
}

// members returns origins that a pattern matches.
func members(pattern string) []string {
	texts := []string{pattern}
	if name, ok := strings.CutSuffix(pattern, ":*"); ok {
		texts = []string{name, name + ":1", name + ":8443", name + ":65535"}
	}
	var all []string
	for _, text := range texts {
		before, after, wild := strings.Cut(text, "*")
		switch {
		case !wild:
			all = append(all, text)
		case strings.HasPrefix(after, "."):
			for _, w := range []string{"a", "a.b", "a_b", "a-b.c0", strings.Repeat("x", 63), strings.Repeat("x.", 20) + "y"} {
				all = append(all, before+w+after)
			}
		default:
			all = append(all, before+"a1"+after, before+"7"+after)
		}
	}
	return all
}

// near returns what is nearly the origin o.
func near(o string) []string {
	if o == "null" {
		return []string{"NULL", "null.example", "nul", "https://null", "null:80"}
	}
	scheme, host, _ := strings.Cut(o, "://")
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name, port = host[:i], host[i:]
	}
	other := "http"
	if scheme == "http" {
		other = "https"
	}
	all := []string{
		other + "://" + host,
		"x" + o,
		scheme + "s://" + host,
		scheme + ":" + host,
		scheme + "://",
		"//" + host,
		host,
		strings.ToUpper(o),
		strings.ToUpper(scheme) + "://" + host,
		scheme + "://" + strings.ToUpper(host[:1]) + host[1:],
		scheme + "://evil" + host,
		scheme + "://evil-" + host,
		scheme + "://evil.example/" + host,
		scheme + "://evil.example#" + host,
		scheme + "://evil.example?" + host,
		scheme + "://evil.example@" + host,
		scheme + "://" + host + "@evil.example",
		scheme + "://sub." + host,
		scheme + "://." + host,
		scheme + "://a.." + host,
		scheme + "://" + name + "evil.example" + port,
		scheme + "://" + name + ".evil.example" + port,
		scheme + "://" + name + "." + port,
		scheme + "://" + name + "-evil" + port,
		scheme + "://" + name + ":443",
		scheme + "://" + name + ":80",
		scheme + "://" + name + ":8444",
		scheme + "://" + name + ":0",
		scheme + "://" + name + ":08443",
		scheme + "://" + name + ":65536",
		scheme + "://" + name + ":",
		scheme + "://" + name,
		o + "/",
		o + "/path",
		o + "?",
		o + "#",
		o + " https://evil.example",
		"https://evil.example " + o,
		o + ",https://evil.example",
		o + ", " + o,
		o + "*",
		scheme + "://*." + host,
		"'" + o + "'",
		o + "%00",
		strings.ReplaceAll(o, ".", "x"),
		strings.Replace(o, ".", "x", 1),
		o[:max(0, strings.LastIndexByte(o, '.'))] + "x" + o[strings.LastIndexByte(o, '.')+1:],
		strings.Replace(o, "-", "x", 1),
		strings.Repeat("a", 300) + o,
		scheme + "://" + strings.Repeat("a", 64) + "." + host,
		scheme + "://" + strings.Repeat("a.", 130) + host,
	}
	for _, c := range "/\\@:?#[]%|^<> \"" {
		all = append(all, scheme+"://a"+string(c)+"."+host)
	}
	if _, parent, ok := strings.Cut(host, "."); ok {
		all = append(all, scheme+"://"+parent, scheme+"://evil"+parent)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == o })
}

// origin is one that a route allows.
func origin(r policyfile.Route) string {
	if pattern := r.Policy.Origins[0]; pattern != "*" {
		return members(pattern)[0]
	}
	return "https://app.example.com"
}

const stranger = "https://evil.example"

// methods asks for the methods that a route allows, and for those near them.
func (w *writer) methods(r policyfile.Route) {
	all := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "TRACE", "CONNECT", "FOO", "*", "GET,PUT", "GET, PUT", "P UT", "PUT;", "(safelisted)", "-", strings.Repeat("M", 64), strings.Repeat("M", 65)}
	for _, m := range r.Policy.Methods {
		all = append(all, m, strings.ToLower(m), m+"S", "X"+m, m+" "+m, m[:len(m)-1])
	}
	for _, m := range all {
		if m != "" {
			w.add(fmt.Sprintf("a preflight for %.70q", m), preflight(origin(r), m), Answer{}, "methods")
		}
	}
	w.add("a preflight by a stranger for PUT", preflight(stranger, "PUT"), Answer{}, "origins", "methods")
	itself := []string{"POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}
	for _, m := range r.Policy.Methods {
		if m == "*" {
			m = "patch"
		}
		if !slices.Contains(itself, m) {
			itself = append(itself, m)
		}
	}
	for _, m := range itself {
		w.add(m+" itself", Request{Method: m, Header: fields(header.Origin, origin(r))}, Answer{}, "methods")
		w.add(m+" itself, by a stranger", Request{Method: m, Header: fields(header.Origin, stranger)}, Answer{}, "methods")
	}
}

// names asks for the header names that a route allows, and for those near them.
func (w *writer) names(r policyfile.Route) {
	all := []string{
		"x-other", "authorization", "Authorization", "x-other,authorization", "authorization , x-other", "xauthorization", "authorization-x", "x-authorization",
		",", " , ,", "x y", "x;y", "x:y", "(none)", "é", "*", "range", "content-type", strings.Repeat("x", 300),
		strings.TrimSuffix(strings.Repeat("x-name,", 100), ","),
	}
	for _, n := range r.Policy.RequestHeaders {
		lower := strings.ToLower(n)
		all = append(all, n, lower, strings.ToUpper(n), lower+",", ","+lower, lower+" ,\t"+lower, lower+",,"+lower, lower+",x-other", "x-other,"+lower,
			lower+"x", "x"+lower, lower+" "+lower, lower+";", strings.Replace(lower, "-", "x", 1), strings.Replace(lower, ".", "x", 1))
	}
	if len(r.Policy.RequestHeaders) > 0 {
		all = append(all, strings.ToLower(strings.Join(r.Policy.RequestHeaders, ",")), strings.Join(r.Policy.RequestHeaders, ", "),
			strings.ToLower(strings.TrimSuffix(strings.Repeat(r.Policy.RequestHeaders[0]+",", 50), ",")))
	}
	for _, n := range all {
		w.add(fmt.Sprintf("a preflight for the names %.70q", n), preflight(origin(r), "GET", n), Answer{}, "request-headers")
	}
	w.add("a preflight for a method and names", preflight(origin(r), "PUT", "content-type"), Answer{}, "request-headers", "methods")
	w.add("a preflight into a private network", preflight(origin(r), "GET").with(header.AccessControlRequestPrivateNetwork, "true"), Answer{}, "private-network")
	w.add("a preflight into a private network, in capitals", preflight(origin(r), "GET").with(header.AccessControlRequestPrivateNetwork, "TRUE"), Answer{}, "private-network")
	w.add("a preflight by a stranger into a private network", preflight(stranger, "GET").with(header.AccessControlRequestPrivateNetwork, "true"), Answer{}, "private-network")
}

// speaking are answers of upstreams that say something of CORS themselves.
func speaking(origin string) map[string]Answer {
	const acao, acac, vary = header.AccessControlAllowOrigin, header.AccessControlAllowCredentials, header.Vary
	return map[string]Answer{
		"nothing of CORS":              {},
		"* itself":                     {Header: fields(acao, "*")},
		"the origin itself":            {Header: fields(acao, origin, acac, "true", vary, "Origin")},
		"another origin":               {Header: fields(acao, "https://other.example")},
		"null":                         {Header: fields(acao, "null", acac, "true")},
		"the origin, in small letters": {Header: fields("access-control-allow-origin", origin)},
		"credentials alone":            {Header: fields(acac, "true")},
		"all there is": {Header: fields(acao, origin, acac, "true", header.AccessControlAllowMethods, "PUT, PATCH", header.AccessControlAllowHeaders, "X-Upstream",
			header.AccessControlExposeHeaders, "X-Upstream", header.AccessControlMaxAge, "99", header.AccessControlAllowPrivateNetwork, "true")},
		"what is of preflights":              {Header: fields(header.AccessControlAllowMethods, "*", header.AccessControlAllowHeaders, "*", header.AccessControlMaxAge, "86400")},
		"that it varies":                     {Header: fields(vary, "Accept-Encoding")},
		"that it varies by origin":           {Header: fields(vary, "accept-language,origin , x")},
		"that it varies by all":              {Header: fields(vary, "*")},
		"that it varies by what only begins": {Header: fields(vary, "Origin-X, X-Origin")},
		"that there is nothing":              {Status: 404, Header: fields(acao, "*")},
		"that it has failed":                 {Status: 500, Header: fields(vary, "Accept")},
		"that it is not there now":           {Status: 503},
		"that one must log in":               {Status: 401, Header: fields("WWW-Authenticate", "Basic")},
		"that it is elsewhere":               {Status: 302, Header: fields("Location", "https://elsewhere.example/")},
		"that it is elsewhere, for good":     {Status: 308, Header: fields("Location", "https://elsewhere.example/", acao, "*")},
		"that nothing has changed":           {Status: 304, Header: fields("ETag", `"x"`, vary, "Accept")},
		"that there is no content":           {Status: 204},
		"nothing, and breaks off":            {Down: true},
	}
}

// twice are answers with two lines where there may be one.
func twice(origin string) map[string]Answer {
	const acao = header.AccessControlAllowOrigin
	return map[string]Answer{
		"* and the origin":    {Header: fields(acao, "*", acao, origin)},
		"the origin, twice":   {Header: fields(acao, origin, acao, origin)},
		"the origin and none": {Header: fields(acao, origin, acao, "null")},

		"that it varies, twice": {Header: fields(header.Vary, "Accept-Encoding", header.Vary, "Accept-Language")},
	}
}

// answers has upstreams say of CORS what they do.
func (w *writer) answers(r policyfile.Route) { w.answersAt("/x", origin(r)) }

func (w *writer) answersAt(path, origin string) {
	for _, who := range []struct{ name, origin string }{{"an origin that is allowed", origin}, {"a stranger", stranger}} {
		ask := get(who.origin).at(path)
		for _, said := range sortedKeys(speaking(origin)) {
			w.add(fmt.Sprintf("%s: the upstream of %s says %s", path, who.name, said), ask, speaking(origin)[said], "upstream-headers")
		}
		for _, said := range sortedKeys(twice(origin)) {
			w.add(fmt.Sprintf("%s: the upstream of %s says %s", path, who.name, said), ask, twice(origin)[said], "upstream-headers", "lines")
		}
	}
	none := Request{Method: http.MethodGet, Path: path}
	for _, said := range []string{"* itself", "that it varies", "that it varies by origin", "that there is nothing", "nothing, and breaks off"} {
		w.add(fmt.Sprintf("%s: the upstream of no origin says %s", path, said), none, speaking(origin)[said], "upstream-headers")
	}
	w.add(path+": OPTIONS that is no preflight", Request{Method: http.MethodOptions, Path: path, Header: fields(header.Origin, origin)}, speaking(origin)["all there is"], "upstream-headers")
}

func sortedKeys(m map[string]Answer) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// odd asks what no browser does.
func (w *writer) odd(r policyfile.Route) {
	o := origin(r)
	w.add("Origin twice", get(o).with(header.Origin, stranger), Answer{}, "lines")
	w.add("Origin twice, a stranger first", get(stranger).with(header.Origin, o), Answer{}, "lines")
	w.add("an empty Origin", get(""), Answer{}, "lines")
	w.add("a preflight of an empty Origin", preflight("", "PUT"), Answer{}, "lines")
	w.add("a preflight for no method", preflight(o, ""), Answer{}, "lines")
	w.add("a preflight for two methods", preflight(o, "GET").with(header.AccessControlRequestMethod, "PUT"), Answer{}, "lines")
	w.add("a preflight for names in two lines", preflight(o, "GET", "content-type", "authorization"), Answer{}, "lines", "request-headers")
	w.add("a preflight for names in two lines, one not allowed", preflight(o, "GET", "content-type", "x-(not)-a-name"), Answer{}, "lines", "request-headers")
	w.add("a preflight for names in an empty line", preflight(o, "GET", ""), Answer{}, "request-headers")
}

// upstreams has upstreams speak at routes that treat what they say in each way.
func (w *writer) upstreams() {
	for _, path := range []string{"/x", "/fill/x", "/keep/x", "/shadow/x", "/off/x"} {
		w.answersAt(path, "https://app.example.com")
	}
	for _, path := range []string{"/x", "/fill/x", "/keep/x", "/shadow/x", "/off/x", "/closed/x", "/closed/keep/x", "/closed/shadow/x"} {
		for _, o := range []string{"https://app.example.com", stranger} {
			w.add(path+": GET by "+o, get(o).at(path), Answer{}, "upstream-headers")
			w.add(path+": a preflight by "+o, preflight(o, "PUT").at(path), Answer{Status: 405, Header: fields("Allow", "GET")}, "shadow")
			w.add(path+": a preflight by "+o+", for what is not allowed", preflight(o, "DELETE").at(path), Answer{Status: 200, Header: fields(header.AccessControlAllowOrigin, "*")}, "shadow")
		}
		w.add(path+": no origin", Request{Method: http.MethodGet, Path: path}, Answer{}, "upstream-headers")
	}
}

// paths asks at the paths of many routes as the origin of each.
func (w *writer) paths() {
	owners := []string{"api-user", "admin", "exact", "avatar", "users", "me", "files", "only", "cafe", "dot", "host", "host-api", "www"}
	ask := func(host, path string, about ...string) {
		for _, owner := range owners {
			o := "https://" + owner + ".example"
			w.add(fmt.Sprintf("%s%s: GET by %s", host, path, owner), get(o).at(path).of(host), Answer{Header: fields(header.AccessControlAllowOrigin, "*")}, about...)
		}
		for _, owner := range []string{"api-user", "admin", "host-api"} {
			o := "https://" + owner + ".example"
			w.add(fmt.Sprintf("%s%s: a preflight by %s", host, path, owner), preflight(o, "GET").at(path).of(host), Answer{}, append(about, "max-age")...)
		}
	}
	for _, path := range []string{
		"/", "/api", "/api/", "/api/x", "/api/x/y", "/apix", "/api/admin", "/api/admin/", "/api/admin/x", "/api/adminx", "/api/exact", "/api/exact/", "/api/exactx", "/API/x",
		"/users", "/users/7", "/users/7/", "/users/7/avatar", "/users/7/avatar/", "/users/7/x", "/users/me", "/users/me/", "/users/me/avatar",
		"/files", "/files/", "/files/x", "/files/x/y", "/only", "/only/", "/only/x", "/caf%C3%A9", "/caf%C3%A9/x", "/a.b/x", "/axb/x", "/metrics", "/metrics/", "/other",
		"/api/J%C3%BCrgen", "/api/a%20b", "/api/a.b", "/api/a+b", "/api/~x", "/api/x:y", "/api/x@y",
	} {
		ask("service.example", path)
	}
	for _, host := range []string{"api.example.com", "API.example.com:8080", "api.example.com.", "apixexample.com", "x.api.example.com", "www.example.com"} {
		for _, path := range []string{"/", "/api", "/api/x", "/api/admin/x", "/users/7/avatar", "/v1", "/v1/x", "/v2/x", "/metrics"} {
			if strings.HasSuffix(host, ".") {
				ask(host, path, "hosts")
				continue
			}
			ask(host, path)
		}
	}
	// What can be read in more than one way.
	for _, path := range []string{
		"/users//avatar", "/api/./x", "/api/x/../y", "/api//x", "/api/x/../../other", "/api/x/../admin/y", "/api/admin/../x", "//api/x", "/api/%2e%2e/other", "/api/admin%2Fx", "/api%2Fadmin/x",
		"/api/%61dmin/x", "/%61pi/x", "/api;x/admin/y", "/api/x;y=z", `/api\admin/x`, "/api/%5Cadmin/x", "/api/x%3By", "/users/7%2Favatar", "/users/a%2Fb/avatar", "/other/..%2Fapi/x",
	} {
		ask("service.example", path, "paths")
	}
}

// rest asks little of policies that say little.
func (w *writer) rest() {
	for _, path := range []string{"/", "/api", "/api/x", "/other"} {
		for _, o := range []string{"https://app.example.com", stranger, "null"} {
			for _, m := range []string{"GET", "POST", "PUT", "OPTIONS"} {
				w.add(fmt.Sprintf("%s: %s by %s", path, m, o), Request{Method: m, Path: path, Header: fields(header.Origin, o)}, Answer{Header: fields(header.AccessControlAllowOrigin, "*")}, "origins")
			}
			w.add(fmt.Sprintf("%s: a preflight by %s", path, o), preflight(o, "PUT").at(path), Answer{}, "origins")
			w.add(fmt.Sprintf("%s: a preflight by %s, for names", path, o), preflight(o, "GET", "x-name").at(path), Answer{}, "origins")
		}
		w.add(path+": no origin", Request{Method: http.MethodGet, Path: path}, Answer{Header: fields(header.AccessControlAllowOrigin, "*")}, "origins")
		w.add(path+": the upstream breaks off", get("https://app.example.com").at(path), Answer{Down: true}, "origins")
	}
}
