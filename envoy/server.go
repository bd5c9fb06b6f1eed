package envoy

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

// What an Envoy is given.
const (
	// maxMessage is more than the headers of a request or a response that Envoy
	// takes, unless it is told to take more than 60 KB.
	maxMessage = 256 << 10

	// maxStreams of one connection. Beyond them Envoy opens another.
	maxStreams = 16 << 10

	maxMetadata       = 16 << 10 // bytes, of a stream
	connectionTimeout = 10 * time.Second

	// maxConnectionAge lets connections find their way to processors that were
	// started after them. Streams come to their end.
	maxConnectionAge = 10 * time.Minute
)

// A Server listens for a processor, and drains when it is told to end. It also
// has the health service of gRPC.
type Server struct {
	Processor *Processor
	Listener  net.Listener
	TLS       *tls.Config // nil for none

	// DrainTimeout is how long exchanges under way may take when the server ends: 0
	// means 25 seconds.
	DrainTimeout time.Duration

	Log *slog.Logger // may be nil

	ready atomic.Bool
}

// Ready reports whether s accepts connections.
func (s *Server) Ready() bool { return s.ready.Load() }

// Serve serves until ctx is done, then drains: it accepts no connection and no
// stream more, and lets those under way come to their end. What does not fails,
// and nothing passes undecided.
func (s *Server) Serve(ctx context.Context) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	g := grpc.NewServer(s.options()...)
	extproc.RegisterExternalProcessorServer(g, s.Processor)
	h := health.NewServer()
	h.SetServingStatus(extproc.ExternalProcessor_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(g, h)
	served := make(chan error, 1)
	go func() { served <- g.Serve(s.Listener) }()
	s.ready.Store(true)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.ready.Store(false)
	h.Shutdown()
	s.Log.Info("draining: no new streams, exchanges under way come to their end")
	s.drain(g)
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

func (s *Server) drain(g *grpc.Server) {
	timeout := s.DrainTimeout
	if timeout == 0 {
		timeout = 25 * time.Second
	}
	late := time.AfterFunc(timeout, func() {
		s.Log.Warn("some exchanges did not come to their end in time, and are broken off", "timeout", timeout.String())
		g.Stop()
	})
	defer late.Stop()
	g.GracefulStop()
}

func (s *Server) options() []grpc.ServerOption {
	o := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxMetadata),
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: maxConnectionAge, Time: 30 * time.Second, Timeout: 10 * time.Second}),
		// An Envoy with connection_keepalive asks more often than gRPC lets clients.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if s.TLS != nil {
		o = append(o, grpc.Creds(credentials.NewTLS(s.TLS)))
	}
	return o
}
