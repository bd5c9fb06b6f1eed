package importer_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/export/importer"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/engine"
)

// What a page may do by the policy that is read, it may do by nginx; and where it
// may do more by nginx, a finding says so.
func TestReadsNginxAsNginxDoes(t *testing.T) {
	if err := engine.Nginx.Installed(); err != nil {
		t.Skip(err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	defer upstream.Close()
	const answer = `add_header Access-Control-Allow-Methods "PUT, DELETE" always; add_header Access-Control-Allow-Headers "X-A, Authorization" always; add_header Access-Control-Max-Age 600 always; return 204;`
	tests := []struct{ row, outside, inside string }{
		{"one origin", "", `
			add_header Access-Control-Allow-Origin https://app.example.com always;
			location / { proxy_pass UPSTREAM; if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin https://app.example.com always; ` + answer + ` } }`},
		{"everybody", "", `location / { add_header Access-Control-Allow-Origin *; proxy_pass UPSTREAM; if ($request_method = 'OPTIONS') { add_header 'Access-Control-Allow-Origin' '*'; ` + answer + ` } }`},
		{"whoever asks, with credentials", "", `
			location / {
				add_header Access-Control-Allow-Origin $http_origin always; add_header Access-Control-Allow-Credentials true always;
				add_header Access-Control-Allow-Methods $http_access_control_request_method always; add_header Access-Control-Allow-Headers $http_access_control_request_headers always;
				if ($request_method = OPTIONS) { return 204; }
				proxy_pass UPSTREAM;
			}`},
		{"a map", `map $http_origin $cors { default ""; https://app.example.com $http_origin; "~^https://[^/]+\.example\.net$" $http_origin; ~*localhost $http_origin; }`, `
			add_header Access-Control-Allow-Origin $cors always;
			location / { proxy_pass UPSTREAM; if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin $cors always; add_header Access-Control-Allow-Credentials true always; ` + answer + ` } }
			location /other/ { add_header X-Other yes; proxy_pass UPSTREAM; }`},
		{"a map of what is captured", `map $http_origin $cors { ~^(https://(?:.+\.)?example\.com)$ $1; ~^http://(localhost) http://$1; }`, `
			location / { proxy_pass UPSTREAM; add_header Access-Control-Allow-Origin $cors always; }`},
		{"a map with an exception", `map $http_origin $cors { https://bad.example.com ""; ~^https://[^/]+\.example\.com$ $http_origin; https://app.example.net $http_origin; }`,
			`location / { proxy_pass UPSTREAM; add_header Access-Control-Allow-Origin $cors always; }`},
		{"set and if, one after the other", "", `
			location / {
				set $cors "";
				if ($http_origin ~* '^https?://(.+\.)?example\.com$') { set $cors "${cors}yes"; }
				if ($request_method = OPTIONS) { set $cors "${cors}-options"; }
				if ($request_method = PUT) { set $cors "${cors}-put"; }
				if ($cors = yes) { add_header Access-Control-Allow-Origin $http_origin always; }
				if ($cors = yes-put) { add_header Access-Control-Allow-Origin $http_origin always; }
				if ($cors = yes-options) { add_header Access-Control-Allow-Origin $http_origin; ` + answer + ` }
				proxy_pass UPSTREAM;
			}`},
		{"an if that a later one takes the place of", "", `
			location / {
				proxy_pass UPSTREAM;
				if ($http_origin = https://app.example.com) { add_header Access-Control-Allow-Origin $http_origin always; }
				if ($request_method = GET) { add_header X-Get yes; }
			}`},
		{"who is refused", "", `location / { if ($http_origin !~ ^https://(app\.)?example\.com$) { return 403; } add_header Access-Control-Allow-Origin $http_origin always; proxy_pass UPSTREAM; }`},
		{"no anchors", "", `location / { proxy_pass UPSTREAM; if ($http_origin ~ example.com) { add_header Access-Control-Allow-Origin $http_origin always; } }`},
		{"two headers of one name", "", `location / { add_header Access-Control-Allow-Origin https://app.example.com; add_header Access-Control-Allow-Origin https://app.example.com; proxy_pass UPSTREAM; }`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			inside := strings.ReplaceAll(tt.inside, "UPSTREAM", upstream.URL)
			nginx, err := engine.Nginx.Start(t.TempDir(), engine.Config{Outside: tt.outside, Inside: inside})
			if err != nil {
				t.Fatal(err)
			}
			defer nginx.Close()
			read, err := importer.From("nginx", []byte(tt.outside+"server {"+inside+"}"))
			if err != nil {
				read = &importer.Result{Findings: read.Findings}
			}
			policies := map[string]cors.Policy{}
			if read.File != nil {
				policies = read.File.Policies()
			}
			routes, err := cors.NewRoutes(policies)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range read.Findings {
				t.Log(f)
			}
			ours := httptest.NewServer(&edge.Handler{Decide: routes.DecideHTTP, Next: proxyTo(t, upstream.URL)})
			defer ours.Close()
			for _, path := range []string{"/", "/x", "/other/x"} {
				for _, q := range questions() {
					by, byNginx := asks(t, ours.URL+path, q), asks(t, nginx.URL+path, q)
					switch {
					case by && !byNginx:
						t.Errorf("%s%s: the policy lets it in, nginx does not", path, q)
					case byNginx && !by && len(read.Findings) == 0:
						t.Errorf("%s%s: nginx lets it in, the policy does not, and no finding says so", path, q)
					}
				}
			}
		})
	}
}

type question struct {
	origin, method string
	credentials    fetch.Credentials
	name           string
}

func (q question) String() string {
	return fmt.Sprintf(" %s by %s, credentials %s, header %q", q.method, q.origin, q.credentials, q.name)
}

func questions() (all []question) {
	for _, o := range []string{"https://app.example.com", "https://example.com", "https://a.b.example.com", "https://bad.example.com", "https://app.example.net", "https://a.example.net", "http://app.example.com",
		"http://localhost:3000", "https://localhost.evil.example", "https://example.com.evil.example", "https://exampleacom.example", "https://evilexample.com", "https://app.example.com:8443", "null", "https://evil.example"} {
		for _, m := range []string{"GET", "PUT", "DELETE"} {
			for _, c := range []fetch.Credentials{fetch.CredentialsOmit, fetch.CredentialsInclude} {
				all = append(all, question{o, m, c, ""}, question{o, m, c, "X-A"}, question{o, m, c, "Authorization"}, question{o, m, c, "X-B"})
			}
		}
	}
	return all
}

// asks reports whether a page reads the answer.
func asks(t *testing.T, url string, q question) bool {
	t.Helper()
	page := q.origin
	if page == "null" {
		page = "data:text/html,x"
	}
	in := &fetch.Request{URL: url, Method: q.method, Credentials: q.credentials}
	if q.name != "" {
		in.Header = []header.Field{{Name: q.name, Value: "v"}}
	}
	browser := &fetch.Browser{Transport: http.DefaultTransport}
	res, err := browser.Open(page).Fetch(t.Context(), in)
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.Status < 400
}

func proxyTo(t *testing.T, to string) http.Handler {
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(u)
}
