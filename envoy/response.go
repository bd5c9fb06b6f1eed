package envoy

import (
	"net/http"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	httptype "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
)

// response gives a response the headers of the policy. Of one that Envoy itself
// made before this processor saw the request nothing is known, and nobody may
// read it.
func (x *exchange) response(h *core.HeaderMap, details string) *extproc.ProcessingResponse {
	x.done = true
	pattern, mode := "", edge.Strip
	if x.route == nil {
		x.processor.failed(nil, CauseNoRequest)
	} else {
		pattern, mode = x.route.Pattern, x.route.UpstreamHeaders
		if details != "" && details != viaUpstream {
			mode = edge.Strip // of an upstream that has none to keep
		}
	}
	m, stripped := own(h, x.decision, mode)
	if stripped != 0 && x.processor.options.Stripped != nil {
		x.processor.options.Stripped(pattern, stripped)
	}
	return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseHeaders{
		ResponseHeaders: &extproc.HeadersResponse{Response: &extproc.CommonResponse{HeaderMutation: m}}}}
}

// What response.code_details says of a response that an upstream made. Of those
// that Envoy made itself it says much else.
const (
	codeDetails = "response.code_details"
	viaUpstream = "via_upstream"
)

// detailsOf returns where a response is from, "" if Envoy is not set up to say.
func detailsOf(message *extproc.ProcessingRequest) string {
	for _, attributes := range message.Attributes {
		if v := attributes.Fields[codeDetails]; v != nil {
			return v.GetStringValue()
		}
	}
	return ""
}

// own returns what [edge.Own] does to h, as Envoy is to do it.
func own(h *core.HeaderMap, d cors.Decision, mode edge.Mode) (*extproc.HeaderMutation, edge.Stripped) {
	var names []string // those that concern CORS, as Envoy writes them
	before, after := make(http.Header), make(http.Header, 4)
	for _, field := range h.GetHeaders() {
		if !concernsCORS(field.Key) {
			continue
		}
		name := http.CanonicalHeaderKey(field.Key)
		if _, seen := before[name]; !seen {
			names = append(names, field.Key)
		}
		before[name] = append(before[name], value(field))
	}
	for name, lines := range before {
		after[name] = lines[:len(lines):len(lines)]
	}
	stripped := edge.Own(after, d, mode)
	m := new(extproc.HeaderMutation)
	for _, key := range names {
		name := http.CanonicalHeaderKey(key)
		lines, kept := after[name]
		switch {
		case kept && len(lines) == len(before[name]) && &lines[0] == &before[name][0]:
			delete(after, name)
		case !kept || len(before[name]) > 1:
			// Envoy removes before it sets; what it sets takes the place of one line.
			m.RemoveHeaders = append(m.RemoveHeaders, key)
		}
	}
	set(m, after, asText(h))
	return m, stripped
}

// concernsCORS reports whether the policy may have something to do with a header.
func concernsCORS(name string) bool {
	return header.EqualFold(name, header.Vary) || header.IsAccessControl(name)
}

// set has Envoy set the headers in h, each on one line: whether the word append
// or append_action asks for more depends on its version.
func set(m *extproc.HeaderMutation, h http.Header, text bool) {
	one := func(name string) {
		lines := h[name]
		if len(lines) == 0 {
			return
		}
		field := &core.HeaderValue{Key: header.Lower(name)}
		if joined := strings.Join(lines, ", "); text {
			field.Value = joined
		} else {
			field.RawValue = []byte(joined)
		}
		m.SetHeaders = append(m.SetHeaders, &core.HeaderValueOption{Header: field, AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD})
	}
	one(header.Vary)
	for _, name := range edge.Names {
		one(name)
	}
}

// answerPreflight is the response to a preflight.
func answerPreflight(d cors.Decision, text bool) *extproc.ProcessingResponse {
	h := make(http.Header)
	d.Apply(h)
	m := new(extproc.HeaderMutation)
	set(m, h, text)
	return immediate(d.Status(), m, "", "cors_preflight")
}

// pathText is what requests get whose path can be read in ways that have
// different routes. No page can read it.
const pathText = `The path can be read in two ways: write it without "%2F", "%5C", backslashes and semicolons.` + "\n"

// immediate is a response that Envoy gives in the place of the upstream; details
// is what its access log calls it.
func immediate(status int, m *extproc.HeaderMutation, body, details string) *extproc.ProcessingResponse {
	return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extproc.ImmediateResponse{
		Status:  &httptype.HttpStatus{Code: httptype.StatusCode(status)},
		Headers: m,
		Body:    []byte(body),
		Details: details,
	}}}
}
