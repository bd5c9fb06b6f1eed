package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/policyfile"
)

// start runs the demo behind a gateway. What extra answers, the page does not.
func start(t *testing.T, extra map[string]http.HandlerFunc) *Demo {
	t.Helper()
	page, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := startAPI(page.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	file, err := policyfile.Parse(d.Policy)
	if err != nil {
		t.Fatal(err)
	}
	c := gateway.Config{Upstream: file.Upstream, Routes: make(map[string]gateway.Route)}
	for _, r := range file.Routes {
		c.Routes[r.Pattern] = gateway.Route{Policy: r.Policy, Upstream: r.Upstream, Headers: r.UpstreamHeaders}
	}
	g, err := gateway.New(c, gateway.Options{Observe: d.Observe})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(g)
	t.Cleanup(front.Close)
	mux := http.NewServeMux()
	mux.Handle("/", newPage(d, strings.Replace(front.URL, "127.0.0.1", "localhost", 1)))
	for pattern, handler := range extra {
		mux.HandleFunc(pattern, handler)
	}
	d.serve(page, mux)
	return d
}

// driver presses the buttons of the page, in a frame of its own origin, and
// reports what they show.
const driver = `<!doctype html>
<title>driver</title>
<iframe src="/"></iframe>
<script type="module">
const until = async f => {
  for (;;) {
    const value = f();
    if (value) return value;
    await new Promise(done => setTimeout(done, 20));
  }
};
const page = () => document.querySelector('iframe').contentDocument;
await until(() => page()?.readyState === 'complete' && page().querySelector('#all'));
page().querySelector('#all').click();
page().querySelector('[data-try="events"] button').click();
const outputs = [...page().querySelectorAll('output')];
await until(() => outputs.every(o => /read|blocked/.test(o.dataset.state)));
const report = {};
for (const o of outputs) {
  report[o.closest('[data-try]').dataset.try + ' ' + o.dataset.from] = o.dataset.state + ': ' + o.innerText.replace(/\s+/g, ' ');
}
await until(() => page().querySelector('#log').children.length > 9);
await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
</script>
`

func TestThePageShowsWhoReadsInEachBrowser(t *testing.T) {
	want := map[string]string{
		"read this":    `^read: .*200 X-Request-Id: \d+ \[\{"id":"1","name":".*"\}`,
		"put this":     `^read: .*200 X-Request-Id: \d+ \{"id":"1","name":"Augusta Ada King"\}`,
		"cookie this":  `^read: .*200 X-Request-Id: \d+ \{"visits":1\}`,
		"missing this": `^read: .*404 X-Request-Id: \d+ \{"error":"there is nothing at`,
		"broken this":  `^read: .*502 .*gateway`,
		"slow this":    `^read: .*200 X-Request-Id: \d+ \{"waited":"2s"\}`,
		"delete this":  `^blocked: `,
		"private this": `^blocked: `,
		"events this":  `^read: .*200 \d\d:\d\d:\d\d$`,
	}
	for _, name := range tries {
		want[name+" other"] = `^blocked: `
	}
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			reports := make(chan map[string]string, 1)
			d := start(t, map[string]http.HandlerFunc{
				"GET /drive": func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, driver)
				},
				"POST /report": func(w http.ResponseWriter, r *http.Request) {
					var report map[string]string
					if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
						t.Error(err)
					}
					reports <- report
				},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			p, err := browser.Start(ctx, name, d.Page+"/drive")
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			select {
			case <-ctx.Done():
				t.Fatal("the page showed no result in 3 minutes")
			case got := <-reports:
				for _, key := range slices.Sorted(maps.Keys(want)) {
					if !regexp.MustCompile(want[key]).MatchString(got[key]) {
						t.Errorf("%s shows %q, want %s", key, got[key], want[key])
					}
				}
			}
		})
	}
}

func TestThePageAnswersToItsOwnNamesAlone(t *testing.T) {
	d := start(t, nil)
	for _, tt := range []struct {
		name, url, host string
		status          int
	}{
		{"its origin", d.Page, "", 200},
		{"its other origin", d.Other, "", 200},
		{"a name that someone has pointed here", d.Other, "evil.example", 421},
		{"a port that is not its own", d.Other, "localhost:1", 421},
		{"the decisions, under a foreign name", d.Other + "/decisions", "evil.example", 421},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest("GET", tt.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = tt.host
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("GET %s with Host %q = %d, want %d", tt.url, tt.host, res.StatusCode, tt.status)
			}
		})
	}
}

func TestThePageSpeaksTheLanguageOfTheBrowser(t *testing.T) {
	d := start(t, nil)
	for accept, want := range map[string]string{"": "en", "ja": "ja", "ja-JP,en;q=0.5": "ja", "fr": "en", "en-GB,ja;q=0.9": "en", "fr,ja;q=0.5": "ja", "\xff": "en"} {
		req, err := http.NewRequest("GET", d.Page, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Content-Language"); got != want {
			t.Errorf("Accept-Language %q: %q, want %q", accept, got, want)
		}
	}
}

func TestBothLanguagesSayEverything(t *testing.T) {
	keys := func(lang string) []string { return slices.Sorted(maps.Keys(texts[lang])) }
	if diff := cmp.Diff(keys("en"), keys("ja")); diff != "" {
		t.Errorf("keys of en and ja:\n%s", diff)
	}
	for _, name := range tries {
		for _, part := range []string{"-title", "-request", "-why"} {
			if texts["en"][name+part] == "" {
				t.Errorf("there is no text for %s%s", name, part)
			}
		}
	}
}
