package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/browser"
	"github.com/crossorigin/cors/internal/scenario"
)

// seeds is how many times 200 random states are played in each browser.
// CORS_SEEDS=8 plays more, from a seed that is new each time.
func seeds(t *testing.T) []uint64 {
	n, err := strconv.Atoi(os.Getenv("CORS_SEEDS"))
	if err != nil {
		return []uint64{1}
	}
	var list []uint64
	for i := range n {
		list = append(list, uint64(time.Now().UnixNano())%1e9+uint64(i))
	}
	t.Logf("seeds: %d", list)
	return list
}

// randomStates are scenarios that play takes: on its servers, by its own page.
func randomStates(seed uint64, count int) []scenario.Scenario {
	servers := strings.NewReplacer("localhost:7101", "B-HOST", "localhost:7102", "B-HOST", "localhost:7103", "C-HOST", "127.0.0.1:7104", "D-HOST")
	var states []scenario.Scenario
	for _, s := range scenario.Generate(seed, count*2) {
		s.Page = ""
		for i := range s.Fetches {
			s.Fetches[i].URL = strings.Replace(s.Fetches[i].URL, "{A}", "{B}", 1)
		}
		for i := range s.Hops {
			for j, h := range s.Hops[i].Actual.Headers {
				if h[0] == "Location" {
					s.Hops[i].Actual.Headers[j][1] = servers.Replace(strings.Replace(h[1], "{A}", "{C}", 1))
				}
			}
		}
		if checkScenario(&s) == nil && len(states) < count {
			states = append(states, s)
		}
	}
	return states
}

// inPage is a module that a test adds to the pages of the console, and that does
// what their visitor would do, page after page. PLAY is put in.
const inPage = `
const report = (kind, body) => fetch('/test/' + kind, { method: 'POST', body: JSON.stringify(body) });
const $ = selector => document.querySelector(selector);
const until = async (what, f) => {
	for (let i = 0; i < 2000; i++) {
		const value = f();
		if (value) return value;
		await new Promise(done => setTimeout(done, 10));
	}
	throw new Error('there is never ' + what + ' in: ' + document.body.innerText);
};
const fill = (name, value) => {
	$('[name="' + name + '"]').value = value;
	$('[name="' + name + '"]').dispatchEvent(new Event('input', { bubbles: true }));
};
const shownIn = element => [...element.querySelectorAll('.browser .verdict')].map(v => v.dataset.verdict === 'allowed' ? 'read' : 'blocked').join(' ');
const send = async id => {
	$('#result').replaceChildren();
	$('[type="submit"]').click();
	await until('a result', () => $('#result .agreement')?.textContent || !$('#problem').hidden);
	await until('an end', () => !$('[type="submit"]').disabled);
	const drawing = $('#result .drawing');
	if (drawing) await drawing.decode();
	await report('page', { id, agree: $('#result .compared')?.dataset.agree === 'true', shown: shownIn($('#result')), said: $('#result .sentence')?.textContent,
		gateway: $('#result .gateway') ? $('#result .gateway').textContent + '\n' + $('#result .config pre').textContent : '',
		drawn: drawing?.naturalWidth > 100, problem: $('#problem').textContent, overflow: document.documentElement.scrollWidth > innerWidth });
};

const pages = {
	async learn() {
		const { play } = await import('/page/send.js');
		const states = await (await fetch('/test/states')).json();
		const worker = async () => {
			for (let s; (s = states.pop()); ) {
				const { agree, differences, scenario } = await play('learn', { scenario: s });
				await report('verdict', { id: s.id, agree, differences, scenario });
			}
		};
		await Promise.all([1, 2, 3, 4, 5, 6].map(worker));
		const { names, run } = await import('/page/learn.js');
		for (const name of names) {
			const { agree, differences, seen, arrived } = await run(name);
			const card = $('[data-example="' + name + '"]');
			await report('example', { id: name, agree, differences, shown: shownIn(card), preflights: arrived.browser.filter(r => r.method === 'OPTIONS').length,
				visible: seen[0].headers?.map(h => h[0]), said: card.querySelector('.agreement').textContent });
		}
		location.href = '/try';
	},
	async try() {
		await import('/page/try.js');
		const gateway = document.body.dataset.gateway;
		fill('url', gateway + '/users');
		await send('try a request that is allowed');
		fill('method', 'DELETE');
		await send('try a method that is not');
		fill('url', 'https://evil.example/');
		await send('try another server');
		location.href = 'PLAY';
	},
	async play() {
		await import('/page/play.js');
		await send('play an example');
		$('[data-side="preflight"] .lines').value = 'Access-Control-Allow-Origin: {A}\nAccess-Control-Allow-Methods: DELETE';
		await send('play it with another answer');
		const { show } = await import('/page/verdict.js');
		const { send: verdict } = await import('/page/play.js');
		show($('#result'), { ...await verdict(), agree: false, differences: [{ what: 'verdict', browser: 'read', engine: 'blocked' }] });
		const seen = $('#result .agreement');
		await report('page', { id: 'a difference', agree: false, shown: seen.getAttribute('role'), said: seen.textContent,
			problem: [...$('#result').querySelectorAll('.differences li, .keep button')].map(e => e.checkVisibility() ? e.textContent : '').join('|') });
		const link = $('#link').value;
		$('[data-side="preflight"] .lines').value = 'no colon';
		await send('play what is no header');
		location.href = link + 'x';
		await until('a mistake in the link', () => $('#problem').textContent.includes('link'));
		location.href = link;
		await until('the state of the link', () => $('[data-side="preflight"] .lines').value.endsWith(': DELETE'));
		await send('play what the link holds');
		await report('end', {});
	},
};
pages[document.body.dataset.panel]().catch(error => report('end', { failed: error + error.stack }));
`

type reported struct {
	ID          string       `json:"id"`
	Agree       bool         `json:"agree"`
	Differences []difference `json:"differences"`
	Scenario    string       `json:"scenario"`
	Shown       string       `json:"shown"`
	Preflights  int          `json:"preflights"`
	Visible     []string     `json:"visible"`
	Said        string       `json:"said"`
	Gateway     string       `json:"gateway"`
	Drawn       bool         `json:"drawn"`
	Problem     string       `json:"problem"`
	Overflow    bool         `json:"overflow"`
	Failed      string       `json:"failed"`
}

// pagesShow is what Try and play show for what inPage does there.
var pagesShow = map[string]reported{
	"try a request that is allowed": {Agree: true, Shown: "read", Said: "It works: the page may read the response, status 200.", Drawn: true},
	"try a method that is not": {Agree: true, Shown: "blocked", Said: "The server knows CORS, and its policy refuses this preflight with 403: the origin, the method or a header is not allowed.", Drawn: true,
		Gateway: "The gateway refused it: the method is not in the policy: DELETE.\nroutes:\n  /:\n    methods: [PUT, PATCH, DELETE]"},
	"try another server":          {Problem: "This cannot be sent:“https://evil.example/” is not of the gateway. This page and the engine ask the gateway alone: write an address that begins with GATEWAY/"},
	"play an example":             {Agree: true, Shown: "blocked", Said: "Access-Control-Allow-Methods does not list DELETE.", Drawn: true},
	"play it with another answer": {Agree: true, Shown: "read", Said: "It works: the page may read the response, status 200.", Drawn: true},
	"a difference": {Shown: "alert", Said: "Your browser and the engine differ. One of the two departs from the Fetch Standard here, or the engine models another version of your browser. Please keep the case and report it.",
		Problem: "What the page seesbrowser: readengine: blocked|Save as a scenario|Save what the browser did"},
	"play what is no header":   {Problem: "This cannot be sent:Answer 0, at /0, To a preflight, line 1: “no colon” is no header; write Name: value"},
	"play what the link holds": {Agree: true, Shown: "read", Said: "It works: the page may read the response, status 200.", Drawn: true},
}

// TestBrowsersAgreeWithTheEngine has the page of Learn run all its examples, and
// 200 random states of play, in real browsers; and uses the pages of Try and play
// as a visitor does.
func TestBrowsersAgreeWithTheEngine(t *testing.T) {
	for _, name := range browser.All {
		t.Run(string(name), func(t *testing.T) {
			if err := browser.Available(name); err != nil {
				t.Skip(err)
			}
			t.Parallel()
			for _, seed := range seeds(t) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				got, err := visit(ctx, t, name, randomStates(seed, 200))
				if err != nil {
					t.Fatal(err)
				}
				judgeAll(t, name, seed, got)
			}
		})
	}
}

func judgeAll(t *testing.T, name browser.Name, seed uint64, got map[string]reported) {
	states, examples, elsewise := 0, 0, 0
	for id, r := range got {
		for _, d := range r.Differences {
			tell := t.Errorf
			if d.Quiet {
				// A cache that is a moment older, or colder, spares another request.
				elsewise++
				tell = t.Logf
			}
			tell("seed %d, %s: %s\n\tbrowser: %s\n\tengine:  %s\n\t%s", seed, id, d.What, d.Browser, d.Engine, r.Scenario)
		}
		if !r.Agree && len(r.Differences) == 0 {
			t.Errorf("%s: no agreement, and no difference", id)
		}
		if e := exampleCalled(id); e == nil {
			states++
		} else {
			examples++
			want := e.Want
			if strings.Contains(e.But, string(name)) {
				want = "read"
			}
			if r.Shown != want {
				t.Errorf("the page shows %q for %s, want %q", r.Shown, id, want)
			}
			if r.Said != words()["en"]["learn"]["agree"] {
				t.Errorf("the page says %q for %s", r.Said, id)
			}
		}
	}
	if elsewise > 4 {
		t.Errorf("what reached the servers differs in %d of %d", elsewise, len(got))
	}
	if states != 200 || examples != countExamples() {
		t.Errorf("%d states and %d examples were played, want 200 and %d", states, examples, countExamples())
	}
	if one, two := got["max-age-kept"].Preflights, got["max-age-zero"].Preflights; one != 1 || two != 2 {
		t.Errorf("%d preflight with Access-Control-Max-Age: 600, and %d with 0, want 1 and 2", one, two)
	}
	if got := fmt.Sprint(got["expose-headers-none"].Visible, got["expose-headers-listed"].Visible, got["expose-headers-any"].Visible); got != "[content-type] [content-type x-total] [content-type]" {
		t.Errorf("of the headers the page sees %s", got)
	}
}

func countExamples() int {
	n := 0
	for _, l := range lessons {
		n += len(l.Examples)
	}
	return n
}

// visit opens Learn in a browser, has the page play states and all of its examples,
// and goes on to Try and play.
func visit(ctx context.Context, t *testing.T, name browser.Name, states []scenario.Scenario) (map[string]reported, error) {
	var mu sync.Mutex
	got := map[string]reported{}
	end := make(chan error, 1)
	mux := http.NewServeMux()
	var play string
	opened, once := make(chan struct{}), sync.Once{}
	mux.HandleFunc("GET /test/module.js", func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { close(opened) })
		w.Header().Set("Content-Type", "text/javascript")
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprint(w, strings.ReplaceAll(inPage, "PLAY", play))
	})
	var origins scenario.Origins
	mux.HandleFunc("GET /test/states", func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.Marshal(states)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		host := func(letter string) string { return strings.TrimPrefix(origins[letter], "http://") }
		strings.NewReplacer("B-HOST", host("B"), "C-HOST", host("C"), "D-HOST", host("D")).WriteString(w, string(text))
	})
	mux.HandleFunc("POST /test/", func(_ http.ResponseWriter, r *http.Request) {
		var in reported
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		switch {
		case in.Failed != "":
			end <- fmt.Errorf("the page: %s", in.Failed)
		case in.ID == "":
			end <- nil
		default:
			mu.Lock()
			got[in.ID] = in
			mu.Unlock()
		}
	})
	addModule := func(next http.Handler) http.Handler {
		own := http.NewServeMux()
		own.Handle("/test/", mux)
		own.Handle("/", withModule(next))
		return own
	}
	s, alone := newSite(t, addModule), newAlone(t, addModule)
	st, err := s.stages.of(s.options.Address)
	if err != nil {
		return nil, err
	}
	mu.Lock()
	play, origins = strings.Replace(alone.URL(), "/?", "/play?example=allow-methods-missing&", 1), st.Origins
	mu.Unlock()
	// A browser that does not come to the page in time is started once more.
	for range 2 {
		p, err := browser.Start(ctx, name, strings.Replace(s.URL(), "/?", "/learn?lang=en&", 1))
		if err != nil {
			return nil, err
		}
		defer p.Close()
		select {
		case <-opened:
		case <-time.After(40 * time.Second):
			continue
		case <-ctx.Done():
		}
		break
	}
	select {
	case err := <-end:
		mu.Lock()
		defer mu.Unlock()
		for id, want := range pagesShow {
			want.ID, want.Problem = id, strings.ReplaceAll(want.Problem, "GATEWAY", s.gateway)
			if diff := cmp.Diff(want, got[id]); diff != "" && err == nil {
				t.Errorf("%s: -want +shown\n%s", id, diff)
			}
			delete(got, id)
		}
		return got, err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s reported %d of %d states: %w", name, len(got), len(states), ctx.Err())
	}
}

// withModule adds the test's module to the console's pages, under their own
// Content-Security-Policy.
func withModule(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		fmt.Fprint(w, strings.Replace(recorder.Body.String(), "</head>", `<script type="module" src="/test/module.js"></script></head>`, 1))
	})
}

// TestTheEngineHasTheExamplesAsTheLessonsSay plays them without a browser.
func TestTheEngineHasTheExamplesAsTheLessonsSay(t *testing.T) {
	for _, l := range lessons {
		for _, e := range l.Examples {
			s := e.scenario()
			for _, profile := range []fetch.Profile{fetch.Standard, fetch.Chromium, fetch.Firefox, fetch.WebKit} {
				stage := scenario.NewStage([]scenario.Scenario{s})
				r := scenario.Play(t.Context(), []scenario.Scenario{s}, stage, profile, stage.Dial)[0]
				var got []string
				for _, o := range r.Outcomes {
					got = append(got, readable(&o))
				}
				want := e.Want
				if strings.Contains(e.But, profile.String()) {
					want = "read"
				}
				if got := strings.Join(got, " "); got != want {
					t.Errorf("%s, as %s: %s, want %s", e.Name, profile, got, want)
				}
			}
		}
	}
}
