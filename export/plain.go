package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// Here is what the writers for YAML and JSON share. The structures that they
// write are their own, with the fields that they set: measured, the vendors' Go
// modules would cost each start of the command up to 1.7 ms and 6 MB (protobuf's
// registries, Google's transport, Kubernetes' schemes), and those that cost
// nothing (AWS) have no names for JSON. Module vendortest holds what is written
// against the vendors' types, field by field.

// writeYAML writes docs, one after the other. The comments of each are by the path
// of what they stand above, as in "$.http.routers".
func (j *job) writeYAML(name string, docs ...document) error {
	var b bytes.Buffer
	for i, d := range docs {
		if i > 0 {
			b.WriteString("---\n")
		}
		if d.head != "" {
			b.WriteString("# " + strings.ReplaceAll(d.head, "\n", "\n# ") + "\n")
		}
		comments := make(yaml.CommentMap, len(d.comments))
		for path, text := range d.comments {
			var lines []string
			for line := range strings.SplitSeq(text, "\n") {
				lines = append(lines, " "+line)
			}
			comments[path] = []*yaml.Comment{yaml.HeadComment(lines...)}
		}
		data, err := yaml.MarshalWithOptions(d.content, yaml.WithComment(comments), yaml.IndentSequence(false), yaml.Indent(2), yaml.UseSingleQuote(true), yaml.CustomMarshaler(writeText))
		if err != nil {
			return err
		}
		b.Write(data)
	}
	j.write(name, b.Bytes())
	return nil
}

// writeText writes a string in quotes where some reader of YAML could take it for a
// number: the library leaves "1e3" and ".nan" without.
func writeText(s string) ([]byte, error) {
	if strings.Trim(s, "+-._0123456789eExX") == "" || strings.HasPrefix(s, ".") {
		return []byte("'" + strings.ReplaceAll(s, "'", "''") + "'"), nil
	}
	return yaml.MarshalWithOptions(s, yaml.UseSingleQuote(true))
}

// A document is one of a YAML file.
type document struct {
	head     string // a comment above it
	content  any
	comments map[string]string
}

func (j *job) writeJSON(name string, content any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(content); err != nil {
		return err
	}
	j.write(name, b.Bytes())
	return nil
}

// off reports whether r allows no origin.
func (r *rule) off() bool { return len(r.policy.Origins) == 0 }

// any reports whether r allows every origin, with credentials or without.
func (r *rule) any() bool { return slices.Contains(r.policy.Origins, "*") }

// origins returns the patterns of r, each once, exact ones apart; none where it
// allows every origin.
func (r *rule) origins() (exact, wild []string) {
	if r.any() {
		return nil, nil
	}
	seen := make(map[string]bool, len(r.policy.Origins))
	for _, o := range r.policy.Origins {
		switch {
		case seen[o]:
		case strings.Contains(o, "*"):
			wild = append(wild, o)
		default:
			exact = append(exact, o)
		}
		seen[o] = true
	}
	return exact, wild
}

// methods returns the methods of r that are named, without those that need no
// mention, and whether it allows every method.
func (r *rule) methods() (named []string, every bool) {
	for _, m := range r.policy.Methods {
		switch {
		case m == "*":
			every = true
		case !header.IsSafelistedMethod(m) && !slices.Contains(named, m):
			named = append(named, m)
		}
	}
	return named, every
}

// allMethods is [rule.methods] with those that need no mention, for targets that
// compare the method of each request.
func (r *rule) allMethods() (named []string, every bool) {
	named, every = r.methods()
	return append([]string{"GET", "HEAD", "POST"}, named...), every
}

// names returns the names of request-headers of r, and whether it allows every
// one but Authorization, which is among the names if it is allowed.
func (r *rule) names() (named []string, every bool) {
	return distinct(r.policy.RequestHeaders)
}

// exposed returns the names of response-headers of r, and whether it exposes all.
func (r *rule) exposed() (named []string, every bool) {
	return distinct(r.policy.ExposedHeaders)
}

func distinct(list []string) (named []string, every bool) {
	for _, n := range list {
		same := func(other string) bool { return header.EqualFold(n, other) }
		switch {
		case n == "*":
			every = true
		case !slices.ContainsFunc(named, same):
			named = append(named, n)
		}
	}
	return named, every
}

// authorization reports whether r allows the header that "*" does not cover.
func (r *rule) authorization() bool {
	return slices.ContainsFunc(r.policy.RequestHeaders, header.IsNonWildcardRequestName)
}

// anchored is [originRegexp] for targets that search.
func anchored(pattern string) string { return "^" + originRegexp(pattern) + "$" }

// A service is an upstream with a name of its own.
type service struct {
	name string
	url  *url.URL // nil where the file names none
}

// services returns the upstreams of j, each once.
func (j *job) services() []service {
	byName := map[string]service{}
	for _, r := range j.rules {
		s := j.serviceOf(r.upstream)
		byName[s.name] = s
	}
	if rest := j.rest(); rest != nil {
		byName[j.serviceOf(rest).name] = j.serviceOf(rest)
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b service) int { return strings.Compare(a.name, b.name) })
}

func (j *job) serviceOf(u *url.URL) service {
	if u == nil {
		return service{name: noUpstream}
	}
	return service{j.serviceNames[*u], u}
}

// noUpstream is the name of the service that the file does not name.
const noUpstream = "upstream"

// nameServices gives each upstream a name that is no other's: "a.b" and "a-b"
// would both be "a-b".
func (j *job) nameServices() {
	names := takenNames{}
	if slices.ContainsFunc(j.rules, func(r *rule) bool { return r.upstream == nil }) {
		names.of(noUpstream)
	}
	j.serviceNames = map[url.URL]string{}
	for _, u := range j.upstreamURLs() {
		name := strings.Trim(dashed(strings.ToLower(u.Host+u.Path)), "-")
		if u.Scheme != "http" {
			name = u.Scheme + "-" + name
		}
		j.serviceNames[*u] = names.of(name)
	}
}

// dashed has "-" in the place of what is no letter or digit.
func dashed(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
}

// takenNames are those that something has.
type takenNames map[string]bool

// of takes name, with a number behind it where it is taken.
func (t takenNames) of(name string) string {
	free := name
	for i := 2; t[free]; i++ {
		free = name + "-" + strconv.Itoa(i)
	}
	t[free] = true
	return free
}

// rest is the upstream of requests that no route matches, or nil if a route
// matches every one, or the file names none.
func (j *job) rest() *url.URL {
	for _, r := range j.file.Routes {
		if r.Pattern == "/" {
			return nil
		}
	}
	return j.file.Upstream
}

// needUpstream finds what is wanting of the upstreams for a target that is told
// them. pathless is of one that cannot put a path before that of the request.
func (j *job) needUpstream(pathless bool) {
	for _, s := range j.services() {
		switch {
		case s.url == nil:
			j.find(Finding{Field: "upstream", Effect: Needs, Reason: "the file names none, and the target has to have one",
				Fix: `put its own name in place of "upstream"`})
		case pathless && strings.Trim(s.url.Path, "/") != "":
			j.find(Finding{Field: "upstream", Value: s.url.String(), Effect: Lost, Reason: "its path is not put before that of the request",
				Fix: "let the target rewrite the path"})
		}
	}
}

// literal returns the path, as a browser writes it, of a matcher whose pattern
// has no "{name}".
func (m matcher) literal() (path string, ok bool) {
	_, segments := m.segments()
	var b strings.Builder
	for _, s := range segments {
		if strings.HasPrefix(s, "{") {
			return "", false
		}
		plain, err := url.PathUnescape(s)
		if err != nil {
			plain = s
		}
		b.WriteString("/" + (&url.URL{Path: plain}).EscapedPath())
	}
	if m.rank() == rankBelow || strings.HasSuffix(m.path, "/") {
		b.WriteString("/")
	}
	return b.String(), true
}

// single returns the one rule of a file for a target that has one policy for all
// it serves.
func (j *job) single(what string) (*rule, error) {
	var on []*rule
	for _, r := range j.rules {
		if !r.off() && !r.shadow {
			on = append(on, r)
		}
	}
	switch {
	case len(on) == 0:
		return nil, fmt.Errorf("the file allows no origin, and that is what %s without a CORS configuration does; remove the one it has", what)
	case slices.ContainsFunc(on[1:], func(r *rule) bool { return !reflect.DeepEqual(r.policy, on[0].policy) }):
		return nil, fmt.Errorf("%s has one policy for all it serves, and the file has %d: that of %q, and that of %q; keep the route of %s in a file of its own",
			what, len(on), on[0].routes[0], on[1].routes[0], what)
	}
	r := on[0]
	if len(j.rules) > 1 || !slices.Contains(r.routes, "/") {
		for _, pattern := range r.routes {
			j.find(Finding{Route: pattern, Field: "routes", Value: pattern, Effect: Widened,
				Reason: "the policy becomes that of everything " + what + " serves, not of this route alone",
				Fix:    `write it for "/" in a file of its own, if that is what is meant`})
		}
	}
	if r.headers != edge.Strip {
		j.findIn(r, Finding{Field: "upstream-headers", Value: r.headers.String(), Effect: Lost,
			Reason: what + " has no upstream that could speak of CORS", Fix: "nothing"})
	}
	return r, nil
}

// findStatuses finds preflight-status and refused-status where the target answers
// with statuses of its own; 0 is one that nothing tells.
func (j *job) findStatuses(granted, refused int) {
	j.findStatus("preflight-status", granted, (*rule).granted, "allowed", "nothing: browsers take every status from 200 to 299")
	j.findStatus("refused-status", refused, (*rule).refused, "refused", "nothing: without Access-Control-Allow-Origin, or without the method or name asked for, browsers refuse")
}

func (j *job) findStatus(field string, status int, of func(*rule) int, what, fix string) {
	var told []int
	for _, r := range j.rules {
		if r.shadow || r.off() || of(r) == status || slices.Contains(told, of(r)) {
			continue
		}
		told = append(told, of(r))
		answer := fmt.Sprint(status)
		if status == 0 {
			answer = "a status of the target's own"
		}
		j.find(Finding{Field: field, Value: fmt.Sprint(of(r)), Effect: Lost,
			Reason: fmt.Sprintf("a preflight that is %s is answered with %s", what, answer), Fix: fix})
	}
}

// findShadow tells of the rules in which a target that cannot count is to enforce
// nothing.
func (j *job) findShadow() {
	for _, r := range j.rules {
		if r.shadow {
			j.findIn(r, Finding{Field: "shadow", Value: "true", Effect: Lost,
				Reason: "nothing is decided or counted: the target leaves the route alone", Fix: "run cors serve until the log is as it should be, then remove shadow"})
		}
	}
}

// findHeaders tells of a target that always strips.
func (j *job) findHeaders() {
	for _, r := range j.rules {
		if r.shadow || r.headers == edge.Strip {
			continue
		}
		j.findIn(r, Finding{Field: "upstream-headers", Value: r.headers.String(), Effect: Widened,
			Reason: "the policy speaks in the place of the upstream, also where that allows less",
			Fix:    "write strip, or let the upstream alone answer"})
	}
}

// findOff tells of a target that passes on the preflights of routes that are off.
func (j *job) findOff() {
	for _, r := range j.rules {
		if r.off() && !r.shadow {
			j.findIn(r, Finding{Field: "origins", Effect: Lost, Reason: "preflights go to the upstream, of whose answer the CORS headers are removed",
				Fix: "nothing: browsers refuse"})
		}
	}
}

// parted reports whether it depends on the path what a request meets.
func (j *job) parted() bool { return len(j.file.Routes) > 1 || j.file.Routes[0].Pattern != "/" }

// hasHost reports whether a route is of one host.
func (j *job) hasHost() bool {
	return slices.ContainsFunc(j.file.Routes, func(r policyfile.Route) bool { return !strings.HasPrefix(r.Pattern, "/") })
}

// findHosts tells of a target that takes hosts as they come.
func (j *job) findHosts(target string) {
	if j.hasHost() {
		j.find(Finding{Field: "hosts", Effect: Needs, Reason: "a host with the dot of the root at its end may be another one to " + target, Fix: "redirect it to the host without"})
	}
}

// findHostsFirst tells of a target to which every route of a host comes before those
// of all hosts. Here "/v1" of a host that has "/v1/" gives way to an exact "/v1".
func (j *job) findHostsFirst(target string) {
	matchers := j.matchers()
	for i, m := range matchers {
		if m.host == "" || m.rank() != rankDirectory {
			continue
		}
		_, path := m.segments()
		for _, before := range matchers[:i] {
			_, other := before.segments()
			same := slices.EqualFunc(path, other, func(x, y string) bool { return x == y || strings.HasPrefix(x, "{") || strings.HasPrefix(y, "{") })
			if before.host == "" && before.rank() == rankExact && same {
				j.find(Finding{Route: before.route, Field: "routes", Value: before.route, Effect: Widened,
					Reason: "on " + m.host + " " + target + " takes the route " + strconv.Quote(m.route) + " for it", Fix: "write the path as a route of that host, too"})
			}
		}
	}
}

// findPrivateNetwork tells of a target that does not know the header.
func (j *job) findPrivateNetwork() {
	for _, r := range j.rules {
		if r.policy.PrivateNetwork && !r.shadow {
			j.findIn(r, Finding{Field: "private-network", Value: "true", Effect: Narrowed,
				Reason: "Access-Control-Request-Private-Network is not answered", Fix: "add Access-Control-Allow-Private-Network by other means, or remove it"})
		}
	}
}

// findMethods tells of methods that the target takes none of.
func (j *job) findMethods(r *rule, methods []string, what string) {
	for _, m := range methods {
		j.findIn(r, Finding{Field: "methods", Value: m, Effect: Narrowed, Reason: what, Fix: "remove it, or serve the route by another target"})
	}
}

// narrowOrigin tells of a pattern that the target cannot say.
func (j *job) narrowOrigin(r *rule, pattern, reason, fix string) {
	j.findIn(r, Finding{Field: "origins", Value: pattern, Effect: Narrowed, Reason: reason, Fix: fix})
}

// nobody stands in a list of request-headers where an empty one would mean every
// header, or nothing that is valid: no page can set it.
const nobody = "Origin"

// stripped are the headers that the upstream may not speak of, as far as they are
// known.
var stripped = []string{
	header.AccessControlAllowOrigin,
	header.AccessControlAllowCredentials,
	header.AccessControlAllowMethods,
	header.AccessControlAllowHeaders,
	header.AccessControlExposeHeaders,
	header.AccessControlMaxAge,
	header.AccessControlAllowPrivateNetwork,
}

// portNumber returns the port that u names.
func portNumber(u *url.URL) (port uint32, ok bool) {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return uint32(n), err == nil
}
