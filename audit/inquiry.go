package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/public"
	"github.com/crossorigin/cors/origin"
)

// An inquiry is what is asked about one URL.
type inquiry struct {
	auditor  *Auditor
	raw, url string
	base     origin.Origin // of the server
	trusted  []origin.Origin
	memo     *memo

	scheme   string // of the pages of strangers: one over https may not fetch over http
	host     string // without port
	site     string // registrable domain of host, or ""
	place    place
	plain    *outcome   // no other origin asks
	outcomes []*outcome // of each GET with an origin
	readers  []*outcome // of pages that are allowed, also of those that should not be
	like     []name     // that the server trusts, or may; a few

	open   bool // strangers read with credentials
	public bool // strangers read without

	found       map[string]*Finding
	unreachable string
	temporary   bool // it may be reachable another time
	notes       []string
}

// A place is where a server is, as its name tells.
type place uint8

const (
	internet place = iota
	thisMachine
	privateNetwork
)

func (q *inquiry) name() {
	q.host = q.base.Host()
	q.site = q.base.RegistrableDomain()
	q.scheme, q.place = "https", placeOf(q.host)
	if q.base.Scheme() == "http" && !isLoopback(q.host) {
		q.scheme = "http"
	}
}

// carrierGrade are addresses inside networks of providers and of overlays.
//
// https://www.rfc-editor.org/rfc/rfc6598
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func placeOf(host string) place {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		switch {
		case ip.IsLoopback():
			return thisMachine
		case ip.IsPrivate(), ip.IsLinkLocalUnicast(), carrierGrade.Contains(ip):
			return privateNetwork
		}
		return internet
	}
	if isLoopback(host) {
		return thisMachine
	}
	if !strings.Contains(host, ".") {
		return privateNetwork
	}
	for _, suffix := range []string{".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return privateNetwork
		}
	}
	return internet
}

// word makes a name of letters that nobody has: for one server always the same,
// so that what is found today is what was found yesterday.
func (q *inquiry) word(n byte) string {
	sum := sha256.Sum256(append([]byte(q.host), n))
	name := []byte("q")
	for _, b := range sum[:5] {
		name = append(name, 'a'+b>>4, 'a'+b&15)
	}
	return string(name)
}

// ask asks all there is to ask, or as much as the budget lets.
func (q *inquiry) ask(ctx context.Context) {
	q.plain = q.play(ctx, attack{})
	switch o := q.plain; {
	case o.elsewhere != "":
		q.unreachable = "it redirects to " + o.elsewhere + ", which was not to be asked; audit that"
		return
	case o.first == nil && errors.Is(o.failed, io.EOF):
		q.unreachable, q.temporary = "it ends the connection without an answer", true
		return
	case o.first == nil && o.failed != nil:
		q.unreachable, q.temporary = withoutValue(o.failed.Error()), !errors.Is(o.failed, public.ErrNot)
		return
	case o.first == nil:
		q.unreachable = o.code.String() // as for a port to which browsers do not go
		return
	case o.status() == http.StatusTooManyRequests:
		q.unreachable, q.temporary = "status 429: the server wants fewer requests in a second", true
		return
	}
	if q.plain.at == "" {
		q.unreachable = "it redirects again and again"
		switch status := q.plain.first.Status; {
		case status < 300 || status > 399:
			q.unreachable = "its answer is malformed"
		case q.plain.code == fetch.CodeRedirectScheme || q.plain.code == fetch.CodeRedirectCredentials:
			q.unreachable = q.plain.code.String()
		}
		return
	}
	// A page may go at once to where it would be sent.
	if at := q.plain.at; at != q.url {
		shown, _, _ := strings.Cut(at, "?") // which may hold secrets
		q.notes = append(q.notes, "it redirects to "+shown+", which is asked about")
		q.url = at
	}
	if status := q.plain.status(); status >= 400 {
		q.notes = append(q.notes, fmt.Sprintf("status %d answers it, and of what others get nothing is known", status))
	}
	if q.scheme == "http" {
		q.notes = append(q.notes, "pages over https cannot ask it over http, so none is tried")
	}
	q.strangers(ctx)
	q.referers(ctx)
	q.forwarded(ctx)
	q.null(ctx)
	if !q.open {
		q.names(ctx)
		q.places(ctx)
		q.extensions(ctx)
		q.others(ctx)
	}
	q.preflights(ctx)
	q.forms()
	q.exposure()
	q.caches(ctx)
	refusal := q.refusal(ctx)
	switch {
	case ctx.Err() != nil:
		q.unreachable = "this was interrupted"
	case refusal != "":
		q.unreachable, q.temporary = refusal, true
	case q.memo.failures >= maxFailures:
		q.unreachable, q.temporary = errGone.Error(), true
	}
}

// refusal says how the server came to refuse whoever asks so much, be it a limit
// or a guard against robots, so that nothing can be said of what it let by.
func (q *inquiry) refusal(ctx context.Context) string {
	if q.memo.limited > 0 {
		return fmt.Sprintf("%d of %d answers are status 429: the server wants fewer requests in a second", q.memo.limited, q.memo.sent)
	}
	before, now := q.plain.status(), 0
	for range 2 { // once may be chance
		if before >= 400 || !q.memo.forget(http.MethodGet, q.url) {
			return ""
		}
		if now = q.play(ctx, attack{}).status(); now < 400 {
			return ""
		}
	}
	return fmt.Sprintf("status %d after %d requests, and %d before: the server no longer lets us ask", now, q.memo.sent, before)
}

func (q *inquiry) result() *Inspection {
	r := &Inspection{
		URL: q.raw, Requests: q.memo.sent, Omitted: q.memo.exhausted, Unreachable: q.unreachable, Temporary: q.temporary, Notes: q.notes,
	}
	if q.plain != nil {
		r.Status = q.plain.status()
	}
	for i := range rules {
		if f := q.found[rules[i].ID]; f != nil {
			r.Findings = append(r.Findings, *f)
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return r
}

// from plays a GET by a page of the given origin.
func (q *inquiry) from(ctx context.Context, origin string) *outcome {
	o := q.play(ctx, attack{origin: origin, browsers: whoHas(origin)})
	q.outcomes = append(q.outcomes, o)
	if len(o.with)+len(o.without) > 0 && o.status() >= 400 && q.plain.status() < 400 {
		if len(o.with) > 0 {
			q.report("error-only", Low, o)
		}
		o.with, o.without = nil, nil // a refusal may be read, and not what is refused
	}
	return o
}

// hits reports whether o is more than strangers get anyway.
func (q *inquiry) hits(o *outcome) bool {
	return len(o.with) > 0 || len(o.without) > 0 && !q.public
}

// report files a finding, or adds to one.
func (q *inquiry) report(id string, severity Severity, o *outcome) {
	reach := o.reach()
	switch {
	case reach == Reads && q.place == privateNetwork:
		severity = min(severity, Medium)
	case reach == Reads:
		severity = Info // it is public
	case reach == ReadsWithCredentials && o.status() >= 400 && severity == High && q.plain.status() >= 400:
		severity = Medium // perhaps errors alone
	}
	q.file(id, severity, reach, o)
}

func (q *inquiry) file(id string, severity Severity, reach Reach, o *outcome) {
	shown := o.origin
	f := q.found[id]
	if f != nil {
		if shown != "" && !slices.Contains(f.Origins, shown) {
			f.Origins = append(f.Origins, shown)
		}
		if severity <= f.Severity && reach == f.Reach {
			for _, b := range o.with {
				if !slices.Contains(f.Browsers, b) {
					f.Browsers = append(f.Browsers, b)
				}
			}
			return
		}
		if severity < f.Severity {
			return
		}
	}
	next := &Finding{Rule: rulesByID[id], Severity: severity, Reach: reach, Got: o.got(), Page: o.asPage, Opaque: o.origin == "null", Exchanges: o.evidence}
	if o.origin != "" {
		next.Origins = []string{o.origin}
	}
	if f != nil {
		for _, other := range f.Origins {
			if other != o.origin {
				next.Origins = append(next.Origins, other)
			}
		}
	}
	if next.Browsers = o.with; reach == Reads {
		next.Browsers = o.without
	}
	if next.Exchanges == nil && o.first != nil {
		next.Exchanges = []*fetch.Exchange{o.first}
	}
	request := o.asked
	if request.URL == "" {
		request = o.request
		request.URL = q.url
	}
	next.Request = &request
	q.found[id] = next
}

// strangers asks as pages that nobody can trust.
func (q *inquiry) strangers(ctx context.Context) {
	at := func(n byte, tld string) *outcome { return q.from(ctx, q.scheme+"://"+q.word(n)+tld) }
	first, second := at(1, ".com"), at(2, ".net")
	q.public = len(first.with)+len(first.without) > 0 && len(second.with)+len(second.without) > 0
	switch {
	case len(first.with) > 0 && len(second.with) > 0:
	case len(first.with) > 0: // perhaps any under this top-level domain
		second = at(3, ".com")
	case len(second.with) > 0:
		first = at(3, ".net")
	case q.public && first.line(header.AccessControlAllowOrigin) == first.origin:
		q.report("reflect-any", High, first)
		q.report("reflect-any", High, second)
	}
	if len(first.with) > 0 && len(second.with) > 0 {
		q.open = true
		q.report("reflect-any", High, first)
		q.report("reflect-any", High, second)
	}
	if q.public || q.open {
		q.readers = append(q.readers, first)
	}
	if q.place == privateNetwork && q.public {
		q.report("wildcard-private", Medium, first)
	}
}

// referers asks as pages that choose what Referer says.
func (q *inquiry) referers(ctx context.Context) {
	silent := func(n byte, tld string) *outcome {
		at := attack{origin: q.scheme + "://" + q.word(n) + tld}
		at.request.ReferrerPolicy = fetch.ReferrerPolicyNoReferrer
		return q.play(ctx, at)
	}
	if q.open {
		if len(silent(1, ".com").with) == 0 && len(silent(2, ".net").with) == 0 {
			f := q.found["reflect-any"]
			delete(q.found, "reflect-any")
			f.Rule = rulesByID["reflect-referer"]
			q.found[f.Rule.ID] = f
		}
		return
	}
	for _, ask := range []func(n byte, tld string) *outcome{
		silent,
		func(n byte, tld string) *outcome {
			at := attack{origin: q.scheme + "://" + q.word(n) + tld}
			at.page = at.origin + "/" + q.base.String() + "/"
			at.request.ReferrerPolicy = fetch.ReferrerPolicyUnsafeURL
			return q.play(ctx, at)
		},
	} {
		if o := ask(1, ".com"); len(o.with) > 0 && len(ask(2, ".net").with) > 0 {
			q.report("reflect-referer", High, o)
		}
	}
}

const forwardedHost = "X-Forwarded-Host"

// forwarded asks as pages that say the server has their own name. No page can say
// so in Host, which is the browser's; in X-Forwarded-Host it can, where a preflight
// allows that.
func (q *inquiry) forwarded(ctx context.Context) {
	if q.open {
		return
	}
	ask := func(n byte, tld string) *outcome {
		at := attack{origin: q.scheme + "://" + q.word(n) + tld}
		at.request.Header = []header.Field{{Name: forwardedHost, Value: q.word(n) + tld}}
		return q.play(ctx, at)
	}
	if o := ask(1, ".com"); len(o.with) > 0 && len(ask(2, ".net").with) > 0 {
		q.report("reflect-forwarded", High, o)
	}
}

func (q *inquiry) null(ctx context.Context) {
	if o := q.from(ctx, "null"); q.hits(o) && !q.open {
		q.report("null", High, o)
	}
}

// A name is one that the server trusts, or may.
type name struct {
	origin.Origin
	allowed bool
}

// names asks as pages whose names are like those that the server trusts.
func (q *inquiry) names(ctx context.Context) {
	all := q.candidates(ctx)
	for _, n := range all {
		if n.RegistrableDomain() != "" && len(q.like) < 3 {
			q.like = append(q.like, n)
		}
	}
	asked := map[string]bool{}
	special := 0
	for i, n := range all {
		if i == 6 {
			break
		}
		key := n.Scheme() + "://" + n.Host()
		if asked[key] {
			continue
		}
		asked[key] = true
		q.near(ctx, n, &special)
	}
	q.subdomains(ctx, all)
	q.hosting(ctx, all)
	q.dangling(ctx, all)
}

// candidates finds names that the server trusts; where it does not tell, its own.
func (q *inquiry) candidates(ctx context.Context) []name {
	var allowed, guesses []name
	seen := map[string]bool{q.base.String(): true}
	try := func(text string, sure bool) {
		o, err := origin.Parse(text)
		if err != nil || o.Opaque() || seen[text] || len(seen) > 40 {
			return
		}
		seen[text] = true
		res := q.from(ctx, text)
		switch {
		case q.hits(res):
			allowed = append(allowed, name{o, true})
			q.readers = append(q.readers, res)
			q.notes = append(q.notes, text+" "+string(res.reach()))
		case sure:
			guesses = append(guesses, name{o, false})
		}
	}
	schemes := []string{q.scheme}
	if q.scheme != q.base.Scheme() {
		schemes = append(schemes, q.base.Scheme())
	}
	for _, o := range q.trusted {
		try(o.String(), true)
	}
	for _, text := range q.said() {
		try(text, false)
	}
	domains := []string{q.site}
	if q.site == "" && q.place == thisMachine {
		domains = standIns
	}
	domain := domains[0]
	for i, site := range domains {
		if i > 0 && len(allowed) > 0 || site == "" {
			break
		}
		for _, scheme := range schemes {
			for _, prefix := range []string{"", "www.", "app."} {
				try(scheme+"://"+prefix+site, false)
			}
		}
	}
	if q.site != "" && len(allowed) == 0 {
		if _, parent, ok := strings.Cut(q.host, "."); ok && parent != q.site && strings.HasSuffix(parent, "."+q.site) {
			try(q.scheme+"://"+parent, false)
		}
		for _, label := range siblings {
			try(q.scheme+"://"+label+"."+q.site, false)
		}
	}
	// Answers so far may name one: many servers send the first of their list to whoever is not on it.
	for _, res := range q.outcomes {
		if said := res.line(header.AccessControlAllowOrigin); said != res.origin {
			try(said, true)
		}
	}
	for _, scheme := range schemes {
		for _, host := range []string{q.host, domain} {
			if o, err := origin.Parse(scheme + "://" + host); err == nil && host != "" && net.ParseIP(strings.Trim(host, "[]")) == nil {
				guesses = append(guesses, name{o, false})
			}
		}
	}
	return append(allowed, guesses...)
}

// siblings are names that pages have, where neither the site nor what is most
// common is trusted.
var siblings = []string{"admin", "dashboard", "portal", "my", "web", "m", "shop", "dev", "staging"}

// standIns are what stands in for a name in examples, and in tests.
var standIns = []string{"example.com", "example.org", "example.net", "trusted.com"}

var inText = regexp.MustCompile(`https?://[a-z0-9][a-z0-9.-]*(:[0-9]+)?`)

// said are origins that the server speaks of, a few.
func (q *inquiry) said() []string {
	var all []string
	most := 6
	asked := func(text string) bool {
		return slices.ContainsFunc(q.outcomes, func(o *outcome) bool { return o.origin == text })
	}
	add := func(text string) {
		for _, found := range inText.FindAllString(text, 32) {
			if found = strings.TrimSuffix(found, "."); len(all) < most && !slices.Contains(all, found) && !strings.Contains(found, "www.w3.org") && !asked(found) {
				all = append(all, found)
			}
		}
	}
	for _, f := range q.plain.first.ResponseHeader {
		add(f.Value)
	}
	most += 4
	for _, text := range q.memo.bodies(http.MethodGet, q.url) { // also those that say who may ask
		add(text)
	}
	return all
}

// near asks as pages with names like n.
func (q *inquiry) near(ctx context.Context, n name, special *int) {
	scheme, host := n.Scheme(), n.Host()
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		q.ports(ctx, n)
		return
	}
	w, v := q.word(4), q.word(5)
	begins := q.any(ctx, scheme+"://"+host+"."+w+".com", scheme+"://"+host+w+".com")
	holds := q.any(ctx, scheme+"://"+w+host+"."+v+".com")
	var ends []*outcome
	site := n.RegistrableDomain()
	shared := q.shared(ctx, n)
	if site != "" && !shared {
		ends = q.any(ctx, scheme+"://"+w+site, scheme+"://"+w+"-"+site)
	}
	if label, _, _ := strings.Cut(site, "."); holds == nil && len(label) > 3 {
		holds = q.any(ctx, scheme+"://"+w+label+v+".net", scheme+"://"+w+"."+label+"."+v+".com")
	}
	switch {
	case holds != nil:
		q.reportAll("substring", High, slices.Concat(holds, begins, ends))
	default:
		q.reportAll("prefix", High, begins)
		q.reportAll("suffix", High, ends)
	}
	if holds == nil && ends == nil && !shared {
		q.reportAll("unescaped-dot", High, q.any(ctx, dots(n.Origin, site)...))
	}
	if holds == nil && begins == nil && *special < 2 {
		*special++
		q.characters(ctx, scheme+"://"+host)
	}
	if suffix, ok := strings.CutPrefix(strings.TrimPrefix(site, strings.SplitN(site+".", ".", 2)[0]), "."); ok && holds == nil && strings.HasSuffix(host, suffix) {
		stem := strings.TrimSuffix(host, suffix)
		if tlds := q.any(ctx, scheme+"://"+stem+"tk", scheme+"://"+stem+"xyz", scheme+"://"+stem+"top"); len(tlds) > 1 && begins == nil {
			q.reportAll("any-tld", High, tlds)
		}
	}
	if (n.allowed || host == q.host) && begins == nil && holds == nil && q.found["any-tld"] == nil {
		q.truncated(ctx, n)
	}
	if n.allowed || q.base.Scheme() == "https" {
		q.ports(ctx, n)
		q.insecure(ctx, n)
	}
}

// truncated asks as names that n begins with, for code that looks for the origin in
// its list, and not for the list's entries in the origin. Where one that nobody can
// have is not allowed, one that somebody has may be meant.
func (q *inquiry) truncated(ctx context.Context, n name) {
	if n.RegistrableDomain() == "" {
		return
	}
	scheme, host := n.Scheme()+"://", n.Host()
	var registrable, nobodys string
	for i := len(host) - 1; i > 0 && (registrable == "" || nobodys == ""); i-- {
		other, err := origin.Parse(scheme + host[:i])
		if err != nil || host[i-1] == '.' {
			continue
		}
		_, listed := publicsuffix.PublicSuffix(other.Host())
		switch site := other.RegistrableDomain(); {
		case !listed && nobodys == "":
			nobodys = other.String()
		case listed && site != "" && site != n.RegistrableDomain() && registrable == "":
			registrable = other.String()
		}
	}
	switch {
	case nobodys == "" || q.any(ctx, nobodys) == nil:
	case registrable != "":
		q.reportAll("truncated", High, q.any(ctx, registrable))
	default: // a machine in the visitor's network
		label, _, _ := strings.Cut(host, ".")
		q.reportAll("truncated", Medium, q.any(ctx, scheme+label))
	}
}

// shared reports whether anybody's site is allowed where n is hosted: then what
// ends like n, or has another letter for a dot, is nothing more.
func (q *inquiry) shared(ctx context.Context, n name) bool {
	suffix, icann := publicsuffix.PublicSuffix(n.Host())
	return !icann && strings.Contains(suffix, ".") && q.any(ctx, q.scheme+"://"+q.word(8)+"."+suffix) != nil
}

// any asks as a page of each of the origins, and returns what hits.
func (q *inquiry) any(ctx context.Context, origins ...string) []*outcome {
	var hits []*outcome
	for _, text := range origins {
		if o := q.from(ctx, text); q.hits(o) {
			hits = append(hits, o)
		}
	}
	return hits
}

func (q *inquiry) reportAll(id string, severity Severity, all []*outcome) {
	for _, o := range all {
		q.report(id, severity, o)
	}
}

// dots returns origins with a letter for a dot that somebody else can register.
func dots(o origin.Origin, site string) []string {
	var all []string
	host := o.Host()
	for i := range len(host) {
		if host[i] != '.' {
			continue
		}
		other, err := origin.Parse(o.Scheme() + "://" + host[:i] + "x" + host[i+1:])
		if err != nil {
			continue
		}
		suffix, listed := publicsuffix.PublicSuffix(other.Host())
		ours, _ := publicsuffix.PublicSuffix(host)
		isTop := strings.HasSuffix("."+ours, "."+suffix) // one that exists, though no list has it
		if got := other.RegistrableDomain(); got != "" && got != site && (listed || isTop) {
			all = append(all, other.String())
		}
	}
	return all
}

// ports asks as another server on the same machine.
func (q *inquiry) ports(ctx context.Context, n name) {
	if !n.allowed && n.Host() != q.host {
		return
	}
	others := []string{n.Scheme() + "://" + n.Host() + ":47113"}
	if n.Port() != "" && len(n.Port()) < 5 {
		others = append(others, n.String()+"1") // for patterns without an end
	}
	q.reportAll("any-port", Low, q.any(ctx, others...))
}

// insecure asks as whoever is between a visitor and n. A server over http has
// nothing to lose by that; on this machine it may stand for one that has.
func (q *inquiry) insecure(ctx context.Context, n name) {
	twin, err := origin.Parse("http://" + n.Host())
	if err != nil || n.Scheme() != "https" || q.base.Scheme() == "http" && !(n.allowed && q.place == thisMachine) || !twin.InsecureScheme() {
		return
	}
	q.reportAll("http-origin", Medium, q.any(ctx, twin.String()))
}

// subdomains asks as names below the server's and those that it trusts.
func (q *inquiry) subdomains(ctx context.Context, all []name) {
	asked := map[string]bool{}
	for _, n := range all {
		site := n.RegistrableDomain()
		if site == "" || len(asked) > 12 {
			continue
		}
		for _, host := range []string{q.word(6) + "." + site, q.word(6) + "." + q.word(7) + "." + site, q.word(6) + "." + n.Host()} {
			at := n.Scheme() + "://" + host
			if asked[at] {
				continue
			}
			asked[at] = true
			o := q.from(ctx, at)
			if !q.hits(o) {
				continue
			}
			q.report("subdomains", Low, o)
			if q.base.Scheme() == "https" || q.place == thisMachine && n.Scheme() == "https" {
				if twin := q.any(ctx, "http://"+host); n.Scheme() == "https" {
					q.reportAll("http-origin", Medium, twin)
				}
			}
		}
	}
}

// hostings are suffixes below which anybody can open a site, those that lists of
// allowed origins name most.
var hostings = []string{
	"github.io", "pages.dev", "vercel.app", "netlify.app", "web.app", "firebaseapp.com", "herokuapp.com", "azurewebsites.net",
	"cloudfront.net", "onrender.com", "s3.amazonaws.com", "workers.dev", "ngrok-free.app", "ngrok.io", "fly.dev", "amplifyapp.com",
	"azurestaticapps.net", "gitlab.io", "a.run.app", "up.railway.app", "myshopify.com", "replit.app", "replit.dev", "lovable.app",
	"surge.sh", "trycloudflare.com", "webflow.io", "csb.app",
}

// hosting asks as a site that somebody else opened where the server's are.
func (q *inquiry) hosting(ctx context.Context, all []name) {
	site := q.site
	if site == "" && len(q.like) > 0 {
		site = q.like[0].RegistrableDomain()
	}
	label, _, _ := strings.Cut(site, ".")
	var origins []string
	add := func(host string) {
		if at := q.scheme + "://" + host; !slices.Contains(origins, at) {
			origins = append(origins, at)
		}
	}
	for _, n := range all {
		if suffix, icann := publicsuffix.PublicSuffix(n.Host()); !icann && strings.Contains(suffix, ".") {
			label, _, _ := strings.Cut(n.RegistrableDomain(), ".")
			add(q.word(8) + "." + suffix)
			if label != "" {
				add(label + "-" + q.word(8) + "." + suffix)
			}
		}
	}
	for _, suffix := range hostings {
		add(q.word(8) + "." + suffix)
	}
	if label != "" {
		add(label + "-" + q.word(8) + ".vercel.app")
		add(q.word(8) + "-" + label + ".vercel.app")
		add(label + "-" + q.word(8) + ".netlify.app")
	}
	q.reportAll("shared-hosting", High, q.any(ctx, origins...))
}

// dangling looks for allowed names that nobody has. Of one of the server's own
// site somebody has to take what it points to; of another site, the whole domain
// may be for sale.
func (q *inquiry) dangling(ctx context.Context, all []name) {
	if q.auditor.LookupHost == nil {
		return
	}
	missing := func(host string) bool {
		ctx, cancel := context.WithTimeout(ctx, q.auditor.timeout())
		defer cancel()
		_, err := q.auditor.LookupHost(ctx, host+".") // below no other
		var no *net.DNSError
		return errors.As(err, &no) && no.IsNotFound
	}
	for _, n := range all {
		site := n.RegistrableDomain()
		if !n.allowed || site == "" || n.Host() == q.host || !missing(n.Host()) {
			continue
		}
		severity := Medium
		if site != q.site && missing(site) {
			severity = High
		}
		q.reportAll("dangling-name", severity, q.any(ctx, n.String()))
	}
}

// places asks as pages that are somewhere else in each visitor's network.
func (q *inquiry) places(ctx context.Context) {
	end := "." + q.word(4) + ".com"
	begins := q.any(ctx, q.scheme+"://localhost"+end, "http://localhost"+end, "http://127.0.0.1"+end, "http://192.168.0.1"+end, "http://10.0.0.1"+end)
	if q.found["prefix"] == nil && q.found["substring"] == nil {
		q.reportAll("prefix", High, begins)
	}
	if q.place != internet {
		return // it is one of them
	}
	q.reportAll("localhost", Medium, q.any(ctx,
		"http://localhost", "http://localhost:3000", "http://localhost:47113", "http://127.0.0.1", "https://localhost", "http://localhost:8080",
		"http://localhost:5173", "http://localhost:4200", "http://localhost:8000", "http://127.0.0.1:3000", "http://127.0.0.1:5500",
		"http://127.0.0.1:8000", "http://127.0.0.1:8080", "https://localhost:3000",
	))
	q.reportAll("private-address", Medium, q.any(ctx,
		"http://192.168.0.1", "http://192.168.1.1", "http://10.0.0.1", "http://172.16.0.1", "http://printer.local", "http://intranet",
		"http://192.168.1.1:8080", "http://10.0.0.1:3000",
	))
}

// extensions asks as extensions that any visitor may have installed.
func (q *inquiry) extensions(ctx context.Context) {
	id := strings.Repeat(q.word(9)[1:], 4)[:32] // letters from a to p
	for _, e := range []struct {
		origin  string
		browser fetch.Profile
	}{
		{"chrome-extension://" + id, fetch.Chromium},
		{"moz-extension://6f1d2a34-0c5b-4e7f-9a8d-3b2c1d0e9f8a", fetch.Firefox},
	} {
		o := q.play(ctx, attack{origin: e.origin, browsers: []fetch.Profile{e.browser}})
		if q.hits(o) {
			q.report("extension", Medium, o)
		}
	}
}
