package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/internal/browser"
)

func TestABrowserRunsThePagesScript(t *testing.T) {
	engines := map[browser.Name]string{browser.Chromium: "Chrome/", browser.Firefox: "Gecko/", browser.WebKit: "AppleWebKit/"}
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			told := make(chan string, 10)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.Method + " " + r.URL.Path {
				case "GET /":
					w.Header().Set("Content-Type", "text/html")
					io.WriteString(w, `<script>fetch("/", {method: "POST", body: navigator.userAgent})</script>`)
				case "POST /":
					body, _ := io.ReadAll(r.Body)
					told <- string(body)
				}
			}))
			defer s.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p, err := browser.Start(ctx, name, s.URL)
			if err != nil {
				t.Fatal(err)
			}
			select {
			case agent := <-told:
				if !strings.Contains(agent, engines[name]) {
					t.Errorf("navigator.userAgent is %q, want %q in it", agent, engines[name])
				}
			case <-ctx.Done():
				t.Error("the page's script never told its server")
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnUnknownBrowserIsNotAvailable(t *testing.T) {
	if err := browser.Available("mosaic"); err == nil || !strings.Contains(err.Error(), `"mosaic"`) {
		t.Errorf(`Available("mosaic") = %v, want an error that names it`, err)
	}
	if _, err := browser.Start(t.Context(), "mosaic", "http://localhost/"); err == nil {
		t.Error(`Start("mosaic") succeeds`)
	}
}

func TestAMissingBrowserIsSaidToBe(t *testing.T) {
	t.Setenv("PATH", os.DevNull)
	for _, name := range []browser.Name{browser.Chromium, browser.Firefox} {
		if err := browser.Available(name); err == nil || !strings.Contains(err.Error(), "is not installed") {
			t.Errorf("Available(%q) with an empty PATH = %v, want one that says so", name, err)
		}
	}
}
