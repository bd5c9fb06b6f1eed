package policyfile

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/crossorigin/cors"
)

// A reader reads on after a mistake, so as to find them all.
type reader struct {
	faults  []*Error
	aliases map[*ast.AliasNode]ast.Node
	nodes   int // read so far

	// Of what is being read, for the faults:
	route, key string
	index      int // of the element; -1 outside lists
}

// fault notes what is wrong at a place.
func (r *reader) fault(at place, value, reason, fix string) {
	e := &Error{Line: at.line, Column: at.column, Route: r.route, Field: r.key, Index: -1, Value: value, Reason: reason, Fix: fix}
	if r.key != "" {
		e.Index = r.index
	}
	r.faults = append(r.faults, e)
}

// within sets what is being read, and returns what puts it back.
func (r *reader) within(route, key string, index int) func() {
	before := *r
	r.route, r.key, r.index = route, key, index
	return func() { r.route, r.key, r.index = before.route, before.key, before.index }
}

// file reads the whole document.
func (r *reader) file(data []byte) *File {
	r.index = -1
	root := r.document(data)
	if root == nil {
		return nil
	}
	f := new(File)
	entries, ok := r.mapping(root, `write "routes:", and below it a route such as "/api/:"`)
	if !ok {
		return nil
	}
	var routes []*routeReader
	seen := false
	for _, e := range entries {
		done := r.within("", e.key, -1)
		switch {
		case e.key == "upstream":
			f.Upstream = r.upstream(e.value)
		case e.key == "routes":
			seen = true
			routes = r.routes(e)
		case strings.HasPrefix(e.key, "x-"): // a place for anchors
		default:
			done()
			r.unknown(e, "", []string{"upstream", "routes"})
			continue
		}
		done()
	}
	if !seen {
		r.fault(placeOf(root), "", `there is no "routes"`, `write "routes:", and below it a route such as "/api/:"`)
		return nil
	}
	policies := make(map[string]cors.Policy, len(routes))
	for _, route := range routes {
		if route.Upstream == nil {
			route.Upstream = f.Upstream
		}
		f.Routes = append(f.Routes, route.Route)
		policies[route.Pattern] = route.Policy
	}
	r.check(policies, routes)
	return f
}

// A routeReader is a route with what is needed to say where its mistakes are.
type routeReader struct {
	Route
	at     place
	fields map[string]position
}

// A position is where a field is, and where each element of its list is.
type position struct {
	at       place
	elements []place
}

func (r *reader) routes(e entry) []*routeReader {
	const fix = `write a route such as "/api/:", and its policy below it, indented`
	entries, ok := r.mapping(e.value, fix)
	if !ok {
		return nil
	}
	if len(entries) == 0 {
		r.fault(placeOf(e.value), "", "there is no route", fix)
	}
	var routes []*routeReader
	for _, e := range entries {
		done := r.within(e.key, "", -1)
		route := &routeReader{Route: Route{Pattern: e.key}, at: e.at, fields: make(map[string]position)}
		r.routeBody(route, e)
		routes = append(routes, route)
		done()
	}
	return routes
}

func (r *reader) routeBody(route *routeReader, e entry) {
	if n := r.deref(e.value); n != nil {
		if s, ok := n.(*ast.StringNode); ok && s.Value == "off" {
			return
		}
	}
	entries, ok := r.mapping(e.value, `write a policy below the route, indented, or "off"`)
	if !ok {
		return
	}
	origins := false
	for _, e := range entries {
		f, ok := fieldNamed[e.key]
		if !ok {
			r.unknown(e, e.key, fieldNames)
			origins = origins || suggest(e.key, fieldNames) == "origins"
			continue
		}
		origins = origins || e.key == "origins"
		done := r.within(route.Pattern, e.key, -1)
		before := len(r.faults)
		pos := f.read(r, &route.Route, e.value)
		route.fields[f.policy] = pos
		if len(r.faults) > before && strings.HasPrefix(e.key, "insecure-") {
			*f.flag(&route.Policy) = true // so that nobody is told of what it may have meant to allow
		}
		done()
	}
	if !origins {
		r.fault(e.at, "", "the route does not say which origins may read", `write "origins:", or "off" in place of the policy`)
	}
}

// check has package cors judge the policies.
func (r *reader) check(policies map[string]cors.Policy, routes []*routeReader) {
	_, err := cors.NewRoutes(policies)
	faults, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return
	}
	byPattern := make(map[string]*routeReader, len(routes))
	for _, route := range routes {
		byPattern[route.Pattern] = route
	}
	for _, fault := range faults.Unwrap() {
		e := fault.(*cors.PolicyError)
		if e.Field == "pattern" {
			done := r.within(e.Value, "", -1)
			r.fault(byPattern[e.Value].at, "", e.Reason, e.Fix)
			done()
			continue
		}
		pos := byPattern[e.Route].fields[e.Field]
		at := pos.at
		if e.Index >= 0 {
			at = pos.elements[e.Index]
		}
		done := r.within(e.Route, yamlName[e.Field], e.Index)
		r.fault(at, e.Value, inYAML.Replace(e.Reason), inYAML.Replace(e.Fix))
		done()
	}
}

// An entry is a key of a mapping and its value.
type entry struct {
	key   string
	at    place
	value ast.Node
}

// mapping reads the keys of n, those that it merges included, each once.
func (r *reader) mapping(n ast.Node, fix string) ([]entry, bool) {
	entries, ok := r.pairs(n, fix)
	if !ok {
		return nil, false
	}
	own := make(map[string]place, len(entries))
	out := make([]entry, 0, len(entries))
	var merged []ast.Node
	for _, e := range entries {
		if e.key == mergeKey {
			merged = append(merged, e.value)
			continue
		}
		if first, ok := own[e.key]; ok {
			done := r.within(r.route, "", -1)
			r.fault(e.at, e.key, fmt.Sprintf("this key is on line %d already", first.line), "keep one of the two")
			done()
			continue
		}
		own[e.key] = e.at
		out = append(out, e)
	}
	for _, m := range merged {
		out = append(out, r.merge(m, own)...)
	}
	return out, true
}

// mergeKey is what no key of a document can be.
const mergeKey = "\x00<<"

// merge reads the keys that the value of a "<<" adds to own.
func (r *reader) merge(n ast.Node, own map[string]place) []entry {
	const fix = `write the alias of a mapping, such as "*policy", or a list of them`
	sources := []ast.Node{n}
	if s, ok := r.deref(n).(*ast.SequenceNode); ok {
		sources = s.Values
	}
	var out []entry
	for _, source := range sources {
		entries, ok := r.mapping(source, fix)
		if !ok {
			continue
		}
		for _, e := range entries {
			if _, ok := own[e.key]; ok {
				continue // what is written in the mapping itself, or merged earlier, holds
			}
			own[e.key] = e.at
			out = append(out, e)
		}
	}
	return out
}

func (r *reader) pairs(n ast.Node, fix string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := r.deref(n).(type) {
	case nil:
		return nil, false
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.wrongType(n, "keys and values are wanted", fix)
		return nil, false
	}
	entries := make([]entry, 0, len(values))
	for _, v := range values {
		if !r.count(v) {
			return nil, false
		}
		e := entry{at: placeOf(v.Key), value: v.Value}
		if v.Key.IsMergeKey() {
			e.key = mergeKey
			entries = append(entries, e)
			continue
		}
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			r.wrongType(v.Key, "a key is a text", "write the key in quotes")
			continue
		}
		e.key = key.Value
		entries = append(entries, e)
	}
	return entries, true
}

// deref returns what n stands for, without anchors and aliases. It is nil where
// that has been told to be a mistake.
func (r *reader) deref(n ast.Node) ast.Node {
	for {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := r.aliases[v]
			if !ok {
				return nil
			}
			n = target
		case *ast.TagNode:
			r.fault(placeOf(v), v.Start.Value, "tags are not read", "remove it")
			return nil
		default:
			if n == nil || !r.count(n) {
				return nil
			}
			return n
		}
	}
}

// count keeps what is read within bounds.
func (r *reader) count(n ast.Node) bool {
	r.nodes++
	if r.nodes == maxNodes+1 {
		r.fault(placeOf(n), "", fmt.Sprintf("with every alias in full, the file has more than %d values", maxNodes), "use fewer aliases, or shorter lists below their anchors")
	}
	return r.nodes <= maxNodes
}

// wrongType tells that n is not what is wanted.
func (r *reader) wrongType(n ast.Node, wanted, fix string) {
	if n.Type() == ast.NullType && n.GetToken().Type != token.NullType {
		r.fault(placeOf(n), "", "nothing is written here: "+wanted, fix)
		return
	}
	value, what := written(n), ""
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		value, what = "", "these are keys and values"
	case *ast.SequenceNode:
		value, what = "", "this is a list"
	case *ast.BoolNode:
		what = "this is true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		what = "this is a number"
	case *ast.NullNode:
		what = "this is nothing"
	default:
		what = "this is a text"
	}
	r.fault(placeOf(n), value, what+": "+wanted, fix)
}

// written is the text of a scalar as it stands in the file.
func written(n ast.Node) string {
	if l, ok := n.(*ast.LiteralNode); ok {
		return l.Value.Value
	}
	return n.GetToken().Value
}

const noVariables = "environment variables are not expanded"
const variableFix = "write the value itself, or make the file with a tool such as envsubst"

// variable finds ${NAME}, $NAME, {{name}} and %NAME%.
var variable = regexp.MustCompile(`\$\{|\$[A-Z_]|\{\{|^%\w+%$`)

// text reads a scalar that is a text.
func (r *reader) text(n ast.Node, wanted, fix string) (string, bool) {
	var s string
	switch n := r.deref(n).(type) {
	case nil:
		return "", false
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = strings.TrimSuffix(n.Value.Value, "\n")
	default:
		r.wrongType(n, wanted, fix)
		return "", false
	}
	if variable.MatchString(s) {
		r.fault(placeOf(n), s, noVariables, variableFix)
		return "", false
	}
	return s, true
}

// list reads a list of texts: one text, texts with commas between them, or a
// sequence, whose elements may be lists that an alias stands for.
func (r *reader) list(n ast.Node, example string) (list []string, at []place) {
	switch v := r.deref(n).(type) {
	case nil:
	case *ast.SequenceNode:
		for i, element := range v.Values {
			if _, ok := r.deref(element).(*ast.SequenceNode); ok {
				more, places := r.list(element, example)
				list, at = append(list, more...), append(at, places...)
				continue
			}
			done := r.within(r.route, r.key, i)
			if s, ok := r.text(element, "a text is wanted", "write elements as in "+example); ok {
				list, at = append(list, s), append(at, placeOf(element))
			}
			done()
		}
	default:
		if s, ok := r.text(v, "a list is wanted", "write one such as "+example); ok {
			return split(s, v)
		}
	}
	return list, at
}

// split cuts s, the text of n, at its commas.
func split(s string, n ast.Node) (list []string, places []place) {
	at := placeOf(n)
	column := at.column
	if t := n.GetToken().Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
		column++
	}
	for part := range strings.SplitSeq(s, ",") {
		p := at
		if n.Type() == ast.StringType && strings.Contains(s, ",") {
			p.column = column + len(part) - len(strings.TrimLeft(part, " \t\n"))
		}
		list, places = append(list, strings.TrimSpace(part)), append(places, p)
		column += utf8.RuneCountInString(part) + 1
	}
	return list, places
}

func (r *reader) boolean(n ast.Node) bool {
	switch v := r.deref(n).(type) {
	case nil:
		return false
	case *ast.BoolNode:
		return v.Value
	case *ast.StringNode:
		switch strings.ToLower(v.Value) {
		case "yes", "on", "y", "true":
			r.fault(placeOf(v), v.Value, "this is a text: true or false is wanted", "write true, without quotes")
		case "no", "off", "n", "false":
			r.fault(placeOf(v), v.Value, "this is a text: true or false is wanted", "write false, without quotes")
		default:
			if s, ok := r.text(v, "", ""); ok {
				r.fault(placeOf(v), s, "this is a text: true or false is wanted", "write true or false")
			}
		}
	default:
		r.wrongType(v, "true or false is wanted", "write true or false")
	}
	return false
}

// status reads a status code.
func (r *reader) status(n ast.Node, wanted, fix string) int {
	switch v := r.deref(n).(type) {
	case nil:
	case *ast.IntegerNode:
		status, err := strconv.Atoi(v.Token.Value)
		if err != nil || status == 0 { // which package cors takes for the default
			r.fault(placeOf(v), v.Token.Value, wanted, fix)
			return 0
		}
		return status
	default:
		r.wrongType(v, wanted, fix)
	}
	return 0
}

const upstreamExample = `"http://localhost:3000"`

// upstream reads the URL of a server.
func (r *reader) upstream(n ast.Node) *url.URL {
	s, ok := r.text(n, "a URL is wanted", "write one such as "+upstreamExample)
	if !ok {
		return nil
	}
	u, err := ParseUpstream(s)
	if err, ok := err.(*ValueError); ok {
		r.fault(placeOf(n), err.Value, err.Reason, err.Fix)
	}
	return u
}

// ParseUpstream reads the URL of an upstream, as a file or a flag gives it. Its
// errors are of type [*ValueError].
func ParseUpstream(s string) (*url.URL, error) {
	const example = upstreamExample
	u, err := url.Parse(s)
	if err != nil || !strings.Contains(s, "://") {
		fix := "write one such as " + example
		if bare, err := url.Parse("http://" + s); err == nil && bare.Hostname() != "" && !strings.ContainsAny(s, " \t") {
			fix = "write " + strconv.Quote("http://"+s)
		}
		return nil, &ValueError{s, "an upstream is a URL", fix}
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c":
		return nil, &ValueError{s, "an upstream speaks http, https or h2c (HTTP/2 without TLS)", "write one such as " + example}
	case u.Hostname() == "":
		return nil, &ValueError{s, "a host is missing", "write one such as " + example}
	case u.User != nil:
		u.User = nil
		return nil, &ValueError{u.String(), "an upstream has no user or password", "remove them; let the client send its own Authorization"}
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		u.RawQuery, u.ForceQuery, u.Fragment = "", false, ""
		return nil, &ValueError{s, "an upstream has no query and no fragment", "write " + strconv.Quote(u.String())}
	case u.Port() != "" && !isPort(u.Port()):
		return nil, &ValueError{s, fmt.Sprintf("%q is not a port", u.Port()), "write 1 to 65535"}
	}
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// unknown tells of a key that nothing reads.
func (r *reader) unknown(e entry, field string, known []string) {
	fix := "write one of " + strings.Join(known, ", ")
	if near := suggest(e.key, known); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	} else if _, ok := fieldNamed[e.key]; ok || suggest(e.key, fieldNames) != "" {
		fix = `a policy stands below a route: write "routes:", below it "/:", and below that this key`
	}
	done := r.within(r.route, "", -1)
	r.fault(e.at, e.key, "there is no such key", fix)
	done()
}
