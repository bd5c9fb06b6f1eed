package audit

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

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

func (d *derivation) deriveExposed(needs []*check) {
	policy := &d.route.policy
	hidden := madeUp(policy.ExposedHeaders)
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

// madeUp is the name of a header that is not listed.
func madeUp(listed []string) string {
	name := "X-Cors-Verify"
	for slices.ContainsFunc(listed, func(n string) bool { return header.EqualFold(n, name) }) {
		name += "-Other"
	}
	return name
}
