package console

import (
	"net/http"
	"strings"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/scenario"
)

// A lesson is about one header of CORS. Its words are under lesson-NAME, with
// the name in lower case.
type lesson struct {
	Header   string
	Kind     string // a key of the page's words: where the header is
	Anchor   string // of its section in the Fetch Standard
	Examples []example
}

// An example is a fetch that the visitor's browser performs. Its words are under
// example-NAME.
type example struct {
	Name    string
	Fetches []scenario.Fetch
	Hops    []scenario.Hop
	// Want is what the page gets, fetch by fetch: "read" or "blocked". But says
	// which browsers have it otherwise.
	Want string
	But  string
}

// Names of headers, short for the lines of examples.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// lessons are in the order in which a page meets the headers.
var lessons = []lesson{
	{"Origin", "request-header", "origin-header", []example{
		{Name: "origin-sent", Want: "read", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}"))},
		{Name: "origin-forged", Want: "blocked", Fetches: fetchOf("GET", "Origin", "https://trusted.example"), Hops: hops(answer(allowOrigin, "https://trusted.example"))},
		{Name: "origin-null", Want: "blocked", Fetches: fetchOf("GET"), Hops: []scenario.Hop{
			{Actual: redirect("{C}/1", allowOrigin, "*"), Preflight: nothingAllowed},
			{Actual: answer(allowOrigin, "{A}"), Preflight: nothingAllowed},
		}},
	}},
	{allowOrigin, "response-header", "http-access-control-allow-origin", []example{
		{Name: "allow-origin-exact", Want: "read", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}", "Vary", "Origin"))},
		{Name: "allow-origin-any", Want: "read", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "*"))},
		{Name: "allow-origin-none", Want: "blocked", Fetches: fetchOf("GET"), Hops: hops(answer())},
		{Name: "allow-origin-slash", Want: "blocked", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}/"))},
		{Name: "allow-origin-twice", Want: "blocked", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}", allowOrigin, "{A}"))},
	}},
	{allowCredentials, "response-header", "http-access-control-allow-credentials", []example{
		{Name: "allow-credentials-true", Want: "read", Fetches: withCookies(fetchOf("GET")), Hops: hops(answer(allowOrigin, "{A}", allowCredentials, "true"))},
		{Name: "allow-credentials-none", Want: "blocked", Fetches: withCookies(fetchOf("GET")), Hops: hops(answer(allowOrigin, "{A}"))},
		{Name: "allow-credentials-case", Want: "blocked", Fetches: withCookies(fetchOf("GET")), Hops: hops(answer(allowOrigin, "{A}", allowCredentials, "True"))},
		{Name: "allow-credentials-any", Want: "blocked", Fetches: withCookies(fetchOf("GET")), Hops: hops(answer(allowOrigin, "*", allowCredentials, "true"))},
	}},
	{"Access-Control-Request-Method", "preflight-request-header", "http-access-control-request-method", []example{
		{Name: "request-method-put", Want: "read", Fetches: fetchOf("PUT"), Hops: asked(allowed(allowMethods, "PUT"))},
		{Name: "request-method-post", Want: "read", Fetches: fetchOf("POST"), Hops: asked(nothingAllowed)},
		{Name: "request-method-case", Want: "blocked", Fetches: fetchOf("patch"), Hops: asked(allowed(allowMethods, "PATCH"))},
	}},
	{allowMethods, "preflight-response-header", "http-access-control-allow-methods", []example{
		{Name: "allow-methods-listed", Want: "read", Fetches: fetchOf("DELETE"), Hops: asked(allowed(allowMethods, "PUT, DELETE"))},
		{Name: "allow-methods-missing", Want: "blocked", Fetches: fetchOf("DELETE"), Hops: asked(allowed(allowMethods, "GET, POST"))},
		{Name: "allow-methods-any", Want: "blocked", Fetches: withCookies(fetchOf("PUT")), Hops: hops(
			answer(allowOrigin, "{A}", allowCredentials, "true"), allowed(allowCredentials, "true", allowMethods, "*"))},
	}},
	{"Access-Control-Request-Headers", "preflight-request-header", "http-access-control-request-headers", []example{
		{Name: "request-headers-json", Want: "read", Fetches: withBody(`{"name":"Ada"}`, fetchOf("POST", "Content-Type", "application/json")), Hops: asked(allowed(allowHeaders, "content-type"))},
		{Name: "request-headers-text", Want: "read", Fetches: withBody("Ada", fetchOf("POST", "Content-Type", "text/plain")), Hops: asked(nothingAllowed)},
	}},
	{allowHeaders, "preflight-response-header", "http-access-control-allow-headers", []example{
		{Name: "allow-headers-listed", Want: "read", Fetches: fetchOf("GET", "X-Tenant", "blue"), Hops: asked(allowed(allowHeaders, "X-Tenant, Content-Type"))},
		{Name: "allow-headers-missing", Want: "blocked", Fetches: fetchOf("GET", "X-Tenant", "blue"), Hops: asked(allowed(allowHeaders, "Content-Type"))},
		{Name: "allow-headers-authorization", Want: "blocked", But: "chromium firefox webkit", Fetches: fetchOf("GET", "Authorization", "Bearer demo"), Hops: asked(allowed(allowHeaders, "*"))},
	}},
	{exposeHeaders, "response-header", "http-access-control-expose-headers", []example{
		{Name: "expose-headers-none", Want: "read", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}", "X-Total", "42"))},
		{Name: "expose-headers-listed", Want: "read", Fetches: fetchOf("GET"), Hops: hops(answer(allowOrigin, "{A}", "X-Total", "42", exposeHeaders, "X-Total"))},
		{Name: "expose-headers-any", Want: "read", Fetches: withCookies(fetchOf("GET")), Hops: hops(answer(allowOrigin, "{A}", allowCredentials, "true", "X-Total", "42", exposeHeaders, "*"))},
	}},
	{maxAge, "preflight-response-header", "http-access-control-max-age", []example{
		{Name: "max-age-kept", Want: "read read", Fetches: twice(fetchOf("PUT")), Hops: asked(allowed(allowMethods, "PUT", maxAge, "600"))},
		{Name: "max-age-zero", Want: "read read", Fetches: twice(fetchOf("PUT")), Hops: asked(allowed(allowMethods, "PUT", maxAge, "0"))},
	}},
}

// fetchOf is a fetch of the first answer.
func fetchOf(method string, headers ...string) []scenario.Fetch {
	return []scenario.Fetch{{URL: "{B}/0", Method: method, Headers: fields(headers), Mode: "cors", Credentials: "same-origin"}}
}

func withCookies(fetches []scenario.Fetch) []scenario.Fetch {
	fetches[0].Credentials = "include"
	return fetches
}

func withBody(body string, fetches []scenario.Fetch) []scenario.Fetch {
	fetches[0].Body = &body
	return fetches
}

// twice leaves the cache alone: without one Chromium remembers no preflight.
func twice(fetches []scenario.Fetch) []scenario.Fetch {
	fetches[0].Cache = "default"
	return append(fetches, fetches[0])
}

func fields(pairs []string) []scenario.Field {
	list := []scenario.Field{}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, scenario.Field{pairs[i], pairs[i+1]})
	}
	return list
}

func answer(headers ...string) scenario.Answer {
	return scenario.Answer{Status: 200, Headers: fields(append(headers, "Content-Type", "text/plain")), Body: "hello"}
}

func redirect(to string, headers ...string) scenario.Answer {
	return scenario.Answer{Status: 302, Headers: fields(append(headers, "Location", to))}
}

// allowed answers a preflight from the page's origin.
func allowed(headers ...string) scenario.Answer {
	return scenario.Answer{Status: 204, Headers: fields(append([]string{allowOrigin, "{A}"}, headers...))}
}

// nothingAllowed is what a server without CORS answers to a preflight.
var nothingAllowed = scenario.Answer{Status: 405, Headers: []scenario.Field{}}

// hops is one hop, which has to do with preflights only if it says so.
func hops(actual scenario.Answer, preflight ...scenario.Answer) []scenario.Hop {
	return []scenario.Hop{{Actual: actual, Preflight: append(preflight, nothingAllowed)[0]}}
}

// asked is a hop of which preflight decides.
func asked(preflight scenario.Answer) []scenario.Hop {
	return hops(answer(allowOrigin, "{A}"), preflight)
}

func (e *example) scenario() scenario.Scenario {
	return scenario.Scenario{ID: e.Name, Fetches: e.Fetches, Hops: e.Hops}
}

func exampleCalled(name string) *example {
	for i := range lessons {
		for j := range lessons[i].Examples {
			if e := &lessons[i].Examples[j]; e.Name == name {
				return e
			}
		}
	}
	return nil
}

// Code is what the page does, in JavaScript.
func (e *example) Code() string {
	f := e.Fetches[0]
	var init []string
	if f.Method != "GET" {
		init = append(init, "method: "+inQuotes(f.Method))
	}
	if f.Credentials != "same-origin" {
		init = append(init, "credentials: "+inQuotes(f.Credentials))
	}
	if len(f.Headers) > 0 {
		var lines []string
		for _, h := range f.Headers {
			lines = append(lines, inQuotes(h[0])+": "+inQuotes(h[1]))
		}
		init = append(init, "headers: { "+strings.Join(lines, ", ")+" }")
	}
	if f.Body != nil {
		init = append(init, "body: "+inQuotes(*f.Body))
	}
	call := "await fetch(api)"
	if len(init) > 0 {
		call = "await fetch(api, {\n  " + strings.Join(init, ",\n  ") + "\n})"
	}
	return strings.TrimSuffix(strings.Repeat(call+"\n", len(e.Fetches)), "\n")
}

func inQuotes(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// A shownAnswer is an answer of the API as the page shows it.
type shownAnswer struct {
	Preflight bool
	Status    int
	Lines     []shownLine
}

type shownLine struct {
	Text string
	CORS bool
}

// Answers are those of which the example speaks.
func (e *example) Answers(origins scenario.Origins) []shownAnswer {
	show := func(a scenario.Answer, preflight bool) shownAnswer {
		s := shownAnswer{Preflight: preflight, Status: a.Status}
		for _, h := range a.Headers {
			value := h[1]
			for letter, origin := range origins {
				value = strings.ReplaceAll(value, "{"+letter+"}", origin)
			}
			if h[0] != "Content-Type" {
				s.Lines = append(s.Lines, shownLine{h[0] + ": " + value, header.IsAccessControl(h[0])})
			}
		}
		return s
	}
	var shown []shownAnswer
	for _, h := range e.Hops {
		// There is one where it matters, or where somebody might think so.
		if len(h.Preflight.Headers) > 0 || e.Fetches[0].Method != "GET" {
			shown = append(shown, show(h.Preflight, true))
		}
		shown = append(shown, show(h.Actual, false))
	}
	return shown
}

// ID is the header's name as a key of words, and of the page.
func (l lesson) ID() string { return strings.ToLower(l.Header) }

// A learnPage is what the template of Learn shows.
type learnPage struct {
	Lessons []lesson
	Origins scenario.Origins
	Problem string // why the examples cannot be sent
}

func learnData(c *Console, r *http.Request) any {
	p := learnPage{Lessons: lessons}
	if st, err := c.stages.of(r.Host); err != nil {
		p.Problem = err.Error()
	} else {
		p.Origins = st.Origins
	}
	return p
}

func mountLearn(c *Console, mux *http.ServeMux) { mountStage(c, mux, "/learn") }
