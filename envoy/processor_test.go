package envoy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/envoy"
	"github.com/crossorigin/cors/envoy/internal/player"
	"github.com/crossorigin/cors/policyfile"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

const policy = `
routes:
  /:
    origins: [https://app.example.com]
    methods: [PUT]
    request-headers: [Authorization, X-Name]
    exposed-headers: [X-Request-Id]
    credentials: true
    max-age: 10m
  /open/: {origins: ["*"]}
  /fill/: {origins: [https://app.example.com], upstream-headers: fill}
  /keep/: {origins: [https://app.example.com], upstream-headers: keep}
  /shadow/: {origins: [https://app.example.com], shadow: true}
  /off/: off
  other.example/: {origins: ["https://*.other.example"]}
`

func parse(t testing.TB, text string) *policyfile.File {
	t.Helper()
	file, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func newProcessor(t testing.TB, text string, o envoy.Options) *envoy.Processor {
	t.Helper()
	p, err := envoy.New(parse(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start serves p until the test ends, and returns a client of it.
func start(t testing.TB, s *envoy.Server) extproc.ExternalProcessorClient {
	t.Helper()
	return extproc.NewExternalProcessorClient(connect(t, s))
}

func connect(t testing.TB, s *envoy.Server) *grpc.ClientConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	c, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

// inFront plays Envoy with the filter of the example, in front of upstream.
func inFront(t testing.TB, client extproc.ExternalProcessorClient, upstream http.HandlerFunc) *player.Envoy {
	t.Helper()
	s := httptest.NewServer(upstream)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := exampleFilter(t)
	f.MessageTimeout = durationpb.New(20 * time.Second) // the machine may have other work
	return &player.Envoy{Processor: client, Filter: f, Upstream: func(*http.Request) *url.URL { return u }}
}

// do sends a request through Envoy.
func do(e *player.Envoy, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Result()
}

// said is what a response says of CORS, the lines of a name joined, and why it
// failed.
func said(h http.Header) []string {
	var lines []string
	for _, name := range append([]string{"X-Failed", "Vary"}, edge.Names[:]...) {
		if values := h[name]; values != nil {
			lines = append(lines, strings.TrimPrefix(name, "Access-Control-")+": "+strings.ReplaceAll(strings.Join(values, ","), ", ", ","))
		}
	}
	return lines
}

var (
	readable    = []string{"Vary: Origin", "Allow-Origin: " + app, "Allow-Credentials: true", "Expose-Headers: X-Request-Id"}
	notReadable = []string{"Vary: Origin"}
	stars       = []string{"Allow-Origin: *,https://app.example.com", "Allow-Methods: *"}
)

func TestEnvoyAsksThePolicy(t *testing.T) {
	star := func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Access-Control-Allow-Origin"] = []string{"*", app}
		w.Header().Set("Access-Control-Allow-Methods", "*")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, r.Method)
	}
	preflight := func(origin, method, names string) []string {
		return []string{"Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", names}
	}
	granted := []string{"Vary: Origin", "Allow-Origin: " + app, "Allow-Credentials: true", "Allow-Methods: PUT", "Allow-Headers: x-name", "Max-Age: 600"}
	tests := []struct {
		row, method, target string
		headers             []string
		status              int
		body                string
		want                []string
	}{
		{"an allowed origin", "GET", "http://a/", []string{"Origin", app}, 418, "GET", readable},
		{"another origin", "GET", "http://a/", []string{"Origin", evil}, 418, "GET", notReadable},
		{"no origin", "GET", "http://a/", nil, 418, "GET", notReadable},
		{"an origin twice", "GET", "http://a/", []string{"Origin", app, "Origin", app}, 418, "GET", notReadable},
		{"a preflight", "OPTIONS", "http://a/", preflight(app, "PUT", "x-name"), 204, "", granted},
		{"a preflight of another origin", "OPTIONS", "http://a/", preflight(evil, "PUT", "x-name"), 403, "", notReadable},
		{"a preflight for another method", "OPTIONS", "http://a/", preflight(app, "DELETE", "x-name"), 403, "", notReadable},
		{"a preflight for another name", "OPTIONS", "http://a/", preflight(app, "PUT", "x-other"), 403, "", notReadable},
		{"a preflight with names on two lines", "OPTIONS", "http://a/", append(preflight(app, "PUT", "x-name"), "Access-Control-Request-Headers", "authorization"), 204, "",
			[]string{"Vary: Origin", "Allow-Origin: " + app, "Allow-Credentials: true", "Allow-Methods: PUT", "Allow-Headers: x-name,authorization", "Max-Age: 600"}},
		{"an OPTIONS that is no preflight", "OPTIONS", "http://a/", []string{"Origin", app}, 418, "OPTIONS", readable},
		{"a route of its own", "GET", "http://a/open/x?y=/off/", []string{"Origin", evil}, 418, "GET", []string{"Allow-Origin: *"}},
		{"a host of its own", "GET", "http://other.example:8080/", []string{"Origin", "https://a.other.example"}, 418, "GET", []string{"Vary: Origin", "Allow-Origin: https://a.other.example"}},
		{"headers that are filled in", "GET", "http://a/fill/", []string{"Origin", app}, 418, "GET", stars},
		{"headers that are kept", "GET", "http://a/keep/", []string{"Origin", app}, 418, "GET", stars},
		{"a preflight where headers are kept", "OPTIONS", "http://a/keep/", []string{"Origin", app, "Access-Control-Request-Method", "GET"}, 204, "", []string{"Vary: Origin", "Allow-Origin: " + app}},
		{"a shadow", "GET", "http://a/shadow/", []string{"Origin", evil}, 418, "GET", stars},
		{"a preflight through a shadow", "OPTIONS", "http://a/shadow/", preflight(evil, "PUT", ""), 418, "OPTIONS", stars},
		{"a route that is off", "GET", "http://a/off/", []string{"Origin", app}, 418, "GET", nil},
		{"a preflight where it is off", "OPTIONS", "http://a/off/", preflight(app, "PUT", ""), 403, "", nil},
		{"a path of two readings", "GET", "http://a/open/..%2Foff/", []string{"Origin", app}, 400, pathText, nil},
		{"a path of two readings in a preflight", "OPTIONS", "http://a/open/..;/", preflight(app, "PUT", ""), 400, pathText, nil},
		{"a path that is not clean, and has another route when it is", "GET", "http://a/open/../x", []string{"Origin", evil}, 418, "GET", nil},
		{"a path that cleans to the same route", "GET", "http://a/x/../y", []string{"Origin", app}, 418, "GET", readable},
	}
	client := start(t, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})})
	for _, tt := range tests {
		for _, e := range envoys(inFront(t, client, star)) {
			t.Run(fmt.Sprintf("%s, joined %t, as text %t", tt.row, e.JoinLines, e.AsText), func(t *testing.T) {
				res := do(e, tt.method, tt.target, tt.headers...)
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != tt.status || string(body) != tt.body {
					t.Errorf("%d %q, want %d %q", res.StatusCode, body, tt.status, tt.body)
				}
				if diff := cmp.Diff(tt.want, said(res.Header)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

const pathText = `The path can be read in two ways: write it without "%2F", "%5C", backslashes and semicolons.` + "\n"

// envoys are the ways in which Envoys write headers.
func envoys(e *player.Envoy) []*player.Envoy {
	joined, text := *e, *e
	joined.JoinLines, text.AsText = true, true
	return []*player.Envoy{e, &joined, &text}
}

func TestVaryIsOnlyAddedTo(t *testing.T) {
	tests := []struct {
		row  string
		vary []string
		want []string
	}{
		{"one line", []string{"Accept"}, []string{"Accept, Origin"}},
		{"two lines", []string{"Accept", "Cookie"}, []string{"Accept, Cookie, Origin"}},
		{"a line that has it", []string{"Accept, origin"}, []string{"Accept, origin"}},
		{"two lines that have it", []string{"Origin", "Accept"}, []string{"Origin", "Accept"}},
		{"a star", []string{"*"}, []string{"*"}},
	}
	client := start(t, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})})
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			e := inFront(t, client, func(w http.ResponseWriter, r *http.Request) { w.Header()["Vary"] = tt.vary })
			if diff := cmp.Diff(tt.want, do(e, "GET", "http://a/", "Origin", app).Header["Vary"]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestWhatEnvoySaysItselfIsReadable has no upstream: the response is Envoy's own.
func TestWhatEnvoySaysItselfIsReadable(t *testing.T) {
	e := inFront(t, start(t, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})}), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	e.Upstream = func(*http.Request) *url.URL { return &url.URL{Scheme: "http", Host: l.Addr().String()} }
	res := do(e, "GET", "http://a/", "Origin", app)
	if diff := cmp.Diff(readable, said(res.Header)); res.StatusCode != 503 || diff != "" {
		t.Errorf("%d, -want +got:\n%s", res.StatusCode, diff)
	}
}

// TestNothingPassesWithoutAProcessor has Envoy fail closed.
func TestNothingPassesWithoutAProcessor(t *testing.T) {
	c, err := grpc.NewClient("127.0.0.1:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := inFront(t, extproc.NewExternalProcessorClient(c), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})
	res := do(e, "GET", "http://a/", "Origin", app)
	if res.StatusCode != 500 || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d, %v: a response has passed", res.StatusCode, said(res.Header))
	}
}

func TestWhatAProcessorTells(t *testing.T) {
	var mu sync.Mutex
	var told []string
	tell := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf(format, args...))
	}
	p := newProcessor(t, policy, envoy.Options{
		Decided: func(d cors.Decision) { tell("decided %s %s %s %s", d.Route, d.Kind, d.Reason, d.Origin) },
		Refused: func(r *http.Request, d cors.Decision) {
			tell("refused %s %s %s %s %s", r.Method, r.Host, r.URL.Path, r.Header.Get("Sec-Fetch-Site"), d.Reason)
		},
		Stripped: func(route string, s edge.Stripped) {
			for _, name := range s.All() {
				tell("stripped %s %s", route, name)
			}
		},
		Failed: func(route, cause string) { tell("failed %s %s", route, cause) },
	})
	e := inFront(t, start(t, &envoy.Server{Processor: p}), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})
	do(e, "GET", "http://a/x?secret", "Origin", evil, "Sec-Fetch-Site", "cross-site")
	do(e, "GET", "http://a/open/..%2f", "Origin", app)
	want := []string{
		"decided / actual origin https://evil.example",
		"refused GET a /x cross-site origin",
		"stripped / Access-Control-Allow-Origin",
		"decided  actual off https://app.example.com",
		"refused GET a /open/../  off",
		"failed  ambiguous-path",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRoutesAreReplacedUnderLoad has each exchange be wholly of one policy.
func TestRoutesAreReplacedUnderLoad(t *testing.T) {
	texts := [2]string{
		"routes: {/: {origins: [https://app.example.com], exposed-headers: [X-First], credentials: true}}",
		"routes: {/: {origins: [https://app.example.com], exposed-headers: [X-Second]}}",
	}
	whole := []string{" true X-First", "  X-Second"}
	p := newProcessor(t, texts[0], envoy.Options{})
	e := inFront(t, start(t, &envoy.Server{Processor: p}), func(w http.ResponseWriter, r *http.Request) {})
	done := make(chan struct{})
	var askers sync.WaitGroup
	var seen sync.Map
	for range 4 {
		askers.Go(func() {
			for range 100 {
				h := do(e, "GET", "http://a/", "Origin", app).Header
				seen.Store(fmt.Sprint(h.Get("X-Failed"), " ", h.Get("Access-Control-Allow-Credentials"), " ", h.Get("Access-Control-Expose-Headers")), true)
			}
		})
	}
	go func() { askers.Wait(); close(done) }()
	for i := 1; ; i++ {
		if err := p.SetFile(parse(t, texts[i%2])); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			count := 0
			for answer := range seen.Range {
				if count++; !slices.Contains(whole, answer.(string)) {
					t.Errorf("an answer of no one policy: %q", answer)
				}
			}
			if count != len(whole) {
				t.Errorf("%d kinds of answers, want %d: not every policy was in force", count, len(whole))
			}
			return
		default:
		}
	}
}

// exampleFilter is the filter in examples/bootstrap.yaml.
func exampleFilter(t testing.TB) *filter.ExternalProcessor {
	t.Helper()
	return filterOf(t, bootstrap(t))
}
