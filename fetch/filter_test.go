package fetch_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
)

// https://fetch.spec.whatwg.org/#concept-filtered-response
// https://fetch.spec.whatwg.org/#concept-filtered-response-basic
// https://fetch.spec.whatwg.org/#concept-filtered-response-cors
// https://fetch.spec.whatwg.org/#concept-filtered-response-opaque
// https://fetch.spec.whatwg.org/#concept-filtered-response-opaque-redirect
// https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
// https://fetch.spec.whatwg.org/#forbidden-response-header-name
// https://fetch.spec.whatwg.org/#null-body-status
// https://fetch.spec.whatwg.org/#fetch-finale
func TestWhatAPageSees(t *testing.T) {
	const expose = "Access-Control-Expose-Headers"
	credentialed := []string{acao, "https://app.example.com", acac, "true"}
	for _, tt := range []struct {
		row     string
		request fetch.Request
		status  int
		header  []string
		want    string // type, status and text, body, then the names of headers
	}{
		{"all of its own origin, but for cookies", fetch.Request{URL: "/"}, 200, []string{"X-A", "1", "Set-Cookie", "a=1", "Set-Cookie2", "a=1"}, "basic 200 OK hello X-A"},
		{"the seven names of another", fetch.Request{URL: api}, 200,
			[]string{acao, "*", "Cache-Control", "no-store", "Content-Language", "en", "Content-Type", "text/plain", "Expires", "0", "Last-Modified", "0", "Pragma", "a", "X-A", "1", "ETag", "a"},
			"cors 200 OK hello Cache-Control Content-Language Content-Type Expires Last-Modified Pragma"},
		{"what is exposed, in any letters", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "x-a, X-B", "X-A", "1", "x-b", "2", "X-C", "3"}, "cors 200 OK hello X-A X-B"},
		{"all names, by a star", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "*", "X-A", "1"}, "cors 200 OK hello Access-Control-Allow-Origin Access-Control-Expose-Headers X-A"},
		{"a star among names is a star", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "X-B, *", "X-A", "1"}, "cors 200 OK hello Access-Control-Allow-Origin Access-Control-Expose-Headers X-A"},
		{"with credentials a star is a name", fetch.Request{URL: api, Credentials: fetch.CredentialsInclude}, 200, append(credentialed, expose, "*", "X-A", "1", "*", "2"), "cors 200 OK hello *"},
		{"cookies never, by name", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "Set-Cookie", "Set-Cookie", "a=1"}, "cors 200 OK hello"},
		{"cookies never, by a star", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "*", "Set-Cookie", "a=1"}, "cors 200 OK hello Access-Control-Allow-Origin Access-Control-Expose-Headers"},
		{"nothing, of a list that does not parse", fetch.Request{URL: api}, 200, []string{acao, "*", expose, "X-A; X-B", "X-A", "1"}, "cors 200 OK hello"},
		{"errors too", fetch.Request{URL: api}, 500, []string{acao, "*"}, "cors 500 Internal Server Error hello"},
		{"nothing in mode no-cors", fetch.Request{URL: api, Mode: fetch.ModeNoCORS}, 200, []string{acao, "*", expose, "*"}, "opaque 0"},
		{"nothing of a redirect that is not followed", fetch.Request{URL: api, Redirect: fetch.RedirectManual}, 302, []string{acao, "*", "Location", "/"}, "opaqueredirect 0"},
		{"no body with 204", fetch.Request{URL: "/"}, 204, nil, "basic 204 No Content"},
		{"no body with 205, though one came", fetch.Request{URL: "/"}, 205, nil, "basic 205 Reset Content"},
		{"no body with HEAD, though one came", fetch.Request{URL: "/", Method: "HEAD"}, 200, nil, "basic 200 OK"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				h := http.Header{}
				for i := 0; i < len(tt.header); i += 2 {
					h.Add(tt.header[i], tt.header[i+1])
				}
				return &http.Response{Status: fmt.Sprint(tt.status, " ", http.StatusText(tt.status)), StatusCode: tt.status, ProtoMajor: 1, Header: h, Body: io.NopCloser(strings.NewReader("hello"))}, nil
			})}
			res, err := b.Open(app).Fetch(t.Context(), &tt.request)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(res.Type, " ", res.Status, " ", res.StatusText, " ", string(body))
			for _, f := range res.Header {
				got += " " + f.Name
			}
			if got := strings.Join(strings.Fields(got), " "); got != tt.want {
				t.Errorf("the page sees %q, want %q", got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-tao-check
func TestTimingIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		row string
		web web
		url string
		tao bool
	}{
		{"of the page's own origin", web{}, "/", true},
		{"not of another", web{}, api, false},
		{"of another that says so", web{"api.example.com/users": says(200, acao, "*", "Timing-Allow-Origin", "https://app.example.com")}, api, true},
		{"not where a redirect does not say so", web{
			"api.example.com/users": redirects(302, "https://other.example/"), "other.example/": says(200, acao, "*", "Timing-Allow-Origin", "*"),
		}, api, false},
		{"not to an origin that a redirect has made null", web{
			"api.example.com/users": says(302, acao, "*", "Timing-Allow-Origin", "*", "Location", "https://other.example/"),
			"other.example/":        says(200, acao, "*", "Timing-Allow-Origin", "https://app.example.com"),
		}, api, false},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{tt.web}}
			res, err := b.Open(app).Fetch(t.Context(), &fetch.Request{URL: tt.url})
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.TimingAllowed != tt.tao {
				t.Errorf("timing of %s allowed %t, want %t", tt.url, res.TimingAllowed, tt.tao)
			}
		})
	}
}
