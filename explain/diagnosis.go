package explain

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Question is a fetch that a page makes.
type Question struct {
	Page    string // URL of the page's document
	Opaque  bool   // the page is in a sandbox, and has no origin
	Request *fetch.Request

	// Cookies are in the browser before the page fetches, each as in Set-Cookie.
	// One without attributes is sent across sites if it can be.
	Cookies []string

	// ShowSecrets leaves cookies, passwords and tokens as they are. Otherwise
	// no diagnosis holds any.
	ShowSecrets bool
}

// A Result is what came of a fetch: a Response, or why it is blocked.
type Result struct {
	Response *fetch.Response
	Blocked  *fetch.BlockedError
	Events   []fetch.Event // what the request's Trace was told; may be nil
	Body     []byte        // what begins the body that the page reads; may be nil
}

// A Verdict says in a word what came of a fetch.
type Verdict string

// The verdicts.
const (
	Works       Verdict = "works"
	Hidden      Verdict = "opaque"      // not refused, but nothing can be read
	Blocked     Verdict = "blocked"     // the browser does not let the page read
	Unreachable Verdict = "unreachable" // no answer came: not CORS
)

// A Diagnosis says why a fetch is blocked, or that it works. It holds no secret
// that the question does not ask to be shown.
type Diagnosis struct {
	Verdict Verdict
	Cause   Cause
	Code    fetch.Code // fetch.CodeUnknown where nothing is blocked
	Step    fetch.Step // of the standard; zero where nothing is blocked

	Page      string // the page's origin
	Origin    string // as the server that decided saw it
	Method    string // of the request
	URL       string // that was asked first
	BlockedAt string // URL at which it was blocked, after Hop redirects
	Hop       int
	Preflight bool // it was the preflight that failed
	Status    int  // of the response that decided; 0 where none came
	Said      string

	// Header is the one that decided, with an empty Name where none did.
	Header Offence

	// Reasons are why there was a preflight.
	Reasons []Reason

	// Exchanges went over the wire, in order.
	Exchanges []*fetch.Exchange

	// At is the index of the exchange that decided, -1 where nothing was sent.
	At int

	// Remarks are what else is worth knowing.
	Remarks []Remark

	// Need is what a policy must allow for this fetch.
	Need Need

	// Server is what seems to have answered; "" where nothing tells.
	Server Server

	// Browsers are what each browser makes of it: see [Ask].
	Browsers []Outcome

	credentials fetch.Credentials
	mode        fetch.Mode
	destination fetch.Destination
	algorithm   string   // of the request's integrity metadata
	document    string   // the page's URL
	heard       bool     // from a console: what is not known was not asked
	written     []string // header names as the page wrote them
	facts       facts
	secrets     *secrets
}

// An Offence is a header, or with the name ":status" a status, that is not as it
// should be.
type Offence struct {
	Name string
	Sent []string // its lines as they were sent; nil where there was none
	Want string   // what it should be
}

// A Reason is a reason for which a request needs a preflight.
type Reason struct {
	Header string // the name, or "" where it is not for a header
	Method string // the method, or "" where it is not for the method
	why    phrase
	facts  facts
}

// Text says the reason.
func (r Reason) Text(l Language) string { return r.why.in(l, r.facts) }

// Diagnose says what came of the fetch that q asks about.
func Diagnose(q Question, res Result) *Diagnosis {
	req := q.Request
	if req == nil {
		req = &fetch.Request{}
	}
	d := &Diagnosis{Method: header.NormalizeMethod(req.Method), URL: req.URL, At: -1, document: q.Page, credentials: req.Credentials, secrets: newSecrets(q)}
	if d.Method == "" {
		d.Method = "GET"
	}
	d.mode, d.destination = req.Mode, req.Destination
	d.algorithm, _, _ = strings.Cut(req.Integrity, "-")
	for _, f := range req.Header {
		d.written = append(d.written, f.Name)
	}
	page := (&fetch.Browser{}).Open(q.Page)
	page.Opaque = q.Opaque
	d.Page = page.Origin().String()
	d.Origin = d.Page
	d.URL = resolve(q.Page, req.URL)
	d.BlockedAt = d.URL
	var exchanges []*fetch.Exchange
	switch {
	case res.Blocked != nil:
		exchanges = res.Blocked.Exchanges
		d.fromBlocked(res.Blocked)
	case res.Response != nil:
		exchanges = res.Response.Exchanges
		d.Verdict, d.Status = Works, res.Response.Status
		if n := len(exchanges); n > 0 && d.Status == 0 {
			d.Status = exchanges[n-1].Status // which the page does not see
		}
	}
	d.secrets.learnAll(exchanges)
	d.Reasons = d.preflightReasons(req, exchanges)
	d.At = len(exchanges) - 1
	d.Need = d.policy(req, exchanges)
	d.facts = d.gather(res.Blocked, exchanges)
	d.facts["command"] = d.command(req)
	switch {
	case res.Blocked != nil:
		d.Cause = refine(d, res.Blocked, exchanges)
	case res.Response != nil:
		d.fromResponse(req, res)
	}
	d.Header = d.offence(res.Blocked, exchanges)
	d.Server = guess(exchanges)
	d.remark(q, res, exchanges)
	d.mask(exchanges)
	return d
}

func (d *Diagnosis) fromBlocked(e *fetch.BlockedError) {
	d.Verdict, d.Code, d.Step = Blocked, e.Code, e.Step
	if e.Code == fetch.CodeNetwork || e.Code == fetch.CodeAborted || e.Code == fetch.CodePrivateAddress {
		d.Verdict = Unreachable
	}
	d.Hop, d.Preflight = e.Hop, e.Preflight
	if e.URL != "" {
		d.BlockedAt = e.URL
	}
	if e.Origin != "" {
		d.Origin = e.Origin
	}
	if e.Err != nil {
		d.Said = e.Err.Error()
	}
	if n := len(e.Exchanges); n > 0 {
		d.Status = e.Exchanges[n-1].Status
	}
}

func (d *Diagnosis) fromResponse(req *fetch.Request, res Result) {
	d.Cause = "works"
	switch res.Response.Type {
	case fetch.TypeOpaque:
		d.Verdict, d.Cause = Hidden, "opaque"
	case fetch.TypeOpaqueRedirect:
		d.Verdict, d.Cause = Hidden, "opaque-redirect"
	case fetch.TypeBasic:
		d.Cause = "works-same-origin"
	}
	if d.Verdict != Works {
		return
	}
	contentType, _ := res.Response.Get("Content-Type")
	essence := ""
	if m, ok := header.ParseMIMEType(contentType); ok {
		essence = m.Essence()
	}
	switch {
	case d.Status >= 400:
		d.Cause = "works-with-error"
	case essence == "text/html" && wantsData(req, res.Response):
		d.Cause = "works-unexpected-body"
	}
}

// wantsData reports whether a page of HTML is not what the request hopes for.
func wantsData(req *fetch.Request, res *fetch.Response) bool {
	for _, f := range req.Header {
		if header.EqualFold(f.Name, "Accept") || header.EqualFold(f.Name, "Content-Type") {
			if strings.Contains(header.Lower(f.Value), "json") {
				return true
			}
		}
	}
	u, err := url.Parse(req.URL)
	if err != nil {
		return false
	}
	path := strings.ToLower(u.Path)
	return res.Redirected && looksLikeLogin(res.URL) || strings.Contains(path, "/api/") || strings.HasSuffix(path, ".json") ||
		strings.HasSuffix(path, "/api") || strings.Contains(path, "graphql") || strings.HasPrefix(strings.ToLower(u.Host), "api.")
}

// gather collects what sentences speak of.
func (d *Diagnosis) gather(e *fetch.BlockedError, exchanges []*fetch.Exchange) facts {
	host, port := hostPort(d.BlockedAt)
	f := facts{
		"origin": d.allow(), "page": d.Page, "url": d.show(d.BlockedAt), "host": d.show(host), "port": port,
		"https": d.show(withScheme(d.BlockedAt, "https")), "http": d.show(withScheme(d.BlockedAt, "http")),
		"status": strconv.Itoa(d.Status), "method": d.sentMethod(exchanges), "location": d.show(d.BlockedAt),
	}
	f["upper"] = strings.ToUpper(f["method"])
	if len(exchanges) > 0 {
		if location := get(exchanges[len(exchanges)-1].ResponseHeader, "Location"); location != "" {
			f["location"] = d.show(resolve(exchanges[len(exchanges)-1].URL, location))
		}
	}
	if e != nil {
		f["header"], f["value"], f["name"] = e.Header, d.show(e.Value), e.Name
		if e.Code == fetch.CodePreflightStatus && d.Status == 0 {
			f["status"] = e.Value
		}
	}
	return f
}

// command is how to ask for the same with the command.
func (d *Diagnosis) command(req *fetch.Request) string {
	words := []string{"cors", "explain", d.URL, "--origin", d.Page}
	if d.Method != "GET" {
		words = append(words, "-X", d.Method)
	}
	for _, f := range req.Header {
		f = d.secrets.field(f)
		words = append(words, "-H", f.Name+": "+f.Value)
	}
	if req.Credentials == fetch.CredentialsInclude {
		words = append(words, "--credentials", "include")
	}
	for i, w := range words {
		if w = escape(brief(d.secrets.hide(w))); strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}

// sentMethod is the method that the server was asked for, which a redirect may
// have changed.
func (d *Diagnosis) sentMethod(exchanges []*fetch.Exchange) string {
	if len(exchanges) == 0 {
		return d.Method
	}
	last := exchanges[len(exchanges)-1]
	if last.Preflight {
		if m := get(last.RequestHeader, header.AccessControlRequestMethod); m != "" {
			return m
		}
		return d.Method
	}
	return last.Method
}

// Sentence says what is wrong, in one or two.
func (d *Diagnosis) Sentence(l Language) string {
	if e := d.Cause.entry(); e != nil {
		return e.what.in(l, d.facts)
	}
	return ""
}

// Mend says what to change, without a capital or full stop in English.
func (d *Diagnosis) Mend(l Language) string {
	if e := d.Cause.entry(); e != nil {
		return e.mend.in(l, d.facts)
	}
	return ""
}

// PageCode is JavaScript that helps where the page can mend it; else "".
func (d *Diagnosis) PageCode() string {
	if e := d.Cause.entry(); e != nil {
		return d.facts.fill(e.page)
	}
	return ""
}

// IsCORS reports whether the fetch would go through if the server sent other
// CORS headers.
func (d *Diagnosis) IsCORS() bool { return d.Verdict == Blocked && d.Code.IsCORS() }

// allow is the Access-Control-Allow-Origin to wish for: never null, which any page
// can take on.
func (d *Diagnosis) allow() string {
	if d.Origin == "null" {
		return "*"
	}
	return d.Origin
}

// offence is the header that decided, as it was sent and as it should be.
func (d *Diagnosis) offence(e *fetch.BlockedError, exchanges []*fetch.Exchange) Offence {
	if e == nil || d.At < 0 {
		return Offence{}
	}
	o := Offence{Name: e.Header, Sent: header.Lines(exchanges[d.At].ResponseHeader, e.Header)}
	switch e.Code {
	case fetch.CodePreflightStatus:
		return Offence{Name: ":status", Sent: []string{strconv.Itoa(d.Status)}, Want: "204"}
	case fetch.CodeProxyAuthentication:
		return Offence{Name: ":status", Sent: []string{strconv.Itoa(d.Status)}, Want: "200"}
	case fetch.CodeMissingAllowOrigin, fetch.CodeMultipleAllowOrigin, fetch.CodeOriginMismatch, fetch.CodeWildcardOrigin:
		if d.Cause == "origin-opaque" || d.Cause == "origin-tainted" {
			return o // null is no value to wish for
		}
		o.Want = d.allow()
	case fetch.CodeAllowCredentials:
		o.Want = "true"
	case fetch.CodeAllowMethodsSyntax, fetch.CodeMethodNotAllowed:
		o.Want = strings.Join(d.Need.Methods, ", ")
		if d.Cause == "method-case" {
			o.Want = ""
		}
	case fetch.CodeAllowHeadersSyntax, fetch.CodeAuthorizationNotAllowed, fetch.CodeHeaderNotAllowed:
		o.Want = strings.Join(d.Need.Headers, ", ")
	case fetch.CodeCORP:
		o.Want = "cross-origin"
	}
	return o
}

// get is the lines of name joined by ", ".
func get(list []header.Field, name string) string {
	return strings.Join(header.Lines(list, name), ", ")
}

// resolve makes ref absolute for the eye; the engine's own parser judges.
func resolve(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ref
	}
	u, err := b.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

func hostPort(rawURL string) (host, port string) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL, ""
	}
	port = u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Host, port
}

func withScheme(rawURL, scheme string) string {
	if _, rest, ok := strings.Cut(rawURL, "://"); ok {
		return scheme + "://" + rest
	}
	return rawURL
}
