// Package scenario plays CORS scenarios, fetches against scripted servers, and
// compares what came of them.
//
//	stage := scenario.NewStage(scenarios)
//	recordings := scenario.Play(ctx, scenarios, stage, fetch.Chromium, stage.Dial)
//	differences := scenario.Compare(recordings, recordedInTheRealBrowser)
//
// The stage is always the same: the page is at {A}, http://localhost:7101, and
// there are servers at {A}, {B} and {C}, which are localhost:7101 to 7103, and
// {D}, 127.0.0.1:7104. The page's cookie jar holds sid=1 for localhost.
package scenario
