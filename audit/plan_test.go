package audit_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

var small = cors.Policy{Origins: []string{"https://app.example.com"}, Methods: []string{"PUT"}}

func TestAPlanThatCannotBeIsRefused(t *testing.T) {
	routes := map[string]cors.Policy{"/api/": small, "/": {}}
	tests := []struct {
		row      string
		policies map[string]cors.Policy
		target   audit.Target
		want     string
	}{
		{"a policy is refused", map[string]cors.Policy{"/": {Origins: []string{"https://a.example/"}}}, audit.Target{URL: "https://a.example"},
			`policy: route "/": Origins[0]: "https://a.example/": an origin has no path; write "https://a.example"`},
		{"no scheme", routes, audit.Target{URL: "staging.example.com"}, `audit: "staging.example.com" is no server; write it as "https://staging.example.com"`},
		{"another scheme", routes, audit.Target{URL: "ftp://staging.example.com"}, `audit: "ftp://staging.example.com" is no server; write it as "https://staging.example.com"`},
		{"a path", routes, audit.Target{URL: "https://a.example/api/"},
			`audit: "https://a.example/api/" is more than a server, and the paths are those of the policy; write "https://a.example"`},
		{"a path for a route that is not there", routes, audit.Target{URL: "https://a.example", Paths: map[string][]string{"/v2/": {"/v2/"}}},
			`audit: there is no route "/v2/" to ask about at ["/v2/"]; the policy has ["/" "/api/"]`},
		{"a path of another route", routes, audit.Target{URL: "https://a.example", Paths: map[string][]string{"/api/": {"/health"}}},
			`audit: path "/health" is not of the route "/api/"; give one that is`},
		{"more routes than the budget is for", routes, audit.Target{URL: "https://a.example", MaxRequests: 10},
			`audit: 2 routes take 22 requests at least, and MaxRequests is 10; raise it`},
		{"a path without a slash", routes, audit.Target{URL: "https://a.example", Paths: map[string][]string{"/api/": {"api/health"}}},
			`audit: path "api/health" of route "/api/" does not begin with a slash; write "/api/health"`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if _, err := audit.NewPlan(tt.policies, tt.target); err == nil || err.Error() != tt.want {
				t.Errorf("NewPlan: %v, want %s", err, tt.want)
			}
		})
	}
}

// asked is the requests that a server got.
type asked struct {
	mu       sync.Mutex
	requests []*http.Request
}

func (a *asked) before(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.requests = append(a.requests, r.Clone(r.Context()))
		a.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// each returns what f says of the requests, sorted and once each.
func (a *asked) each(f func(*http.Request) string) []string {
	var all []string
	for _, r := range a.requests {
		if s := f(r); s != "" {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestPatternsAreAskedAboutAtPathsOfTheirOwn(t *testing.T) {
	tests := []struct {
		row      string
		policies map[string]cors.Policy
		paths    map[string][]string
		want     []string // but for those where nothing should be
	}{
		{"a subtree", map[string]cors.Policy{"/api/": small, "/": {}}, nil, []string{"/", "/api", "/api/", "/api/cors-verify-no-such-path"}},
		{"a subtree whose own path is another route's", map[string]cors.Policy{"/api/": small, "/api/{$}": {}, "/": {}}, nil,
			[]string{"/", "/api/", "/api/cors-verify", "/api/cors-verify-no-such-path"}},
		{"wildcards", map[string]cors.Policy{"/users/{id}/posts/{post}": small, "/files/{path...}": small, "/": {}}, nil,
			[]string{"/", "/files/", "/files/cors-verify-no-such-path", "/users/1/posts/1"}},
		{"paths that are given", map[string]cors.Policy{"/api/{id}": small, "/": {}}, map[string][]string{"/api/{id}": {"/api/7?full=1", "/api/a%20b"}},
			[]string{"/", "/api/7?full=1", "/api/a%20b"}},
		{"patterns that are escaped, and that need it", map[string]cors.Policy{"/a%20b": small, "/ü": small, "/": {}}, nil, []string{"/", "/%C3%BC", "/a%20b"}},
		{"nothing but a route", map[string]cors.Policy{"/a": small}, nil, []string{"/a", "/cors-verify-no-such-path"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var log asked
			_, report := verify(t, tt.policies, log.before(keeping(t, tt.policies, application)), func(t *audit.Target) { t.Paths = tt.paths })
			got := log.each(func(r *http.Request) string { return r.URL.RequestURI() })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if n := report.Count(audit.Broken); n > 0 {
				t.Errorf("%d are broken", n)
			}
		})
	}
}

func TestRoutesOfOtherHostsNeedAnAddress(t *testing.T) {
	policies := map[string]cors.Policy{"api.example.com/": small, "/": {}}
	var log asked
	handler := log.before(keeping(t, policies, application))

	_, report := verify(t, policies, handler)
	i := slices.IndexFunc(report.Results, func(r audit.Result) bool { return r.Route == "api.example.com/" })
	if got := report.Results[i]; got.Verdict != audit.Unjudged || got.Got != "it is for the host api.example.com; say where that is served here" {
		t.Errorf("%s: %s", got.Verdict, got.Got)
	}

	server := httptest.NewServer(handler)
	defer server.Close()
	plan, err := audit.NewPlan(policies, audit.Target{URL: "http://127.0.0.1:" + port(server.URL), Connect: map[string]string{"api.example.com": strings.TrimPrefix(server.URL, "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	report = plan.Verify(t.Context(), nil)
	if n := report.Count(audit.Kept); n != len(report.Results) {
		t.Errorf("%d of %d are kept", n, len(report.Results))
	}
	if hosts := log.each(func(r *http.Request) string { return r.Host }); !slices.Contains(hosts, "api.example.com") {
		t.Errorf("hosts %q were asked, want api.example.com too", hosts)
	}
	if want := []string{"http://api.example.com"}; !slices.Equal(plan.Insecure, want) {
		t.Errorf("Insecure = %q, want %q", plan.Insecure, want)
	}
}

func port(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }

func TestWhatTheUserAddsGoesToNoPreflightThatNoBrowserWouldGiveIt(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	var log asked
	verify(t, policies, log.before(keeping(t, policies, application)), func(t *audit.Target) {
		t.Header = http.Header{"Authorization": {"Bearer secret"}, "Cookie": {"a=b"}, "X-Staging": {"key"}}
	})
	got := log.each(func(r *http.Request) string {
		kind := "actual"
		if isPreflight(r) {
			kind = "preflight"
		}
		return fmt.Sprintln(kind, r.Header["Authorization"], r.Header["Cookie"], r.Header["X-Staging"])
	})
	want := []string{"actual [Bearer secret] [a=b] [key]\n", "preflight [] [] [key]\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOnlyOnePreflightAsksForPrivateNetworks(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	var log asked
	verify(t, policies, log.before(keeping(t, policies, application)))
	asks := 0
	for _, r := range log.requests {
		if r.Header.Get("Access-Control-Request-Private-Network") != "" {
			asks++
		}
	}
	if asks != 1 {
		t.Errorf("%d requests ask for private networks, want 1", asks)
	}
}

func TestUnsafeMethodsAreAskedForAndNotUsed(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	tests := []struct {
		row    string
		unsafe bool
		want   []string
		count  int
	}{
		{"not unless that is wanted", false, []string{"GET", "HEAD", "OPTIONS"}, 0},
		{"where it is wanted", true, []string{"GET", "HEAD", "OPTIONS", "POST", "PUT"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var log asked
			plan, report := verify(t, policies, log.before(keeping(t, policies, application)), func(t *audit.Target) { t.UnsafeMethods = tt.unsafe })
			if diff := cmp.Diff(tt.want, log.each(func(r *http.Request) string { return r.Method })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if plan.Unsafe != tt.count {
				t.Errorf("Unsafe = %d, want %d", plan.Unsafe, tt.count)
			}
			if n := report.Count(audit.Kept); n != len(report.Results) {
				t.Errorf("%d of %d are kept", n, len(report.Results))
			}
		})
	}
}

func TestNoRequestIsSentBeyondTheBudget(t *testing.T) {
	for _, origins := range []int{100, 3_000} {
		t.Run(fmt.Sprint(origins, " origins"), func(t *testing.T) {
			many := cors.Policy{}
			for i := range origins {
				many.Origins = append(many.Origins, fmt.Sprintf("https://app%d.example.com", i))
			}
			policies := map[string]cors.Policy{"/": many}
			plan, report := verify(t, policies, keeping(t, policies, application), func(t *audit.Target) { t.MaxRequests = 150 })
			if plan.Requests > 150 || report.Requests > 150 {
				t.Errorf("%d requests planned, %d sent, want 150 at most", plan.Requests, report.Requests)
			}
			if least := 2*origins - 150; plan.Omitted < least {
				t.Errorf("%d are left out, want %d at least", plan.Omitted, least)
			}
			if n := report.Count(audit.Kept); n != len(report.Results) {
				t.Errorf("%d of %d are kept", n, len(report.Results))
			}
		})
	}
}

func TestRedirectsToOtherServersAreNotFollowed(t *testing.T) {
	var other asked
	elsewhere := httptest.NewServer(other.before(application))
	defer elsewhere.Close()
	policies := map[string]cors.Policy{"/": small}
	_, report := verify(t, policies, keeping(t, policies, http.RedirectHandler(elsewhere.URL, http.StatusFound)))
	if len(other.requests) > 0 {
		t.Errorf("the other server got %d requests", len(other.requests))
	}
	if got := report.Results[0]; got.Verdict != audit.Kept || got.Got != "it redirects to "+elsewhere.URL {
		t.Errorf("%s: %s: %q", got.Expect, got.Verdict, got.Got)
	}
}

func TestARingOfRedirectsEnds(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	plan, report := verify(t, policies, keeping(t, policies, http.RedirectHandler("/", http.StatusFound)))
	if most := 4 * plan.Requests; report.Requests > most {
		t.Errorf("%d requests were sent, want %d at most", report.Requests, most)
	}
	if n := report.Count(audit.Broken); n > 0 {
		t.Errorf("%d are broken", n)
	}
}

func TestWhoDoesNotAnswerIsUnreachable(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X", strings.Repeat("a", 1<<20))
		w.WriteHeader(200)
	})
	tests := []struct {
		row     string
		handler http.Handler
		timeout time.Duration
		want    string // begins what the first line says
	}{
		{"nothing is said", hang, 50 * time.Millisecond, "network failure: no answer within 50ms"},
		{"the header is larger than any browser takes", endless, 0, "response larger than the limit: "},
		{"there are too many requests", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }), 0, "status 429: the server wants fewer requests in a second"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			_, report := verify(t, map[string]cors.Policy{"/": small}, tt.handler, func(t *audit.Target) { t.Timeout = tt.timeout })
			if got := report.Results[0].Got; !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if n := report.Count(audit.Unreachable); n != len(report.Results) {
				t.Errorf("%d of %d are unreachable", n, len(report.Results))
			}
			if report.Requests > 1 {
				t.Errorf("%d requests were sent, want 1", report.Requests)
			}
		})
	}
}

func TestWhatIsInterruptedIsNotAsked(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	ctx, cancel := context.WithCancel(t.Context())
	next := keeping(t, policies, application)
	plan, err := audit.NewPlan(policies, audit.Target{URL: "https://staging.example.com", Concurrency: 1, Transport: answering{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			cancel()
		}
		next.ServeHTTP(w, r)
	})}})
	if err != nil {
		t.Fatal(err)
	}
	report := plan.Verify(ctx, nil)
	if !slices.ContainsFunc(report.Results, func(r audit.Result) bool { return r.Got == "this was interrupted" }) {
		t.Errorf("nothing was interrupted: %+v", report.Results)
	}
	if report.Count(audit.Kept) == 0 || report.Count(audit.Broken) > 0 {
		t.Errorf("%d are kept, %d broken; want those that were asked to be kept", report.Count(audit.Kept), report.Count(audit.Broken))
	}
}

func TestAnEndlessBodyIsNotRead(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Method != http.MethodHead && r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("a", 1<<16)); err != nil {
				return
			}
		}
	})
	_, report := verify(t, policies, keeping(t, policies, endless))
	if n := report.Count(audit.Kept); n != len(report.Results) {
		t.Errorf("%d of %d are kept", n, len(report.Results))
	}
}

// answering is a transport in which h answers for every host.
type answering struct{ h http.Handler }

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestRequestsAreSpacedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policies := map[string]cors.Policy{"/": small}
		var times []time.Time
		var mu sync.Mutex
		next := keeping(t, policies, application)
		plan, err := audit.NewPlan(policies, audit.Target{URL: "https://staging.example.com", Rate: 10, Transport: answering{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			times = append(times, time.Now())
			mu.Unlock()
			next.ServeHTTP(w, r)
		})}})
		if err != nil {
			t.Fatal(err)
		}
		plan.Verify(t.Context(), nil)
		slices.SortFunc(times, time.Time.Compare)
		for i := 1; i < len(times); i++ {
			if d := times[i].Sub(times[i-1]); d < 100*time.Millisecond {
				t.Errorf("%s are between requests %d and %d, want 100ms at least", d, i-1, i)
			}
		}
	})
}

func TestEachResultIsToldOnce(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	server := httptest.NewServer(keeping(t, policies, application))
	defer server.Close()
	plan, err := audit.NewPlan(policies, audit.Target{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	report := plan.Verify(t.Context(), func(audit.Result) { told++ })
	if told != plan.Len() || len(report.Results) != plan.Len() {
		t.Errorf("%d were told, %d reported, want %d", told, len(report.Results), plan.Len())
	}
}

func TestAServerThatIsNotThereIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	plan, err := audit.NewPlan(map[string]cors.Policy{"/": small}, audit.Target{URL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	report := plan.Verify(t.Context(), nil)
	if got := report.Results[0]; got.Verdict != audit.Unreachable || !strings.Contains(got.Got, "refused") {
		t.Errorf("%s: %s", got.Verdict, got.Got)
	}
}

func TestWhatHarmsNobodyIsNoted(t *testing.T) {
	policies := map[string]cors.Policy{"/": small}
	_, report := verify(t, policies, admits(is("HTTPS://APP.EXAMPLE.COM")).of(keeping(t, policies, application)))
	i := slices.IndexFunc(report.Results, func(r audit.Result) bool { return r.Origin == "HTTPS://APP.EXAMPLE.COM" })
	if i < 0 {
		t.Fatal("the upper case was not asked for")
	}
	if r := report.Results[i]; r.Verdict != audit.Kept || r.Got != "it may, which harms nobody: no browser has this origin" {
		t.Errorf("%s: %s: %q", r.Expect, r.Verdict, r.Got)
	}
}

func TestTheDocumentationNamesEachRule(t *testing.T) {
	page, err := os.ReadFile("../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	policy := policies["/api/"]
	policy.PreflightStatus, policy.RefusedStatus = 200, 204
	known := map[string]cors.Policy{"/api/": policy, "/open/": {Origins: []string{"*"}}, "other.example.com/": small}
	_, report := verify(t, known, keeping(t, known, application), func(t *audit.Target) {
		t.UnsafeMethods, t.Paths = true, map[string][]string{"/api/": {"/api/", "/api/health"}}
	})
	rules := map[string]bool{}
	for _, r := range report.Results {
		rules[r.Rule] = true
	}
	for rule := range rules {
		if !strings.Contains(string(page), "`"+rule+"`") {
			t.Errorf("docs/verify.md does not name the rule %q", rule)
		}
	}
	if len(rules) != 26 {
		t.Errorf("there are %d rules here, want all 26", len(rules))
	}
}
