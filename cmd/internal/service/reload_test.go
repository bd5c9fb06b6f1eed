package service_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/service"
)

// words is a server of words, and refuses one of them.
type words struct{ asked chan string }

func (w words) PutConfig(word string, last func() error) error {
	w.asked <- word
	if word == "broken" {
		return errors.New("a mistake")
	}
	return last()
}

func (words) Version() int { return 1 }
func (words) Routes() int  { return 1 }

// A configMap is a folder that Kubernetes mounts: each name in it is a link
// through "..data" to a folder that never changes.
type configMap struct {
	t    *testing.T
	dir  string
	last string
}

// write does what the kubelet does when a ConfigMap has changed: it writes a new
// folder, has "..data" lead there at once, and removes the old one.
func (m *configMap) write(word string) {
	m.t.Helper()
	try := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	folder, err := os.MkdirTemp(m.dir, "..2026_11_25_*")
	try(err)
	try(os.WriteFile(filepath.Join(folder, "cors.yaml"), []byte(word), 0o644))
	data := filepath.Join(m.dir, "..data")
	try(os.Symlink(filepath.Base(folder), data+"_tmp"))
	try(os.Rename(data+"_tmp", data))
	if m.last == "" {
		try(os.Symlink(filepath.Join("..data", "cors.yaml"), filepath.Join(m.dir, "cors.yaml")))
	} else {
		try(os.RemoveAll(m.last))
	}
	m.last = folder
}

// TestAConfigMapIsReloaded has the kubelet swap the folder behind the file, whose
// size stays.
func TestAConfigMapIsReloaded(t *testing.T) {
	m := &configMap{t: t, dir: t.TempDir()}
	m.write("first.")
	w := words{make(chan string)}
	r := &service.Reloader[string]{Server: w, Path: filepath.Join(m.dir, "cors.yaml"), Log: slog.New(slog.DiscardHandler), Every: time.Millisecond,
		Load: func(path string) (string, error) {
			text, err := os.ReadFile(path)
			return string(text), err
		}}
	if got, err := r.First(); err != nil || got != "first." {
		t.Fatal(got, err)
	}
	go r.Run(t.Context(), nil)
	for _, word := range []string{"second", "third.", "broken", "fourth"} {
		m.write(word)
		select {
		case got := <-w.asked:
			if got != word {
				t.Errorf("%q is read, want %q", got, word)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q is not seen", word)
		}
	}
}
