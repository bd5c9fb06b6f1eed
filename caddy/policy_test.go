package caddycors_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const policy = `
upstream: http://localhost:1 # for cors serve
routes:
  /:
    origins: https://app.example.com
  /public/:
    origins: "*"
  /kept/:
    origins: https://app.example.com
    upstream-headers: keep
  /filled/:
    origins: https://app.example.com
    upstream-headers: fill
  /tried/:
    origins: https://app.example.com
    shadow: true
  /admin/: off
  other.example.com/:
    origins: https://other.example.com
`

const routed = `
{
	admin ADMIN
	auto_https off
}
http://SITE, http://other.example.com:PORT {
	handle_path /public/* {
		cors {
			policy cors.yaml
		}
		reverse_proxy UPSTREAM
	}
	handle {
		cors {
			policy cors.yaml
		}
		handle /filled/silent {
			respond ok
		}
		reverse_proxy UPSTREAM
	}
}
`

func TestRoutesOfAPolicyFile(t *testing.T) {
	addresses := map[string]string{"SITE": freeAddress(), "UPSTREAM": upstream(t)}
	addresses["PORT"] = addresses["SITE"][len("127.0.0.1:"):]
	start(t, routed, addresses, map[string]string{"cors.yaml": policy})
	own := http.Header{
		"Access-Control-Allow-Origin":   {"*", evil},
		"Access-Control-Expose-Headers": {"X-Secret"},
		"Access-Control-Allow-Future":   {"yes"},
		"Vary":                          {"Accept-Encoding"},
	}
	grants := func(origin string) http.Header {
		return http.Header{"Access-Control-Allow-Origin": {origin}, "Vary": {"Accept-Encoding", "Origin"}}
	}
	preflight := http.Header{"Access-Control-Request-Method": {"GET"}}
	tests := []struct {
		row, host, method, path, origin string
		request                         http.Header
		status                          int
		want                            http.Header
	}{
		{row: "the route of every path", path: "/users", origin: app, status: 200, want: grants(app)},
		{row: "the route of a path that handle_path has shortened", path: "/public/users", origin: evil, status: 200,
			want: http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept-Encoding"}}},
		{row: "off", path: "/admin/users", origin: app, status: 200, want: http.Header{"Vary": {"Accept-Encoding"}}},
		{row: "another host", host: "other.example.com", path: "/users", origin: "https://other.example.com", status: 200, want: grants("https://other.example.com")},
		{row: "another host, and an origin of the first", host: "other.example.com", path: "/users", origin: app, status: 200,
			want: http.Header{"Vary": {"Accept-Encoding", "Origin"}}},
		{row: "keep leaves the upstream's", path: "/kept/users", origin: evil, status: 200, want: own},
		{row: "keep answers preflights", method: "OPTIONS", path: "/kept/users", origin: evil, request: preflight, status: 403, want: http.Header{"Vary": {"Origin"}}},
		{row: "fill leaves the upstream's where there are some", path: "/filled/users", origin: app, status: 200, want: own},
		{row: "fill says what the policy says where there are none", path: "/filled/silent", origin: app, status: 200,
			want: http.Header{"Access-Control-Allow-Origin": {app}, "Vary": {"Origin"}}},
		{row: "shadow leaves all", path: "/tried/users", origin: evil, status: 200, want: own},
		{row: "shadow lets preflights pass", method: "OPTIONS", path: "/tried/users", origin: evil, request: preflight, status: 200, want: own},
		{row: "a path of two routes is answered by Caddy", path: "/public/..%2Fadmin/users", origin: app, status: 400, want: http.Header{}},
		{row: "a semicolon that hides a segment", path: "/public/..;/admin/users", origin: app, status: 400, want: http.Header{}},
		{row: "an escape within one route", path: "/public/a%2Fb", origin: app, status: 200,
			want: http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept-Encoding"}}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, "http://"+addresses["SITE"], nil)
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = tt.path // sent as it is
			if tt.host != "" {
				req.Host = tt.host + ":" + addresses["PORT"]
			}
			for name, values := range tt.request {
				req.Header[name] = values
			}
			req.Header.Set("Origin", tt.origin)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if diff := cmp.Diff(tt.want, corsOf(res.Header)); diff != "" {
				t.Errorf("headers, - want, + got:\n%s", diff)
			}
		})
	}
}
