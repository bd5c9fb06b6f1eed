package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// An Envoy is a listener with the filter ext_proc.
type Envoy struct {
	Processor extproc.ExternalProcessorClient
	Filter    *filter.ExternalProcessor
	Upstream  func(*http.Request) *url.URL // nil where Envoy has no route

	// JoinLines makes one line of those on which a header came, as Envoy does with
	// headers to which one of its filters has a short way.
	JoinLines bool

	// AsText writes and reads values as text, as older Envoys do.
	AsText bool
}

// ServeHTTP passes r on as the processor says.
func (e *Envoy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	e.join(r.Header)
	x := &exchange{envoy: e, w: w}
	stream, err := e.Processor.Process(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	x.stream = stream
	if !x.request(r) {
		return
	}
	res := e.forward(r)
	defer res.Body.Close()
	e.join(res.Header)
	if !x.response(res) {
		return
	}
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}

// forward returns the response of the upstream, or what Envoy says in its place.
func (e *Envoy) forward(r *http.Request) *http.Response {
	to := e.Upstream(r)
	if to == nil {
		return local(http.StatusNotFound, "route_not_found", "")
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = to.Scheme, to.Host
	out.RequestURI, out.Close = "", false
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return local(http.StatusServiceUnavailable, "upstream_reset_before_response_started", "upstream connect error or disconnect/reset before headers")
	}
	res.Status = "via_upstream"
	return res
}

// local is a response of Envoy's own. In the place of the status are its details.
func local(status int, details, text string) *http.Response {
	return &http.Response{StatusCode: status, Status: details, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(text))}
}

type exchange struct {
	envoy  *Envoy
	w      http.ResponseWriter
	stream extproc.ExternalProcessor_ProcessClient
	done   bool // the processor wants to see no more
}

// request shows the header of a request, and reports whether it may go on.
func (x *exchange) request(r *http.Request) bool {
	h := http.Header{":method": {r.Method}, ":authority": {r.Host}, ":scheme": {"http"}, ":path": {r.URL.RequestURI()}}
	maps.Copy(h, r.Header)
	message := &extproc.ProcessingRequest{
		Request:        &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: &extproc.HttpHeaders{Headers: x.envoy.headers(h), EndOfStream: r.ContentLength == 0}},
		ProtocolConfig: new(extproc.ProtocolConfiguration),
	}
	answer, err := x.ask(message)
	if err != nil {
		x.fail(err)
		return false
	}
	switch answer := answer.GetResponse().(type) {
	case *extproc.ProcessingResponse_ImmediateResponse:
		x.stream.CloseSend()
		x.reply(answer.ImmediateResponse)
		return false
	case *extproc.ProcessingResponse_RequestHeaders:
		if m := answer.RequestHeaders.GetResponse().GetHeaderMutation(); m != nil {
			x.fail(errors.New("the player changes no requests"))
			return false
		}
	case nil: // the stream is closed
	default:
		x.done = true // spurious; Envoy lets pass what follows
	}
	return true
}

// response shows the header of a response, and reports whether it may go on.
func (x *exchange) response(res *http.Response) bool {
	if x.done {
		return true
	}
	h := http.Header{":status": {fmt.Sprint(res.StatusCode)}}
	maps.Copy(h, res.Header)
	message := &extproc.ProcessingRequest{
		Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extproc.HttpHeaders{Headers: x.envoy.headers(h)}}}
	if len(x.envoy.Filter.GetResponseAttributes()) > 0 {
		details := structpb.NewStringValue(res.Status)
		message.Attributes = map[string]*structpb.Struct{"envoy.filters.http.ext_proc": {Fields: map[string]*structpb.Value{"response.code_details": details}}}
	}
	answer, err := x.ask(message)
	x.stream.CloseSend()
	if err != nil {
		x.fail(err)
		return false
	}
	if answer, ok := answer.GetResponse().(*extproc.ProcessingResponse_ResponseHeaders); ok {
		if err := x.envoy.mutate(res.Header, answer.ResponseHeaders.GetResponse().GetHeaderMutation()); err != nil {
			x.fail(err)
			return false
		}
	}
	return true
}

// ask sends a message and returns its answer, nil where the processor has closed
// the stream.
func (x *exchange) ask(message *extproc.ProcessingRequest) (answer *extproc.ProcessingResponse, err error) {
	if err := x.stream.Send(message); err != nil && err != io.EOF {
		return nil, err
	}
	timeout := 200 * time.Millisecond
	if t := x.envoy.Filter.GetMessageTimeout(); t != nil {
		timeout = t.AsDuration()
	}
	received := make(chan struct{})
	go func() {
		answer, err = x.stream.Recv()
		close(received)
	}()
	select {
	case <-received:
	case <-time.After(timeout):
		return nil, status.Error(codes.DeadlineExceeded, "per-message timeout exceeded")
	}
	if err == io.EOF {
		x.done = true
		return nil, nil
	}
	return answer, err
}

// fail does what failure_mode_allow: false asks for.
func (x *exchange) fail(err error) {
	code := http.StatusInternalServerError
	if status.Code(err) == codes.DeadlineExceeded {
		code = http.StatusGatewayTimeout
	}
	x.w.Header().Set("X-Failed", err.Error())
	x.w.WriteHeader(code)
}

// reply gives an immediate response.
func (x *exchange) reply(r *extproc.ImmediateResponse) {
	h := make(http.Header)
	if len(r.Body) > 0 {
		h.Set("Content-Type", "text/plain")
	}
	if err := x.envoy.mutate(h, r.Headers); err != nil {
		h.Set("X-Failed", err.Error())
	}
	maps.Copy(x.w.Header(), h)
	x.w.WriteHeader(int(r.Status.GetCode()))
	x.w.Write(r.Body)
}

func (e *Envoy) join(h http.Header) {
	for name, lines := range h {
		if e.JoinLines && len(lines) > 1 {
			h[name] = []string{strings.Join(lines, ",")}
		}
	}
}

// headers writes h as Envoy does: names in lower case, one field a line.
func (e *Envoy) headers(h http.Header) *core.HeaderMap {
	m := new(core.HeaderMap)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, line := range h[name] {
			field := &core.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(line)}
			if e.AsText {
				field.Value, field.RawValue = line, nil
			}
			m.Headers = append(m.Headers, field)
		}
	}
	return m
}

var validName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9a-z-]+$")

// mutate changes h as Envoy does: it removes, and then sets, which takes the
// place of one line and leaves the others.
func (e *Envoy) mutate(h http.Header, m *extproc.HeaderMutation) error {
	for _, name := range m.GetRemoveHeaders() {
		if !validName.MatchString(name) || !e.allows(name) {
			return fmt.Errorf("remove_headers: %q: not allowed", name)
		}
		h.Del(name)
	}
	for _, option := range m.GetSetHeaders() {
		name, value, other := option.Header.Key, string(option.Header.RawValue), option.Header.Value
		if e.AsText {
			value, other = other, value
		}
		if !validName.MatchString(name) || !e.allows(name) || strings.ContainsAny(value, "\x00\r\n") {
			return fmt.Errorf("set_headers: %q: not allowed", name)
		}
		if other != "" {
			return fmt.Errorf("set_headers: %q: %q is not looked at", name, other)
		}
		key := http.CanonicalHeaderKey(name)
		if len(h[key]) == 0 {
			h[key] = []string{value}
		} else {
			h[key][0] = value
		}
	}
	return nil
}

// allows applies mutation_rules with disallow_all and allow_expression.
func (e *Envoy) allows(name string) bool {
	rules := e.Filter.GetMutationRules()
	if !rules.GetDisallowAll().GetValue() {
		return true
	}
	ok, err := regexp.MatchString("^(?:"+rules.GetAllowExpression().GetRegex()+")$", name)
	return ok && err == nil
}
