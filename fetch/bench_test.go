package fetch_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// canned is a transport that answers at once, so that what is measured is the
// client.
type canned struct{}

func (canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Access-Control-Allow-Origin":  {"https://app.example.com"},
			"Access-Control-Allow-Methods": {"PUT"},
			"Access-Control-Allow-Headers": {"x-a"},
			"Access-Control-Max-Age":       {"600"},
			"Content-Type":                 {"application/json"},
			"Date":                         {"Tue, 24 Nov 2026 12:00:00 GMT"},
			"Vary":                         {"Origin"},
		},
		Body: io.NopCloser(strings.NewReader(`{"hello":"world"}`)), ContentLength: 17, Request: r,
	}, nil
}

var benchmarked = []struct {
	name    string
	request fetch.Request
	most    float64 // allocations
}{
	{"no preflight", fetch.Request{URL: api}, 39},
	{"preflight cached", fetch.Request{URL: api, Method: "PUT", Header: []header.Field{{Name: "X-A", Value: "1"}}}, 38},
}

func readAll(b testing.TB, body io.ReadCloser, buffer []byte) {
	for {
		if _, err := body.Read(buffer); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	body.Close()
}

func BenchmarkFetch(b *testing.B) {
	for _, bb := range benchmarked {
		b.Run(bb.name, func(b *testing.B) {
			page := (&fetch.Browser{Transport: canned{}}).Open(app)
			buffer := make([]byte, 512)
			b.ReportAllocs()
			for b.Loop() {
				res, err := page.Fetch(context.Background(), &bb.request)
				if err != nil {
					b.Fatal(err)
				}
				readAll(b, res.Body, buffer)
			}
		})
	}
}

// The same over http.Client, for what fetch costs beside it.
func BenchmarkClient(b *testing.B) {
	for _, bb := range benchmarked {
		b.Run(bb.name, func(b *testing.B) {
			client := &http.Client{Transport: canned{}}
			buffer := make([]byte, 512)
			method := bb.request.Method
			if method == "" {
				method = "GET"
			}
			b.ReportAllocs()
			for b.Loop() {
				req, err := http.NewRequestWithContext(context.Background(), method, bb.request.URL, nil)
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range bb.request.Header {
					req.Header.Set(f.Name, f.Value)
				}
				res, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				readAll(b, res.Body, buffer)
			}
		})
	}
}

// Without a trace, nothing is allocated for one.
func TestFetchAllocations(t *testing.T) {
	for _, tt := range benchmarked {
		t.Run(tt.name, func(t *testing.T) {
			page := (&fetch.Browser{Transport: canned{}}).Open(app)
			buffer := make([]byte, 512)
			got := testing.AllocsPerRun(100, func() {
				res, err := page.Fetch(t.Context(), &tt.request)
				if err != nil {
					t.Fatal(err)
				}
				readAll(t, res.Body, buffer)
			})
			if got > tt.most {
				t.Errorf("%s: %v allocations, want at most %v", tt.name, got, tt.most)
			}
		})
	}
}
