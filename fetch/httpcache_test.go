package fetch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

// A page that reads what another fetch of no CORS has left in the cache gets a
// response without CORS headers: a trap that Vary: Origin avoids.
//
// https://fetch.spec.whatwg.org/#concept-filtered-response-opaque
func TestAnOpaqueResponseIsCached(t *testing.T) {
	for _, tt := range []struct {
		row, vary string
		want      fetch.Code // 0 if it may be read
	}{
		{"a response for everybody", "Accept-Encoding", fetch.CodeMissingAllowOrigin},
		{"a response that varies by origin", "Origin", 0},
	} {
		t.Run(tt.row, func(t *testing.T) {
			b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Vary", tt.vary)
				if o := r.Header.Get("Origin"); o != "" {
					w.Header().Set("Access-Control-Allow-Origin", o)
				}
				fmt.Fprint(w, "an image")
			})}}
			page := b.Open("https://app.example.com/")
			res, err := page.Fetch(t.Context(), &fetch.Request{URL: "https://cdn.example.com/", Mode: fetch.ModeNoCORS, Destination: fetch.DestinationImage})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); len(body) > 0 || err != nil {
				t.Errorf("the body of an opaque response is %q, %v", body, err)
			}
			_, err = page.Fetch(t.Context(), &fetch.Request{URL: "https://cdn.example.com/"})
			var blocked *fetch.BlockedError
			if errors.As(err, &blocked); (blocked == nil) != (tt.want == 0) || blocked != nil && blocked.Code != tt.want {
				t.Errorf("then in mode cors: %v, want code %q", err, tt.want)
			}
		})
	}
}

// A visit is a fetch of one URL, after some time has passed.
type visit struct {
	after  time.Duration
	method string
	cache  fetch.Cache
	header []header.Field
	want   string // what the page reads: the number of the request that the server saw first, or "blocked"
	sent   string // of the request that the server sees: method and conditions; "" for none
}

// https://fetch.spec.whatwg.org/#determine-the-http-cache-partition
// https://fetch.spec.whatwg.org/#concept-stale-response
func TestHTTPCache(t *testing.T) {
	fields := func(s ...string) (list []header.Field) {
		for i := 0; i < len(s); i += 2 {
			list = append(list, header.Field{Name: s[i], Value: s[i+1]})
		}
		return list
	}
	const second = time.Second
	tests := []struct {
		row    string
		server string // the header of each answer
		visits []visit
	}{
		{"a fresh response is used", "Cache-Control: max-age=10", []visit{{want: "1", sent: "GET"}, {after: 9 * second, want: "1"}}},
		{"a stale response is not", "Cache-Control: max-age=10", []visit{{want: "1", sent: "GET"}, {after: 10 * second, want: "2", sent: "GET"}}},
		{"Age counts", "Cache-Control: max-age=10|Age: 8", []visit{{want: "1", sent: "GET"}, {after: 2 * second, want: "2", sent: "GET"}}},
		{"max-age goes before Expires", "Cache-Control: max-age=10|Expires: 0", []visit{{want: "1", sent: "GET"}, {want: "1"}}},
		{"an Expires that is no date has passed", "Expires: 0", []visit{{want: "1", sent: "GET"}, {want: "2", sent: "GET"}}},
		{"a tenth of the time since it was modified", "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT", []visit{{want: "1", sent: "GET"}, {after: 24 * time.Hour, want: "1"}}},
		{"no-store is not kept", "Cache-Control: no-store, max-age=10", []visit{{want: "1", sent: "GET"}, {cache: "force-cache", want: "2", sent: "GET"}}},
		{"a validator is sent, and 304 renews", `Cache-Control: max-age=1|ETag: "a"`, []visit{
			{want: "1", sent: "GET"}, {after: 2 * second, want: "1", sent: `GET If-None-Match="a"`}, {want: "1"},
		}},
		{"no-cache asks each time", `Cache-Control: no-cache, max-age=9|ETag: "a"`, []visit{{want: "1", sent: "GET"}, {want: "1", sent: `GET If-None-Match="a"`}}},
		{"another value in Vary is another response", "Cache-Control: max-age=9|Vary: x-v", []visit{
			{header: fields("X-V", "1"), want: "1", sent: "GET"}, {header: fields("X-V", "2"), want: "2", sent: "GET"}, {header: fields("X-V", "1"), want: "1"},
		}},
		{"Vary: * is never the same", "Cache-Control: max-age=9|Vary: *", []visit{{want: "1", sent: "GET"}, {want: "2", sent: "GET"}}},
		{"an unsafe method forgets", "Cache-Control: max-age=9", []visit{{want: "1", sent: "GET"}, {method: "POST", want: "2", sent: "POST"}, {want: "3", sent: "GET"}}},
		{"HEAD is answered from GET", "Cache-Control: max-age=9", []visit{{want: "1", sent: "GET"}, {method: "HEAD", want: ""}}},
		{"mode no-store neither reads nor writes", "Cache-Control: max-age=9", []visit{{want: "1", sent: "GET"}, {cache: "no-store", want: "2", sent: "GET"}, {want: "1"}}},
		{"mode reload writes and does not read", "Cache-Control: max-age=9", []visit{{want: "1", sent: "GET"}, {cache: "reload", want: "2", sent: "GET"}, {want: "2"}}},
		{"mode no-cache asks", `Cache-Control: max-age=9|ETag: "a"`, []visit{{want: "1", sent: "GET"}, {cache: "no-cache", want: "1", sent: `GET If-None-Match="a"`}}},
		{"mode force-cache takes what is stale", "Cache-Control: max-age=9", []visit{{want: "1", sent: "GET"}, {after: time.Hour, cache: "force-cache", want: "1"}}},
		{"mode force-cache goes out where there is nothing", "", []visit{{cache: "force-cache", want: "1", sent: "GET"}}},
		{"mode only-if-cached never goes out", "", []visit{{cache: "only-if-cached", want: "blocked"}}},
		{"mode only-if-cached takes what is stale", "", []visit{{want: "1", sent: "GET"}, {cache: "only-if-cached", want: "1"}}},
		{"a condition of the page's own leaves the cache aside", "Cache-Control: max-age=9", []visit{
			{want: "1", sent: "GET"}, {header: fields("If-None-Match", `"b"`), want: "2", sent: `GET If-None-Match="b"`}, {want: "1"},
		}},
		{"the page's max-age asks for something younger", "Cache-Control: max-age=9", []visit{
			{want: "1", sent: "GET"}, {after: 3 * second, header: fields("Cache-Control", "max-age=2"), want: "2", sent: "GET"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			requests, sent := 0, ""
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			b := &fetch.Browser{Now: func() time.Time { return now }, Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				sent = r.Method
				etag := ""
				if value := r.Header.Get("If-None-Match"); value != "" {
					sent += " If-None-Match=" + value
				}
				for _, line := range strings.Split(tt.server, "|") {
					if name, value, ok := strings.Cut(line, ": "); ok {
						w.Header().Set(name, value)
					}
				}
				if etag = w.Header().Get("ETag"); etag != "" && r.Header.Get("If-None-Match") == etag {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				fmt.Fprint(w, requests)
			})}}
			page := b.Open("https://app.example.com/")
			for i, v := range tt.visits {
				now, sent = now.Add(v.after), ""
				in := &fetch.Request{URL: "/x", Method: v.method, Cache: v.cache, Header: v.header, Mode: fetch.ModeSameOrigin}
				got := "blocked"
				if res, err := page.Fetch(t.Context(), in); err == nil {
					body, err := io.ReadAll(res.Body)
					if err != nil {
						t.Fatal(err)
					}
					got = string(body)
				}
				if got != v.want || sent != v.sent {
					t.Errorf("visit %d: read %q, server saw %q; want %q, %q", i, got, sent, v.want, v.sent)
				}
			}
		})
	}
}

func TestHTTPCacheUpdatesHeadersFromNotModified(t *testing.T) {
	n := 0
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("X-N", fmt.Sprint(n))
		if n == 2 {
			w.Header().Set("Content-Type", "text/wrong")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "hello")
	})}}
	page := b.Open("https://app.example.com/")
	var got []string
	for range 2 {
		res, err := page.Fetch(t.Context(), &fetch.Request{URL: "/"})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		value, _ := res.Get("X-N")
		contentType, _ := res.Get("Content-Type")
		got = append(got, fmt.Sprint(res.Status, " ", value, " ", contentType, " ", string(body)))
	}
	if diff := cmp.Diff([]string{"200 1 text/plain hello", "200 2 text/plain hello"}, got); diff != "" {
		t.Errorf("two visits: -want +got:\n%s", diff)
	}
}

// https://fetch.spec.whatwg.org/#concept-stale-while-revalidate-response
// https://fetch.spec.whatwg.org/#concept-request-clone
func TestStaleWhileRevalidateAsksInTheBackground(t *testing.T) {
	asked := make(chan string, 2)
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=60")
		io.WriteString(w, "hello")
		asked <- r.Header.Get("Cache-Control")
	})}}
	page := b.Open("https://app.example.com/")
	for range 2 {
		res, err := page.Fetch(t.Context(), &fetch.Request{URL: "/"})
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != "hello" || err != nil {
			t.Errorf("body = %q, %v", body, err)
		}
		res.Body.Close()
		<-asked // the second is asked for though the page has its response
	}
}

func TestARangeIsCutFromAWholeResponse(t *testing.T) {
	requests := 0
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "0123456789")
	})}}
	page := b.Open("https://app.example.com/")
	for _, tt := range []struct {
		asked        string
		status       int
		contentRange string
		body         string
		requests     int
	}{
		{"", 200, "", "0123456789", 1},
		{"bytes=0-1", 206, "bytes 0-1/10", "01", 1},
		{"bytes=7-", 206, "bytes 7-9/10", "789", 1},
		{"bytes=-1", 206, "bytes 9-9/10", "9", 1},
		{"bytes=0-1,4-5", 200, "", "0123456789", 2},
	} {
		in := &fetch.Request{URL: "https://app.example.com/"}
		if tt.asked != "" {
			in.Header = []header.Field{{Name: "Range", Value: tt.asked}}
		}
		res, err := page.Fetch(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		contentRange, _ := res.Get("Content-Range")
		if err != nil || res.Status != tt.status || contentRange != tt.contentRange || string(body) != tt.body || requests != tt.requests {
			t.Errorf("Range %q: %d, %q, %q, %v after %d requests, want %d, %q, %q after %d", tt.asked, res.Status, contentRange, body, err, requests, tt.status, tt.contentRange, tt.body, tt.requests)
		}
	}
}
