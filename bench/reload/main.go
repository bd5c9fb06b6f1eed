// Command reload replaces the policy of cors serve ten times a second under
// load, and prints what the clients saw of it: nothing, it is to be hoped.
//
//	go run ./bench/reload
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
	"github.com/crossorigin/cors/header"
)

const (
	listen = "127.0.0.1:18920"
	origin = "https://app.example.com"
)

var (
	duration = flag.Duration("duration", time.Minute, "how long")
	every    = flag.Duration("every", 100*time.Millisecond, "how long each policy stays")
	program  = flag.String("cors", "", "the cors command to measure; built from ./cmd/cors where none is given")
)

// The policies differ in every header that they send, and both allow the
// request; the third is refused, and the one before it must stay.
var policies = []string{`
    origins: ["https://app.example.com"]
    methods: [PUT]
    request-headers: [X-Name]
    exposed-headers: [X-First]
    credentials: true
    max-age: 10s`, `
    origins: ["*"]
    methods: [PUT]
    request-headers: [X-Name]
    exposed-headers: [X-Second]
    max-age: 20s`, `
    origins: ["https://app.example.com/"]
    max-age: 30s`,
}

// The answers that are wholly of one policy: to a GET and to a preflight.
var whole = map[string]string{
	"GET https://app.example.com true X-First ": "first",
	"OPTIONS https://app.example.com true  10":  "first",
	"GET *  X-Second ":                          "second",
	"OPTIONS *   20":                            "second",
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "reload: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	place, err := rig.Places()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-reload")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *program, err = rig.Program(*program, dir, "./cmd/cors"); err != nil {
		return err
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer upstream.Close()
	file := filepath.Join(dir, "cors.yaml")
	write := func(i int) error {
		text := "upstream: " + upstream.URL + "\nroutes:\n  \"/\":" + policies[i] + "\n"
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	if err := write(0); err != nil {
		return err
	}
	gateway, err := rig.Start(place.Server, listen, *program, "serve", "--listen", listen, "--policy", file)
	if err != nil {
		return err
	}
	defer gateway.Stop()

	ctx, cancel := context.WithTimeout(context.Background(), *duration)
	defer cancel()
	var work sync.WaitGroup
	var failed atomic.Pointer[error]
	do := func(f func() error) {
		work.Go(func() {
			if err := f(); err != nil {
				failed.CompareAndSwap(nil, &err)
				cancel()
			}
		})
	}
	var loads [2]rig.Load
	do(func() (err error) {
		loads[0], err = rig.Wrk(place.Wrk, *duration, "GET", "http://"+listen+"/", "Origin: "+origin)
		return err
	})
	do(func() (err error) {
		loads[1], err = rig.Wrk(place.Wrk, *duration, "OPTIONS", "http://"+listen+"/",
			"Origin: "+origin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-name")
		return err
	})
	var seen tally
	for range 4 {
		do(func() error { return seen.ask(ctx) })
	}
	var memory []int
	written := 0
	do(func() error {
		tick := time.NewTicker(*every)
		defer tick.Stop()
		for i := 1; ; i++ {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			next := i % 2
			if i%10 == 0 {
				next = 2
			}
			if err := write(next); err != nil {
				return err
			}
			if err := gateway.Signal(syscall.SIGHUP); err != nil {
				return err
			}
			written++
			if i%10 == 0 {
				bytes, err := gateway.Memory()
				if err != nil {
					return err
				}
				memory = append(memory, bytes)
			}
		}
	})
	work.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	gateway.Stop()
	taken := strings.Count(gateway.Output(), "the policy is replaced")
	refused := strings.Count(gateway.Output(), "the policy is refused")

	fmt.Printf("| in %s | |\n|---|--:|\n", *duration)
	fmt.Printf("| policies written | %d |\n", written)
	fmt.Printf("| policies taken, broken ones refused | %d, %d |\n", taken, refused)
	fmt.Printf("| requests by wrk, failed | %d, %d |\n", loads[0].Requests+loads[1].Requests, loads[0].Failed+loads[1].Failed)
	fmt.Printf("| answers read, of the first policy, of the second, of a mixture | %d, %d, %d, %d |\n",
		seen.first+seen.second+seen.mixed, seen.first, seen.second, seen.mixed)
	fmt.Printf("| memory in the first second, in the last, at most | %.1f MB, %.1f MB, %.1f MB |\n",
		megabytes(memory[0]), megabytes(memory[len(memory)-1]), megabytes(slices.Max(memory)))
	fmt.Printf("\n%s\n", place)
	switch {
	case loads[0].Failed+loads[1].Failed > 0:
		return errors.New("requests failed")
	case seen.mixed > 0:
		return fmt.Errorf("answers of a mixture, such as %q", seen.mixture)
	case seen.first == 0 || seen.second == 0 || refused == 0:
		return errors.New("not every policy was served or refused")
	}
	return nil
}

// A tally counts answers by the policy that they are of.
type tally struct {
	mu                   sync.Mutex
	first, second, mixed int
	mixture              string
}

// ask asks until ctx is done. It shares the processors with wrk.
func (t *tally) ask(ctx context.Context) error {
	for {
		for _, method := range []string{"GET", "OPTIONS"} {
			r, err := http.NewRequest(method, "http://"+listen+"/", nil)
			if err != nil {
				return err
			}
			r.Header.Set(header.Origin, origin)
			if method == http.MethodOptions {
				r.Header.Set(header.AccessControlRequestMethod, "PUT")
				r.Header.Set(header.AccessControlRequestHeaders, "x-name")
			}
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return err
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			t.add(fmt.Sprint(method, " ", res.Header.Get(header.AccessControlAllowOrigin), " ", res.Header.Get(header.AccessControlAllowCredentials), " ",
				res.Header.Get(header.AccessControlExposeHeaders), " ", res.Header.Get(header.AccessControlMaxAge)))
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func (t *tally) add(answer string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch whole[answer] {
	case "first":
		t.first++
	case "second":
		t.second++
	default:
		t.mixed++
		t.mixture = answer
	}
}

func megabytes(bytes int) float64 { return float64(bytes) / 1e6 }
