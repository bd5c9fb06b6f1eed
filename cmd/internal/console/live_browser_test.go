package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/policyfile"
)

// visitor is a module that the test adds to the page, and that does what somebody
// does who looks at it.
const visitor = `
const until = async (what, f) => {
  for (let i = 0; i < 1000; i++) {
    const value = f();
    if (value) return value;
    await new Promise(done => setTimeout(done, 20));
  }
  throw new Error('there is never ' + what + ' in: ' + document.body.innerText);
};
const rows = () => [...document.querySelectorAll('#log [role="row"]')].map(r => [...r.querySelectorAll('[role="cell"]')].slice(1).map(c => c.textContent.replace(/\s+/g, ' ').trim()).join(' | ').trim());
const text = selector => document.querySelector(selector).innerText.trim();
const change = (name, value) => {
  const control = document.querySelector('[name="' + name + '"]');
  control.value = value;
  control.dispatchEvent(new Event('input', { bubbles: true }));
};
const report = {};
try {
  await until('a stream', () => text('#connection') === 'Live');
  for (const button of document.querySelectorAll('[data-example]')) {
    const before = rows().length;
    button.click();
    await until('a decision on ' + button.innerText, () => rows().length > before);
  }
  report.rows = rows().reverse();
  await until('a refused origin', () => document.querySelectorAll('#origins li').length === 2);
  document.querySelectorAll('#origins summary').forEach(s => s.click());
  report.origins = [...document.querySelectorAll('#origins li')].map(li => li.querySelector('.why').innerText + ' | ' + li.querySelector('.route').innerText + ' | ' + li.querySelector('pre').innerText.replace(/\s+/g, ' ')).sort();
  await until('counts', () => text('#count-allowed') === '3' && text('#count-refused') === '2');
  await until('a history', () => document.querySelector('#history tbody').innerText.includes('Refused'));
  change('verdict', 'allowed');
  await until('three rows', () => rows().length === 3);
  change('verdict', '');
  change('text', 'DELETE');
  await until('one row', () => rows().length === 1);
  report.filtered = rows();
  change('text', '');
  await until('all rows', () => rows().length === 5);
  document.querySelector('#pause').click();
  document.querySelector('[data-example]').click();
  await until('a sign that there is more', () => text('#skipped').startsWith('1 more'));
  report.paused = rows().length + ' ' + text('#connection');
  document.querySelector('#pause').click();
  await until('the row that waited', () => rows().length === 6);
  await fetch(text('.of code') + '/users', { headers: { ['X-' + 'y'.repeat(300)]: '1' } }).catch(() => {});
  await until('a long name', () => text('#origins').includes('x-yyy'));
  report.overflow = document.documentElement.scrollWidth > innerWidth;
} catch (error) {
  report.failed = String(error);
}
await fetch('/test/report', { method: 'POST', body: JSON.stringify(report) });
`

type seenLive struct {
	Rows, Origins, Filtered []string
	Paused                  string
	Overflow                bool
	Failed                  string
}

func TestTheLivePanelShowsDecisionsInEachBrowser(t *testing.T) {
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			got, page := lookAtLive(t, name)
			want := seenLive{
				Rows: []string{
					"Allowed | request GET /users | " + page + " |",
					"Allowed | preflight PUT /users/1 | " + page + " |",
					"Allowed | request PUT /users/1 | " + page + " |",
					"Refused | preflight DELETE /users/1 | " + page + " | the method is not in the policy: DELETE",
					"Refused | request GET /private | " + page + " | CORS is off here: the route allows no origin, or there is none",
				},
				Origins: []string{
					"CORS is off here: the route allows no origin, or there is none | /private | routes: /private: origins: [" + page + "]",
					"the method is not in the policy: DELETE |  | routes: /: methods: [PUT, DELETE]",
				},
				Filtered: []string{"Refused | preflight DELETE /users/1 | " + page + " | the method is not in the policy: DELETE"},
				Paused:   "5 Paused",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// lookAtLive opens the page of decisions of a gateway in front of a service, and
// returns what it shows, and its origin.
func lookAtLive(t *testing.T, name browser.Name) (seenLive, string) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }))
	defer service.Close()
	front, page := listenLoopback(t), listenLoopback(t)
	address := strings.Replace(page.Addr().String(), "127.0.0.1", "localhost", 1)
	text := fmt.Sprintf("routes:\n  /:\n    origins: [http://%s]\n    methods: [PUT]\n    request-headers: [X-A]\n  /private: off\n", address)
	file, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{
		Address: address,
		Gateway: "http://" + strings.Replace(front.Addr().String(), "127.0.0.1", "localhost", 1),
		Policy:  func() Policy { return Policy{Text: []byte(text), File: file} },
		Examples: []Example{
			{Method: "GET", Path: "/users"},
			{Method: "PUT", Path: "/users/1", Headers: map[string]string{"X-A": "1"}},
			{Method: "DELETE", Path: "/users/1"},
			{Method: "GET", Path: "/private"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	routes := make(map[string]gateway.Route)
	for pattern, policy := range file.Policies() {
		routes[pattern] = gateway.Route{Policy: policy, Upstream: to}
	}
	g, err := gateway.New(gateway.Config{Routes: routes}, gateway.Options{Observe: c.Observe})
	if err != nil {
		t.Fatal(err)
	}
	go (&gateway.Server{Handler: g, Listener: front}).Serve(ctx)

	reports := make(chan seenLive, 1)
	own := c.handler
	c.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/test/visitor.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, visitor)
		case "/test/report":
			var report seenLive
			if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
				t.Error(err)
			}
			reports <- report
		default:
			own.ServeHTTP(w, r)
			if r.URL.Path == "/live" && w.Header().Get("Set-Cookie") == "" {
				io.WriteString(w, `<script type="module" src="/test/visitor.js"></script>`)
			}
		}
	})
	go c.Serve(ctx, page)
	p, err := browser.Start(ctx, name, c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case report := <-reports:
		return report, c.Origin()
	case <-ctx.Done():
		t.Fatal("the page reported nothing")
	}
	return seenLive{}, ""
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
