package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/edge"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

var policy = cors.Policy{
	Origins:        []string{app},
	Methods:        []string{"PUT"},
	RequestHeaders: []string{"Authorization"},
	ExposedHeaders: []string{"X-Request-Id"},
	Credentials:    true,
	MaxAge:         10 * time.Minute,
}

// serve runs a server of h until the test ends, and returns its address.
func serve(t testing.TB, h http.Handler) *url.URL {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return parse(t, s.URL)
}

func parse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// inFront runs a gateway with one route to upstream.
func inFront(t *testing.T, upstream http.HandlerFunc, change ...func(*gateway.Route, *gateway.Options)) *url.URL {
	t.Helper()
	route := gateway.Route{Policy: policy, Upstream: serve(t, upstream)}
	var o gateway.Options
	for _, f := range change {
		f(&route, &o)
	}
	return serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": route}}, o))
}

func newGateway(t testing.TB, c gateway.Config, o gateway.Options) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func request(t *testing.T, method string, to *url.URL, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to.String(), body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// do returns the response to r, with the body read.
func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// said is what a response says of CORS, a line each.
func said(h http.Header) []string {
	var lines []string
	for _, name := range append([]string{"Vary"}, edge.Names[:]...) {
		for _, value := range h[name] {
			lines = append(lines, strings.TrimPrefix(name, "Access-Control-")+": "+value)
		}
	}
	return lines
}

var (
	readable    = []string{"Vary: Origin", "Allow-Origin: " + app, "Allow-Credentials: true", "Expose-Headers: X-Request-Id"}
	notReadable = []string{"Vary: Origin"}
)

func TestTheGatewayOwnsTheCORSHeaders(t *testing.T) {
	star := func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Access-Control-Allow-Origin"] = []string{"*", app}
		w.Header().Set("Access-Control-Allow-Private-Network", "true")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, r.Method)
	}
	stars := []string{"Allow-Origin: *", "Allow-Origin: " + app, "Allow-Private-Network: true"}
	preflight := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization"}
	tests := []struct {
		row, method, origin string
		headers             []string
		change              func(*gateway.Route, *gateway.Options)
		status              int
		body                string
		want                []string
	}{
		{"an allowed origin", "GET", app, nil, nil, 418, "GET", readable},
		{"another origin", "GET", evil, nil, nil, 418, "GET", notReadable},
		{"no origin", "GET", "", nil, nil, 418, "GET", notReadable},
		{"a preflight", "OPTIONS", app, preflight, nil, 204, "",
			[]string{"Vary: Origin", "Allow-Origin: " + app, "Allow-Credentials: true", "Allow-Methods: PUT", "Allow-Headers: authorization", "Max-Age: 600"}},
		{"a preflight of another origin", "OPTIONS", evil, preflight, nil, 403, "", notReadable},
		{"an OPTIONS that is no preflight", "OPTIONS", app, nil, nil, 418, "OPTIONS", readable},
		{"kept headers", "GET", app, nil, func(r *gateway.Route, _ *gateway.Options) { r.Headers = edge.Keep }, 418, "GET", stars},
		{"headers that need no filling", "GET", app, nil, func(r *gateway.Route, _ *gateway.Options) { r.Headers = edge.Fill }, 418, "GET", stars},
		{"a shadow", "GET", evil, nil, func(r *gateway.Route, _ *gateway.Options) { r.Shadow = true }, 418, "GET", stars},
		{"a preflight through a shadow", "OPTIONS", evil, preflight, func(r *gateway.Route, _ *gateway.Options) { r.Shadow = true }, 418, "OPTIONS", stars},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var changes []func(*gateway.Route, *gateway.Options)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			headers := tt.headers
			if tt.origin != "" {
				headers = append([]string{"Origin", tt.origin}, headers...)
			}
			res, body := do(t, request(t, tt.method, inFront(t, star, changes...), nil, headers...))
			if res.StatusCode != tt.status || body != tt.body {
				t.Errorf("%d %q, want %d %q", res.StatusCode, body, tt.status, tt.body)
			}
			got := said(res.Header)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
