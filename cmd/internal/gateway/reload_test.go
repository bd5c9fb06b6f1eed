package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
)

// TestReloadUnderLoad replaces the policy as fast as it can while requests are
// served: each answer is wholly of one policy.
func TestReloadUnderLoad(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	config := func(exposed string, maxAge time.Duration, credentials bool) gateway.Config {
		return gateway.Config{Routes: map[string]gateway.Route{"/": {Upstream: upstream, Policy: cors.Policy{
			Origins: []string{app}, Methods: []string{"PUT"}, ExposedHeaders: []string{exposed}, MaxAge: maxAge, Credentials: credentials,
		}}}}
	}
	configs := []gateway.Config{config("X-First", time.Second, true), config("X-Second", 2*time.Second, false)}
	whole := map[string]bool{
		"GET [true] [X-First] []": true, "GET [] [X-Second] []": true,
		"OPTIONS [true] [] [1]": true, "OPTIONS [] [] [2]": true,
	}
	g := newGateway(t, configs[0], gateway.Options{Metrics: service.NewMetrics()})
	to := serve(t, g)
	var seen sync.Map
	var asked atomic.Int64
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for asked.Add(1) < 300 {
				for _, method := range []string{"GET", "OPTIONS"} {
					r, err := http.NewRequest(method, to.String(), nil)
					if err != nil {
						t.Error(err)
						return
					}
					r.Header.Set("Origin", app)
					if method == "OPTIONS" {
						r.Header.Set("Access-Control-Request-Method", "PUT")
					}
					res, err := http.DefaultTransport.RoundTrip(r)
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					h := res.Header
					seen.Store(fmt.Sprint(method, " ", h["Access-Control-Allow-Credentials"], " ", h["Access-Control-Expose-Headers"], " ", h["Access-Control-Max-Age"]), true)
				}
			}
		})
	}
	replaced := make(chan struct{})
	go func() {
		defer close(replaced)
		for i := 1; asked.Load() < 300; i++ {
			if err := g.SetConfig(configs[i%2]); err != nil {
				t.Error(err)
			}
		}
	}()
	askers.Wait()
	<-replaced
	count := 0
	for answer := range seen.Range {
		if count++; !whole[answer.(string)] {
			t.Errorf("an answer of no one policy: %s", answer)
		}
	}
	if count != len(whole) {
		t.Errorf("%d kinds of answers, want %d: not every policy was in force", count, len(whole))
	}
}

// A file is read as the exposed header of a policy, or as broken.
func loadWord(path string) (gateway.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return gateway.Config{}, err
	}
	if bytes.Contains(text, []byte("broken")) {
		return gateway.Config{}, errors.New("first mistake\nsecond mistake")
	}
	return gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: cors.Policy{Origins: []string{app}, ExposedHeaders: []string{string(text)}}}}}, nil
}

func TestAFileIsReloaded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cors.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("X-First")
	log := new(lines)
	replaced := make(chan gateway.Config)
	r := &service.Reloader[gateway.Config]{Path: file, Load: loadWord, Every: time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
		Replaced: func(c gateway.Config) { replaced <- c }}
	c, err := r.First()
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, c, gateway.Options{})
	r.Server = g
	to := serve(t, g)
	exposed := func() string {
		res, _ := do(t, request(t, "GET", to, nil, "Origin", app))
		return res.Header.Get("Access-Control-Expose-Headers")
	}
	hangup := make(chan os.Signal)
	go r.Run(t.Context(), hangup)

	write("X-Second")
	<-replaced
	if got := exposed(); got != "X-Second" {
		t.Errorf("after an edit: %q", got)
	}

	write("broken")
	log.await(t, "the policy is refused, and the one before stays")
	log.await(t, "first mistake")
	if got := exposed(); got != "X-Second" {
		t.Errorf("after a broken edit: %q", got)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := exposed(); got != "X-Second" {
		t.Errorf("without a file: %q", got)
	}

	if err := os.WriteFile(file+".new", []byte("X-Third"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	<-replaced
	if got := exposed(); got != "X-Third" {
		t.Errorf("after another file came in its place: %q", got)
	}

	go func() { hangup <- syscall.SIGHUP }()
	<-replaced
	if got := r.Server.Version(); got != 4 {
		t.Errorf("version %d, want 4: the first, two edits, and a signal", got)
	}
}

func TestAFileIsWritten(t *testing.T) {
	dir := t.TempDir()
	kept, link := filepath.Join(dir, "kept.yaml"), filepath.Join(dir, "cors.yaml")
	if err := os.WriteFile(kept, []byte("X-First"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(kept, link); err != nil {
		t.Skip(err)
	}
	log := new(lines)
	r := &service.Reloader[gateway.Config]{Path: link, Load: loadWord, Every: time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
		Replaced: func(gateway.Config) { t.Error("what the program itself wrote is read again") }}
	c, err := r.First()
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, c, gateway.Options{})
	r.Server = g
	to := serve(t, g)
	state := func() string {
		res, _ := do(t, request(t, "GET", to, nil, "Origin", app))
		text, err := os.ReadFile(kept)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(link)
		if err != nil {
			t.Fatal(err)
		}
		behind, err := os.Stat(link)
		if err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(res.Header.Get("Access-Control-Expose-Headers"), " ", string(text), " ", info.Mode().Type(), " ", behind.Mode().Perm(), " ", len(left))
	}
	config := func(origin string) gateway.Config {
		return gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: cors.Policy{Origins: []string{origin}, ExposedHeaders: []string{"X-Second"}}}}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		r.Run(ctx, nil)
		close(ended)
	}()
	if err := r.Write([]byte("X-Second"), config(app)); err != nil {
		t.Fatal(err)
	}
	if got, want := state(), "X-Second X-Second L--------- -rw-r----- 2"; got != want {
		t.Errorf("once it is written: %q, want %q", got, want)
	}
	if err := r.Write([]byte("X-Third"), config("not an origin")); err == nil {
		t.Error("a policy that the gateway refuses is written")
	}
	if got, want := state(), "X-Second X-Second L--------- -rw-r----- 2"; got != want {
		t.Errorf("after a policy that is refused: %q, want %q", got, want)
	}
	log.await(t, "replaced, and written")
	cancel()
	<-ended
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := r.Write([]byte("X-Third"), config(app)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("where there is no file any more: %v, want %v", err, os.ErrNotExist)
	}
	if got := r.Server.Version(); got != 2 {
		t.Errorf("version %d, want 2: the first, and what was written", got)
	}
}

// lines is a log that can be waited for.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if strings.Contains(l.String(), text) {
			return
		}
	}
	t.Fatalf("no %q in the log:\n%s", text, l.String())
}
