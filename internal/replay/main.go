// Replay plays a file of scenarios with package fetch and writes a recording:
//
//	go run ./internal/replay -profile chromium SCENARIOS.jsonl OUT.jsonl
//	go run ./internal/replay -profile chromium -compare RECORDING.jsonl -v SCENARIOS.jsonl OUT.jsonl
//
// A file whose name ends in .gz is compressed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

func main() {
	profile := flag.String("profile", "standard", "standard, chromium, firefox or webkit")
	compare := flag.String("compare", "", "a recording to compare with")
	verbose := flag.Bool("v", false, "print each difference")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: replay [-profile NAME] [-compare RECORDING] [-v] SCENARIOS OUT")
		os.Exit(2)
	}
	if err := run(*profile, *compare, *verbose, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(name, compare string, verbose bool, in, out string) error {
	var profile fetch.Profile
	for profile = fetch.Standard; profile.String() != name; profile++ {
		if profile == fetch.WebKit {
			return fmt.Errorf("profile %q: write standard, chromium, firefox or webkit", name)
		}
	}
	scenarios, err := scenario.Read[scenario.Scenario](in)
	if err != nil {
		return err
	}
	stage, err := scenario.NewStage(scenarios)
	if err != nil {
		return err
	}
	defer stage.Close()
	got := stage.Play(context.Background(), scenarios, profile)
	if err := scenario.Write(out, got); err != nil {
		return err
	}
	if compare == "" {
		return nil
	}
	want, err := scenario.Read[scenario.Recording](compare)
	if err != nil {
		return err
	}
	if len(want) != len(scenarios) {
		return fmt.Errorf("%q holds %d recordings of %d scenarios", compare, len(want), len(scenarios))
	}
	page, wire := 0, 0
	for _, d := range scenario.Compare(scenarios, want, got) {
		if d.Page {
			page++
		}
		if d.Wire {
			wire++
		}
		if verbose {
			print := func(what string, v any) {
				text, _ := json.Marshal(v)
				fmt.Printf("  %s %s\n", what, text)
			}
			fmt.Printf("%s page=%t wire=%t\n", d.Scenario.ID, d.Page, d.Wire)
			print("scenario", d.Scenario)
			print("want", d.Want)
			print("got ", d.Got)
		}
	}
	fmt.Printf("%d scenarios; differing in what the page sees: %d, on the wire: %d\n", len(scenarios), page, wire)
	return nil
}
