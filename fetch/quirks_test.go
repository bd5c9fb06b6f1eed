package fetch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

// Quirks that no scenario can show: of the page's own site the stage has one
// cookie, which says nothing of SameSite; and it has no TLS, which the exploits
// of package audit have.
var unshown = []string{"SameSite ignores redirects", "loopback is mixed content"}

func TestEachQuirkMakesItsScenarioGoAsInTheBrowser(t *testing.T) {
	scenarios := append(load[scenario.Scenario](t, "scenarios.jsonl.gz"), load[scenario.Scenario](t, "quirks.jsonl")...)
	for p, names := range map[fetch.Profile][2]string{
		fetch.Chromium: {"chromium-156.jsonl.gz", "quirks-chromium-156.jsonl"},
		fetch.Firefox:  {"firefox-153.jsonl.gz", "quirks-firefox-153.jsonl"},
		fetch.WebKit:   {"webkit-2.50.jsonl.gz", "quirks-webkit-2.50.jsonl"},
	} {
		recordings := append(load[scenario.Recording](t, names[0]), load[scenario.Recording](t, names[1])...)
		for _, q := range p.Quirks() {
			t.Run(p.String()+"/"+q.Name, func(t *testing.T) {
				i := slices.IndexFunc(scenarios, func(s scenario.Scenario) bool { return s.ID == q.Scenario })
				if i < 0 {
					if q.Scenario != "" || !slices.Contains(unshown, q.Name) {
						t.Errorf("there is no scenario %q", q.Scenario)
					}
					return
				}
				recorded := whatHappens(&recordings[i])
				if with := playOne(t, scenarios[i], p); with != recorded {
					t.Errorf("%s:\n got %s\nwant %s", q.Scenario, with, recorded)
				}
				defer fetch.WithoutQuirk(p, q.Name)()
				if without := playOne(t, scenarios[i], p); without == recorded {
					t.Errorf("%s goes as in the browser without the quirk too:\n%s", q.Scenario, without)
				}
			})
		}
	}
}

func load[T scenario.Scenario | scenario.Recording](t *testing.T, name string) []T {
	t.Helper()
	list, err := scenario.Load[T]("../internal/scenario/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func playOne(t *testing.T, s scenario.Scenario, p fetch.Profile) string {
	t.Helper()
	one := []scenario.Scenario{s}
	stage := scenario.NewStage(one)
	return whatHappens(&scenario.Play(t.Context(), one, stage, p, stage.Dial)[0])
}

// whatHappens is the verdict and the wire, and which preflights have headers that
// do not count otherwise.
func whatHappens(r *scenario.Recording) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.Verdict(), r.Wire())
	for _, q := range r.Requests {
		if q.Method != "OPTIONS" {
			continue
		}
		for _, f := range q.Headers {
			if f[0] == "pragma" || f[0] == "accept-language" {
				fmt.Fprintf(&b, "%s %s has %s\n", q.Method, q.At, f[0])
			}
		}
	}
	return b.String()
}

func TestQuirksAreTold(t *testing.T) {
	for _, p := range []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit} {
		for _, q := range p.Quirks() {
			if q.Name == "" || q.Does == "" || q.Kind == "" || !slices.Contains(q.Browsers, p) {
				t.Errorf("%v: quirk %+v is not whole", p, q)
			}
		}
	}
	if quirks := fetch.Standard.Quirks(); len(quirks) > 0 {
		t.Errorf("the standard has quirks: %v", quirks)
	}
}
