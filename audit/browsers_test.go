package audit_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/browser"
)

var profiles = map[browser.Name]fetch.Profile{browser.Chromium: fetch.Chromium, browser.Firefox: fetch.Firefox, browser.WebKit: fetch.WebKit}

// TestTheProofWorksInRealBrowsers opens the pages that make the attacks: they
// read what the auditor says they do, and no more once the server is mended.
func TestTheProofWorksInRealBrowsers(t *testing.T) {
	if testing.Short() {
		t.Skip("browsers take their time")
	}
	var mended atomic.Bool
	api := httptest.NewServer(by(func(r *http.Request) http.HandlerFunc {
		switch {
		case mended.Load():
			return with(noOrigin)
		case strings.HasPrefix(r.URL.Path, "/null"):
			return with(only("null"))
		}
		return with(anybody)
	}))
	defer api.Close()
	for _, path := range []string{"/any", "/null"} {
		mended.Store(false)
		got := auditOf(t, &audit.Auditor{PrivateAddresses: true}, api.URL+path)
		if len(got.Findings) == 0 {
			t.Fatalf("%s: nothing is found", path)
		}
		f := got.Findings[0]
		page, err := f.ProofPage()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range browser.All {
			for _, mend := range []bool{false, true} {
				mended.Store(mend)
				want := "READ: status 200\n" + body
				if mend || !slices.Contains(f.Browsers, profiles[name]) {
					want = "BLOCKED: TypeError"
				}
				t.Run(string(name)+path+map[bool]string{true: ", mended"}[mend], func(t *testing.T) {
					if err := browser.Available(name); err != nil {
						t.Skip(err)
					}
					if said := shown(t, name, string(page)); !strings.HasPrefix(said, want) {
						t.Errorf("the page shows %q, want %q", said, want)
					}
				})
			}
		}
	}
}

// shown is what the proof page shows in a browser. The page of a sandbox cannot
// be looked into, and is made to say it.
func shown(t *testing.T, name browser.Name, page string) string {
	t.Helper()
	page = strings.Replace(page, "document.getElementById(&#34;got&#34;).textContent = text", "parent.postMessage(text, &#34;*&#34;)", 1)
	page = strings.Replace(page, "<h1>", `<script>
const tell = (text) => fetch("/told", { method: "POST", body: text });
addEventListener("message", (event) => tell(event.data));
addEventListener("load", () => {
	const timer = setInterval(() => {
		const got = document.getElementById("got");
		if (got && got.textContent !== "…") { clearInterval(timer); tell(got.textContent) }
	}, 20);
});
</script><h1>`, 1)
	told := make(chan string, 1)
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/told":
			text, _ := io.ReadAll(r.Body)
			select {
			case told <- string(text):
			default:
			}
		case "/":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, page)
		}
	}))
	defer attacker.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := browser.Start(ctx, name, attacker.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case text := <-told:
		return text
	case <-ctx.Done():
		t.Fatal("the page says nothing")
	}
	return ""
}

// TestNamesWorkInRealBrowsers opens the pages of the classes that are about names,
// at names of each class that resolve on this machine: they read, and the same
// page at another name does not.
func TestNamesWorkInRealBrowsers(t *testing.T) {
	if testing.Short() {
		t.Skip("browsers take their time")
	}
	const trusted = "app.shop.localhost"
	byName := func(judge func(name string) bool) http.HandlerFunc {
		return with(func(o string) bool {
			u, err := url.Parse(o)
			return err == nil && (u.Hostname() == trusted || judge(u.Hostname()))
		})
	}
	classes := []struct {
		rule, host string // a name of that class
		handler    http.HandlerFunc
	}{
		{"prefix", trusted + ".other.localhost", byName(begins(trusted))},
		{"suffix", "othershop.localhost", byName(ends("shop.localhost"))},
		{"substring", "other" + trusted + ".other.localhost", byName(holds(trusted))},
		{"unescaped-dot", "appxshop.localhost", byName(matches(`^app.shop\.localhost$`))},
		{"special-character", trusted + "_.other.localhost", byName(matches(`^app\.shop\.localhost[^a-z0-9.-]`))},
		{"special-character", trusted + "$.other.localhost", byName(matches(`^app\.shop\.localhost[^a-z0-9._-]`))},
		{"subdomains", "other." + trusted, byName(ends("." + trusted))},
		{"any-port", trusted, byName(noOrigin)},
		{"reflect-referer", "other.localhost", func(w http.ResponseWriter, r *http.Request) {
			with(func(string) bool { return r.Header.Get("Referer") == "" })(w, r)
		}},
		{"error-only", "other.localhost", by(func(r *http.Request) http.HandlerFunc {
			if strings.Count(r.URL.Path, "/") > 1 {
				return with(anybody)
			}
			return with(noOrigin)
		})},
		{"method-only", "other.localhost", by(func(r *http.Request) http.HandlerFunc {
			if r.Method == http.MethodHead {
				return with(anybody)
			}
			return with(noOrigin)
		})},
		{"reflect-forwarded", "other.localhost", func(w http.ResponseWriter, r *http.Request) {
			with(func(string) bool { return isPreflight(r) || r.Header.Get("X-Forwarded-Host") != "" }, says(acah, "X-Forwarded-Host"))(w, r)
		}},
	}
	type served = map[string]string // by where, as host/number
	pages, want := map[browser.Name]served{}, served{}
	for _, name := range browser.All {
		pages[name] = served{}
	}
	for n, c := range classes {
		api := httptest.NewServer(c.handler)
		defer api.Close()
		got := auditOf(t, &audit.Auditor{PrivateAddresses: true, Origins: []string{"https://" + trusted}}, api.URL+"/users")
		i := slices.IndexFunc(got.Findings, func(f audit.Finding) bool { return f.Rule.ID == c.rule })
		if i < 0 {
			t.Errorf("%s is not found: %v", c.rule, got.Findings)
			continue
		}
		page, err := got.Findings[i].ProofPage()
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{c.host, "stranger.localhost"} {
			at := fmt.Sprintf("%s/%d", host, n)
			for _, name := range browser.All {
				// Others have no page at such a name.
				if host != c.host || slices.Contains(got.Findings[i].Browsers, profiles[name]) {
					pages[name][at] = strings.Replace(string(page), "<h1>", tells, 1)
				}
			}
			switch {
			case host != c.host && c.host != "other.localhost":
				want[at] = "BLOCKED: TypeError"
			case c.rule == "error-only":
				want[at] = "READ: status 404\n" + body
			case c.rule == "method-only":
				want[at] = "READ: status 200\n"
			default:
				want[at] = "READ: status 200\n" + body
			}
		}
	}
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			for at, said := range told(t, name, pages[name]) {
				if !strings.HasPrefix(said, want[at]) {
					t.Errorf("the page at %s shows %q, want %q", at, said, want[at])
				}
			}
		})
	}
}

// tells has a page say what it shows.
const tells = `<script>
const timer = setInterval(() => {
	const got = document.getElementById("got");
	if (got && got.textContent !== "…") {
		clearInterval(timer);
		fetch("/told", { method: "POST", body: location.hostname + location.pathname + "\n" + got.textContent });
	}
}, 20);
</script><h1>`

// told opens pages in frames of one, each at its own name, and is what they say.
func told(t *testing.T, name browser.Name, pages map[string]string) map[string]string {
	t.Helper()
	said := make(chan string, len(pages))
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, _ := net.SplitHostPort(r.Host)
		switch {
		case r.URL.Path == "/told":
			text, _ := io.ReadAll(r.Body)
			said <- string(text)
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			for at := range pages {
				host, path, _ := strings.Cut(at, "/")
				fmt.Fprintf(w, "<iframe src=\"http://%s:%s/%s\"></iframe>\n", host, port, path)
			}
		default:
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, pages[host+r.URL.Path])
		}
	}))
	defer attacker.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := browser.Start(ctx, name, attacker.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	all := map[string]string{}
	for len(all) < len(pages) {
		select {
		case text := <-said:
			at, shows, _ := strings.Cut(text, "\n")
			all[at] = shows
		case <-ctx.Done():
			for at := range pages {
				if all[at] == "" {
					t.Errorf("the page at %s says nothing", at)
				}
			}
			return all
		}
	}
	return all
}
