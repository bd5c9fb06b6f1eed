package fetch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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

// https://fetch.spec.whatwg.org/#header-value
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

func TestConnectionsAreBounded(t *testing.T) {
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

// got is what a fetch of a raw response comes to.
type got struct {
	status     int
	statusText string
	header     []header.Field
	body       string
	bodyErr    bool
	code       fetch.Code
}

func fetchRaw(t *testing.T, b *fetch.Browser, url string, in fetch.Request) got {
	t.Helper()
	in.URL = url
	res, err := b.Open(url).Fetch(t.Context(), &in)
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		return got{code: blocked.Code}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return got{res.Status, res.StatusText, res.Header, string(body), err != nil, 0}
}

// https://fetch.spec.whatwg.org/#header-list-extract-a-length
func TestResponseHeadsAreReadAsInBrowsers(t *testing.T) {
	const malformed = fetch.CodeMalformedResponse
	x1 := []header.Field{{Name: "x", Value: "1"}}
	tests := []struct {
		row, response string
		want          got
	}{
		{"lines come as they are, in their order", "HTTP/1.1 200 OK\r\nb: 1\r\nA: 2\r\nB: 3\r\nContent-Length: 0\r\n\r\n",
			got{200, "OK", []header.Field{{Name: "b", Value: "1"}, {Name: "A", Value: "2"}, {Name: "B", Value: "3"}, {Name: "Content-Length", Value: "0"}}, "", false, 0}},
		{"ends of lines without CR", "HTTP/1.1 200 OK\nx: 1\n\nhi", got{200, "OK", x1, "hi", false, 0}},
		{"a CR without LF", "HTTP/1.1 200 OK\r\nx: 1\r2\r\n\r\n", got{code: malformed}},
		{"no reason phrase", "HTTP/1.1 200\r\nx: 1\r\n\r\n", got{200, "", x1, "", false, 0}},
		{"a reason phrase of bytes", "HTTP/1.1 200 caf\xe9\r\nx: 1\r\n\r\n", got{200, "caf\xe9", x1, "", false, 0}},
		{"a status of one digit", "HTTP/1.1 0 OK\r\nx: 1\r\n\r\n", got{0, "OK", x1, "", false, 0}},
		{"a status with a zero before it", "HTTP/1.1 077 77\r\nx: 1\r\n\r\n", got{77, "77", x1, "", false, 0}},
		{"a status of 999", "HTTP/1.1 999 X\r\nx: 1\r\n\r\n", got{999, "X", x1, "", false, 0}},
		{"a status of four digits", "HTTP/1.1 1000 X\r\n\r\n", got{code: malformed}},
		{"no status", "HTTP/1.1\r\n\r\n", got{code: malformed}},
		{"a status that is no number", "HTTP/1.1 C8\r\n\r\n", got{code: malformed}},
		{"a version that is not this one", "HTTP/2 200 OK\r\nx: 1\r\n\r\n", got{200, "OK", x1, "", false, 0}},
		{"tabs in the status line", "HTTP/1.1\t200\tOK\r\nx: 1\r\n\r\n", got{200, "OK", x1, "", false, 0}},
		{"a status without a space behind it", "HTTP/1.1 200OK\r\n\r\n", got{code: malformed}},
		{"no HTTP at all", "hello\r\n\r\n", got{code: malformed}},
		{"interim responses, and another protocol that nobody asked for", "HTTP/1.1 103 Early\r\ny: 1\r\n\r\nHTTP/1.1 101 Switch\r\n\r\nHTTP/1.1 200 OK\r\nx: 1\r\n\r\n", got{200, "OK", x1, "", false, 0}},
		{"bytes above 0x7F in a value", "HTTP/1.1 200 OK\r\nx: \xff\x80\r\n\r\n", got{200, "OK", []header.Field{{Name: "x", Value: "\xff\x80"}}, "", false, 0}},
		{"control characters in a value", "HTTP/1.1 200 OK\r\nx: \x01\x0b\r\n\r\n", got{200, "OK", []header.Field{{Name: "x", Value: "\x01\x0b"}}, "", false, 0}},
		{"NUL in a value", "HTTP/1.1 200 OK\r\nx: \x00\r\n\r\n", got{code: malformed}},
		{"a value that goes on", "HTTP/1.1 200 OK\r\nx: a\r\n  b\r\n\r\n", got{200, "OK", []header.Field{{Name: "x", Value: "a b"}}, "", false, 0}},
		{"lines that are no header", "HTTP/1.1 200 OK\r\nhello\r\na b: 1\r\n: 1\r\nx: 1\r\n\r\n", got{200, "OK", x1, "", false, 0}},
		{"a body where there is none", "HTTP/1.1 204 No\r\nx: 1\r\n\r\nhello", got{204, "No", x1, "", false, 0}},
		{"more than the length says", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", got{200, "OK", []header.Field{{Name: "Content-Length", Value: "2"}}, "he", false, 0}},
		{"less than the length says", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", got{200, "OK", []header.Field{{Name: "Content-Length", Value: "9"}}, "hello", true, 0}},
		{"equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2,2\r\nContent-Length: 2\r\n\r\nhello", got{200, "OK", []header.Field{{Name: "Content-Length", Value: "2,2"}, {Name: "Content-Length", Value: "2"}}, "he", false, 0}},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhello", got{code: malformed}},
		{"a length that is more than there can be", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello", got{200, "OK", []header.Field{{Name: "Content-Length", Value: "99999999999999999999"}}, "hello", false, 0}},
		{"a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", got{200, "OK", []header.Field{{Name: "Content-Length", Value: "-1"}}, "hello", false, 0}},
		{"chunks, whatever the length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n", got{200, "OK", []header.Field{{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Content-Length", Value: "2"}}, "hello", false, 0}},
		{"a chunk that breaks off", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", got{200, "OK", []header.Field{{Name: "Transfer-Encoding", Value: "chunked"}}, "hel", true, 0}},
		{"HTTP/1.0 knows no chunks", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", got{200, "OK", []header.Field{{Name: "Transfer-Encoding", Value: "chunked"}}, "0\r\n\r\n", false, 0}},
		{"nothing", "", got{code: fetch.CodeNetwork}},
		{"a head that breaks off", "HTTP/1.1 200 OK\r\nx: 1", got{200, "OK", x1, "", false, 0}},
		{"a status line that breaks off", "HTTP/1.1 2", got{2, "", nil, "", false, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			url, _ := serveRaw(t, tt.response)
			if diff := cmp.Diff(tt.want, fetchRaw(t, new(fetch.Browser), url, fetch.Request{}), cmp.AllowUnexported(got{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.response, diff)
			}
		})
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	tests := []struct {
		row, first, second string
		connections        int
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 2},
		{"HTTP/1.0 that keeps it", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1},
		{"the rest of a response before it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "rest", 2},
		{"a connection that is closed", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var connections atomic.Int32
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					first := connections.Add(1) == 1
					go func() {
						defer conn.Close()
						r := bufio.NewReader(conn)
						for _, response := range []string{tt.first, tt.second} {
							if _, err := http.ReadRequest(r); err != nil {
								return
							}
							if !first {
								response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
							}
							io.WriteString(conn, response)
						}
					}()
				}
			}()
			var b fetch.Browser
			defer b.CloseIdleConnections()
			url := "http://" + l.Addr().String() + "/"
			// Not even a POST fails because the connection it was given is gone.
			for range 2 {
				if got := fetchRaw(t, &b, url, fetch.Request{Method: "POST"}); got.body != "hi" {
					t.Fatalf("%q, then %q: %+v, want the body %q", tt.first, tt.second, got, "hi")
				}
			}
			if n := int(connections.Load()); n != tt.connections {
				t.Errorf("%q, then %q: %d connections, want %d", tt.first, tt.second, n, tt.connections)
			}
		})
	}
}
