package fetch_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/fetch"
)

// rawServer listens on loopback, and answers each connection with answer. It
// stops when the test ends.
func rawServer(t *testing.T, answer func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Read(make([]byte, 4<<10)) // the request
				answer(conn)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// forever writes s until nobody wants it.
func forever(s string) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			if _, err := io.WriteString(conn, s); err != nil {
				return
			}
		}
	}
}

// then writes head and then what follows.
func then(head string, rest func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, head)
		rest(conn)
	}
}

func nothing(net.Conn) {}

// A hostile server costs an error, and no more.
func TestHostileServers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n"
	for _, tt := range []struct {
		row    string
		answer func(net.Conn)
		want   fetch.Code // 0 where the body fails
	}{
		{"interim responses without end", forever("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), fetch.CodeResponseTooLarge},
		{"a line without end", then("HTTP/1.1 200 OK\r\nX-A: ", forever(strings.Repeat("a", 4096))), fetch.CodeResponseTooLarge},
		{"lines without end", then("HTTP/1.1 200 OK\r\n", forever(strings.Repeat("X-A: a\r\n", 512))), fetch.CodeResponseTooLarge},
		{"a status line without end", forever(strings.Repeat("a", 4096)), fetch.CodeResponseTooLarge},
		{"no HTTP", then("hello\r\n\r\n", nothing), fetch.CodeMalformedResponse},
		{"a status that is no number", then("HTTP/1.1 OK 200\r\n\r\n", nothing), fetch.CodeMalformedResponse},
		{"another protocol", then("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", forever("a")), fetch.CodeResponseTooLarge},
		{"NUL in a header value", then(head+"X-A: 1\x002\r\n\r\n", nothing), fetch.CodeMalformedResponse},
		{"two lengths", then(head+"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", nothing), fetch.CodeMalformedResponse},
		{"a transfer coding that nobody knows", then(head+"Transfer-Encoding: gzip, chunked\r\n\r\n", nothing), 0},
		{"nothing at all", nothing, fetch.CodeNetwork},
		{"an end too early", then(head+"Content-Length: 9\r\n\r\nabc", nothing), 0},
		{"a chunk of no size", then(head+"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", nothing), 0},
		{"a chunk that is longer than it says", then(head+"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", nothing), 0},
		{"a chunk as long as all memory", then(head+"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\na", nothing), 0},
		{"a chunk with an extension without end", then(head+"Transfer-Encoding: chunked\r\n\r\n1;", forever(strings.Repeat("a", 4096))), 0},
		{"a trailer without end", then(head+"Transfer-Encoding: chunked\r\n\r\n0\r\n", forever(strings.Repeat("X-A: a\r\n", 512))), 0},
		{"a body without end", then(head+"\r\n", forever(strings.Repeat("a", 4096))), 0},
		{"gzip that is none", then(head+"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", nothing), 0},
	} {
		t.Run(tt.row, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			b := &fetch.Browser{Limits: fetch.Limits{HeaderBytes: 64 << 10, BodyBytes: 1 << 20}}
			defer b.CloseIdleConnections()
			res, err := b.Open("http://app.example.com/").Fetch(ctx, &fetch.Request{URL: rawServer(t, tt.answer)})
			var blocked *fetch.BlockedError
			switch {
			case err == nil:
				n, err := io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if err == nil || tt.want != 0 {
					t.Errorf("%d bytes of body and then %v, want code %q", n, err, tt.want)
				}
			case !errors.As(err, &blocked) || blocked.Code != tt.want || tt.want == 0:
				t.Errorf("%v, want code %q", err, tt.want)
			}
			if ctx.Err() != nil {
				t.Error("it took a minute")
			}
		})
	}
}

// Lines that no browser understands are as good as absent: not even a page that
// may see every header sees them.
func TestHeaderNamesThatAreNoTokensAreDropped(t *testing.T) {
	url := rawServer(t, then("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\nContent-Length: 0\r\nX A: 1\r\n\r\n", nothing))
	var b fetch.Browser
	defer b.CloseIdleConnections()
	res, err := b.Open("http://app.example.com/").Fetch(t.Context(), &fetch.Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, f := range res.Header {
		if strings.HasPrefix(f.Name, "X") {
			t.Errorf("the page sees %q", f)
		}
	}
}

// Tens of thousands of lines and names cost what their length costs, not what
// their product does: in any profile this takes a moment, and not a minute.
func TestHostileHeaders(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	for _, tt := range []struct{ row, head string }{
		{"lines and exposed names", many("b: 1\r\n", 120<<10) + "Access-Control-Expose-Headers: " + many("a,", 120<<10) + "\r\n"},
		{"empty lines", many("b:\r\n", 240<<10)},
		{"names in Vary", "Vary: " + many("a,", 240<<10) + "\r\n"},
		{"codings", "Content-Encoding: " + many("gzip,", 240<<10) + "\r\n"},
		{"cookies", many("Set-Cookie: a=1; Secure; SameSite=None\r\n", 240<<10)},
		{"directives", "Cache-Control: max-age=9" + many(",a", 240<<10) + "\r\n"},
		{"commas", many("Access-Control-Allow-Methods: ,,,,,,,,,,,,,,,,,\r\n", 240<<10)},
		{"methods", "Access-Control-Allow-Methods: PUT" + many(",a", 240<<10) + "\r\n"},
		{"names", "Access-Control-Allow-Headers: " + many("a,", 240<<10) + "\r\n"},
		{"referrer policies", "Referrer-Policy: " + many("a,", 240<<10) + "\r\n"},
		{"Locations", many("Location: /\r\n", 240<<10)},
	} {
		t.Run(tt.row, func(t *testing.T) {
			const cors = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://app.example.com\r\nAccess-Control-Allow-Credentials: true\r\nETag: 1\r\n"
			answer := cors + tt.head + "Content-Length: 0\r\n\r\n"
			for _, profile := range []fetch.Profile{fetch.Standard, fetch.Chromium, fetch.Firefox, fetch.WebKit} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				b := &fetch.Browser{Profile: profile, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
					return http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), r)
				})}
				page := b.Open(app)
				for _, method := range []string{"GET", "PUT", "GET"} {
					res, err := page.Fetch(ctx, &fetch.Request{URL: api, Method: method, Credentials: fetch.CredentialsInclude})
					if err == nil {
						io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				}
				if ctx.Err() != nil {
					t.Errorf("%v took a minute", profile)
				}
				cancel()
			}
		})
	}
}

// A bomb is a small response that decodes to a big one: here, gzip in gzip.
func TestDecompressionBombsAreBounded(t *testing.T) {
	bomb := gzipped(t, gzipped(t, make([]byte, 8<<20)))
	if len(bomb) > 1<<10 {
		t.Fatalf("%d bytes are no bomb", len(bomb))
	}
	b := &fetch.Browser{Limits: fetch.Limits{BodyBytes: 1 << 20}, Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acao, "*")
		w.Header().Set("Content-Encoding", "gzip, gzip")
		w.Write(bomb)
	})}}
	res, err := b.Open(app).Fetch(t.Context(), &fetch.Request{URL: api})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); n > 1<<20 || !errors.Is(err, fetch.ErrBodyTooLarge) {
		t.Errorf("a bomb of %d bytes: %d bytes and %v, want %v", len(bomb), n, err, fetch.ErrBodyTooLarge)
	}
}

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(body)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A body that trickles ends with the context of its fetch.
func TestASlowBodyEndsWithItsContext(t *testing.T) {
	url := rawServer(t, func(conn net.Conn) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\na")
		conn.Read(make([]byte, 1)) // until the client goes away
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var b fetch.Browser
	defer b.CloseIdleConnections()
	res, err := b.Open("http://app.example.com/").Fetch(ctx, &fetch.Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := res.Body.Read(make([]byte, 1)); n > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("reading on: %d bytes, %v, want %v", n, err, context.Canceled)
	}
}

// However a fetch ends, nothing of it is left running.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acao, "*")
		w.Header().Set(acam, "PUT")
		switch r.URL.Path {
		case "/blocked":
			w.Header().Del(acao)
		case "/loop":
			w.Header().Set("Location", "/loop")
			w.WriteHeader(302)
		}
		fmt.Fprint(w, strings.Repeat("a", 64<<10))
	}))
	var b fetch.Browser
	page := b.Open("http://app.example.com/")
	for _, path := range []string{"/", "/blocked", "/loop"} {
		for _, mode := range []fetch.Mode{fetch.ModeCORS, fetch.ModeNoCORS} {
			for _, read := range []int64{0, 1, 1 << 20} {
				res, err := page.Fetch(t.Context(), &fetch.Request{URL: server.URL + path, Mode: mode})
				if err != nil {
					continue
				}
				io.CopyN(io.Discard, res.Body, read)
				res.Body.Close()
			}
		}
		if res, err := page.Fetch(t.Context(), &fetch.Request{URL: server.URL + path, Method: "PUT", Body: []byte("a")}); err == nil {
			res.Body.Close()
		}
	}
	b.CloseIdleConnections()
	server.Close()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}
