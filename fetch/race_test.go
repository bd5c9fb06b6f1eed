//go:build race

package fetch_test

// The race detector knows 8,128 goroutines.
const concurrentFetches = 5_000
