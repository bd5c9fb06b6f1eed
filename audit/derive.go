package audit

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
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
