package explain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/internal/engine"
)

// A proxy is a real one, and whose language the mend for it is in.
type proxy struct {
	server explain.Server
	engine *engine.Engine
}

var proxies = []proxy{{explain.Nginx, engine.Nginx}, {explain.Apache, engine.Apache}, {explain.Caddy, engine.Caddy}, {explain.HAProxy, engine.HAProxy}}

// start runs p with the mend in its configuration, and returns its URL.
func (p proxy) start(t *testing.T, mend, upstream string) string {
	t.Helper()
	process, err := p.engine.Start(t.TempDir(), engine.Config{Inside: mend, Upstream: strings.TrimPrefix(upstream, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Close)
	return process.URL
}

// Every mend is real: a proxy before a broken server is explained, what is
// printed is written into its configuration, and the same fetch works.
func TestMendsMend(t *testing.T) {
	const page = "http://app.example.com"
	broken := map[string]http.HandlerFunc{
		"knows nothing of CORS": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
		},
		"says * itself": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(acao, "*")
			w.Header().Set("Vary", "Accept-Encoding")
		},
		"allows one method and fails": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(acao, page)
			w.Header().Set(acac, "true")
			w.Header().Set(acam, "DELETE")
			if r.Method != http.MethodOptions {
				w.WriteHeader(http.StatusInternalServerError)
			}
		},
	}
	for _, p := range proxies {
		if err := p.engine.Installed(); err != nil {
			t.Logf("skipped: %v", err)
			continue
		}
		for name, handler := range broken {
			t.Run(string(p.server)+"/"+name, func(t *testing.T) {
				t.Parallel()
				upstream := httptest.NewServer(handler)
				defer upstream.Close()
				before := askProxy(t, p.start(t, "", upstream.URL), page)
				if before.Verdict != explain.Blocked {
					t.Fatalf("the fetch is not blocked before the mend: %s", before.Sentence(explain.English))
				}
				url := p.start(t, before.Config(p.server), upstream.URL)
				after := askProxy(t, url, page)
				if after.Verdict != explain.Works {
					t.Errorf("after the mend: %s\n%s\n%s", after.Sentence(explain.English), text(after.Text(explain.Amount{})), before.Config(p.server))
				}
				if other := askProxy(t, url, "http://evil.example.com"); other.Verdict != explain.Blocked {
					t.Errorf("the mend lets another origin in: %s", text(other.Text(explain.Amount{})))
				}
				upstream.Close()
				if down := askProxy(t, url, page); down.Cause != "works-with-error" {
					t.Errorf("without the upstream: %s, want an error that the page may read\n%s", down.Sentence(explain.English), text(down.Text(explain.Amount{})))
				}
			})
		}
	}
}

// So is the one for Cross-Origin-Resource-Policy.
func TestCORPMends(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	}))
	defer upstream.Close()
	ask := func(t *testing.T, url string) *explain.Diagnosis {
		q := explain.Question{Page: "http://app.example.com", Request: &fetch.Request{URL: url + "/logo.png", Mode: fetch.ModeNoCORS}}
		d, err := explain.Ask(t.Context(), &fetch.Browser{}, q)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, p := range proxies {
		if err := p.engine.Installed(); err != nil {
			t.Logf("skipped: %v", err)
			continue
		}
		t.Run(string(p.server), func(t *testing.T) {
			before := ask(t, p.start(t, "", upstream.URL))
			if before.Cause != "corp" {
				t.Fatalf("cause %q before the mend, want corp", before.Cause)
			}
			if after := ask(t, p.start(t, before.Config(p.server), upstream.URL)); after.Cause != "opaque" {
				t.Errorf("after the mend: %s\n%s", after.Sentence(explain.English), before.Config(p.server))
			}
		})
	}
}

// askProxy makes a request that needs all that a policy can say.
func askProxy(t *testing.T, url, page string) *explain.Diagnosis {
	t.Helper()
	req := putWithToken(url + "/users")
	d, err := explain.Ask(t.Context(), &fetch.Browser{}, explain.Question{Page: page, Request: req})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What the mend lets through in package fetch, it lets through in Chromium.
func TestMendsMendInChromium(t *testing.T) {
	if err := browser.Available(browser.Chromium); err != nil {
		t.Skip(err)
	}
	results := make(chan map[string]string, 1)
	var urls []string
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			var got map[string]string
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
				t.Error(err)
			}
			results <- got
			return
		}
		list, err := json.Marshal(urls)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<script type=module>
const results = {};
for (const url of %s) {
	try {
		const response = await fetch(url, {method: "PUT", headers: {"Content-Type": "application/json", "X-Token": "1"}, body: "{}", credentials: "include"});
		results[url] = "status " + response.status;
	} catch (error) {
		results[url] = "blocked";
	}
}
await fetch("/", {method: "POST", body: JSON.stringify(results)});
</script>`, list)
	}))
	defer site.Close()
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	page := "http://localhost:" + port
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acao, "*")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer upstream.Close()
	want := map[string]string{}
	for _, p := range proxies {
		if err := p.engine.Installed(); err != nil {
			t.Logf("skipped: %v", err)
			continue
		}
		before := p.start(t, "", upstream.URL)
		after := p.start(t, askProxy(t, before, page).Config(p.server), upstream.URL)
		urls = append(urls, before+"/"+string(p.server), after+"/"+string(p.server))
		want[before+"/"+string(p.server)], want[after+"/"+string(p.server)] = "blocked", "status 200"
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	site.Start()
	process, err := browser.Start(ctx, browser.Chromium, page+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	select {
	case got := <-results:
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what Chromium makes of it (-want +got):\n%s", diff)
		}
	case <-ctx.Done():
		t.Error("the page never told what it got")
	}
}
