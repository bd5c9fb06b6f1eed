package console

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
	"github.com/crossorigin/cors/policyfile"
)

// mountTry registers what the page of Try asks for, once the visitor's browser
// has fetched:
//
//	POST /try/verdict {"fetch", "seen", "browser", "lang"} → verdict
func mountTry(c *Console, mux *http.ServeMux) {
	mux.HandleFunc("POST /try/verdict", c.tryVerdict)
}

// A tryPage is what the template of Try shows.
type tryPage struct {
	URL    string // to begin with
	Starts []Example
}

// starts are requests to begin with, where nobody has named better ones.
func starts(path string) []Example {
	return []Example{
		{Method: "GET", Path: path},
		{Method: "PUT", Path: path, Headers: map[string]string{"Content-Type": "application/json"}, Body: `{"name":"Ada"}`},
		{Method: "DELETE", Path: path},
		{Method: "GET", Path: path, Headers: map[string]string{"Authorization": "Bearer token"}},
	}
}

func tryData(c *Console, _ *http.Request) any {
	examples := c.options.Examples
	if len(examples) == 0 {
		examples = starts(pathToTry(c.options.Policy()))
	}
	return tryPage{c.options.Gateway + examples[0].Path, examples}
}

// pathToTry is the path of the first route that allows an origin: another would
// refuse whatever is tried.
func pathToTry(in Policy) string {
	if in.File != nil {
		for _, r := range in.File.Routes {
			isPath := strings.HasPrefix(r.Pattern, "/") && !strings.Contains(r.Pattern, "{")
			if isPath && (len(r.Policy.Origins) > 0 || r.Policy.InsecureReflectAnyOrigin) {
				return r.Pattern
			}
		}
	}
	return "/"
}

func tryConnects(c *Console, _ *http.Request) []string { return []string{c.options.Gateway} }

func (c *Console) tryVerdict(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Fetch   scenario.Fetch   `json:"fetch"`
		Seen    scenario.Outcome `json:"seen"`
		Browser string           `json:"browser"` // which of the visitor's it is, so that the engine remembers what that one does
		Lang    string           `json:"lang"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if err := c.checkTry(&in.Fetch); err != nil {
		sayMistakes(w, err)
		return
	}
	b := c.engines.of(c, r, in.Browser)
	c.showCookies(b, r)
	page := openPage(b, r, "/try")
	before := c.memory.last.Load()
	t := ask(r.Context(), page, &in.Fetch, languageOf(in.Lang))
	t.Outcome.Headers = withoutConnection(t.Outcome.Headers)
	in.Seen.Headers = withoutConnection(in.Seen.Headers)
	v := verdict{Profile: b.Profile.String(), Seen: []scenario.Outcome{in.Seen}, Engine: []told{t}}
	v.Differences = compareAnswers(&in.Seen, &t.Outcome)
	v.Agree = t.Elsewhere != "" || agrees(v.Differences)
	v.Gateway = c.refusalSince(before, page.Origin().String(), in.Fetch.URL)
	if !v.Agree {
		v.Scenario = lineOf(withPolicy(scenario.Of("try", in.Fetch, page.Origin().String(), t.exchanges, t.Outcome.Body)))
	}
	writeJSON(w, v)
}

// gatewaySaid is what the gateway itself says of a request.
type gatewaySaid struct {
	Reason string `json:"reason"`
	Name   string `json:"name,omitempty"`
	Mend   mend   `json:"mend"`
	Passed bool   `json:"passed"` // it was only asked, and what the service says holds
}

// refusalSince returns the last refusal after that number of what a page of origin
// asked for at rawURL, or nil. A gateway that is busy may have forgotten it.
func (c *Console) refusalSince(number uint64, origin, rawURL string) *gatewaySaid {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	for _, o := range slices.Backward(c.memory.read(false, &c.memory.refusals)) {
		if o.ID > number && o.Origin == origin && o.Path == path {
			in := c.options.Policy()
			said := &gatewaySaid{Reason: o.Reason.String(), Name: visible(o.Name), Mend: mendOf(in, o)}
			if in.File != nil {
				said.Passed = slices.ContainsFunc(in.File.Routes, func(r policyfile.Route) bool { return r.Pattern == o.Route && passes(r, o.Kind) })
			}
			return said
		}
	}
	return nil
}

// checkTry refuses what is not for the gateway: the engine runs on this machine,
// and fetches for whoever can open the console. That [dialWithin] holds it there is
// the wall; this says so before.
func (c *Console) checkTry(f *scenario.Fetch) error {
	u, err := url.Parse(f.URL)
	if err != nil || !strings.EqualFold(u.Scheme+"://"+u.Host, c.options.Gateway) {
		return fmt.Errorf("url: %.200q is not of the gateway, and the console fetches from no other server; write one that begins with %s/", f.URL, c.options.Gateway)
	}
	var mistakes []error
	wrong := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	elsewhere := *f
	elsewhere.URL = "{B}/0" // the rest is held to what play has
	checkFetch("fetch", &elsewhere, wrong)
	return errors.Join(mistakes...)
}

// showCookies gives the engine the cookies that the visitor's browser has for the
// gateway, where it shows them to the console: on the same host, since cookies
// know no ports.
func (c *Console) showCookies(b *fetch.Browser, r *http.Request) {
	gateway, err := url.Parse(c.options.Gateway)
	if err != nil {
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if !strings.EqualFold(host, gateway.Hostname()) {
		return
	}
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, CookiePrefix) {
			b.Cookies.Receive(c.options.Gateway+"/", cookie.Name+"="+cookie.Value+"; Path=/; Max-Age=600") // one that is refused is not sent
		}
	}
}

func withoutConnection(headers []scenario.Field) []scenario.Field {
	return slices.DeleteFunc(headers, func(f scenario.Field) bool { return f[0] == "connection" || f[0] == "content-length" })
}

// compareAnswers says how two requests came out, of which each reached the
// service: it may have answered in two ways, and that is no fault of either side.
func compareAnswers(browser, engine *scenario.Outcome) []difference {
	differences := []difference{}
	differs := func(what, b, e string, quiet bool) {
		if b != e {
			differences = append(differences, difference{what, b, e, quiet})
		}
	}
	differs("readable", readable(browser), readable(engine), false)
	if len(differences) > 0 || browser.Error != "" {
		return differences
	}
	differs("type", browser.Type, engine.Type, false)
	differs("redirected", strconv.FormatBool(browser.Redirected), strconv.FormatBool(engine.Redirected), false)
	otherStatus := browser.Status != engine.Status
	differs("status", strconv.Itoa(browser.Status), strconv.Itoa(engine.Status), true)
	differs("url", browser.URL, engine.URL, otherStatus)
	differs("headers", namesOf(browser.Headers), namesOf(engine.Headers), otherStatus)
	if (browser.BodyError != "") != (engine.BodyError != "") {
		differs("body", browser.BodyError, engine.BodyError, true)
	}
	return differences
}

// agrees reports whether the page gets to see the same.
func agrees(differences []difference) bool {
	return !slices.ContainsFunc(differences, func(d difference) bool { return !d.Quiet })
}

func readable(o *scenario.Outcome) string {
	if o.Error != "" {
		return "blocked"
	}
	return "read"
}

func namesOf(headers []scenario.Field) string {
	var names []string
	for _, f := range headers {
		names = append(names, f[0])
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// engines remember, for each browser that visits, what it remembers: preflights
// and cookies. Those that have not been used for longest are forgotten.
type engines struct {
	mu   sync.Mutex
	kept []*engineOf
}

type engineOf struct {
	visitor string
	browser *fetch.Browser
	used    time.Time
}

const maxEngines = 16

// of returns the engine for the browser that calls itself visitor and sent r.
func (es *engines) of(c *Console, r *http.Request, visitor string) *fetch.Browser {
	visitor = profileOf(r).String() + " " + r.Host + " " + visitor[:min(len(visitor), 64)]
	es.mu.Lock()
	defer es.mu.Unlock()
	for _, e := range es.kept {
		if e.visitor == visitor {
			e.used = time.Now()
			return e.browser
		}
	}
	if len(es.kept) == maxEngines {
		slices.SortFunc(es.kept, func(a, b *engineOf) int { return a.used.Compare(b.used) })
		es.kept[0].browser.CloseIdleConnections()
		es.kept = es.kept[1:]
	}
	e := &engineOf{visitor, c.newBrowser(r, c.options.Gateway), time.Now()}
	es.kept = append(es.kept, e)
	return e.browser
}
