package envoy

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// FuzzOwn has Envoy do to the header of a response, which it holds as a list of
// lines with names in lower case, what package edge does to one of net/http.
func FuzzOwn(f *testing.F) {
	for _, lines := range []string{
		"",
		"vary: accept\naccess-control-allow-origin: *",
		"access-control-allow-origin: *\naccess-control-allow-origin: https://app.example.com\nvary: origin\nvary: cookie",
		"access-control-: \nAccess-Control-X: 1\naccess-control-x: 2\ncontent-type: text/plain\nVARY: *",
	} {
		for mode := range 3 {
			f.Add(lines, "https://app.example.com", uint8(mode))
		}
		f.Add(lines, "https://evil.example", uint8(edge.Strip))
		f.Add(lines, "", uint8(edge.Fill))
	}
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}, ExposedHeaders: []string{"X-Id"}, Credentials: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lines, origin string, mode uint8) {
		r := cors.Request{Method: "GET"}
		if origin != "" {
			r.Origin = []string{origin}
		}
		d := mw.Decide(context.Background(), r)
		sent, want := new(core.HeaderMap), make(http.Header)
		var held []*core.HeaderValue
		for line := range strings.SplitSeq(lines, "\n") {
			name, value, ok := strings.Cut(line, ": ")
			if !ok || !isToken(name) {
				continue
			}
			sent.Headers = append(sent.Headers, &core.HeaderValue{Key: name, RawValue: []byte(value)})
			held = append(held, &core.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(value)})
			want.Add(name, value)
		}
		m, _ := own(sent, d, edge.Mode(mode%3))
		for _, name := range m.RemoveHeaders {
			held = slices.DeleteFunc(held, func(h *core.HeaderValue) bool { return h.Key == strings.ToLower(name) })
		}
		for _, option := range m.SetHeaders {
			i := slices.IndexFunc(held, func(h *core.HeaderValue) bool { return h.Key == option.Header.Key })
			if i < 0 {
				held = append(held, option.Header)
			} else {
				held[i] = option.Header // and the lines after it stay
			}
		}
		got := make(http.Header)
		for _, h := range held {
			got.Add(h.Key, string(h.RawValue))
		}
		edge.Own(want, d, edge.Mode(mode%3))
		// Lines that were added to may have become one.
		got["Vary"], want["Vary"] = joined(got["Vary"]), joined(want["Vary"])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q by %q: %v: -edge +Envoy:\n%s", lines, origin, m, diff)
		}
	})
}

func joined(lines []string) []string { return []string{strings.Join(lines, ", ")} }

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) })
}
