package envoy

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/policyfile"
)

// Options are told what a processor does. The zero value is useful.
type Options struct {
	// Decided is told of each decision before it is acted upon.
	Decided func(cors.Decision)

	// Refused is told of those that refuse, as by [cors.LogRefusals]. The request
	// has what the log shows of it, and no body.
	Refused func(*http.Request, cors.Decision)

	// Stripped is told of the headers that a response of this route has lost.
	Stripped func(route string, s edge.Stripped)

	// Failed is told of each request of this route that could not be decided upon:
	// [CausePath], [CauseNoRequest] or [CauseProtocol].
	Failed func(route, cause string)
}

// Why a request was not decided upon.
const (
	CausePath      = "ambiguous-path" // its path can be read in two ways; it has got 400
	CauseNoRequest = "no-request"     // Envoy sent the header of the response alone; it has lost its Access-Control-*
	CauseProtocol  = "protocol"       // Envoy sent what is not for this processor; the stream has failed
)

// A Processor decides what becomes of the requests and responses that Envoy
// shows it. It is safe for concurrent use.
type Processor struct {
	extproc.UnimplementedExternalProcessorServer

	table   atomic.Pointer[table]
	options Options
}

// New returns a processor of the routes in file. The upstreams in it are
// disregarded: where requests go Envoy knows. If file is refused the error holds
// every mistake in it, of which there are none in one that [policyfile.Parse]
// returned.
func New(file *policyfile.File, o Options) (*Processor, error) {
	p := &Processor{options: o}
	if err := p.SetFile(file); err != nil {
		return nil, err
	}
	return p, nil
}

// SetFile replaces the routes while p serves: a request and its response are
// decided upon by the old ones or by the new ones. If file is refused, the old
// ones stay.
func (p *Processor) SetFile(file *policyfile.File) error {
	t, err := newTable(file)
	if err != nil {
		return err
	}
	p.table.Store(t)
	return nil
}

// Process is the service. For each request Envoy opens a stream, and sends the
// header of the request, which is answered with a response at once or not at
// all; and the header of the response. Then the stream is closed, which lets
// the body pass without it. Where something is out of order the stream fails, and
// Envoy, unless its failure_mode_allow says otherwise, the request.
func (p *Processor) Process(stream extproc.ExternalProcessor_ProcessServer) error {
	x := exchange{processor: p, ctx: stream.Context()}
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := x.answer(message)
		if err != nil {
			p.failed(x.route, CauseProtocol)
			return err
		}
		// In observability mode Envoy wants to hear nothing.
		if !message.ObservabilityMode {
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
		if answer.GetImmediateResponse() != nil {
			// Envoy closes the stream. Were it closed here first, each would be reset,
			// and gRPC slows a connection down on which many are.
			for err == nil {
				_, err = stream.Recv()
			}
		}
		if x.done {
			return nil
		}
	}
}

// An exchange is a request and its response.
type exchange struct {
	processor *Processor
	ctx       context.Context
	route     *route // nil before the request
	decision  cors.Decision
	done      bool // nothing that may follow matters
}

func (x *exchange) answer(message *extproc.ProcessingRequest) (*extproc.ProcessingResponse, error) {
	if err := checkModes(message.ProtocolConfig); err != nil {
		return nil, err
	}
	switch m := message.Request.(type) {
	case *extproc.ProcessingRequest_RequestHeaders:
		if x.route != nil {
			return nil, status.Error(codes.InvalidArgument, "the header of the request has come twice")
		}
		answer := x.request(m.RequestHeaders.GetHeaders())
		if c := message.ProtocolConfig; c.GetRequestBodyMode() != filter.ProcessingMode_NONE || c.GetResponseBodyMode() != filter.ProcessingMode_NONE {
			answer.ModeOverride = headersAlone
		}
		return answer, nil
	case *extproc.ProcessingRequest_ResponseHeaders:
		return x.response(m.ResponseHeaders.GetHeaders(), detailsOf(message)), nil

	// What follows comes where the processing mode asks for more than headers.
	case *extproc.ProcessingRequest_RequestBody:
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestBody{RequestBody: new(extproc.BodyResponse)}}, nil
	case *extproc.ProcessingRequest_RequestTrailers:
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestTrailers{RequestTrailers: new(extproc.TrailersResponse)}}, nil
	case *extproc.ProcessingRequest_ResponseBody, *extproc.ProcessingRequest_ResponseTrailers:
		return nil, status.Error(codes.InvalidArgument, "the body of the response comes before its header: set response_header_mode to SEND")
	}
	// To let it pass would let the response pass too.
	return nil, status.Error(codes.InvalidArgument, "a message of a kind that this processor does not know")
}

// checkModes refuses the modes in which a processor has to send bodies back.
func checkModes(c *extproc.ProtocolConfiguration) error {
	for _, mode := range [...]filter.ProcessingMode_BodySendMode{c.GetRequestBodyMode(), c.GetResponseBodyMode()} {
		if mode == filter.ProcessingMode_FULL_DUPLEX_STREAMED || mode == filter.ProcessingMode_GRPC {
			return status.Errorf(codes.FailedPrecondition, "a body mode is %s, and this processor looks at headers alone: set request_body_mode and response_body_mode to NONE", mode)
		}
	}
	return nil
}

// headersAlone asks Envoy to send no bodies. It does so where allow_mode_override
// is on.
var headersAlone = &filter.ProcessingMode{
	ResponseHeaderMode:  filter.ProcessingMode_SEND,
	RequestTrailerMode:  filter.ProcessingMode_SKIP,
	ResponseTrailerMode: filter.ProcessingMode_SKIP,
}

// request decides upon a request.
func (x *exchange) request(h *core.HeaderMap) *extproc.ProcessingResponse {
	p, r := x.processor, newRequest(h)
	route, refused := p.table.Load().find(&r)
	x.route, x.decision = route, route.decide(x.ctx, r.Request)
	d := x.decision
	if p.options.Decided != nil {
		p.options.Decided(d)
	}
	if p.options.Refused != nil && !d.Allowed && d.Kind != cors.NotCORS {
		p.options.Refused(r.http(x.ctx), d)
	}
	switch {
	case refused:
		x.done = true
		p.failed(route, CausePath)
		return immediate(http.StatusBadRequest, nil, pathText, "cors_ambiguous_path")
	case route.Shadow:
		x.done = true
	case d.Kind == cors.Preflight:
		x.done = true
		return answerPreflight(d, asText(h))
	}
	return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestHeaders{RequestHeaders: new(extproc.HeadersResponse)}}
}

// failed tells of a failure on a route, nil where none is known.
func (p *Processor) failed(r *route, cause string) {
	if p.options.Failed == nil {
		return
	}
	pattern := ""
	if r != nil {
		pattern = r.Pattern
	}
	p.options.Failed(pattern, cause)
}
