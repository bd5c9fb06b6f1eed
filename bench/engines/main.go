// Command engines measures nginx and HAProxy with an exported policy beside the
// same servers without one, and prints a table:
//
//	go run ./bench/engines
//
// Each has one processor, the upstream another, wrk the rest, as far as there
// are so many; rounds are interleaved, so that whatever disturbs the machine
// disturbs them all.
package main

import (
	"bytes"
	"embed"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

const (
	upstream = "127.0.0.1:18930"
	origin   = "https://app.example.com"
)

var (
	rounds   = flag.Int("rounds", 3, "how often each server is measured")
	duration = flag.Duration("duration", 5*time.Second, "how long each time")
)

//go:embed nginx.conf haproxy.cfg upstream.conf cors.yaml routes.yaml
var files embed.FS

func main() {
	flag.Parse()
	if err := measure(); err != nil {
		fmt.Fprintf(os.Stderr, "engines: %v\n", err)
		os.Exit(1)
	}
}

// An engine is a server that policies are exported to.
type engine struct {
	title, program, target string
	command                func(config string) []string
	config                 string
	place                  func([]export.File) (outside, inside string)
}

var engines = []engine{
	{"nginx", "nginx", "nginx", func(config string) []string { return []string{"nginx", "-c", config} }, "nginx.conf",
		func(files []export.File) (string, string) { return string(files[0].Data), string(files[1].Data) }},
	{"HAProxy", "haproxy", "haproxy", func(config string) []string { return []string{"haproxy", "-f", config} }, "haproxy.cfg",
		func(files []export.File) (string, string) {
			_, inside, _ := strings.Cut(string(files[0].Data), "\tbind :8080\n")
			return "", inside
		}},
}

// The policies that an engine is given.
var policies = []struct{ title, file string }{
	{"no policy", ""},
	{"one route", "cors.yaml"},
	{"ten routes", "routes.yaml"},
}

// A measurement is what one server did over all rounds.
type measurement struct {
	name    string
	bare    *measurement // the same server without a policy
	address string
	process *rig.Process
	loads   [len(requests)][]load
}

// A load is what wrk saw, and what the server needed for it.
type load struct {
	rig.Load
	each time.Duration // of the processor, for a request
}

// The requests that are sent.
var requests = [...]struct {
	title, method string
	headers       []string
}{
	{"GET without Origin", "GET", nil},
	{"GET that is allowed", "GET", []string{"Origin: " + origin}},
	{"preflight", "OPTIONS", []string{"Origin: " + origin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type"}},
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
	dir, err := os.MkdirTemp("", "bench-engines")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config, err := write(dir, "upstream.conf", values{})
	if err != nil {
		return err
	}
	server, err := rig.Start(place.Upstream, upstream, "nginx", "-c", config)
	if err != nil {
		return err
	}
	defer server.Stop()
	var all []*measurement
	for _, e := range engines {
		if _, err := exec.LookPath(e.program); err != nil {
			fmt.Fprintf(os.Stderr, "skipped: %s is not installed\n", e.program)
			continue
		}
		var bare *measurement
		for _, p := range policies {
			m := &measurement{name: e.title + ", " + p.title, bare: bare, address: fmt.Sprintf("127.0.0.1:%d", 18931+len(all))}
			if bare == nil {
				bare, m.bare = m, m
			}
			if m.process, err = start(filepath.Join(dir, fmt.Sprint(len(all))), place, e, p.file, m.address); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			defer m.process.Stop()
			if err := check(m.address, p.file != ""); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			all = append(all, m)
		}
	}
	for round := range *rounds {
		for _, m := range all {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, *rounds, m.name)
			if err := m.load(place); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
	}
	print(all)
	fmt.Printf("\n%s\n", place)
	return nil
}

// values are what a configuration is filled in with.
type values struct{ Dir, Listen, Upstream, Outside, Inside string }

func write(dir, name string, v values) (path string, err error) {
	t, err := template.ParseFS(files, name)
	if err != nil {
		return "", err
	}
	v.Dir, v.Upstream = dir, upstream
	var text bytes.Buffer
	if err := t.Execute(&text, v); err != nil {
		return "", err
	}
	path = filepath.Join(dir, name)
	return path, os.WriteFile(path, text.Bytes(), 0o600)
}

// start runs an engine with a policy, or with none.
func start(dir string, place rig.Place, e engine, policy, address string) (*rig.Process, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	v := values{Listen: address}
	if policy != "" {
		text, err := files.ReadFile(policy)
		if err != nil {
			return nil, err
		}
		file, err := policyfile.Parse(text)
		if err != nil {
			return nil, err
		}
		result, err := export.To(e.target, file, export.Options{})
		if err != nil {
			return nil, err
		}
		v.Outside, v.Inside = e.place(result.Files)
	}
	config, err := write(dir, e.config, v)
	if err != nil {
		return nil, err
	}
	return rig.Start(place.Server, address, e.command(config)...)
}

// check reports whether the policy is kept, if there is one, so that nothing is
// fast for doing nothing.
func check(address string, kept bool) error {
	for _, q := range requests {
		r, err := http.NewRequest(q.method, "http://"+address+"/users/1", nil)
		if err != nil {
			return err
		}
		for _, h := range q.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return err
		}
		res.Body.Close()
		var want []string
		if kept && q.headers != nil {
			want = []string{origin}
		}
		if got := res.Header[header.AccessControlAllowOrigin]; !slices.Equal(got, want) {
			return fmt.Errorf("a %s has Access-Control-Allow-Origin: %q, want %q", q.title, got, want)
		}
	}
	return nil
}

// load adds one round.
func (m *measurement) load(place rig.Place) error {
	for i, q := range requests {
		before, err := m.process.Processor()
		if err != nil {
			return err
		}
		l, err := rig.Wrk(place.Wrk, *duration, q.method, "http://"+m.address+"/users/1", q.headers...)
		if err != nil {
			return err
		}
		after, err := m.process.Processor()
		if err != nil {
			return err
		}
		if l.Failed > 0 {
			return fmt.Errorf("%d requests under load failed", l.Failed)
		}
		m.loads[i] = append(m.loads[i], load{l, (after - before) / time.Duration(max(l.Requests, 1))})
	}
	return nil
}

// print writes medians, and what they are to those without a policy.
func print(all []*measurement) {
	head, rule := "| |", "|---|"
	for _, q := range requests {
		head += fmt.Sprintf(" %s/s | to none | µs each | to none |", q.title)
		rule += "--:|--:|--:|--:|"
	}
	fmt.Println(head)
	fmt.Println(rule)
	for _, m := range all {
		fmt.Printf("| %s |", m.name)
		for i := range requests {
			fmt.Print(columns(m.loads[i], m.bare.loads[i]))
		}
		fmt.Println()
	}
	fmt.Printf("\nMedians of %d rounds of %s, 64 connections; \"to none\" is the median of each round's ratio to the same server without a policy, which passes preflights on. \"µs each\" is the time of the processor for one request.\n", *rounds, *duration)
}

func columns(loads, bare []load) string {
	var perSecond, ratios, each, eachRatios []float64
	for i, l := range loads {
		perSecond = append(perSecond, l.PerSecond)
		ratios = append(ratios, l.PerSecond/bare[i].PerSecond)
		each = append(each, float64(l.each.Nanoseconds())/1e3)
		eachRatios = append(eachRatios, float64(l.each)/float64(max(bare[i].each, 1)))
	}
	return fmt.Sprintf(" %.0f | %.2f | %.1f | %.2f |", median(perSecond), median(ratios), median(each), median(eachRatios))
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
