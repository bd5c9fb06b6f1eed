package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A check is an expectation that is to be judged.
type check struct {
	result   Result
	rank     rank
	cost     int      // requests, at most
	first    *check   // of the route: if there was no answer to it, none is asked for here; or nil
	needs    []*check // without which this says nothing
	after    []*check // whose results this wants to know
	speakers []*check // the first of them that is kept is of the origin that asks; or nil
	speaker  string
	withheld bool // not asked, since what it needs is broken
	omitted  bool // there is no room for it
	judge    func(context.Context)
	done     chan struct{}
}

// A rank says what is left out first where there is too much to ask.
type rank uint8

const (
	essential rank = iota
	member
	nearMiss
	ranks = iota
)

// add adds a check that makes cost requests at most.
func (d *derivation) add(rule, expect string, cost int, needs ...*check) *check {
	c := &check{
		result: Result{Route: d.route.pattern, Rule: rule, Expect: expect},
		first:  d.first, needs: needs, cost: cost, done: make(chan struct{}),
	}
	if d.first == nil {
		d.first = c
	}
	d.plan.checks = append(d.plan.checks, c)
	return c
}

// spoken adds a check that is asked by a page which may read.
func (d *derivation) spoken(rule, expect string, cost int, needs ...*check) *check {
	c := d.add(rule, expect, cost, needs...)
	c.speakers = d.members
	return c
}

// ready waits for what c needs, and reports whether there is a point in asking.
func (c *check) ready() bool {
	if c.first != nil {
		<-c.first.done
		if c.first.result.Verdict == Unreachable {
			return c.withhold(Unreachable, "not asked, since no answer came before")
		}
	}
	for _, need := range c.needs {
		<-need.done
		switch {
		case need.result.Verdict == Unreachable:
			return c.withhold(Unreachable, "not asked, since no answer came to this: "+need.result.Expect)
		case need.withheld:
			return c.withhold(Unjudged, need.result.Got)
		case need.result.Verdict == Broken:
			return c.withhold(Unjudged, "not asked, since this is broken: "+need.result.Expect)
		}
	}
	for _, other := range c.after {
		<-other.done
	}
	if c.speakers == nil {
		return true
	}
	for _, s := range c.speakers {
		<-s.done
		if s.result.Verdict == Kept {
			c.speaker = s.result.Origin
			return true
		}
	}
	return c.withhold(Unjudged, "not asked, since no origin was found that may read")
}

func (c *check) withhold(v Verdict, why string) bool {
	c.withheld = true
	c.result.Verdict, c.result.Got = v, why
	return false
}

// A question is a fetch.
type question struct {
	origin  string        // of the page; "" for one that may read
	path    string        // "" for the route's
	request fetch.Request // its URL is yet to be set
	wire    wire          // what is special about its transport
}

// asks has c judged by the answer to q.
func (c *check) asks(d *derivation, q question, judge func(*check, *answer)) {
	c.judge = func(ctx context.Context) {
		speaker := q.origin
		if speaker == "" {
			speaker = c.speaker
		}
		c.takes(d.ask(ctx, speaker, q), judge)
	}
}

// once returns ask with its first answer for everybody.
func once(ask func(ctx context.Context, speaker string) *answer) func(context.Context, string) *answer {
	var asked sync.Once
	var a *answer
	return func(ctx context.Context, speaker string) *answer {
		asked.Do(func() { a = ask(ctx, speaker) })
		return a
	}
}

// ask has a page of the origin speaker fetch.
func (d *derivation) ask(ctx context.Context, speaker string, q question) *answer {
	w := q.wire
	w.network, w.left = d.plan.network, 2+maxRedirects
	browser := &fetch.Browser{Profile: d.plan.target.Profile, Transport: &w, UserAgent: userAgent}
	a := &answer{origin: speaker, page: speaker + "/", sentOrigin: w.origin, request: new(fetch.Request)}
	if speaker == "null" {
		a.page, a.opaque = "https://sandbox.invalid/", true
	}
	*a.request = q.request
	path := q.path
	if path == "" {
		path = d.route.path
	}
	a.request.URL = d.route.base + path
	a.url = d.plan.network.show(a.request.URL)
	page := browser.Open(a.page)
	page.Opaque = a.opaque
	switch got := page.Origin().String(); {
	case got != speaker:
		a.impossible = "no page has this origin in a browser"
		return a
	case strings.HasPrefix(a.request.URL, got+"/") && speaker != d.route.base:
		a.impossible = "this is the server's own origin, so that no browser asks"
		return a
	}
	var err error
	a.res, err = fetchIn(ctx, browser, page, a.request)
	switch {
	case err == nil:
		a.exchanges = a.res.Exchanges
		drain(a.res)
	case !errors.As(err, &a.blocked):
		a.impossible = err.Error()
	default:
		a.exchanges = a.blocked.Exchanges
	}
	return a
}

const userAgent = "Mozilla/5.0 (compatible; cors-verify)"

// drain lets the connection be used again where that costs little.
func drain(res *fetch.Response) {
	defer res.Body.Close()
	last := res.Exchanges[len(res.Exchanges)-1]
	length, err := strconv.Atoi(strings.Join(header.Lines(last.ResponseHeader, "Content-Length"), ","))
	if err == nil && length <= 64<<10 {
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // what came was judged by its header
	}
}

// An answer is what came of a question.
type answer struct {
	origin, page, url string
	opaque            bool
	sentOrigin        string
	request           *fetch.Request
	impossible        string // why no browser asks this; or ""
	res               *fetch.Response
	blocked           *fetch.BlockedError
	exchanges         []*fetch.Exchange
}

// passed reports whether the page was let in, as far as this server has a say.
func (a *answer) passed() bool {
	return a.res != nil || a.blocked != nil && (errors.Is(a.blocked.Err, errPreflightPassed) || a.led() != "")
}

// led says where the server sent the browser, which did not go there; or "".
func (a *answer) led() string {
	if a.blocked == nil {
		return ""
	}
	var other elsewhere
	switch {
	case errors.As(a.blocked.Err, &other):
		return other.Error()
	case errors.Is(a.blocked.Err, errTooMany):
		return errTooMany.Error()
	}
	return ""
}

// answered reports whether the server did.
func (a *answer) answered() bool { return len(a.exchanges) > 0 && a.exchanges[0].Status != 0 }

// first is the first exchange; there is one where answered.
func (a *answer) first() *fetch.Exchange { return a.exchanges[0] }

// last is the last exchange to which the server answered; there is one where
// answered.
func (a *answer) last() *fetch.Exchange {
	for _, e := range slices.Backward(a.exchanges) {
		if e.Status != 0 {
			return e
		}
	}
	return a.exchanges[0]
}

// says is what the first response says in the header called name.
func (a *answer) says(name string) string { return says(a.first(), name) }

func says(e *fetch.Exchange, name string) string {
	got := header.Lines(e.ResponseHeader, name)
	switch len(got) {
	case 0:
		return "no " + name
	case 1:
		return fmt.Sprintf("%s: %.200q", name, got[0])
	}
	return fmt.Sprintf("%s in %d lines: %.200q", name, len(got), got)
}

func (a *answer) variesByOrigin() bool {
	return header.VariesByOrigin(header.Lines(a.first().ResponseHeader, header.Vary))
}

// takes puts the answer into the result and has it judged by judge, if there is
// anything to judge; it reports whether what was expected came.
func (c *check) takes(a *answer, judge func(*check, *answer)) bool {
	r := &c.result
	r.Origin, r.URL, r.Method = a.origin, a.url, a.request.Method
	if a.sentOrigin != "" {
		r.Origin = a.sentOrigin
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	switch {
	case a.impossible != "":
		r.Verdict, r.Got = Unjudged, a.impossible
	case a.answered() && a.last().Status == http.StatusTooManyRequests:
		r.Verdict, r.Got = Unreachable, "status 429: the server wants fewer requests in a second"
	case a.blocked != nil && a.blocked.Code == fetch.CodeAborted:
		r.Verdict, r.Got = Unreachable, "this was interrupted"
	case a.blocked != nil && !a.blocked.Code.IsCORS() && !a.passed():
		r.Verdict, r.Got = Unreachable, a.blocked.Code.String()
		if a.blocked.Err != nil {
			r.Got += ": " + withoutValue(a.blocked.Err.Error())
		}
	default:
		judge(c, a)
	}
	return r.Verdict == Kept
}

// withoutValue leaves out the line of a header that net/http quotes where it is
// malformed: there may be a secret in it.
func withoutValue(said string) string {
	const quotes = "malformed MIME header line: \""
	if before, line, ok := strings.Cut(said, quotes); ok {
		name, _, _ := strings.Cut(line, ":")
		return fmt.Sprintf("%sthe line of %.40q is malformed", before, name)
	}
	return said
}

// breaks has the expectation broken by a.
func (c *check) breaks(a *answer, got string) {
	r := &c.result
	r.Verdict, r.Got = Broken, got
	r.Page, r.Opaque, r.Request, r.Exchanges = a.page, a.opaque, a.request, a.exchanges
}

func (c *check) mayRead(a *answer) {
	if a.passed() {
		c.result.Verdict, c.result.Got = Kept, a.led()
		return
	}
	e := a.blocked
	got := e.Code.String()
	if e.Header != "" && e.Code != fetch.CodeMissingAllowOrigin {
		got += fmt.Sprintf(" (%s: %.200q)", e.Header, e.Value)
	}
	if e.Preflight {
		got = "preflight: " + got
	}
	got += fmt.Sprintf(", status %d", a.last().Status)
	if e.Hop > 0 {
		server, _, _ := strings.Cut(e.URL, "?") // which may hold secrets
		got += ", redirected to " + server
	}
	c.breaks(a, got)
	c.result.Blocked = e
}

func (c *check) mayNotRead(a *answer) {
	if !a.passed() {
		c.result.Verdict = Kept
		return
	}
	what := "it"
	if a.first().Preflight {
		what = "its preflight"
	}
	c.breaks(a, fmt.Sprintf("%s passes: status %d, %s", what, a.first().Status, a.grants()))
}

// grants is what lets the request pass.
func (a *answer) grants() string {
	e := a.first()
	granted := says(e, header.AccessControlAllowOrigin)
	for _, name := range []string{header.AccessControlAllowCredentials, header.AccessControlAllowMethods, header.AccessControlAllowHeaders} {
		if len(header.Lines(e.ResponseHeader, name)) > 0 {
			granted += ", " + says(e, name)
		}
	}
	return granted
}

// mayNotBeNamed is for an origin that no browser has: nginx's map, for one, does
// not tell the cases apart.
func (c *check) mayNotBeNamed(a *answer) {
	c.result.Verdict = Kept
	if slices.Contains(header.Lines(a.first().ResponseHeader, header.AccessControlAllowOrigin), a.sentOrigin) {
		c.result.Got = "it may, which harms nobody: no browser has this origin"
	}
}

func (c *check) redirects(a *answer) {
	if status := a.last().Status; status < 300 || status > 399 {
		c.result.Verdict, c.result.Got = Kept, fmt.Sprintf("there is none, but status %d", status)
		return
	}
	c.mayRead(a)
}
