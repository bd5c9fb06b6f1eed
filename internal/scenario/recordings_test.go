package scenario_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// Each profile and what its browser did: on the scenarios of scenarios.jsonl.gz,
// and on those of quirks.jsonl, which isolate one quirk each.
var browsers = []struct {
	profile           fetch.Profile
	recording, quirks string
}{
	{fetch.Chromium, "chromium-156.jsonl.gz", "quirks-chromium-156.jsonl"},
	{fetch.Firefox, "firefox-153.jsonl.gz", "quirks-firefox-153.jsonl"},
	{fetch.WebKit, "webkit-2.50.jsonl.gz", "quirks-webkit-2.50.jsonl"},
}

// A remainder is what a profile is known not to do as its browser did.
type remainder struct {
	profile  fetch.Profile
	kind, id string
	reason   string
}

var remainders = []remainder{
	{fetch.Firefox, "wire", "random-2079", "Firefox forgets its preflights once, moments after its start, and this was being played: played again, it does as the model"},
}

func TestProfilesDoAsTheirBrowsersDid(t *testing.T) {
	scenarios, quirks := load[scenario.Scenario](t, "scenarios.jsonl.gz"), load[scenario.Scenario](t, "quirks.jsonl")
	for _, b := range browsers {
		t.Run(b.profile.String(), func(t *testing.T) {
			got := play(t, slices.Concat(scenarios, quirks), b.profile)
			want := slices.Concat(load[scenario.Recording](t, b.recording), load[scenario.Recording](t, b.quirks))
			differ(t, b.profile, scenario.Compare(got, want))
		})
	}
}

// differ fails for each difference that is no known remainder, and for each
// known one that is gone.
func differ(t *testing.T, p fetch.Profile, differences []scenario.Difference) {
	t.Helper()
	known := map[[2]string]bool{}
	for _, r := range remainders {
		if r.profile == p {
			known[[2]string{r.kind, r.id}] = true
		}
	}
	for _, d := range differences {
		key := [2]string{d.Kind, d.ID}
		if !known[key] {
			t.Errorf("%v: %v", p, d)
		}
		delete(known, key)
	}
	for key := range known {
		t.Errorf("%v: %s of %s differs no more: remove it from the table", p, key[0], key[1])
	}
}

// Where all three browsers show a page the same thing and the standard says
// another: docs/conformance.md has this list, with the reasons.
func TestStandardDiffersFromThreeAgreeingBrowsersInAFewScenarios(t *testing.T) {
	scenarios := load[scenario.Scenario](t, "scenarios.jsonl.gz")
	var recorded [][]scenario.Recording
	for _, b := range browsers {
		recorded = append(recorded, load[scenario.Recording](t, b.recording))
	}
	var got bytes.Buffer
	for i, s := range play(t, scenarios, fetch.Standard) {
		want := recorded[0][i]
		if want.Verdict() != recorded[1][i].Verdict() || want.Verdict() != recorded[2][i].Verdict() {
			continue
		}
		for n, o := range s.Outcomes {
			if verdict(o) != verdict(want.Outcomes[n]) {
				fmt.Fprintf(&got, "%s fetch %d\tbrowsers: %s\tstandard: %s\n", s.ID, n+1, told(want.Outcomes[n]), told(o))
			}
		}
	}
	const golden = "testdata/standard.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s: -want +got:\n%s", golden, diff)
	}
}

func verdict(o scenario.Outcome) string {
	r := scenario.Recording{Outcomes: []scenario.Outcome{o}}
	return r.Verdict()
}

// told says what becomes of a fetch and, of one that is blocked here, where.
func told(o scenario.Outcome) string {
	var blocked *fetch.BlockedError
	switch {
	case errors.As(o.Err, &blocked):
		return fmt.Sprintf("blocked, %s step %s: %s", blocked.Step.Anchor, blocked.Step.Number, blocked.Code)
	case o.Error != "":
		return "blocked"
	}
	return fmt.Sprintf("%s response, status %d, headers %q", o.Type, o.Status, o.Headers)
}

// A recording is of one browser on one day; what all of them must have in
// common is that nothing of it was lost.
func TestEachScenarioIsRecordedWhole(t *testing.T) {
	scenarios := load[scenario.Scenario](t, "scenarios.jsonl.gz")
	for _, b := range browsers {
		recordings := load[scenario.Recording](t, b.recording)
		if len(recordings) != len(scenarios) {
			t.Fatalf("%s has %d recordings of %d scenarios", b.recording, len(recordings), len(scenarios))
		}
		for i, r := range recordings {
			if r.ID != scenarios[i].ID || len(r.Outcomes) != len(scenarios[i].Fetches) {
				t.Errorf("%s: recording %d is of %s and has %d outcomes, want %s and %d", b.recording, i, r.ID, len(r.Outcomes), scenarios[i].ID, len(scenarios[i].Fetches))
			}
		}
	}
}

func TestScenariosPlayTheSameOverPorts(t *testing.T) {
	if testing.Short() {
		t.Skip("opens ports 7101 to 7104")
	}
	scenarios := load[scenario.Scenario](t, "scenarios.jsonl.gz")
	scenarios = slices.DeleteFunc(scenarios, func(s scenario.Scenario) bool { return len(s.Fetches) < 2 })
	stage := scenario.NewStage(scenarios)
	if err := stage.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	overPorts := scenario.Play(t.Context(), scenarios, stage, fetch.Standard, nil)
	for _, d := range scenario.Compare(overPorts, play(t, scenarios, fetch.Standard)) {
		t.Errorf("over ports, and over pipes: %v", d)
	}
}

func load[T scenario.Scenario | scenario.Recording](t *testing.T, name string) []T {
	t.Helper()
	list, err := scenario.Load[T]("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func play(t *testing.T, scenarios []scenario.Scenario, p fetch.Profile) []scenario.Recording {
	t.Helper()
	stage := scenario.NewStage(scenarios)
	return scenario.Play(t.Context(), scenarios, stage, p, stage.Dial)
}
