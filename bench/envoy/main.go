// Command envoy measures cors-envoy as Envoy meets it, and prints tables:
//
//	go run ./bench/envoy
//
// The processor has one processor of the machine, and what plays Envoy another, if
// there are two. It speaks gRPC as grpc-go does, which costs more than what it
// measures: where it cannot ask faster, the time that a decision takes of the
// processor says how many there could be.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
)

const (
	first  = "127.0.0.1:18930"
	second = "127.0.0.1:18931"
)

var (
	rounds   = flag.Int("rounds", 3, "how often each row is measured")
	duration = flag.Duration("duration", 5*time.Second, "how long each time")
	streams  = flag.Int("streams", 10_000, "how many exchanges are held open at once")
	program  = flag.String("cors-envoy", "", "the command to measure; built from ./cmd/cors-envoy where none is given")
)

const policy = `
routes:
  /:
    origins: ["https://app.example.com", "https://*.example.com"]
    methods: [PUT, DELETE]
    request-headers: [Authorization, Content-Type]
    exposed-headers: [X-Request-Id]
    credentials: true
    max-age: 10m
  /public/:
    origins: ["*"]
  /admin/: off
`

func main() {
	flag.Parse()
	run := measure
	if flag.Arg(0) == "play" {
		run = play
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "envoy: %v\n", err)
		os.Exit(1)
	}
}

// A bench has what the measurements share.
type bench struct {
	place rig.Place
	dir   string
}

func measure() error {
	place, err := rig.Places()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-envoy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *program, err = rig.Program(*program, dir, "./cmd/cors-envoy"); err != nil {
		return err
	}
	b := bench{place, dir}
	if err := os.WriteFile(b.file(), []byte(policy), 0o600); err != nil {
		return err
	}
	for _, f := range []func() error{b.decisions, b.open, b.killed} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (b bench) file() string { return filepath.Join(b.dir, "cors.yaml") }

// start starts a processor.
func (b bench) start(address string) (*rig.Process, error) {
	return rig.Start(b.place.Server, address, *program, "--policy", b.file(), "--listen", address)
}

// player runs this program as what plays Envoy, and reads what it has seen.
func (b bench) player(args ...string) (seen Seen, err error) {
	self, err := os.Executable()
	if err != nil {
		return seen, err
	}
	cmd := exec.Command("taskset", append([]string{"-c", b.place.Wrk, self, "play"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return seen, fmt.Errorf("playing Envoy: %w", err)
	}
	return seen, json.Unmarshal(out, &seen)
}

// decisions measures exchanges as fast as they can be asked for.
func (b bench) decisions() error {
	p, err := b.start(first)
	if err != nil {
		return err
	}
	defer p.Stop()
	fmt.Print("| | at once | a second | half within | 99% within | of the processor | one core carries | memory |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, kind := range []string{"preflight", "get"} {
		for _, atOnce := range []int{1, 16, 256} {
			var rates, halves, p99s, each []float64
			memory := 0
			for range *rounds {
				before, err := p.Processor()
				if err != nil {
					return err
				}
				seen, err := b.player(kind, strconv.Itoa(atOnce), duration.String(), first)
				if err != nil {
					return err
				}
				if seen.Failed > 0 || seen.Away > 0 || seen.Wrong > 0 {
					return fmt.Errorf("%d exchanges failed, %d were answered wrongly: %s", seen.Failed, seen.Wrong, seen.Error)
				}
				after, err := p.Processor()
				if err != nil {
					return err
				}
				if memory, err = p.Memory(); err != nil {
					return err
				}
				rates = append(rates, float64(seen.Done)/seen.Took.Seconds())
				halves, p99s = append(halves, micro(seen.Half)), append(p99s, micro(seen.P99))
				each = append(each, micro(after-before)/float64(seen.Done))
			}
			fmt.Printf("| %s | %d | %.0f | %.0f µs | %.0f µs | %.1f µs | %.0f | %.0f MB |\n", kind, atOnce, median(rates), median(halves), median(p99s), median(each), 1e6/median(each), float64(memory)/1e6)
		}
	}
	return nil
}

// open measures many exchanges at once that wait for their upstream.
func (b bench) open() error {
	p, err := b.start(first)
	if err != nil {
		return err
	}
	defer p.Stop()
	idle, err := p.Memory()
	if err != nil {
		return err
	}
	held := make(chan int, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		most := 0
		for ctx.Err() == nil {
			if m, err := p.Memory(); err == nil {
				most = max(most, m)
			}
			time.Sleep(50 * time.Millisecond)
		}
		held <- most
	}()
	seen, err := b.player("hold", strconv.Itoa(*streams), "3s", first)
	cancel()
	if err != nil {
		return err
	}
	most := <-held
	fmt.Printf("\n%d exchanges open at once for 3 s: %d answered rightly, %d failed; memory %.0f MB before, %.0f MB at most: %.1f KB each\n",
		*streams, seen.Done, seen.Failed+seen.Wrong+seen.Away, float64(idle)/1e6, float64(most)/1e6, float64(most-idle)/1e3/float64(*streams))
	return nil
}

// killed ends processors under load.
func (b bench) killed() error {
	const atOnce = 64
	fmt.Printf("\n| %d exchanges at once, and then | done | lost in flight | none was there | wrong | longest without an answer |\n|---|--:|--:|--:|--:|--:|\n", atOnce)
	for _, row := range []struct {
		name  string
		two   bool
		event func(p *rig.Process) (*rig.Process, error)
	}{
		{"one processor is killed, and started again", false, func(p *rig.Process) (*rig.Process, error) {
			p.Signal(os.Kill)
			p.Stop()
			return b.start(first)
		}},
		{"one of two is killed", true, func(p *rig.Process) (*rig.Process, error) { return nil, p.Signal(os.Kill) }},
		{"one of two is told to end", true, func(p *rig.Process) (*rig.Process, error) { p.Stop(); return nil, nil }},
	} {
		if err := b.end(row.name, atOnce, row.two, row.event); err != nil {
			return err
		}
	}
	return nil
}

func (b bench) end(name string, atOnce int, two bool, event func(*rig.Process) (*rig.Process, error)) error {
	p, err := b.start(first)
	if err != nil {
		return err
	}
	defer p.Stop()
	addresses := []string{first}
	if two {
		q, err := b.start(second)
		if err != nil {
			return err
		}
		defer q.Stop()
		addresses = append(addresses, second)
	}
	happened := make(chan error, 1)
	var again *rig.Process
	go func() {
		time.Sleep(*duration / 2)
		var err error
		again, err = event(p)
		happened <- err
	}()
	seen, err := b.player(append([]string{"get", strconv.Itoa(atOnce), duration.String()}, addresses...)...)
	err = errors.Join(err, <-happened)
	if again != nil {
		again.Stop()
	}
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %d | %d | %d | %d | %.0f ms |\n", name, seen.Done, seen.Failed, seen.Away, seen.Wrong, micro(seen.Gap)/1e3)
	return nil
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
