package policyfile

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

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
			r.unknown(e, []string{"upstream", "routes"})
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
			r.unknown(e, fieldNames)
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
		route := byPattern[e.Route]
		at := route.at
		if pos, ok := route.fields[e.Field]; ok {
			at = pos.at
			if e.Index >= 0 {
				at = pos.elements[e.Index]
			}
		}
		done := r.within(e.Route, yamlName[e.Field], e.Index)
		r.fault(at, e.Value, inYAML.Replace(e.Reason), inYAML.Replace(e.Fix))
		done()
	}
}

// unknown tells of a key that nothing reads.
func (r *reader) unknown(e entry, known []string) {
	fix := "write one of " + strings.Join(known, ", ")
	if near := suggest(e.key, known); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	} else if strings.Contains(e.key, "/") {
		fix = `a route stands below "routes:": write it there, indented`
	} else if suggest(e.key, fieldNames) != "" {
		fix = `a policy stands below a route: write "routes:", below it "/:", and below that this key`
	}
	done := r.within(r.route, "", -1)
	r.fault(e.at, e.key, "there is no such key", fix)
	done()
}
