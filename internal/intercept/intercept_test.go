package intercept_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/internal/intercept"
)

// get returns what a client reads of next behind Serve, informational responses
// first: each as its status and the header X, and the body at the end.
func get(t *testing.T, next http.HandlerFunc, http2 bool) []string {
	t.Helper()
	before := func(h http.Header, status int) { h["X"] = append(h["X"], fmt.Sprint(status)) }
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		intercept.Serve(w, r, next, before)
	}))
	s.EnableHTTP2 = http2
	s.StartTLS()
	defer s.Close()
	var got []string
	r, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			got = append(got, fmt.Sprint(code, " ", h["X"]))
			return nil
		},
	}))
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return append(got, fmt.Sprint(res.StatusCode, " ", res.Header["X"], " ", string(body)))
}

func TestBeforeIsCalledOnceForEachHeader(t *testing.T) {
	tests := []struct {
		row  string
		next http.HandlerFunc
		want []string
	}{
		{"a handler that does nothing", func(http.ResponseWriter, *http.Request) {}, []string{"200 [200] "}},
		{"a status without a body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, []string{"404 [404] "}},
		{"a second status counts for nothing", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			w.WriteHeader(500)
		}, []string{"202 [202] "}},
		{"a body without a status", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("a")) }, []string{"200 [200] a"}},
		{"a string", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a") }, []string{"200 [200] a"}},
		{"a copy", func(w http.ResponseWriter, _ *http.Request) {
			io.Copy(w, struct{ io.Reader }{strings.NewReader("a")})
		}, []string{"200 [200] a"}},
		{"a flush", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.WriteHeader(500)
			io.WriteString(w, "a")
		}, []string{"200 [200] a"}},
		{"a flush by the controller", func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush()
			io.WriteString(w, "a")
		}, []string{"200 [200] a"}},
		{"informational responses come before", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(201)
		}, []string{"103 [103]", "201 [103 201] "}},
	}
	for _, tt := range tests {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", tt.row, http2), func(t *testing.T) {
				if diff := cmp.Diff(tt.want, get(t, tt.next, http2)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

func TestAHijackedResponseIsTheHandlers(t *testing.T) {
	got := get(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 200 OK\r\nX: own\r\nContent-Length: 1\r\nConnection: close\r\n\r\na")
		rw.Flush()
	}, false)
	if diff := cmp.Diff([]string{"200 [own] a"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOnlyWhatCanHijackSaysSo(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		get(t, func(w http.ResponseWriter, _ *http.Request) {
			if _, ok := w.(http.Hijacker); ok == http2 {
				t.Errorf("with HTTP/2 %t the writer is a Hijacker: %t", http2, ok)
			}
			if _, ok := w.(http.Pusher); ok != http2 {
				t.Errorf("with HTTP/2 %t the writer is a Pusher: %t", http2, ok)
			}
		}, http2)
	}
}
