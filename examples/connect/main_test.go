package main

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

const url = "https://api.example.com" + greetProcedure

// connectJSON is what connect-web sends by its own protocol.
func connectJSON(body string) *fetch.Request {
	return &fetch.Request{URL: url, Method: "POST", Body: []byte(body), Header: []header.Field{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Connect-Protocol-Version", Value: "1"}, {Name: "Authorization", Value: "Bearer t"},
	}}
}

// grpcWeb is what a gRPC-Web client sends.
func grpcWeb(t *testing.T, name string) *fetch.Request {
	t.Helper()
	message, err := proto.Marshal(wrapperspb.String(name))
	if err != nil {
		t.Fatal(err)
	}
	return &fetch.Request{URL: url, Method: "POST", Body: frame(message), Header: []header.Field{
		{Name: "Content-Type", Value: "application/grpc-web+proto"}, {Name: "X-Grpc-Web", Value: "1"}, {Name: "Grpc-Timeout", Value: "5S"},
	}}
}

// frame puts a message behind its flags and its length.
func frame(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

func handler(t *testing.T) http.Handler {
	t.Helper()
	h, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAPageOfAnAllowedOriginCallsByConnect(t *testing.T) {
	page := corstest.From(t, "https://app.example.com", handler(t))
	r := page.Fetch(connectJSON(`"Ada"`)).Status(200).Preflights(1).Sees("X-Greeted", "Ada")
	if r.Body != `"Hello, Ada"` {
		t.Errorf("the page reads %q", r.Body)
	}
	r = page.Fetch(connectJSON(`""`)).Status(400).Preflights(0)
	if !strings.Contains(r.Body, "invalid_argument") {
		t.Errorf("the page reads %q of an error", r.Body)
	}
}

func TestAPageOfAnAllowedOriginCallsByGRPCWeb(t *testing.T) {
	page := corstest.From(t, "https://app.example.com", handler(t))
	r := page.Fetch(grpcWeb(t, "Ada")).Status(200).Preflights(1)
	message, err := proto.Marshal(wrapperspb.String("Hello, Ada"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Body, string(frame(message))) || !strings.Contains(strings.ToLower(r.Body), "grpc-status: 0") {
		t.Errorf("the page reads %q, want a frame with %q and one with trailers", r.Body, message)
	}
	// An error has no message: its status is in headers, or in a frame of trailers.
	r = page.Fetch(grpcWeb(t, "")).Status(200)
	status, _ := r.Response.Get("Grpc-Status")
	if status != "3" && !strings.Contains(strings.ToLower(r.Body), "grpc-status: 3") {
		t.Errorf("the page sees Grpc-Status %q and reads %q of an error, want status 3", status, r.Body)
	}
}

func TestAPageOfAThirdOriginCallsNothing(t *testing.T) {
	page := corstest.From(t, "https://evil.example", handler(t))
	page.Fetch(connectJSON(`"Ada"`)).Refused()
	page.Fetch(grpcWeb(t, "Ada")).Refused()
}
