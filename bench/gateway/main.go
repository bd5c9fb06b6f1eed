// Command gateway measures cors serve beside other reverse proxies that were
// given the same policy, and prints a table:
//
//	go run ./bench/gateway
//
// Each has one processor, the upstream another, wrk the rest, as far as there
// are so many; rounds are interleaved, so that whatever disturbs the machine
// disturbs them all.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
)

const (
	upstream = "127.0.0.1:18900"
	down     = "127.0.0.1:18901" // where nothing listens
)

var (
	rounds   = flag.Int("rounds", 3, "how often each proxy is measured")
	duration = flag.Duration("duration", 5*time.Second, "how long each time")
	program  = flag.String("cors", "", "the cors command to measure; built from ./cmd/cors where none is given")
)

func main() {
	flag.Parse()
	if flag.Arg(0) == "plain" {
		servePlain(flag.Arg(1))
	}
	if err := measure(); err != nil {
		fmt.Fprintf(os.Stderr, "gateway: %v\n", err)
		os.Exit(1)
	}
}

// A measurement is what one proxy did over all rounds.
type measurement struct {
	place            rig.Place
	proxy            proxy
	address          string
	process          *rig.Process
	faults           []string
	preflights, gets []load
	idle, underLoad  int // bytes
}

// A load is what wrk saw, and what the proxy needed for it.
type load struct {
	rig.Load
	each time.Duration // of the processor, for a request
}

func measure() error {
	for _, tool := range []string{"wrk", "taskset", "nginx"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed, and nothing can be measured without it", tool)
		}
	}
	place, err := rig.Places()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-gateway")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := builder{dir: dir}
	config, err := b.config("upstream.conf", "")
	if err != nil {
		return err
	}
	server, err := rig.Start(place.Upstream, upstream, "nginx", "-p", dir, "-c", config)
	if err != nil {
		return err
	}
	defer server.Stop()

	var all []*measurement
	for i, p := range proxies {
		if p.program != "" {
			if _, err := exec.LookPath(p.program); err != nil {
				fmt.Fprintf(os.Stderr, "skipped: %s is not installed\n", p.program)
				continue
			}
		}
		m := &measurement{place: place, proxy: p, address: fmt.Sprintf("127.0.0.1:%d", 18910+i)}
		command, err := p.command(b, m.address)
		if err != nil {
			return err
		}
		if m.process, err = rig.Start(place.Server, m.address, command...); err != nil {
			return err
		}
		defer m.process.Stop()
		if m.faults, err = check(m.address); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if m.idle, err = m.process.Memory(); err != nil {
			return err
		}
		all = append(all, m)
	}
	for round := range *rounds {
		for _, m := range all {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, *rounds, m.proxy.name)
			if err := m.load(); err != nil {
				return fmt.Errorf("%s: %w", m.proxy.name, err)
			}
		}
	}
	print(all)
	fmt.Printf("\n%s\n", place)
	return nil
}

// load adds one round.
func (m *measurement) load() error {
	preflights, err := m.wrk("OPTIONS", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type")
	if err != nil {
		return err
	}
	gets, err := m.wrk("GET")
	if err != nil {
		return err
	}
	memory, err := m.process.Memory()
	if err != nil {
		return err
	}
	m.preflights, m.gets = append(m.preflights, preflights), append(m.gets, gets)
	m.underLoad = max(m.underLoad, memory)
	return nil
}

func (m *measurement) wrk(method string, headers ...string) (load, error) {
	before, err := m.process.Processor()
	if err != nil {
		return load{}, err
	}
	l, err := rig.Wrk(m.place.Wrk, *duration, method, "http://"+m.address+"/users", append(headers, "Origin: "+goodOrigin)...)
	if err != nil {
		return load{}, err
	}
	after, err := m.process.Processor()
	return load{l, (after - before) / time.Duration(max(l.Requests, 1))}, err
}

// print writes medians, and ratios to nginx, which comes first.
func print(all []*measurement) {
	fmt.Println("| | preflights/s | to nginx | p99 | µs each | to nginx | proxied GET/s | to nginx | p99 | µs each | to nginx | memory idle | under load |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, m := range all {
		fmt.Printf("| %s |%s%s %.1f MB | %.1f MB |\n", m.proxy.name,
			columns(m.preflights, all[0].preflights), columns(m.gets, all[0].gets),
			float64(m.idle)/1e6, float64(m.underLoad)/1e6)
	}
	fmt.Printf("\nMedians of %d rounds of %s, 64 connections; a ratio is the median of each round's own. \"µs each\" is the time of the processor for one request, and its ratio what nginx needs over what this needs.\n\n", *rounds, *duration)
	for _, m := range all {
		if failed := failures(m); failed > 0 {
			m.faults = append(m.faults, fmt.Sprintf("%d requests under load failed", failed))
		}
		if m.faults == nil {
			m.faults = []string{"nothing wrong"}
		}
		fmt.Printf("- %s: %s.\n", m.proxy.name, strings.Join(m.faults, "; "))
	}
}

func columns(loads, nginx []load) string {
	var perSecond, ratios, p99, each, eachRatios []float64
	for i, l := range loads {
		perSecond = append(perSecond, l.PerSecond)
		ratios = append(ratios, l.PerSecond/nginx[i].PerSecond)
		p99 = append(p99, float64(l.P99.Microseconds())/1e3)
		each = append(each, float64(l.each.Nanoseconds())/1e3)
		eachRatios = append(eachRatios, float64(nginx[i].each)/float64(max(l.each, 1)))
	}
	return fmt.Sprintf(" %.0f | %.2f | %.1f ms | %.1f | %.2f |", median(perSecond), median(ratios), median(p99), median(each), median(eachRatios))
}

func failures(m *measurement) int {
	failed := 0
	for _, l := range append(slices.Clone(m.preflights), m.gets...) {
		failed += l.Failed
	}
	return failed
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// A builder makes configurations and programs in a folder of its own.
type builder struct{ dir string }

func (b builder) path(name string) string { return filepath.Join(b.dir, name) }
