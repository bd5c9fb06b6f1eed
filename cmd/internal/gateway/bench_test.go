package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
)

// A writer is a response writer that is used again.
type writer struct{ header http.Header }

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) WriteHeader(int)             {}
func (w *writer) Write(p []byte) (int, error) { return len(p), nil }

func preflight(b *testing.B) *http.Request {
	r := httptest.NewRequestWithContext(b.Context(), "OPTIONS", "/users", nil)
	r.Header.Set("Origin", app)
	r.Header.Set("Access-Control-Request-Method", "PUT")
	r.Header.Set("Access-Control-Request-Headers", "authorization")
	return r
}

func BenchmarkPreflight(b *testing.B) {
	for name, o := range map[string]gateway.Options{"": {}, "metrics": {Metrics: service.NewMetrics()}} {
		b.Run(name, func(b *testing.B) {
			g, err := gateway.New(gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy}, "/down/": {Policy: policy}}}, o)
			if err != nil {
				b.Fatal(err)
			}
			r, w := preflight(b), &writer{make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				g.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkConnection is one client that sends the same request again and again
// over one connection, and reads the answer.
func BenchmarkConnection(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	defer upstream.Close()
	to, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: to}, "/down/": {Policy: policy}}}, gateway.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go (&gateway.Server{Handler: g, Listener: l}).Serve(b.Context())
	for _, tt := range []struct{ name, request string }{
		{"preflight", fmt.Sprintf("OPTIONS /users HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n\r\n", app)},
		{"get", fmt.Sprintf("GET /users HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\n\r\n", app)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			in := bufio.NewReader(c)
			b.ReportAllocs()
			for b.Loop() {
				io.WriteString(c, tt.request)
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, res.Body)
			}
		})
	}
}
