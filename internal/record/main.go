// Command record plays a file of CORS scenarios, or random ones, in a real
// browser and writes what came of them:
//
//	go run ./internal/record -browser chromium SCENARIOS.jsonl OUT.jsonl
//	go run ./internal/record -browser firefox -seed 7 -count 500 OUT.jsonl
//	go run ./internal/record -seed 7 -count 500 SCENARIOS.jsonl
//
// Without a browser it writes the random scenarios themselves. Files may be
// compressed, with names that end in .gz. The servers of the scenarios listen on
// localhost, ports 7101 to 7103, and 127.0.0.1:7104.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/internal/scenario"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "record: error:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("browser", "", "the browser: chromium, firefox or webkit")
	seed := flag.Uint64("seed", 1, "of the random scenarios")
	count := flag.Int("count", 0, "play this many random scenarios in place of a file's")
	limit := flag.Duration("timeout", 10*time.Minute, "give up after this long")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: record -browser NAME [-seed N -count N | SCENARIOS.jsonl] OUT.jsonl")
		flag.PrintDefaults()
	}
	flag.Parse()
	files := flag.Args()
	var scenarios []scenario.Scenario
	switch {
	case *count > 0 && len(files) == 1:
		scenarios = scenario.Generate(*seed, *count)
	case *count == 0 && len(files) == 2 && *name != "":
		var err error
		if scenarios, err = scenario.Load[scenario.Scenario](files[0]); err != nil {
			return err
		}
	default:
		flag.Usage()
		os.Exit(2)
	}
	out := files[len(files)-1]
	if *name == "" {
		return scenario.Save(out, scenarios)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	recordings, err := record(ctx, browser.Name(*name), scenarios)
	if err != nil {
		return err
	}
	return scenario.Save(out, recordings)
}
