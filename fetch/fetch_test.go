package fetch_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// serve is a transport in which h answers for every host.
type serve struct{ h http.Handler }

func (s serve) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	s.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// https://fetch.spec.whatwg.org/#concept-cors-check
// https://fetch.spec.whatwg.org/#concept-header-list-get
func TestCORSCheckDecidesWhatThePageMayRead(t *testing.T) {
	const page = "https://app.example.com/"
	tests := []struct {
		row         string
		credentials fetch.Credentials
		header      http.Header
		want        fetch.Code // 0 if it may be read
	}{
		{"nothing said", "", http.Header{}, fetch.CodeMissingAllowOrigin},
		{"any origin", "", http.Header{"Access-Control-Allow-Origin": {"*"}}, 0},
		{"the origin", "", http.Header{"Access-Control-Allow-Origin": {"https://app.example.com"}}, 0},
		{"another origin", "", http.Header{"Access-Control-Allow-Origin": {"https://other.example"}}, fetch.CodeOriginMismatch},
		{"a slash too many", "", http.Header{"Access-Control-Allow-Origin": {"https://app.example.com/"}}, fetch.CodeOriginMismatch},
		{"the origin twice", "", http.Header{"Access-Control-Allow-Origin": {"https://app.example.com", "https://app.example.com"}}, fetch.CodeMultipleAllowOrigin},
		{"any origin with credentials", fetch.CredentialsInclude, http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"}}, fetch.CodeWildcardOrigin},
		{"credentials not allowed", fetch.CredentialsInclude, http.Header{"Access-Control-Allow-Origin": {"https://app.example.com"}}, fetch.CodeAllowCredentials},
		{"credentials in other letters", fetch.CredentialsInclude, http.Header{"Access-Control-Allow-Origin": {"https://app.example.com"}, "Access-Control-Allow-Credentials": {"True"}}, fetch.CodeAllowCredentials},
		{"credentials allowed", fetch.CredentialsInclude, http.Header{"Access-Control-Allow-Origin": {"https://app.example.com"}, "Access-Control-Allow-Credentials": {"true"}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				io.WriteString(w, "hello")
			})}}
			res, err := b.Open(page).Fetch(t.Context(), &fetch.Request{URL: "https://api.example.com/", Credentials: tt.credentials})
			var blocked *fetch.BlockedError
			if errors.As(err, &blocked) {
				if blocked.Code != tt.want {
					t.Errorf("%q with credentials %q: %v, want code %q", tt.header, tt.credentials, err, tt.want)
				}
				return
			}
			if err != nil || tt.want != 0 {
				t.Fatalf("%q with credentials %q: error %v, want code %q", tt.header, tt.credentials, err, tt.want)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); string(body) != "hello" || err != nil {
				t.Errorf("body = %q, %v, want %q", body, err, "hello")
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-http-fetch
func TestPreflightIsSentOnceAndThenCached(t *testing.T) {
	var got []string
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.Header.Get("Access-Control-Request-Headers"))
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
		w.Header().Set("Access-Control-Allow-Headers", "x-a, x-b")
	})}}
	page := b.Open("https://app.example.com/")
	for range 2 {
		res, err := page.Fetch(t.Context(), &fetch.Request{URL: "https://api.example.com/", Method: "put", Header: []header.Field{{Name: "X-B", Value: "1"}, {Name: "X-A", Value: "1"}}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	want := []string{"OPTIONS x-a,x-b", "PUT ", "PUT "}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("requests = %q, want %q", got, want)
	}
}

func TestPagesOfExtensionsAndAppsHaveATupleOrigin(t *testing.T) {
	tests := []struct{ url, want string }{
		{"chrome-extension://abcdefghijklmnop/popup.html", "chrome-extension://abcdefghijklmnop"},
		{"capacitor://localhost/", "capacitor://localhost"},
		{"tauri://localhost:1420/", "tauri://localhost:1420"},
		{"data:text/html,hello", "null"},
		{"file:///home/index.html", "null"},
		{"blob:https://app.example.com/1", "https://app.example.com"},
	}
	for _, tt := range tests {
		if got := new(fetch.Browser).Open(tt.url).Origin().String(); got != tt.want {
			t.Errorf("a page at %q has origin %q, want %q", tt.url, got, tt.want)
		}
	}
}

func TestCodesThatOtherHeadersWouldMend(t *testing.T) {
	tests := []struct {
		code fetch.Code
		want bool
	}{
		{fetch.CodeUnknown, false},
		{fetch.CodeNetwork, false},
		{fetch.CodeAborted, false},
		{fetch.CodeMissingAllowOrigin, true},
		{fetch.CodePreflightStatus, true},
		{fetch.CodeHeaderNotAllowed, true},
	}
	for _, tt := range tests {
		if got := tt.code.IsCORS(); got != tt.want {
			t.Errorf("%q.IsCORS() = %t, want %t", tt.code, got, tt.want)
		}
	}
}
