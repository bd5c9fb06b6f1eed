package gateway

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"
)

// A Reloader keeps a gateway at what a file says.
type Reloader struct {
	Gateway *Gateway
	Path    string
	Load    func(path string) (Config, error)
	Log     *slog.Logger

	// Every is how often the file is looked at: 0 means four times a second.
	Every time.Duration

	// Replaced is called with each configuration that is put into force.
	Replaced func(Config)

	seen, pending os.FileInfo
}

// Run reloads the file when it has changed, or when told to, until ctx is done.
// A change is taken once the file has rested between two looks, so that half of
// a file that is being written is not. What is refused changes nothing.
func (r *Reloader) Run(ctx context.Context, now <-chan os.Signal) {
	every := r.Every
	if every == 0 {
		every = 250 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-now:
			r.reload()
		case <-tick.C:
			r.look()
		}
	}
}

// First loads the file as it is at the start.
func (r *Reloader) First() (Config, error) {
	r.seen, _ = os.Stat(r.Path)
	return r.Load(r.Path)
}

func (r *Reloader) look() {
	info, err := os.Stat(r.Path)
	switch {
	case err != nil:
		// An editor may be about to put it back.
		r.pending = nil
	case same(info, r.seen):
		r.pending = nil
	case same(info, r.pending):
		r.reload()
	default:
		r.pending = info
	}
}

func same(a, b os.FileInfo) bool {
	return b != nil && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}

func (r *Reloader) reload() {
	// Before it is read: what is written meanwhile is another change.
	r.seen, _ = os.Stat(r.Path)
	r.pending = nil
	c, err := r.Load(r.Path)
	if err != nil {
		r.Gateway.options.Metrics.refusedPolicy()
	} else {
		err = r.Gateway.SetConfig(c)
	}
	if err != nil {
		r.Log.Error("the policy is refused, and the one before stays", "file", r.Path, "version", r.Gateway.Version(), "mistakes", strings.Split(err.Error(), "\n"))
		return
	}
	r.Log.Info("the policy is replaced", "file", r.Path, "version", r.Gateway.Version(), "routes", len(c.Routes))
	if r.Replaced != nil {
		r.Replaced(c)
	}
}
