package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
)

// raw runs a server that answers each connection's first request with what
// answer writes, and then closes it.
func raw(t *testing.T, answer func(net.Conn)) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					answer(c)
				}
			}()
		}
	}()
	return parse(t, "http://"+l.Addr().String())
}

// nowhere is an address at which nothing listens.
func nowhere(t *testing.T) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return parse(t, "http://"+l.Addr().String())
}

func TestHostileUpstreams(t *testing.T) {
	write := func(text string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, text) }
	}
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	const (
		unreachable = "502 The service behind this gateway cannot be reached.\n"
		bad         = "502 The service behind this gateway gave no answer that can be passed on.\n"
		slow        = "504 The service behind this gateway took too long to answer.\n"
	)
	tests := []struct {
		row    string
		to     *url.URL
		answer string
	}{
		{"nothing listens", nowhere(t), unreachable},
		{"it closes without an answer", raw(t, write("")), bad},
		{"it hangs", raw(t, func(net.Conn) { <-ended }), slow},
		{"it hangs in the middle of a header", raw(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nA"); <-ended }), slow},
		{"it speaks no HTTP", raw(t, write("220 ready\r\n")), bad},
		{"it sends 1 MB of headers", raw(t, func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for i := range 1 << 10 {
				fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("a", 1<<10))
			}
			io.WriteString(c, "Content-Length: 0\r\n\r\n")
		}), bad},
		{"it sends informational responses without end", raw(t, func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
					return
				}
			}
		}), slow},
		{"it sends two lengths", raw(t, write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")), bad},
		{"it switches protocols that nobody asked for", raw(t, write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")), bad},
		{"its star is refused", raw(t, write("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok")), "200 ok"},
		{"its origins come twice", raw(t, write("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: "+evil+"\r\naccess-control-allow-origin: null\r\nContent-Length: 2\r\n\r\nok")), "200 ok"},
		{"it says that its CORS headers are of the connection", raw(t, write("HTTP/1.1 200 OK\r\nConnection: Access-Control-Allow-Origin, Vary\r\nVary: Cookie\r\nContent-Length: 2\r\n\r\nok")), "200 ok"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			to := serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: tt.to}}},
				gateway.Options{UpstreamTimeout: 200 * time.Millisecond}))
			for _, origin := range []string{app, evil} {
				res, body := do(t, request(t, "GET", to, nil, "Origin", origin))
				if got := fmt.Sprint(res.StatusCode, " ", body); got != tt.answer {
					t.Errorf("%s got %q, want %q", origin, got, tt.answer)
				}
				want := readable
				if origin == evil {
					want = notReadable
				}
				if diff := cmp.Diff(want, said(res.Header)); diff != "" {
					t.Errorf("%s: -want +got:\n%s", origin, diff)
				}
			}
		})
	}
}

func TestABodyThatBreaksOffIsNoWholeBody(t *testing.T) {
	for row, answer := range map[string]string{
		"with a length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"in chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	} {
		t.Run(row, func(t *testing.T) {
			upstream := raw(t, func(c net.Conn) { io.WriteString(c, answer) })
			to := serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{}))
			res, err := http.DefaultTransport.RoundTrip(request(t, "GET", to, nil, "Origin", app))
			if err != nil {
				return // the header was broken off with it
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err == nil || string(body) != "half" {
				t.Errorf("the body is %q, and its end %v; want half of one, and an error", body, err)
			}
			if diff := cmp.Diff(readable, said(res.Header)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestHostileClients(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	to, _ := start(t, &gateway.Server{Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	preflight := "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: " + app + "\r\nAccess-Control-Request-Method: PUT\r\n"
	many := strings.Repeat("Access-Control-Request-Headers: authorization\r\n", 1000)
	tests := []struct {
		row, request string
		status       int
	}{
		{"an origin of 1 MB", "GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://" + strings.Repeat("a", 1<<20) + "\r\n\r\n", 431},
		{"names of 1 MB", preflight + "Access-Control-Request-Headers: " + strings.Repeat("a,", 1<<19) + "\r\n\r\n", 431},
		{"names on 30,000 lines", preflight + strings.Repeat(many, 30) + "\r\n", 431},
		{"names of 32 KB", preflight + "Access-Control-Request-Headers: " + strings.Repeat("a,", 1<<14) + "\r\n\r\n", 403},
		{"names on 1,000 lines", preflight + many + "\r\n", 403},
		{"two origins", "GET / HTTP/1.1\r\nHost: a\r\nOrigin: " + app + "\r\nOrigin: " + evil + "\r\n\r\n", 200},
		{"a tunnel", "CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 10.0.0.1:22\r\n\r\n", 405},
		{"an address of another host", "GET http://10.0.0.1/ HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 200},
		{"a length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		{"a name with a space", "GET / HTTP/1.1\r\nHost: a\r\nOrigin : " + app + "\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			c, err := net.Dial("tcp", to.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			go io.WriteString(c, tt.request) // the server may stop reading
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if allow := res.Header["Access-Control-Allow-Origin"]; res.StatusCode != tt.status || allow != nil {
				t.Errorf("status %d, Access-Control-Allow-Origin %q, want %d and none", res.StatusCode, allow, tt.status)
			}
		})
	}
}

func TestAClientThatDoesNotSendItsBodyIsAnswered(t *testing.T) {
	tests := []struct {
		row, method, path string
		status            int
	}{
		{"the upstream waits for the body", "POST", "/", http.StatusRequestTimeout},
		{"the upstream does not", "POST", "/early/", http.StatusOK},
		{"the gateway refuses", "POST", "/none/", http.StatusNotFound},
		{"a preflight", "OPTIONS", "/", http.StatusNoContent},
	}
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	early := raw(t, func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		io.Copy(io.Discard, c)
	})
	to := serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{
		"/":       {Policy: policy, Upstream: upstream},
		"/early/": {Policy: policy, Upstream: early},
		"/none/":  {Policy: policy},
	}}, gateway.Options{StallTimeout: 300 * time.Millisecond}))
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			c, err := net.Dial("tcp", to.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(c, tt.method+" "+tt.path+" HTTP/1.1\r\nHost: a\r\nOrigin: "+app+"\r\nAccess-Control-Request-Method: PUT\r\nContent-Length: 20000\r\n\r\n"+strings.Repeat("a", 10000))
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if allow := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != tt.status || allow != app {
				t.Errorf("status %d, Access-Control-Allow-Origin %q, want %d and %q", res.StatusCode, allow, tt.status, app)
			}
		})
	}
}

func TestAClientThatDoesNotReadIsLeft(t *testing.T) {
	left := make(chan error, 1)
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				left <- err
				return
			}
		}
	}, func(_ *gateway.Route, o *gateway.Options) { o.StallTimeout = 50 * time.Millisecond })
	c, err := net.Dial("tcp", to.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Error("the upstream still writes to a client that does not read")
	}
}

func TestAClientThatGoesIsNoFaultOfTheUpstream(t *testing.T) {
	m := service.NewMetrics()
	arrived, gone := make(chan struct{}), make(chan struct{})
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}, func(_ *gateway.Route, o *gateway.Options) { o.Metrics = m })
	c, err := net.Dial("tcp", to.Host)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-arrived // and not before: it would never be sent
	c.Close()
	<-gone
	await(t, m, `cors_gateway_errors_total{cause="client",route="/"} 1`)
}

func TestAConfigIsRefusedWithAllItsMistakes(t *testing.T) {
	_, err := gateway.New(gateway.Config{Routes: map[string]gateway.Route{
		"/a/": {Policy: cors.Policy{Origins: []string{"app.example.com"}}, Upstream: parse(t, "ftp://a")},
		"/b":  {Policy: cors.Policy{Methods: []string{"put"}}},
	}}, gateway.Options{})
	var fault *cors.PolicyError
	if !errors.As(err, &fault) || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three mistakes", err)
	}
}
