package envoy

import (
	"context"
	"testing"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/proto"

	"github.com/crossorigin/cors/policyfile"
)

// FuzzAnswer has two messages answered, whatever is in them: with an answer or
// with an error, and never so that somebody else may read.
func FuzzAnswer(f *testing.F) {
	const app = "https://app.example.com"
	file, err := policyfile.Parse([]byte("routes: {/: {origins: [" + app + "], methods: [PUT], credentials: true}, /off/: off}"))
	if err != nil {
		f.Fatal(err)
	}
	p, err := New(file, Options{})
	if err != nil {
		f.Fatal(err)
	}
	fields := func(pairs ...string) *extproc.HttpHeaders {
		m := new(core.HeaderMap)
		for i := 0; i < len(pairs); i += 2 {
			m.Headers = append(m.Headers, &core.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
		}
		return &extproc.HttpHeaders{Headers: m}
	}
	request := func(h *extproc.HttpHeaders) *extproc.ProcessingRequest {
		return &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: h}}
	}
	response := &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: fields(":status", "200", "access-control-allow-origin", "*")}}
	for _, m := range []*extproc.ProcessingRequest{
		request(fields(":method", "GET", ":path", "/", "origin", app)),
		request(fields(":method", "GET", ":path", "/off/..%2f", "origin", app)),
		request(fields(":method", "OPTIONS", ":path", "/", "origin", app, "access-control-request-method", "PUT")),
		request(nil), response, {},
	} {
		first, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		second, err := proto.Marshal(response)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(first, second)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		x := exchange{processor: p, ctx: context.Background()}
		for _, data := range [][]byte{first, second} {
			m := new(extproc.ProcessingRequest)
			if proto.Unmarshal(data, m) != nil {
				return
			}
			answer, err := x.answer(m)
			if (answer == nil) == (err == nil) {
				t.Fatalf("%v: %v, %v", m, answer, err)
			}
			sets := answer.GetImmediateResponse().GetHeaders().GetSetHeaders()
			sets = append(sets, answer.GetResponseHeaders().GetResponse().GetHeaderMutation().GetSetHeaders()...)
			for _, h := range sets {
				if h.Header.Key == "access-control-allow-origin" && string(h.Header.RawValue) != app {
					t.Errorf("%v: %q may read", m, h.Header.RawValue)
				}
			}
			if x.done {
				return
			}
		}
	})
}
