// Package corstest is a browser inside go test.
package corstest
