package table

import (
	"context"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// A Row is a question to a server that keeps a policy, and what it must answer.
type Row struct {
	Policy  string // the name of a [Policy]
	Name    string // a sentence
	Request Request
	Answer  Answer // of the upstream
	About   []string
	Route   string // by which the policy decides, or ""
	Want    Reply

	read Reply // that a GET by the same origin gets
}

func (r Row) String() string { return r.Policy + ": " + r.Name }

// A Request is sent as it is: its lines need not be what a browser sends.
type Request struct {
	Method, Host, Path string
	Header             []header.Field
}

func (r Request) lines(name string) (lines []string) {
	for _, f := range r.Header {
		if f.Name == name {
			lines = append(lines, f.Value)
		}
	}
	return lines
}

// An Answer is what the upstream says, if the request gets there.
type Answer struct {
	Status int // 0 means 200
	Header []header.Field
	Down   bool // it breaks off before it says anything
}

// A Reply is what of a server's answer is looked at.
type Reply struct {
	Status int
	Header http.Header // Vary, and Access-Control-*
}

// want returns what the decision core says.
func want(file *policyfile.File, routes *cors.Routes, row Row) (pattern string, reply Reply) {
	q := row.Request
	view := cors.Request{Method: q.Method, Origin: q.lines(header.Origin)}
	if q.Method == http.MethodOptions {
		view.AccessControlRequestMethod = q.lines(header.AccessControlRequestMethod)
		view.AccessControlRequestHeaders = q.lines(header.AccessControlRequestHeaders)
		view.AccessControlRequestPrivateNetwork = q.lines(header.AccessControlRequestPrivateNetwork)
	}
	d := routes.Decide(context.Background(), q.Host, q.Path, view)
	route := policyfile.Route{Upstream: file.Upstream}
	if i := slices.IndexFunc(file.Routes, func(r policyfile.Route) bool { return r.Pattern == d.Route }); i >= 0 {
		route = file.Routes[i]
	}
	h := http.Header{}
	switch {
	case d.Kind == cors.Preflight && !route.Shadow:
		d.Own(h)
		return d.Route, Reply{d.Status(), h}
	case route.Upstream == nil || row.Answer.Down || route.Upstream.Port() == closedPort:
		status := http.StatusBadGateway
		if route.Upstream == nil {
			status = http.StatusNotFound
		}
		if !route.Shadow {
			d.Own(h)
		}
		return d.Route, Reply{status, h}
	}
	status := max(row.Answer.Status, 200)
	for _, f := range row.Answer.Header {
		h.Add(f.Name, f.Value)
	}
	if !route.Shadow {
		edge.OwnStatus(h, status, d, route.UpstreamHeaders)
	}
	return d.Route, replyOf(status, h)
}

// routeOf returns the pattern of the route of row's request.
func routeOf(file *policyfile.File, row Row) string {
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		return ""
	}
	pattern, _ := want(file, routes, row)
	return pattern
}

// replyOf takes what is looked at out of h.
func replyOf(status int, h http.Header) Reply {
	r := Reply{status, http.Header{}}
	for name, lines := range h {
		if name = textproto.CanonicalMIMEHeaderKey(name); name == header.Vary || header.IsAccessControl(name) {
			r.Header[name] = append(r.Header[name], lines...)
		}
	}
	return r
}

// A difference is what of a reply is other than it must be.
type difference struct {
	text string
	more bool // it allows more than it must, and than any response of the route does
}

// differ compares got with what row wants, as far as a browser or a cache could
// tell: lists by what is in them, and what a preflight allows by what it asked
// for.
func differ(row Row, got Reply) (all []difference) {
	want := row.Want
	if !sameStatus(want.Status, got.Status) {
		// A preflight that is refused is so by its status, or by its headers.
		all = append(all, difference{fmt.Sprintf("status %d, want %d", got.Status, want.Status), false})
	}
	for _, name := range [...]string{header.AccessControlAllowOrigin, header.AccessControlAllowCredentials, header.AccessControlMaxAge, header.AccessControlAllowPrivateNetwork} {
		if w, g := want.Header[name], got.Header[name]; !slices.Equal(w, g) {
			all = append(all, difference{fmt.Sprintf("%s: %q, want %q", name, g, w), len(g) > 0 && name != header.AccessControlMaxAge && !slices.Equal(row.read.Header[name], g) && !slices.Equal(w, []string{"*"})})
		}
	}
	compare := func(name string, list func(Reply) []string) {
		w, g := list(want), list(got)
		if !slices.Equal(w, g) {
			read := list(row.read)
			// Names that a preflight did not ask for are no use to it, nor what it exposes;
			// nor is either list to any other request.
			preflight := row.Request.Method == http.MethodOptions && len(row.Request.lines(header.AccessControlRequestMethod)) > 0
			useless := name == header.AccessControlAllowHeaders && (!preflight || len(elements(row.Request.lines(header.AccessControlRequestHeaders), header.Lower)) == 0) ||
				name == header.AccessControlAllowMethods && !preflight || name == header.AccessControlExposeHeaders && preflight
			more := !useless && slices.ContainsFunc(g, func(s string) bool { return !slices.Contains(w, s) && !slices.Contains(read, s) })
			all = append(all, difference{fmt.Sprintf("%s: %q, want %q", name, g, w), more && name != header.Vary})
		}
	}
	set := func(name string) func(Reply) []string {
		return func(r Reply) []string { return elements(r.Header[name], header.Lower) }
	}
	compare(header.Vary, set(header.Vary))
	compare(header.AccessControlExposeHeaders, set(header.AccessControlExposeHeaders))
	asked := elements(row.Request.lines(header.AccessControlRequestHeaders), header.Lower)
	if row.Request.Method != http.MethodOptions || len(asked) == 0 {
		asked = nil
	}
	compare(header.AccessControlAllowHeaders, func(r Reply) []string {
		allowed := elements(r.Header[header.AccessControlAllowHeaders], header.Lower)
		if asked == nil || len(r.Header[header.AccessControlAllowOrigin]) == 0 {
			return allowed
		}
		return slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return !slices.Contains(allowed, name) })
	})
	compare(header.AccessControlAllowMethods, func(r Reply) []string {
		allowed := elements(r.Header[header.AccessControlAllowMethods], func(s string) string { return s })
		method := strings.Join(row.Request.lines(header.AccessControlRequestMethod), ", ")
		if method == "" || row.Request.Method != http.MethodOptions || len(r.Header[header.AccessControlAllowOrigin]) == 0 {
			return allowed
		}
		if slices.Contains(allowed, method) || header.IsSafelistedMethod(method) {
			return []string{method}
		}
		return nil
	})
	if len(got.Header[header.AccessControlAllowOrigin]) == 0 {
		for i := range all {
			all[i].more = false // without it nothing is allowed
		}
	}
	return all
}

// sameStatus reports whether statuses are the same to a browser; what a server
// says of its own trouble is its own.
func sameStatus(want, got int) bool {
	if want/100 == 5 || want/100 == 4 {
		return want/100 == got/100
	}
	return want == got
}

// elements returns what is in a list, once each and sorted.
func elements(lines []string, normal func(string) string) []string {
	var all []string
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.Trim(element, " \t"); element != "" {
				all = append(all, normal(element))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
