package fetch_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// An ask is a fetch by a page, after some time has passed, and what the server
// says of CORS meanwhile.
type ask struct {
	after     time.Duration
	from, url string // app and api if empty
	method    string // GET if empty
	names     string // of headers, with spaces between
	include   bool   // credentials
	listeners bool   // for the upload, as XMLHttpRequest has them
	maxAge    string // none if empty
	methods   string
	headers   string
	preflight bool // that one is wanted
	blocked   bool // that it is wanted to be
}

const second = time.Second

// https://fetch.spec.whatwg.org/#concept-cache
// https://fetch.spec.whatwg.org/#concept-cache-match
// https://fetch.spec.whatwg.org/#concept-cache-match-method
// https://fetch.spec.whatwg.org/#concept-cache-match-header
// https://fetch.spec.whatwg.org/#concept-cache-create-entry
// https://fetch.spec.whatwg.org/#concept-cache-clear
func TestPreflightCache(t *testing.T) {
	put := func(a ask) ask { a.method = "PUT"; return a }
	for _, tt := range []struct {
		row  string
		asks []ask
	}{
		{"5 seconds where nothing is said", []ask{
			put(ask{methods: "PUT", preflight: true}), put(ask{after: 4 * second}), put(ask{after: second, methods: "PUT", preflight: true})}},
		{"as many seconds as are said", []ask{
			put(ask{methods: "PUT", maxAge: "60", preflight: true}), put(ask{after: 59 * second}), put(ask{after: second, methods: "PUT", preflight: true})}},
		{"two hours at most", []ask{
			put(ask{methods: "PUT", maxAge: "99999999999999999999", preflight: true}), put(ask{after: 7199 * second}), put(ask{after: second, methods: "PUT", preflight: true})}},
		{"no second", []ask{put(ask{methods: "PUT", maxAge: "0", preflight: true}), put(ask{methods: "PUT", preflight: true})}},
		{"a negative number does not parse", []ask{put(ask{methods: "PUT", maxAge: "-1", preflight: true}), put(ask{after: 4 * second})}},
		{"two numbers do not parse", []ask{put(ask{methods: "PUT", maxAge: "60, 60", preflight: true}), put(ask{after: 4 * second}), put(ask{after: second, methods: "PUT", preflight: true})}},
		{"another URL", []ask{put(ask{methods: "PUT", preflight: true}), put(ask{url: api + "/1", methods: "PUT", preflight: true})}},
		{"another origin", []ask{put(ask{methods: "PUT", preflight: true}), put(ask{from: "https://www.example.com/", methods: "PUT", preflight: true})}},
		{"another method", []ask{put(ask{methods: "PUT", preflight: true}), {method: "DELETE", methods: "DELETE", preflight: true}}},
		{"another method of the list", []ask{put(ask{methods: "PUT, DELETE", preflight: true}), {method: "DELETE"}}},
		{"another header", []ask{{names: "x-a", headers: "x-a", preflight: true}, {names: "x-b", headers: "x-b", preflight: true}}},
		{"another header of the list, in other letters", []ask{{names: "x-a", headers: "X-A, X-B", preflight: true}, {names: "x-b"}}},
		{"one of two headers is not there", []ask{{names: "x-a", headers: "x-a", preflight: true}, {names: "x-a x-b", headers: "x-a, x-b", preflight: true}}},
		{"entries of several preflights go together", []ask{
			put(ask{methods: "PUT", maxAge: "60", preflight: true}), {names: "x-a", headers: "x-a", maxAge: "60", preflight: true}, put(ask{names: "x-a"})}},
		{"a star for methods", []ask{put(ask{methods: "*", preflight: true}), {method: "DELETE"}}},
		{"a star for headers", []ask{{names: "x-a", headers: "*", preflight: true}, {names: "x-b"}}},
		{"a star for headers does not cover Authorization", []ask{{names: "x-a", headers: "*", preflight: true}, {names: "authorization", headers: "authorization", preflight: true}}},
		{"with credentials is good with them", []ask{put(ask{include: true, methods: "PUT", preflight: true}), put(ask{include: true})}},
		{"with credentials is good without", []ask{put(ask{include: true, methods: "PUT", preflight: true}), put(ask{})}},
		{"without credentials is not good with", []ask{put(ask{methods: "PUT", preflight: true}), put(ask{include: true, methods: "PUT", preflight: true})}},
		{"a renewed entry has its new age", []ask{
			put(ask{methods: "PUT", maxAge: "60", preflight: true}),
			put(ask{after: 30 * second, names: "x-a", methods: "PUT", headers: "x-a", maxAge: "60", preflight: true}), put(ask{after: 59 * second})}},
		{"a renewed entry may get younger", []ask{
			put(ask{methods: "PUT", maxAge: "60", preflight: true}),
			put(ask{names: "x-a", methods: "PUT", headers: "x-a", maxAge: "1", preflight: true}), put(ask{after: second, methods: "PUT", preflight: true})}},
		{"a star is renewed by a name that it covers", []ask{
			put(ask{methods: "*", maxAge: "60", preflight: true}),
			put(ask{after: 30 * second, names: "x-a", methods: "PUT", headers: "x-a", maxAge: "60", preflight: true}), {after: 59 * second, method: "DELETE"}}},
		{"an entry with credentials is renewed by a fetch without", []ask{
			put(ask{include: true, methods: "PUT", maxAge: "60", preflight: true}),
			put(ask{after: 30 * second, names: "x-a", methods: "PUT", headers: "x-a", maxAge: "60", preflight: true}), put(ask{after: 59 * second, include: true})}},
		{"a network error clears the entries of its URL", []ask{
			put(ask{methods: "PUT", maxAge: "60", preflight: true}), {method: "DELETE", methods: "PUT", preflight: true, blocked: true}, put(ask{methods: "PUT", preflight: true})}},
		{"listeners for the upload need an entry, also for POST", []ask{
			{method: "POST", listeners: true, maxAge: "60", preflight: true}, {method: "POST", listeners: true}}},
	} {
		t.Run(tt.row, func(t *testing.T) {
			clock := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			var a ask
			preflight := false
			b := &fetch.Browser{Now: func() time.Time { return clock }, Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				preflight = preflight || r.Method == "OPTIONS"
				for name, value := range map[string]string{
					acao: r.Header.Get("Origin"), acac: "true", acam: a.methods, acah: a.headers, "Access-Control-Max-Age": a.maxAge,
				} {
					if value != "" {
						w.Header().Set(name, value)
					}
				}
			})}}
			for i := range tt.asks {
				a = tt.asks[i]
				clock = clock.Add(a.after)
				preflight = false
				if blocked := a.send(t, b); blocked != a.blocked || preflight != a.preflight {
					t.Errorf("fetch %d: preflight %t, blocked %t, want %t, %t", i+1, preflight, blocked, a.preflight, a.blocked)
				}
			}
		})
	}
}

// send fetches as a says, and reports whether it is blocked.
func (a ask) send(t *testing.T, b *fetch.Browser) bool {
	t.Helper()
	from, req := a.from, &fetch.Request{URL: a.url, Method: a.method, UploadListeners: a.listeners}
	if from == "" {
		from = app
	}
	if req.URL == "" {
		req.URL = api
	}
	if a.include {
		req.Credentials = fetch.CredentialsInclude
	}
	for name := range strings.FieldsSeq(a.names) {
		req.Header = append(req.Header, header.Field{Name: name, Value: "1"})
	}
	res, err := b.Open(from).Fetch(t.Context(), req)
	if err != nil {
		return true
	}
	res.Body.Close()
	return false
}

// Entries are partitioned by the site of the top-level page.
//
// https://fetch.spec.whatwg.org/#determine-the-network-partition-key
// https://fetch.spec.whatwg.org/#request-determine-the-network-partition-key
func TestPreflightCacheIsPartitioned(t *testing.T) {
	preflights := 0
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			preflights++
		}
		w.Header().Set(acao, "*")
		w.Header().Set(acam, "PUT")
	})}}
	for i, tt := range []struct {
		row, top string
		want     int // preflights until then
	}{
		{"a page at the top", "", 1},
		{"a frame in its own site", "https://www.example.com/", 1},
		{"a frame in another site", "https://other.example/", 2},
	} {
		page := b.Open(app)
		if tt.top != "" {
			page.TopLevel = b.Open(tt.top).Origin()
		}
		res, err := page.Fetch(t.Context(), &fetch.Request{URL: api, Method: "PUT"})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if preflights != tt.want {
			t.Errorf("fetch %d, %s: %d preflights in all, want %d", i+1, tt.row, preflights, tt.want)
		}
	}
}

// What is kept beyond the limit makes room, and no response fills it alone.
func TestPreflightCacheIsBounded(t *testing.T) {
	for _, tt := range []struct {
		row, methods string
		want         int // preflights for three URLs, each fetched twice
	}{
		{"there is room for three methods", "PUT", 3},
		{"not for six", "PUT, DELETE", 6},
		{"a long list is cut", "PUT" + strings.Repeat(", A, B, C", 1000), 6},
	} {
		t.Run(tt.row, func(t *testing.T) {
			preflights := 0
			b := &fetch.Browser{Limits: fetch.Limits{Preflights: 3}, Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "OPTIONS" {
					preflights++
				}
				w.Header().Set(acao, "*")
				w.Header().Set(acam, tt.methods)
			})}}
			for range 2 {
				for _, path := range []string{"/1", "/2", "/3"} {
					if (ask{url: "https://api.example.com" + path, method: "PUT"}).send(t, b) {
						t.Errorf("%s is blocked", path)
					}
				}
			}
			if preflights != tt.want {
				t.Errorf("%d preflights, want %d", preflights, tt.want)
			}
		})
	}
}
