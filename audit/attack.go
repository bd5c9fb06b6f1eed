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
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// An attack is a fetch by a page that should not get what it asks for.
type attack struct {
	origin        string // as it stands in Origin; "" for a page of the server itself
	page          string // URL of the page; "" for the root of its origin
	url           string // "" for that of the inquiry
	request       fetch.Request
	preflightOnly bool
	browsers      []fetch.Profile // that can have such a page; nil for all
}

// everyBrowser is who has to judge; the standard judges for those to come.
var everyBrowser = []fetch.Profile{fetch.Standard, fetch.Chromium, fetch.Firefox, fetch.WebKit}

// An outcome is what came of an attack.
type outcome struct {
	attack
	with, without []fetch.Profile // where the page gets it, with credentials and without
	evidence      []*fetch.Exchange
	first         *fetch.Exchange // to which there was an answer; or nil
	failed        error           // of the network
	elsewhere     string          // where it redirects to
	at            string          // URL of the answer that the page got
	code          fetch.Code      // for which the standard blocks it with credentials
	asked         fetch.Request   // which the evidence is of
	asPage        string
}

const auditAgent = "Mozilla/5.0 (compatible; " + botName + ")"

// play has every browser make the attack, with credentials and where that fails
// without.
func (q *inquiry) play(ctx context.Context, at attack) *outcome {
	o := &outcome{attack: at, asPage: at.page}
	if at.url == "" {
		at.url = q.url
	}
	if o.asPage == "" {
		o.asPage = at.origin + "/"
	}
	var through http.RoundTripper = q.memo
	if at.preflightOnly {
		through = preflightsOnly{q.memo}
	}
	opaque := at.origin == "null"
	switch {
	case at.origin == "":
		o.asPage = q.base.String() + "/"
	case opaque:
		o.asPage = q.scheme + "://sandbox.invalid/"
	}
	for _, profile := range everyBrowser {
		if at.browsers != nil && !slices.Contains(at.browsers, profile) || profile == fetch.Chromium && q.isMorePrivateThan(o.asPage) {
			continue
		}
		for _, credentials := range []fetch.Credentials{fetch.CredentialsInclude, fetch.CredentialsOmit} {
			b := &fetch.Browser{Profile: profile, Transport: through, UserAgent: auditAgent}
			page := b.Open(o.asPage)
			page.Opaque = opaque
			request := at.request
			request.URL, request.Credentials = at.url, credentials
			if got := page.Origin().String(); at.origin != "" && got != at.origin {
				return o // no page has this origin
			}
			gets, exchanges := o.try(ctx, b, page, &request, profile == fetch.Standard && credentials == fetch.CredentialsInclude)
			if o.first == nil {
				for _, e := range exchanges {
					if e.Status != 0 {
						o.first = e
						break
					}
				}
			}
			if !gets {
				continue
			}
			if o.evidence == nil || credentials == fetch.CredentialsInclude && len(o.with) == 0 {
				o.evidence, o.asked = exchanges, request
			}
			if credentials == fetch.CredentialsInclude {
				o.with = append(o.with, profile)
				break // it gets it without, too, for what that is worth
			}
			o.without = append(o.without, profile)
		}
	}
	return o
}

// isMorePrivateThan reports whether the server is on a private network and the
// page at url is not: Chromium asks the visitor first whether it may reach there,
// and does not even ask where the page is insecure.
//
// https://wicg.github.io/local-network-access/
func (q *inquiry) isMorePrivateThan(url string) bool {
	page := new(fetch.Browser).Open(url).Origin()
	return q.place == privateNetwork && placeOf(page.Host()) == internet
}

// try makes one fetch, and reports whether the page gets what it wants.
func (o *outcome) try(ctx context.Context, b *fetch.Browser, page *fetch.Page, request *fetch.Request, decides bool) (gets bool, exchanges []*fetch.Exchange) {
	res, err := fetchIn(ctx, b, page, request)
	if err == nil {
		// The kept part of the body is what the page reads.
		_, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		o.at = res.URL
		return err == nil && (res.Type == fetch.TypeCORS || o.origin == ""), res.Exchanges
	}
	var blocked *fetch.BlockedError
	if !errors.As(err, &blocked) {
		return false, nil
	}
	var other elsewhere
	switch to := new(fetch.Browser).Open(blocked.URL).Origin(); {
	case errors.Is(blocked.Err, errPreflightPassed):
		return blocked.Exchanges[0].Preflight && blocked.Exchanges[0].Status != 0, blocked.Exchanges
	case errors.As(blocked.Err, &other):
		o.elsewhere = other.server
	case blocked.Hop > 0 && o.origin == "" && to != page.Origin(): // it may be blocked as mixed content
		o.elsewhere = to.String()
	case !blocked.Code.IsCORS() && blocked.Err != nil:
		o.failed = blocked.Err
	}
	if decides {
		o.code = blocked.Code
	}
	return false, blocked.Exchanges
}

// fetchIn has a page of b fetch. WebKit takes http://localhost for mixed content;
// what is asked there stands for a server elsewhere, over https, and is judged as
// the standard does.
func fetchIn(ctx context.Context, b *fetch.Browser, page *fetch.Page, request *fetch.Request) (*fetch.Response, error) {
	res, err := page.Fetch(ctx, request)
	var blocked *fetch.BlockedError
	if b.Profile != fetch.WebKit || !errors.As(err, &blocked) || blocked.Code != fetch.CodeMixedContent || len(blocked.Exchanges) > 0 {
		return res, err
	}
	b.Profile = fetch.Standard
	return page.Fetch(ctx, request)
}

// reach is what the page gets.
func (o *outcome) reach() Reach {
	switch {
	case len(o.with) > 0 && o.preflightOnly:
		return Sends
	case len(o.with) > 0:
		return ReadsWithCredentials
	case len(o.without) > 0 && !o.preflightOnly:
		return Reads
	}
	return Nothing
}

// lines are those of the header called name, in the first answer.
func (o *outcome) lines(name string) []string {
	if o.first == nil {
		return nil
	}
	return header.Lines(o.first.ResponseHeader, name)
}

func (o *outcome) line(name string) string { return strings.Join(o.lines(name), ", ") }

// got is what the server said, in words.
func (o *outcome) got() string {
	e := o.first
	if len(o.evidence) > 0 {
		e = o.evidence[len(o.evidence)-1]
		if e.Status == 0 {
			e = o.evidence[0]
		}
	}
	if e == nil {
		return "no answer"
	}
	said := fmt.Sprintf("status %d", e.Status)
	for _, name := range []string{
		header.AccessControlAllowOrigin, header.AccessControlAllowCredentials, header.AccessControlAllowMethods,
		header.AccessControlAllowHeaders, header.AccessControlExposeHeaders, header.AccessControlMaxAge,
	} {
		if len(header.Lines(e.ResponseHeader, name)) > 0 {
			said += ", " + says(e, name)
		}
	}
	return said
}

// status is that of the last answer.
func (o *outcome) status() int {
	for _, e := range slices.Backward(o.evidence) {
		if e.Status != 0 {
			return e.Status
		}
	}
	if o.first != nil {
		return o.first.Status
	}
	return 0
}

// variesByOrigin reports whether a cache would keep the answers apart.
func (o *outcome) variesByOrigin() bool {
	return header.VariesByOrigin(o.lines(header.Vary))
}

// isCacheable says what caches may do with the answer: keep it for everybody and
// give it without asking again, keep it at all, or nothing.
//
// https://www.rfc-editor.org/rfc/rfc9111#name-storing-responses-in-caches
func (o *outcome) isCacheable() (shared, ever bool) {
	said := o.directives("Cache-Control")
	if _, ok := said["no-store"]; ok {
		return false, false
	}
	for _, name := range []string{"CDN-Cache-Control", "Surrogate-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control"} {
		if seconds(o.directives(name), "max-age") > 0 {
			return true, true
		}
	}
	for _, name := range []string{"private", "no-cache"} {
		if _, ok := said[name]; ok {
			return false, true
		}
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		if _, ok := said[name]; ok {
			return seconds(said, name) > 0, true
		}
	}
	if expires := o.lines("Expires"); len(expires) > 0 {
		until, err := http.ParseTime(expires[0])
		now, unsaid := http.ParseTime(o.line("Date"))
		if unsaid != nil {
			now = time.Now()
		}
		return err == nil && until.After(now), true
	}
	_, public := said["public"]
	met := len(o.lines("Age"))+len(o.lines("X-Cache"))+len(o.lines("Cf-Cache-Status"))+len(o.lines("X-Cache-Status")) > 0
	return public || met, true
}

// directives are those of a header such as Cache-Control.
func (o *outcome) directives(name string) map[string]string {
	said := map[string]string{}
	for _, text := range header.Split(o.line(name)) {
		directive, argument, _ := strings.Cut(strings.ToLower(text), "=")
		said[strings.TrimSpace(directive)] = strings.Trim(argument, "\" ")
	}
	return said
}

func seconds(said map[string]string, directive string) int {
	n, err := strconv.Atoi(said[directive])
	if err != nil {
		return 0
	}
	return n
}
