package cors_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

// full is a policy that has something of everything.
var full = cors.Policy{
	Origins:        []string{app, "https://*.example.org", "https://*-preview.example.net", "http://localhost:*", "moz-extension://*"},
	Methods:        []string{"GET", "PUT", "patch"},
	RequestHeaders: []string{"Authorization", "X-A", "x-b"},
	ExposedHeaders: []string{"X-Request-Id", "X-Total"},
	Credentials:    true,
	MaxAge:         10 * time.Minute,
}

// open is a policy for everybody.
var open = cors.Policy{Origins: []string{"*"}, Methods: []string{"*"}, RequestHeaders: []string{"*"}, ExposedHeaders: []string{"*"}}

// h makes a header of names and values.
func h(fields ...string) http.Header {
	header := make(http.Header)
	for i := 0; i < len(fields); i += 2 {
		header[fields[i]] = append(header[fields[i]], fields[i+1])
	}
	return header
}

// preflight is a request for a method, with lines of names.
func preflight(origin, method string, lines ...string) *http.Request {
	r := request("OPTIONS", origin, "Access-Control-Request-Method", method)
	if len(lines) > 0 {
		r.Header["Access-Control-Request-Headers"] = lines
	}
	return r
}

func TestAnswers(t *testing.T) {
	const reached = 299 // the handler's own status
	refused := h("Vary", "Origin")
	actual := h("Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Allow-Credentials", "true", "Access-Control-Expose-Headers", "X-Request-Id, X-Total")
	allowed := func(more ...string) http.Header {
		return h(append(more, "Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Allow-Credentials", "true", "Access-Control-Max-Age", "600")...)
	}
	static := h("Access-Control-Allow-Origin", "*", "Access-Control-Expose-Headers", "*")
	names := func(lines ...string) http.Header {
		header := allowed("Access-Control-Allow-Methods", "PUT")
		header["Access-Control-Allow-Headers"] = lines
		return header
	}
	tests := []struct {
		row    string
		policy cors.Policy
		r      *http.Request
		status int
		want   http.Header
	}{
		{"a request without Origin is not CORS, but its response varies", full, request("GET", ""), reached, refused},
		{"an allowed origin is answered by name", full, request("GET", app), reached, actual},
		{"with any method, whatever Methods says", full, request("DELETE", app), reached, actual},
		{"another origin reaches the handler and gets nothing", full, request("GET", evil), reached, refused},
		{"so does the opaque origin", full, request("GET", "null"), reached, refused},
		{"and what is no origin", full, request("GET", app+"/"), reached, refused},
		{"and an empty Origin", full, with(request("GET", ""), "Origin", ""), reached, refused},
		{"and two origins on one line", full, request("GET", app+" "+app), reached, refused},
		{"and an origin twice", full, with(request("GET", app), "Origin", app), reached, refused},
		{"and an origin in upper case", full, request("GET", strings.ToUpper(app)), reached, refused},
		{"the zero policy says nothing", cors.Policy{}, request("GET", app), reached, h()},
		{"not even to what is not CORS", cors.Policy{}, request("GET", ""), reached, h()},
		{"and refuses preflights", cors.Policy{}, preflight(app, "GET"), 403, h()},

		{"a preflight for a safelisted method names none", full, preflight(app, "POST"), 204, allowed()},
		{"a preflight names the one method", full, preflight(app, "PUT"), 204, allowed("Access-Control-Allow-Methods", "PUT")},
		{"a method has the case that the policy gives it", full, preflight(app, "patch"), 204, allowed("Access-Control-Allow-Methods", "patch")},
		{"and no other", full, preflight(app, "PATCH"), 403, refused},
		{"a method that is not listed is refused", full, preflight(app, "DELETE"), 403, refused},
		{"a forbidden method is not special", full, preflight(app, "TRACE"), 403, refused},
		{"a preflight of another origin is refused", full, preflight(evil, "GET"), 403, refused},
		{"an empty method is refused", full, preflight(app, ""), 403, refused},
		{"two methods are refused", full, with(preflight(app, "GET"), "Access-Control-Request-Method", "GET"), 403, refused},
		{"a method that is no token is refused", full, preflight(app, "GET, PUT"), 403, refused},
		{"OPTIONS without a method asked for is no preflight", full, request("OPTIONS", app), reached, actual},
		{"OPTIONS without an origin is no preflight", full, request("OPTIONS", "", "Access-Control-Request-Method", "PUT"), reached, refused},
		{"GET with a method asked for is no preflight", full, request("GET", app, "Access-Control-Request-Method", "PUT"), reached, actual},

		{"the names asked for are allowed, no others", full, preflight(app, "PUT", "authorization,x-a"), 204, names("authorization,x-a")},
		{"in any case and order, with spaces", full, preflight(app, "PUT", "X-B ,\tX-a"), 204, names("X-B ,\tX-a")},
		{"with duplicates and empty elements", full, preflight(app, "PUT", ",x-a,, x-a,"), 204, names(",x-a,, x-a,")},
		{"over many lines", full, preflight(app, "PUT", "x-a", "", "x-b,authorization"), 204, names("x-a", "", "x-b,authorization")},
		{"an empty list is none", full, preflight(app, "PUT", ""), 204, allowed("Access-Control-Allow-Methods", "PUT")},
		{"nor is one of empty elements", full, preflight(app, "PUT", " ,\t,"), 204, allowed("Access-Control-Allow-Methods", "PUT")},
		{"one name that is not listed refuses all", full, preflight(app, "PUT", "x-a,x-c"), 403, refused},
		{"on any line", full, preflight(app, "PUT", "x-a", "x-c"), 403, refused},
		{"a safelisted name is asked for because its value is not", full, preflight(app, "PUT", "content-type"), 403, refused},
		{"a name with a space is none", full, preflight(app, "PUT", "x-a x-b"), 403, refused},
		{"a name with a quote is none", full, preflight(app, "PUT", `"x-a"`), 403, refused},
		{"16 KiB of names are answered", full, preflight(app, "PUT", strings.Repeat("x-a,", 4096)), 204, names(strings.Repeat("x-a,", 4096))},
		{"one byte more is refused", full, preflight(app, "PUT", strings.Repeat("x-a,", 4096), ","), 403, refused},
		{"256 lines are answered", full, preflight(app, "PUT", repeat("x-a", 256)...), 204, names(repeat("x-a", 256)...)},
		{"one line more is refused", full, preflight(app, "PUT", repeat("x-a", 257)...), 403, refused},

		{"for everybody there is a static star and no Vary", open, request("GET", evil), reached, static},
		{"also for what is not CORS", open, request("GET", ""), reached, static},
		{"and for what is no origin", open, request("GET", "x"), reached, static},
		{"and for the opaque origin", open, request("GET", "null"), reached, static},
		{"any method is named", open, preflight(evil, "PUT"), 204, h("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Methods", "PUT")},
		{"any name is named", open, preflight(evil, "GET", "x-a"), 204, h("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "x-a")},
		{"but not Authorization", open, preflight(evil, "GET", "authorization"), 403, h()},
		{"in whatever case", open, preflight(evil, "GET", "x-a,Authorization"), 403, h()},
		{"unless it is listed", cors.Policy{Origins: []string{"*"}, RequestHeaders: []string{"*", "authorization"}}, preflight(evil, "GET", "Authorization,x"), 204,
			h("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "Authorization,x")},
		{"any origin with credentials is answered by name", cors.Policy{Origins: []string{"*"}, Credentials: true, InsecureReflectAnyOrigin: true}, request("GET", evil), reached,
			h("Vary", "Origin", "Access-Control-Allow-Origin", evil, "Access-Control-Allow-Credentials", "true")},
		{"though not what is none", cors.Policy{Origins: []string{"*"}, Credentials: true, InsecureReflectAnyOrigin: true}, request("GET", "x"), reached, refused},

		{"a subdomain", full, request("GET", "https://a.b.example.org"), reached, like(actual, "https://a.b.example.org")},
		{"not the domain itself", full, request("GET", "https://example.org"), reached, refused},
		{"nor one that ends like it", full, request("GET", "https://evilexample.org"), reached, refused},
		{"a wildcard within a label", full, request("GET", "https://7-preview.example.net"), reached, like(actual, "https://7-preview.example.net")},
		{"does not cross a dot", full, request("GET", "https://evil.7-preview.example.net"), reached, refused},
		{"any port", full, request("GET", "http://localhost:3000"), reached, like(actual, "http://localhost:3000")},
		{"any host of a scheme", full, request("GET", "moz-extension://12-34"), reached, like(actual, "moz-extension://12-34")},
		{"the opaque origin where the policy insists", cors.Policy{Origins: []string{"null"}, InsecureAllowNull: true}, request("GET", "null"), reached,
			h("Vary", "Origin", "Access-Control-Allow-Origin", "null")},

		{"a status for success", cors.Policy{Origins: []string{app}, PreflightStatus: 200}, preflight(app, "GET"), 200, h("Vary", "Origin", "Access-Control-Allow-Origin", app)},
		{"a status for refusal", cors.Policy{Origins: []string{app}, RefusedStatus: 204}, preflight(evil, "GET"), 204, refused},
		{"a negative age is zero", cors.Policy{Origins: []string{app}, MaxAge: -1}, preflight(app, "GET"), 204, h("Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Max-Age", "0")},
		{"a private network is not opened", full, with(preflight(app, "GET"), "Access-Control-Request-Private-Network", "true"), 204, allowed()},
		{"unless the policy says so", cors.Policy{Origins: []string{app}, PrivateNetwork: true}, with(preflight(app, "GET"), "Access-Control-Request-Private-Network", "true"), 204,
			h("Vary", "Origin", "Access-Control-Allow-Origin", app, "Access-Control-Allow-Private-Network", "true")},
		{"nor then where it is not asked", cors.Policy{Origins: []string{app}, PrivateNetwork: true}, preflight(app, "GET"), 204, h("Vary", "Origin", "Access-Control-Allow-Origin", app)},
		{"nor by another value", cors.Policy{Origins: []string{app}, PrivateNetwork: true}, with(preflight(app, "GET"), "Access-Control-Request-Private-Network", "1"), 204,
			h("Vary", "Origin", "Access-Control-Allow-Origin", app)},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			handler := must(cors.New(tt.policy)).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(reached) }))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, tt.r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if diff := cmp.Diff(tt.want, w.Header()); diff != "" {
				t.Errorf("headers: -want +got:\n%s", diff)
			}
		})
	}
}

// with adds a line to the header of r.
func with(r *http.Request, name, value string) *http.Request {
	r.Header[name] = append(r.Header[name], value)
	return r
}

// like is header for another origin.
func like(header http.Header, origin string) http.Header {
	header = header.Clone()
	header.Set("Access-Control-Allow-Origin", origin)
	return header
}

func repeat(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func TestDecisionsSayWhy(t *testing.T) {
	failed := errors.New("no connection")
	sourced := cors.Policy{Credentials: true, OriginSource: func(_ context.Context, o origin.Origin) (bool, error) {
		switch o.Host() {
		case "down.example":
			return false, failed
		case "tenant.example", "localhost":
			return true, nil
		}
		return false, nil
	}}
	plain := sourced
	plain.InsecureAllowHTTP = true
	long := strings.Repeat("x", 1000)
	tests := []struct {
		row    string
		policy cors.Policy
		r      *http.Request
		want   cors.Decision
	}{
		{"not CORS", full, request("GET", ""), cors.Decision{}},
		{"allowed", full, request("GET", app), cors.Decision{Kind: cors.Actual, Allowed: true, Origin: app}},
		{"a preflight allowed", full, preflight(app, "PUT", "x-a"), cors.Decision{Kind: cors.Preflight, Allowed: true, Origin: app}},
		{"switched off", cors.Policy{}, request("GET", app), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOff, Origin: app}},
		{"not an origin", full, request("GET", "app.example.com"), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOriginSyntax, Origin: "app.example.com"}},
		{"longer than any origin", full, request("GET", "https://"+long), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOriginSyntax}},
		{"two origins", full, with(request("GET", app), "Origin", app), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOriginSyntax}},
		{"another origin", full, request("GET", evil), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOrigin, Origin: evil}},
		{"a method", full, preflight(app, "DELETE"), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonMethod, Name: "DELETE", Origin: app}},
		{"not a method", full, preflight(app, "PUT "), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestMethodSyntax, Origin: app}},
		{"longer than any method", full, preflight(app, long), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestMethodSyntax, Origin: app}},
		{"a name, as it was asked for", full, preflight(app, "PUT", "x-a, X-C"), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestHeader, Name: "X-C", Origin: app}},
		{"the beginning of a long name", full, preflight(app, "PUT", long), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestHeader, Name: long[:256], Origin: app}},
		{"not a name", full, preflight(app, "PUT", "x-a,(x)"), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestHeadersSyntax, Origin: app}},
		{"too many names", full, preflight(app, "PUT", strings.Repeat(",", 20000)), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonRequestHeadersLength, Origin: app}},
		{"a source that allows", sourced, request("GET", "https://tenant.example"), cors.Decision{Kind: cors.Actual, Allowed: true, Origin: "https://tenant.example"}},
		{"a source that does not", sourced, request("GET", evil), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOrigin, Origin: evil}},
		{"a source that fails", sourced, preflight("https://down.example", "GET"), cors.Decision{Kind: cors.Preflight, Reason: cors.ReasonOriginSource, Origin: "https://down.example", Err: failed}},
		{"a source is not asked about the opaque origin", sourced, request("GET", "null"), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOrigin, Origin: "null"}},
		{"nor, with credentials, about http", sourced, request("GET", "http://tenant.example"), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOrigin, Origin: "http://tenant.example"}},
		{"unless on this machine", sourced, request("GET", "http://localhost"), cors.Decision{Kind: cors.Actual, Allowed: true, Origin: "http://localhost"}},
		{"or where the policy insists", plain, request("GET", "http://tenant.example"), cors.Decision{Kind: cors.Actual, Allowed: true, Origin: "http://tenant.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got := must(cors.New(tt.policy)).DecideHTTP(tt.r)
			opt := cmp.FilterPath(func(p cmp.Path) bool {
				name := p.Last().String()
				return strings.HasPrefix(name, ".") && name[1] >= 'a'
			}, cmp.Ignore())
			if diff := cmp.Diff(tt.want, got, opt, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReasonsAndKindsAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for r := cors.ReasonNone; r <= cors.ReasonRequestHeader; r++ {
		if name := r.String(); name == "" || name == "unknown" || seen[name] {
			t.Errorf("Reason(%d) is named %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if got := cors.Reason(200).String() + cors.Kind(200).String(); got != "unknownunknown" {
		t.Errorf("what is none is named %q", got)
	}
}

func TestFieldsAreWhatApplyWrites(t *testing.T) {
	for _, p := range []cors.Policy{{}, full, open, {Origins: []string{app}, PrivateNetwork: true}} {
		m := must(cors.New(p))
		for _, r := range []*http.Request{
			request("GET", ""), request("GET", app), request("GET", evil), preflight(evil, "PUT"),
			preflight(app, "PUT", "x-a", "x-b"), preflight(app, "GET"), preflight(app, "NO"),
			with(preflight(app, "GET"), "Access-Control-Request-Private-Network", "true"),
		} {
			d := m.Decide(context.Background(), cors.RequestOf(r))
			written, yielded := h(), h()
			d.Apply(written)
			n := 0
			for name, value := range d.Fields() {
				yielded.Add(name, value)
				n++
			}
			if diff := cmp.Diff(written, yielded); diff != "" {
				t.Errorf("%v: -Apply +Fields:\n%s", r.Header, diff)
			}
			for stop := range n {
				for range d.Fields() {
					if stop--; stop < 0 {
						break
					}
				}
			}
		}
	}
}

func TestVaryIsAddedTo(t *testing.T) {
	tests := []struct {
		row          string
		before, want []string
	}{
		{"nothing", nil, []string{"Origin"}},
		{"another name", []string{"Accept"}, []string{"Accept", "Origin"}},
		{"a name that ends like it", []string{"X-Origin"}, []string{"X-Origin", "Origin"}},
		{"it is there", []string{"Accept, origin"}, []string{"Accept, origin"}},
		{"on another line", []string{"Accept", "Origin,Cookie"}, []string{"Accept", "Origin,Cookie"}},
		{"a star is everything", []string{"*"}, []string{"*"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			header := http.Header{}
			if tt.before != nil {
				header["Vary"] = tt.before
			}
			must(cors.New(full)).Decide(context.Background(), cors.Request{}).Apply(header)
			if diff := cmp.Diff(tt.want, header["Vary"]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTheZeroValuesAllowNothing(t *testing.T) {
	var m cors.Middleware
	var rs cors.Routes
	for name, handler := range map[string]http.Handler{"Middleware": m.Wrap(http.NotFoundHandler()), "Routes": rs.Wrap(http.NotFoundHandler())} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, preflight(app, "GET"))
		if w.Code != 403 || len(w.Header()) != 0 {
			t.Errorf("%s: status %d with %v, want 403 with nothing", name, w.Code, w.Header())
		}
	}
	if p := m.Policy(); p.Origins != nil {
		t.Errorf("Policy() = %+v, want the zero one", p)
	}
	var d cors.Decision
	header := h()
	d.Apply(header)
	for range d.Fields() {
		t.Error("the zero Decision has fields")
	}
	if d.Status() != 403 || len(header) != 0 {
		t.Errorf("the zero Decision: status %d and %v, want 403 and nothing", d.Status(), header)
	}
}

// A handler, or a middleware further out, may write into the values that it
// finds. That must reach neither the policy nor another response.
func TestNoValueIsShared(t *testing.T) {
	requests := func() []*http.Request {
		return []*http.Request{
			request("GET", ""), request("GET", app), request("GET", evil), preflight(app, "PUT", "x-a", "x-b"), preflight(app, "DELETE"),
			with(preflight(app, "GET"), "Access-Control-Request-Private-Network", "true"),
		}
	}
	full := full
	full.PrivateNetwork = true
	for _, p := range []cors.Policy{full, open} {
		handler := must(cors.New(p)).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		answers := func() (all []http.Header) {
			for _, r := range requests() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				all = append(all, w.Header())
			}
			return all
		}
		want := answers()
		var seen []http.Header
		for range 100 {
			got := answers()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("after others were written into: -want +got:\n%s", diff)
			}
			seen = append(seen, got...)
			for _, header := range got {
				for name, values := range header {
					for i := range values {
						values[i] = "written into"
					}
					header[name] = append(values, "appended")
				}
			}
		}
		for _, header := range seen {
			for name, values := range header {
				if values[0] != "written into" || values[len(values)-1] != "appended" {
					t.Fatalf("%s is %q: another response wrote into it", name, values)
				}
			}
		}
	}
}

func TestThePolicyIsNobodyElses(t *testing.T) {
	given := cors.Policy{Origins: []string{app}, Methods: []string{"PUT"}, RequestHeaders: []string{"X-A"}, ExposedHeaders: []string{"X-B"}}
	m := must(cors.New(given))
	got := m.Policy()
	for _, p := range []cors.Policy{given, got} {
		p.Origins[0], p.Methods[0], p.RequestHeaders[0], p.ExposedHeaders[0] = evil, "DELETE", "X-C", "X-D"
	}
	want := cors.Policy{Origins: []string{app}, Methods: []string{"PUT"}, RequestHeaders: []string{"X-A"}, ExposedHeaders: []string{"X-B"}}
	if diff := cmp.Diff(want, m.Policy(), cmp.Comparer(func(a, b cors.OriginSource) bool { return a == nil && b == nil })); diff != "" {
		t.Errorf("Policy(): -want +got:\n%s", diff)
	}
	if !m.DecideHTTP(preflight(app, "PUT", "x-a")).Allowed {
		t.Error("the verdict changed with the slices that were given or taken")
	}
}

func TestPolicyReturnsOriginsInTheirOrder(t *testing.T) {
	for _, origins := range [][]string{
		nil,
		{"https://b.example", "https://a.example"},
		{"https://*.b.example", "https://c.example", "http://localhost:*", "https://a.example"},
		{"https://c.example", "https://a.example", "https://*.b.example"},
		{"http://c.example:8080", "tauri://localhost", "https://a.example", "moz-extension://*", "null", "https://d.example"},
	} {
		got := must(cors.New(cors.Policy{Origins: origins, InsecureAllowNull: true})).Policy().Origins
		if diff := cmp.Diff(origins, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestTheObserverIsTold(t *testing.T) {
	m := must(cors.New(full))
	var told []cors.Decision
	handler := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if len(told) == 0 {
			t.Error("the handler was called before the observer")
		}
		io.WriteString(w, "x")
	}))
	m.Observe(func(r *http.Request, d cors.Decision) { told = append(told, d) })
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", app))
	handler.ServeHTTP(httptest.NewRecorder(), preflight(app, "DELETE"))
	m.DecideHTTP(request("GET", ""))
	m.Decide(context.Background(), cors.Request{})
	m.Observe(nil)
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", app))
	if len(told) != 3 || !told[0].Allowed || told[1].Name != "DELETE" || told[2].Kind != cors.NotCORS {
		t.Errorf("the observer was told %+v", told)
	}
}

// nobody is a source that knows no origin.
func nobody(context.Context, origin.Origin) (bool, error) { return false, nil }
