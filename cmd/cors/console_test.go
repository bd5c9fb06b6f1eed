package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An operator changes the policy of a gateway by its console.
type operator struct {
	t      *testing.T
	client *http.Client
	origin string
}

// send sends what the page would, and returns the answer.
func (o *operator) send(method, path, body, tag string) (status int, answer string) {
	o.t.Helper()
	r, err := http.NewRequest(method, o.origin+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("X-Cors-Console", "1")
	r.Header.Set("Origin", o.origin)
	r.Header.Set("If-Match", tag)
	res, err := o.client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// tag is that of what is in force.
func (o *operator) tag() string {
	o.t.Helper()
	_, answer := o.send("GET", "/policy/state", "", "")
	var state struct{ Tag string }
	if err := json.Unmarshal([]byte(answer), &state); err != nil {
		o.t.Fatalf("%v in %s", err, answer)
	}
	return state.Tag
}

// TestAPolicyThatIsAppliedIsWritten changes the file of --policy from the console:
// by the page, by somebody else's editor, and where neither can.
func TestAPolicyThatIsAppliedIsWritten(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "cors.yaml")
	policy := func(methods string) string {
		return fmt.Sprintf("upstream: http://localhost:1\nroutes:\n  /:\n    origins: https://app.example.com\n    methods: [%s]\n", methods)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write(policy("PUT"))
	log, err := serveInBackground(ctx, t, file, "--console", "localhost:0", "--edit")
	if err != nil {
		t.Fatal(err)
	}
	await := func(text string) string {
		t.Helper()
		line, err := log.until(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	address := regexp.MustCompile(`"url":"([^"]+)"`)
	gateway := address.FindStringSubmatch(await(`"msg":"listening"`))[1]
	page := address.FindStringSubmatch(await(`"msg":"console"`))[1]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, client: &http.Client{Jar: jar}}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	o.origin = "http://" + u.Host
	res, err := o.client.Get(page) // the cookie
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	// holds checks what is in the file, and which methods a preflight is allowed.
	holds := func(when, text string, allowed ...string) {
		t.Helper()
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("%s, the file holds %q, %v; want %q", when, got, err, text)
		}
		for _, method := range allowed {
			r, err := http.NewRequest("OPTIONS", gateway+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", "https://app.example.com")
			r.Header.Set("Access-Control-Request-Method", method)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("Access-Control-Allow-Methods"); got != method {
				t.Errorf("%s, a preflight for %s is answered %d, with %q", when, method, res.StatusCode, got)
			}
		}
	}

	if status, answer := o.send("POST", "/policy/apply", policy("PUT, DELETE"), o.tag()); status != http.StatusOK {
		t.Fatalf("status %d, %s", status, answer)
	}
	holds("once it is applied", policy("PUT, DELETE"), "PUT", "DELETE")

	tag := o.tag()
	write(policy("PATCH"))
	for o.tag() == tag { // until the file has been read
		if ctx.Err() != nil {
			t.Fatal("the edit of the file is never in force")
		}
	}
	if status, answer := o.send("POST", "/policy/apply", policy("PUT"), tag); status != http.StatusPreconditionFailed {
		t.Errorf("over an edit of the file: status %d, %s", status, answer)
	}
	holds("after somebody else's edit", policy("PATCH"), "PATCH")

	write("routes: broken\n")
	await("the policy is refused, and the one before stays")
	if status, answer := o.send("POST", "/policy/apply", policy("PUT"), o.tag()); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "what it says now is not in force") {
		t.Errorf("over a file with a mistake: status %d, %s", status, answer)
	}
	holds("after somebody else's mistake", "routes: broken\n", "PATCH")

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if status, answer := o.send("POST", "/policy/apply", policy("PUT"), o.tag()); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "no such file or directory; put it back") {
		t.Errorf("without a file: status %d, %s", status, answer)
	}
	write(policy("PATCH"))
	if status, answer := o.send("POST", "/policy/undo", "", o.tag()); status != http.StatusConflict {
		t.Errorf("undone is what somebody else has edited: status %d, %s", status, answer)
	}
	holds("at last", policy("PATCH"), "PATCH")
}
