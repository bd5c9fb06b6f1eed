package har_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/har"
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
)

// request and response make an entry of a recording.
func entry(method, url string, requestHeader []string, status int, responseHeader []string, more string) string {
	return fmt.Sprintf(`{"request":{"method":%q,"url":%q,"headers":%s},"response":{"status":%d,"headers":%s}%s}`,
		method, url, headers(requestHeader), status, headers(responseHeader), more)
}

func headers(namesAndValues []string) string {
	type field struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	list := []field{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		list = append(list, field{namesAndValues[i], namesAndValues[i+1]})
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func recording(entries ...string) string {
	return `{"log":{"pages":[{"id":"p","title":"https://app.example.com/"}],"entries":[` + strings.Join(entries, ",") + `]}}`
}

func causes(t *testing.T, text string) (all []explain.Cause) {
	t.Helper()
	s, err := har.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Fetches {
		d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: f}, explain.Question{Page: f.Page, Opaque: f.Opaque, Request: f.Request})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Cause)
	}
	return all
}

func TestSessions(t *testing.T) {
	const app, api = "https://app.example.com", "https://api.example.com/users"
	asks := []string{"Origin", app, "Sec-Fetch-Mode", "cors"}
	preflight := []string{"Origin", app, "Access-Control-Request-Method", "PUT"}
	tests := []struct {
		row  string
		text string
		want string
	}{
		{"without the header", recording(entry("GET", api, asks, 200, nil, "")), "[missing-allow-origin]"},
		{"one that works", recording(entry("GET", api, asks, 200, []string{"Access-Control-Allow-Origin", "*"}, "")), "[works]"},
		{"navigations and images are left alone", recording(entry("GET", app, []string{"Sec-Fetch-Mode", "navigate"}, 200, nil, ""), entry("GET", api, []string{"Sec-Fetch-Mode", "no-cors"}, 200, nil, "")), "[]"},
		{
			"a preflight that says no, before its request",
			recording(entry("OPTIONS", api, preflight, 204, []string{"Access-Control-Allow-Origin", app}, ""), entry("PUT", api, asks, 0, nil, `,"_error":"net::ERR_FAILED"`)),
			"[method-list-missing]",
		},
		{
			"a preflight that says no, behind its request",
			recording(entry("PUT", api, asks, 0, nil, `,"_error":"net::ERR_FAILED"`), entry("OPTIONS", api, preflight, 405, nil, `,"_resourceType":"preflight"`)),
			"[preflight-not-routed]",
		},
		{"a preflight that is not recorded, and an answer", recording(entry("PUT", api, asks, 200, nil, "")), "[missing-after-preflight]"},
		{"nothing is recorded", recording(entry("GET", api, asks, 0, nil, `,"_error":"net::ERR_FAILED"`)), "[not-recorded]"},
		{"nobody there", recording(entry("GET", api, asks, 0, nil, `,"_error":"net::ERR_CONNECTION_REFUSED"`)), "[connection-refused]"},
		{"a certificate", recording(entry("GET", api, asks, 0, nil, `,"_error":"net::ERR_CERT_DATE_INVALID"`)), "[tls-expired]"},
		{
			"a redirect is one fetch",
			recording(
				entry("GET", api, asks, 302, []string{"Access-Control-Allow-Origin", app, "Location", "https://cdn.example.net/users"}, ""),
				entry("GET", "https://cdn.example.net/users", []string{"Origin", "null", "Sec-Fetch-Mode", "cors"}, 200, []string{"Access-Control-Allow-Origin", app}, "")),
			"[origin-tainted]",
		},
		{"two lines, as Chromium joins them", recording(entry("GET", api, asks, 200, []string{"access-control-allow-origin", app + "\n*"}, "")), "[doubled-header]"},
		{"a page known by its title alone", recording(entry("GET", api, nil, 200, nil, `,"_resourceType":"xhr","pageref":"p"`)), "[missing-allow-origin]"},
		{"a sandboxed page", recording(entry("GET", api, []string{"Origin", "null"}, 200, []string{"Access-Control-Allow-Origin", app}, "")), "[origin-opaque]"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := fmt.Sprint(causes(t, tt.text)); got != tt.want {
				t.Errorf("causes %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	for _, text := range []string{"", "{", `{"log":{}}`, `[]`} {
		if _, err := har.Read(strings.NewReader(text)); err == nil {
			t.Errorf("Read(%q) has no error", text)
		}
	}
}

// Whatever is in a recording, it is explained or refused; nothing panics, and
// nothing is asked of the network.
func FuzzRead(f *testing.F) {
	f.Add(recording(entry("PUT", "https://api.example.com/", []string{"Origin", "https://a.example"}, 302, []string{"Location", "/"}, "")))
	f.Add(`{"log":{"entries":[null,{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := har.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, one := range s.Fetches {
			d, err := explain.Ask(t.Context(), &fetch.Browser{Transport: one}, explain.Question{Page: one.Page, Opaque: one.Opaque, Request: one.Request})
			if err != nil {
				continue // no page can make it
			}
			if d.Sentence(explain.English) == "" {
				t.Errorf("cause %q has no words", d.Cause)
			}
		}
	})
}

var _ http.RoundTripper = (*har.Fetch)(nil)
