package cors

import (
	"context"
	"net/http"
	"testing"
)

// BenchmarkValues compares what the slabs cost with sharing the values between
// responses, and with an allocation for each.
func BenchmarkValues(b *testing.B) {
	c, err := compile(Policy{Origins: []string{"https://a.example"}, Credentials: true, ExposedHeaders: []string{"X-A"}})
	if err != nil {
		b.Fatal(err)
	}
	var d Decision
	c.decide(context.Background(), &Request{Method: "GET", Origin: []string{"https://a.example"}}, &d)
	h := make(http.Header)
	b.Run("slabs", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(h)
			d.apply(h, &Request{})
		}
	})
	shared := [...][]string{{"Origin"}, {"https://a.example"}, {"true"}, {"X-A"}}
	names := [...]string{"Vary", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"}
	b.Run("shared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(h)
			_ = h["Vary"]
			for i, name := range names {
				h[name] = shared[i]
			}
		}
	})
	b.Run("allocated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(h)
			_ = h["Vary"]
			for i, name := range names {
				h[name] = []string{shared[i][0]}
			}
		}
	})
}
