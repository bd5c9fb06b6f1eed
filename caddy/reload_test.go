package caddycors_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

const reloaded = `
{
	admin ADMIN
	auto_https off
}
http://SITE {
	cors {
		policy DIR/cors.yaml
	}
	reverse_proxy UPSTREAM
}
`

// Each answer is wholly of one policy, none is lost, and a policy that is refused
// changes nothing.
func TestReloadsUnderLoad(t *testing.T) {
	const a, b = "https://a.example", "https://b.example"
	policyOf := func(origin string) string {
		return "routes:\n  /:\n    origins: " + origin + "\n    exposed-headers: X-Of-" + strings.ToUpper(origin[8:9]) + "\n"
	}
	addresses := map[string]string{"SITE": "", "UPSTREAM": upstream(t)}
	c := start(t, reloaded, addresses, map[string]string{"cors.yaml": policyOf(a)})
	site := "http://" + addresses["SITE"] + "/users"
	file := filepath.Join(c.dir, "cors.yaml")

	var asked atomic.Int64
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, origin := range []string{a, b} {
					if err := askWhole(site, origin); err != nil {
						t.Error(err)
						return
					}
					asked.Add(1)
				}
			}
		})
	}
	for i := range 10 {
		origin := []string{b, a}[i%2]
		if err := os.WriteFile(file, []byte(policyOf(origin)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := c.load(c.fill(reloaded, addresses)); err != nil {
			t.Fatal(err)
		}
		if got := allowed(t, site, origin); got != origin {
			t.Errorf("after the reload Access-Control-Allow-Origin is %q, want %q", got, origin)
		}
	}
	if err := os.WriteFile(file, []byte("routes:\n  /:\n    origins: https://b.example/\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := c.load(c.fill(reloaded, addresses)); err == nil || !strings.Contains(err.Error(), `cors.yaml:3:14: route \"/\": origins[0]: \"https://b.example/\": an origin has no path`) {
		t.Errorf("a policy with a mistake: %v", err)
	}
	if got := allowed(t, site, a); got != a {
		t.Errorf("after a policy was refused Access-Control-Allow-Origin is %q, want %q as before", got, a)
	}
	close(done)
	clients.Wait()
	t.Logf("%d requests, 10 reloads", asked.Load())
}

// askWhole returns an error unless the answer is of one policy. It asks again where
// a connection ends without an answer: a reload of Caddy does that to some that it
// has just accepted, or not yet, with whatever modules.
func askWhole(url, origin string) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Origin", origin)
	var res *http.Response
	for range 5 {
		if res, err = http.DefaultClient.Do(req); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			break
		}
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		return err
	}
	allows, exposes := res.Header["Access-Control-Allow-Origin"], res.Header["Access-Control-Expose-Headers"]
	switch {
	case res.StatusCode != http.StatusOK:
		return errors.New(res.Status)
	case len(allows) == 0 && len(exposes) == 0:
	case len(allows) != 1 || allows[0] != origin || len(exposes) != 1 || exposes[0] != "X-Of-"+strings.ToUpper(origin[8:9]):
		return fmt.Errorf("to %s: %q", origin, res.Header)
	}
	return nil
}

func allowed(t *testing.T, url, origin string) string {
	res, _ := ask(t, http.MethodGet, url, origin, nil)
	return res.Header.Get("Access-Control-Allow-Origin")
}

func TestCountsInCaddysRegistry(t *testing.T) {
	addresses := map[string]string{"SITE": "", "OTHER": "", "UPSTREAM": upstream(t)}
	c := start(t, reloaded+"http://OTHER {\n\tcors https://other.example\n\treverse_proxy UPSTREAM\n}\n", addresses, map[string]string{"cors.yaml": `
routes:
  /api/:
    origins: https://app.example.com
`})
	site, other := "http://"+addresses["SITE"], "http://"+addresses["OTHER"]
	ask(t, "GET", site+"/api/users", app, nil)
	ask(t, "GET", site+"/api/users", app, nil)
	ask(t, "GET", site+"/api/users", evil, nil)
	ask(t, "GET", site+"/api/users", "", nil)
	ask(t, "GET", site+"/elsewhere", app, nil)
	ask(t, "OPTIONS", site+"/api/users", app, http.Header{"Access-Control-Request-Method": {"PUT"}})
	ask(t, "GET", other+"/", app, nil)
	_, text := ask(t, "GET", "http://"+c.admin+"/metrics", "", nil)
	for _, want := range []string{
		`cors_decisions_total{kind="actual",reason="none",route="/api/",verdict="allowed"} 2`,
		`cors_decisions_total{kind="actual",reason="origin",route="/api/",verdict="refused"} 1`,
		`cors_decisions_total{kind="not-cors",reason="none",route="/api/",verdict="none"} 1`,
		`cors_decisions_total{kind="actual",reason="off",route="",verdict="refused"} 1`,
		`cors_decisions_total{kind="preflight",reason="method",route="/api/",verdict="refused"} 1`,
		`cors_decisions_total{kind="actual",reason="origin",route="/",verdict="refused"} 1`,
		`cors_upstream_headers_stripped_total{header="Access-Control-Allow-Origin",route="/api/"} 4`,
		`cors_upstream_headers_stripped_total{header="Access-Control-*",route="/api/"} 4`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, strings.Join(regexp.MustCompile(`(?m)^cors_.*$`).FindAllString(text, -1), "\n"))
		}
	}
}
