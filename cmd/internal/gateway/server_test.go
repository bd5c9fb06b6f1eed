package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/gateway"
)

// start runs s on an address of its own until end is called or the test ends,
// and returns what Serve said.
func start(t testing.TB, s *gateway.Server) (to *url.URL, end func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener, s.Log = l, slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- s.Serve(ctx)
		close(served)
	}()
	end = func() error {
		cancel()
		return <-served
	}
	t.Cleanup(func() { end() })
	scheme := "http"
	if s.TLS != nil {
		scheme = "https"
	}
	return parse(t, scheme+"://"+l.Addr().String()), end
}

func TestRequestsUnderWayComeToTheirEnd(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-answer
		io.WriteString(w, "whole")
	}))
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &gateway.Server{Admin: admin, Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})}
	to, end := start(t, s)
	ready := func() string {
		res, body := do(t, request(t, "GET", parse(t, "http://"+admin.Addr().String()+"/readyz"), nil))
		return fmt.Sprint(res.StatusCode, " ", body)
	}
	for ready() == "503 draining\n" { // it has not begun yet
	}
	got := make(chan string)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(request(t, "GET", to, nil))
		if err != nil {
			got <- err.Error()
			return
		}
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	<-arrived
	ended := make(chan error)
	go func() { ended <- end() }()
	for ready() != "503 draining\n" {
	}
	close(answer)
	if body := <-got; body != "whole" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := net.Dial("tcp", to.Host); err == nil {
		t.Error("a connection is accepted after the end")
	}
}

func TestRequestsThatDoNotEndAreBrokenOff(t *testing.T) {
	arrived := make(chan struct{})
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	to, end := start(t, &gateway.Server{DrainTimeout: 20 * time.Millisecond,
		Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	broken := make(chan error)
	go func() {
		_, err := http.DefaultTransport.RoundTrip(request(t, "POST", to, nil))
		broken <- err
	}()
	<-arrived
	end()
	if err := <-broken; err == nil {
		t.Error("a request that does not end was answered")
	}
}

func TestWebSocketsEndWithTheServer(t *testing.T) {
	closed := make(chan error, 1)
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		rw.Flush()
		_, err = rw.ReadByte()
		closed <- err
	}))
	to, end := start(t, &gateway.Server{Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	c, err := net.Dial("tcp", to.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(c)
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	if err := end(); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("the client reads %v, want the end", err)
	}
	if err := <-closed; err != io.EOF {
		t.Errorf("the upstream reads %v, want the end", err)
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	to, _ := start(t, &gateway.Server{Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Transport{Protocols: protocols}
	defer client.CloseIdleConnections()
	res, err := client.RoundTrip(request(t, "GET", to, nil, "Origin", app))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.Proto != "HTTP/2.0" || string(body) != "HTTP/1.1" {
		t.Errorf("%s in front, %q behind, %v", res.Proto, body, err)
	}
	if diff := cmp.Diff(readable, said(res.Header)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHTTP2OnBothSides has a stream that goes both ways at once and ends in a
// trailer, which is what gRPC needs.
func TestHTTP2OnBothSides(t *testing.T) {
	upstream, _ := start(t, &gateway.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("X-Proto", r.Proto)
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "%s!\n", lines.Text())
			http.NewResponseController(w).Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	})})
	upstream.Scheme = "h2c"
	config, _, err := gateway.TLSLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	to, _ := start(t, &gateway.Server{TLS: config, Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	client := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer client.CloseIdleConnections()
	in, out := io.Pipe()
	res, err := client.RoundTrip(request(t, "POST", to, in, "Origin", app, "Te", "trailers"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("X-Proto"); res.Proto != "HTTP/2.0" || got != "HTTP/2.0" {
		t.Errorf("%s in front, %s behind", res.Proto, got)
	}
	if diff := cmp.Diff(readable, said(res.Header)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	answers := bufio.NewReader(res.Body)
	for _, word := range []string{"one", "two"} {
		fmt.Fprintln(out, word)
		if got, err := answers.ReadString('\n'); got != word+"!\n" {
			t.Errorf("got %q, %v for %q", got, err, word)
		}
	}
	out.Close()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 || res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("at the end: %q, %v, trailer %v", rest, err, res.Trailer)
	}
}

// TestATrailerOfHTTP2ReachesHTTP1 is of a body so small that its length is told,
// which in HTTP/1.1 leaves no place for a trailer.
func TestATrailerOfHTTP2ReachesHTTP1(t *testing.T) {
	upstream, _ := start(t, &gateway.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Length", "4")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "7")
	})})
	upstream.Scheme = "h2c"
	to := serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{}))
	for method, want := range map[string]string{"GET": "HTTP/1.1 -1 body 7", "HEAD": "HTTP/1.1 4  "} {
		res, body := do(t, request(t, method, to, nil))
		if got := fmt.Sprint(res.Proto, " ", res.ContentLength, " ", body, " ", res.Trailer.Get("X-Sum")); got != want {
			t.Errorf("%s: got %q, want %q", method, got, want)
		}
	}
}

func TestSlowConnectionsKeepNobodyOut(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	to, _ := start(t, &gateway.Server{Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	const slow = 500
	for i := range slow {
		c, err := net.Dial("tcp", to.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nX-%d: ", i)
	}
	if res, body := do(t, request(t, "GET", to, nil)); res.StatusCode != 200 || body != "ok" {
		t.Errorf("with %d slow connections: %d %q", slow, res.StatusCode, body)
	}
}

func TestAFaultIsLogged(t *testing.T) {
	log := new(lines)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &gateway.Server{Listener: l, Log: slog.New(slog.NewTextHandler(log, nil)), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })}
	go s.Serve(t.Context())
	if _, err := http.DefaultTransport.RoundTrip(request(t, "POST", parse(t, "http://"+l.Addr().String()), nil)); err == nil {
		t.Error("a request that panics is answered")
	}
	log.await(t, "a request has failed by a fault of the gateway")
}
