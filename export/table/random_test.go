package table

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// Random policies in each engine that is installed: 50 requests to each, and the
// decision core asked the same. CORS_TEST_POLICIES says how many policies there
// are, CORS_TEST_SEED which, and CORS_TEST_RELOAD=1 has one process of each engine
// reload for each policy, instead of a new one start.
func TestRandomPolicies(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Target, func(t *testing.T) {
			t.Parallel()
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			subject, end := e.Start, func() {}
			if fromEnvironment(t, "CORS_TEST_RELOAD", 0) == 1 {
				subject, end = e.Reloading(t.TempDir())
			}
			defer end()
			askRandomPolicies(t, subject)
		})
	}
	t.Run("workers", func(t *testing.T) {
		t.Parallel()
		program, err := InstallWorkerd()
		if err != nil {
			t.Skip(err)
		}
		askRandomPolicies(t, Workerd(program))
	})
}

func askRandomPolicies(t *testing.T, subject Subject) {
	policies, seed := fromEnvironment(t, "CORS_TEST_POLICIES", 12), fromEnvironment(t, "CORS_TEST_SEED", 1)
	dir := t.TempDir()
	all := new(Report)
	for i := range policies {
		own := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(own, 0o777); err != nil {
			t.Fatal(err)
		}
		report, file := askAtRandom(t, own, subject, &random{rand.New(rand.NewPCG(uint64(seed), uint64(i)))})
		for _, o := range report.Wrong() {
			t.Errorf("policy %d: %s: %s\n%s", i, o.Row.Request.Host, o, inWords(file))
		}
		if len(all.Wrong()) > 5 {
			t.Fatal("and so on")
		}
		all.Outcomes = append(all.Outcomes, report.Outcomes...)
		os.RemoveAll(own)
	}
	t.Logf("%d policies, %d requests: %d answers right, %d as announced, %d wrong", policies, len(all.Outcomes), all.Right(), len(all.Announced()), len(all.Wrong()))
}

func fromEnvironment(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q: write a number, such as 1000", name, text)
	}
	return n
}

// askAtRandom has subject keep a random policy, and asks it at random.
func askAtRandom(t *testing.T, dir string, subject Subject, r *random) (*Report, *policyfile.File) {
	t.Helper()
	var rows []Row
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { answering(rows).ServeHTTP(w, q) }))
	defer upstream.Close()
	file := r.file(upstream.URL)
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		row := r.row(file)
		row.Route, row.Want = want(file, routes, row)
		switch {
		case row.Want.Status == http.StatusNotModified:
			row.About = append(row.About, "304")
		case row.Want.Status == http.StatusBadGateway:
			row.About = append(row.About, "upstream-headers")
		case row.Request.Method == http.MethodOptions && row.Want.Status/100 == 2:
			row.About = append(row.About, "preflight-status")
		}
		rows = append(rows, row)
	}
	report := new(Report)
	if err := report.ask(subject, dir, file, rows, ""); err != nil {
		t.Fatalf("%v\n%s", err, inWords(file))
	}
	for i, o := range report.Outcomes {
		report.Outcomes[i].Wrong = append(o.Wrong, tooMuch(routes, o)...)
	}
	return report, file
}

// tooMuch returns what the answer to a preflight allows by name and the policy
// does not: an engine may name more than was asked for.
func tooMuch(routes *cors.Routes, o Outcome) (wrong []string) {
	q := o.Row.Request
	if q.Method != http.MethodOptions || len(q.lines(header.AccessControlRequestMethod)) == 0 || len(o.Row.Want.Header[header.AccessControlAllowOrigin]) == 0 || o.Row.Want.Status/100 != 2 {
		return nil
	}
	allows := func(method string, names ...string) bool {
		return routes.Decide(context.Background(), q.Host, q.Path, cors.Request{Method: q.Method, Origin: q.lines(header.Origin),
			AccessControlRequestMethod: []string{method}, AccessControlRequestHeaders: names}).Allowed
	}
	wanted := o.Row.Want.Header // in shadow the upstream's
	same := func(s string) string { return s }
	for _, method := range elements(o.Got.Header[header.AccessControlAllowMethods], same) {
		if !allows(method) && !slices.Contains(elements(wanted[header.AccessControlAllowMethods], same), method) {
			wrong = append(wrong, fmt.Sprintf("the method %q is allowed", method))
		}
	}
	for _, name := range elements(o.Got.Header[header.AccessControlAllowHeaders], header.Lower) {
		if !allows("GET", name) && !slices.Contains(elements(wanted[header.AccessControlAllowHeaders], header.Lower), name) {
			wrong = append(wrong, fmt.Sprintf("the name %q is allowed", name))
		}
	}
	return wrong
}

// An origin may look like a variable of an engine, and is only ever said again.
func TestAnOriginIsNoVariable(t *testing.T) {
	upstream := httptest.NewServer(answering(nil))
	defer upstream.Close()
	to, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := &policyfile.File{Upstream: to, Routes: []policyfile.Route{{Pattern: "/", Upstream: to, Policy: cors.Policy{Origins: []string{"https://*.example.com"}}}}}
	for _, e := range Engines {
		t.Run(e.Target, func(t *testing.T) {
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			server, err := e.Start(t.TempDir(), file)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			for _, label := range []string{"{http.request.host}", "{system.hostname}", "$host", "${host}", "$1", "{", "}", "'", "`"} {
				origin := "https://" + label + ".example.com"
				got, err := send(server.URL, get(origin).of("service.example").at("/x"), 0)
				if err != nil {
					t.Fatal(err)
				}
				if allow := got.Header[header.AccessControlAllowOrigin]; !slices.Equal(allow, []string{origin}) {
					t.Errorf("%s gets Access-Control-Allow-Origin: %q", origin, allow)
				}
			}
		})
	}
}

// A list of origins may be long: each engine has limits of its own for a line, for
// the words in it, or for a table.
func TestManyOrigins(t *testing.T) {
	upstream := httptest.NewServer(answering(nil))
	defer upstream.Close()
	to, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	route := policyfile.Route{Pattern: "/", Upstream: to}
	for i := range 5000 {
		route.Policy.Origins = append(route.Policy.Origins, fmt.Sprintf("https://customer-%d.app.example.com", i))
	}
	file := &policyfile.File{Upstream: to, Routes: []policyfile.Route{route}}
	for _, e := range Engines {
		t.Run(e.Target, func(t *testing.T) {
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			server, err := e.Start(t.TempDir(), file)
			if err != nil {
				t.Fatalf("%.2000s", err.Error())
			}
			defer server.Close()
			for origin, want := range map[string]bool{
				"https://customer-0.app.example.com": true, "https://customer-4999.app.example.com": true,
				"https://customer-5000.app.example.com": false, "https://customer-1.app.example.com.evil.example": false, "https://CUSTOMER-1.app.example.com": false,
			} {
				got, err := send(server.URL, get(origin).of("service.example").at("/x"), 0)
				if err != nil {
					t.Fatal(err)
				}
				if allowed := slices.Equal(got.Header[header.AccessControlAllowOrigin], []string{origin}); allowed != want {
					t.Errorf("%s is allowed: %t, want %t", origin, allowed, want)
				}
			}
		})
	}
}

func inWords(file *policyfile.File) string {
	var b strings.Builder
	for _, r := range file.Routes {
		p := r.Policy
		fmt.Fprintf(&b, "%s: %s, shadow %t, to %s: origins %q, methods %q, names %q, credentials %t\n",
			r.Pattern, r.UpstreamHeaders, r.Shadow, r.Upstream, p.Origins, p.Methods, p.RequestHeaders, p.Credentials)
	}
	return b.String()
}

// random makes policies and requests.
type random struct{ *rand.Rand }

func (r *random) one(list ...string) string { return list[r.IntN(len(list))] }

func (r *random) some(n int, list ...string) []string {
	var out []string
	for range r.IntN(n + 1) {
		if s := r.one(list...); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (r *random) chance(percent int) bool { return r.IntN(100) < percent }

var (
	randomPatterns = []string{
		"https://app.example.com", "https://admin.example.com:8443", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080", "https://xn--bcher-kva.example",
		"https://*.example.com", "https://*.a.example.com:8443", "https://*-preview.example.com", "https://app-*.example.com", "https://app-*-x.example.com",
		"http://localhost:*", "https://example.com:*", "https://*.dev.example.com:*", "http://*.localhost:*", "chrome-extension://abcdefghijklmnop", "moz-extension://*", "tauri://localhost",
		"capacitor://localhost", "file://", "https://my_host.example.com", "https://sub.example.com", "https://EXAMPLE",
	}
	randomMethods  = []string{"PUT", "DELETE", "PATCH", "OPTIONS", "REPORT", "put", "X-'Y", "-M", "a.b"}
	randomNames    = []string{"Authorization", "Content-Type", "X-Token", "x-'odd`$name", "X.Dot", "Range", "If-Match", "X+Plus", "X|Bar", "X^Hat", "X-100%", "X#Hash"}
	randomPaths    = []string{"/", "/api/", "/api/admin/", "/api/{id}", "/users/{id}/avatar", "/users/{id}/", "/files/{path...}", "/x/{$}", "/metrics", "/a b/", "/caf\u00e9", "api.example.com/", "api.example.com/api/", "api.example.com/x", "/x", "/.well-known/x", "/A/", "/~u/"}
	randomRequests = []string{"/", "/api", "/api/", "/api/x", "/api/admin", "/api/admin/", "/api/admin/x", "/api/42", "/users/7/avatar", "/users/7/avatar/", "/users/7", "/users/7/", "/users/", "/users",
		"/files", "/files/", "/files/a/b", "/x", "/x/", "/x/y", "/metrics", "/metrics/", "/metricsx", "/a%20b/", "/a%20b/c", "/a%20b", "/caf%C3%A9", "/.well-known/x", "/A/x", "/a/x", "/~u/", "/%7Eu/", "/apix",
		"/api/a%20b", "/api/a%40b", "/api/%61dmin/x", "/api//admin/x", "/api/../metrics", "/api/%2e%2e/metrics", "/api/admin%2Fx", "/api/a%2Fb", "/api/%61%2Fx", "/%61pi/x%2Fy", "/users/a%2Fb/avatar", "/api%2F", "/x%2fy", "/api/a%2Fb%20c", "/api/a/%2Fb", "/api/a%2F..", "/api/x;y", "/api/x/./y", "/api/x%5Cy", "/api/x?y=/../z", "/api/x?a=%2F", "/api?x", "/?", "/api/%0Ax", "/metrics%0A", "/api/%25", "/API/x", "/api/a+b", "/api/'a'", "/api/a%27b"}
)

// file is a random cors.yaml that package cors takes.
func (r *random) file(upstream string) *policyfile.File {
	up, _ := url.Parse(upstream)
	down, _ := url.Parse("http://127.0.0.1:" + closedPort)
	for {
		file := &policyfile.File{Upstream: up}
		patterns := []string{"/"}
		if r.chance(60) {
			patterns = r.some(5, randomPaths...)
		}
		for _, p := range patterns {
			p = strings.ReplaceAll(p, " ", "%20")
			route := policyfile.Route{Pattern: p, Upstream: up}
			if !r.chance(10) {
				route.Policy = r.policy()
			}
			if r.chance(20) {
				route.UpstreamHeaders = edge.Mode(r.IntN(3))
			}
			route.Shadow = r.chance(5)
			if r.chance(20) {
				route.Upstream = down
			}
			file.Routes = append(file.Routes, route)
		}
		if _, err := cors.NewRoutes(file.Policies()); err == nil && len(file.Routes) > 0 {
			return file
		}
	}
}

func (r *random) policy() cors.Policy {
	p := cors.Policy{Credentials: r.chance(50), InsecureAllowHTTP: true, InsecureAllowPublicSuffix: r.chance(50), PrivateNetwork: r.chance(20)}
	switch {
	case r.chance(15):
		p.Origins, p.InsecureReflectAnyOrigin = []string{"*"}, true
	default:
		p.Origins = r.some(5, randomPatterns...)
		if r.chance(10) {
			p.Origins, p.InsecureAllowNull = append(p.Origins, "null"), true
		}
	}
	p.Methods, p.RequestHeaders, p.ExposedHeaders = r.some(3, randomMethods...), r.some(4, randomNames...), r.some(3, randomNames...)
	if r.chance(15) {
		p.Methods = append(p.Methods, "*")
	}
	if r.chance(20) {
		p.RequestHeaders = append(p.RequestHeaders, "*")
	}
	if r.chance(10) && !p.Credentials {
		p.ExposedHeaders = append(p.ExposedHeaders, "*")
	}
	p.MaxAge = []time.Duration{0, -1, time.Second, 10 * time.Minute}[r.IntN(4)]
	p.PreflightStatus = []int{0, 0, 200, 204, 299}[r.IntN(5)]
	p.RefusedStatus = []int{0, 0, 200, 204, 403}[r.IntN(5)]
	return p
}

// row is a request, and what the upstream says to it.
func (r *random) row(file *policyfile.File) Row {
	row := Row{Name: "at random", Request: Request{
		Method: r.one("GET", "GET", "POST", "PUT", "DELETE", "OPTIONS", "OPTIONS", "OPTIONS", "OPTIONS"),
		Host:   r.one("example.net", "api.example.com", "api.example.com:8080", "API.example.com", "x.api.example.com", "api.example.com."),
		Path:   r.one(randomRequests...),
	}}
	said := speaking("https://app.example.com")
	row.Answer = said[r.one(sortedKeys(said)...)]
	q := &row.Request
	route := file.Routes[r.IntN(len(file.Routes))]
	if host, path, _ := strings.Cut(route.Pattern, "/"); r.chance(30) && !strings.Contains(path, "{") {
		q.Path = strings.ReplaceAll("/"+path, "é", "%C3%A9")
		if host != "" {
			q.Host = host
		}
	}
	p := route.Policy
	add := func(name string, values ...string) {
		for _, v := range values {
			q.Header = append(q.Header, header.Field{Name: name, Value: v})
		}
		if len(values) > 1 || values[0] == "" || name == header.Origin && strings.Contains(values[0], ",") {
			row.About = append(row.About, "lines")
		}
	}
	if strings.ContainsAny(q.Path, `%;\`) || strings.Contains(q.Path, "//") || strings.Contains(q.Path, "/.") {
		row.About = append(row.About, "paths")
	}
	switch {
	case r.chance(8):
	case r.chance(3):
		add(header.Origin, r.origin(p), r.origin(p))
	default:
		add(header.Origin, r.origin(p))
	}
	if q.Method != http.MethodOptions || r.chance(10) {
		return row
	}
	method := r.one("GET", "POST", "HEAD", "PUT", "DELETE", "put", "Put", "REPORT", "PATCH", "A B", "X-'Y", "-M", "a.b", "aXb", "OPTIONS", "get", strings.Repeat("M", 64), strings.Repeat("M", 65))
	if len(p.Methods) > 0 && r.chance(50) {
		method = strings.ReplaceAll(r.one(p.Methods...), "*", "GET")
	}
	if r.chance(2) {
		add(header.AccessControlRequestMethod, method, "PUT")
	} else {
		add(header.AccessControlRequestMethod, method)
	}
	switch {
	case r.chance(40):
	case r.chance(3):
		add(header.AccessControlRequestHeaders, r.names(p), r.names(p))
	default:
		add(header.AccessControlRequestHeaders, r.names(p))
	}
	if r.chance(20) {
		add(header.AccessControlRequestPrivateNetwork, r.one("true", "true", "false", "TRUE", ""))
	}
	return row
}

// origin is one that p allows, or nearly.
func (r *random) origin(p cors.Policy) string {
	s := "https://app.example.com"
	if len(p.Origins) > 0 {
		s = r.one(p.Origins...)
	} else if r.chance(50) {
		s = r.one(randomPatterns...)
	}
	switch {
	case s == "*":
		s = r.one("https://anybody.example", "null", "https://a.b:8080", "moz-extension://x", "http://[::1]", "https://user@a.b", "https://a.b/", "a.b", "https://a.b:99999", "https://")
	case strings.HasSuffix(s, ":*"):
		s = strings.TrimSuffix(s, ":*") + r.one("", ":1", ":80", ":443", ":3000", ":65535", ":65536", ":0", ":080", ":", ":x", ":99999")
	}
	s = strings.Replace(s, "*", r.one("a", "a.b", "a-b", "", "A", "x_y", "x'y", "a..b", ".a", "-", "évil", "a b", "1", strings.Repeat("l", 63), strings.Repeat("l", 64), "evil.com/", "a$b"), 1)
	switch r.IntN(20) {
	case 0:
		s += r.one("/", ".", ".evil.example", ":443", ":80", ":8443", " ", ",", "x", "\\", "#", "\t")
	case 1:
		s = r.one("x", " ", "http://", "null") + s
	case 2:
		s = strings.ToUpper(s)
	case 3:
		s = strings.Replace(s, "https://", "http://", 1)
	case 4:
		s = strings.Replace(s, ".", r.one("x", "", "-", "%2e"), 1)
	case 5:
		s = strings.Replace(s, "example", "evil", 1)
	case 6:
		s = r.one("null", "*", "https://evil.example", "https://app.example.com, https://evil.example", "NULL", "about:blank", "ws://app.example.com")
	}
	return cmp.Or(strings.TrimSpace(s), "x") // the table asks with empty lines
}

// names are those that p allows, or nearly.
func (r *random) names(p cors.Policy) string {
	list := slices.Clone(p.RequestHeaders)
	if len(list) == 0 || r.chance(20) {
		list = append(list, r.one("authorization", "x-other", "content-type", "bad name", "x-tokenx", "", "(", `"a,b"`, "xx-token", "*"))
	}
	var out []string
	for range r.IntN(4) {
		n := r.one(list...)
		if n == "*" && r.chance(90) {
			n = "x-any"
		}
		if r.chance(70) {
			n = header.Lower(n)
		}
		out = append(out, n)
	}
	return strings.TrimSpace(strings.Join(out, r.one(",", ",", ", ", " ,\t", ",,")))
}
