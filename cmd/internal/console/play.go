package console

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/scenario"
)

// What a state of play may have, and how many are being played at a time.
const (
	maxFetches   = 3
	maxHops      = 6
	maxFields    = 50
	maxValue     = 4096
	maxPlayBody  = 64 << 10
	maxRuns      = 64
	maxStages    = 4
	maxPlayConns = 128
)

// A stage is the servers of Learn and of play, for pages of one origin: {B} and
// {C} on other ports, {D} also on another site where there is one. They answer
// what a scenario says, byte for byte. Nobody but the page knows at which path.
type stage struct {
	*scenario.Stage
	mu   sync.Mutex
	runs []*run // the oldest first
}

// A run is a scenario that the visitor's browser is playing.
type run struct {
	id      string
	written *scenario.Scenario
}

// stages are by the host and port under which browsers reach the console.
type stages struct {
	mu        sync.Mutex
	byHost    map[string]*stage
	listeners []net.Listener
}

// of returns the stage for pages at host, which the guard has let through.
func (ss *stages) of(host string) (*stage, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	host = strings.ToLower(host)
	if s := ss.byHost[host]; s != nil {
		return s, nil
	}
	if len(ss.byHost) == maxStages {
		return nil, errors.New("the console is open under too many names; use one")
	}
	if strings.HasPrefix(host, "[") {
		return nil, errors.New("no Content-Security-Policy can name an IPv6 address, so the examples cannot be sent from here; open the console as localhost")
	}
	s := &stage{Stage: scenario.NewStage(nil)}
	s.MaxBody = maxPlayBody
	s.Origins = scenario.Origins{"A": "http://" + host}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	for _, letter := range []string{"B", "C", "D"} {
		at := name
		if letter == "D" {
			at = otherSite(name)
		}
		opened, err := listenAs(at)
		if err != nil {
			return nil, fmt.Errorf("a port for the servers of the examples: %w", err)
		}
		_, port, _ := net.SplitHostPort(opened[0].Addr().String())
		s.Origins[letter] = "http://" + net.JoinHostPort(at, port)
		for _, l := range opened {
			ss.listeners = append(ss.listeners, l)
			go s.Serve(patient{netutil.LimitListener(l, maxPlayConns)}, letter)
		}
	}
	if ss.byHost == nil {
		ss.byHost = map[string]*stage{}
	}
	ss.byHost[host] = s
	return s, nil
}

func (ss *stages) close() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, l := range ss.listeners {
		l.Close()
	}
}

// otherSite is a name of the same machine that is another site, if it has one.
func otherSite(name string) string {
	switch name {
	case "localhost":
		return "127.0.0.1"
	case "127.0.0.1":
		return "localhost"
	}
	return name
}

// listenAs opens a free port at the addresses of name.
func listenAs(name string) ([]net.Listener, error) {
	if name != "localhost" {
		l, err := net.Listen("tcp", net.JoinHostPort(name, "0"))
		return []net.Listener{l}, err
	}
	// Browsers try both addresses of localhost: nobody else should have one.
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		six, err := net.Listen("tcp", "[::1]:"+port)
		switch {
		case err == nil:
			return []net.Listener{l, six}, nil
		case !hasIPv6():
			return []net.Listener{l}, nil
		}
		l.Close()
	}
	return nil, errors.New("no port is free at both addresses of localhost")
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

// patient gives each connection a time by which it has to be done.
type patient struct{ net.Listener }

func (p patient) Accept() (net.Conn, error) {
	conn, err := p.Listener.Accept()
	if err == nil {
		conn.SetDeadline(time.Now().Add(30 * time.Second))
	}
	return conn, err
}

// begin makes ready for the visitor's browser to play s.
func (st *stage) begin(s scenario.Scenario) *run {
	r := &run{rand.Text(), &s}
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.runs) == maxRuns {
		st.Remove(st.runs[0].id)
		st.runs = st.runs[1:]
	}
	st.runs = append(st.runs, r)
	st.Put(r.as(r.id))
	return r
}

// as is the scenario that r plays, under another id.
func (r *run) as(id string) *scenario.Scenario {
	s := *r.written
	s.ID = id
	return &s
}

// end takes the run called id from st, or returns nil.
func (st *stage) end(id string) *run {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.runs, func(r *run) bool { return r.id == id })
	if i < 0 {
		return nil
	}
	r := st.runs[i]
	st.runs = slices.Delete(st.runs, i, i+1)
	return r
}

// mountStage registers, under prefix, what a page asks for to play.
//
//	POST prefix/run     {"example"} or {"scenario"} → {"id", "cookie", "fetches"}
//	POST prefix/verdict {"id", "lang", "outcomes"} → verdict
func mountStage(c *Console, mux *http.ServeMux, prefix string) {
	mux.HandleFunc("POST "+prefix+"/run", c.beginRun)
	mux.HandleFunc("POST "+prefix+"/verdict", func(w http.ResponseWriter, r *http.Request) { c.endRun(w, r, prefix) })
}

// playCookie is in the browser while it plays, as in recordings.
const playCookie = "sid=1; Path=/s/; SameSite=Lax; Max-Age=60"

func (c *Console) beginRun(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Example  string             `json:"example"`
		Scenario *scenario.Scenario `json:"scenario"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	var s scenario.Scenario
	switch e := exampleCalled(in.Example); {
	case e != nil:
		s = e.scenario()
	case in.Scenario == nil:
		sayMistakes(w, fmt.Errorf("example: there is none called %.40q", in.Example))
		return
	default:
		s = *in.Scenario
		if err := checkScenario(&s); err != nil {
			sayMistakes(w, err)
			return
		}
	}
	st, err := c.stages.of(r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	run := st.begin(s)
	out := struct {
		ID      string           `json:"id"`
		Cookie  string           `json:"cookie"`
		Fetches []scenario.Fetch `json:"fetches"`
	}{ID: run.id, Cookie: playCookie}
	for _, f := range s.Fetches {
		out.Fetches = append(out.Fetches, st.Origins.Expand(run.id, f))
	}
	writeJSON(w, out)
}

// A playPage is what the template of play shows.
type playPage struct {
	URL      string // to begin with
	Lessons  []lesson
	Examples map[string]scenario.Scenario
	Letters  []letter
	Sides    []string
	Problem  string // why nothing can be sent
}

// A letter stands for an origin, in what the visitor writes.
type letter struct{ Letter, Word, Origin string }

func playData(c *Console, r *http.Request) any {
	p := playPage{URL: "{B}/0", Lessons: lessons, Examples: map[string]scenario.Scenario{}, Sides: []string{"actual", "preflight"}}
	for _, l := range lessons {
		for _, e := range l.Examples {
			p.Examples[e.Name] = e.scenario()
		}
	}
	st, err := c.stages.of(r.Host)
	if err != nil {
		p.Problem = err.Error()
		return p
	}
	for _, name := range []string{"A", "B", "C", "D"} {
		p.Letters = append(p.Letters, letter{"{" + name + "}", "letter-" + name, st.Origins[name]})
	}
	return p
}

func mountPlay(c *Console, mux *http.ServeMux) { mountStage(c, mux, "/play") }

// stageConnects are the origins to which a page that plays connects.
func stageConnects(c *Console, r *http.Request) []string {
	st, err := c.stages.of(r.Host)
	if err != nil {
		return nil // as the page says
	}
	return []string{st.Origins["B"], st.Origins["C"], st.Origins["D"]}
}

// A verdict is how the visitor's browser and the engine compare.
type verdict struct {
	Profile     string             `json:"profile"` // whose behaviour the engine shows
	Agree       bool               `json:"agree"`
	Differences []difference       `json:"differences"`
	Seen        []scenario.Outcome `json:"seen"`   // by the page, in the browser
	Engine      []told             `json:"engine"` // for each fetch
	Arrived     *arrived           `json:"arrived,omitempty"`
	Unreached   bool               `json:"unreached,omitempty"` // nothing of the browser arrived, where the engine's did
	Gateway     *gatewaySaid       `json:"gateway,omitempty"`   // why the gateway refused, where it did
	Scenario    string             `json:"scenario,omitempty"`  // the case, for internal/replay
	Recording   string             `json:"recording,omitempty"` // what the browser did in it
}

// arrived is what reached the servers.
type arrived struct {
	Browser []scenario.Request `json:"browser"`
	Engine  []scenario.Request `json:"engine"`
}

// A difference is one between the browser and the engine.
type difference struct {
	What    string `json:"what"` // a key of the page's words
	Browser string `json:"browser"`
	Engine  string `json:"engine"`
	Quiet   bool   `json:"quiet,omitempty"` // it may have nothing to do with CORS
}

func (c *Console) endRun(w http.ResponseWriter, r *http.Request, path string) {
	var in struct {
		ID       string             `json:"id"`
		Lang     string             `json:"lang"`
		Outcomes []scenario.Outcome `json:"outcomes"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	st, err := c.stages.of(r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	run := st.end(in.ID)
	if run == nil {
		http.Error(w, "this run is over; send once more", http.StatusGone)
		return
	}
	defer st.Remove(run.id)
	if len(in.Outcomes) != len(run.written.Fetches) {
		sayMistakes(w, fmt.Errorf("outcomes: %d, of %d fetches", len(in.Outcomes), len(run.written.Fetches)))
		return
	}
	writeJSON(w, c.judge(r, path, st, run, in.Outcomes, languageOf(in.Lang)))
}

// judge plays run with the engine, and compares.
func (c *Console) judge(r *http.Request, path string, st *stage, run *run, seen []scenario.Outcome, l explain.Language) verdict {
	again := run.as(run.id + "-engine")
	st.Put(again)
	defer st.Remove(again.ID)
	b := c.newBrowser(r, st.Origins["B"], st.Origins["C"], st.Origins["D"])
	defer b.CloseIdleConnections()
	page := openPage(b, r, path)
	b.Cookies.SetCookie(page.URL, playCookie) // which it takes

	v := verdict{Profile: b.Profile.String(), Seen: seen, Differences: []difference{}}
	browser := scenario.Recording{ID: run.written.ID, Requests: withoutStrangers(st.Requests(run.id))}
	engine := scenario.Recording{ID: run.written.ID}
	for i, f := range again.Fetches {
		expanded := st.Origins.Expand(again.ID, f)
		t := ask(r.Context(), page, &expanded, l)
		t.shorten("/s/" + again.ID)
		t.Outcome = st.Origins.Contract(again.ID, t.Outcome)
		v.Seen[i] = st.Origins.Contract(run.id, seen[i])
		v.Engine = append(v.Engine, t)
		engine.Outcomes = append(engine.Outcomes, t.Outcome)
	}
	browser.Outcomes = v.Seen
	engine.Requests = withoutStrangers(st.Requests(again.ID))
	for _, d := range scenario.Compare([]scenario.Recording{engine}, []scenario.Recording{browser}) {
		v.Differences = append(v.Differences, difference{What: d.Kind, Browser: d.Want, Engine: d.Got, Quiet: d.Kind == "wire"})
	}
	v.Agree = agrees(v.Differences)
	v.Arrived = &arrived{browser.Requests, engine.Requests}
	v.Unreached = !v.Agree && len(browser.Requests) == 0 && len(engine.Requests) > 0
	v.Scenario, v.Recording = lineOf(withPolicy(*run.written)), lineOf(browser)
	return v
}

// withoutStrangers drops cookies that are of other services of this machine: the
// engine has not got them.
func withoutStrangers(requests []scenario.Request) []scenario.Request {
	for i := range requests {
		requests[i].Headers = slices.DeleteFunc(requests[i].Headers, func(f scenario.Field) bool { return f[0] == "cookie" && f[1] == "false" })
	}
	return requests
}

// withPolicy has each fetch of s say what it has from the page: its referrer policy.
func withPolicy(s scenario.Scenario) scenario.Scenario {
	s.Fetches = slices.Clone(s.Fetches)
	for i := range s.Fetches {
		if s.Fetches[i].ReferrerPolicy == "" {
			s.Fetches[i].ReferrerPolicy = string(fetch.ReferrerPolicyNoReferrer)
		}
	}
	return s
}

func lineOf[T scenario.Scenario | scenario.Recording](v T) string {
	var line strings.Builder
	scenario.Write(&line, []T{v}) // to memory
	return line.String()
}

var playURL = regexp.MustCompile(`^\{[BCD]\}/[0-9]([?#].*)?$`)

// checkScenario finds all that play does not play. A state comes by a link that
// anybody may have made.
func checkScenario(s *scenario.Scenario) error {
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if s.Page != "" {
		wrong("page: %.40q: the page is the console's own; leave it out", s.Page)
	}
	if n := len(s.Fetches); n < 1 || n > maxFetches {
		wrong("fetches: there are %d; write 1 to %d", n, maxFetches)
	}
	if n := len(s.Hops); n < 1 || n > maxHops {
		wrong("answers: there are %d; write 1 to %d", n, maxHops)
	}
	for i := range s.Fetches[:min(len(s.Fetches), maxFetches)] {
		checkFetch(fmt.Sprintf("fetches[%d]", i), &s.Fetches[i], wrong)
	}
	for i := range s.Hops[:min(len(s.Hops), maxHops)] {
		checkAnswer(fmt.Sprintf("answers[%d].actual", i), &s.Hops[i].Actual, wrong)
		checkAnswer(fmt.Sprintf("answers[%d].preflight", i), &s.Hops[i].Preflight, wrong)
	}
	if s.ID == "" || len(s.ID) > 64 || strings.ContainsFunc(s.ID, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		s.ID = "play"
	}
	return errors.Join(mistakes...)
}

func checkFetch(at string, f *scenario.Fetch, wrong func(string, ...any)) {
	if !playURL.MatchString(f.URL) || len(f.URL) > maxValue {
		wrong(`%s.url: %.60q: the servers are {B}, {C} and {D}; write "{B}/0", the first answer at {B}`, at, f.URL)
	}
	oneOf := func(field, value string, of ...string) {
		if value != "" && !slices.Contains(of, value) {
			wrong("%s.%s: %.40q: write one of %s", at, field, value, strings.Join(of, ", "))
		}
	}
	oneOf("mode", f.Mode, "cors", "no-cors", "same-origin")
	oneOf("credentials", f.Credentials, "omit", "same-origin", "include")
	oneOf("redirect", f.Redirect, "follow", "error", "manual")
	oneOf("cache", f.Cache, "default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached")
	tooLong := func(field, value string, most int) {
		if len(value) > most {
			wrong("%s.%s: it has %d bytes; %d is the most", at, field, len(value), most)
		}
	}
	tooLong("method", f.Method, 64)
	tooLong("integrity", f.Integrity, maxValue)
	tooLong("referrerPolicy", f.ReferrerPolicy, 64)
	if f.Referrer != nil {
		tooLong("referrer", *f.Referrer, maxValue)
	}
	if f.Body != nil {
		tooLong("body", *f.Body, maxPlayBody/2)
	}
	if len(f.Headers) > maxFields {
		wrong("%s.headers: there are %d; %d is the most", at, len(f.Headers), maxFields)
		return
	}
	for i, h := range f.Headers {
		tooLong(fmt.Sprintf("headers[%d]", i), h[0]+h[1], maxValue)
	}
}

// framing are the headers that the servers write themselves, or that would reach
// beyond one answer.
var framing = []string{"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade", "clear-site-data", "strict-transport-security", "alt-svc"}

func checkAnswer(at string, a *scenario.Answer, wrong func(string, ...any)) {
	if a.Status < 200 || a.Status > 599 {
		wrong("%s.status: %d: write 200 to 599", at, a.Status)
	}
	if len(a.Body) > maxPlayBody/2 {
		wrong("%s.body: it has %d bytes; %d is the most", at, len(a.Body), maxPlayBody/2)
	}
	if len(a.Headers) > maxFields {
		wrong("%s.headers: there are %d; %d is the most", at, len(a.Headers), maxFields)
		return
	}
	for i, h := range a.Headers {
		at := fmt.Sprintf("%s.headers[%d]", at, i)
		switch name := strings.ToLower(h[0]); {
		case !header.IsToken(h[0]):
			wrong("%s: %.60q is no name of a header; write a line as in Access-Control-Allow-Origin: *", at, h[0])
		case len(h[0])+len(h[1]) > maxValue:
			wrong("%s: %.60q: it has %d bytes; %d is the most", at, h[0], len(h[0])+len(h[1]), maxValue)
		case strings.ContainsFunc(h[1], func(r rune) bool { return r > 0xFF || r == '\r' || r == '\n' || r == 0 }):
			wrong("%s: %.60q: %.60q: a value is a line of bytes, each of them a character up to U+00FF", at, h[0], h[1])
		case slices.Contains(framing, name):
			wrong("%s: %.60q is not played: it is about the connection, or reaches beyond this answer", at, h[0])
		case name == "set-cookie" && !staysInRun(h[1]):
			wrong("%s: Set-Cookie: %.60q: write Path=/s/@/ in it, or all services of this machine would get the cookie", at, h[1])
		case name == "location" && strings.Contains(h[1], "{A}"):
			wrong("%s: Location: %.60q: no redirect leads to the console; the servers are {B}, {C} and {D}", at, h[1])
		}
	}
}

// staysInRun reports whether a cookie is sent to the servers of its run alone.
func staysInRun(cookie string) bool {
	stays := false
	for _, attribute := range strings.Split(cookie, ";")[1:] {
		name, value, _ := strings.Cut(attribute, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "Path") {
			continue
		}
		if strings.Trim(value, " \t") != "/s/@/" {
			return false
		}
		stays = true
	}
	return stays
}

// readJSON reads the body of r into v, or answers why it cannot.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(r.Body).Decode(v)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("this has more than %d bytes", tooLarge.Limit), http.StatusRequestEntityTooLarge)
	case err != nil:
		sayMistakes(w, fmt.Errorf("no such JSON is expected: %w", err))
	}
	return err == nil
}

// sayMistakes answers all that is wrong with a request.
func sayMistakes(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(map[string][]string{"mistakes": strings.Split(err.Error(), "\n")})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // an error is the client's, who has gone
}

func languageOf(tag string) explain.Language {
	l, err := explain.ParseLanguage(tag)
	if err != nil {
		return explain.English
	}
	return l
}
