package export

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/policyfile"
)

// A job is an export under way: what the writers for targets read, and where
// they put what they have.
type job struct {
	file   *policyfile.File
	rules  []*rule // each other policy once, in the order of the file
	result Result

	found        map[Finding]bool
	serviceNames map[url.URL]string
}

// A rule is what some routes do, all of them the same.
type rule struct {
	number  int // from 1
	routes  []string
	policy  cors.Policy
	headers edge.Mode
	shadow  bool

	upstream *url.URL // nil where there is none
}

func newJob(file *policyfile.File) *job {
	j := &job{file: file, found: map[Finding]bool{}}
	for _, r := range file.Routes {
		same := func(other *rule) bool {
			return other.headers == r.UpstreamHeaders && other.shadow == r.Shadow && reflect.DeepEqual(other.upstream, r.Upstream) && reflect.DeepEqual(other.policy, r.Policy)
		}
		i := slices.IndexFunc(j.rules, same)
		if i < 0 {
			i = len(j.rules)
			j.rules = append(j.rules, &rule{number: i + 1, policy: r.Policy, headers: r.UpstreamHeaders, shadow: r.Shadow, upstream: r.Upstream})
		}
		j.rules[i].routes = append(j.rules[i].routes, r.Pattern)
	}
	j.nameServices()
	return j
}

// of returns the rule of a route.
func (j *job) of(pattern string) *rule {
	for _, r := range j.rules {
		if slices.Contains(r.routes, pattern) {
			return r
		}
	}
	return nil
}

// index is that of a route in the file.
func (j *job) index(pattern string) int {
	return slices.IndexFunc(j.file.Routes, func(r policyfile.Route) bool { return r.Pattern == pattern })
}

// lines are those of a file that is being written.
type lines struct{ strings.Builder }

func (l *lines) line(format string, args ...any) {
	fmt.Fprintf(l, format+"\n", args...)
}

func (j *job) write(name string, data []byte) {
	j.result.Files = append(j.result.Files, File{name, data})
}

// find finds f, once: writers may come by for each host.
func (j *job) find(f Finding) {
	if !j.found[f] {
		j.found[f] = true
		j.result.Findings = append(j.result.Findings, f)
	}
}

// findIn finds f in each route of r.
func (j *job) findIn(r *rule, f Finding) {
	for _, f.Route = range r.routes {
		j.find(f)
	}
}

// anyOrigin reports whether responses say "*": nothing then depends on the
// origin.
func (r *rule) anyOrigin() bool {
	return !r.policy.Credentials && slices.Contains(r.policy.Origins, "*")
}

// varies reports whether responses are other ones for other origins.
func (r *rule) varies() bool { return !r.anyOrigin() && len(r.policy.Origins) > 0 }

// maxAge is the value of Access-Control-Max-Age, or "" where there is none.
func (r *rule) maxAge() string {
	switch age := r.policy.MaxAge; {
	case age < 0:
		return "0"
	case age > 0:
		return strconv.FormatInt(int64(age/time.Second), 10)
	}
	return ""
}

// granted is the status of a preflight that is allowed.
func (r *rule) granted() int {
	if r.policy.PreflightStatus != 0 {
		return r.policy.PreflightStatus
	}
	return http.StatusNoContent
}

// refused is the status of a preflight that is not.
func (r *rule) refused() int {
	if r.policy.RefusedStatus != 0 {
		return r.policy.RefusedStatus
	}
	return http.StatusForbidden
}

// universal reports whether one rule is that of every request.
func (j *job) universal() bool { return len(j.file.Routes) == 1 && j.file.Routes[0].Pattern == "/" }

// numbers is the expression for the rules that are such.
func (j *job) numbers(such func(*rule) bool) string {
	var numbers []string
	for _, r := range j.rules {
		if such(r) {
			numbers = append(numbers, strconv.Itoa(r.number))
		}
	}
	switch len(numbers) {
	case 0:
		return ""
	case 1:
		return numbers[0]
	}
	return "(?:" + strings.Join(numbers, "|") + ")"
}

// findPaths finds what becomes of paths that can be read in two ways, where there
// are several rules; slashes is what has the target take "%2F" in a path, or "".
func (j *job) findPaths(slashes string) {
	f := Finding{
		Field: "paths", Effect: Narrowed,
		Reason: `a path with ";" or a backslash, or one that can be read as that of another route, gets no CORS headers`,
		Fix:    "have pages use the plain form of the path",
	}
	if slashes != "" {
		f.Reason += `; one with "%2F" gets 404`
		f.Fix += `, or write "` + slashes + `"`
	}
	if !j.universal() || slashes != "" {
		j.find(f)
	}
}

// anyLooksLikeAnOrigin is found where an expression stands for every origin.
var anyLooksLikeAnOrigin = Finding{
	Field: "origins", Value: "*", Effect: Lost,
	Reason: "what only looks like an origin, and no browser sends, is answered like one",
	Fix:    "list the origins",
}

// upstreamURLs are those of the file, each once.
func (j *job) upstreamURLs() []*url.URL {
	var urls []*url.URL
	add := func(u *url.URL) {
		if u != nil && indexOf(urls, u) < 0 {
			urls = append(urls, u)
		}
	}
	add(j.file.Upstream)
	for _, r := range j.rules {
		add(r.upstream)
	}
	return urls
}

// checkUpstreams refuses hosts that would mean something in a configuration.
func (j *job) checkUpstreams() error {
	for _, u := range j.upstreamURLs() {
		if i := strings.IndexAny(u.Host, " \t!\"#$%&'()*+,;<=>?\\^`{|}~"); i >= 0 {
			return fmt.Errorf("upstream %.200q: a name in the DNS has no %q; write the host with letters, digits, dots and hyphens", u.String(), u.Host[i])
		}
	}
	return nil
}

// checkRoutes refuses what no configuration has in a line.
func (j *job) checkRoutes() error {
	for _, r := range j.file.Routes {
		plain, err := url.PathUnescape(r.Pattern)
		odd := func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }
		if err == nil && strings.ContainsFunc(plain, odd) {
			return fmt.Errorf(`route %q: servers differ in what they make of a control character, or of what is no UTF-8; write "{name}" for a segment that has one`, r.Pattern)
		}
	}
	return nil
}

func indexOf(urls []*url.URL, u *url.URL) int {
	if u == nil {
		return -1
	}
	return slices.IndexFunc(urls, func(other *url.URL) bool { return *other == *u })
}

// addressOf is the host and port of an upstream.
func addressOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "https":
		return u.Host + ":443"
	}
	return u.Host + ":80"
}
