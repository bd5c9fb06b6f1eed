package export

import (
	_ "embed"
	"net/url"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

//go:embed worker.js
var workerScript []byte

// workers writes a worker for Cloudflare Workers that decides as package cors
// does: a script that is always the same, and the policies as data.
//
// https://developers.cloudflare.com/workers/
func workers(j *job) error {
	p := workerPolicy{Off: len(j.rules), Routes: []workerRoute{}}
	named := len(j.upstreamURLs()) > 0
	upstream := func(u *url.URL) *string {
		switch {
		case u == nil && named:
			return nil
		case u == nil:
			return new(string)
		}
		text := u.String()
		if u.Scheme == "h2c" {
			text = "http" + strings.TrimPrefix(text, "h2c")
		}
		return &text
	}
	for _, r := range append(slices.Clone(j.rules), &rule{}) {
		p.Rules = append(p.Rules, r.worker())
	}
	for _, m := range j.matchers() {
		r := j.of(m.route)
		p.Routes = append(p.Routes, workerRoute{Host: m.host, Path: m.worker(), End: m.end(), Rule: r.number - 1, Upstream: upstream(r.upstream)})
	}
	p.Other = workerRoute{Path: []*string{}, Rule: p.Off, Upstream: upstream(j.file.Upstream)}
	j.workerFindings(named)
	j.write("worker.js", workerScript)
	if err := j.writeJSON("policy.json", p); err != nil {
		return err
	}
	return j.writeJSON("wrangler.json", workerProject{Name: "cors", Main: "worker.js", Date: workerDate})
}

// workerDate is the behaviour of Workers that the script was tried with.
const workerDate = "2026-11-01"

// worker returns what the script is told of a rule.
func (r *rule) worker() workerRule {
	w := workerRule{
		AnyOrigin:       r.anyOrigin(),
		Origins:         []string{},
		Patterns:        []string{},
		Methods:         []string{},
		RequestHeaders:  []string{},
		ExposedHeaders:  strings.Join(r.policy.ExposedHeaders, ", "),
		Credentials:     r.policy.Credentials,
		Varies:          r.varies(),
		MaxAge:          r.maxAge(),
		PreflightStatus: r.granted(),
		RefusedStatus:   r.refused(),
		PrivateNetwork:  r.policy.PrivateNetwork,
		UpstreamHeaders: r.headers.String(),
		Shadow:          r.shadow,
	}
	if !w.AnyOrigin {
		for _, o := range r.policy.Origins {
			if strings.Contains(o, "*") {
				w.Patterns = append(w.Patterns, originRegexp(o))
			} else {
				w.Origins = append(w.Origins, o)
			}
		}
	}
	methods, every := r.methods()
	w.Methods, w.AnyMethod = append(w.Methods, methods...), every
	names, every := r.names()
	for _, n := range names {
		w.RequestHeaders = append(w.RequestHeaders, header.Lower(n))
	}
	w.AnyRequestHeader = every
	return w
}

// worker returns the segments of m, nil for any one.
func (m matcher) worker() []*string {
	_, segments := m.segments()
	path := make([]*string, len(segments))
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			continue
		}
		plain, err := url.PathUnescape(s)
		if err != nil {
			plain = s
		}
		path[i] = &plain
	}
	return path
}

// end says what follows the segments: nothing, a slash, or a slash and anything.
func (m matcher) end() string {
	switch {
	case !m.exact:
		return "/*"
	case strings.HasSuffix(m.path, "/"):
		return "/"
	}
	return ""
}

// workerMethods are those that workerd's parser knows.
var workerMethods = strings.Fields(`GET HEAD POST PUT DELETE PATCH PURGE OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK ACL
	REPORT MKACTIVITY CHECKOUT MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE QUERY BAN`)

func (j *job) workerFindings(named bool) {
	if !named {
		j.find(Finding{Field: "upstream", Effect: Needs, Reason: "the file names none, and requests go to the server behind the zone", Fix: "route the zone's requests to the worker"})
	}
	j.find(Finding{Field: "lines", Effect: Needs, Reason: "a worker sees, and sends, several lines of a header as one with commas, and an empty Origin as none", Fix: "nothing: no browser sends them, and each takes the one for the other"})
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "a worker sees a path whose dot segments and backslashes are resolved, decides by it, and passes it on so", Fix: "nothing"})
	}
	for _, r := range j.rules {
		for _, m := range r.policy.Methods {
			if !slices.Contains(workerMethods, m) {
				j.findIn(r, Finding{Field: "methods", Value: m, Effect: Narrowed, Reason: "the engine of Workers answers 501 to a method that it does not know", Fix: "have pages use another"})
			}
		}
		if r.shadow {
			j.findIn(r, Finding{Field: "shadow", Value: "true", Effect: Lost, Reason: "nothing tells what would be refused", Fix: "run cors serve until the log is as it should be, then remove shadow"})
		}
		if r.upstream != nil && r.upstream.Scheme == "h2c" {
			j.findIn(r, Finding{Field: "upstream", Value: r.upstream.String(), Effect: Lost, Reason: "a worker speaks HTTP/1.1 to it", Fix: "have the upstream take both"})
		}
	}
}

// What the script is told.
type (
	workerPolicy struct {
		Rules  []workerRule  `json:"rules"`
		Off    int           `json:"off"` // the rule that allows nothing
		Routes []workerRoute `json:"routes"`
		Other  workerRoute   `json:"other"` // of what no route matches
	}
	workerRule struct {
		AnyOrigin        bool     `json:"anyOrigin"`
		Origins          []string `json:"origins"`
		Patterns         []string `json:"patterns"`
		AnyMethod        bool     `json:"anyMethod"`
		Methods          []string `json:"methods"`
		AnyRequestHeader bool     `json:"anyRequestHeader"`
		RequestHeaders   []string `json:"requestHeaders"`
		ExposedHeaders   string   `json:"exposedHeaders"`
		Credentials      bool     `json:"credentials"`
		Varies           bool     `json:"varies"`
		MaxAge           string   `json:"maxAge"`
		PreflightStatus  int      `json:"preflightStatus"`
		RefusedStatus    int      `json:"refusedStatus"`
		PrivateNetwork   bool     `json:"privateNetwork"`
		UpstreamHeaders  string   `json:"upstreamHeaders"`
		Shadow           bool     `json:"shadow"`
	}
	workerRoute struct {
		Host     string    `json:"host"`
		Path     []*string `json:"path"`
		End      string    `json:"end"`
		Rule     int       `json:"rule"`
		Upstream *string   `json:"upstream"` // null for none, "" for the server behind the zone
	}
	workerProject struct {
		Name string `json:"name"`
		Main string `json:"main"`
		Date string `json:"compatibility_date"`
	}
)
