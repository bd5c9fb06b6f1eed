package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

// What of the decisions is kept, and for how many.
const (
	maxKept    = 50
	maxReaders = 32
	maxText    = 200 // bytes of what a client has sent
)

// A decision is one of the gateway's, as the page shows it.
type decision struct {
	Time    string `json:"time"`
	Kind    string `json:"kind"`
	Method  string `json:"method"` // the one to come, for a preflight
	Path    string `json:"path"`
	Origin  string `json:"origin"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
	Name    string `json:"name,omitempty"`
}

// decisions keeps the last of them, and passes them on to whoever reads along.
type decisions struct {
	mu      sync.Mutex
	kept    []string // as JSON
	readers map[chan string]struct{}
}

func newDecisions() *decisions { return &decisions{readers: make(map[chan string]struct{})} }

// Observe takes note of a decision. It never waits.
func (ds *decisions) Observe(r *http.Request, d cors.Decision) {
	if d.Kind == cors.NotCORS {
		return
	}
	method := r.Method
	if d.Kind == cors.Preflight {
		method = r.Header.Get(header.AccessControlRequestMethod)
	}
	line, err := json.Marshal(decision{
		Time: time.Now().Format("15:04:05"), Kind: d.Kind.String(), Method: cut(method), Path: cut(r.URL.Path), Origin: cut(d.Origin),
		Allowed: d.Allowed, Reason: d.Reason.String(), Name: cut(d.Name),
	})
	if err != nil {
		return
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if len(ds.kept) == maxKept {
		ds.kept = ds.kept[1:]
	}
	ds.kept = append(ds.kept, string(line))
	for reader := range ds.readers {
		select {
		case reader <- string(line):
		default: // it is too slow, and misses this one
		}
	}
}

func cut(s string) string { return s[:min(len(s), maxText)] }

// ServeHTTP sends the decisions that are kept, and those to come, as server-sent
// events.
func (ds *decisions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reader := make(chan string, maxKept)
	ds.mu.Lock()
	if len(ds.readers) == maxReaders {
		ds.mu.Unlock()
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	for _, line := range ds.kept {
		reader <- line
	}
	ds.readers[reader] = struct{}{}
	ds.mu.Unlock()
	defer func() {
		ds.mu.Lock()
		defer ds.mu.Unlock()
		delete(ds.readers, reader)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	for {
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case line := <-reader:
			fmt.Fprintf(w, "data: %s\n\n", line)
		}
	}
}
