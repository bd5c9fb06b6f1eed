// Package scenario plays CORS scenarios, scripted servers and the fetches of a
// page, and compares what came of them with a recording.
//
//	stage, err := scenario.NewStage(scenarios)
//	recordings := stage.Play(ctx, fetch.Chromium)
//	differences := scenario.Compare(scenarios, want, recordings)
package scenario
