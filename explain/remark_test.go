package explain_test

import (
	"testing"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

func kinds(d *explain.Diagnosis) string {
	all := ""
	for i, r := range d.Remarks {
		if i > 0 {
			all += " "
		}
		all += r.Kind
	}
	return all
}

func TestRemarks(t *testing.T) {
	const http = "http://app.example.com/"
	allowed := []string{acao, app, acac, "true", "Vary", "Origin"}
	tests := []struct {
		row     string
		page    string
		request fetch.Request
		cookies []string
		answer  answer
		want    string
	}{
		{"nothing to say", app, to(api), nil, says(200, allowed...), ""},
		{"a header that no page may set", app, fetch.Request{URL: api, Header: []header.Field{{Name: "Cookie", Value: "a=1"}}}, nil, says(200, allowed...), "header-dropped"},
		{"a header that is not exposed", app, to(api), nil, says(200, append(allowed, "X-Total-Count", "7", "Server", "x")...), "header-hidden"},
		{"no Vary", app, to(api), nil, says(200, acao, app), "vary-missing"},
		{"a star needs no Vary", app, to(api), nil, says(200, acao, "*"), ""},
		{"a cookie, and credentials are left out", app, to(api), []string{"sid=1"}, says(200, allowed...), "credentials-not-sent"},
		{"a cookie that goes to no other site", app, fetch.Request{URL: "https://api.example.net/", Credentials: include}, []string{"sid=1; SameSite=Lax"}, says(200, allowed...), "cookie-not-sent"},
		{"a cookie that goes there", app, fetch.Request{URL: "https://api.example.net/", Credentials: include}, []string{"sid=1"}, says(200, allowed...), ""},
		{"a preflight without the header and with another status", app, fetch.Request{URL: api, Method: "PUT"}, nil, says(405), "status-first"},
		{"the same over http", http, fetch.Request{URL: "http://api.example.com/", Method: "PUT"}, nil, says(301), "status-first"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: web(always(tt.answer))}, explain.Question{Page: tt.page, Request: &tt.request, Cookies: tt.cookies})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(d); got != tt.want {
				t.Errorf("remarks %q, want %q", got, tt.want)
			}
		})
	}
}

// The server that answers is the one whose configuration is shown.
func TestWhoAnswers(t *testing.T) {
	tests := []struct {
		name, value string
		want        explain.Server
	}{
		{"Server", "nginx/1.27.0", explain.Nginx},
		{"Server", "Apache/2.4.62 (Debian)", explain.Apache},
		{"X-Powered-By", "Express", explain.Express},
		{"Server", "Kestrel", explain.ASPNETCore},
		{"Server", "uvicorn", explain.FastAPI},
		{"Server", "AmazonS3", explain.S3},
		{"Server", "istio-envoy", explain.Envoy},
		{"Apigw-Requestid", "x", explain.APIGateway},
		{"Via", "1.1 Caddy", explain.Caddy},
		{"X-Runtime", "0.01", explain.Rails},
		{"Server", "something else", ""},
	}
	for _, tt := range tests {
		s := scenario{request: to(api), web: always(says(200, tt.name, tt.value))}
		if got := s.ask(t).Server; got != tt.want {
			t.Errorf("%s: %s is taken for %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
	both := scenario{request: to(api), web: always(says(200, "Server", "nginx", "X-Powered-By", "Express"))}
	if got := both.ask(t).Server; got != explain.Express {
		t.Errorf("an application behind nginx is taken for %q, want %q", got, explain.Express)
	}
}

func TestServersHaveNames(t *testing.T) {
	for _, s := range explain.Servers() {
		if got, err := explain.ParseServer(string(s)); got != s || err != nil {
			t.Errorf("ParseServer(%q) = %q, %v", s, got, err)
		}
	}
	for name, want := range map[string]explain.Server{"HTTPD": explain.Apache, "starlette": explain.FastAPI, "gateway": explain.CORSYAML, "asp.net": explain.ASPNETCore} {
		if got, err := explain.ParseServer(name); got != want || err != nil {
			t.Errorf("ParseServer(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := explain.ParseServer("iis"); err == nil {
		t.Error(`ParseServer("iis") has no error`)
	}
}
