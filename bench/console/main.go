// Command console loads cors serve with no console open and with ten, by turns,
// and prints what that changes.
//
//	go run ./bench/console
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors/bench/internal/rig"
)

const (
	listen = "127.0.0.1:18940"
	page   = "127.0.0.1:18941"
	origin = "https://app.example.com"
)

var (
	rounds   = flag.Int("rounds", 15, "how many times each way")
	duration = flag.Duration("duration", 4*time.Second, "how long each time")
	rate     = flag.Int("rate", 2_000, "requests a second, where not as many as can be")
	consoles = flag.Int("consoles", 10, "how many are open")
	program  = flag.String("cors", "", "the cors command to measure; built from ./cmd/cors where none is given")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "console: %v\n", err)
		os.Exit(1)
	}
}

// A round is what was seen in one of them.
type round struct {
	perSecond float64
	processor time.Duration // of the gateway, for each request
	median    time.Duration
	p99       time.Duration
	failed    int
	memory    int // of the gateway at its end
}

func run() error {
	place, err := rig.Places()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-console")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if *program, err = rig.Program(*program, dir, "./cmd/cors"); err != nil {
		return err
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer upstream.Close()
	gateway, err := rig.Start(place.Server, listen, *program, "serve", "--listen", listen, "--to", upstream.URL, "--origin", origin,
		"--method", "PUT", "--header", "X-Name", "--console", page)
	if err != nil {
		return err
	}
	defer gateway.Stop()
	url := ""
	for deadline := time.Now().Add(5 * time.Second); url == ""; time.Sleep(10 * time.Millisecond) {
		url = regexp.MustCompile(`http://localhost:\d+/\?token=\w+`).FindString(gateway.Output())
		if time.Now().After(deadline) {
			return errors.New("cors serve has told no URL of a console: " + gateway.Output())
		}
	}

	steady := func() (round, error) { return ask(*rate, *duration) }
	most := func() (round, error) {
		l, err := rig.Wrk(place.Wrk, *duration, "GET", "http://"+listen+"/", "Origin: "+origin)
		return round{perSecond: l.PerSecond, median: l.Median, p99: l.P99, failed: l.Failed}, err
	}
	var results [2][2][]round // by the load, and by whether consoles are open
	var told atomic.Int64
	for i := -1; i < *rounds; i++ { // one to warm up
		for load, f := range []func() (round, error){steady, most} {
			for _, open := range []int{i & 1, 1 - i&1} {
				r, err := measure(gateway, f, open*(*consoles), url, &told)
				if err != nil {
					return err
				}
				if i >= 0 {
					results[load][open] = append(results[load][open], r)
				}
			}
		}
	}

	fmt.Printf("| | no console | %d consoles |\n|---|--:|--:|\n", *consoles)
	for load, name := range []string{fmt.Sprintf("%d requests a second", *rate), "as many as it can"} {
		none, some := results[load][0], results[load][1]
		row := func(what, format string, of func(round) float64) {
			fmt.Printf("| %s: %s | %s | %s |\n", name, what, fmt.Sprintf(format, median(none, of)), fmt.Sprintf(format, median(some, of)))
		}
		row("answered a second", "%.0f", func(r round) float64 { return r.perSecond })
		row("a request takes, median", "%.2f ms", func(r round) float64 { return ms(r.median) })
		row("99 of 100 at most", "%.2f ms", func(r round) float64 { return ms(r.p99) })
		row("time of the processor for a request", "%.1f µs", func(r round) float64 { return float64(r.processor.Nanoseconds()) / 1e3 })
		row("failed", "%.0f", func(r round) float64 { return float64(r.failed) })
	}
	fmt.Printf("| memory after the first of %d rounds, after the last | %.1f, %.1f MB | %.1f, %.1f MB |\n", *rounds,
		mb(results[1][0][0].memory), mb(results[1][0][*rounds-1].memory), mb(results[1][1][0].memory), mb(results[1][1][*rounds-1].memory))
	fmt.Printf("| bytes of events, for each console a second | | %.0f |\n\n", float64(told.Load())/float64(*consoles)/(float64(2*(*rounds+1))*duration.Seconds()))
	for load, name := range []string{fmt.Sprintf("At %d requests a second", *rate), "At as many as it can"} {
		var ratios []float64
		for i := range *rounds {
			ratios = append(ratios, results[load][1][i].perSecond/results[load][0][i].perSecond)
		}
		slices.Sort(ratios)
		fmt.Printf("%s, with consoles to without, round by round: median %.3f, from %.3f to %.3f.\n", name, ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	}
	fmt.Println(place)
	return nil
}

// measure runs f with so many consoles open.
func measure(gateway *rig.Process, f func() (round, error), open int, url string, told *atomic.Int64) (round, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for range open {
		events, err := watch(ctx, url)
		if err != nil {
			return round{}, err
		}
		work.Go(func() {
			n, _ := io.Copy(io.Discard, events)
			told.Add(n)
		})
	}
	before, err := gateway.Processor()
	if err != nil {
		return round{}, err
	}
	r, err := f()
	if err != nil {
		return r, err
	}
	after, err := gateway.Processor()
	if err != nil {
		return r, err
	}
	r.processor = time.Duration(float64(after-before) / (r.perSecond * duration.Seconds()))
	r.memory, err = gateway.Memory()
	return r, err
}

// watch opens the page at url, and returns its events once the first is there.
func watch(ctx context.Context, url string) (io.Reader, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	res, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	base, _, _ := strings.Cut(url, "?")
	req, err := http.NewRequestWithContext(ctx, "GET", base+"live/events", nil)
	if err != nil {
		return nil, err
	}
	if res, err = client.Do(req); err != nil {
		return nil, err
	}
	events := bufio.NewReader(res.Body)
	if line, err := events.ReadString('\n'); err != nil || !strings.HasPrefix(line, "event: ") {
		return nil, fmt.Errorf("the console answers %s %q: %v", res.Status, line, err)
	}
	return events, nil
}

// ask sends so many requests a second: plain ones, preflights, and some that are
// refused.
func ask(rate int, d time.Duration) (round, error) {
	const workers = 50
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	began := time.Now()
	var mu sync.Mutex
	var took []time.Duration
	failed := 0
	var work sync.WaitGroup
	for w := range workers {
		work.Go(func() {
			for i := w; ; i += workers {
				due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
				if due.Sub(began) >= d {
					return
				}
				time.Sleep(time.Until(due))
				err := send(transport, i)
				mu.Lock()
				if err != nil {
					failed++
				} else {
					took = append(took, time.Since(due))
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	elapsed := time.Since(began)
	if len(took) == 0 {
		return round{}, errors.New("no request was answered")
	}
	slices.Sort(took)
	return round{perSecond: float64(len(took)) / elapsed.Seconds(), median: took[len(took)/2], p99: took[len(took)*99/100], failed: failed}, nil
}

func send(transport *http.Transport, i int) error {
	method, from, status := "GET", origin, http.StatusOK
	switch i % 10 {
	case 0, 1:
		method, status = "OPTIONS", http.StatusNoContent
	case 2:
		from = fmt.Sprintf("https://%d.example.org", i%50)
	}
	r, err := http.NewRequest(method, fmt.Sprintf("http://%s/users/%d", listen, i), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Origin", from)
	if method == "OPTIONS" {
		r.Header.Set("Access-Control-Request-Method", "PUT")
		r.Header.Set("Access-Control-Request-Headers", "x-name")
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != status {
		return fmt.Errorf("%s is answered with %s", method, res.Status)
	}
	return nil
}

func median(all []round, of func(round) float64) float64 {
	var values []float64
	for _, r := range all {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
func mb(bytes int) float64       { return float64(bytes) / 1e6 }
