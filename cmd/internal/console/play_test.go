package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

// newPlay returns a console without a gateway.
func newPlay(t *testing.T) *Console {
	t.Helper()
	c, err := New(Options{Address: "localhost:8081"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stages.close)
	return c
}

// post has a page of c post v, and reads the answer into out.
func post(t *testing.T, c *Console, path string, v, out any) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "POST", path, string(body)))
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatalf("%s answers %d %q: %v", path, w.Code, w.Body, err)
		}
	}
	return w
}

type began struct {
	ID      string           `json:"id"`
	Fetches []scenario.Fetch `json:"fetches"`
}

// perform is what the visitor's browser does with a run.
func perform(t *testing.T, c *Console, run began) []scenario.Outcome {
	t.Helper()
	b := &fetch.Browser{}
	page := b.Open("http://" + c.options.Address + "/play")
	page.ReferrerPolicy = fetch.ReferrerPolicyNoReferrer
	var seen []scenario.Outcome
	for _, f := range run.Fetches {
		req, ok := f.Request()
		if !ok {
			t.Fatalf("%v cannot be sent", f)
		}
		seen = append(seen, scenario.See(page.Fetch(t.Context(), req)))
	}
	return seen
}

func TestAStateIsPlayedByBothSides(t *testing.T) {
	c := newPlay(t)
	s := scenario.Scenario{Fetches: fetchOf("PUT"), Hops: asked(allowed(allowMethods, "PUT"))}
	var run began
	post(t, c, "/play/run", map[string]any{"scenario": s}, &run)
	seen := perform(t, c, run)
	var v verdict
	post(t, c, "/play/verdict", map[string]any{"id": run.ID, "outcomes": seen, "lang": "ja"}, &v)
	if !v.Agree || v.Profile != "standard" || len(v.Arrived.Browser) != 2 || len(v.Arrived.Engine) != 2 {
		t.Errorf("agree %t, as %s, %d and %d requests arrived; want true, standard, 2 and 2", v.Agree, v.Profile, len(v.Arrived.Browser), len(v.Arrived.Engine))
	}
	told := v.Engine[0]
	if told.Diagnosis.Verdict != "works" || told.Diagnosis.Language != "ja" || !strings.HasPrefix(told.Drawing, "<svg") || told.Text == "" {
		t.Errorf("the engine tells %+v", told)
	}
	if strings.Contains(told.Drawing+told.Text, run.ID) {
		t.Errorf("the path of the run is in what is told: %s", told.Text)
	}
	if w := post(t, c, "/play/verdict", map[string]any{"id": run.ID, "outcomes": seen}, nil); w.Code != http.StatusGone {
		t.Errorf("a run that is over is answered %d, want 410", w.Code)
	}
}

func TestADifferenceIsToldAndKeptAsAScenario(t *testing.T) {
	c := newPlay(t)
	var run began
	post(t, c, "/learn/run", map[string]any{"example": "allow-methods-missing"}, &run)
	perform(t, c, run)
	lie := []scenario.Outcome{{Type: "cors", Status: 200, Headers: []scenario.Field{}, Body: "hello"}}
	var v verdict
	post(t, c, "/learn/verdict", map[string]any{"id": run.ID, "outcomes": lie}, &v)
	if v.Agree || len(v.Differences) != 1 || v.Differences[0].What != "verdict" || v.Differences[0].Engine != "blocked" {
		t.Errorf("agree %t, differences %+v", v.Agree, v.Differences)
	}
	scenarios, err := scenario.Read[scenario.Scenario](strings.NewReader(v.Scenario))
	if err != nil {
		t.Fatal(err)
	}
	recordings, err := scenario.Read[scenario.Recording](strings.NewReader(v.Recording))
	if err != nil {
		t.Fatal(err)
	}
	stage := scenario.NewStage(scenarios)
	got := scenario.Play(t.Context(), scenarios, stage, fetch.Standard, stage.Dial)
	if d := scenario.Compare(got, recordings); len(d) != 1 || d[0].Kind != "verdict" {
		t.Errorf("what is kept plays with the differences %v, want the one of the verdict", d)
	}
}

func TestABrowserThatDoesNotReachTheServersIsToldSo(t *testing.T) {
	c := newPlay(t)
	var run began
	post(t, c, "/learn/run", map[string]any{"example": "allow-origin-any"}, &run)
	var v verdict
	post(t, c, "/learn/verdict", map[string]any{"id": run.ID, "outcomes": []scenario.Outcome{{Error: "TypeError"}}}, &v)
	if v.Agree || !v.Unreached {
		t.Errorf("agree %t, unreached %t, want false and true", v.Agree, v.Unreached)
	}
}

func TestALinkThatHoldsNoStateSaysSo(t *testing.T) {
	p := newAlone(t).open(t, chromium(t), "play", look{"en", "light", 1280})
	p.until(t, isReady)
	for _, tt := range []struct {
		name, state string
		want        bool // a problem
	}{
		{"a state", `{"fetches":[{"url":"{B}/0"}],"hops":[]}`, false},
		{"nothing", `null`, true},
		{"a list", `[1]`, true},
		{"no list of fetches", `{"fetches":"x"}`, true},
		{"more fetches than are sent", `{"fetches":[{},{},{},{}]}`, true},
		{"more answers than are given", `{"fetches":[],"hops":[{},{},{},{},{},{},{}]}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.run(t, fmt.Sprintf("document.querySelector('#problem').hidden = %t", tt.want)) // what is not to be
			p.run(t, "location.hash = '#1."+base64.RawURLEncoding.EncodeToString([]byte(tt.state))+"'")
			p.until(t, fmt.Sprintf("document.querySelector('#problem').hidden === %t", !tt.want))
		})
	}
}

func TestAStageIsForNamesThatAPolicyCanName(t *testing.T) {
	tests := []struct{ row, host, want string }{
		{"localhost has another site beside it", "localhost:8081", "http://localhost http://localhost http://127.0.0.1"},
		{"so has its address", "127.0.0.1:8081", "http://127.0.0.1 http://127.0.0.1 http://localhost"},
		{"in upper case", "LocalHost:8081", "http://localhost http://localhost http://127.0.0.1"},
		{"an address of version 6", "[::1]:8081", "no Content-Security-Policy can name an IPv6 address, so the examples cannot be sent from here; open the console as localhost"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var ss stages
			defer ss.close()
			var got string
			if s, err := ss.of(tt.host); err != nil {
				got = err.Error()
			} else {
				for _, letter := range []string{"B", "C", "D"} {
					got += " " + s.Origins[letter][:strings.LastIndex(s.Origins[letter], ":")]
				}
			}
			if got = strings.TrimSpace(got); got != tt.want {
				t.Errorf("%q: %s, want %s", tt.host, got, tt.want)
			}
		})
	}
}

func TestStatesThatAreNotPlayedSayWhy(t *testing.T) {
	long := strings.Repeat("x", maxValue+1)
	tests := []struct {
		row    string
		change func(*scenario.Scenario)
		want   string
	}{
		{"another server", func(s *scenario.Scenario) { s.Fetches[0].URL = "http://192.168.0.1/" }, `fetches[0].url: "http://192.168.0.1/": the servers are {B}, {C} and {D}`},
		{"the console", func(s *scenario.Scenario) { s.Fetches[0].URL = "{A}/0" }, `fetches[0].url: "{A}/0"`},
		{"another server in a path's clothes", func(s *scenario.Scenario) { s.Fetches[0].URL = "{B}/0@evil.example/" }, `fetches[0].url: "{B}/0@evil.example/"`},
		{"a redirect to the console", func(s *scenario.Scenario) { s.Hops[0].Actual = redirect("{A}/policy") }, `answers[0].actual.headers[0]: Location: "{A}/policy": no redirect leads to the console`},
		{"no fetch", func(s *scenario.Scenario) { s.Fetches = nil }, "fetches: there are 0; write 1 to 3"},
		{"too many fetches", func(s *scenario.Scenario) { s.Fetches = make([]scenario.Fetch, 1000) }, "fetches: there are 1000; write 1 to 3"},
		{"too many answers", func(s *scenario.Scenario) { s.Hops = make([]scenario.Hop, 7) }, "answers: there are 7; write 1 to 6"},
		{"a mode that there is not", func(s *scenario.Scenario) { s.Fetches[0].Mode = "navigate" }, `fetches[0].mode: "navigate": write one of cors, no-cors, same-origin`},
		{"a sandboxed page", func(s *scenario.Scenario) { s.Page = "null" }, `page: "null": the page is the console's own`},
		{"a status that ends no request", func(s *scenario.Scenario) { s.Hops[0].Preflight.Status = 101 }, "answers[0].preflight.status: 101: write 200 to 599"},
		{"a second answer in a value", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("X-A", "1\r\nX-B: 2") }, `answers[0].actual.headers[0]: "X-A": "1\r\nX-B: 2": a value is a line of bytes`},
		{"a line in a name", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("X-A\n", "1") }, `answers[0].actual.headers[0]: "X-A\n" is no name of a header`},
		{"more than bytes", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("X-A", "\u20ac") }, `answers[0].actual.headers[0]: "X-A": "€": a value is a line of bytes`},
		{"a header of the connection", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("Transfer-Encoding", "chunked") }, `answers[0].actual.headers[0]: "Transfer-Encoding" is not played`},
		{"a header that clears what others keep", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("clear-site-data", `"*"`) }, `answers[0].actual.headers[0]: "clear-site-data" is not played`},
		{"a cookie for the whole machine", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("Set-Cookie", "a=1") }, `answers[0].actual.headers[0]: Set-Cookie: "a=1": write Path=/s/@/ in it`},
		{"a cookie whose last path counts", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("Set-Cookie", "a=1; Path=/s/@/; path = /") }, "write Path=/s/@/ in it"},
		{"a long value", func(s *scenario.Scenario) { s.Hops[0].Actual = answer("X-A", long) }, "it has 4100 bytes; 4096 is the most"},
		{"a long address", func(s *scenario.Scenario) { s.Fetches[0].URL = "{B}/0?" + long }, `fetches[0].url: "{B}/0?xxx`},
		{"many headers", func(s *scenario.Scenario) { s.Hops[0].Actual = answer(make([]string, 200)...) }, "answers[0].actual.headers: there are 101; 50 is the most"},
		{"a long body", func(s *scenario.Scenario) { s.Hops[0].Actual.Body = strings.Repeat("x", maxPlayBody) }, "answers[0].actual.body: it has 65536 bytes; 32768 is the most"},
	}
	c := newPlay(t)
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			s := scenario.Scenario{Fetches: fetchOf("GET"), Hops: hops(answer())}
			tt.change(&s)
			var got struct{ Mistakes []string }
			w := post(t, c, "/play/run", map[string]any{"scenario": s}, &got)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(strings.Join(got.Mistakes, "\n"), tt.want) {
				t.Errorf("%d %q, want 422 and %q", w.Code, got.Mistakes, tt.want)
			}
		})
	}
}

func TestTheServersOfPlayKnowWhoseRunItIs(t *testing.T) {
	c := newPlay(t)
	var run began
	post(t, c, "/play/run", map[string]any{"example": "allow-origin-any"}, &run)
	for range maxRuns {
		post(t, c, "/play/run", map[string]any{"example": "allow-origin-any"}, nil)
	}
	if w := post(t, c, "/play/verdict", map[string]any{"id": run.ID, "outcomes": []any{}}, nil); w.Code != http.StatusGone {
		t.Errorf("a run after %d others is answered %d, want 410", maxRuns, w.Code)
	}
	res, err := http.Get(strings.Replace(run.Fetches[0].URL, run.ID, "another", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 404 || len(res.Header["Access-Control-Allow-Origin"]) > 0 {
		t.Errorf("a run that there is not is answered %d, %v", res.StatusCode, res.Header)
	}
}

func TestTheEngineTakesTheBrowsersProfile(t *testing.T) {
	tests := []struct {
		row, agent, hint string
		want             fetch.Profile
	}{
		{"Chrome", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", "", fetch.Chromium},
		{"Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0", "", fetch.Chromium},
		{"a browser that says by hints alone what it is", "Mozilla/5.0", `"Chromium";v="156", "Not A Brand";v="24"`, fetch.Chromium},
		{"Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "", fetch.Firefox},
		{"Safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "", fetch.WebKit},
		{"Firefox on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/153.0 Mobile/15E148 Safari/605.1.15", "", fetch.WebKit},
		{"Chrome on iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156.0 Mobile/15E148 Safari/604.1", "", fetch.WebKit},
		{"curl", "curl/8.0", "", fetch.Standard},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", tt.agent)
			r.Header.Set("Sec-Ch-Ua", tt.hint)
			if got := profileOf(r); got != tt.want {
				t.Errorf("profileOf(%q, %q) = %s, want %s", tt.agent, tt.hint, got, tt.want)
			}
		})
	}
}
