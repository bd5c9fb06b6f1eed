package fetch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// serveRaw answers each connection with response, and returns what came in.
func serveRaw(t *testing.T, response string) (url string, requests <-chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			var lines strings.Builder
			for length := 0; ; {
				line, err := r.ReadString('\n')
				lines.WriteString(line)
				fmt.Sscanf(line, "Content-Length: %d", &length)
				if err != nil || line == "\r\n" {
					io.CopyN(&lines, r, int64(length))
					break
				}
			}
			got <- lines.String()
			io.WriteString(conn, response)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String() + "/", got
}

func TestControlCharactersInHeadersGoOverTheWire(t *testing.T) {
	tests := []struct {
		row  string
		in   fetch.Request
		want []string // pieces of the request
	}{
		{"DEL", fetch.Request{Header: []header.Field{{Name: "X-A", Value: "a\x7f"}}}, []string{"GET / HTTP/1.1\r\n", "\r\nX-A: a\x7f\r\n"}},
		{"a control character and a body", fetch.Request{Method: "POST", Body: []byte("hello"), Header: []header.Field{{Name: "X-A", Value: "\x01b"}}}, []string{"POST / ", "\r\nX-A: \x01b\r\n", "\r\nContent-Length: 5\r\n", "\r\n\r\nhello"}},
		{"no body", fetch.Request{Method: "POST", Header: []header.Field{{Name: "X-A", Value: "\x1f"}}}, []string{"\r\nContent-Length: 0\r\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			url, requests := serveRaw(t, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-B: 1\r\n\r\nbody")
			tt.in.URL = url
			res, err := (&fetch.Browser{}).Open(url).Fetch(t.Context(), &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if value, _ := res.Get("X-B"); string(body) != "body" || err != nil || value != "1" {
				t.Errorf("body %q, %v, X-B %q", body, err, value)
			}
			got := <-requests
			for _, piece := range tt.want {
				if !strings.Contains(got, piece) {
					t.Errorf("the request is %q, want %q in it", got, piece)
				}
			}
		})
	}
}

func TestControlCharactersGoOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer s.Close()
	b := &fetch.Browser{Transport: s.Client().Transport}
	// net/http's server refuses what its client does not send.
	res, err := b.Open(s.URL).Fetch(t.Context(), &fetch.Request{URL: s.URL, Header: []header.Field{{Name: "X-A", Value: "\x01"}}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Status != 400 {
		t.Errorf("status %d, want 400", res.Status)
	}
}

func TestConnectionsForControlCharactersAreBounded(t *testing.T) {
	in := &fetch.Request{Header: []header.Field{{Name: "X-A", Value: "\x01"}}}
	t.Run("a header without end", func(t *testing.T) {
		url, _ := serveRaw(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 2<<20))
		in.URL = url
		_, err := (&fetch.Browser{}).Open(url).Fetch(t.Context(), in)
		var blocked *fetch.BlockedError
		if !errors.As(err, &blocked) || blocked.Code != fetch.CodeResponseTooLarge {
			t.Errorf("%v, want code %q", err, fetch.CodeResponseTooLarge)
		}
	})
	t.Run("a fetch that is aborted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if conn, err := l.Accept(); err == nil {
				defer conn.Close()
				conn.Read(make([]byte, 1))
				cancel()
				io.Copy(io.Discard, conn)
			}
		}()
		in.URL = "http://" + l.Addr().String() + "/"
		_, err = (&fetch.Browser{}).Open(in.URL).Fetch(ctx, in)
		var blocked *fetch.BlockedError
		if !errors.As(err, &blocked) || blocked.Code != fetch.CodeAborted {
			t.Errorf("%v, want code %q", err, fetch.CodeAborted)
		}
	})
	t.Run("a private address", func(t *testing.T) {
		url, _ := serveRaw(t, "")
		in.URL = url
		_, err := (&fetch.Browser{RefusePrivateAddresses: true}).Open(url).Fetch(t.Context(), in)
		var blocked *fetch.BlockedError
		if !errors.As(err, &blocked) || blocked.Code != fetch.CodePrivateAddress {
			t.Errorf("%v, want code %q", err, fetch.CodePrivateAddress)
		}
	})
}
