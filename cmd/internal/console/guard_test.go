package console

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/policyfile"
)

const policyText = `upstream: http://localhost:1
routes:
  /api/:
    origins: [https://app.example.com]
    methods: [PUT]
    credentials: true
  /off/: off
`

// policyOfTest is a policy in force that came from a file.
func policyOfTest() Policy {
	file, err := policyfile.Parse([]byte(policyText))
	if err != nil {
		panic(err)
	}
	return Policy{Text: []byte(policyText), Path: "cors.yaml", File: file}
}

// newConsole returns a console at localhost:8081.
func newConsole(t *testing.T) *Console {
	t.Helper()
	file := policyOfTest()
	c, err := New(Options{Address: "localhost:8081", Gateway: "http://localhost:8080", Policy: func() Policy { return file }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve serves c on loopback until the test ends.
func serve(t *testing.T, o Options) *Console {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	o.Address = "localhost:" + port
	if o.Gateway == "" {
		o.Gateway = "http://localhost:8080"
	}
	if o.Policy == nil {
		o.Policy = policyOfTest
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

// request is one that a page of the console sends, with what fields change: an
// empty value takes a header away.
func request(c *Console, method, path, body string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = c.options.Address
	r.AddCookie(c.cookie("token", c.options.Token))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != "GET" && method != "HEAD" {
		r.Header.Set("Origin", "http://"+c.options.Address)
		r.Header.Set(marker, "1")
	}
	for i := 0; i < len(fields); i += 2 {
		switch name, value := fields[i], fields[i+1]; {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	return r
}

func TestWhoMayAskTheConsole(t *testing.T) {
	c := newConsole(t)
	c.handler = c.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	for _, tt := range []struct {
		name         string
		method, path string
		fields       []string
		status       int
	}{
		{"its own page reads", "GET", "/live", nil, 200},
		{"its own page changes something", "POST", "/x", nil, 200},
		{"the address bar", "GET", "/live", []string{"Sec-Fetch-Site", "none"}, 200},
		{"a browser too old for Sec-Fetch-Site", "GET", "/live", []string{"Sec-Fetch-Site", ""}, 200},
		{"another name of loopback", "GET", "/live", []string{"Host", "127.0.0.1:8081"}, 200},
		{"another name of loopback, in upper case", "GET", "/live", []string{"Host", "LOCALHOST:8081"}, 200},

		{"no token", "GET", "/live", []string{"Cookie", ""}, 403},
		{"no token, for a script of the page", "GET", "/page/live.js", []string{"Cookie", ""}, 403},
		{"a token that is another", "GET", "/live?token=AAAAAAAAAAAAAAAAAAAAAAAAAA", []string{"Cookie", ""}, 403},
		{"a token that is empty", "GET", "/live?token=", []string{"Cookie", ""}, 403},
		{"a cookie that is another's", "GET", "/live", []string{"Cookie", "cors-console-8081-token=x"}, 403},
		{"a cookie of a console on another port", "GET", "/live", []string{"Cookie", "cors-console-8082-token=" + c.options.Token}, 403},
		{"a token in the URL of what changes something", "POST", "/x?token=" + c.options.Token, []string{"Cookie", ""}, 403},

		{"a name that someone has pointed here", "GET", "/live", []string{"Host", "evil.example:8081"}, 421},
		{"a name that someone has pointed here, and the token", "GET", "/live?token=" + c.options.Token, []string{"Host", "evil.example:8081"}, 421},
		{"a name that begins like its own", "GET", "/live", []string{"Host", "localhost.evil.example:8081"}, 421},
		{"its name with a dot", "GET", "/live", []string{"Host", "localhost.:8081"}, 421},
		{"an address of the network", "GET", "/live", []string{"Host", "192.0.2.1:8081"}, 421},
		{"an address that is no address", "GET", "/live", []string{"Host", "0.0.0.0:8081"}, 421},
		{"another port", "GET", "/live", []string{"Host", "localhost:8082"}, 421},
		{"no port", "GET", "/live", []string{"Host", "localhost"}, 421},

		{"a page of another site reads", "GET", "/live/events", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"a page of another site loads a script", "GET", "/page/live.js", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a page of another site leads here", "GET", "/live", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403},
		{"a page of another port reads", "GET", "/live/events", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a page of another port reads, in a browser too old", "GET", "/live/events", []string{"Sec-Fetch-Site", "", "Origin", "http://localhost:8080"}, 403},
		{"a page of another name of the console", "GET", "/live/events", []string{"Sec-Fetch-Site", "", "Origin", "http://127.0.0.1:8081"}, 403},
		{"a page of no origin", "GET", "/live/events", []string{"Sec-Fetch-Site", "", "Origin", "null"}, 403},

		{"a form of another site", "POST", "/x", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", marker, "", "Content-Type", "text/plain"}, 403},
		{"a form of another port", "POST", "/x", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:3000", marker, "", "Content-Type", "text/plain"}, 403},
		{"a form of another port, in a browser too old", "POST", "/x", []string{"Sec-Fetch-Site", "", "Origin", "http://localhost:3000", marker, ""}, 403},
		{"a simple request of its own page", "POST", "/x", []string{marker, ""}, 403},
		{"a request that names no origin", "POST", "/x", []string{"Sec-Fetch-Site", "", "Origin", ""}, 403},
		{"a request over TLS that there is not", "POST", "/x", []string{"Sec-Fetch-Site", "", "Origin", "https://localhost:8081"}, 403},
		{"the preflight of another origin", "OPTIONS", "/x", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Cookie", "", marker, "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-cors-console"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, request(c, tt.method, tt.path, "", tt.fields...))
			if w.Code != tt.status {
				t.Errorf("%s %s with %q = %d, want %d", tt.method, tt.path, tt.fields, w.Code, tt.status)
			}
			for name, want := range map[string]string{
				"Cross-Origin-Resource-Policy": "same-origin",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"X-Frame-Options":              "DENY",
				"Referrer-Policy":              "no-referrer",
				"X-Content-Type-Options":       "nosniff",
				"Cache-Control":                "no-store",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("the console says %s", name)
				}
			}
			if tt.status != 200 && (strings.Contains(w.Body.String(), c.options.Token) || w.Header().Get("Set-Cookie") != "") {
				t.Errorf("who is refused learns the token: %q", w.Body)
			}
		})
	}
}

func TestTheTokenIsExchangedForACookie(t *testing.T) {
	c := newConsole(t)
	for _, tt := range []struct{ name, path, site, to string }{
		{"from a terminal", "/?token=" + c.options.Token, "none", `url=/"`},
		{"from a page of another site", "/live?token=" + c.options.Token, "cross-site", `url=/live"`},
		{"with what else the address says", "/live?a=b&token=" + c.options.Token, "none", `url=/live?a=b"`},
		{"to a path that would be another host", "//evil.example/?token=" + c.options.Token, "none", `url=/evil.example/"`},
		{"to a path that is markup", `/%22%3E%3Cscript%3E?token=` + c.options.Token, "none", `url=/%22%3E%3Cscript%3E"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(c, "GET", "/", "", "Cookie", "", "Sec-Fetch-Site", tt.site)
			var err error
			if r.URL, err = r.URL.Parse("http://" + c.options.Address + tt.path); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			c.ServeHTTP(w, r)
			if w.Code != 200 || !strings.Contains(w.Body.String(), tt.to) || strings.Contains(w.Body.String(), c.options.Token) {
				t.Errorf("GET %s = %d %s, want %s and no token", tt.path, w.Code, w.Body, tt.to)
			}
			cookie := w.Header().Get("Set-Cookie")
			if want := "cors-console-8081-token=" + c.options.Token + "; Path=/; HttpOnly; SameSite=Strict"; cookie != want {
				t.Errorf("Set-Cookie: %s, want %s", cookie, want)
			}
		})
	}
}

func TestAnAddressOnTheNetworkHasItsOwnNames(t *testing.T) {
	c, err := New(Options{Address: "console.example:8081", Policy: policyOfTest})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"console.example:8081": true, "CONSOLE.example:8081": true, "192.0.2.1:8081": true, "[2001:db8::1]:8081": true,
		"evil.example:8081": false, "localhost:8081": false, "console.example": false, "192.0.2.1": false, "2001:db8::1:8081": false, "": false, "192.0.2.1.evil.example:8081": false,
	} {
		if got := c.isOwnHost(host); got != want {
			t.Errorf("isOwnHost(%q) = %t, want %t", host, got, want)
		}
	}
}

func TestABodyOf10MBIsNotRead(t *testing.T) {
	c := newConsole(t)
	read := 0
	c.handler = c.guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if read = len(data); err == nil {
			t.Error("all of it was read")
		}
	}))
	c.ServeHTTP(httptest.NewRecorder(), request(c, "POST", "/policy/apply", strings.Repeat("x", 10<<20)))
	if read > maxBody {
		t.Errorf("%d bytes were read, want %d at most", read, maxBody)
	}
}

func TestPagesRunOnlyScriptsOfTheConsole(t *testing.T) {
	ofGateway := newConsole(t)
	alone, err := New(Options{Address: "localhost:8081"})
	if err != nil {
		t.Fatal(err)
	}
	defer ofGateway.stages.close()
	defer alone.stages.close()
	for _, p := range panels {
		c := ofGateway
		if p.shown != nil && !p.shown(c.options) {
			c = alone
		}
		w := httptest.NewRecorder()
		c.ServeHTTP(w, request(c, "GET", "/"+p.name, ""))
		if !strings.HasSuffix(w.Body.String(), "</html>\n") {
			t.Errorf("/%s breaks off after %q", p.name, w.Body.String()[max(0, w.Body.Len()-60):])
		}
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none';", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("/%s: %q has no %q", p.name, csp, want)
			}
		}
		if w.Code != 200 || strings.Contains(csp, "unsafe") {
			t.Errorf("/%s: %d, %q", p.name, w.Code, csp)
		}
		for _, inline := range []string{"<style", " style=", " onclick=", "<script>"} {
			if strings.Contains(w.Body.String(), inline) {
				t.Errorf("/%s has %q in it", p.name, inline)
			}
		}
	}
}

func TestOnlyWhatBrowsersLoadIsServedOfTheFiles(t *testing.T) {
	c := newConsole(t)
	for path, want := range map[string]int{
		"/page/live.js": 200, "/page/layout.css": 200, "/page/icon.svg": 200,
		"/page/": 404, "/page/live.html": 404, "/page/layout.en.json": 404, "/page/none.js": 404, "/live.js": 404, "/": 303, "/none": 404,
	} {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, request(c, "GET", path, ""))
		if w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}
