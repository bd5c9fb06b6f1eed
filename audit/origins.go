package audit

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// A candidate is an origin to try, and why.
type candidate struct {
	origin string // serialised
	why    string // what it is to the pattern, for the line of the report
	raw    bool   // no browser has this origin
}

// The hosts that are made up, in a top-level domain that nobody can register.
const (
	label = "cors-verify"
	evil  = "evil.test"
)

// strangers are origins that nobody has: there is one that a policy does not
// know, unless it knows all.
var strangers = []string{"https://cors-verify.test", "https://cors-verify.example", "https://cors-verify.invalid"}

// members returns origins that the pattern p, written as text, matches.
func members(p origin.Pattern, text string) []candidate {
	var all []candidate
	add := func(o, why string) {
		if parsed, err := origin.Parse(o); err == nil && p.Match(parsed) {
			all = append(all, candidate{origin: o, why: why})
		}
	}
	if p.Any() {
		add(strangers[0], `as any origin by "*"`)
		add("http://cors-verify.test:8080", `as any origin by "*"`)
		return all
	}
	w := take(text)
	as := "by " + text
	switch {
	case p.Null():
		add("null", "as a page in a sandbox has it")
	case !strings.Contains(w.host, "*") && w.port != "*":
		add(text, "")
	case w.port == "*":
		add(w.origin(w.fill(label), ""), as+", on the default port")
		add(w.origin(w.fill(label), "8443"), as+", on another port")
	default:
		add(w.origin(w.fill(label), w.port), as)
	}
	if strings.HasPrefix(w.host, "*.") {
		add(w.origin(w.fill("a."+label), w.fixedPort()), as+", two labels deep")
	}
	return all
}

// nearMisses returns origins that careless code takes for ones that the pattern
// text matches. Which of them a policy allows all the same is not asked here.
func nearMisses(text string) []candidate {
	w := take(text)
	if text == "*" || text == "null" || w.host == "*" {
		return nil // nothing is near
	}
	var all []candidate
	add := func(scheme, host, port, why string) {
		if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
			port = ""
		}
		o := wildcard{scheme, host, port}.origin(host, port)
		if _, err := origin.Parse(o); err == nil {
			all = append(all, candidate{origin: o, why: why})
		}
	}
	host, port := w.fill(label), w.fixedPort()
	name := func(why string) string { return fmt.Sprintf(why, text) }
	add(w.scheme, host+"."+evil, port, name("it only begins like %s"))
	suffix, subdomains := strings.CutPrefix(w.host, "*.")
	switch {
	case subdomains:
		add(w.scheme, "evil"+suffix, port, name("it only ends like %s"))
		add(w.scheme, suffix, port, name("it is the parent, not below it as %s"))
	case strings.Contains(w.host, "*"):
		add(w.scheme, w.fill("a."+label), port, name("it has two labels for the wildcard in %s"))
		add(w.scheme, w.fill(""), port, name("it has nothing for the wildcard in %s"))
	default:
		add(w.scheme, "evil"+host, port, name("it only ends like %s"))
		add(w.scheme, label+"."+host, port, name("it is below %s"))
	}
	// The last dot stands before a top-level domain: nobody can register another
	// letter there.
	for i := range strings.LastIndexByte(w.host, '.') {
		if w.host[i] == '.' && !(subdomains && i == 1) {
			other := wildcard{w.scheme, w.host[:i] + "x" + w.host[i+1:], w.port}
			add(w.scheme, other.fill(label), port, name("it has another letter for a dot in %s"))
		}
	}
	add(otherScheme[w.scheme], host, "", name("its scheme is not that of %s"))
	if w.port != "*" {
		other := "8443"
		if port == other {
			other = "8444"
		}
		add(w.scheme, host, other, name("its port is not that of %s"))
	}
	add(w.scheme, host+".", port, name("it has a dot after %s"))
	if upper := strings.ToUpper(w.origin(host, port)); upper != w.origin(host, port) {
		all = append(all, candidate{origin: upper, why: name("it is upper case, as browsers never send %s"), raw: true})
	}
	return all
}

var otherScheme = map[string]string{"https": "http", "http": "https"}

// allowed asks the policy whether pages of the origin o may read.
func allowed(m *cors.Middleware, o string) bool {
	return m.Decide(context.Background(), cors.Request{Method: http.MethodGet, Origin: []string{o}}).Allowed
}

// A wildcard is a pattern taken apart to make up origins; package origin says
// what they match.
type wildcard struct{ scheme, host, port string }

func take(pattern string) wildcard {
	var w wildcard
	w.scheme, w.host, _ = strings.Cut(pattern, "://")
	if i := strings.LastIndexByte(w.host, ':'); i > strings.LastIndexByte(w.host, ']') {
		w.host, w.port = w.host[:i], w.host[i+1:]
	}
	return w
}

// fill returns the host with s for its wildcard.
func (w wildcard) fill(s string) string { return strings.Replace(w.host, "*", s, 1) }

// fixedPort is the port, or the default one where any will do.
func (w wildcard) fixedPort() string {
	if w.port == "*" {
		return ""
	}
	return w.port
}

func (w wildcard) origin(host, port string) string {
	if port != "" {
		host += ":" + port
	}
	return w.scheme + "://" + host
}
