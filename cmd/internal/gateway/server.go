package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors/cmd/internal/service"
)

// What a client is given.
const (
	readHeaderTimeout = 10 * time.Second
	keepAliveTimeout  = 2 * time.Minute // longer than what load balancers keep
	maxHeader         = 64 << 10        // bytes of a request
)

// A Server listens for a handler, and drains when it is told to end.
type Server struct {
	Handler  http.Handler
	Listener net.Listener

	// TLS is for HTTP/1.1 and HTTP/2 over TLS. Without it there are HTTP/1.1 and
	// HTTP/2 in cleartext.
	TLS *tls.Config

	// Admin is where health, readiness and metrics are asked for. It may be nil.
	Admin   net.Listener
	Metrics *service.Metrics

	// DrainTimeout is how long requests under way may take when the server ends: 0
	// means 25 seconds.
	DrainTimeout time.Duration

	Log *slog.Logger // may be nil

	ready atomic.Bool
}

// Serve serves until ctx is done, then drains: it accepts no connection more,
// lets requests under way come to their end, and closes what has switched
// protocols.
func (s *Server) Serve(ctx context.Context) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	main := s.server(alive, s.Handler)
	admin := s.server(alive, service.Admin(s.ready.Load, s.Metrics))
	fast := new(lane)
	l := s.Listener
	if g, ok := s.Handler.(*Gateway); ok && s.TLS == nil {
		fast.Listener, fast.gateway, fast.ctx = l, g, alive
		l, main.ConnState = fast, fast.connState
	}
	served := make(chan error, 2)
	go func() {
		if s.TLS != nil {
			served <- main.ServeTLS(l, "", "")
			return
		}
		served <- main.Serve(l)
	}()
	if s.Admin != nil {
		go func() { served <- admin.Serve(s.Admin) }()
		defer admin.Close()
	}
	s.ready.Store(true)
	select {
	case err := <-served:
		main.Close()
		return err
	case <-ctx.Done():
	}
	s.ready.Store(false)
	s.Log.Info("draining: no new connections, requests under way come to their end")
	defer fast.drain()
	return s.drain(main)
}

func (s *Server) drain(main *http.Server) error {
	timeout := s.DrainTimeout
	if timeout == 0 {
		timeout = 25 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := main.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Log.Warn("some requests did not come to their end in time, and are broken off", "timeout", timeout.String())
		return main.Close()
	}
	return err
}

// server returns a server of handler whose requests end when ctx does.
func (s *Server) server(ctx context.Context, handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		TLSConfig:         s.TLS,
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       keepAliveTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(panics{s.Log}, "", 0),
	}
}

// panics lets through what is wrong in the gateway itself. What clients do wrong
// is theirs, and there is much of it.
type panics struct{ to *slog.Logger }

func (p panics) Write(text []byte) (int, error) {
	if bytes.HasPrefix(text, []byte("http: panic")) || bytes.HasPrefix(text, []byte("http2: panic")) {
		p.to.Error("a request has failed by a fault of the gateway", "panic", string(text))
	}
	return len(text), nil
}
