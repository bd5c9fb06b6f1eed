package importer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// readNginx reads servers and locations, or what is to be included in one. It
// follows a request through "if", "set", "map" and "return" for each method, and
// tells the origins apart where the configuration does.
func readNginx(r *result, data []byte) error {
	if strings.Contains(string(data), `written by "cors export`) {
		return errors.New("this was written by cors export: the cors.yaml that it was written from is what it says")
	}
	all, err := parseNginx(string(data))
	if err != nil {
		return err
	}
	n := &nginxReader{result: r, maps: map[string]directive{}, upstreams: map[string]string{}, set: map[string]bool{}}
	n.sets(all)
	outer := all
	for _, d := range all {
		if d.name == "http" {
			outer = d.block
		}
	}
	servers := n.outside(outer)
	if len(servers) == 0 {
		n.server(nil, directive{name: "server", block: all}, true)
	}
	for _, s := range servers {
		n.server(outer, s, len(servers) == 1)
	}
	return nil
}

type nginxReader struct {
	*result
	maps      map[string]directive // by variable, without its $
	upstreams map[string]string    // the server of each upstream, "" where that is no URL's
	set       map[string]bool      // the variables that are set somewhere, and so are empty elsewhere
}

func (n *nginxReader) sets(all []directive) {
	for _, d := range all {
		if d.name == "set" && len(d.args) == 2 {
			n.set[strings.TrimPrefix(d.args[0], "$")] = true
		}
		n.sets(d.block)
	}
}

// outside reads what stands beside servers.
func (n *nginxReader) outside(all []directive) (servers []directive) {
	for _, d := range all {
		switch {
		case d.name == "server" && d.block != nil:
			servers = append(servers, d)
		case d.name == "map" && len(d.args) == 2:
			n.maps[strings.TrimPrefix(d.args[1], "$")] = d
		case d.name == "upstream" && len(d.args) == 1:
			var to []string
			for _, s := range d.block {
				if s.name == "server" && len(s.args) > 0 {
					to = append(to, s.args[0])
				}
			}
			n.upstreams[d.args[0]] = ""
			if len(to) == 1 && !strings.HasPrefix(to[0], "unix:") {
				n.upstreams[d.args[0]] = to[0]
			}
		case d.name == "include":
			n.included(d)
		}
	}
	return servers
}

func (n *nginxReader) included(d directive) {
	path := strings.Join(d.args, " ")
	for _, known := range []string{"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params"} {
		if strings.HasSuffix(path, known) {
			return
		}
	}
	n.lost(n.where(d), "routes", path, "what is included is not read", "put it in its place, if it is of CORS")
}

func (n *nginxReader) where(d directive) string {
	name := d.name
	if len(d.args) > 0 {
		name += " " + strings.Join(d.args, " ")
	}
	if d.line == 0 {
		return name
	}
	return fmt.Sprintf("line %d: %.60s", d.line, name)
}

// server reads the locations of a server.
func (n *nginxReader) server(outer []directive, s directive, alone bool) {
	hosts := []string{""}
	if !alone {
		hosts = n.hosts(s)
	}
	chain := [][]directive{outer, s.block}
	root := false
	for _, d := range s.block {
		if d.name == "location" {
			root = n.location(hosts, chain, d) || root
		}
		if d.name == "include" {
			n.included(d)
		}
	}
	if !root {
		n.policyAt(hosts, "/", n.where(s), chain)
	}
}

func (n *nginxReader) hosts(s directive) (hosts []string) {
	for _, d := range s.block {
		if d.name != "server_name" {
			continue
		}
		for _, name := range d.args {
			switch {
			case name == "_" || name == "":
				add(&hosts, " ")
			case strings.ContainsAny(name, "*~$") || strings.HasPrefix(name, "."):
				n.lost(n.where(d), "routes", name, "a route has no wildcard in its host", "write each host")
			default:
				add(&hosts, strings.ToLower(name))
			}
		}
	}
	for i, h := range hosts {
		hosts[i] = strings.TrimSpace(h)
	}
	return hosts
}

// location reads a location and those in it, and reports whether it is that of
// every path.
func (n *nginxReader) location(hosts []string, chain [][]directive, l directive) (root bool) {
	where := n.where(l)
	chain = append(slices.Clone(chain), l.block)
	for _, d := range l.block {
		switch d.name {
		case "location":
			n.location(hosts, chain, d)
		case "include":
			n.included(d)
		}
	}
	path := ""
	if len(l.args) > 0 {
		path = l.args[len(l.args)-1]
	}
	modifier := ""
	if len(l.args) == 2 {
		modifier = l.args[0]
	}
	switch {
	case strings.HasPrefix(path, "@"):
		return false
	case modifier == "=":
		if strings.HasSuffix(path, "/") {
			path += "{$}"
		}
	case modifier == "~" || modifier == "~*":
		pattern, ok := pathOf(path)
		if !ok || modifier == "~*" {
			if n.saysCORS(chain) {
				n.lost(where, "routes", path, "this location cannot be read as a route", "write the route yourself")
			}
			return false
		}
		path = pattern
	case !strings.HasSuffix(path, "/"):
		n.find(Finding{where, "routes", path, Narrowed, fmt.Sprintf("it matches %q too, which here is another route", path+"x"), "write that route too, if it is meant"})
		path += "/"
	}
	n.policyAt(hosts, path, where, chain)
	return path == "/"
}

// saysCORS reports whether something of CORS stands in a block, or in those around
// it.
func (n *nginxReader) saysCORS(chain [][]directive) bool {
	return slices.ContainsFunc(chain, func(block []directive) bool {
		return slices.ContainsFunc(block, func(d directive) bool {
			return !n.spend(1) && isCORSHeader(d) || d.name != "location" && d.name != "server" && n.saysCORS([][]directive{d.block})
		})
	})
}

// policyAt reads the policy of a location, and adds its route.
func (n *nginxReader) policyAt(hosts []string, path, where string, chain [][]directive) {
	upstream := n.upstream(where, chain)
	policy := n.policy(where, chain)
	if policy == nil && upstream == "" && path == "/" {
		return
	}
	for _, h := range hosts {
		n.route(h+path, where, policy, upstream)
	}
}

// upstream returns where a location passes requests on to.
func (n *nginxReader) upstream(where string, chain [][]directive) string {
	for _, d := range chain[len(chain)-1] {
		if d.name != "proxy_pass" || len(d.args) != 1 {
			continue
		}
		u, err := url.Parse(d.args[0])
		switch {
		case err != nil || strings.Contains(d.args[0], "$") || u.Host == "":
			n.lost(where, "upstream", d.args[0], "where it leads depends on the request", "write the URL of the service")
			return ""
		case u.Path != "":
			n.lost(where, "upstream", d.args[0], "its path takes the place of that of the location, which here it does not", "write the URL of the service, without a path, and see that it knows the whole path")
			return ""
		}
		if to, ok := n.upstreams[u.Host]; ok {
			if to == "" {
				n.lost(where, "upstream", d.args[0], "it is several servers, or a socket, and cors.yaml takes one URL", "write the URL of what spreads requests among them")
				return ""
			}
			u.Host = to
		}
		return u.String()
	}
	return ""
}

// policy follows requests through a location.
func (n *nginxReader) policy(where string, chain [][]directive) *cors.Policy {
	if !n.saysCORS(chain) {
		return nil
	}
	p := new(cors.Policy)
	actual := n.view(where, chain, http.MethodGet)
	preflight := n.view(where, chain, http.MethodOptions)
	p.Origins = actual.origins
	if len(p.Origins) == 0 {
		return nil
	}
	if len(preflight.origins) > 0 && !slices.Equal(preflight.origins, p.Origins) {
		n.find(Finding{where, "origins", "", Narrowed, fmt.Sprintf("preflights are allowed to %s, and requests to %s; those are taken that are in both", quoted(preflight.origins), quoted(p.Origins)), "see which are meant"})
		p.Origins = slices.DeleteFunc(slices.Clone(p.Origins), func(o string) bool { return !slices.Contains(preflight.origins, o) })
	}
	p.Credentials = actual.credentials
	add(&p.ExposedHeaders, actual.exposed...)
	if len(preflight.origins) > 0 {
		n.allows(p, where, chain, preflight)
	} else if said := slices.Concat(withoutSafelisted(actual.methods), actual.names); len(said) > 0 {
		n.lost(where, "methods", strings.Join(said, ", "), "preflights are answered without Access-Control-Allow-Origin, and browsers then send nothing that needs one", "write them, if pages are to send them")
	}
	if actual.star && p.Credentials {
		p.Credentials = false
		n.lost(where, "credentials", "true", `it goes with "*", to which browsers give no credentials`, "list the origins that may have them")
	}
	if actual.reflects && len(p.Origins) == 1 && p.Origins[0] == "*" && !p.Credentials {
		n.find(Finding{where, "origins", "$http_origin", Unsafe, "whatever origin asks is let in", "list the origins that may read"})
	}
	n.starWithCredentials(p, where)
	if !actual.always {
		n.find(Finding{where, "origins", "", Widened, `without "always" nginx sends no headers with errors; here they are sent`, "nothing: pages need them to read what is wrong"})
	}
	return p
}

// allows adds what the answer to a preflight allows.
func (n *nginxReader) allows(p *cors.Policy, where string, chain [][]directive, preflight view) {
	for i, m := range withoutSafelisted(preflight.methods) {
		if i == maxMethods {
			n.lost(where, "methods", "", "there are too many", `write "*" if every method is meant`)
			return
		}
		// A page reads the answer only if the answer says so.
		if m != "*" && m != http.MethodOptions && len(n.view(where, chain, m).origins) == 0 {
			n.lost(where, "methods", m, "it is allowed, but the answer has no Access-Control-Allow-Origin", "add it, if pages are to read the answer")
			continue
		}
		add(&p.Methods, m)
	}
	add(&p.RequestHeaders, preflight.names...)
	n.seconds(p, where, preflight.maxAge)
}

const maxMethods = 40

// A view is what becomes of requests with one method.
type view struct {
	origins                     []string
	credentials, star, reflects bool
	always                      bool
	exposed, methods, names     []string
	maxAge                      string
}

// view returns what nginx answers to requests with a method, by their origin.
func (n *nginxReader) view(where string, chain [][]directive, method string) view {
	x := &nginxRun{nginxReader: n, where: where, method: method}
	branches := []branch{{vars: map[string]string{}}}
	// The server's own rewriting comes first, then that of the location.
	branches = x.run(branches, chain[1])
	if len(chain) > 2 {
		branches = x.run(branches, chain[len(chain)-1]) // those in between are not passed through
	}
	v := view{always: true}
	for _, b := range branches {
		x.answer(&v, b, chain)
	}
	return v
}

// A branch is the way of the requests that meet its conditions.
type branch struct {
	conditions []condition
	vars       map[string]string
	inside     []directive // of the "if" that was taken last and has headers
	status     int         // that was returned, or 0
	stopped    bool
}

// A condition is one on the origin.
type condition struct {
	expression  string
	fold, holds bool
}

type nginxRun struct {
	*nginxReader
	where, method string
	forks         int
	depth         int // of the maps that are being looked at
}

const (
	maxForks = 32
	maxDepth = 8

	// In a value these stand for what the request has.
	theOrigin = "\x01"
	theMethod = "\x02"
	theNames  = "\x03"
	unknown   = "\x04"
)

// run follows the directives of a block that are of the rewriting.
func (x *nginxRun) run(branches []branch, block []directive) []branch {
	for _, d := range block {
		var next []branch
		for _, b := range branches {
			if b.stopped {
				next = append(next, b)
				continue
			}
			next = append(next, x.step(b, d)...)
		}
		branches = next
	}
	return branches
}

func (x *nginxRun) step(b branch, d directive) (after []branch) {
	if x.spend(50) {
		b.stopped = true
		return []branch{b}
	}
	switch {
	case d.name == "set" && len(d.args) == 2:
		for _, e := range x.expand(b, d.args[1]) {
			e.branch.vars = copied(e.branch.vars)
			e.branch.vars[strings.TrimPrefix(d.args[0], "$")] = e.text
			after = append(after, e.branch)
		}
		return after
	case d.name == "return":
		b.stopped = true
		b.status = http.StatusOK
		if len(d.args) > 0 {
			if _, err := fmt.Sscan(d.args[0], &b.status); err != nil {
				b.status = http.StatusFound
			}
		}
		return []branch{b}
	case d.name == "break":
		b.stopped = true
		return []branch{b}
	case d.name == "if":
		for _, taken := range x.condition(b, d) {
			if !taken.holds {
				after = append(after, taken.branch)
				continue
			}
			inside := taken.branch
			inside.inside = d.block
			after = append(after, x.run([]branch{inside}, d.block)...)
		}
		return after
	}
	return []branch{b}
}

func copied(m map[string]string) map[string]string {
	c := make(map[string]string, len(m)+1)
	for k, v := range m {
		c[k] = v
	}
	return c
}

// decided is a branch, and whether a condition holds in it.
type decided struct {
	branch branch
	holds  bool
}

// condition decides an "if", in one branch or in two.
func (x *nginxRun) condition(b branch, d directive) (all []decided) {
	text := strings.TrimSpace(strings.Join(d.args, " "))
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, "("), ")"))
	left, rest, _ := strings.Cut(text, " ")
	operator, right, _ := strings.Cut(strings.TrimSpace(rest), " ")
	right = strings.TrimSpace(right)
	cannot := func() []decided {
		if x.saysCORS([][]directive{d.block}) || slices.ContainsFunc(d.block, func(d directive) bool { return d.name == "set" }) {
			x.lost(x.where, "origins", "if "+strings.Join(d.args, " "), "this condition cannot be read; what stands in it is left out", "write what it is to allow")
		}
		return []decided{{b, false}}
	}
	for _, e := range x.expand(b, left) {
		switch {
		case strings.Contains(e.text, unknown) || e.text != theOrigin && strings.ContainsAny(e.text, theOrigin+theMethod+theNames):
			all = append(all, cannot()...)
			continue
		case operator == "":
			all = append(all, decided{e.branch, e.text != "" && e.text != "0"})
			continue
		}
		holds := !strings.HasPrefix(operator, "!")
		switch strings.TrimPrefix(operator, "!") {
		case "=":
			if e.text != theOrigin {
				all = append(all, decided{e.branch, (e.text == right) == holds})
			} else if right == "" {
				all = append(all, decided{e.branch, !holds}) // who asks by CORS has one
			} else {
				all = append(all, x.fork(e.branch, condition{"^" + regexp.QuoteMeta(right) + "$", false, true}, holds)...)
			}
		case "~", "~*":
			fold := strings.HasSuffix(operator, "*")
			if e.text == theOrigin {
				all = append(all, x.fork(e.branch, condition{right, fold, true}, holds)...)
				continue
			}
			expression := right
			if fold {
				expression = "(?i)" + right
			}
			re, err := regexp.Compile(expression)
			if err != nil {
				all = append(all, cannot()...)
				continue
			}
			all = append(all, decided{e.branch, re.MatchString(e.text) == holds})
		default:
			all = append(all, cannot()...)
		}
	}
	return all
}

// fork parts a branch by a condition on the origin.
func (x *nginxRun) fork(b branch, c condition, holds bool) []decided {
	for _, known := range b.conditions {
		if known.expression == c.expression && known.fold == c.fold {
			return []decided{{b, known.holds == holds}}
		}
	}
	if x.forks++; x.forks > maxForks {
		x.lost(x.where, "origins", c.expression, "there are too many conditions", "write the origins that may read")
		return []decided{{b, false}}
	}
	with, without := b, b
	with.conditions = append(slices.Clone(b.conditions), c)
	c.holds = false
	without.conditions = append(slices.Clone(b.conditions), c)
	return []decided{{with, holds}, {without, !holds}}
}

// expanded is a value in a branch.
type expanded struct {
	branch branch
	text   string
}

var nginxVariable = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)

// expand puts values in the place of variables: those of a map may part the
// branch.
func (x *nginxRun) expand(b branch, template string) []expanded {
	all := []expanded{{b, ""}}
	rest := template
	for rest != "" {
		at := nginxVariable.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		name := ""
		for i := 2; i < len(at); i += 2 {
			if at[i] >= 0 {
				name = rest[at[i]:at[i+1]]
			}
		}
		var next []expanded
		for _, e := range all {
			for _, v := range x.variable(e.branch, name) {
				next = append(next, expanded{v.branch, e.text + rest[:at[0]] + v.text})
			}
		}
		all, rest = next, rest[at[1]:]
		if len(all) > maxForks {
			return []expanded{{b, unknown}}
		}
	}
	for i := range all {
		all[i].text += rest
	}
	return all
}

func (x *nginxRun) variable(b branch, name string) []expanded {
	if text, ok := b.vars[name]; ok {
		return []expanded{{b, text}}
	}
	switch name {
	case "http_origin":
		return []expanded{{b, theOrigin}}
	case "request_method":
		return []expanded{{b, x.method}}
	case "http_access_control_request_method":
		if x.method == http.MethodOptions {
			return []expanded{{b, theMethod}}
		}
		return []expanded{{b, ""}}
	case "http_access_control_request_headers":
		if x.method == http.MethodOptions {
			return []expanded{{b, theNames}}
		}
		return []expanded{{b, ""}}
	}
	// Maps may stand for each other without end.
	x.depth++
	defer func() { x.depth-- }()
	m, ok := x.maps[name]
	if !ok && x.set[name] {
		return []expanded{{b, ""}}
	}
	if !ok || x.forks > maxForks || x.depth > maxDepth || x.spend(100) {
		return []expanded{{b, unknown + name}}
	}
	var all []expanded
	for _, source := range x.expand(b, m.args[0]) {
		all = append(all, x.look(source, m)...)
	}
	return all
}

// look returns the values of a map for its source: first those of texts, then
// those of expressions, in their order, then the default one.
func (x *nginxRun) look(source expanded, m directive) (all []expanded) {
	if source.text != theOrigin && strings.ContainsAny(source.text, theOrigin+theMethod+theNames+unknown) {
		return []expanded{{source.branch, unknown + m.args[1]}}
	}
	otherwise := ""
	hostnames := slices.ContainsFunc(m.block, func(d directive) bool { return d.name == "hostnames" && len(d.args) == 0 })
	rest := []branch{source.branch}
	for _, expressions := range []bool{false, true} {
		for _, entry := range m.block {
			key := entry.name
			switch {
			case len(entry.args) != 1:
				continue // volatile, hostnames
			case key == "include":
				x.included(entry)
				continue
			case key == "default":
				otherwise = entry.args[0]
				continue
			case strings.HasPrefix(key, "~") != expressions:
				continue
			case hostnames && (strings.HasPrefix(key, ".") || strings.HasPrefix(key, "*.") || strings.HasSuffix(key, ".*")):
				if source.text == theOrigin {
					x.lost(x.where, "origins", key, `"hostnames" has it match whatever ends or begins so, of any scheme`, "write the origins that it is to allow")
				}
				continue
			}
			c := condition{"^" + regexp.QuoteMeta(strings.TrimPrefix(key, `\`)) + "$", true, true}
			value := entry.args[0]
			if expression, ok := strings.CutPrefix(key, "~"); ok {
				expression, fold := strings.CutPrefix(expression, "*")
				c = condition{expression, fold, true}
				if value == "$1" && isCaptured(expression) && source.text == theOrigin {
					value = "$http_origin"
				}
			}
			var left []branch
			for _, b := range rest {
				for _, way := range x.meets(b, source.text, c) {
					if !way.holds {
						left = append(left, way.branch)
						continue
					}
					all = append(all, x.expand(way.branch, value)...)
				}
			}
			rest = left
		}
	}
	for _, b := range rest {
		all = append(all, x.expand(b, otherwise)...)
	}
	return all
}

// isCaptured reports whether the first group of an expression is all that it
// matches, from the beginning to the end.
func isCaptured(expression string) bool {
	re, err := syntax.Parse(expression, syntax.Perl)
	return err == nil && re.Op == syntax.OpConcat && len(re.Sub) == 3 && re.Sub[0].Op == syntax.OpBeginText && re.Sub[1].Op == syntax.OpCapture && re.Sub[2].Op == syntax.OpEndText
}

func (x *nginxRun) meets(b branch, text string, c condition) []decided {
	switch {
	case x.spend(10 + len(c.expression)):
		return []decided{{b, false}}
	case text == theOrigin && c.expression == "^$":
		return []decided{{b, false}}
	case text == theOrigin:
		return x.fork(b, c, true)
	}
	expression := c.expression
	if c.fold {
		expression = "(?i)" + expression
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		x.lost(x.where, "origins", c.expression, "this regular expression cannot be read ("+err.Error()+")", "write what it is to match")
		return []decided{{b, false}}
	}
	return []decided{{b, re.MatchString(text)}}
}

func isCORSHeader(d directive) bool {
	switch {
	case d.name == "add_header" && len(d.args) >= 2:
		return strings.HasPrefix(strings.ToLower(d.args[0]), "access-control-")
	case d.name == "more_set_headers" && len(d.args) >= 1:
		return slices.ContainsFunc(d.args, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "access-control-") })
	}
	return strings.HasSuffix(d.name, "_by_lua_block") && len(d.args) > 0 && strings.Contains(strings.ToLower(d.args[0]), "access-control-")
}

// An addedHeader is one that nginx adds to an answer.
type addedHeader struct {
	name, value string
	always      bool
}

// headers returns those that an answer gets: of the innermost block that adds any.
func (x *nginxRun) headers(b branch, chain [][]directive) []addedHeader {
	blocks := slices.Clone(chain)
	if b.inside != nil {
		blocks = append(blocks, b.inside)
	}
	var added, set []addedHeader
	for i := len(blocks) - 1; i >= 0; i-- {
		own := false
		for _, d := range blocks[i] {
			switch {
			case d.name == "add_header" && len(d.args) >= 2:
				if added == nil || own {
					own = true
					added = append(added, addedHeader{strings.ToLower(d.args[0]), d.args[1], slices.Contains(d.args[2:], "always")})
				}
			case d.name == "more_set_headers":
				for _, a := range d.args {
					if name, value, ok := strings.Cut(a, ":"); ok {
						set = append(set, addedHeader{strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value), true})
					}
				}
			case strings.HasSuffix(d.name, "_by_lua_block") && isCORSHeader(d):
				x.lost(x.where, "origins", d.name, "what is written in Lua is not read", "write what it is to allow")
			}
		}
	}
	return append(added, set...)
}

// sentWithoutAlways are the statuses with which nginx sends added headers.
var sentWithoutAlways = []int{200, 201, 204, 206, 301, 302, 303, 304, 307, 308}

// answer adds what a branch allows to v.
func (x *nginxRun) answer(v *view, b branch, chain [][]directive) {
	headers := x.headers(b, chain)
	if b.status != 0 && !slices.Contains(sentWithoutAlways, b.status) {
		headers = slices.DeleteFunc(headers, func(h addedHeader) bool { return !h.always })
	}
	if x.method == http.MethodOptions && b.status >= 300 || b.status >= 400 {
		return // it is refused, and there is nothing to read
	}
	var origins []addedHeader
	for _, h := range headers {
		if h.name == "access-control-allow-origin" {
			origins = append(origins, h)
		}
	}
	if len(origins) > 1 {
		x.lost(x.where, "origins", "Access-Control-Allow-Origin", "it is added twice, and browsers refuse both", "add it once")
		return
	}
	if len(origins) == 0 {
		return
	}
	for _, e := range x.expand(b, origins[0].value) {
		allowed := x.origins(v, e)
		if len(allowed) == 0 {
			continue
		}
		v.always = v.always && origins[0].always
		first := len(v.origins) == 0
		x.others(v, e.branch, headers, first)
		add(&v.origins, allowed...)
	}
}

// origins returns the patterns that a branch lets in.
func (x *nginxRun) origins(v *view, e expanded) []string {
	switch {
	case e.text == "":
		return nil
	case strings.Contains(e.text, unknown):
		x.lost(x.where, "origins", "$"+strings.Trim(strings.ReplaceAll(e.text, unknown, ""), "$"), "where this comes from is not known", "write the origins that it is to allow")
		return nil
	case e.text == "*" || e.text == theOrigin:
		v.star = v.star || e.text == "*"
		v.reflects = v.reflects || e.text == theOrigin
		return x.meeting(e.branch.conditions)
	case strings.ContainsAny(e.text, " ,"+theOrigin+theMethod+theNames):
		x.lost(x.where, "origins", e.text, "browsers take one origin, and no list", "have the one that asks sent back, or list them here")
		return nil
	}
	for _, c := range e.branch.conditions {
		if re, err := regexp.Compile(c.searched()); err != nil || re.MatchString(e.text) != c.holds {
			return nil
		}
	}
	return []string{e.text}
}

// searched is the expression as package regexp takes it.
func (c condition) searched() string {
	if c.fold {
		return "(?i)" + c.expression
	}
	return c.expression
}

// meeting returns the patterns of the origins that meet all conditions.
func (x *nginxRun) meeting(conditions []condition) []string {
	p := new(cors.Policy)
	positive := false
	for _, c := range conditions {
		if !c.holds {
			continue
		}
		own := new(cors.Policy)
		x.addExpression(own, x.where, c.expression, c.fold)
		if !positive {
			p, positive = own, true
			continue
		}
		p.Origins = slices.DeleteFunc(p.Origins, func(o string) bool { return !slices.Contains(own.Origins, o) })
	}
	if !positive {
		p.Origins = []string{"*"}
	}
	for _, c := range conditions {
		if c.holds {
			continue
		}
		p.Origins = slices.DeleteFunc(p.Origins, func(o string) bool { return x.excepted(o, c) })
	}
	return p.Origins
}

// excepted reports whether a condition takes something out of what a pattern
// matches, and says so.
func (x *nginxRun) excepted(pattern string, c condition) bool {
	if !strings.Contains(pattern, "*") {
		re, err := regexp.Compile(c.searched())
		return err != nil || re.MatchString(pattern)
	}
	if _, err := origin.InsecureParsePattern(pattern); err != nil {
		return true
	}
	flags := perl(c.fold)
	exception, err := newLanguage(c.expression, flags)
	if err == nil {
		var witness string
		if witness, err = difference(patternsLanguage([]string{pattern}), exception, patternsLanguage(nil), &x.work); err == nil && witness == "" {
			return false
		}
	}
	x.lost(x.where, "origins", pattern, fmt.Sprintf("what matches %q is excepted, and no pattern can say so", c.expression), "write the origins that may read")
	return true
}

// readHeaders are those that say what else is allowed.
var readHeaders = []string{"access-control-allow-credentials", "access-control-expose-headers", "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age"}

// others reads the other headers of an answer that an origin may read.
func (x *nginxRun) others(v *view, b branch, headers []addedHeader, first bool) {
	credentials := false
	for _, h := range headers {
		if !slices.Contains(readHeaders, h.name) {
			continue
		}
		value := unknown
		if all := x.expand(b, h.value); len(all) == 1 {
			value = all[0].text
		}
		if strings.Contains(value, unknown) {
			x.lost(x.where, h.name, h.value, "where this comes from is not known", "write it yourself")
			continue
		}
		list := func(reflected string, of ...string) (values []string) {
			if value == reflected {
				return of
			}
			add(&values, strings.Split(value, ",")...)
			return values
		}
		switch h.name {
		case "access-control-allow-credentials":
			credentials = value == "true"
		case "access-control-expose-headers":
			x.keep(&v.exposed, list(""), first, "exposed-headers")
		case "access-control-allow-methods":
			x.keep(&v.methods, list(theMethod, "*"), first, "methods")
		case "access-control-allow-headers":
			x.keep(&v.names, list(theNames, "*", "Authorization"), first, "request-headers")
		case "access-control-max-age":
			if first {
				v.maxAge = value
			}
		}
	}
	if !first && credentials != v.credentials {
		x.find(Finding{x.where, "credentials", "true", Narrowed, "some origins may have them, and some not; here none may", "part the routes, or set it if all may"})
		credentials = false
	}
	v.credentials = credentials
}

// keep sets a list, or keeps what is in both.
func (x *nginxRun) keep(list *[]string, values []string, first bool, field string) {
	if first {
		*list = values
		return
	}
	if !slices.Equal(*list, values) {
		x.find(Finding{x.where, field, strings.Join(values, ", "), Narrowed, "it differs from origin to origin; what is in all is taken", "see what is meant"})
		*list = slices.DeleteFunc(slices.Clone(*list), func(v string) bool { return !slices.Contains(values, v) })
	}
}
