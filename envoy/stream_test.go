package envoy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crossorigin/cors/envoy"
)

// fields are headers as Envoy sends them.
func fields(pairs ...string) *extproc.HttpHeaders {
	m := new(core.HeaderMap)
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &core.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return &extproc.HttpHeaders{Headers: m}
}

func requestHeaders(pairs ...string) *extproc.ProcessingRequest {
	return &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{
		RequestHeaders: fields(append([]string{":method", "GET", ":authority", "a", ":path", "/"}, pairs...)...)}}
}

func responseHeaders(pairs ...string) *extproc.ProcessingRequest {
	return &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: fields(append([]string{":status", "200"}, pairs...)...)}}
}

var (
	requestBody      = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestBody{RequestBody: &extproc.HttpBody{Body: []byte("a")}}}
	responseBody     = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseBody{ResponseBody: &extproc.HttpBody{Body: []byte("a")}}}
	requestTrailers  = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestTrailers{RequestTrailers: &extproc.HttpTrailers{}}}
	responseTrailers = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extproc.HttpTrailers{}}}
)

// with changes a copy of a message.
func with(m *extproc.ProcessingRequest, change func(*extproc.ProcessingRequest)) *extproc.ProcessingRequest {
	m = proto.CloneOf(m)
	change(m)
	return m
}

// talk sends messages, each once the one before it is answered, and returns what
// came back, a line each. In observability mode nothing is awaited.
func talk(t *testing.T, client extproc.ExternalProcessorClient, messages ...*extproc.ProcessingRequest) []string {
	t.Helper()
	stream, err := client.Process(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range messages {
		// Where the stream has ended Recv says why.
		if err := stream.Send(m); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if m.ObservabilityMode {
			continue
		}
		answer, err := stream.Recv()
		lines = append(lines, line(answer, err))
		if err != nil {
			return lines
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	return append(lines, line(stream.Recv()))
}

// line is what an answer says.
func line(answer *extproc.ProcessingResponse, err error) string {
	if err == io.EOF {
		return "closed"
	}
	if err != nil {
		return status.Code(err).String()
	}
	mutation := func(m *extproc.HeaderMutation) string {
		var b strings.Builder
		for _, name := range m.GetRemoveHeaders() {
			b.WriteString(" -" + name)
		}
		for _, h := range m.GetSetHeaders() {
			b.WriteString(" " + h.Header.Key + "=" + string(h.Header.RawValue))
		}
		return b.String()
	}
	if m := answer.ModeOverride; m != nil {
		return fmt.Sprint("no bodies: ", m.RequestBodyMode, " ", m.ResponseBodyMode, ", response headers: ", m.ResponseHeaderMode)
	}
	switch r := answer.Response.(type) {
	case *extproc.ProcessingResponse_RequestHeaders:
		return "request headers" + mutation(r.RequestHeaders.GetResponse().GetHeaderMutation())
	case *extproc.ProcessingResponse_ResponseHeaders:
		return "response headers" + mutation(r.ResponseHeaders.GetResponse().GetHeaderMutation())
	case *extproc.ProcessingResponse_ImmediateResponse:
		return fmt.Sprint(int(r.ImmediateResponse.Status.Code), mutation(r.ImmediateResponse.Headers))
	}
	name := fmt.Sprintf("%T", answer.Response)
	return name[strings.LastIndex(name, "_")+1:]
}

func TestTheOrderOfMessages(t *testing.T) {
	duplex := func(m *extproc.ProcessingRequest) {
		m.ProtocolConfig = &extproc.ProtocolConfiguration{ResponseBodyMode: filter.ProcessingMode_FULL_DUPLEX_STREAMED}
	}
	buffer := func(m *extproc.ProcessingRequest) {
		m.ProtocolConfig = &extproc.ProtocolConfiguration{RequestBodyMode: filter.ProcessingMode_BUFFERED}
	}
	observe := func(m *extproc.ProcessingRequest) { m.ObservabilityMode = true }
	get, answer := requestHeaders("origin", app), responseHeaders("access-control-allow-origin", "*", "vary", "accept")
	const own = "response headers vary=accept, Origin access-control-allow-origin=" + app + " access-control-allow-credentials=true access-control-expose-headers=X-Request-Id"
	tests := []struct {
		row      string
		messages []*extproc.ProcessingRequest
		want     []string
	}{
		{"a request and its response", []*extproc.ProcessingRequest{get, answer}, []string{"request headers", own, "closed"}},
		{"a preflight", []*extproc.ProcessingRequest{requestHeaders(":method", "OPTIONS", "origin", app, "access-control-request-method", "GET")},
			[]string{"204 vary=Origin access-control-allow-origin=" + app + " access-control-allow-credentials=true access-control-max-age=600", "closed"}},
		{"a response that Envoy made before the request came here", []*extproc.ProcessingRequest{answer}, []string{"response headers -access-control-allow-origin", "closed"}},
		{"two lines of one header", []*extproc.ProcessingRequest{get, responseHeaders("access-control-allow-origin", "*", "access-control-allow-origin", app)},
			[]string{"request headers", "response headers -access-control-allow-origin vary=Origin access-control-allow-origin=" + app + " access-control-allow-credentials=true access-control-expose-headers=X-Request-Id", "closed"}},
		{"a name in other letters", []*extproc.ProcessingRequest{get, responseHeaders("Access-Control-Allow-X", "*")},
			[]string{"request headers", "response headers -Access-Control-Allow-X vary=Origin access-control-allow-origin=" + app + " access-control-allow-credentials=true access-control-expose-headers=X-Request-Id", "closed"}},
		{"a stream that ends before the response", []*extproc.ProcessingRequest{get}, []string{"request headers", "closed"}},
		{"a stream without a message", nil, []string{"closed"}},
		{"bodies and trailers that nobody asked for", []*extproc.ProcessingRequest{get, requestBody, requestBody, requestTrailers, answer},
			[]string{"request headers", "RequestBody", "RequestBody", "RequestTrailers", own, "closed"}},
		{"nothing is read once all is said", []*extproc.ProcessingRequest{get, answer, responseBody, responseTrailers}, []string{"request headers", own, "closed"}},
		{"an escape that is none", []*extproc.ProcessingRequest{requestHeaders(":path", "/%zz", "origin", app)}, []string{"400", "closed"}},
		{"the path of OPTIONS *", []*extproc.ProcessingRequest{requestHeaders(":method", "OPTIONS", ":path", "*"), answer}, []string{"request headers", "response headers -access-control-allow-origin", "closed"}},
		{"CONNECT, which has no path", []*extproc.ProcessingRequest{requestHeaders(":method", "CONNECT", ":path", "", "origin", app), answer}, []string{"request headers", "response headers -access-control-allow-origin", "closed"}},
		{"no headers at all", []*extproc.ProcessingRequest{{Request: &extproc.ProcessingRequest_RequestHeaders{}}, answer}, []string{"request headers", "response headers -access-control-allow-origin vary=accept, Origin", "closed"}},
		{"the request twice", []*extproc.ProcessingRequest{get, get}, []string{"request headers", "InvalidArgument"}},
		{"the body of the response before its header", []*extproc.ProcessingRequest{get, responseBody}, []string{"request headers", "InvalidArgument"}},
		{"the trailer of the response before its header", []*extproc.ProcessingRequest{get, responseTrailers}, []string{"request headers", "InvalidArgument"}},
		{"a message that is not known", []*extproc.ProcessingRequest{get, {}}, []string{"request headers", "InvalidArgument"}},
		{"a mode in which bodies are to be sent back", []*extproc.ProcessingRequest{with(get, duplex)}, []string{"FailedPrecondition"}},
		{"a mode in which bodies are sent", []*extproc.ProcessingRequest{with(get, buffer), answer}, []string{"no bodies: NONE NONE, response headers: SEND", own, "closed"}},
		{"observability mode", []*extproc.ProcessingRequest{with(get, observe), with(answer, observe)}, []string{"closed"}},
		{"a message larger than any header", []*extproc.ProcessingRequest{requestHeaders("origin", strings.Repeat("a", 1<<20))}, []string{"ResourceExhausted"}},
	}
	client := start(t, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})})
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, talk(t, client, tt.messages...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestHostileHeaders(t *testing.T) {
	tests := []struct {
		row     string
		headers []string
		want    string
	}{
		{"an origin of 200 KB", []string{"origin", strings.Repeat("a", 200<<10)}, "request headers"},
		{"1,000 origins", slicesRepeat(1000, "origin", app), "request headers"},
		{"1,000 origins on a line", []string{"origin", strings.Repeat(app+",", 1000)}, "request headers"},
		{"a method of 100 KB", []string{":method", "OPTIONS", "origin", app, "access-control-request-method", strings.Repeat("a", 100<<10)}, "403 vary=Origin"},
		{"100 KB of names", []string{":method", "OPTIONS", "origin", app, "access-control-request-method", "PUT", "access-control-request-headers", strings.Repeat("x-name,", 14<<10)}, "403 vary=Origin"},
		{"1,000 lines of names", append([]string{":method", "OPTIONS", "origin", app, "access-control-request-method", "PUT"}, slicesRepeat(1000, "access-control-request-headers", "x-name")...), "403 vary=Origin"},
		{"a path of 100 KB", []string{":path", "/" + strings.Repeat("../a;", 20<<10), "origin", app}, "request headers"},
		{"bytes that are no text", []string{"origin", "\xff\x00\r\n"}, "request headers"},
	}
	client := start(t, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})})
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := talk(t, client, requestHeaders(tt.headers...)); got[0] != tt.want {
				t.Errorf("%.200q, want %q", got, tt.want)
			}
		})
	}
}

func slicesRepeat(n int, pair ...string) []string {
	var all []string
	for range n {
		all = append(all, pair...)
	}
	return all
}

// TestAServerDrains ends a server while an exchange is under way: it comes to its
// end, and another does not begin.
func TestAServerDrains(t *testing.T) {
	s := &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{})}
	ctx, end := context.WithCancel(context.Background())
	c, served := serve(t, ctx, s)
	health := healthpb.NewHealthClient(c)
	if res, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "envoy.service.ext_proc.v3.ExternalProcessor"}); err != nil || res.Status != healthpb.HealthCheckResponse_SERVING || !s.Ready() {
		t.Errorf("%v, %v, ready %t", res, err, s.Ready())
	}
	watching, unwatch := context.WithCancel(t.Context())
	defer unwatch()
	watch, err := health.Watch(watching, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	stream := begin(t, c)
	end()
	if res, err := watch.Recv(); err != nil || res.Status != healthpb.HealthCheckResponse_NOT_SERVING || s.Ready() {
		t.Errorf("while it drains: %v, %v, ready %t", res, err, s.Ready())
	}
	unwatch()
	if err := stream.Send(responseHeaders()); err != nil {
		t.Fatal(err)
	}
	if got := line(stream.Recv()); !strings.Contains(got, "access-control-allow-origin="+app) {
		t.Errorf("the exchange under way: %s", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := status.Code(later(t, c)).String(); got != "Unavailable" {
		t.Errorf("once it has ended: %s", got)
	}
}

// TestAnExchangeThatDoesNotEndFails has the server not wait for it, and Envoy not
// take the end of the stream for leave to let the response pass.
func TestAnExchangeThatDoesNotEndFails(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	c, served := serve(t, ctx, &envoy.Server{Processor: newProcessor(t, policy, envoy.Options{}), DrainTimeout: time.Millisecond})
	stream := begin(t, c)
	end()
	if got := line(stream.Recv()); got != "Unavailable" {
		t.Errorf("%s, want Unavailable", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func serve(t *testing.T, ctx context.Context, s *envoy.Server) (*grpc.ClientConn, chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	c, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, served
}

// begin begins an exchange.
func begin(t *testing.T, c *grpc.ClientConn) extproc.ExternalProcessor_ProcessClient {
	t.Helper()
	stream, err := extproc.NewExternalProcessorClient(c).Process(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(requestHeaders("origin", app)); err != nil {
		t.Fatal(err)
	}
	if got := line(stream.Recv()); got != "request headers" {
		t.Fatal(got)
	}
	return stream
}

// later asks once more.
func later(t *testing.T, c *grpc.ClientConn) error {
	stream, err := extproc.NewExternalProcessorClient(c).Process(t.Context())
	if err == nil {
		_, err = stream.Recv()
	}
	return err
}
