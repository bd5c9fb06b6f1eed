// Package envoy is an external processor for Envoy: it answers preflights, and
// owns the CORS headers of responses.
//
//	p, err := envoy.New(file, envoy.Options{})
//	err = (&envoy.Server{Processor: p, Listener: l}).Serve(ctx)
//
// A [Processor] serves the gRPC service to which Envoy's filter ext_proc sends
// the headers of requests and responses; a [Server] listens, and drains when it
// is told to end. Routes, upstreams and bodies stay Envoy's business.
package envoy
