package audit

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A derivation makes the checks of one route.
type derivation struct {
	plan    *Plan
	route   *route
	first   *check   // it tells whether anybody answers
	members []*check // of origins that may read
	others  []*check // of origins that may not, but for the stranger
	decided string   // an origin that may read, as the policy has it

	stranger string // an origin that may not read; "" where there is none
	nobody   *check // that it does not
}

// derive adds the checks of r to the plan.
func (p *Plan) derive(r *route, all []*route) {
	d := &derivation{plan: p, route: r}
	if r.skip != "" {
		c := d.add("route", "its policy is kept", 0)
		c.judge = func(context.Context) { c.result.Verdict, c.result.Got = Unjudged, r.skip }
		return
	}
	d.deriveMembers()
	d.deriveStrangers(all)
	if len(d.members) > 0 {
		d.deriveReading()
		d.derivePreflight()
	} else {
		d.refusePreflight()
	}
}

// deriveMembers has pages of the origins that are allowed read.
func (d *derivation) deriveMembers() {
	seen := map[string]bool{}
	for _, text := range d.route.policy.Origins {
		p, err := origin.InsecureParsePattern(text)
		if err != nil {
			continue // the policy was taken, so all of them parse
		}
		for _, m := range members(p, text) {
			if seen[m.origin] {
				continue
			}
			seen[m.origin] = true
			if len(d.members) > 0 && !d.plan.room(member) {
				continue
			}
			expect := m.origin + " may read"
			if m.why != "" {
				expect += ", " + m.why
			}
			c := d.add("origin-allowed", expect, 1)
			c.rank = member
			if len(d.members) == 0 {
				c.rank, d.decided = essential, m.origin
			}
			c.result.Origin = m.origin
			d.members = append(d.members, c)
			c.asks(d, question{origin: m.origin}, (*check).mayRead)
		}
	}
}

// deriveStrangers has pages of other origins try to read.
func (d *derivation) deriveStrangers(all []*route) {
	i := slices.IndexFunc(strangers, func(o string) bool { return !allowed(d.route.keeper, o) })
	if i < 0 {
		return
	}
	d.stranger = strangers[i]
	d.nobody = d.add("origin-refused", d.stranger+" may not read: the policy does not know it", 1)
	d.nobody.asks(d, question{origin: d.stranger}, (*check).mayNotRead)
	seen := map[string]bool{d.stranger: true}
	d.refuse(seen, "origin-refused", candidate{origin: "null", why: "any page can have this origin"}, essential)
	upper := false
	for _, text := range d.route.policy.Origins {
		for _, c := range nearMisses(text) {
			if c.raw && upper {
				continue // once is enough
			}
			upper = upper || c.raw
			d.refuse(seen, "origin-refused", c, nearMiss, d.nobody)
		}
	}
	elsewhere := 0
	for _, other := range all {
		for _, text := range other.policy.Origins {
			p, err := origin.InsecureParsePattern(text)
			if err != nil || p.Any() {
				continue
			}
			if elsewhere == maxElsewhere {
				return
			}
			for _, m := range members(p, text) {
				if d.refuse(seen, "origin-elsewhere", candidate{origin: m.origin, why: "it is allowed at " + other.pattern + ", not here"}, nearMiss, d.nobody) {
					elsewhere++
					break
				}
			}
		}
	}
}

// maxElsewhere is how many origins of other routes are tried at a route.
const maxElsewhere = 3

// refuse has the origin of c not read, and reports whether that is to be asked.
func (d *derivation) refuse(seen map[string]bool, rule string, c candidate, r rank, needs ...*check) bool {
	if seen[c.origin] || !c.raw && allowed(d.route.keeper, c.origin) {
		return false
	}
	seen[c.origin] = true
	if r != essential && !d.plan.room(r) {
		return false
	}
	refused := d.add(rule, c.origin+" may not read: "+c.why, 1, needs...)
	refused.rank = r
	if c.raw {
		lower := strings.ToLower(c.origin)
		refused.asks(d, question{origin: lower, wire: wire{origin: c.origin}}, (*check).mayNotBeNamed)
		return true
	}
	refused.asks(d, question{origin: c.origin}, (*check).mayNotRead)
	refused.andPreflight(d, c.origin)
	d.others = append(d.others, refused)
	return true
}

// andPreflight has a preflight of the origin not pass either, which may be
// judged by other code than the request. Nothing is new in that where one of the
// stranger passes.
func (c *check) andPreflight(d *derivation, origin string) {
	first := c.judge
	c.cost++
	c.judge = func(ctx context.Context) {
		if first(ctx); c.result.Verdict == Kept && len(c.after) > 0 && c.after[0].result.Verdict == Kept {
			q := d.preflightOf(http.MethodPost)
			q.request.Credentials = fetch.CredentialsOmit
			kept := c.result
			if c.takes(d.ask(ctx, origin, q), (*check).mayNotRead) {
				c.result = kept
			}
		}
	}
}

// deriveReading is about requests without a preflight.
func (d *derivation) deriveReading() {
	policy := &d.route.policy
	c := d.spoken("head", "a HEAD request may be read", 1)
	c.asks(d, question{request: fetch.Request{Method: http.MethodHead}}, (*check).mayRead)

	withCredentials := question{request: fetch.Request{Credentials: fetch.CredentialsInclude}}
	var credentials []*check
	if policy.Credentials {
		c = d.spoken("credentials-allowed", "a request with credentials may be read", 1)
		c.asks(d, withCredentials, (*check).mayRead)
		credentials = append(credentials, c)
	} else {
		c = d.spoken("credentials-refused", "a request with credentials may not be read", 1)
		c.asks(d, withCredentials, (*check).mayNotRead)
	}
	d.deriveExposed(credentials)
	d.deriveVary()
	for _, path := range d.route.more {
		c = d.spoken("path", path+" may be read too", 1)
		c.asks(d, question{path: path}, (*check).mayRead)
	}
	if path := d.route.missing; path != "" {
		c = d.spoken("error", path+" may be read, though nothing is there", 1)
		c.asks(d, question{path: path}, (*check).mayRead)
	}
	if path := d.route.bare; path != "" {
		c = d.spoken("redirect", "a redirect at "+path+" carries the headers, if there is one", 1)
		c.asks(d, question{path: path, request: fetch.Request{Redirect: fetch.RedirectManual}}, (*check).redirects)
	}
}

// hidden is a response-header that no policy exposes by its name.
const hidden = "X-Cors-Verify"

func (d *derivation) deriveExposed(needs []*check) {
	policy := &d.route.policy
	q := question{request: fetch.Request{Credentials: d.credentials()}, wire: wire{reveals: true, extra: append(slices.Clone(policy.ExposedHeaders), hidden)}}
	asked := once(func(ctx context.Context, speaker string) *answer { return d.ask(ctx, speaker, q) })
	cost := 1
	see := func(rule, expect string, judge func(*check, *answer)) {
		c := d.spoken(rule, expect, cost, needs...)
		cost = 0 // they share it
		c.judge = func(ctx context.Context) {
			if a := asked(ctx, c.speaker); c.takes(a, (*check).mayRead) && a.res == nil {
				c.result.Verdict = Unjudged // it redirected elsewhere, and Got says so
			} else if c.result.Verdict == Kept {
				judge(c, a)
			}
		}
	}
	for _, name := range policy.ExposedHeaders {
		subject, probe := "response-header "+name, name
		if name == "*" {
			subject, probe = "any response-header", hidden
		}
		see("exposed", subject+" is seen", func(c *check, a *answer) {
			if _, ok := a.res.Get(probe); !ok {
				c.breaks(a, says(a.last(), header.AccessControlExposeHeaders))
			}
		})
	}
	if slices.Contains(policy.ExposedHeaders, "*") {
		return
	}
	see("hidden", "no other response-header is seen", func(c *check, a *answer) {
		for _, f := range a.res.Header {
			listed := slices.ContainsFunc(policy.ExposedHeaders, func(n string) bool { return header.EqualFold(n, f.Name) })
			if !listed && !header.IsSafelistedResponse(f.Name) {
				c.breaks(a, f.Name+" is seen: "+says(a.last(), header.AccessControlExposeHeaders))
				return
			}
		}
	})
}

// deriveVary asks what a cache between server and browsers may do.
func (d *derivation) deriveVary() {
	c := d.spoken("vary", "answers that depend on Origin have Vary: Origin", 3)
	stranger := d.stranger
	if stranger == "" {
		stranger = strangers[1] // as good as any, where any may read
	}
	c.judge = func(ctx context.Context) {
		answers := []struct {
			*answer
			to string
		}{
			{d.ask(ctx, c.speaker, question{}), c.speaker},
			{d.ask(ctx, d.route.base, question{}), "a request without Origin"},
			{d.ask(ctx, stranger, question{}), stranger},
		}
		varies := false
		for _, a := range answers {
			if !a.answered() {
				c.takes(a.answer, (*check).mayRead)
				return
			}
			varies = varies || a.says(header.AccessControlAllowOrigin) != answers[0].says(header.AccessControlAllowOrigin)
		}
		c.takes(answers[0].answer, func(c *check, _ *answer) { c.result.Verdict = Kept })
		for _, a := range answers {
			if varies && !a.variesByOrigin() {
				c.breaks(a.answer, fmt.Sprintf("the answer to %s: %s, %s", a.to, a.says(header.Vary), a.says(header.AccessControlAllowOrigin)))
				return
			}
		}
	}
}

// preflightOf is the question for a preflight alone.
func (d *derivation) preflightOf(method string, names ...string) question {
	q := question{request: fetch.Request{Method: method, Credentials: d.credentials()}, wire: wire{preflightOnly: true}}
	for _, name := range names {
		q.request.Header = append(q.request.Header, header.Field{Name: name, Value: unsafeValue(name)})
	}
	// What needs no preflight by itself has one where the upload is watched.
	q.request.UploadListeners = header.IsSafelistedMethod(method) && len(names) == 0
	return q
}

// unsafeValue is a value with which the header called name needs a preflight.
func unsafeValue(name string) string {
	switch {
	case header.EqualFold(name, "Content-Type"):
		return "application/json"
	case header.IsSafelistedRequest(name, "en"), header.IsSafelistedRequest(name, "bytes=0-"):
		return strings.Repeat("a", 129) // longer than is safe
	}
	return "cors-verify"
}

func (d *derivation) credentials() fetch.Credentials {
	if d.route.policy.Credentials {
		return fetch.CredentialsInclude
	}
	return fetch.CredentialsOmit
}

// derivePreflight is about preflights; the requests that they are for are sent
// where the target has UnsafeMethods.
func (d *derivation) derivePreflight() {
	policy := &d.route.policy
	q := d.preflightOf(http.MethodPost)
	q.request.Credentials = fetch.CredentialsOmit
	asked := once(func(ctx context.Context, speaker string) *answer { return d.ask(ctx, speaker, q) })
	passes := d.spoken("preflight-allowed", "a preflight passes", 1)
	passes.judge = func(ctx context.Context) { passes.takes(asked(ctx, passes.speaker), (*check).mayRead) }
	d.refusePreflight(passes)
	for _, m := range d.members[1:] {
		if !d.plan.room(member) {
			continue
		}
		c := d.add("preflight-allowed", "a preflight from "+m.result.Origin+" passes too", 1, passes, m)
		c.rank = member
		q := q
		q.origin = m.result.Origin
		c.asks(d, q, (*check).mayRead)
	}
	if policy.PreflightStatus != 0 {
		c := d.spoken("preflight-status", "a preflight that passes has status "+strconv.Itoa(policy.PreflightStatus), 0, passes)
		c.judge = func(ctx context.Context) {
			if a := asked(ctx, c.speaker); c.takes(a, (*check).mayRead) && a.first().Status != policy.PreflightStatus {
				c.breaks(a, "status "+strconv.Itoa(a.first().Status))
			}
		}
	}
	d.holdHeader("max-age", header.AccessControlMaxAge, 0, passes, asked)
	q.wire.privateNetwork = true
	d.holdHeader("private-network", header.AccessControlAllowPrivateNetwork, 1, passes,
		func(ctx context.Context, speaker string) *answer { return d.ask(ctx, speaker, q) })
	needs := passes
	if policy.Credentials {
		needs = d.spoken("preflight-credentials", "a preflight for a request with credentials passes", 1, passes)
		needs.asks(d, d.preflightOf(http.MethodPost), (*check).mayRead)
	}
	d.deriveMethods(needs)
	d.deriveNames(needs)
}

// refusePreflight has a preflight of an origin that nobody has fail: it may be
// answered by other code than the request.
func (d *derivation) refusePreflight(needs ...*check) {
	if d.nobody == nil {
		return
	}
	q := d.preflightOf(http.MethodPost)
	q.request.Credentials = fetch.CredentialsOmit
	asked := once(func(ctx context.Context, speaker string) *answer { return d.ask(ctx, speaker, q) })
	refused := d.add("preflight-refused", "a preflight from "+d.stranger+" does not pass", 1, append(needs, d.nobody)...)
	refused.judge = func(ctx context.Context) { refused.takes(asked(ctx, d.stranger), (*check).mayNotRead) }
	for _, c := range d.others {
		c.after = append(c.after, refused)
	}
	if want := d.route.policy.RefusedStatus; want != 0 {
		c := d.add("refused-status", "a preflight that does not pass has status "+strconv.Itoa(want), 0, refused)
		c.judge = func(ctx context.Context) {
			if a := asked(ctx, d.stranger); c.takes(a, (*check).mayNotRead) && a.first().Status != want {
				c.breaks(a, "status "+strconv.Itoa(a.first().Status))
			}
		}
	}
}

// holdHeader has a preflight's response-header be what the policy says.
func (d *derivation) holdHeader(rule, name string, cost int, needs *check, asked func(context.Context, string) *answer) {
	want := ""
	for n, v := range d.decide(http.MethodPost).Fields() {
		if n == name {
			want = v
		}
	}
	expect := "a preflight says nothing of " + name
	if want != "" {
		expect = "a preflight says " + name + ": " + want
	}
	c := d.spoken(rule, expect, cost, needs)
	c.judge = func(ctx context.Context) {
		a := asked(ctx, c.speaker)
		if !c.takes(a, (*check).mayRead) {
			return
		}
		if got := lines(a.first().ResponseHeader, name); strings.Join(got, ", ") != want {
			c.breaks(a, a.says(name))
		}
	}
}

// decide asks the policy about a preflight.
func (d *derivation) decide(method string, names ...string) cors.Decision {
	r := cors.Request{Method: http.MethodOptions, Origin: []string{d.decided}, AccessControlRequestMethod: []string{method},
		AccessControlRequestPrivateNetwork: []string{"true"}}
	if len(names) > 0 {
		r.AccessControlRequestHeaders = names
	}
	return d.route.keeper.Decide(context.Background(), r)
}

func (d *derivation) deriveMethods(passes *check) {
	for _, m := range d.route.policy.Methods {
		methods, as := []string{m}, ""
		switch {
		case m == "*":
			methods, as = []string{http.MethodPut, http.MethodPatch, http.MethodDelete}, ", as any method"
		case header.IsSafelistedMethod(m):
			continue // no preflight asks for it
		}
		for _, m := range methods {
			c := d.spoken("method-allowed", "method "+m+" is allowed"+as, 1, passes)
			c.asks(d, d.preflightOf(m), (*check).mayRead)
			d.send(m, c)
		}
	}
	d.send(http.MethodPost, passes)
	refuse := func(m, why string) {
		c := d.spoken("method-refused", "method "+m+" is not allowed"+why, 1, passes)
		c.asks(d, d.preflightOf(m), (*check).mayNotRead)
	}
	for _, m := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch, "CORS-VERIFY"} {
		if !d.decide(m).Allowed {
			refuse(m, "")
			break
		}
	}
	// Browsers write the other methods in upper case themselves.
	if d.decide(http.MethodPatch).Allowed && !d.decide("patch").Allowed {
		refuse("patch", ", as methods are case-sensitive")
	}
}

// send sends the request that a preflight let pass.
func (d *derivation) send(method string, passes *check) {
	if !d.plan.target.UnsafeMethods || method == http.MethodOptions {
		return
	}
	q := d.preflightOf(method)
	q.wire.preflightOnly = false
	d.plan.Unsafe++
	c := d.spoken("method-sent", "a "+method+" request may be read", 2, passes)
	c.asks(d, q, (*check).mayRead)
}

func (d *derivation) deriveNames(passes *check) {
	const madeUp = "X-Cors-Verify"
	var listed []string
	for _, name := range d.route.policy.RequestHeaders {
		as := ""
		if name == "*" {
			name, as = madeUp, ", as any name"
		} else {
			listed = append(listed, name)
		}
		c := d.spoken("header-allowed", "request-header "+name+" is allowed"+as, 1, passes)
		c.asks(d, d.preflightOf(http.MethodGet, name), (*check).mayRead)
	}
	if len(listed) > 1 {
		c := d.spoken("headers-together", "all these request-headers are allowed at once", 1, passes)
		c.asks(d, d.preflightOf(http.MethodGet, listed...), (*check).mayRead)
	}
	for _, name := range []string{madeUp, "Authorization"} {
		if d.decide(http.MethodGet, name).Allowed {
			continue
		}
		why := ""
		if slices.Contains(d.route.policy.RequestHeaders, "*") {
			why = ", as * does not cover it"
		}
		c := d.spoken("header-refused", "request-header "+name+" is not allowed"+why, 1, passes)
		c.asks(d, d.preflightOf(http.MethodGet, name), (*check).mayNotRead)
	}
}
