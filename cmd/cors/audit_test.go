package main

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crossorigin/cors/audit"
)

// TestAuditScripts runs testdata/audit with servers to ask. In the environment
// are their addresses: HOLES trusts what ends like example.com, CLEAN one origin,
// and HOSTILE means ill.
func TestAuditScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/audit",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			var certificate []byte
			for name, h := range map[string]http.HandlerFunc{"HOLES": careless, "CLEAN": oneOrigin, "HOSTILE": worse} {
				server := httptest.NewUnstartedServer(h)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.StartTLS()
				env.Defer(server.Close)
				env.Setenv(name, server.Listener.Addr().String())
				certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			}
			path := filepath.Join(env.WorkDir, "servers.pem")
			env.Setenv("SSL_CERT_FILE", path)
			return os.WriteFile(path, certificate, 0o600)
		},
	})
}

func oneOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Origin")
	if o := r.Header.Get("Origin"); o == "https://app.example.com" {
		w.Header().Set("Access-Control-Allow-Origin", o)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	io.WriteString(w, "hello")
}

// worse would like to write on the terminal.
func worse(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/away") {
		http.Redirect(w, r, "http://169.254.169.254/latest?token=secret", http.StatusFound)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "https://\u202e\xff")
}

// TestTheDocumentationShowsWhatAuditSays holds the example in docs to the golden
// output, and the table to the rules.
func TestTheDocumentationShowsWhatAuditSays(t *testing.T) {
	golden, err := os.ReadFile("testdata/audit/audit.txtar")
	if err != nil {
		t.Fatal(err)
	}
	said := strings.ReplaceAll(string(golden), "and 10000 in a second", "and 20 in a second")
	for _, name := range []string{"audit.md", "audit.ja.md"} {
		page, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		_, shown, ok := strings.Cut(string(page), "\n$ cors audit https://api.example.com/api/\n")
		shown, _, _ = strings.Cut(shown, "\n```")
		if !ok {
			t.Errorf("docs/%s shows no example", name)
		}
		for line := range strings.Lines(shown + "\n") {
			if line != "  …\n" && !strings.Contains(said, line) {
				t.Errorf("docs/%s shows what does not come: %s", name, line)
			}
		}
		for _, rule := range audit.Rules() {
			if !strings.Contains(string(page), "`"+rule.ID+"`") {
				t.Errorf("docs/%s does not tell of the rule %s", name, rule.ID)
			}
		}
	}
}

// TestWhoDoesNotAnswerIsComeBackTo has a server that asks for patience, and looks
// at the clock that is waited for.
func TestWhoDoesNotAnswerIsComeBackTo(t *testing.T) {
	tests := []struct {
		row     string
		retries int
		busy    int // answers that ask for patience
		status  int // of those
		waits   []time.Duration
		reached bool
	}{
		{"at once", 2, 0, http.StatusTooManyRequests, nil, true},
		{"the second time", 2, 1, http.StatusTooManyRequests, []time.Duration{time.Second}, true},
		{"the third time", 2, 2, http.StatusTooManyRequests, []time.Duration{time.Second, 2 * time.Second}, true},
		{"never", 2, 100, http.StatusTooManyRequests, []time.Duration{time.Second, 2 * time.Second}, false},
		{"longer where that is wanted", 4, 4, http.StatusTooManyRequests, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, true},
		{"not where that is not wanted", 0, 1, http.StatusTooManyRequests, nil, false},
		{"what does not pass", 2, 100, http.StatusSeeOther, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			left := tt.busy
			transport := roundTripper(func(r *http.Request) *http.Response {
				w := httptest.NewRecorder()
				if r.URL.Path != "/robots.txt" && left > 0 {
					left--
					w.Header().Set("Location", "https://elsewhere.example/")
					w.WriteHeader(tt.status)
				}
				return w.Result()
			})
			var waits []time.Duration
			f := auditFlags{retries: tt.retries, after: func(d time.Duration) <-chan time.Time {
				waits = append(waits, d)
				now := make(chan time.Time, 1)
				now <- time.Time{}
				return now
			}}
			got := f.one(t.Context(), &audit.Auditor{Transport: transport}, target{url: "https://api.example.com/"})
			if reached := got.Unreachable == ""; reached != tt.reached {
				t.Errorf("unreachable: %q", got.Unreachable)
			}
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits -want +got:\n%s", diff)
			}
		})
	}
}

func TestNobodyIsComeBackToOnceInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	busy := roundTripper(func(*http.Request) *http.Response {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusTooManyRequests)
		return w.Result()
	})
	f := auditFlags{retries: 2, after: func(time.Duration) <-chan time.Time {
		interrupt()
		return nil
	}}
	if got := f.one(ctx, &audit.Auditor{Transport: busy}, target{url: "https://api.example.com/"}); got != nil {
		t.Errorf("it is told of, as if it were done: %+v", got)
	}
}

type roundTripper func(*http.Request) *http.Response

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	res := f(r)
	res.Request = r
	return res, nil
}

// TestSARIFIsValid holds the file to the schema that its makers publish.
func TestSARIFIsValid(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/schema/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(careless))
	defer server.Close()
	auditor := &audit.Auditor{PrivateAddresses: true}
	got, err := auditor.Audit(t.Context(), server.URL+"/api/?q=é")
	if err != nil {
		t.Fatal(err)
	}
	found := newAuditRecord(got, auditor)
	inFile := *found
	inFile.File, inFile.Line = "targets.txt", 3
	for _, records := range [][]*auditRecord{nil, {found}, {{URL: "https://api.example.com", Unreachable: "\x1b"}, &inFile}} {
		var out strings.Builder
		if err := writeSARIF(&out, records); err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(out.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	if len(found.Findings) == 0 {
		t.Error("nothing is found, so that little is tested")
	}
}

func TestProgressKnowsItsEndWhereAFileCanBeReadTwice(t *testing.T) {
	const lines = "https://a.example/\n# a comment\n\nhttps://b.example/\nhttps://c.example/\n"
	path := filepath.Join(t.TempDir(), "targets.txt")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	done := &resumed{done: map[uint64]struct{}{hash("https://b.example/"): {}}}
	for _, tt := range []struct {
		row, name string
		want      int
	}{
		{"a file", path, 3},
		{"a stream", "-", 0},
	} {
		source, err := openTargets([]string{"https://d.example/"}, tt.name, shard{}, strings.NewReader(lines))
		if err != nil {
			t.Fatal(err)
		}
		defer source.close()
		if got := source.total(done); got != tt.want {
			t.Errorf("%s: total is %d, want %d", tt.row, got, tt.want)
		}
		var failed error
		left := 0
		for range source.all(&failed) {
			left++
		}
		if left != 4 || failed != nil {
			t.Errorf("%s: after that %d targets are left to read, want all 4; %v", tt.row, left, failed)
		}
	}
}
