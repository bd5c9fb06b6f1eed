package explain_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
)

// Servers that send without end, or what is no HTTP, over a real connection: each
// is explained, and nothing of it reaches a terminal.
func TestHostileServers(t *testing.T) {
	const page = "http://app.example.com"
	const ok = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: " + page + "\r\nVary: Origin\r\n"
	tests := []struct {
		row   string
		first string // is sent once
		again string // and this until nobody listens any more; the connection closes where it is ""
		want  explain.Cause
	}{
		{"headers without end", ok, "X-A: " + strings.Repeat("a", 1000) + "\r\n", "response-too-large"},
		{"one header of 1 MB", ok + "X-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "", "response-too-large"},
		{"a body without end", ok + "\r\n", strings.Repeat("b", 1<<16), "works"},
		{"a ring of redirects", strings.Replace(ok, "200 OK", "302 Found", 1) + "Location: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "", "redirect-loop"},
		{"escapes and bytes that are no UTF-8", "HTTP/1.1 200 \x1b[2J\r\nAccess-Control-Allow-Origin: \x1b]0;\x9b31m\xff\r\nContent-Length: 0\r\n\r\n", "", "origin-not-an-origin"},
		{"the banner of another protocol", "\x00\x01\x02\x1b[31mhello", "", "malformed-response"},
		{"nothing at all", "", "", "connection-reset"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go pour(conn, tt.first, tt.again)
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			d, err := explain.AskAll(ctx, &fetch.Browser{}, explain.Question{Page: page, Request: &fetch.Request{URL: "http://" + l.Addr().String() + "/"}})
			if err != nil {
				t.Fatal(err)
			}
			if d.Cause != tt.want {
				t.Errorf("cause %q (%s, %q), want %q", d.Cause, d.Code, d.Said, tt.want)
			}
			clean(t, d, tt.row)
		})
	}
}

// pour reads a request and sends what is to be sent.
func pour(conn net.Conn, first, again string) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	if _, err := conn.Read(buf); err != nil {
		return
	}
	if _, err := io.WriteString(conn, first); err != nil {
		return
	}
	for again != "" {
		if _, err := io.WriteString(conn, again); err != nil {
			return
		}
	}
}
