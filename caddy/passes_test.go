package caddycors_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const passing = `
{
	admin ADMIN
	auto_https off
	servers {
		protocols h1 h2c
	}
}
http://SITE {
	cors https://app.example.com
	reverse_proxy UPSTREAM
}
http://GRPC {
	cors https://app.example.com
	reverse_proxy h2c://UPSTREAM
}
`

// What passes through a handler of Caddy passes through this one.
func TestPasses(t *testing.T) {
	more := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch r.URL.Path {
		case "/socket":
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
			rw.Flush()
			line, _ := rw.ReadString('\n')
			io.WriteString(rw, "echo "+line)
			rw.Flush()
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: first\n\n")
			w.(http.Flusher).Flush()
			<-more
			io.WriteString(w, "data: second\n\n")
		case "/trailers":
			w.Header().Set("Trailer", "Grpc-Status, Access-Control-Allow-Origin")
			io.WriteString(w, "body")
			w.(http.Flusher).Flush()
			w.Header().Set("Grpc-Status", "0")
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set(http.TrailerPrefix+"Grpc-Message", "fine")
			w.Header().Set(http.TrailerPrefix+"Access-Control-Allow-Credentials", "true")
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	addresses := map[string]string{"SITE": "", "GRPC": "", "UPSTREAM": server.Listener.Addr().String()}
	start(t, passing, addresses, nil)
	granted := http.Header{"Access-Control-Allow-Origin": {app}, "Vary": {"Origin"}}

	t.Run("a switch of protocols", func(t *testing.T) {
		conn, err := net.Dial("tcp", addresses["SITE"])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", addresses["SITE"], app)
		read := bufio.NewReader(conn)
		res, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("status %d, want 101", res.StatusCode)
		}
		if diff := cmp.Diff(granted, corsOf(res.Header)); diff != "" {
			t.Errorf("headers, - want, + got:\n%s", diff)
		}
		io.WriteString(conn, "hello\n")
		if line, err := read.ReadString('\n'); line != "echo hello\n" {
			t.Errorf("%q, %v; want an echo", line, err)
		}
	})
	for protocol, site := range map[string]string{"HTTP/1.1": "SITE", "HTTP/2.0": "GRPC"} {
		client := &http.Client{Transport: transport(protocol)}
		get := func(t *testing.T, path string) *http.Response {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+addresses[site]+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", app)
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { res.Body.Close() })
			if res.Proto != protocol {
				t.Errorf("%s, want %s", res.Proto, protocol)
			}
			if diff := cmp.Diff(granted, corsOf(res.Header)); diff != "" {
				t.Errorf("headers, - want, + got:\n%s", diff)
			}
			return res
		}
		t.Run("what is flushed, by "+protocol, func(t *testing.T) {
			res := get(t, "/events")
			read := bufio.NewReader(res.Body)
			if line, err := read.ReadString('\n'); line != "data: first\n" {
				t.Fatalf("%q, %v; want the first event before there is a second", line, err)
			}
			more <- struct{}{}
			if rest, err := io.ReadAll(read); !strings.Contains(string(rest), "second") {
				t.Errorf("%q, %v; want the second event", rest, err)
			}
		})
		t.Run("trailers, but for those of CORS, by "+protocol, func(t *testing.T) {
			res := get(t, "/trailers")
			if _, err := io.ReadAll(res.Body); err != nil {
				t.Fatal(err)
			}
			want := http.Header{"Grpc-Status": {"0"}, "Grpc-Message": {"fine"}}
			if diff := cmp.Diff(want, res.Trailer); diff != "" {
				t.Errorf("trailers, - want, + got:\n%s", diff)
			}
		})
	}
}

func transport(protocol string) *http.Transport {
	t := &http.Transport{Protocols: new(http.Protocols)}
	if protocol == "HTTP/2.0" {
		t.Protocols.SetUnencryptedHTTP2(true)
	} else {
		t.Protocols.SetHTTP1(true)
	}
	return t
}
