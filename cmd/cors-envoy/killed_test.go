package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// TestAKilledProcessorLosesWhatIsInFlight kills the processor while exchanges are
// under way. Each of them fails, so that Envoy lets no response pass; once it has
// been started again everything is decided upon as before.
func TestAKilledProcessorLosesWhatIsInFlight(t *testing.T) {
	dir := t.TempDir()
	program, policy := filepath.Join(dir, "cors-envoy"), filepath.Join(dir, "cors.yaml")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.WriteFile(policy, []byte("routes: {/: {origins: [https://app.example.com]}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	start := func() *exec.Cmd {
		cmd := exec.Command(program, "--policy", policy, "--listen", address)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		return cmd
	}
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond}}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	begin := func() (extproc.ExternalProcessor_ProcessClient, error) {
		stream, err := extproc.NewExternalProcessorClient(c).Process(ctx, grpc.WaitForReady(true))
		if err != nil {
			return nil, err
		}
		h := &core.HeaderMap{Headers: []*core.HeaderValue{{Key: ":method", RawValue: []byte("GET")}, {Key: ":path", RawValue: []byte("/")}, {Key: "origin", RawValue: []byte("https://app.example.com")}}}
		if err := stream.Send(&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: &extproc.HttpHeaders{Headers: h}}}); err != nil {
			return nil, err
		}
		if _, err := stream.Recv(); err != nil {
			return nil, err
		}
		return stream, nil
	}
	end := func(stream extproc.ExternalProcessor_ProcessClient) (string, error) {
		err := stream.Send(&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extproc.HttpHeaders{Headers: new(core.HeaderMap)}}})
		if err != nil && err != io.EOF {
			return "", err
		}
		answer, err := stream.Recv()
		return mutation(answer.GetResponseHeaders().GetResponse().GetHeaderMutation()), err
	}

	killed := start()
	var under []extproc.ExternalProcessor_ProcessClient
	for range 50 {
		stream, err := begin()
		if err != nil {
			t.Fatal(err)
		}
		under = append(under, stream)
	}
	killed.Process.Kill()
	killed.Wait()
	for _, stream := range under {
		if said, err := end(stream); err == nil || err == io.EOF {
			t.Errorf("%q, %v: a response would pass", said, err)
		}
	}
	start()
	stream, err := begin()
	for status.Code(err) == codes.Unavailable && ctx.Err() == nil { // the connection of before
		stream, err = begin()
	}
	if err != nil {
		t.Fatal(err)
	}
	if said, err := end(stream); err != nil || !strings.Contains(said, "access-control-allow-origin: https://app.example.com") {
		t.Errorf("after a new start: %q, %v", said, err)
	}
}
