package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/policyfile"
)

// A Server does what a configuration says, and counts those it had.
type Server[C any] interface {
	// PutConfig replaces the configuration. If c is refused, or last fails, which
	// is called once c is known to be good, the old one stays.
	PutConfig(c C, last func() error) error

	Version() int // of the configuration in force, from 1
	Routes() int  // how many it has
}

// A Reloader keeps a server at what a file says.
type Reloader[C any] struct {
	Server  Server[C]
	Path    string
	Load    func(path string) (C, error)
	Log     *slog.Logger
	Metrics *Metrics // that count what Load refuses

	// Every is how often the file is looked at: 0 means four times a second.
	Every time.Duration

	// Replaced is called with each configuration that is put into force.
	Replaced func(C)

	mu            sync.Mutex // for what follows, and for the file while it is written
	seen, pending os.FileInfo
}

// Run reloads the file when it has changed, or when told to, until ctx is done.
// A change is taken once the file has rested between two looks, so that half of
// a file that is being written is not. What is refused changes nothing.
func (r *Reloader[C]) Run(ctx context.Context, now <-chan os.Signal) {
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
			r.tell(r.reload())
		case <-tick.C:
			r.tell(r.look())
		}
	}
}

// First loads the file as it is at the start.
func (r *Reloader[C]) First() (C, error) {
	r.seen, _ = os.Stat(r.Path)
	return r.Load(r.Path)
}

// Write puts c into force, and text, which says c, into the file, whole or not
// at all. Replaced is not called. If c is refused, or the file cannot be
// written, neither changes.
func (r *Reloader[C]) Write(text []byte, c C) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// What is behind a link is written, and the link stays.
	path, err := filepath.EvalSymlinks(r.Path)
	if err != nil {
		return err
	}
	beside, err := writeBeside(path, text)
	if err != nil {
		return err
	}
	defer os.Remove(beside)
	if err := r.Server.PutConfig(c, func() error { return os.Rename(beside, path) }); err != nil {
		return err
	}
	r.seen, _ = os.Stat(r.Path)
	r.pending = nil
	r.Log.Info("the policy is replaced, and written", "file", r.Path, "version", r.Server.Version(), "routes", r.Server.Routes())
	return nil
}

// writeBeside writes text to a new file that is about to take the place of path,
// for whom that file was, and returns its name.
func writeBeside(path string, text []byte) (name string, err error) {
	old, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cors-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := keepOwner(f, old); err != nil {
		return "", err
	}
	if err := f.Chmod(old.Mode().Perm()); err != nil {
		return "", err
	}
	if _, err := f.Write(text); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

// look reloads the file if it has changed and rested.
func (r *Reloader[C]) look() *C {
	r.mu.Lock()
	info, err := os.Stat(r.Path)
	changed := false
	switch {
	case err != nil:
		// An editor may be about to put it back.
		r.pending = nil
	case same(info, r.seen):
		r.pending = nil
	case same(info, r.pending):
		changed = true
	default:
		r.pending = info
	}
	r.mu.Unlock()
	if !changed {
		return nil
	}
	return r.reload()
}

// tell tells of a configuration that is in force now, if there is one. No lock is
// held, so that whoever is told may write.
func (r *Reloader[C]) tell(c *C) {
	if c != nil && r.Replaced != nil {
		r.Replaced(*c)
	}
}

func same(a, b os.FileInfo) bool {
	return b != nil && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}

func (r *Reloader[C]) reload() *C {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Before it is read: what is written meanwhile is another change.
	r.seen, _ = os.Stat(r.Path)
	r.pending = nil
	c, err := r.Load(r.Path)
	if err != nil {
		r.Metrics.Refused()
	} else {
		err = r.Server.PutConfig(c, func() error { return nil })
	}
	if err != nil {
		r.Log.Error("the policy is refused, and the one before stays", "file", r.Path, "version", r.Server.Version(), "mistakes", strings.Split(err.Error(), "\n"))
		return nil
	}
	r.Log.Info("the policy is replaced", "file", r.Path, "version", r.Server.Version(), "routes", r.Server.Routes())
	return &c
}

// LoadPolicy reads the file of --policy, and returns what it says and its text.
func LoadPolicy(path string) (*policyfile.File, []byte, error) {
	text, err := readPolicy(path)
	if err != nil {
		var missing *os.PathError
		if errors.As(err, &missing) {
			err = missing.Err
		}
		return nil, nil, fmt.Errorf("--policy: %q: %w", filepath.Clean(path), err)
	}
	file, err := policyfile.Parse(text)
	if faults, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range faults.Unwrap() {
			var fault *policyfile.Error
			if errors.As(e, &fault) {
				fault.File = path
			}
		}
	}
	return file, text, err
}

func readPolicy(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, policyfile.MaxSize+1)) // Parse refuses one byte more
}
