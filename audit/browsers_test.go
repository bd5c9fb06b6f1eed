package audit_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/browser"
)

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
	profiles := map[browser.Name]fetch.Profile{browser.Chromium: fetch.Chromium, browser.Firefox: fetch.Firefox, browser.WebKit: fetch.WebKit}
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
