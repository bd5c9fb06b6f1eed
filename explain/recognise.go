package explain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// Heard is what a browser's console said.
type Heard struct {
	Browser   fetch.Profile
	Key       string // the browser's own name for the message, where it has one
	Preflight bool   // it says that a preflight failed
	Line      string // that was recognised
	Page      string // origin of the page, "" where the browser does not say

	cause Cause
	facts facts
}

// Recognise reads what was copied from a browser's console, and returns each
// failure that it speaks of, once: Firefox and WebKit print several lines for
// one. It is nil where nothing is recognised.
func Recognise(text string) (all []Heard) {
	for line := range strings.Lines(unwrap(text)) {
		line = normalise(line)
		if len(line) > longestLine {
			line = line[:longestLine]
		}
		if h, ok := recogniseLine(line); ok {
			all = append(all, h)
		}
	}
	return withoutEchoes(all)
}

// longestLine is how much of a line is read; a message holds one URL or two.
const longestLine = 16 << 10

// unwrap joins lines that a terminal or a mail has broken: one that begins in the
// middle of a sentence belongs to the one before.
func unwrap(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		begins := strings.TrimSpace(line)
		if b.Len() > 0 && !placed.MatchString(begins) && middle.MatchString(begins) {
			b.WriteByte(' ')
		} else {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimSuffix(line, "\n"))
	}
	return b.String()
}

var (
	// placed begins with where in the page's code it happened, as in "app.js:12 ".
	placed = regexp.MustCompile(`^\S+:\d+(:\d+)?(\s|$)`)
	middle = regexp.MustCompile(`^([a-z'"(‘“]|No 'Access|The '?Access|The value of|It does not|Redirect is not|Response to preflight|Status code|Method [a-zA-Z]+ is not allowed by Access-Control-Allow-Methods in|Request header field \S+ is not allowed by Access-Control-Allow-Headers in|Cannot parse)`)
)

func normalise(line string) string {
	line = strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`, "\u00a0", " ").Replace(line)
	return strings.Join(strings.Fields(line), " ")
}

// recogniseLine finds the message that says most: "net::ERR_FAILED" stands behind
// any other.
func recogniseLine(line string) (Heard, bool) {
	best, length := Heard{}, -1
	for i, m := range messages {
		p := patterns()[i]
		match := p.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		said := len(p.String())
		if said <= length {
			continue
		}
		h := Heard{Browser: m.browser, Key: m.key, Preflight: m.preflight, Line: line, cause: m.cause, facts: facts{}}
		for j, name := range p.SubexpNames() {
			if name != "" {
				h.facts[name] = match[j]
			}
		}
		best, length = h, said
	}
	if length < 0 {
		return Heard{}, false
	}
	best.around(line)
	return best, true
}

// around reads what stands before the message: URLs, origin, preflight or not.
func (h *Heard) around(line string) {
	if m := chromiumBefore.FindStringSubmatch(line); m != nil && h.Browser == fetch.Chromium {
		h.facts["url"], h.facts["first"], h.Page = m[1], m[2], m[3]
	}
	if m := chromiumAfter.FindStringSubmatch(line); m != nil && h.Browser == fetch.Chromium && h.Page == "" {
		h.Page = m[1]
	}
	if h.Page == "" {
		h.Page = h.facts["page"]
	}
	if o := h.facts["origin"]; o != "" {
		h.Page = o
	}
	if m := firefoxBefore.FindStringSubmatch(line); m != nil && h.Browser == fetch.Firefox {
		h.facts["url"] = strings.Trim(m[1], "'")
	}
	if strings.Contains(line, chromiumPF) {
		h.Preflight = true
	}
	if m := webkitBefore.FindStringSubmatch(line); m != nil && h.Browser == fetch.WebKit {
		h.facts["location"] = m[1]
	}
	if h.facts["url"] == "" {
		if m := anyURL.FindString(line); m != "" && h.Page != m {
			h.facts["url"] = m
		}
	}
}

var (
	chromiumBefore = regexp.MustCompile(`Access to (?:\S+ )?at '([^']*)'(?: \(redirected from '([^']*)'\))? from origin '([^']*)'`)
	chromiumAfter  = regexp.MustCompile(`Origin '([^']*)' is therefore not allowed access`) // before 2018
	firefoxBefore  = regexp.MustCompile(`(?:remote resource at) (\S+?)\.? \(`)
	webkitBefore   = regexp.MustCompile(`Cross-origin redirection to (\S+) denied`)
	anyURL         = regexp.MustCompile(`https?://[^\s'"]+[^\s'".,:;)]`)
)

// patterns are messages turned round, once somebody asks.
var patterns = sync.OnceValue(func() []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(messages))
	for i, m := range messages {
		text := normalise(strings.TrimSuffix(m.text, chromiumAdvice))
		if !strings.HasSuffix(text, "}.") {
			text = strings.TrimSuffix(text, ".") // who copies by hand leaves it out
		}
		all[i] = regexp.MustCompile(turn(text))
	}
	return all
})

func turn(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(regexp.QuoteMeta(before))
		if !ok {
			return b.String()
		}
		var name string
		name, text, _ = strings.Cut(rest, "}")
		switch name {
		case "status":
			b.WriteString(`(?P<status>\d{3}|\(null\))`)
		case "value", "list":
			b.WriteString(`(?P<` + name + `>.*?)`)
			if text == "" {
				b.WriteString(`$`)
				return b.String()
			}
		default:
			b.WriteString(`(?P<` + name + `>\S+?)`)
			if text == "" {
				return b.String() + `(?:$|\s)`
			}
		}
	}
}

// withoutEchoes drops the lines that a browser prints beside the one that says
// something.
func withoutEchoes(all []Heard) (kept []Heard) {
	for i, h := range all {
		echo := func(near Heard) bool {
			if near.Browser != h.Browser {
				return false
			}
			switch {
			case h.Key == "access" || h.Key == "ERR_FAILED":
				return near.Key != h.Key
			case h.Key == "SRI":
				return near.Key == "digest"
			case h.Key == "CORSDidNotSucceed2":
				// A redirect to another scheme is reported with that URL.
				return near.Key != h.Key && (sameURL(near, h) || near.Key == "CORSRequestNotHttp")
			case h.Key == "CORSPreflightDidNotSucceed3":
				return near.Key == "CORSExternalRedirectNotAllowed"
			}
			return false
		}
		if h.Key == "access" && i > 0 && all[i-1].Browser == h.Browser && all[i-1].facts["url"] == "" {
			all[i-1].facts["url"] = h.facts["url"] // the reason, printed before it, names none
		}
		if i > 0 && echo(all[i-1]) || i > 1 && echo(all[i-2]) || i+1 < len(all) && (h.Key == "access" && echo(all[i+1]) || h.Key == "mode" && all[i+1].Browser == h.Browser && all[i+1].Key != "mode") {
			continue
		}
		if slices.ContainsFunc(kept, func(k Heard) bool {
			return k.Browser == h.Browser && k.Key == h.Key && k.cause == h.cause && k.facts["value"] == h.facts["value"] && sameURL(k, h)
		}) {
			continue
		}
		kept = append(kept, h)
	}
	return kept
}

func sameURL(a, b Heard) bool {
	return a.facts["url"] == b.facts["url"] || a.facts["url"] == "" || b.facts["url"] == ""
}

// Diagnose makes a diagnosis of what was heard, without asking anybody: as far as
// the browser told, and no further.
func (h Heard) Diagnose(showSecrets bool) *Diagnosis {
	e := &fetch.BlockedError{Preflight: h.Preflight, Name: header.Lower(h.facts["name"]), Origin: h.Page, URL: h.facts["url"]}
	if e.Origin == "" {
		e.Origin = somePage // not null, which is a failure of its own
	}
	if e.URL == "" {
		e.URL = someURL
	}
	if codes := h.cause.Codes(); len(codes) > 0 {
		e.Code = codes[0]
	}
	x := &fetch.Exchange{Preflight: h.Preflight, Method: "GET", URL: e.URL}
	status := ""
	x.Status, _ = strconv.Atoi(h.facts["status"]) // "(null)" is none
	if x.Status == 0 {
		x.Status = 200
		if h.Preflight {
			x.Status = 204
		}
		switch h.cause { // of which Chromium says no more than that they failed
		case "preflight-status":
			x.Status, status = 500, "4xx/5xx"
		case "preflight-redirect":
			x.Status, status = 302, "3xx"
		}
	}
	if h.Preflight {
		x.Method = "OPTIONS"
		if m := h.facts["method"]; m != "" {
			x.RequestHeader = append(x.RequestHeader, header.Field{Name: header.AccessControlRequestMethod, Value: m})
		}
		if e.Name != "" {
			x.RequestHeader = append(x.RequestHeader, header.Field{Name: header.AccessControlRequestHeaders, Value: e.Name})
		}
	}
	h.fill(e, x)
	q := Question{Page: e.Origin, Request: &fetch.Request{URL: e.URL, Method: h.facts["method"]}, ShowSecrets: showSecrets}
	if e.Origin == "null" {
		q.Page, q.Opaque = "https://sandbox.invalid/", true
	}
	if e.Code == fetch.CodeWildcardOrigin || e.Code == fetch.CodeAllowCredentials {
		q.Request.Credentials = fetch.CredentialsInclude
	}
	if h.cause.Class() != ClassNetwork && h.cause.Class() != ClassPage && h.cause != "unknown" {
		e.Exchanges = []*fetch.Exchange{x}
	}
	d := Diagnose(q, Result{Blocked: e})
	if d.keeps(h.cause) {
		d.Cause = h.cause
	}
	if status != "" {
		d.facts["status"] = status
	}
	if h.Browser == fetch.Firefox && h.cause == "network-failure" {
		d.note("firefox-says-cors", nil)
	}
	d.heard = true
	return d
}

// keeps reports whether what was heard is finer than what can be found by looking
// again.
func (d *Diagnosis) keeps(heard Cause) bool {
	switch heard {
	case "missing-allow-origin", "origin-other", "preflight-status", "origin-list", "allow-credentials-value", "allow-credentials-missing",
		"header-not-listed", "method-not-listed", "origin-not-an-origin":
		return false
	}
	return true
}

// fill gives the code what it was decided by.
func (h Heard) fill(e *fetch.BlockedError, x *fetch.Exchange) {
	value := h.facts["value"]
	decided := func(name string) {
		e.Header, e.Value = name, value
		if value != "" {
			x.ResponseHeader = append(x.ResponseHeader, header.Field{Name: name, Value: value})
		}
	}
	switch h.cause {
	case "origin-other", "origin-list", "origin-not-an-origin":
		e.Header, e.Value = header.AccessControlAllowOrigin, value
		x.ResponseHeader = append(x.ResponseHeader, header.Field{Name: header.AccessControlAllowOrigin, Value: value})
	case "missing-allow-origin":
		e.Header = header.AccessControlAllowOrigin
	case "wildcard-with-credentials":
		value = "*"
		decided(header.AccessControlAllowOrigin)
	case "doubled-header":
		e.Header = header.AccessControlAllowOrigin
	case "allow-credentials-value", "allow-credentials-missing":
		decided(header.AccessControlAllowCredentials)
	case "methods-syntax":
		decided(header.AccessControlAllowMethods)
	case "headers-syntax":
		decided(header.AccessControlAllowHeaders)
	case "method-not-listed":
		// Which methods are listed, no browser says.
		e.Header, e.Value = header.AccessControlAllowMethods, unheard
	case "header-not-listed":
		e.Header, e.Value = header.AccessControlAllowHeaders, unheard
		if header.IsNonWildcardRequestName(e.Name) {
			e.Code = fetch.CodeAuthorizationNotAllowed
		}
	case "authorization-wildcard":
		value = "*"
		decided(header.AccessControlAllowHeaders)
	case "redirect-credentials", "redirect-scheme", "location":
		if value == "" {
			value = h.facts["location"]
		}
		decided("Location")
		x.Status = 302
	}
}

// What the browser does not say is called what the configurations call it.
const (
	somePage = "https://app.example.com"
	someURL  = "https://api.example.com/"
)

// unheard stands for a list that nobody repeated.
const unheard = "?"
