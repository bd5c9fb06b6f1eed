package caddycors_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

// upstream knows better than the policy, as many do.
func upstream(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Access-Control-Allow-Origin"] = []string{"*", evil}
		h["access-control-expose-headers"] = []string{"X-Secret"}
		h.Set("Access-Control-Allow-Future", "yes")
		h.Set("Vary", "Accept-Encoding")
		if r.Method == http.MethodOptions {
			h.Set("X-Reached", "upstream")
		}
		switch r.URL.Path {
		case "/500":
			http.Error(w, "no", http.StatusInternalServerError)
		case "/hints":
			w.WriteHeader(http.StatusEarlyHints)
		}
		fmt.Fprintf(w, "%s of the upstream\n", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const site = `
{
	admin ADMIN
	auto_https off
}
http://PLAIN {
	cors https://app.example.com {
		methods PUT DELETE
		request_headers Authorization Content-Type
		exposed_headers X-Request-Id
		credentials
		max_age 10m
	}
	header /set Access-Control-Allow-Origin *
	header /set >Access-Control-Allow-Origin https://evil.example
	basic_auth /secret {
		somebody $2a$14$FmoiNrjpATd/ldmjzGOTIuKXBTLuU4OtAMpX4DymrEkSc.3EEGXcG
	}
	redir /old /new
	rewrite /rewritten /hello
	handle /down* {
		reverse_proxy 127.0.0.1:1
	}
	handle /files/* {
		root DIR
		file_server
	}
	handle /fails-late.html {
		templates
		root DIR
		file_server
	}
	respond /hello "hello"
	respond /teapot 418
	error /error "broken" 503
	reverse_proxy UPSTREAM
}
http://CAUGHT {
	cors https://app.example.com
	handle /down {
		reverse_proxy 127.0.0.1:1
	}
	error /error "broken" 503
	error /worse "broken" 500
	error /again "broken" 501
	handle_errors 503 {
		respond "caught {err.status_code}"
	}
	handle_errors 502 {
		header Access-Control-Allow-Origin *
		respond "caught {err.status_code}"
	}
	handle_errors 500 {
		cors https://app.example.com
		reverse_proxy UPSTREAM
	}
	handle_errors 501 {
		error "once more" 507
	}
}
`

func TestAnswers(t *testing.T) {
	addresses := map[string]string{"PLAIN": "", "CAUGHT": "", "UPSTREAM": upstream(t)}
	start(t, site, addresses, map[string]string{"fails-late.html": `{{ include "none" }}`})
	allowed := http.Header{
		"Access-Control-Allow-Origin":      {app},
		"Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Expose-Headers":    {"X-Request-Id"},
		"Vary":                             {"Origin"},
	}
	refused := http.Header{"Vary": {"Origin"}}
	with := func(h http.Header, pairs ...string) http.Header {
		h = h.Clone()
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
		}
		return h
	}
	preflight := func(method, names string) http.Header {
		return http.Header{"Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {names}}
	}
	granted := func(pairs ...string) http.Header {
		return with(http.Header{
			"Access-Control-Allow-Origin":      {app},
			"Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Max-Age":           {"600"},
			"Vary":                             {"Origin"},
		}, pairs...)
	}
	varies := func(h http.Header) http.Header {
		h = h.Clone()
		h["Vary"] = []string{"Accept-Encoding", "Origin"}
		return h
	}
	bare := http.Header{"Access-Control-Allow-Origin": {app}, "Vary": {"Origin"}}
	tests := []struct {
		row           string
		at, method    string
		path, origin  string
		request       http.Header
		status        int
		want          http.Header
		wantBodyHolds string
	}{
		{row: "the upstream's own headers are overwritten", path: "/users", origin: app, status: 200, want: varies(allowed), wantBodyHolds: "/users of the upstream"},
		{row: "an origin that is refused reads nothing, whatever the upstream says", path: "/users", origin: evil, status: 200, want: varies(refused), wantBodyHolds: "/users of the upstream"},
		{row: "a request without Origin gets Vary", path: "/users", status: 200, want: varies(refused)},
		{row: "null is refused", path: "/users", origin: "null", status: 200, want: varies(refused)},
		{row: "the upstream's error is readable", path: "/500", origin: app, status: 500, want: varies(allowed)},
		{row: "after early hints", path: "/hints", origin: app, status: 200, want: varies(allowed)},
		{row: "a preflight is answered, and never reaches the upstream", method: "OPTIONS", path: "/users", origin: app, request: preflight("PUT", "authorization,content-type"),
			status: 204, want: granted("Access-Control-Allow-Methods", "PUT", "Access-Control-Allow-Headers", "authorization,content-type")},
		{row: "a preflight for a method that is not allowed", method: "OPTIONS", path: "/users", origin: app, request: preflight("PATCH", ""), status: 403, want: refused},
		{row: "a preflight of an origin that is not allowed", method: "OPTIONS", path: "/users", origin: evil, request: preflight("PUT", ""), status: 403, want: refused},
		{row: "an OPTIONS that is no preflight reaches the upstream", method: "OPTIONS", path: "/users", origin: app, status: 200, want: varies(allowed), wantBodyHolds: "of the upstream"},
		{row: "a preflight needs no password", method: "OPTIONS", path: "/secret", origin: app, request: preflight("GET", "authorization"),
			status: 204, want: granted("Access-Control-Allow-Headers", "authorization")},
		{row: "a 401 of Caddy", path: "/secret", origin: app, status: 401, want: allowed},
		{row: "a redirect of Caddy", path: "/old", origin: app, status: 302, want: allowed},
		{row: "a preflight meets no redirect", method: "OPTIONS", path: "/old", origin: app, request: preflight("GET", ""), status: 204, want: granted()},
		{row: "a path that is rewritten", path: "/rewritten", origin: app, status: 200, want: allowed, wantBodyHolds: "hello"},
		{row: "the upstream is down", path: "/down", origin: app, status: 502, want: allowed},
		{row: "the upstream is down, and the origin refused", path: "/down", origin: evil, status: 502, want: refused},
		{row: "the upstream is down, and a preflight comes", method: "OPTIONS", path: "/down", origin: app, request: preflight("PUT", ""), status: 204, want: granted("Access-Control-Allow-Methods", "PUT")},
		{row: "no such file", path: "/files/none", origin: app, status: 404, want: allowed},
		{row: "a template that fails", path: "/fails-late.html", origin: app, status: 500, want: varies(allowed)},
		{row: "respond", path: "/hello", origin: app, status: 200, want: allowed, wantBodyHolds: "hello"},
		{row: "respond with a status", path: "/teapot", origin: app, status: 418, want: allowed},
		{row: "the directive error", path: "/error", origin: app, status: 503, want: allowed},
		{row: "the directive error, and the origin refused", path: "/error", origin: evil, status: 503, want: refused},
		{row: "headers that the site sets by hand", path: "/set", origin: app, status: 200, want: varies(allowed)},

		{row: "an error that is caught and answered", at: "CAUGHT", path: "/error", origin: app, status: 503, want: bare, wantBodyHolds: "caught 503"},
		{row: "an error that is caught, and the origin refused", at: "CAUGHT", path: "/error", origin: evil, status: 503, want: refused, wantBodyHolds: "caught 503"},
		{row: "an error that an upstream answers, behind cors in handle_errors", at: "CAUGHT", path: "/worse", origin: app, status: 200, want: varies(bare), wantBodyHolds: "of the upstream"},
		{row: "an error in the handling of an error", at: "CAUGHT", path: "/again", origin: app, status: 501, want: bare},
		{row: "handle_errors has the last word where no cors is in it", at: "CAUGHT", path: "/down", origin: app, status: 502, want: with(http.Header{"Vary": {"Origin"}}, "Access-Control-Allow-Origin", "*"), wantBodyHolds: "caught 502"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if tt.at == "" {
				tt.at = "PLAIN"
			}
			res, body := ask(t, tt.method, "http://"+addresses[tt.at]+tt.path, tt.origin, tt.request)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if diff := cmp.Diff(tt.want, corsOf(res.Header)); diff != "" {
				t.Errorf("headers, - want, + got:\n%s", diff)
			}
			if !strings.Contains(body, tt.wantBodyHolds) {
				t.Errorf("body %q, want %q in it", body, tt.wantBodyHolds)
			}
		})
	}
}

func ask(t *testing.T, method, url, origin string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		if values[0] != "" {
			req.Header[name] = values
		}
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
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

// corsOf is what of h concerns CORS.
func corsOf(h http.Header) http.Header {
	of := http.Header{}
	for name, values := range h {
		if name == "Vary" || strings.HasPrefix(name, "Access-Control-") {
			of[name] = slices.Sorted(slices.Values(values))
		}
	}
	return of
}
