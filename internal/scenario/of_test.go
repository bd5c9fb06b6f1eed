package scenario_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

// What is made of the exchanges of a fetch plays out as that fetch did.
func TestAScenarioOfExchangesPlaysAsTheyWent(t *testing.T) {
	allow := scenario.Field{"Access-Control-Allow-Origin", "{A}"}
	tests := []struct {
		row   string
		fetch scenario.Fetch
		hops  []scenario.Hop
	}{
		{"no preflight", scenario.Fetch{URL: "{B}/0?q", Method: "GET", Mode: "cors"},
			[]scenario.Hop{{Actual: scenario.Answer{Status: 200, Headers: []scenario.Field{allow, {"X-E", "\u00e9"}, {"Access-Control-Expose-Headers", "X-E"}}, Body: "read"}}}},
		{"a preflight that passes", scenario.Fetch{URL: "{B}/0", Method: "PUT", Mode: "cors"},
			[]scenario.Hop{{Actual: scenario.Answer{Status: 200, Headers: []scenario.Field{allow}, Body: "b"}, Preflight: scenario.Answer{Status: 204, Headers: []scenario.Field{allow, {"Access-Control-Allow-Methods", "PUT"}}}}}},
		{"a preflight that fails", scenario.Fetch{URL: "{B}/0", Method: "PUT", Mode: "cors"},
			[]scenario.Hop{{Preflight: scenario.Answer{Status: 403, Headers: []scenario.Field{allow}}}}},
		{"a redirect to another origin", scenario.Fetch{URL: "{B}/0", Method: "GET", Mode: "cors"},
			[]scenario.Hop{
				{Actual: scenario.Answer{Status: 302, Headers: []scenario.Field{allow, {"Location", "{C}/1"}}}},
				{Actual: scenario.Answer{Status: 200, Headers: []scenario.Field{{"Access-Control-Allow-Origin", "null"}}, Body: "read"}},
			}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			played := scenario.Scenario{ID: "played", Fetches: []scenario.Fetch{tt.fetch}, Hops: tt.hops}
			stage := scenario.NewStage([]scenario.Scenario{played})
			b := &fetch.Browser{Dial: stage.Dial}
			f := scenario.Recorded.Expand("played", tt.fetch)
			req, _ := f.Request()
			res, err := b.Open(scenario.Recorded["A"]+"/run").Fetch(t.Context(), req)
			var exchanges []*fetch.Exchange
			var blocked *fetch.BlockedError
			if errors.As(err, &blocked) {
				exchanges = blocked.Exchanges
			} else {
				exchanges = res.Exchanges
			}
			seen := scenario.See(res, err)

			made := scenario.Of("made", f, scenario.Recorded["A"], exchanges, seen.Body)
			both := []scenario.Scenario{played, made}
			both[0].Fetches[0].URL = tt.fetch.URL[:len("{B}/0")] // the query is left out
			stage = scenario.NewStage(both)
			r := scenario.Play(t.Context(), both, stage, fetch.Standard, stage.Dial)
			if diff := cmp.Diff(r[0].Verdict()+"\n"+r[0].Wire(), r[1].Verdict()+"\n"+r[1].Wire()); diff != "" {
				t.Errorf("-played +made of its exchanges:\n%s", diff)
			}
		})
	}
}

func TestAScenarioOfExchangesKeepsNoSecrets(t *testing.T) {
	f := scenario.Fetch{URL: "http://localhost:7102/users?key=k", Method: "GET", Headers: []scenario.Field{{"authorization", "Bearer t"}}}
	got := scenario.Of("made", f, scenario.Recorded["A"], nil, "")
	want := scenario.Scenario{ID: "made",
		Fetches: []scenario.Fetch{{URL: "{B}/0", Method: "GET", Headers: []scenario.Field{{"authorization", "secret"}}}},
		Hops:    []scenario.Hop{{Actual: scenario.Answer{Status: 404, Headers: []scenario.Field{}}, Preflight: scenario.Answer{Status: 404, Headers: []scenario.Field{}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
