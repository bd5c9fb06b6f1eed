package explain_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

const (
	app = "https://app.example.com"
	api = "https://api.example.com/users"
)

// A scenario leads to one cause. Together they lead to all.
type scenario struct {
	cause   explain.Cause
	page    string // app if empty
	request fetch.Request
	web     func(*http.Request) answer
	browser *fetch.Browser
}

func always(a answer) func(*http.Request) answer { return func(*http.Request) answer { return a } }
func fails(err error) func(*http.Request) answer { return always(answer{err: err}) }

// preflightThen answers OPTIONS with the one, and the rest with the other.
func preflightThen(preflight, actual answer) func(*http.Request) answer {
	return func(r *http.Request) answer {
		if r.Method == http.MethodOptions {
			return preflight
		}
		return actual
	}
}

// hosts answers by host.
func hosts(byHost map[string]answer) func(*http.Request) answer {
	return func(r *http.Request) answer { return byHost[r.URL.Host] }
}

type web func(*http.Request) answer

func (w web) RoundTrip(r *http.Request) (*http.Response, error) { return w(r).response(r) }

func to(url string) fetch.Request { return fetch.Request{URL: url} }
func dial(err error) error        { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
func call(errno syscall.Errno) error {
	return dial(os.NewSyscallError("connect", errno))
}

func scenarios() []scenario {
	getAPI := to(api)
	putAPI := fetch.Request{URL: api, Method: "PUT"}
	patch := fetch.Request{URL: api, Method: "patch"}
	post := fetch.Request{URL: api, Method: "POST", Body: []byte("{}"), Header: []header.Field{{Name: "Content-Type", Value: "application/json"}}}
	token := fetch.Request{URL: api, Header: []header.Field{{Name: "X-Token", Value: "abcdef123456"}}}
	auth := fetch.Request{URL: api, Header: []header.Field{{Name: "Authorization", Value: "Bearer abcdef123456"}}}
	stream := func(url string) fetch.Request {
		return fetch.Request{URL: url, Method: "POST", Stream: strings.NewReader("x")}
	}
	ok := []string{acao, app, "Vary", "Origin"}
	yes := func(more ...string) answer { return says(204, append(append([]string{}, ok...), more...)...) }
	reads := func(status int, more ...string) answer {
		return says(status, append(append([]string{}, ok...), more...)...)
	}
	origin := func(value string) func(*http.Request) answer { return always(says(200, acao, value)) }
	opaque := scenario{cause: "origin-opaque", page: "null", request: getAPI, web: origin(app)}
	return []scenario{
		{cause: "bad-port", request: to("https://api.example.com:25/")},
		{cause: "mixed-content", request: to("http://api.example.com/users")},
		{cause: "same-origin-mode", request: fetch.Request{URL: api, Mode: fetch.ModeSameOrigin}},
		{cause: "no-cors-redirect-mode", request: fetch.Request{URL: api, Mode: fetch.ModeNoCORS, Redirect: fetch.RedirectManual}},
		{cause: "scheme", page: "http://localhost:3000", request: to("localhost:8080/users")},
		{cause: "mime-type", request: fetch.Request{URL: api, Mode: fetch.ModeNoCORS, Destination: fetch.DestinationScript}, web: always(says(200, "Content-Type", "image/png"))},
		{cause: "nosniff", request: fetch.Request{URL: api, Destination: fetch.DestinationStyle}, web: always(reads(200, "Content-Type", "text/plain", "X-Content-Type-Options", "nosniff"))},
		{cause: "integrity", request: fetch.Request{URL: api, Integrity: "sha256-AAAA"}, web: always(reads(200))},
		{cause: "about-url", page: "http://localhost:3000", request: fetch.Request{URL: "about:config", Mode: fetch.ModeNoCORS}},
		{cause: "blob-url", request: fetch.Request{URL: "blob:https://app.example.com/1", Mode: fetch.ModeNoCORS}},
		{cause: "data-url", request: to("data:text/plain")},
		{cause: "file-url", request: fetch.Request{URL: "file:///etc/hosts", Mode: fetch.ModeNoCORS}},
		{cause: "corp", request: fetch.Request{URL: "https://api.example.com/logo.png", Mode: fetch.ModeNoCORS}, web: always(says(200, "Cross-Origin-Resource-Policy", "same-origin"))},
		{cause: "redirect-error", request: fetch.Request{URL: api, Redirect: fetch.RedirectError}, web: always(reads(302, "Location", "/v2/users"))},
		{cause: "location", request: getAPI, web: always(reads(302, "Location", "https://["))},
		{cause: "redirect-scheme", request: getAPI, web: always(reads(302, "Location", "myapp://callback"))},
		{cause: "redirect-loop", request: getAPI, web: always(reads(302, "Location", "/users"))},
		{cause: "redirect-credentials", request: getAPI, web: always(reads(302, "Location", "https://user:pass-word@cdn.example.net/users"))},
		{cause: "redirect-body", request: stream(app + "/"), web: always(says(307, "Location", "/x"))},
		{cause: "keepalive-size", request: fetch.Request{URL: app + "/", Method: "POST", Keepalive: true, Body: make([]byte, 64<<10+1)}},
		{cause: "not-cached", request: fetch.Request{URL: app + "/", Mode: fetch.ModeSameOrigin, Cache: fetch.CacheOnlyIfCached}},
		{cause: "authentication-body", web: always(says(401)), request: fetch.Request{URL: "https://u:pass-word@app.example.com/", URLCredentials: true, Method: "POST", Stream: strings.NewReader("x")}},
		{cause: "proxy-authentication", request: to(app + "/"), web: always(says(407))},

		{cause: "name-not-resolved", request: getAPI, web: fails(dial(&net.DNSError{Name: "api.example.com", Err: "no such host", IsNotFound: true}))},
		{cause: "connection-refused", request: getAPI, web: fails(call(syscall.ECONNREFUSED))},
		{cause: "connection-reset", request: getAPI, web: fails(io.EOF)},
		{cause: "timeout", request: getAPI, web: fails(dial(os.ErrDeadlineExceeded))},
		{cause: "unreachable", request: getAPI, web: fails(call(syscall.EHOSTUNREACH))},
		{cause: "tls-untrusted", request: getAPI, web: fails(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})},
		{cause: "tls-expired", request: getAPI, web: fails(&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}})},
		{cause: "tls-wrong-host", request: getAPI, web: fails(&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"other.example"}}, Host: "api.example.com"}})},
		{cause: "tls-failed", request: getAPI, web: fails(fmt.Errorf("remote error: %w", tls.AlertError(70)))},
		{cause: "https-to-http", request: getAPI, web: fails(errors.New("http: server gave HTTP response to HTTPS client"))},
		{cause: "not-recorded", request: auth, web: fails(explain.ErrNotRecorded)},
		{cause: "network-failure", request: getAPI, web: fails(errors.New("something else"))},
		{cause: "http-to-https", page: "http://localhost:3000", request: to("http://api.example.com:8443/users"), web: fails(errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02\x16"`))},
		{cause: "malformed-response", request: getAPI, web: always(reads(200, "X-A", "a\x00b"))},
		{cause: "response-too-large", request: getAPI, web: always(reads(200, "X-A", strings.Repeat("a", 300))), browser: &fetch.Browser{Limits: fetch.Limits{HeaderBytes: 256}}},
		{cause: "private-address", page: "http://app.example.com", request: to("http://127.0.0.1:8080/"), browser: &fetch.Browser{RefusePrivateAddresses: true}},
		{cause: "aborted", request: getAPI, web: fails(context.Canceled)},

		{cause: "missing-allow-origin", request: getAPI, web: always(says(200))},
		{cause: "missing-after-preflight", request: putAPI, web: preflightThen(yes(acam, "PUT"), says(200))},
		{cause: "error-without-cors", request: getAPI, web: always(says(500, "Server", "nginx"))},
		{cause: "gateway-error", request: getAPI, web: always(says(502, "Server", "nginx"))},
		{cause: "refused-at-the-edge", request: getAPI, web: always(says(429, "Server", "cloudflare"))},
		{cause: "redirect-without-cors", request: getAPI, web: always(says(301, "Location", "https://api.example.com/v2/users"))},
		{cause: "login-redirect", request: getAPI, web: always(says(302, "Location", "https://accounts.example.net/login?next=%2Fusers"))},

		{cause: "preflight-missing", request: putAPI, web: preflightThen(says(204), reads(200))},
		{cause: "preflight-not-routed", request: putAPI, web: preflightThen(says(405, "Allow", "GET, PUT"), reads(200))},
		{cause: "preflight-refused", request: auth, web: preflightThen(says(403, "Vary", "Origin"), reads(200))},
		{cause: "preflight-unauthorized", request: auth, web: preflightThen(says(401, "WWW-Authenticate", "Bearer"), reads(200))},
		{cause: "preflight-redirect-https", page: "http://localhost:3000", request: fetch.Request{URL: "http://api.example.com/users", Method: "PUT"}, web: always(says(301, "Location", "https://api.example.com/users"))},
		{cause: "preflight-redirect-slash", request: putAPI, web: always(says(307, "Location", "/users/"))},
		{cause: "preflight-redirect-login", request: post, web: always(says(302, "Location", "/login?next=/users"))},
		{cause: "preflight-redirect", request: putAPI, web: always(reads(302, "Location", "https://www.example.com/users"))},
		{cause: "preflight-gateway-error", request: putAPI, web: always(says(503))},
		{cause: "preflight-status", request: putAPI, web: always(reads(500))},

		{cause: "origin-slash", request: getAPI, web: origin(app + "/")},
		{cause: "origin-path", request: getAPI, web: origin(app + "/index.html")},
		{cause: "origin-pattern", request: getAPI, web: origin("https://*.example.com")},
		{cause: "origin-without-scheme", request: getAPI, web: origin("app.example.com")},
		{cause: "origin-scheme", request: getAPI, web: origin("http://app.example.com")},
		{cause: "origin-port", request: getAPI, web: origin(app + ":8443")},
		{cause: "origin-www", request: getAPI, web: origin("https://www.app.example.com")},
		{cause: "origin-case", request: getAPI, web: origin("https://App.Example.com")},
		{cause: "origin-null-value", request: getAPI, web: origin("null")},
		{cause: "origin-empty", request: getAPI, web: origin("")},
		{cause: "origin-not-an-origin", request: getAPI, web: origin("$http_origin")},
		{cause: "shared-cache", request: getAPI, web: always(says(200, acao, "https://admin.example.com", "Age", "120", "X-Cache", "HIT"))},
		opaque,
		{cause: "origin-tainted", request: getAPI, web: hosts(map[string]answer{"api.example.com": reads(302, "Location", "https://cdn.example.net/users"), "cdn.example.net": reads(200)})},
		{cause: "origin-other", request: getAPI, web: origin("https://admin.example.com")},

		{cause: "doubled-header", request: getAPI, web: always(says(200, acao, "*", acao, app))},
		{cause: "origin-list", request: getAPI, web: origin(app + ", https://admin.example.com")},
		{cause: "wildcard-with-credentials", request: credentialed(getAPI), web: origin("*")},
		{cause: "allow-credentials-missing", request: credentialed(getAPI), web: origin(app)},
		{cause: "allow-credentials-value", request: credentialed(getAPI), web: always(says(200, acao, app, acac, "True"))},

		{cause: "methods-syntax", request: putAPI, web: always(yes(acam, "GET; PUT"))},
		{cause: "headers-syntax", request: token, web: always(yes(acah, "x-token; x-other"))},
		{cause: "method-list-missing", request: putAPI, web: always(yes())},
		{cause: "method-not-listed", request: putAPI, web: always(yes(acam, "GET, POST"))},
		{cause: "method-case", request: patch, web: always(yes(acam, "PATCH"))},
		{cause: "method-wildcard", request: credentialed(putAPI), web: always(yes(acac, "true", acam, "*"))},
		{cause: "authorization-wildcard", request: auth, web: preflightThen(yes(acah, "*"), reads(200))},
		{cause: "authorization-not-listed", request: auth, web: always(yes(acah, "content-type"))},
		{cause: "content-type-not-listed", request: post, web: always(yes())},
		{cause: "header-list-missing", request: token, web: always(yes())},
		{cause: "header-not-listed", request: token, web: always(yes(acah, "content-type"))},
		{cause: "header-wildcard", request: credentialed(token), web: always(yes(acac, "true", acah, "*"))},

		{cause: "opaque", request: fetch.Request{URL: api, Mode: fetch.ModeNoCORS}, web: always(says(200))},
		{cause: "opaque-redirect", request: fetch.Request{URL: api, Redirect: fetch.RedirectManual}, web: always(reads(302, "Location", "/x"))},
		{cause: "works", request: getAPI, web: always(reads(200, "Content-Type", "application/json", "X-Total-Count", "7"))},
		{cause: "works-same-origin", request: to(app + "/users"), web: always(says(200))},
		{cause: "works-with-error", request: getAPI, web: always(reads(500))},
		{cause: "works-unexpected-body", request: getAPI, web: always(reads(200, "Content-Type", "text/html; charset=utf-8"))},
	}
}

func (s scenario) question() explain.Question {
	q := explain.Question{Page: s.page, Request: &s.request}
	switch s.page {
	case "":
		q.Page = app + "/"
	case "null":
		q.Page, q.Opaque = app+"/", true
	}
	return q
}

func (s scenario) ask(t *testing.T) *explain.Diagnosis {
	t.Helper()
	b := &fetch.Browser{}
	if s.browser != nil {
		b.Limits, b.RefusePrivateAddresses = s.browser.Limits, s.browser.RefusePrivateAddresses
	}
	if s.web != nil {
		b.Transport = web(s.web)
	}
	b.Now = func() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if s.cause == "aborted" {
		cancel()
	}
	d, err := explain.Ask(ctx, b, s.question())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryCauseComesAbout(t *testing.T) {
	missing := map[explain.Cause]bool{}
	for _, c := range explain.Causes() {
		missing[c] = true
	}
	for _, s := range scenarios() {
		t.Run(string(s.cause), func(t *testing.T) {
			d := s.ask(t)
			if d.Cause != s.cause {
				t.Errorf("cause %q (%s: %s), want %q", d.Cause, d.Code, d.Said, s.cause)
			}
			if d.Verdict == explain.Blocked || d.Verdict == explain.Unreachable {
				found := false
				for _, code := range d.Cause.Codes() {
					found = found || code == d.Code
				}
				if !found {
					t.Errorf("cause %q comes under code %q, which is not among its own %v", d.Cause, d.Code, d.Cause.Codes())
				}
			}
			delete(missing, d.Cause)
		})
	}
	delete(missing, "unknown")           // no fetch ends in it
	delete(missing, "stream-over-http1") // that needs a real server: see TestStreamOverHTTP1
	if len(missing) > 0 {
		t.Errorf("no scenario leads to %v", missing)
	}
}

func TestStreamOverHTTP1(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	req := &fetch.Request{URL: server.URL, Method: "POST", Stream: strings.NewReader("x")}
	d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: server.Client().Transport}, explain.Question{Page: server.URL, Request: req})
	if err != nil || d.Cause != "stream-over-http1" {
		t.Errorf("cause %q, %v, want %q", d.Cause, err, "stream-over-http1")
	}
}

// Nobody is told to allow null, which any page can take on.
func TestNullIsNeverWishedFor(t *testing.T) {
	for _, s := range scenarios() {
		if s.web == nil {
			continue
		}
		s.page = "null"
		d := s.ask(t)
		if d.Header.Want == "null" || strings.Contains(d.Mend(explain.English), "Access-Control-Allow-Origin: null") || strings.Contains(d.Config(explain.Nginx), `"null"`) {
			t.Errorf("%s: %s; want %q", s.cause, d.Mend(explain.English), d.Header.Want)
		}
	}
}

// What is told of each cause is golden, in both languages: it reads as a book of
// what goes wrong.
func TestTextOfEveryCause(t *testing.T) {
	for _, l := range []explain.Language{explain.English, explain.Japanese} {
		t.Run(l.String(), func(t *testing.T) {
			var all strings.Builder
			for _, s := range scenarios() {
				fmt.Fprintf(&all, "== %s\n\n%s\n", s.cause, text(s.ask(t).Text(explain.Amount{Language: l, Consoles: browsers, Servers: []explain.Server{explain.CORSYAML}})))
			}
			golden(t, "causes."+l.String()+".txt", all.String())
		})
	}
}

func TestNarrowAndWide(t *testing.T) {
	s := find("method-not-listed")
	for _, width := range []int{40, 80, 120} {
		lines := s.ask(t).Text(explain.Amount{Width: width, Servers: []explain.Server{explain.CORSYAML}})
		for _, line := range lines {
			// Configuration and URLs are to be copied, and not broken.
			if n := len([]rune(line.String())); n > width && !strings.HasPrefix(line.String(), "    ") && !strings.Contains(line.String(), "https://fetch.spec") {
				t.Errorf("at %d columns a line has %d: %s", width, n, line)
			}
		}
		golden(t, fmt.Sprintf("width.%d.txt", width), text(lines))
	}
}

// What people meet most is golden as terminals show it, narrow and wide: what is
// coloured stands in brackets, with its role.
func TestTerminalOfCommonCauses(t *testing.T) {
	common := []explain.Cause{
		"missing-allow-origin", "missing-after-preflight", "error-without-cors", "gateway-error", "login-redirect",
		"preflight-missing", "preflight-not-routed", "preflight-refused", "preflight-unauthorized", "preflight-redirect-https",
		"origin-slash", "origin-scheme", "origin-port", "origin-other", "shared-cache", "doubled-header", "origin-list",
		"wildcard-with-credentials", "allow-credentials-missing", "method-not-listed", "method-case", "method-wildcard",
		"authorization-wildcard", "content-type-not-listed", "header-not-listed", "mixed-content", "connection-refused",
	}
	for _, width := range []int{80, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var all strings.Builder
			for _, cause := range common {
				fmt.Fprintf(&all, "== %s\n\n", cause)
				for _, line := range find(cause).ask(t).Text(explain.Amount{Width: width}) {
					all.WriteString(coloured(line) + "\n")
				}
				all.WriteString("\n")
			}
			golden(t, fmt.Sprintf("terminal.%d.txt", width), all.String())
		})
	}
}

func coloured(line explain.Line) string {
	roles := map[explain.Role]string{explain.Bad: "bad", explain.Good: "good", explain.Warn: "warn", explain.Strong: "strong", explain.Faint: "faint"}
	var b strings.Builder
	for _, s := range line {
		if role := roles[s.Role]; role != "" && s.Text != "" {
			fmt.Fprintf(&b, "[%s %s]", role, s.Text)
		} else {
			b.WriteString(s.Text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func find(cause explain.Cause) scenario {
	for _, s := range scenarios() {
		if s.cause == cause {
			return s
		}
	}
	panic("no scenario " + cause)
}

func text(lines []explain.Line) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.String() + "\n")
	}
	return b.String()
}

func TestSVGIsXML(t *testing.T) {
	for _, s := range scenarios() {
		for _, l := range []explain.Language{explain.English, explain.Japanese} {
			svg := s.ask(t).SVG(l)
			if err := parseXML(svg); err != nil {
				t.Errorf("%s: the drawing is no XML: %v\n%s", s.cause, err, svg)
			}
		}
	}
	golden(t, "drawing.svg", string(find("method-not-listed").ask(t).SVG(explain.English)))
}

func parseXML(text []byte) error {
	d := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Whatever a server sends, what is written of it moves no cursor, changes no
// direction, and is as wide as it looks.
func TestHostileResponses(t *testing.T) {
	hostile := []string{
		"\x1b[2J\x1b[31mhello\x1b]0;title\x07", "a\rb", "\u202eevil", "日本語の値", "</text><script>alert(1)</script>", "\xff\xfe", "&amp;<![CDATA[", "\u0085\u2028",
		strings.Repeat("x", 1<<20), strings.Repeat("あ", 5000), "{origin} {value} {status}", "‘’", "😀",
	}
	for _, value := range hostile {
		names := []string{acao, acam, acah, "Location", "Vary", "Set-Cookie", "Cross-Origin-Resource-Policy", "Server"}
		if len(value) > 1<<16 {
			names = names[:1]
		}
		for _, name := range names {
			for _, status := range []int{200, 302} {
				a := says(status, acao, app, name, value)
				if name == acao {
					a = says(status, acao, value)
				}
				request := fetch.Request{URL: "https://api.example.com/" + "?q=%1b", Method: "PUT"}
				d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: web(always(a))}, explain.Question{Page: app + "/", Request: &request})
				if err != nil {
					t.Fatal(err)
				}
				clean(t, d, value)
			}
		}
	}
}

func clean(t *testing.T, d *explain.Diagnosis, value string) {
	t.Helper()
	for _, l := range []explain.Language{explain.English, explain.Japanese} {
		told := d.Text(explain.Amount{Language: l, Consoles: browsers})
		if len(told) > 300 {
			t.Errorf("%.40q makes %d lines", value, len(told))
		}
		for _, line := range told {
			for _, r := range line.String() {
				if unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
					t.Fatalf("%.40q lets %U through: %q", value, r, line.String())
				}
			}
			if l == explain.English && strings.Contains(line.String(), "日本") {
				t.Errorf("wide text gets through: %q", line.String())
			}
		}
		svg := d.SVG(l)
		if err := parseXML(svg); err != nil {
			t.Errorf("%.40q: the drawing is no XML: %v", value, err)
		}
		if strings.Contains(string(svg), "<script>") {
			t.Errorf("%.40q gets into the drawing", value)
		}
		if len(svg) > 64<<10 {
			t.Errorf("%.40q makes a drawing of %d bytes", value, len(svg))
		}
	}
}
