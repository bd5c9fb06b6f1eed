package audit

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// stranger is a page that nobody can trust.
func (q *inquiry) stranger() string { return q.scheme + "://" + q.word(1) + ".com" }

// others asks as a stranger for what other code may answer: errors, and other
// methods.
func (q *inquiry) others(ctx context.Context) {
	missing := attack{origin: q.stranger(), url: q.missing()}
	if o := q.play(ctx, missing); len(o.with) > 0 && o.status() >= 400 && q.hasBody(missing.url) {
		q.report("error-only", Low, o)
	}
	head := attack{origin: q.stranger(), request: fetch.Request{Method: http.MethodHead}}
	if o := q.play(ctx, head); len(o.with) > 0 {
		q.report("method-only", Low, o)
	}
	if q.auditor.UnsafeMethods {
		post := attack{origin: q.stranger(), request: fetch.Request{Method: http.MethodPost}}
		if o := q.play(ctx, post); len(o.with) > 0 {
			q.report("method-only", High, o)
		}
	}
}

// missing is the URL of what should not be there.
func (q *inquiry) missing() string {
	u, err := url.Parse(q.url)
	if err != nil {
		return q.url // newInquiry parsed it
	}
	u.RawQuery = ""
	return u.JoinPath(q.word(10)).String()
}

// hasBody reports whether there was something to read at u.
func (q *inquiry) hasBody(u string) bool {
	for key, a := range q.memo.known {
		if strings.HasPrefix(key, "GET\x00"+u+"\x00") && a.err == nil && len(a.body) > 0 {
			return true
		}
	}
	return false
}

// preflights asks before requests that are not sent.
func (q *inquiry) preflights(ctx context.Context) {
	ask := func(origin string, r fetch.Request) *outcome {
		return q.play(ctx, attack{origin: origin, request: r, preflightOnly: true, browsers: whoHas(origin)})
	}
	put := fetch.Request{Method: http.MethodPut, Header: []header.Field{{Name: "Content-Type", Value: "application/json"}}}
	for _, origin := range q.outsiders() {
		o := ask(origin, put)
		for _, other := range narrower(o) {
			if len(o.with) == 0 {
				o = ask(origin, other)
			}
		}
		if len(o.with) > 0 {
			q.report("preflight-only", Medium, o)
			break
		}
	}
	if len(q.readers) == 0 {
		return
	}
	reader := q.readers[0]
	for _, r := range q.readers {
		if len(r.with) > 0 {
			reader = r
			break
		}
	}
	if reader.origin == "null" {
		return
	}
	o := ask(reader.origin, put)
	if o.first == nil || !o.first.Preflight {
		return
	}
	switch status := o.first.Status; {
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		q.file("preflight-login", Low, Nothing, o)
	case status >= 300 && status <= 399:
		q.file("preflight-redirect", Low, Nothing, o)
	}
	if slices.ContainsFunc(o.lines("Set-Cookie"), isSession) {
		q.file("preflight-cookie", Low, Nothing, o)
	}
	if said := o.lines(header.AccessControlMaxAge); len(said) > 0 {
		if age, err := strconv.Atoi(said[0]); err != nil || age > 86400 || age < -1 {
			q.file("max-age", Info, Nothing, o)
		}
	}
	severity := Info
	if q.open {
		severity = Low
	}
	gets := func(o *outcome) bool { return len(o.with) > 0 || len(o.without) > 0 && len(reader.with) == 0 }
	if o := ask(reader.origin, fetch.Request{Method: strings.ToUpper(q.word(11))}); gets(o) {
		q.file("reflect-methods", severity, o.reach(), o)
	}
	if o := ask(reader.origin, fetch.Request{Header: []header.Field{{Name: "X-" + q.word(12), Value: "1"}}}); gets(o) {
		q.file("reflect-headers", severity, o.reach(), o)
	}
}

// outsiders are origins that may not read, a few of each kind.
func (q *inquiry) outsiders() []string {
	if q.open {
		return nil
	}
	all := []string{q.stranger(), "null"}
	for i, n := range q.like {
		all = append(all, n.Scheme()+"://"+n.Host()+"."+q.word(4)+".com")
		if site := n.RegistrableDomain(); i == 0 {
			all = append(all, n.Scheme()+"://"+q.word(4)+site)
		}
	}
	return slices.DeleteFunc(all, func(text string) bool {
		return slices.ContainsFunc(q.outcomes, func(o *outcome) bool { return o.origin == text && len(o.with) > 0 })
	})
}

// narrower are requests that the answer to a preflight seems to allow, where the
// one it was about is not.
func narrower(o *outcome) []fetch.Request {
	if len(o.with) > 0 || o.line(header.AccessControlAllowOrigin) == "" {
		return nil
	}
	var all []fetch.Request
	methods, _ := header.List(o.lines(header.AccessControlAllowMethods))
	for _, m := range methods {
		if !header.IsSafelistedMethod(m) && !header.IsForbiddenMethod(m) && m != "*" && m != http.MethodOptions && len(all) < 2 {
			all = append(all, fetch.Request{Method: m})
		}
	}
	names, _ := header.List(o.lines(header.AccessControlAllowHeaders))
	for _, name := range names {
		if name != "*" && !header.IsForbiddenRequest(name, "1") && !header.IsSafelistedRequest(name, "application/json") {
			return append(all, fetch.Request{Method: http.MethodPost, Header: []header.Field{{Name: name, Value: "application/json"}}})
		}
	}
	return all
}

// isSession reports whether a Set-Cookie line is one of the application's; those
// of load balancers and of what guards against robots come with each answer.
func isSession(line string) bool {
	name, _, _ := strings.Cut(line, "=")
	for _, prefix := range []string{"AWSALB", "__cf", "_cf", "cf_", "ak_bmsc", "bm_", "incap_ses", "visid_incap", "nlbi_", "ARRAffinity", "BIGip", "TS01", "SERVERID", "GCLB"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

// forms looks for values with which browsers do nothing.
func (q *inquiry) forms() {
	for _, o := range q.outcomes {
		said := o.lines(header.AccessControlAllowOrigin)
		if len(said) == 0 {
			continue
		}
		value := header.Normalize(said[0])
		_, err := origin.Parse(value)
		switch {
		case len(said) == 1 && value == o.origin:
		case len(said) > 1:
			q.file("allow-origin-twice", Low, Nothing, o)
		case strings.ContainsAny(value, ", ") && strings.Contains(value, "://"):
			q.file("allow-origin-list", Low, Nothing, o)
		case (err != nil || strings.Contains(value, "*")) && value != "*" && !isRefusal(value):
			q.file("allow-origin-form", Low, Nothing, o)
		}
		switch credentials := strings.ToLower(o.line(header.AccessControlAllowCredentials)); credentials {
		case "", "false":
		case "true":
			if value == "*" && o.code == fetch.CodeWildcardOrigin {
				q.file("wildcard-credentials", Low, Nothing, o)
			}
			if o.line(header.AccessControlAllowCredentials) != "true" && !isRefusal(value) {
				q.file("allow-credentials-form", Low, Nothing, o)
			}
		case "1", "yes", "on", "true, true":
			q.file("allow-credentials-form", Low, Nothing, o)
		}
	}
}

// isRefusal reports whether a value is how some say that nobody is allowed.
func isRefusal(value string) bool {
	return slices.Contains([]string{"", "false", "none", "undefined", "null"}, strings.ToLower(value))
}

// secrets are names of response-headers whose values are as good as a password.
var secrets = []string{"authorization", "set-cookie", "x-auth-token", "x-access-token", "x-csrf-token", "x-xsrf-token", "x-api-key", "x-session-token", "x-amz-security-token"}

func (q *inquiry) exposure() {
	if !q.open && !q.public {
		return
	}
	o := q.outcomes[0]
	names, _ := header.List(o.lines(header.AccessControlExposeHeaders))
	for _, name := range names {
		if slices.Contains(secrets, header.Lower(name)) {
			q.file("exposes-secrets", Low, o.reach(), o)
		}
	}
}

// caches looks for answers that depend on Origin and may be given to others.
func (q *inquiry) caches(ctx context.Context) {
	if len(q.readers) == 0 || len(q.outcomes) < 2 {
		return
	}
	reader := q.readers[len(q.readers)-1]
	other := q.outcomes[0]
	if other == reader || other.origin == reader.origin {
		other = q.outcomes[1]
	}
	said := func(o *outcome) string { return o.line(header.AccessControlAllowOrigin) }
	if said(reader) == said(other) && said(reader) == said(q.plain) {
		return
	}
	shared, ever := reader.isCacheable()
	if !ever || reader.variesByOrigin() && other.variesByOrigin() && q.plain.variesByOrigin() {
		return
	}
	if !shared {
		q.file("vary", Info, Nothing, reader)
		return
	}
	q.file("vary", Medium, Nothing, reader)
	// The key is one that nobody else asks for.
	u, err := url.Parse(q.url)
	if err != nil || said(reader) == "*" {
		return
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+q.word(13)+"="+q.word(14), "&")
	fills := q.play(ctx, attack{origin: reader.origin, url: u.String()})
	reads := q.play(ctx, attack{origin: other.origin, url: u.String()})
	if said(fills) == said(reader) && said(reads) == said(fills) && said(other) != said(reader) {
		q.file("cache-poisoned", High, Nothing, reads)
	}
}
