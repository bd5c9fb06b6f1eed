package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/demo"
	"github.com/crossorigin/cors/internal/browser"
)

const servedPolicy = `
upstream: %s
routes:
  /:
    origins: %s
    methods: %s
    request-headers: [Authorization, Content-Type]
    exposed-headers: X-Request-Id
    credentials: true
    max-age: 10m
`

// A page in a browser runs this script, and a frame of another origin what the
// page asks it for. GATEWAY, UPSTREAM and OTHER are put in.
const readingScript = `
const frame = document.createElement('iframe');
frame.src = 'OTHER/frame';
document.body.append(frame);
await new Promise(loaded => { frame.onload = loaded; });

const report = {};
const note = async (what, reading) => {
  try {
    report[what] = await reading;
  } catch (error) {
    report[what] = 'blocked: ' + error.name;
  }
};
const read = async (url, options) => {
  const response = await fetch(url, options);
  const see = name => name + ' ' + response.headers.get(name);
  return [response.status, see('X-Request-Id'), see('X-Content-Type-Options'), await response.text()].join(', ');
};
const inFrame = url => new Promise(answered => {
  window.onmessage = event => answered(event.data);
  frame.contentWindow.postMessage(url, 'OTHER');
});
const token = { Authorization: 'Bearer t' };
const put = { method: 'PUT', headers: { ...token, 'Content-Type': 'application/json' }, body: '{"name":"Ada"}' };
const told = path => fetch(path, { method: 'POST' });

await note('without the gateway', read('UPSTREAM/users'));
await note('allowed origin', read('GATEWAY/users'));
await note('other origin', inFrame('GATEWAY/users'));
await note('PUT with Authorization', read('GATEWAY/users/1', put));
await note('a name that is not allowed', read('GATEWAY/users', { headers: { 'X-Other': '1' } }));
await note('first visit', read('GATEWAY/visits', { credentials: 'include' }));
await note('second visit', read('GATEWAY/visits', { credentials: 'include' }));
await note('visit without credentials', read('GATEWAY/visits'));
await note('404', read('GATEWAY/nowhere'));
await note('502', read('GATEWAY/broken'));
await note('a method that is not allowed', read('GATEWAY/users/2', { method: 'DELETE', headers: token }));
await told('/edit');
await note('that method, once the policy is edited', read('GATEWAY/users/2', { method: 'DELETE', headers: token }));
await note('other origin, once the policy is edited', inFrame('GATEWAY/users'));
await told('/break');
await note('other origin, after a broken edit', inFrame('GATEWAY/users'));
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
`

const frameScript = `
window.onmessage = async event => {
  try {
    const response = await fetch(event.data);
    parent.postMessage(response.status + ', ' + await response.text(), event.origin);
  } catch (error) {
    parent.postMessage('blocked: ' + error.name, event.origin);
  }
};
`

// What the script notes. Not one header of the API is of CORS.
var readings = map[string]string{
	"without the gateway":                     `^blocked: TypeError$`,
	"allowed origin":                          `^200, X-Request-Id \d+, X-Content-Type-Options null, \[\{"id":"1"`,
	"other origin":                            `^blocked: TypeError$`,
	"PUT with Authorization":                  `^200, .*\{"id":"1","name":"Ada"\}`,
	"a name that is not allowed":              `^blocked: TypeError$`,
	"first visit":                             `^200, .*\{"visits":1\}`,
	"second visit":                            `^200, .*\{"visits":2\}`,
	"visit without credentials":               `^200, .*\{"visits":1\}`,
	"404":                                     `^404, .*there is nothing at`,
	"502":                                     `^502, .*gateway`,
	"a method that is not allowed":            `^blocked: TypeError$`,
	"that method, once the policy is edited":  `^200, .*"Grace Hopper"`,
	"other origin, once the policy is edited": `^200, \[\{"id":"1"`,
	"other origin, after a broken edit":       `^200, \[\{"id":"1"`,
}

func TestBrowsersReadThroughServe(t *testing.T) {
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			got, err := readInBrowser(ctx, t, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, what := range slices.Sorted(maps.Keys(readings)) {
				if !regexp.MustCompile(readings[what]).MatchString(got[what]) {
					t.Errorf("%s: %q, want %s", what, got[what], readings[what])
				}
			}
		})
	}
}

func readInBrowser(ctx context.Context, t *testing.T, name browser.Name) (map[string]string, error) {
	api := httptest.NewServer(demo.API())
	defer api.Close()
	mux := http.NewServeMux()
	pages := httptest.NewServer(mux)
	defer pages.Close()
	other := pages.URL
	allowed := strings.Replace(other, "127.0.0.1", "localhost", 1)

	file := filepath.Join(t.TempDir(), "cors.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Error(err)
		}
	}
	write(fmt.Sprintf(servedPolicy, api.URL, allowed, "PUT"))
	log, err := serveInBackground(ctx, t, file)
	if err != nil {
		return nil, err
	}
	listening, err := log.until(ctx, `"msg":"listening"`)
	if err != nil {
		return nil, err
	}
	gateway := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(listening)[1]

	page := func(script string) http.HandlerFunc {
		script = strings.NewReplacer("GATEWAY", gateway, "UPSTREAM", api.URL, "OTHER", other).Replace(script)
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<!doctype html><title>page</title><body><script type=module>%s</script>", script)
		}
	}
	mux.HandleFunc("GET /{$}", page(readingScript))
	mux.HandleFunc("GET /frame", page(frameScript))
	mux.HandleFunc("POST /edit", func(http.ResponseWriter, *http.Request) {
		write(fmt.Sprintf(servedPolicy, api.URL, "["+allowed+", "+other+"]", "[PUT, DELETE]"))
		if _, err := log.until(ctx, "the policy is replaced"); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /break", func(http.ResponseWriter, *http.Request) {
		write(fmt.Sprintf(servedPolicy, api.URL, allowed+"/", "put"))
		if _, err := log.until(ctx, "the policy is refused"); err != nil {
			t.Error(err)
		}
	})
	reports := make(chan map[string]string, 1)
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		var report map[string]string
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			t.Error(err)
		}
		reports <- report
	})

	p, err := browser.Start(ctx, name, allowed)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	select {
	case report := <-reports:
		return report, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the page reported nothing: %w", ctx.Err())
	}
}

// A logReader reads what cors serve logs.
type logReader chan string

// until returns the next line that has text in it.
func (l logReader) until(ctx context.Context, text string) (string, error) {
	for {
		select {
		case line, ok := <-l:
			if !ok {
				return "", fmt.Errorf("cors serve ended before it logged %q", text)
			}
			if strings.Contains(line, text) {
				return line, nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("cors serve did not log %q: %w", text, ctx.Err())
		}
	}
}

// serveInBackground runs the command as a process of its own until ctx is done.
func serveInBackground(ctx context.Context, t *testing.T, file string, more ...string) (logReader, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, "cors", append([]string{"serve", "--listen", "127.0.0.1:0", "--policy", file}, more...)...)
	stderr, write := io.Pipe()
	c.Stderr = write
	if err := c.Start(); err != nil {
		cancel()
		return nil, err
	}
	t.Cleanup(func() {
		cancel()
		c.Wait()
		write.Close()
	})
	lines := make(logReader, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines, nil
}
