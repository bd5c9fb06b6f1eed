package scenario_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

func TestGenerateIsTheSameForASeed(t *testing.T) {
	first := scenario.Generate(1, 100)
	if diff := cmp.Diff(first, scenario.Generate(1, 200)[:100]); diff != "" {
		t.Errorf("the first 100 of 200 differ from 100: -want +got:\n%s", diff)
	}
	var one, two bytes.Buffer
	scenario.Write(&one, first)
	scenario.Write(&two, scenario.Generate(2, 100))
	if bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("seeds 1 and 2 give the same scenarios")
	}
}

func TestGeneratedScenariosAreWhole(t *testing.T) {
	scenarios := scenario.Generate(1, 1000)
	var file, again bytes.Buffer
	if err := scenario.Write(&file, scenarios); err != nil {
		t.Fatal(err)
	}
	read, err := scenario.Read[scenario.Scenario](bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if scenario.Write(&again, read); !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("written, read and written, they have changed")
	}
	ids := map[string]bool{}
	for _, s := range scenarios {
		if ids[s.ID] || len(s.Fetches) == 0 || len(s.Hops) == 0 || len(s.Hops) > 10 {
			t.Errorf("scenario %q: not alone, or %d fetches, %d hops", s.ID, len(s.Fetches), len(s.Hops))
		}
		ids[s.ID] = true
	}
}

// Random scenarios that all end at the first check would prove nothing.
func TestGeneratedScenariosReachWhatBrowsersDecide(t *testing.T) {
	scenarios := scenario.Generate(1, 3000)
	reached := map[string]int{}
	for i, r := range play(t, scenarios, fetch.Standard) {
		for _, o := range r.Outcomes {
			if o.Error != "" {
				reached["blocked"]++
				continue
			}
			reached[o.Type]++
			if o.Redirected {
				reached["redirected"]++
			}
		}
		for _, q := range r.Requests {
			switch {
			case q.Method == "OPTIONS":
				reached["preflights"]++
			case q.At[4:] != "0":
				reached["redirects"]++
			}
		}
		if scenarios[i].Page == "null" {
			reached["opaque pages"]++
		}
	}
	for what, least := range map[string]int{
		"blocked": 1000, "basic": 300, "cors": 600, "opaque": 200, "opaqueredirect": 30,
		"redirected": 200, "redirects": 500, "preflights": 1000, "opaque pages": 300,
	} {
		if reached[what] < least {
			t.Errorf("%d of %s in 3,000 scenarios, want %d at least", reached[what], what, least)
		}
	}
	t.Log(reached)
}
