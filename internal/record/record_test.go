package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/internal/scenario"
)

func TestABrowserThatIsMissingIsSaidToBe(t *testing.T) {
	if _, err := record(t.Context(), "mosaic", nil); err == nil || !strings.Contains(err.Error(), "mosaic") {
		t.Errorf(`record in "mosaic" = %v, want an error that names it`, err)
	}
}

// Nobody is left at the stage of a browser that never comes.
func TestABrowserThatDoesNotComeIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("opens ports 7101 to 7104")
	}
	if err := browser.Available(browser.Chromium); err != nil {
		t.Skip(err)
	}
	for range 2 {
		_, err := recordOnce(t.Context(), browser.Chromium, nil, time.Nanosecond)
		if !errors.Is(err, errNotStarted) {
			t.Errorf("recordOnce with no patience = %v, want %v", err, errNotStarted)
		}
	}
}

func TestThePageIsGivenItsOwnScenarios(t *testing.T) {
	scenarios := []scenario.Scenario{
		{ID: "a", Fetches: []scenario.Fetch{{URL: "{B}/0", Method: "GET", Headers: []scenario.Field{}}}},
		{ID: "b", Page: "null", Fetches: []scenario.Fetch{{URL: "{D}/0", Method: "PUT", Headers: []scenario.Field{}}}},
	}
	tests := []struct {
		row, origin, want string
	}{
		{"the page", "", `[{"id":"a","fetches":[{"url":"http://localhost:7102/s/a/0","method":"GET","headers":[]}]}]`},
		{"the sandboxed frame", "null", `[{"id":"b","fetches":[{"url":"http://127.0.0.1:7104/s/b/0","method":"PUT","headers":[]}]}]`},
		{"another", "x", `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(scenarios, tt.origin)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if scenarios[0].Fetches[0].URL != "{B}/0" {
		t.Errorf("the scenario's own URL has become %q", scenarios[0].Fetches[0].URL)
	}
}

func TestWhatThePagePostsIsRecorded(t *testing.T) {
	scenarios := []scenario.Scenario{{ID: "a"}, {ID: "b"}}
	d := newDirector(scenarios)
	d.answer("POST", "/result", []byte(`[{"id":"a","outcomes":[{"type":"basic","status":200,"redirected":false,"url":"http://localhost:7101/s/a/0","headers":[["content-length","1"],["x","http://localhost:7102"]],"body":"b"}]}]`))
	d.answer("POST", "/done", nil)
	d.answer("POST", "/done", nil) // twice does no harm
	<-d.done
	got, err := json.Marshal(d.recordings(scenario.NewStage(scenarios)))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"id":"a","outcomes":[{"type":"basic","status":200,"redirected":false,"url":"{A}/0","headers":[["x","{B}"]],"body":"b"}],"requests":[]},{"id":"b","outcomes":[],"requests":[]}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatThePageCannotHavePostedEndsTheRecording(t *testing.T) {
	d := newDirector(nil)
	d.answer("POST", "/result", []byte("x"))
	<-d.done
	if d.err == nil || !strings.Contains(d.err.Error(), `"x"`) {
		t.Errorf("error %v, want one that quotes what was posted", d.err)
	}
}
