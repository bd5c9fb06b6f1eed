//go:build !race

package fetch_test

const concurrentFetches = 10_000
