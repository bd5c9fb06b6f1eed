package console

import (
	"io/fs"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
)

func TestBothLanguagesSayEverything(t *testing.T) {
	for _, p := range panels {
		keys := func(lang string) []string { return slices.Sorted(maps.Keys(words()[lang][p.name])) }
		if diff := cmp.Diff(keys("en"), keys("ja")); diff != "" {
			t.Errorf("%s: keys of en and ja:\n%s", p.name, diff)
		}
		for key, en := range words()["en"][p.name] {
			if diff := cmp.Diff(braces(en), braces(words()["ja"][p.name][key])); diff != "" {
				t.Errorf("%s: what is filled into %q in en and in ja:\n%s", p.name, key, diff)
			}
		}
	}
}

func braces(text string) []string {
	found := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return found
}

// TestScriptsHaveTheirWords looks up what modules ask for by name.
func TestScriptsHaveTheirWords(t *testing.T) {
	for _, p := range panels {
		var script []byte
		for _, name := range append([]string{p.name}, modulesOf(p)...) {
			module, err := fs.ReadFile(files, "page/"+name+".js")
			if err != nil {
				t.Fatal(err)
			}
			script = append(script, module...)
		}
		for _, found := range regexp.MustCompile(`\bword\('([^']+)'[,)]`).FindAllSubmatch(script, -1) {
			if _, ok := words()["en"][p.name][string(found[1])]; !ok {
				t.Errorf("%s.js: there is no word for %q", p.name, found[1])
			}
		}
	}
}

// modulesOf are those that a panel shares with others.
func modulesOf(p panel) []string {
	if slices.Contains(p.shares, "verdict") {
		return []string{"request", "send", "verdict"}
	}
	return nil
}

func TestEachReasonHasWords(t *testing.T) {
	for r := cors.ReasonNone + 1; r.String() != "unknown"; r++ {
		for _, prefix := range []string{"reason-", "short-"} {
			if words()["en"]["live"][prefix+r.String()] == "" {
				t.Errorf("there is no word for %s%s", prefix, r)
			}
		}
	}
}

func TestPagesSpeakTheLanguageOfTheBrowserUntilTold(t *testing.T) {
	c := newConsole(t)
	ask := func(path string, fields ...string) (lang, cookie string) {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, request(c, "GET", path, "", fields...))
		return w.Header().Get("Content-Language"), w.Header().Get("Set-Cookie")
	}
	for accept, want := range map[string]string{"": "en", "ja": "ja", "ja-JP,en;q=0.5": "ja", "fr": "en", "en-GB,ja;q=0.9": "en", "fr,ja;q=0.5": "ja", "\xff": "en"} {
		if got, _ := ask("/live", "Accept-Language", accept); got != want {
			t.Errorf("Accept-Language %q: %q, want %q", accept, got, want)
		}
	}
	_, cookie := ask("/live?lang=ja")
	chosen, _, _ := strings.Cut(cookie, ";")
	if got, _ := ask("/live", "Accept-Language", "en", "Cookie", chosen+"; "+c.cookie("token", c.options.Token).String()); got != "ja" {
		t.Errorf("with the cookie %q: %q, want ja", chosen, got)
	}
	if got, cookie := ask("/live?lang=xx"); got != "en" || cookie != "" {
		t.Errorf("a language that there is not: %q, %q", got, cookie)
	}
}
