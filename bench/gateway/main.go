// Command gateway measures cors serve beside other reverse proxies that were
// given the same policy, and prints a table:
//
//	go run ./bench/gateway
//
// Each has one processor, the upstream another, wrk the rest; rounds are
// interleaved, so that whatever disturbs the machine disturbs them all.
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

	proxyProcessor    = "1"
	upstreamProcessor = "2"
	wrkProcessors     = "0,3"
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
	proxy            proxy
	address          string
	process          *rig.Process
	faults           []string
	preflights, gets []rig.Load
	idle, underLoad  int // bytes
}

func measure() error {
	for _, tool := range []string{"wrk", "taskset", "nginx"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed, and nothing can be measured without it", tool)
		}
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
	server, err := rig.Start(upstreamProcessor, upstream, "nginx", "-p", dir, "-c", config)
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
		m := &measurement{proxy: p, address: fmt.Sprintf("127.0.0.1:%d", 18910+i)}
		command, err := p.command(b, m.address)
		if err != nil {
			return err
		}
		if m.process, err = rig.Start(proxyProcessor, m.address, command...); err != nil {
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
	return nil
}

// load adds one round.
func (m *measurement) load() error {
	preflights, err := rig.Wrk(wrkProcessors, *duration, "OPTIONS", "http://"+m.address+"/users",
		"Origin: "+goodOrigin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type")
	if err != nil {
		return err
	}
	gets, err := rig.Wrk(wrkProcessors, *duration, "GET", "http://"+m.address+"/users", "Origin: "+goodOrigin)
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

// print writes medians, and ratios to nginx, which comes first.
func print(all []*measurement) {
	fmt.Println("| | preflights/s | to nginx | p99 | proxied GET/s | to nginx | p99 | memory idle | under load |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, m := range all {
		fmt.Printf("| %s |%s%s %.1f MB | %.1f MB |\n", m.proxy.name,
			columns(m.preflights, all[0].preflights), columns(m.gets, all[0].gets),
			float64(m.idle)/1e6, float64(m.underLoad)/1e6)
	}
	fmt.Printf("\nMedians of %d rounds of %s, 64 connections; the ratio is the median of each round's own.\n\n", *rounds, *duration)
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

func columns(loads, nginx []rig.Load) string {
	var perSecond, ratios, p99 []float64
	for i := range loads {
		perSecond = append(perSecond, loads[i].PerSecond)
		ratios = append(ratios, loads[i].PerSecond/nginx[i].PerSecond)
		p99 = append(p99, float64(loads[i].P99.Microseconds())/1e3)
	}
	return fmt.Sprintf(" %.0f | %.2f | %.1f ms |", median(perSecond), median(ratios), median(p99))
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
