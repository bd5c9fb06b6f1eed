package intercept_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossorigin/cors/internal/intercept"
)

// speak sets what the test looks for, over whatever the handler said.
func speak(h http.Header, _ int) { h.Set("X-Word", "last") }

func TestBeforeHasTheLastWordHoweverTheHeadersGoOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("body"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		row    string
		answer func(w http.ResponseWriter, r *http.Request)
	}{
		{"an empty ReadFrom, and a header after it", func(w http.ResponseWriter, _ *http.Request) {
			w.(io.ReaderFrom).ReadFrom(io.LimitReader(strings.NewReader("x"), 0))
			w.Header().Set("X-Word", "first")
		}},
		{"a file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) }},
		{"early hints, and a header after them", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.Header().Set("X-Word", "first")
			w.WriteHeader(200)
		}},
		{"headers cleared after early hints, as a reverse proxy does", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			clear(w.Header())
		}},
		{"a panic, and a recoverer outside", func(http.ResponseWriter, *http.Request) { panic("no") }},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Word", "first")
				tt.answer(w, r)
			})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					if recover() != nil {
						w.WriteHeader(500)
					}
				}()
				intercept.Serve(w, r, inner, speak)
			}))
			defer server.Close()
			client := server.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			res, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if got := res.Header["X-Word"]; len(got) != 1 || got[0] != "last" {
				t.Errorf("X-Word: %q, want last", got)
			}
		})
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

type flusher struct{}

func (flusher) Flush() {}

type hijacker struct{}

func (hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }

type pusher struct{}

func (pusher) Push(string, *http.PushOptions) error { return nil }

func TestKeepsWhatTheWriterCanDo(t *testing.T) {
	w := discard{http.Header{}}
	for row, w := range map[string]http.ResponseWriter{
		"nothing": w,
		"f": struct {
			discard
			flusher
		}{discard: w},
		"h": struct {
			discard
			hijacker
		}{discard: w},
		"p": struct {
			discard
			pusher
		}{discard: w},
		"fh": struct {
			discard
			flusher
			hijacker
		}{discard: w},
		"fp": struct {
			discard
			flusher
			pusher
		}{discard: w},
		"hp": struct {
			discard
			hijacker
			pusher
		}{discard: w},
		"fhp": struct {
			discard
			flusher
			hijacker
			pusher
		}{discard: w},
	} {
		t.Run(row, func(t *testing.T) {
			var got http.ResponseWriter
			inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w })
			intercept.Serve(w, nil, inner, speak)
			if _, want := w.(http.Flusher); is[http.Flusher](got) != want {
				t.Errorf("http.Flusher: %t, want %t", !want, want)
			}
			if _, want := w.(http.Hijacker); is[http.Hijacker](got) != want {
				t.Errorf("http.Hijacker: %t, want %t", !want, want)
			}
			if _, want := w.(http.Pusher); is[http.Pusher](got) != want {
				t.Errorf("http.Pusher: %t, want %t", !want, want)
			}
			if err := http.NewResponseController(got).Flush(); is[http.Flusher](w) != (err == nil) {
				t.Errorf("a controller's Flush: %v", err)
			}
		})
	}
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func TestAFailedHijackLeavesTheResponse(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: %v, want ErrNotSupported", err)
		}
	})
	w := httptest.NewRecorder()
	intercept.Serve(w, nil, inner, speak)
	if got := w.Header().Get("X-Word"); got != "last" {
		t.Errorf("X-Word: %q, want last", got)
	}
}

func TestReachesWhatAControllerCan(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Errorf("EnableFullDuplex: %v", err)
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		intercept.Serve(w, r, inner, speak)
	}))
	defer server.Close()
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

func TestAllocatesOnce(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	w := http.ResponseWriter(discard{http.Header{"X-Word": {"x"}}})
	say := func(http.Header, int) {}
	if got := testing.AllocsPerRun(100, func() { intercept.Serve(w, nil, inner, say) }); got > 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}
