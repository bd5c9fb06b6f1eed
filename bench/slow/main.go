// Command slow opens ten thousand connections to cors serve that send a byte of
// a request now and then, and prints what others notice of it, and what it costs.
//
//	go run ./bench/slow
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
)

const (
	listen = "127.0.0.1:18930"
	origin = "https://app.example.com"
)

var (
	connections = flag.Int("connections", 10_000, "how many")
	program     = flag.String("cors", "", "the cors command to measure; built from ./cmd/cors where none is given")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "slow: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	if int(files.Max) < *connections+100 {
		return fmt.Errorf("this machine lets a process have %d open files, which is not enough; raise the limit (ulimit -n), or write -connections %d", files.Max, files.Max-100)
	}
	place, err := rig.Places()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-slow")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *program, err = rig.Program(*program, dir, "./cmd/cors"); err != nil {
		return err
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	defer upstream.Close()
	gateway, err := rig.Start(place.Server, listen, *program, "serve", "--listen", listen, "--to", upstream.URL, "--origin", origin)
	if err != nil {
		return err
	}
	defer gateway.Stop()
	before, err := gateway.Memory()
	if err != nil {
		return err
	}
	alone, err := ask(100)
	if err != nil {
		return err
	}
	spent, err := gateway.Processor()
	if err != nil {
		return err
	}
	began := time.Now()
	all, err := open(*connections)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	opened := time.Since(began)
	among, err := ask(100)
	if err != nil {
		return fmt.Errorf("among %d slow connections: %w", len(all), err)
	}
	during, err := gateway.Memory()
	if err != nil {
		return err
	}
	took := until(all)
	last := time.Since(began)
	now, err := gateway.Processor()
	if err != nil {
		return err
	}
	after, err := ask(100)
	if err != nil {
		return err
	}

	fmt.Printf("| %d slow connections | |\n|---|--:|\n", len(all))
	fmt.Printf("| opened in | %.1f s |\n", opened.Seconds())
	fmt.Printf("| a GET takes, before, among them, after: median | %.1f ms, %.1f ms, %.1f ms |\n", ms(median(alone)), ms(median(among)), ms(median(after)))
	fmt.Printf("| at most | %.1f ms, %.1f ms, %.1f ms |\n", ms(slices.Max(alone)), ms(slices.Max(among)), ms(slices.Max(after)))
	fmt.Printf("| failed | 0 of 300 |\n")
	fmt.Printf("| memory before, among them | %.1f MB, %.1f MB |\n", float64(before)/1e6, float64(during)/1e6)
	fmt.Printf("| for each connection | %.1f kB |\n", float64(during-before)/float64(len(all))/1e3)
	fmt.Printf("| ended by the gateway, the last after | %d, %.1f s |\n", took, last.Seconds())
	fmt.Printf("| time of the processor | %.1f s |\n", (now - spent).Seconds())
	if took < len(all) {
		return fmt.Errorf("%d connections were not ended", len(all)-took)
	}
	return nil
}

// open opens n connections, each with the beginning of a request.
func open(n int) ([]net.Conn, error) {
	all := make([]net.Conn, n)
	var failed error
	var mu sync.Mutex
	var work sync.WaitGroup
	for part := range 32 {
		work.Go(func() {
			for i := part; i < n; i += 32 {
				c, err := net.Dial("tcp", listen)
				if err == nil {
					_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nX: ")
				}
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				all[i] = c
			}
		})
	}
	work.Wait()
	return all, failed
}

// until sends a byte on each connection every two seconds, and returns how many
// the gateway has ended when none is left, or half a minute has passed.
func until(all []net.Conn) int {
	var mu sync.Mutex
	ended := 0
	var work sync.WaitGroup
	deadline := time.Now().Add(30 * time.Second)
	for _, c := range all {
		work.Go(func() {
			for buf := make([]byte, 256); time.Now().Before(deadline); {
				c.SetReadDeadline(time.Now().Add(2 * time.Second))
				_, err := c.Read(buf)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					c.Write([]byte("a"))
					continue
				}
				if err != nil {
					mu.Lock()
					ended++
					mu.Unlock()
					return
				}
			}
		})
	}
	work.Wait()
	return ended
}

// ask sends n requests, each on a connection of its own, and returns how long
// each took.
func ask(n int) ([]time.Duration, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	var all []time.Duration
	for range n {
		began := time.Now()
		r, err := http.NewRequest("GET", "http://"+listen+"/", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Origin", origin)
		res, err := transport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 {
			return nil, fmt.Errorf("status %d: %w", res.StatusCode, err)
		}
		all = append(all, time.Since(began))
	}
	return all, nil
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
