package console

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
	"github.com/crossorigin/cors/policyfile"
)

// tryAt returns a console whose gateway is h, at localhost; and its address.
func tryAt(t *testing.T, h http.HandlerFunc) (*Console, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	gateway := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	c, err := New(Options{Address: "localhost:8081", Gateway: gateway})
	if err != nil {
		t.Fatal(err)
	}
	return c, gateway
}

// tryOut has c's engine do what the visitor's browser did.
func tryOut(t *testing.T, c *Console, f scenario.Fetch, seen scenario.Outcome, v any) *httptest.ResponseRecorder {
	t.Helper()
	return post(t, c, "/try/verdict", map[string]any{"fetch": f, "seen": seen, "browser": "b", "lang": "en"}, v)
}

func TestTryBeginsWhereSomebodyIsAllowed(t *testing.T) {
	for _, tt := range []struct{ name, routes, want string }{
		{"the first route that allows an origin", "  /metrics: off\n  /api/:\n    origins: [https://app.example.com]\n", "/api/"},
		{"no route that is a path", "  /users/{id}:\n    origins: [https://app.example.com]\n  api.example.com/:\n    origins: [https://app.example.com]\n", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := policyfile.Parse([]byte("upstream: http://localhost:1\nroutes:\n" + tt.routes))
			if err != nil {
				t.Fatal(err)
			}
			if got := pathToTry(Policy{File: file}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTryTellsWhichHeadersNoPageMaySet(t *testing.T) {
	p := newSite(t).open(t, chromium(t), "try", look{"en", "light", 1280})
	p.until(t, isReady)
	p.run(t, `document.querySelector('[name="headers"]').value = 'Cookie: a=b\nX-Test: 1\nHost: c'; document.querySelector('[type="submit"]').click()`)
	p.until(t, "document.querySelector('#result .agreement')?.textContent")
	if got := p.text(t, "document.querySelector('#result .left-out').innerText"); got != "Not sent, since a page may not set it here: Cookie, Host" {
		t.Errorf("the page says %q", got)
	}
}

func TestTheEngineJudgesTheGateway(t *testing.T) {
	allows := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("X-Count", "1")
	}
	refuses := func(http.ResponseWriter, *http.Request) {}
	read := scenario.Outcome{Type: "cors", Status: 200, Headers: []scenario.Field{}}
	notFound := scenario.Outcome{Type: "cors", Status: 404, Headers: []scenario.Field{}}
	exposed := scenario.Outcome{Type: "cors", Status: 200, Headers: []scenario.Field{{"x-count", "1"}}}
	blocked := scenario.Outcome{Error: "TypeError"}
	tests := []struct {
		row     string
		gateway http.HandlerFunc
		seen    scenario.Outcome
		agree   bool
		want    string // the differences
	}{
		{"both read", allows, read, true, ""},
		{"both are kept from it", refuses, blocked, true, ""},
		{"only the browser is kept from it", allows, blocked, false, `readable: "blocked", "read"`},
		{"only the engine is kept from it", refuses, read, false, `readable: "read", "blocked"`},
		{"another header is seen", allows, exposed, false, `headers: "x-count", ""`},
		{"the service answers in two ways", allows, notFound, true, `status: "404", "200"`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			c, gateway := tryAt(t, tt.gateway)
			tt.seen.URL = gateway + "/users"
			var v verdict
			tryOut(t, c, scenario.Fetch{URL: gateway + "/users", Method: "GET", Mode: "cors"}, tt.seen, &v)
			var differences []string
			for _, d := range v.Differences {
				differences = append(differences, fmt.Sprintf("%s: %q, %q", d.What, d.Browser, d.Engine))
			}
			if got := strings.Join(differences, "\n"); v.Agree != tt.agree || got != tt.want {
				t.Errorf("agree %t, %s, want %t, %s", v.Agree, got, tt.agree, tt.want)
			}
			if (v.Scenario != "") == tt.agree {
				t.Errorf("agree %t, and the case is %q", tt.agree, v.Scenario)
			}
		})
	}
}

func TestTryTellsWhatIsNotEnforced(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		kind       cors.Kind
		passed     bool
	}{
		{"a route that enforces", "max-age: 10m", cors.Actual, false},
		{"a route in shadow", "shadow: true", cors.Actual, true},
		{"a preflight in shadow", "shadow: true", cors.Preflight, true},
		{"a request whose headers are the service's", "upstream-headers: keep", cors.Actual, true},
		{"a preflight, which the gateway answers", "upstream-headers: keep", cors.Preflight, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := policyfile.Parse([]byte("upstream: http://localhost:1\nroutes:\n  /:\n    origins: [https://app.example.com]\n    " + tt.says + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := New(Options{Address: "localhost:8081", Gateway: "http://localhost:8080", Policy: func() Policy { return Policy{File: file} }})
			if err != nil {
				t.Fatal(err)
			}
			c.Observe(httptest.NewRequest("GET", "/x", nil), cors.Decision{Kind: tt.kind, Reason: cors.ReasonOrigin, Route: "/", Origin: "http://localhost:8081"})
			said := c.refusalSince(0, "http://localhost:8081", "http://localhost:8080/x")
			if said == nil || said.Passed != tt.passed {
				t.Errorf("the gateway said %+v, want passed %t", said, tt.passed)
			}
		})
	}
}

// The case that Try keeps is what the engine met, for the player of scenarios.
func TestACaseOfTryPlaysAgain(t *testing.T) {
	c, gateway := tryAt(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:8081")
		w.Header().Set("Access-Control-Allow-Methods", "POST")
	})
	var v verdict
	f := scenario.Fetch{URL: gateway + "/users?token=secret", Method: "PUT", Mode: "cors", Headers: []scenario.Field{{"Authorization", "Bearer secret"}}}
	tryOut(t, c, f, scenario.Outcome{Type: "cors", Status: 200, Headers: []scenario.Field{}}, &v)
	scenarios, err := scenario.Read[scenario.Scenario](strings.NewReader(v.Scenario))
	if err != nil || len(scenarios) != 1 {
		t.Fatalf("%q: %v", v.Scenario, err)
	}
	stage := scenario.NewStage(scenarios)
	got := scenario.Play(t.Context(), scenarios, stage, fetch.Standard, stage.Dial)[0]
	if got.Verdict() != "blocked" || !strings.HasPrefix(got.Wire(), `OPTIONS {B}/0 access-control-request-headers="authorization" access-control-request-method="PUT"`) {
		t.Errorf("%s\n%s", got.Verdict(), got.Wire())
	}
	if strings.Contains(v.Scenario, "Bearer") || strings.Contains(v.Scenario, "token=") {
		t.Errorf("the case holds a secret: %s", v.Scenario)
	}
}

func TestTheEngineTrustsWhoCertifiesTheGateway(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "https://localhost:65000/", http.StatusFound)
		}
	}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c, err := New(Options{Address: "localhost:8081", Gateway: s.URL, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/": "read ", "/away": "blocked localhost:65000"} {
		var v verdict
		tryOut(t, c, scenario.Fetch{URL: s.URL + path, Method: "GET", Mode: "cors"}, scenario.Outcome{Error: "TypeError"}, &v)
		if got := readable(&v.Engine[0].Outcome) + " " + v.Engine[0].Elsewhere; got != want {
			t.Errorf("%s: %s, want %s; %s", path, got, want, v.Engine[0].Text)
		}
	}
}

func TestTheEngineGoesNowhereElse(t *testing.T) {
	var visited []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { visited = append(visited, r.URL.Path) }))
	defer other.Close()
	host := strings.TrimPrefix(other.URL, "http://")
	c, gateway := tryAt(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.Redirect(w, r, other.URL+"/redirected", http.StatusFound)
	})
	name := strings.TrimPrefix(gateway, "http://")
	for _, url := range []string{
		other.URL + "/", "//" + host + "/", "http://" + name + "@" + host + "/", "http://" + host + "\\@" + name + "/", "http://" + host + "#@" + name + "/",
		"http:\\\\" + host + "/", "http:" + host, " " + other.URL, "http://localhost", "http://LOCALHOST:1/", "http://" + name + ".evil.example/", "http://127.1:" + strings.Split(host, ":")[1] + "/",
		"http://[::ffff:127.0.0.1]:" + strings.Split(host, ":")[1] + "/", "https://" + name + "/", "file:///etc/passwd", "data:text/plain,x", "javascript:alert(1)", "", "/users", "http://" + name + "\r\nHost: x/", "http://%31/",
	} {
		var refused struct{ Mistakes []string }
		w := tryOut(t, c, scenario.Fetch{URL: url, Method: "GET", Mode: "cors"}, scenario.Outcome{Error: "TypeError"}, &refused)
		if w.Code != http.StatusUnprocessableEntity || len(refused.Mistakes) != 1 || !strings.Contains(refused.Mistakes[0], "is not of the gateway") {
			t.Errorf("%q is answered %d %q, want 422", url, w.Code, w.Body)
		}
	}
	var v verdict
	tryOut(t, c, scenario.Fetch{URL: gateway + "/", Method: "GET", Mode: "cors"}, scenario.Outcome{Error: "TypeError"}, &v)
	if v.Engine[0].Elsewhere != host || !v.Agree {
		t.Errorf("of a redirect elsewhere the page is told %q, agree %t; want %q, true", v.Engine[0].Elsewhere, v.Agree, host)
	}
	if len(visited) > 0 {
		t.Errorf("the engine has visited %q", visited)
	}
}

func TestTheEngineRemembersWhatTheBrowserDoes(t *testing.T) {
	preflights := 0
	var cookies []string
	c, gateway := tryAt(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "http://localhost:8081")
		h.Set("Access-Control-Allow-Credentials", "true")
		if r.Method == "OPTIONS" {
			preflights++
			h.Set("Access-Control-Allow-Methods", "PUT")
			h.Set("Access-Control-Max-Age", "600")
			return
		}
		h.Set("Set-Cookie", "visits=1; HttpOnly")
		cookies = append(cookies, r.Header.Get("Cookie"))
	})
	f := scenario.Fetch{URL: gateway + "/", Method: "PUT", Mode: "cors", Credentials: "include"}
	for range 2 {
		tryOut(t, c, f, scenario.Outcome{Error: "TypeError"}, nil)
	}
	if preflights != 1 {
		t.Errorf("%d preflights for two requests, want 1", preflights)
	}
	if len(cookies) != 2 || cookies[0] != "" || cookies[1] != "visits=1" {
		t.Errorf("cookies %q, want what the first answer set, and never the console's own", cookies)
	}
}

func TestEnginesAreBounded(t *testing.T) {
	c, _ := tryAt(t, func(http.ResponseWriter, *http.Request) {})
	r := httptest.NewRequest("GET", "/", nil)
	first := c.engines.of(c, r, "0")
	for i := range maxEngines {
		c.engines.of(c, r, fmt.Sprint(i+1))
	}
	if len(c.engines.kept) != maxEngines {
		t.Errorf("%d engines are kept, want %d", len(c.engines.kept), maxEngines)
	}
	if c.engines.of(c, r, "0") == first {
		t.Error("the one that has not been used for longest is still there")
	}
}
