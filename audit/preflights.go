package audit

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

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
	private := q
	private.wire.privateNetwork = true
	d.holdHeader("private-network", header.AccessControlAllowPrivateNetwork, 1, passes,
		func(ctx context.Context, speaker string) *answer { return d.ask(ctx, speaker, private) })
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
		if got := header.Lines(a.first().ResponseHeader, name); strings.Join(got, ", ") != want {
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

// madeUpMethod is one that no server lists: a list of methods is not "*".
const madeUpMethod = "CORS-VERIFY"

func (d *derivation) deriveMethods(passes *check) {
	for _, m := range d.route.policy.Methods {
		methods, as := []string{m}, ""
		switch {
		case m == "*":
			methods, as = []string{http.MethodPut, http.MethodPatch, http.MethodDelete, madeUpMethod}, ", as any method"
		case header.IsSafelistedMethod(m):
			continue // no preflight asks for it
		}
		for _, m := range methods {
			if !d.plan.room(member) {
				continue
			}
			c := d.spoken("method-allowed", "method "+m+" is allowed"+as, 1, passes)
			c.rank = member
			c.asks(d, d.preflightOf(m), (*check).mayRead)
			if m != madeUpMethod {
				d.send(m, c)
			}
		}
	}
	d.send(http.MethodPost, passes)
	refuse := func(m, why string) {
		c := d.spoken("method-refused", "method "+m+" is not allowed"+why, 1, passes)
		c.asks(d, d.preflightOf(m), (*check).mayNotRead)
	}
	for _, m := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch, madeUpMethod} {
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
	if !d.plan.target.UnsafeMethods || method == http.MethodOptions || !d.plan.room(member) {
		return
	}
	q := d.preflightOf(method)
	q.wire.preflightOnly = false
	c := d.spoken("method-sent", "a "+method+" request may be read", 2, passes)
	c.rank = member
	c.asks(d, q, (*check).mayRead)
}

func (d *derivation) deriveNames(passes *check) {
	unknown := madeUp(d.route.policy.RequestHeaders)
	var listed []string
	for _, name := range d.route.policy.RequestHeaders {
		as := ""
		if name == "*" {
			name, as = unknown, ", as any name"
		} else {
			listed = append(listed, name)
		}
		if !d.plan.room(member) {
			continue
		}
		c := d.spoken("header-allowed", "request-header "+name+" is allowed"+as, 1, passes)
		c.rank = member
		c.asks(d, d.preflightOf(http.MethodGet, name), (*check).mayRead)
	}
	if len(listed) > 1 {
		c := d.spoken("headers-together", "all these request-headers are allowed at once", 1, passes)
		c.asks(d, d.preflightOf(http.MethodGet, listed...), (*check).mayRead)
	}
	for _, name := range []string{unknown, "Authorization"} {
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
