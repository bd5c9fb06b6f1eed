// Command replay plays a file of CORS scenarios with package fetch and writes
// what came of them:
//
//	go run ./internal/replay -profile standard SCENARIOS.jsonl OUT.jsonl
//	go run ./internal/replay -profile firefox -compare RECORDING.jsonl -v SCENARIOS.jsonl
//
// Files may be compressed, with names that end in .gz. The servers of the
// scenarios listen on localhost, ports 7101 to 7103, and 127.0.0.1:7104.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

var profiles = map[string]fetch.Profile{
	"standard": fetch.Standard, "chromium": fetch.Chromium, "firefox": fetch.Firefox, "webkit": fetch.WebKit,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "replay: error:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("profile", "standard", "whose behaviour to show: standard, chromium, firefox or webkit")
	against := flag.String("compare", "", "print how far this recording agrees")
	only := flag.String("only", "", "play the scenarios whose id matches this regular expression")
	verbose := flag.Bool("v", false, "with -compare, print each difference")
	inMemory := flag.Bool("pipes", false, "use pipes in place of ports")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: replay [flags] SCENARIOS.jsonl [OUT.jsonl]")
		flag.PrintDefaults()
	}
	flag.Parse()
	profile, ok := profiles[*name]
	if !ok || flag.NArg() < 1 || flag.NArg() > 2 {
		flag.Usage()
		os.Exit(2)
	}
	scenarios, err := load(flag.Arg(0), *only)
	if err != nil {
		return err
	}
	stage := scenario.NewStage(scenarios)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var dial scenario.Dial
	if *inMemory {
		dial = stage.Dial
	} else if err := stage.Listen(ctx); err != nil {
		return err
	}
	recordings := scenario.Play(ctx, scenarios, stage, profile, dial)
	if flag.NArg() == 2 {
		if err := scenario.Save(flag.Arg(1), recordings); err != nil {
			return err
		}
	}
	if *against == "" {
		return nil
	}
	return compare(recordings, *against, *verbose)
}

func load(name, only string) ([]scenario.Scenario, error) {
	matches, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	all, err := scenario.Load[scenario.Scenario](name)
	kept := all[:0]
	for _, s := range all {
		if matches.MatchString(s.ID) {
			kept = append(kept, s)
		}
	}
	return kept, err
}

func compare(got []scenario.Recording, name string, verbose bool) error {
	want, err := scenario.Load[scenario.Recording](name)
	if err != nil {
		return err
	}
	differing := map[string]int{}
	for _, d := range scenario.Compare(got, want) {
		differing[d.Kind]++
		if verbose {
			fmt.Println(d)
		}
	}
	for _, kind := range []string{"verdict", "wire"} {
		fmt.Printf("%s: %d of %d the same\n", kind, len(got)-differing[kind], len(got))
	}
	if len(differing) > 0 {
		return errors.New("the recordings differ")
	}
	return nil
}
