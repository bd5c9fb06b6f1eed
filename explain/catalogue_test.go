package explain_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// The stage on which the three browsers were recorded: testdata/console.json.
const (
	pageA = "http://localhost:7301"
	hostB = "http://localhost:7302"
	hostC = "http://127.0.0.1:7303"
)

// answer is one scripted answer; status 0 breaks the connection with err.
type answer struct {
	status int
	fields []header.Field
	err    error
}

func says(status int, namesAndValues ...string) answer {
	a := answer{status: status}
	for i := 0; i < len(namesAndValues); i += 2 {
		a.fields = append(a.fields, header.Field{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return a
}

// A failure of the catalogue: what the page asks, and what the server answers to
// the preflight and to the request.
type failure struct {
	id        string
	request   fetch.Request
	preflight answer
	actual    answer
	cause     explain.Cause
}

const (
	acao = header.AccessControlAllowOrigin
	acac = header.AccessControlAllowCredentials
	acam = header.AccessControlAllowMethods
	acah = header.AccessControlAllowHeaders
)

var (
	get     = fetch.Request{}
	put     = fetch.Request{Method: "PUT"}
	withXA  = fetch.Request{Header: []header.Field{{Name: "x-a", Value: "1"}}}
	include = fetch.CredentialsInclude
	allowed = says(200, acao, pageA)
	reset   = answer{err: io.EOF}
)

func with(r fetch.Request, change func(*fetch.Request)) fetch.Request {
	change(&r)
	return r
}

func credentialed(r fetch.Request) fetch.Request {
	return with(r, func(r *fetch.Request) { r.Credentials = include })
}

func at(url string) fetch.Request { return fetch.Request{URL: url} }

var catalogue = []failure{
	{"missing", get, answer{}, says(200), "missing-allow-origin"},
	{"mismatch", get, answer{}, says(200, acao, "http://other.test"), "origin-other"},
	{"slash", get, answer{}, says(200, acao, pageA+"/"), "origin-slash"},
	{"null-acao", get, answer{}, says(200, acao, "null"), "origin-null-value"},
	{"list-comma", get, answer{}, says(200, acao, pageA+", http://x.test"), "origin-list"},
	{"list-space", get, answer{}, says(200, acao, pageA+" http://x.test"), "origin-list"},
	{"two-lines", get, answer{}, says(200, acao, pageA, acao, pageA), "doubled-header"},
	{"two-lines-star", get, answer{}, says(200, acao, "*", acao, pageA), "doubled-header"},
	{"invalid-word", get, answer{}, says(200, acao, "localhost:7301"), "origin-without-scheme"},
	{"empty-acao", get, answer{}, says(200, acao, ""), "origin-empty"},
	{"pattern", get, answer{}, says(200, acao, "http://*.localhost"), "origin-pattern"},
	{"star-creds", credentialed(get), answer{}, says(200, acao, "*"), "wildcard-with-credentials"},
	{"no-acac", credentialed(get), answer{}, allowed, "allow-credentials-missing"},
	{"acac-True", credentialed(get), answer{}, says(200, acao, pageA, acac, "True"), "allow-credentials-value"},
	{"acac-empty", credentialed(get), answer{}, says(200, acao, pageA, acac, ""), "allow-credentials-value"},
	{"status-500", get, answer{}, says(500), "error-without-cors"},
	{"reset", get, answer{}, reset, "connection-reset"},
	{"pf-404", put, says(404, acao, pageA), allowed, "preflight-not-routed"},
	{"pf-404-noacao", put, says(404), allowed, "preflight-not-routed"},
	{"pf-500-allok", put, says(500, acao, pageA, acam, "PUT"), allowed, "preflight-status"},
	{"pf-redirect", put, says(302, acao, pageA, "Location", hostB+"/x"), allowed, "preflight-redirect"},
	{"pf-missing", put, says(204), allowed, "preflight-missing"},
	{"pf-mismatch", put, says(204, acao, "http://o.test"), allowed, "origin-other"},
	{"pf-two", put, says(204, acao, pageA, acao, pageA), allowed, "doubled-header"},
	{"pf-invalid", put, says(204, acao, "foo"), allowed, "origin-not-an-origin"},
	{"pf-star-creds", credentialed(put), says(204, acao, "*", acam, "PUT"), allowed, "wildcard-with-credentials"},
	{"pf-no-acac", credentialed(put), says(204, acao, pageA, acam, "PUT"), allowed, "allow-credentials-missing"},
	{"pf-method", put, says(204, acao, pageA, acam, "GET, POST"), allowed, "method-not-listed"},
	{"pf-method-none", put, says(204, acao, pageA), allowed, "method-list-missing"},
	{"pf-method-case", fetch.Request{Method: "patch"}, says(204, acao, pageA, acam, "PATCH"), allowed, "method-case"},
	{"pf-method-star-creds", credentialed(put), says(204, acao, pageA, acac, "true", acam, "*"), allowed, "method-wildcard"},
	{"pf-method-unparsable", put, says(204, acao, pageA, acam, "PUT; GET, @"), allowed, "methods-syntax"},
	{"pf-header", withXA, says(204, acao, pageA, acah, "x-b"), allowed, "header-not-listed"},
	{"pf-header-none", withXA, says(204, acao, pageA), allowed, "header-list-missing"},
	{"pf-header-unparsable", withXA, says(204, acao, pageA, acah, "x-a; x-b, @ @"), allowed, "headers-syntax"},
	{"pf-header-star-creds", credentialed(withXA), says(204, acao, pageA, acac, "true", acah, "*"), allowed, "header-wildcard"},
	{"pf-auth-star", fetch.Request{Header: []header.Field{{Name: "authorization", Value: "Bearer x"}}}, says(204, acao, pageA, acah, "*"), allowed, "authorization-wildcard"},
	{"pf-json", fetch.Request{Method: "POST", Body: []byte("{}"), Header: []header.Field{{Name: "Content-Type", Value: "application/json"}}}, says(204, acao, pageA), allowed, "content-type-not-listed"},
	{"pf-reset", put, reset, allowed, "connection-reset"},
	{"pf-ok-actual-missing", put, says(204, acao, pageA, acam, "PUT"), says(200), "missing-after-preflight"},
	{"redir-noacao", get, answer{}, says(302, "Location", hostB+"/ok"), "redirect-without-cors"},
	{"redir-userinfo", get, answer{}, says(302, acao, pageA, "Location", "http://u:p@localhost:7303/ok"), "redirect-credentials"},
	{"redir-data", get, answer{}, says(302, acao, pageA, "Location", "data:,x"), "redirect-scheme"},
	{"redir-other-mismatch", get, answer{}, says(302, acao, pageA, "Location", hostC+"/echo-a"), "origin-tainted"},
	{"redir-error-mode", fetch.Request{Redirect: fetch.RedirectError}, answer{}, says(302, acao, pageA, "Location", hostB+"/ok"), "redirect-error"},
	{"redir-loop", get, answer{}, says(302, acao, pageA, "Location", "/c/redir-loop"), "redirect-loop"},
	{"redir-ftp", get, answer{}, says(302, acao, pageA, "Location", "ftp://x/"), "redirect-scheme"},
	{"same-origin-mode", fetch.Request{Mode: fetch.ModeSameOrigin}, answer{}, allowed, "same-origin-mode"},
	{"file-url", at("file:///etc/hosts"), answer{}, answer{}, "scheme"},
	{"scheme-x", at("foo://bar/"), answer{}, answer{}, "scheme"},
	{"refused", at("http://localhost:7399/"), answer{}, answer{err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}, "connection-refused"},
	{"corp-nocors", fetch.Request{Mode: fetch.ModeNoCORS}, answer{}, says(200, "Cross-Origin-Resource-Policy", "same-origin"), "corp"},
	{"bad-port", at("http://localhost:6000/"), answer{}, answer{}, "bad-port"},
	{"nxdomain", at("http://nope.invalid/"), answer{}, answer{err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "nope.invalid", Err: "no such host", IsNotFound: true}}}, "name-not-resolved"},
}

// moreFailures are recorded too, and not part of the catalogue.
var moreFailures = []failure{
	{"integrity", fetch.Request{Integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, answer{}, allowed, "integrity"},
	{"nocors-manual", fetch.Request{Mode: fetch.ModeNoCORS, Redirect: fetch.RedirectManual}, answer{}, allowed, "no-cors-redirect-mode"},
	{"blob", at("blob:http://localhost:7301/00000000-0000-0000-0000-000000000000"), answer{}, answer{}, "blob-url"},
	{"data-bad", at("data:text/plain"), answer{}, answer{}, "data-url"},
	{"about", at("about:config"), answer{}, answer{}, "scheme"},
	{"location-bad", get, answer{}, says(302, acao, pageA, "Location", "https://["), "location"},
	{"keepalive", fetch.Request{Method: "POST", Keepalive: true, Body: make([]byte, 70000)}, answer{}, allowed, "keepalive-size"},
	{"nul-header", get, answer{}, says(200, acao, pageA, "X-A", "a\x00b"), "malformed-response"},
	{"https-http", at("https://localhost:7302/"), answer{}, answer{err: errors.New("http: server gave HTTP response to HTTPS client")}, "https-to-http"},
	{"http-https", at("http://localhost:7305/"), answer{}, answer{err: errors.New(`malformed HTTP response "\x15\x03\x01"`)}, "http-to-https"},
	{"tls-selfsigned", at("https://localhost:7305/"), answer{}, answer{err: x509.UnknownAuthorityError{}}, "tls-untrusted"},
	{"pf-401", put, says(401), allowed, "preflight-unauthorized"},
	{"pf-login", put, says(302, "Location", hostB+"/login"), allowed, "preflight-redirect-login"},
	{"auth-notlisted", fetch.Request{Header: []header.Field{{Name: "authorization", Value: "x"}}}, says(204, acao, pageA, acah, "x-b"), allowed, "authorization-not-listed"},
	{"redir-mismatch", get, answer{}, says(302, acao, "http://other.test", "Location", hostB+"/ok"), "origin-other"},
	{"redir-two", get, answer{}, says(302, acao, pageA, acao, pageA, "Location", hostB+"/ok"), "doubled-header"},
	{"redir-star-creds", credentialed(get), answer{}, says(302, acao, "*", "Location", hostB+"/ok"), "wildcard-with-credentials"},
	{"redir-second-missing", get, answer{}, says(302, acao, pageA, "Location", hostB+"/noacao"), "missing-allow-origin"},
	{"mime", fetch.Request{Mode: fetch.ModeNoCORS, Destination: fetch.DestinationScript}, answer{}, says(200, "Content-Type", "image/png"), "mime-type"},
	{"nosniff-script", fetch.Request{Mode: fetch.ModeNoCORS, Destination: fetch.DestinationScript}, answer{}, says(200, "Content-Type", "text/plain", "X-Content-Type-Options", "nosniff"), "nosniff"},
	{"nosniff-style", fetch.Request{Mode: fetch.ModeNoCORS, Destination: fetch.DestinationStyle}, answer{}, says(200, "Content-Type", "text/plain", "X-Content-Type-Options", "nosniff"), "nosniff"},
	{"mixed", at("http://insecure.test/users"), answer{}, answer{}, "mixed-content"},
	{"502", get, answer{}, says(502), "gateway-error"},
	{"headers-mixed", fetch.Request{Header: []header.Field{{Name: "X-Token", Value: "1"}}}, says(204, acao, pageA, acah, "x-other"), allowed, "header-not-listed"},
}

// inexact are the lines that hold what is not known here: a digest.
var inexact = regexp.MustCompile(`digest|computed hash|^Failed integrity`)

// stage answers as the recorder's servers did.
type stage struct{ failure }

func (s stage) RoundTrip(req *http.Request) (*http.Response, error) {
	a := s.actual
	switch {
	case req.URL.Path == "/noacao":
		a = says(200)
	case req.URL.Path == "/ok" || req.URL.Path == "/echo-a":
		a = allowed
	case req.Method == http.MethodOptions:
		a = s.preflight
	}
	return a.response(req)
}

func (a answer) response(req *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	res := &http.Response{
		StatusCode: a.status, Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader("body")),
	}
	for _, f := range a.fields {
		res.Header.Add(f.Name, f.Value)
	}
	return res, nil
}

func (f failure) url() string {
	if f.request.URL != "" {
		return f.request.URL
	}
	return hostB + "/c/" + f.id
}

func (f failure) diagnose(t *testing.T, profile fetch.Profile) *explain.Diagnosis {
	t.Helper()
	req := f.request
	req.URL = f.url()
	page := pageA
	if f.id == "mixed" {
		page = "https://localhost:7306"
	}
	d, err := explain.Ask(t.Context(), &fetch.Browser{Profile: profile, Transport: stage{f}}, explain.Question{Page: page + "/run", Request: &req, ShowSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCatalogueCauses(t *testing.T) {
	for _, f := range slices.Concat(catalogue, moreFailures) {
		t.Run(f.id, func(t *testing.T) {
			if got := f.diagnose(t, fetch.Standard).Cause; got != f.cause {
				t.Errorf("cause %q, want %q", got, f.cause)
			}
		})
	}
	if len(catalogue) != 54 {
		t.Errorf("the catalogue has %d failures, want 54", len(catalogue))
	}
}

// recordings are what the browsers' consoles really said.
func recordings(t *testing.T) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "console.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases map[string]map[string][]string `json:"cases"`
		More  map[string]map[string][]string `json:"more"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	maps.Copy(file.Cases, file.More)
	return file.Cases
}

var browsers = []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit}

// What a diagnosis says that each browser prints is what it prints.
func TestConsoleAsRecorded(t *testing.T) {
	recorded := recordings(t)
	for _, f := range slices.Concat(catalogue, moreFailures) {
		for _, profile := range browsers {
			t.Run(f.id+"/"+profile.String(), func(t *testing.T) {
				got := f.diagnose(t, fetch.Standard).Console(profile)
				want := slices.Clone(recorded[f.id][profile.String()])
				for i := range want {
					want[i] = strings.ReplaceAll(want[i], "{url}", f.url())
				}
				want, got = slices.DeleteFunc(want, inexact.MatchString), slices.DeleteFunc(got, inexact.MatchString)
				if diff := cmp.Diff(want, got, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
					t.Errorf("console (-recorded +said):\n%s", diff)
				}
			})
		}
	}
}

// Whatever a browser really printed is recognised, and leads to the code that the
// engine finds.
func TestRecogniseRecorded(t *testing.T) {
	for _, f := range slices.Concat(catalogue, moreFailures) {
		for _, profile := range browsers {
			lines := recordings(t)[f.id][profile.String()]
			if len(lines) == 0 || f.id == "redir-error-mode" && profile == fetch.Chromium || f.id == "blob" && profile == fetch.WebKit {
				continue // it says nothing, or nothing but that it failed
			}
			t.Run(f.id+"/"+profile.String(), func(t *testing.T) {
				text := strings.ReplaceAll(strings.Join(lines, "\n"), "{url}", f.url())
				heard := explain.Recognise(text)
				if len(heard) != 1 {
					t.Fatalf("recognised %d messages in %q, want 1: %+v", len(heard), text, heard)
				}
				if heard[0].Browser != profile {
					t.Errorf("browser %s, want %s", heard[0].Browser, profile)
				}
				want := f.diagnose(t, fetch.Standard)
				if got := heard[0].Diagnose(true); !sameCode(got, want, profile) {
					t.Errorf("%q means %q (%s), want %q (%s)", text, got.Cause, got.Code, want.Cause, want.Code)
				}
			})
		}
	}
}

func TestRecogniseWhatIsPasted(t *testing.T) {
	const before = "Access to fetch at 'https://api.example.com/' from origin 'https://app.example.com' has been blocked by CORS policy: "
	tests := []struct {
		row, text string
		want      explain.Cause
	}{
		{"without the advice at the end", before + "The 'Access-Control-Allow-Origin' header contains multiple values 'https://a.example, https://b.example', but only one is allowed.", "origin-list"},
		{"with the advice of an earlier version", before + "The 'Access-Control-Allow-Origin' header has a value 'https://a.example' that is not equal to the supplied origin. " +
			"Have the server send the header with a valid value, or, if an opaque response serves your needs, set the request's mode to 'no-cors' to fetch the resource with CORS disabled.", "origin-other"},
		{"with what an earlier version says of opaque responses", before + "No 'Access-Control-Allow-Origin' header is present on the requested resource. " +
			"If an opaque response serves your needs, set the request's mode to 'no-cors' to fetch the resource with CORS disabled.", "missing-allow-origin"},
		{"without the full stop at the end", before + "Response to preflight request doesn't pass access control check: It does not have HTTP ok status", "preflight-status"},
		{"a preflight's status, of which Chromium says no more", before + "Response to preflight request doesn't pass access control check: It does not have HTTP ok status.", "preflight-status"},
		{"the end alone", "Request header field X-CSRF-TOKEN is not allowed by Access-Control-Allow-Headers in preflight response", "header-not-listed"},
		{"Firefox, which does not name the page", "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/. (Reason: CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 200.", "missing-allow-origin"},
		{"Firefox of another scheme, without the full stop", "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at file:///home/me/a.php. (Reason: CORS request not http)", "scheme"},
		{"Firefox of 2014, with no reason", "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/. This can be fixed by moving the resource to the same domain or enabling CORS.", "unknown"},
		{"Chromium of 2017, with the page at the end", "Fetch API cannot load https://api.example.com/. No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'https://app.example.com' is therefore not allowed access.", "missing-allow-origin"},
		{"Chromium of 2017, a page that is a file", "XMLHttpRequest cannot load https://api.example.com/. No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'null' is therefore not allowed access.", "origin-opaque"},
		{"Chromium of 2015, a status", "XMLHttpRequest cannot load https://api.example.com/. Invalid HTTP status code 405", "preflight-not-routed"},
		{"Chromium of 2017, a status", "XMLHttpRequest cannot load https://api.example.com/. Response for preflight has invalid HTTP status code 404", "preflight-not-routed"},
		{"Chromium of 2017, a redirect", "XMLHttpRequest cannot load https://api.example.com/. Response for preflight is invalid (redirect)", "preflight-redirect"},
		{"Chromium of 2016, a redirect", "XMLHttpRequest cannot load https://api.example.com/. The request was redirected to 'https://www.example.com/', which is disallowed for cross-origin requests that require preflight.", "preflight-redirect"},
		{"mixed content of an XMLHttpRequest", "Mixed Content: The page at 'https://app.example.com/' was loaded over HTTPS, but requested an insecure XMLHttpRequest endpoint 'http://api.example.com/'. This request has been blocked; the content must be served over HTTPS.", "mixed-content"},
		{"Safari, an XMLHttpRequest", "[Error] XMLHttpRequest cannot load https://api.example.com/ due to access control checks.", "unknown"},
		{"Safari, the reason and its echo", "[Error] Origin https://app.example.com is not allowed by Access-Control-Allow-Origin.\n[Error] XMLHttpRequest cannot load https://api.example.com/ due to access control checks.", "missing-allow-origin"},
		{"behind where in the code it happened", "app.js:12:3 " + before + "The 'Access-Control-Allow-Origin' header contains the invalid value 'foo'.", "origin-not-an-origin"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			heard := explain.Recognise(tt.text)
			if len(heard) != 1 {
				t.Fatalf("recognised %d messages in %q, want 1", len(heard), tt.text)
			}
			if got := heard[0].Diagnose(true).Cause; got != tt.want {
				t.Errorf("%q means %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// What the browser does not say is not made up: Firefox never names the page, and
// a page that is not named is not one without an origin.
func TestDiagnoseHeardWithoutPage(t *testing.T) {
	heard := explain.Recognise("Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.\nFetch API cannot load https://api.example.com/users due to access control checks.")
	if len(heard) != 1 || heard[0].Page != "" {
		t.Fatalf("heard %+v, want one message that names no page", heard)
	}
	if got := heard[0].Diagnose(true); got.Header.Want != "https://app.example.com" || got.BlockedAt != "https://api.example.com/users" {
		t.Errorf("%s at %s, want the configurations' origin at the URL that WebKit's second line names", got.Header.Want, got.BlockedAt)
	}
	heard[0].Page = "https://shop.example.com"
	if got := heard[0].Diagnose(true).Header.Want; got != "https://shop.example.com" {
		t.Errorf("with the page named, should be %q", got)
	}
}

// What is said for any cause is recognised too, where it says more than that the
// fetch failed.
func TestRecogniseWhatIsSaid(t *testing.T) {
	for _, s := range scenarios() {
		d := s.ask(t)
		for _, profile := range browsers {
			said := d.Console(profile)
			if len(said) == 0 || len(said) == 1 && saysNothing.MatchString(said[0]) {
				continue
			}
			heard := explain.Recognise(strings.Join(said, "\n"))
			if len(heard) != 1 {
				t.Errorf("%s in %s: recognised %d messages in %q, want 1: %+v", s.cause, profile, len(heard), said, heard)
				continue
			}
			if got := heard[0].Diagnose(true); !sameCode(got, d, profile) {
				t.Errorf("%s in %s: %q means %q (%s), want %q (%s)", s.cause, profile, said, got.Cause, got.Code, d.Cause, d.Code)
			}
		}
	}
}

// saysNothing is what stands for failures of any kind.
var saysNothing = regexp.MustCompile(`^Failed to load resource(: net::ERR_FAILED)?$|^Fetch API cannot load \S+ due to access control checks\.$`)

// sameCode reports whether got is as near to want as what the browser says lets
// it be.
func sameCode(got, want *explain.Diagnosis, profile fetch.Profile) bool {
	schemes := []fetch.Code{fetch.CodeScheme, fetch.CodeFileURL, fetch.CodeAboutURL} // which browsers tell apart in other ways
	if got.Code == want.Code || got.Cause == want.Cause || slices.Contains(schemes, got.Code) && slices.Contains(schemes, want.Code) {
		return true
	}
	switch {
	case profile == fetch.WebKit && got.Code == fetch.CodeMissingAllowOrigin:
		return want.Code == fetch.CodeOriginMismatch || want.Code == fetch.CodeMultipleAllowOrigin // one text for all
	case got.Cause == "connection-reset":
		return want.Cause == "http-to-https" // the same seen from outside
	case profile == fetch.WebKit && got.Code == fetch.CodeRedirectScheme:
		return want.Code == fetch.CodeLocation
	case profile == fetch.Chromium && got.Cause == "preflight-redirect":
		return strings.HasPrefix(string(want.Cause), "preflight-redirect-") // a redirect is not looked into
	case profile == fetch.WebKit && got.Code == fetch.CodePreflightStatus:
		return want.Code == fetch.CodeMissingAllowOrigin // the status is checked first
	case profile == fetch.Firefox && got.Code == fetch.CodeOriginMismatch:
		return want.Code == fetch.CodeMultipleAllowOrigin
	case profile == fetch.Firefox && got.Code == fetch.CodeNetwork:
		return !want.Code.IsCORS() // one text for all
	case profile == fetch.Firefox && got.Code == fetch.CodeScheme:
		return want.Code == fetch.CodeRedirectScheme
	}
	return false
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -u rewrites it):\n%s", file, diff)
	}
}
