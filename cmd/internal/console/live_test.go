package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// A gate decides by the policy of the tests, and tells a console.
type gate struct{ *cors.Routes }

func newGate(t testing.TB, c *Console) gate {
	t.Helper()
	routes, err := cors.NewRoutes(policyOfTest().File.Policies())
	if err != nil {
		t.Fatal(err)
	}
	routes.Observe(c.Observe)
	return gate{routes}
}

// decide has a request decided, of that origin, or a preflight where method is
// another than GET.
func (g gate) decide(method, path, origin string, names ...string) {
	r := httptest.NewRequest("GET", "http://api.example.com/", nil)
	r.URL.Path = path
	if origin != "" {
		r.Header.Set(header.Origin, origin)
	}
	if method != "GET" {
		r.Method = "OPTIONS"
		r.Header.Set(header.AccessControlRequestMethod, method)
		if len(names) > 0 {
			r.Header[header.AccessControlRequestHeaders] = names
		}
	}
	g.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
}

// events reads the events of a page until the test ends.
func events(t *testing.T, c *Console, query string) func(name string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+c.options.Address+"/live/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(c.cookie("token", c.options.Token))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("GET /live/events = %d %s", res.StatusCode, body)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func(name string) string {
		t.Helper()
		event := ""
		for lines.Scan() {
			if e, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = e
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event == name {
				return data
			}
		}
		t.Fatalf("the stream ended before there was %s: %v", name, lines.Err())
		return ""
	}
}

type toldDecisions struct {
	Decisions []toldDecision
	Skipped   int
}

func parse[T any](t *testing.T, data string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

func TestAPageIsToldWhatIsKeptAndWhatComesOnce(t *testing.T) {
	c := serve(t, Options{})
	g := newGate(t, c)
	g.decide("GET", "/api/1", "https://app.example.com")
	g.decide("GET", "/api/2", "")
	g.decide("DELETE", "/api/3", "https://app.example.com")
	next := events(t, c, "")
	past := parse[toldDecisions](t, next("decisions")).Decisions
	if len(past) != 2 || past[0].Path != "/api/1" || !past[0].Allowed || past[1].Method != "DELETE" || past[1].Kind != "preflight" || past[1].Reason != "method" || past[1].Name != "DELETE" || past[1].Route != "/api/" {
		t.Errorf("of the past it is told %+v", past)
	}
	g.decide("GET", "/api/4", "https://evil.example")
	if got := parse[toldDecisions](t, next("decisions")).Decisions; len(got) != 1 || got[0].Path != "/api/4" || got[0].Reason != "origin" {
		t.Errorf("then it is told %+v", got)
	}
	g.decide("GET", "/api/5", "https://evil.example")
	if got := parse[toldDecisions](t, next("decisions")).Decisions; len(got) != 1 || got[0].Path != "/api/5" {
		t.Errorf("at last it is told %+v", got)
	}
}

func TestAPageIsToldWhatItAsksFor(t *testing.T) {
	c := serve(t, Options{})
	g := newGate(t, c)
	g.decide("GET", "/api/Users", "https://app.example.com")
	g.decide("PUT", "/api/1", "https://app.example.com")
	g.decide("DELETE", "/api/2", "https://app.example.com")
	g.decide("GET", "/api/3", "https://evil.example")
	for query, want := range map[string]string{
		"":                               "/api/Users /api/1 /api/2 /api/3",
		"verdict=refused":                "/api/2 /api/3",
		"verdict=allowed&kind=preflight": "/api/1",
		"reason=origin":                  "/api/3",
		"text=EVIL":                      "/api/3",
		"text=users":                     "/api/Users",
		"text=delete&verdict=refused":    "/api/2",
		"text=api.example.com/api":       "/api/Users /api/1 /api/2 /api/3",
	} {
		var paths []string
		for _, d := range parse[toldDecisions](t, events(t, c, query)("decisions")).Decisions {
			paths = append(paths, d.Path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/live/events?verdict=maybe", ""))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `verdict "maybe": write allowed or refused`) {
		t.Errorf("a verdict that is none: %d %s", w.Code, w.Body)
	}
}

func TestAFloodIsSampledAndCounted(t *testing.T) {
	c := serve(t, Options{})
	g := newGate(t, c)
	next := events(t, c, "")
	const flood = 5_000
	for i := range flood {
		g.decide("GET", fmt.Sprintf("/api/%d", i), "https://app.example.com")
	}
	g.decide("GET", "/api/last", "https://evil.example")
	told, skipped, last := 0, 0, ""
	for last != "/api/last" {
		d := parse[toldDecisions](t, next("decisions"))
		if len(d.Decisions) > maxTold {
			t.Fatalf("one event tells %d decisions, want %d at most", len(d.Decisions), maxTold)
		}
		told, skipped, last = told+len(d.Decisions), skipped+d.Skipped, d.Decisions[len(d.Decisions)-1].Path
	}
	if told == 0 || skipped == 0 || told+skipped > flood+1 {
		t.Errorf("of %d decisions %d are told and %d skipped", flood+1, told, skipped)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		counts := parse[struct{ Allowed, Refused int }](t, next("counts"))
		if counts.Allowed == flood && counts.Refused == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("of %d decisions %+v are counted", flood+1, counts)
		}
	}
}

func TestWhatClientsSendIsShownHarmless(t *testing.T) {
	c := serve(t, Options{})
	g := newGate(t, c)
	const hostile = "/<script>alert(1)</script>\x1b[31m\u202e\u2066\u200b\u0000\r\n\ndata: {}\xff\u0085\u2028"
	g.decide("GET", hostile, "https://evil.example\u202e<img src=x onerror=alert(1)>\x1b]0;x\a")
	g.decide("\u202ePUT\x1b[2J", "/api/", "https://app.example.com")
	g.decide("PUT", "/api/", "https://app.example.com", "x-a\x1b[0m\u202e, <b>", "</script>")
	next := events(t, c, "")
	for _, data := range []string{next("decisions"), next("origins")} {
		for _, r := range data {
			if r < ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f || strings.ContainsRune("<>\u202e\u2066\u200b\u2028\ufffd", r) {
				t.Fatalf("%q is told as it came, in %s", r, data)
			}
		}
		for _, escape := range []string{`\u202e`, `\u001b`, `\u2066`, `\u200b`} {
			// As the value of a string it would take effect when the page shows it.
			var v any
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				t.Fatal(err)
			}
			var raw string
			json.Unmarshal([]byte(`"`+escape+`"`), &raw)
			if strings.Contains(fmt.Sprint(v), raw) {
				t.Errorf("%s takes effect in %q", escape, v)
			}
		}
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/live?"+"x=<script>alert(1)</script>", ""))
	if strings.Contains(w.Body.String(), "alert(1)") {
		t.Error("the page repeats its query")
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	m := newMemory()
	long := strings.Repeat("x", 60_000)
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Host, r.URL.Path = long, "/"+long
	r.Header[header.AccessControlRequestMethod] = []string{long}
	r.Header[header.AccessControlRequestHeaders] = []string{long, long}
	for range 3 * kept {
		m.note(r, cors.Decision{Kind: cors.Preflight, Allowed: true, Origin: long, Name: long, Route: long})
		m.note(r, cors.Decision{Kind: cors.Preflight, Origin: long, Name: long, Route: long})
	}
	all := m.all()
	if len(all) != 2*kept {
		t.Errorf("%d decisions are kept, want %d", len(all), 2*kept)
	}
	size := 0
	for _, n := range maxText {
		size += n
	}
	for _, o := range all {
		if n := len(o.Name + o.Origin + o.Route + o.Method + o.Host + o.Path + o.RequestMethod + o.RequestHeaders); n > size || !o.Cut {
			t.Fatalf("%d bytes are kept of a request, want %d at most; cut %t", n, size, o.Cut)
		}
	}
}

func TestALongPathCutsNothingThatAPolicyDecidesBy(t *testing.T) {
	m := newMemory()
	r := httptest.NewRequest("OPTIONS", "/"+strings.Repeat("x", 6_000), nil)
	r.Header[header.AccessControlRequestHeaders] = []string{"x-a", "x-b"}
	m.note(r, cors.Decision{Kind: cors.Preflight, Origin: "https://app.example.com", Route: "/"})
	if o := m.all()[0]; !o.Cut || o.CutAsked || o.RequestHeaders != "x-a,x-b" {
		t.Errorf("cut %t, a question cut %t, headers %q; want true, false and both", o.Cut, o.CutAsked, o.RequestHeaders)
	}
}

func TestRefusalsAreNotWashedAway(t *testing.T) {
	c := newConsole(t)
	g := newGate(t, c)
	g.decide("GET", "/api/first", "https://evil.example")
	for range 2 * kept {
		g.decide("GET", "/api/", "https://app.example.com")
	}
	if first := c.memory.all()[0]; first.Path != "/api/first" {
		t.Errorf("the oldest decision that is kept is %+v", first)
	}
	if last := c.last(1_000); len(last) != 1_000 || last[0].Allowed != true || last[0].ID != 2*kept+2-1_000 {
		t.Errorf("%d of the last, the first of them %+v", len(last), last[0])
	}
}

func TestObservingAllocatesNothing(t *testing.T) {
	c := newConsole(t)
	r := httptest.NewRequest("OPTIONS", "http://api.example.com/api/users/1", nil)
	r.Header[header.AccessControlRequestMethod] = []string{"PUT"}
	r.Header[header.AccessControlRequestHeaders] = []string{"authorization,content-type"}
	for _, d := range []cors.Decision{
		{Kind: cors.NotCORS},
		{Kind: cors.Preflight, Allowed: true, Origin: "https://app.example.com", Route: "/api/"},
		{Kind: cors.Preflight, Reason: cors.ReasonRequestHeader, Name: "x-a", Origin: "https://app.example.com", Route: "/api/"},
	} {
		for range kept {
			c.Observe(r, d)
		}
		if n := testing.AllocsPerRun(1_000, func() { c.Observe(r, d) }); n != 0 {
			t.Errorf("%v, allowed %t: %v allocations, want none", d.Kind, d.Allowed, n)
		}
	}
}

func TestReadersAreBoundedAndNobodyWaitsForThem(t *testing.T) {
	c := serve(t, Options{})
	g := newGate(t, c)
	for range maxReaders {
		events(t, c, "")("counts") // and reads no more
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/live/events", ""))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one reader too many gets %d %s, want 503", w.Code, w.Body)
	}
	for range 20_000 {
		g.decide("GET", "/api/"+strings.Repeat("x", 200), "https://evil.example")
	}
}

func TestAPageThatDoesNotReadIsLetGo(t *testing.T) {
	c := newConsole(t)
	c.live.timeout = 50 * time.Millisecond
	here, there := net.Pipe() // which holds nothing on its way
	defer here.Close()
	go c.Serve(t.Context(), &one{there, make(chan struct{})})
	if err := request(c, "GET", "/live/events", "").Write(here); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		// It is cut off in the middle of an answer of which nobody read a byte.
		if _, err := here.Write([]byte("x")); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the connection is still open")
		}
	}
	if c.live.isRead() {
		t.Error("the reader that has been let go still counts")
	}
}

// one is a listener to which one connection comes.
type one struct {
	conn net.Conn
	end  chan struct{}
}

func (l *one) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.end
	return nil, net.ErrClosed
}
func (l *one) Close() error   { close(l.end); return nil }
func (l *one) Addr() net.Addr { return &net.TCPAddr{} }

func TestDecisionsThatAreNotEnforcedAreTold(t *testing.T) {
	file, err := policyfile.Parse([]byte("routes:\n  /:\n    origins: [https://app.example.com]\n    shadow: true\n  /api/:\n    origins: [https://app.example.com]\n  /keep/:\n    origins: [https://app.example.com]\n    upstream-headers: keep\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, Options{Policy: func() Policy { return Policy{File: file} }})
	for _, route := range []string{"/", "/api/", "/keep/"} {
		c.Observe(httptest.NewRequest("GET", "/", nil), cors.Decision{Kind: cors.Actual, Reason: cors.ReasonOrigin, Route: route})
	}
	told := parse[toldDecisions](t, events(t, c, "")("decisions")).Decisions
	if len(told) != 3 || !told[0].Shadow || told[1].Shadow || !told[2].Shadow {
		t.Errorf("told are %+v, want the second enforced alone", told)
	}
}

func BenchmarkObserve(b *testing.B) {
	file := policyOfTest()
	c, err := New(Options{Address: "localhost:8081", Gateway: "http://localhost:8080", Policy: func() Policy { return file }})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://api.example.com/api/users/1", nil)
	d := cors.Decision{Kind: cors.Actual, Allowed: true, Origin: "https://app.example.com", Route: "/api/"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Observe(r, d)
		}
	})
}

func TestASampleKeepsTheRefusalsInAFlood(t *testing.T) {
	var all []observation
	for i := range 1_000 {
		all = append(all, observation{ID: uint64(i), Allowed: i%100 != 0})
	}
	some := sample(all, 40)
	refused := 0
	for i, o := range some {
		if !o.Allowed {
			refused++
		}
		if i > 0 && o.ID <= some[i-1].ID {
			t.Fatalf("%d comes after %d", o.ID, some[i-1].ID)
		}
	}
	if len(some) != 40 || refused != 10 || some[39].ID != 999 {
		t.Errorf("of 1,000 with 10 refusals %d are told, %d refusals, the last %d; want 40, 10 and 999", len(some), refused, some[39].ID)
	}
	if flood := sample(make([]observation, 1_000), 40); len(flood) != 40 {
		t.Errorf("of 1,000 refusals %d are told, want 40", len(flood))
	}
}
