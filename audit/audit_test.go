package audit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossorigin/cors/audit"
)

func auditOf(t *testing.T, a *audit.Auditor, url string) *audit.Inspection {
	t.Helper()
	got, err := a.Audit(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheBudgetIsKept(t *testing.T) {
	for _, budget := range []int{1, 2, 10, 40} {
		var asked atomic.Int32
		a := &audit.Auditor{MaxRequests: budget, Transport: carrier{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			with(only(ours))(w, r)
		})}}
		got := auditOf(t, a, "https://api.target.com/users")
		if int(asked.Load()) > budget || got.Requests != int(asked.Load()) || !got.Omitted {
			t.Errorf("with %d requests allowed %d were sent, %d told of, omitted %t", budget, asked.Load(), got.Requests, got.Omitted)
		}
	}
}

func TestOnlySafeMethodsAreSent(t *testing.T) {
	for _, unsafe := range []bool{false, true} {
		seen := map[string]bool{}
		a := &audit.Auditor{UnsafeMethods: unsafe, Transport: carrier{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen[r.Method] = true
			if !strings.Contains(r.UserAgent(), "cors-audit") {
				t.Errorf("User-Agent: %q does not say who asks", r.UserAgent())
			}
			with(only(ours))(w, r)
		})}}
		auditOf(t, a, "https://api.target.com/users")
		for _, m := range []string{"GET", "HEAD", "OPTIONS"} {
			delete(seen, m)
		}
		if unsafe != seen["POST"] || len(seen) > 1 {
			t.Errorf("with UnsafeMethods %t these were sent, too: %v", unsafe, seen)
		}
	}
}

func TestAnErrorOfThePOSTAloneIsFound(t *testing.T) {
	a := &audit.Auditor{UnsafeMethods: true, Transport: carrier{by(func(r *http.Request) http.HandlerFunc {
		if r.Method == http.MethodPost {
			return with(anybody)
		}
		return with(noOrigin)
	})}}
	got := auditOf(t, a, "https://api.target.com/users")
	if len(got.Findings) != 1 || got.Findings[0].Rule.ID != "method-only" || got.Findings[0].Severity != audit.High {
		t.Errorf("findings: %+v, want method-only, high", got.Findings)
	}
}

func TestTheSessionStaysWithItsServer(t *testing.T) {
	a := &audit.Auditor{
		Header: http.Header{"Cookie": {"session=secret"}, "X-Key": {"k"}},
		Transport: carrier{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "api.target.com" {
				t.Errorf("%s was asked, with %v", r.Host, r.Header)
			}
			if got := r.Header.Get("Cookie") != ""; got == isPreflight(r) || r.Header.Get("X-Key") == "" {
				t.Errorf("%s with %v", r.Method, r.Header)
			}
			if strings.HasSuffix(r.Header.Get("Origin"), ".com") {
				w.Header().Set("Location", "https://elsewhere.example/")
				with(anybody)(w, r)
				return
			}
			with(anybody)(w, r)
		})},
	}
	auditOf(t, a, "https://api.target.com/users")
}

func TestWhatASessionShowsIsAskedWithIt(t *testing.T) {
	h := by(func(r *http.Request) http.HandlerFunc {
		if r.Header.Get("Cookie") == "" {
			return with(noOrigin)
		}
		return with(anybody)
	})
	for _, tt := range []struct {
		row     string
		session http.Header
		want    bool
	}{
		{"without", nil, false},
		{"with", http.Header{"Cookie": {"session=secret"}}, true},
	} {
		got := auditOf(t, &audit.Auditor{Header: tt.session, Transport: carrier{h}}, "https://api.target.com/users")
		if found := len(got.Findings) > 0 && got.Findings[0].Rule.ID == "reflect-any"; found != tt.want {
			t.Errorf("%s a session: found %t, want %t", tt.row, found, tt.want)
		}
		for _, f := range got.Findings {
			if proof := f.Proof(tt.session); strings.Contains(proof, "secret") || !strings.Contains(proof, "Cookie: …") {
				t.Errorf("the proof is %s", proof)
			}
		}
	}
}

func TestPrivateAddressesNeedAFlag(t *testing.T) {
	server := httptest.NewServer(with(anybody))
	defer server.Close()
	if got := auditOf(t, &audit.Auditor{}, server.URL); !strings.Contains(got.Unreachable, "not public") || len(got.Findings) > 0 {
		t.Errorf("unreachable: %q, %d findings", got.Unreachable, len(got.Findings))
	}
	if got := auditOf(t, &audit.Auditor{PrivateAddresses: true}, server.URL); got.Unreachable != "" || len(got.Findings) == 0 {
		t.Errorf("unreachable: %q, %d findings", got.Unreachable, len(got.Findings))
	}
	// Connect is no way around it.
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	a := &audit.Auditor{Connect: map[string]string{"api.target.com": "127.0.0.1:" + port}}
	if got := auditOf(t, a, "http://api.target.com/"); !strings.Contains(got.Unreachable, "not public") {
		t.Errorf("unreachable: %q", got.Unreachable)
	}
}

func TestWhoAsksToBeLeftAloneIs(t *testing.T) {
	tests := []struct {
		row, robots, path string
		want              bool // left alone
	}{
		{"all of it", "User-agent: cors-audit\nDisallow: /\n", "/users", true},
		{"another path", "User-agent: cors-audit\nDisallow: /admin\n", "/users", false},
		{"this path", "User-agent: Googlebot\nUser-agent: CORS-Audit\nDisallow: /users # private\n", "/users/1", true},
		{"all but this path", "User-agent: cors-audit\nDisallow: /\nAllow: /users\n", "/users/1", false},
		{"other robots", "User-agent: *\nDisallow: /\n\nUser-agent: other\nDisallow: /\n", "/users", false},
		{"after another group", "User-agent: a\nDisallow: /a\nUser-agent: cors-audit\nDisallow: /users\n", "/users", true},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			asked := 0
			a := &audit.Auditor{Transport: carrier{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/robots.txt" {
					fmt.Fprint(w, tt.robots)
					return
				}
				asked++
				end(w, r)
			})}}
			if got := auditOf(t, a, "https://api.target.com"+tt.path); got.Skipped != "" != tt.want || asked == 0 != tt.want {
				t.Errorf("skipped: %q, asked %d times", got.Skipped, asked)
			}
		})
	}
}

func TestHostileServersAreBounded(t *testing.T) {
	tests := []struct {
		row     string
		handler http.HandlerFunc
		want    string // why it is unreachable; "" where it is not
	}{
		{"a body without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, ""},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}, "redirects"},
		{"a redirect to a cloud's metadata", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		}, "it redirects to http://169.254.169.254, which was not to be asked"},
		{"a redirect to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, "redirected to a scheme that is not HTTP or HTTPS"},
		{"no word", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "it ends the connection without an answer"},
		{"no answer", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within"},
		{"a header that never ends", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "header"},
		{"a slow drip", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(".")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			defer server.CloseClientConnections()
			a := &audit.Auditor{PrivateAddresses: true, Timeout: 200 * time.Millisecond, MaxRequests: 8}
			got := auditOf(t, a, server.URL+"/")
			if !strings.Contains(got.Unreachable, tt.want) || tt.want == "" && got.Unreachable != "" {
				t.Errorf("unreachable: %q, want %q in it", got.Unreachable, tt.want)
			}
		})
	}
}

// TestWhoCeasesToAnswerIsNotCleared holds the auditor to what it knows where a
// limit or a guard against robots comes between.
func TestWhoCeasesToAnswerIsNotCleared(t *testing.T) {
	tests := []struct {
		row    string
		refuse func(n int) int // status of the nth answer; 0 for that of the server
		want   string
	}{
		{"a limit that stays", func(n int) int { return map[bool]int{true: 429}[n > 6] }, "4 of 10 answers are status 429: the server wants fewer requests in a second"},
		{"a limit that comes and goes", func(n int) int { return map[bool]int{true: 429}[n%4 == 3] }, "answers are status 429"},
		{"a guard", func(n int) int { return map[bool]int{true: 403}[n > 6] }, "and 200 before: the server no longer lets us ask"},
		{"an error now and then", func(n int) int { return map[bool]int{true: 500}[n%7 == 3] }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			n := 0
			a := &audit.Auditor{Transport: carrier{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				if status := tt.refuse(n); status != 0 {
					w.WriteHeader(status)
				}
				with(only(ours))(w, r)
			})}}
			got := auditOf(t, a, "https://api.target.com/users")
			if !strings.Contains(got.Unreachable, tt.want) || (got.Unreachable != "") != (tt.want != "") || got.Temporary != (tt.want != "") {
				t.Errorf("unreachable: %q, temporary %t, want %q in it", got.Unreachable, got.Temporary, tt.want)
			}
		})
	}
}

// TestWhatIsNotSeenIsSaid holds the auditor to saying what its silence is not about.
func TestWhatIsNotSeenIsSaid(t *testing.T) {
	forbidden := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }
	for _, tt := range []struct {
		row, url string
		handler  http.HandlerFunc
		want     string
	}{
		{"a login", "https://api.target.com/users", forbidden, "[status 403 answers it, and of what others get nothing is known]"},
		{"http", "http://api.adasbazaar.com/users", with(noOrigin), "[pages over https cannot ask it over http, so none is tried]"},
		{"nothing", "https://api.target.com/users", with(noOrigin), "[]"},
	} {
		if got := auditOf(t, &audit.Auditor{Transport: carrier{tt.handler}}, tt.url); fmt.Sprint(got.Notes) != tt.want {
			t.Errorf("%s: notes %q, want %s", tt.row, got.Notes, tt.want)
		}
	}
}

func TestWhatIsNoServerIsAnError(t *testing.T) {
	for _, url := range []string{"", "api.target.com", "ftp://api.target.com/", "https://", "https://user:secret@api.target.com/", "https://[::1/"} {
		if _, err := new(audit.Auditor).Audit(t.Context(), url); err == nil {
			t.Errorf("Audit(%q): no error", url)
		}
	}
	if _, err := (&audit.Auditor{Origins: []string{"https://app.target.com/"}}).Audit(t.Context(), "https://api.target.com/"); err == nil {
		t.Error("an origin with a slash is taken")
	}
}

// TestWhatIsFoundIsFoundAgain holds the auditor to the same words every time.
func TestWhatIsFoundIsFoundAgain(t *testing.T) {
	var first string
	for range 3 {
		got := auditOf(t, &audit.Auditor{Transport: carrier{with(ends("target.com"))}}, "https://api.target.com/users")
		said := ""
		for _, f := range got.Findings {
			said += fmt.Sprintln(f.Rule.ID, f.Severity, f.Origins, f.Browsers, f.Proof(nil))
		}
		if first == "" {
			first = said
		}
		if said != first {
			t.Errorf("then:\n%snow:\n%s", first, said)
		}
	}
}

func TestBrowsersThatCannotHaveThePageAreNotNamed(t *testing.T) {
	got := inspect(t, server{handler: with(matches(`^https://app\.target\.com([{}].*)?$`))})
	for _, f := range got.Findings {
		if f.Rule.ID == "special-character" && fmt.Sprint(f.Browsers) != "[webkit]" {
			t.Errorf("browsers: %v, want webkit alone", f.Browsers)
		}
	}
	got = inspect(t, server{handler: with(matches(`^https://app\.target\.com(\$.*)?$`))})
	for _, f := range got.Findings {
		if f.Rule.ID == "special-character" && fmt.Sprint(f.Browsers) != "[firefox webkit]" {
			t.Errorf("browsers: %v, want firefox and webkit", f.Browsers)
		}
	}
}
