package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// Seen is what whoever plays Envoy has seen.
type Seen struct {
	Done, Failed, Wrong int
	Away                int    // exchanges that found no processor
	Error               string // of one that failed or was wrong
	Took, Half, P99     time.Duration
	Gap                 time.Duration // the longest time in which nothing was done
}

// connections is how many Envoys there are, or workers of one.
const connections = 4

// play is this program as Envoy: play KIND AT-ONCE DURATION ADDRESS...
func play() error {
	kind, addresses := flag.Arg(1), flag.Args()[4:]
	atOnce, err := strconv.Atoi(flag.Arg(2))
	if err != nil {
		return err
	}
	duration, err := time.ParseDuration(flag.Arg(3))
	if err != nil {
		return err
	}
	var clients []extproc.ExternalProcessorClient
	for range connections {
		c, err := dial(addresses)
		if err != nil {
			return err
		}
		defer c.Close()
		client := extproc.NewExternalProcessorClient(c)
		if err := exchange(context.Background(), client, "get", nil); err != nil {
			return err
		}
		clients = append(clients, client)
	}
	var seen Seen
	if kind == "hold" {
		seen = hold(clients, atOnce, duration)
	} else {
		seen = load(clients, kind, atOnce, duration)
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

// dial connects to all addresses, and to those that are away again soon.
func dial(addresses []string) (*grpc.ClientConn, error) {
	r := manual.NewBuilderWithScheme("processors")
	var state resolver.State
	for _, a := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: a})
	}
	r.InitialState(state)
	soon := backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.2, MaxDelay: 100 * time.Millisecond}
	return grpc.NewClient("processors:///", grpc.WithResolvers(r), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}))
}

// load does one exchange after the other, so many at once.
func load(clients []extproc.ExternalProcessorClient, kind string, atOnce int, duration time.Duration) Seen {
	var seen Seen
	var mu sync.Mutex
	var took []time.Duration
	var last, gap atomic.Int64
	begin := time.Now()
	var work sync.WaitGroup
	for i := range atOnce {
		client := clients[i%len(clients)]
		work.Go(func() {
			var own []time.Duration
			for time.Since(begin) < duration {
				start := time.Now()
				err := exchange(context.Background(), client, kind, nil)
				if err != nil {
					mu.Lock()
					seen.count(err)
					mu.Unlock()
					time.Sleep(time.Millisecond)
					continue
				}
				now := time.Now()
				own = append(own, now.Sub(start))
				at := now.Sub(begin).Nanoseconds()
				if since := at - last.Swap(at); since > gap.Load() {
					gap.Store(since)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	work.Wait()
	seen.Done, seen.Took, seen.Gap = len(took), time.Since(begin), time.Duration(gap.Load())
	slices.Sort(took)
	if len(took) > 0 {
		seen.Half, seen.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return seen
}

// hold begins so many exchanges, and has the upstream answer them all when they
// have been open for a while.
func hold(clients []extproc.ExternalProcessorClient, atOnce int, duration time.Duration) Seen {
	var seen Seen
	var mu sync.Mutex
	var work, opened sync.WaitGroup
	answer := make(chan struct{})
	opened.Add(atOnce)
	begin := time.Now()
	for i := range atOnce {
		client := clients[i%len(clients)]
		work.Go(func() {
			once := sync.OnceFunc(opened.Done)
			err := exchange(context.Background(), client, "get", func() {
				once()
				<-answer
			})
			once()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				seen.count(err)
			} else {
				seen.Done++
			}
		})
	}
	opened.Wait()
	time.Sleep(duration)
	close(answer)
	work.Wait()
	seen.Took = time.Since(begin)
	return seen
}

var errWrong = errors.New("not as the policy says")

func (s *Seen) count(err error) {
	switch {
	case strings.Contains(err.Error(), "connection error"): // of one that could not be made
		s.Away++
		return
	case errors.Is(err, errWrong):
		s.Wrong++
	default:
		s.Failed++
	}
	s.Error = err.Error()
}

// exchange is one request and its response, between which upstream is called.
func exchange(ctx context.Context, client extproc.ExternalProcessorClient, kind string, upstream func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Process(ctx)
	if err != nil {
		return err
	}
	message := getMessage
	if kind == "preflight" {
		message = preflightMessage
	}
	if err := stream.Send(message); err != nil && err != io.EOF {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	if kind == "preflight" {
		return errors.Join(check(answer.GetImmediateResponse().GetHeaders()), end(stream))
	}
	if upstream != nil {
		upstream()
	}
	if err := stream.Send(responseMessage); err != nil && err != io.EOF {
		return err
	}
	if answer, err = stream.Recv(); err != nil {
		return err
	}
	return errors.Join(check(answer.GetResponseHeaders().GetResponse().GetHeaderMutation()), end(stream))
}

// end closes the stream as Envoy does when it has what it needs.
func end(stream extproc.ExternalProcessor_ProcessClient) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("the stream does not end: %w", err)
	}
	return nil
}

// check holds what the processor says to the policy.
func check(m *extproc.HeaderMutation) error {
	for _, h := range m.GetSetHeaders() {
		if h.Header.Key == "access-control-allow-origin" && string(h.Header.RawValue) == "https://app.example.com" {
			return nil
		}
	}
	return fmt.Errorf("%w: %v", errWrong, m)
}

var (
	getMessage = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: fields(
		":method", "GET", ":authority", "api.example.com", ":path", "/users/7?full=1", "origin", "https://app.example.com", "sec-fetch-site", "cross-site")}}
	preflightMessage = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: fields(
		":method", "OPTIONS", ":authority", "api.example.com", ":path", "/users/7", "origin", "https://app.example.com", "sec-fetch-site", "cross-site",
		"access-control-request-method", "PUT", "access-control-request-headers", "authorization,content-type")}}
	responseMessage = &extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: fields(
		":status", "200", "vary", "accept-encoding", "access-control-allow-origin", "*")}}
)

// fields are headers as Envoy sends them, those that the filter of the example
// lets through.
func fields(pairs ...string) *extproc.HttpHeaders {
	m := new(core.HeaderMap)
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &core.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return &extproc.HttpHeaders{Headers: m}
}
