package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/internal/scenario"
)

//go:embed page.html
var page string

// record plays the scenarios in a real browser, whose process it starts and
// ends. A browser that does not come to the page in time is started once more.
func record(ctx context.Context, name browser.Name, scenarios []scenario.Scenario) ([]scenario.Recording, error) {
	if err := browser.Available(name); err != nil {
		return nil, err
	}
	const patience = 30 * time.Second // a cold start on a busy machine takes several seconds
	recordings, err := recordOnce(ctx, name, scenarios, patience)
	if errors.Is(err, errNotStarted) {
		recordings, err = recordOnce(ctx, name, scenarios, patience)
	}
	return recordings, err
}

var errNotStarted = errors.New("did not open the page")

func recordOnce(ctx context.Context, name browser.Name, scenarios []scenario.Scenario, patience time.Duration) ([]scenario.Recording, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stage := scenario.NewStage(scenarios)
	d := newDirector(scenarios)
	stage.Other = d.answer
	if err := stage.Listen(ctx); err != nil {
		return nil, err
	}
	process, err := browser.Start(ctx, name, "http://localhost:7101/run")
	if err != nil {
		return nil, err
	}
	defer process.Close()
	select {
	case <-d.opened:
	case <-time.After(patience):
		return nil, fmt.Errorf("%s %w in %v", name, errNotStarted, patience)
	case <-ctx.Done():
		return nil, fmt.Errorf("%s %w: %w", name, errNotStarted, context.Cause(ctx))
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s played %d of %d scenarios: %w", name, d.played(), len(scenarios), context.Cause(ctx))
	}
	if d.err != nil {
		return nil, fmt.Errorf("%s: %w", name, d.err)
	}
	return d.recordings(stage), nil
}

// A director serves the page that plays the scenarios, and hears from it.
type director struct {
	scenarios    []scenario.Scenario
	opened, done chan struct{}

	mu       sync.Mutex
	outcomes map[string][]scenario.Outcome
	open     bool
	over     bool
	err      error
}

func newDirector(scenarios []scenario.Scenario) *director {
	return &director{scenarios: scenarios, opened: make(chan struct{}), done: make(chan struct{}), outcomes: map[string][]scenario.Outcome{}}
}

// answer is scenario.Stage.Other.
func (d *director) answer(method, target string, body []byte) scenario.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := scenario.Answer{Status: 200, Headers: []scenario.Field{{"Access-Control-Allow-Origin", "*"}}}
	switch path, query, _ := strings.Cut(target, "?"); path {
	case "/run", "/opaque":
		answer.Headers = append(answer.Headers, scenario.Field{"Content-Type", "text/html"})
		answer.Body = page
	case "/list":
		if !d.open {
			d.open = true
			close(d.opened)
		}
		answer.Headers = append(answer.Headers, scenario.Field{"Content-Type", "application/json"})
		answer.Body = list(d.scenarios, query)
	case "/result":
		var results []scenario.Recording
		if err := json.Unmarshal(body, &results); err != nil {
			d.finish(fmt.Errorf("the page posted %.100q: %w", body, err))
		}
		for _, r := range results {
			d.outcomes[r.ID] = r.Outcomes
		}
	case "/done":
		d.finish(nil)
	default:
		answer.Status = 404
	}
	return answer
}

func (d *director) finish(err error) {
	if !d.over {
		d.over, d.err = true, err
		close(d.done)
	}
}

func (d *director) played() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.outcomes)
}

// list is what a page of origin ("" or "null") has to play.
func list(scenarios []scenario.Scenario, origin string) string {
	type entry struct {
		ID      string           `json:"id"`
		Fetches []scenario.Fetch `json:"fetches"`
	}
	entries := []entry{}
	for _, s := range scenarios {
		if s.Page != origin {
			continue
		}
		e := entry{s.ID, append([]scenario.Fetch{}, s.Fetches...)}
		for i := range e.Fetches {
			e.Fetches[i] = scenario.Recorded.Expand(s.ID, e.Fetches[i])
		}
		entries = append(entries, e)
	}
	text, err := json.Marshal(entries)
	if err != nil {
		panic(err) // there is nothing in them that JSON has not
	}
	return string(text)
}

// recordings puts together what the page saw and what the servers did.
func (d *director) recordings(stage *scenario.Stage) []scenario.Recording {
	d.mu.Lock()
	defer d.mu.Unlock()
	recordings := make([]scenario.Recording, len(d.scenarios))
	for i, s := range d.scenarios {
		outcomes := d.outcomes[s.ID]
		for j := range outcomes {
			outcomes[j] = stage.Origins.Contract(s.ID, outcomes[j])
		}
		if outcomes == nil {
			outcomes = []scenario.Outcome{}
		}
		recordings[i] = scenario.Recording{ID: s.ID, Outcomes: outcomes, Requests: stage.Requests(s.ID)}
	}
	return recordings
}
