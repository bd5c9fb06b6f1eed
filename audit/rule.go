package audit

import (
	"fmt"

	"github.com/crossorigin/cors/header"
)

// A Severity says how bad a finding is.
type Severity uint8

// The severities.
const (
	Info   Severity = iota // worth knowing; no page reads what it should not
	Low                    // pages of the same site can, or the server's own pages cannot
	Medium                 // pages can that need something first: one browser, a place on the network
	High                   // any page can, with the visitor's credentials
)

var severityNames = []string{"info", "low", "medium", "high"}

func (s Severity) String() string { return severityNames[s] }

// ParseSeverity reads the name of a severity.
func ParseSeverity(name string) (Severity, error) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("audit: %q is no severity; write info, low, medium or high", name)
}

// A Rule is a kind of mistake that the auditor knows.
type Rule struct {
	ID    string // stable, as in "reflect-any"
	Title string // in one line, without capital or full stop
	CWE   int    // of the Common Weakness Enumeration; 0 for none
	Mend  string // what to change, without capital or full stop
}

// Link is where to read more about r: the weakness in the enumeration, or for
// what is no weakness the standard.
func (r Rule) Link() string {
	if r.CWE == 0 {
		return "https://fetch.spec.whatwg.org/#http-cors-protocol"
	}
	return fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", r.CWE)
}

// Rules returns every rule, in the order in which findings are told.
func Rules() []Rule { return append([]Rule(nil), rules...) }

const compareWhole = "compare whole origins, byte for byte, with a list of those that may read; use no pattern that a longer name can match"

// rules are what a server can do wrong. Nothing of their names may change.
var rules = []Rule{
	{"reflect-any", "any origin is allowed", 942, "send " + header.AccessControlAllowOrigin + " to the origins on a list alone; echo no other"},
	{"reflect-referer", "the origin is allowed by what Referer says", 346, "judge by Origin alone: a page chooses what it says in Referer, also nothing"},
	{"reflect-forwarded", "the origin is allowed by what X-Forwarded-Host says", 346, "judge by Origin and a list; take X-Forwarded-Host from your own proxies alone, and let them overwrite it: a page may send it"},
	{"null", "the origin null is allowed, which any page can have in a sandbox", 942, "send no " + header.AccessControlAllowOrigin + ": null; it is the origin of whoever wants it"},
	{"prefix", "origins that only begin like a trusted one are allowed", 346, compareWhole},
	{"suffix", "origins that only end like a trusted one are allowed", 346, compareWhole},
	{"substring", "origins that only hold a trusted name are allowed", 346, compareWhole},
	{"unescaped-dot", "origins with another letter for a dot are allowed", 346, `escape dots in regular expressions ("\."), or better compare whole origins`},
	{"any-tld", "the same name in any top-level domain is allowed", 346, compareWhole},
	{"truncated", "what a trusted origin begins with is allowed", 346, "look for the origin among the entries of a list, and not for its letters in a text that holds them"},
	{"special-character", "a trusted name is taken to end at a character that browsers send inside names", 346, "anchor the pattern at its end, and allow nothing but a port after the name"},
	{"shared-hosting", "sites that anybody can open at a hosting service are allowed", 942, "name the sites that are yours, each whole; no wildcard right below a public suffix"},
	{"dangling-name", "a name is allowed that points nowhere: whoever gets it can read", 942, "take it out of the list, and what is left of it out of the DNS"},
	{"localhost", "pages served on the visitor's own machine are allowed", 942, "take origins of development out of what production allows"},
	{"private-address", "pages at private addresses or short names are allowed, which are other machines in other networks", 942, "take them out of what a public server allows"},
	{"http-origin", "an origin over http is allowed: whoever is on the network can speak as it", 942, "allow https: origins alone"},
	{"extension", "any browser extension is allowed", 942, "name the extension that may read by its whole origin"},
	{"subdomains", "any subdomain is allowed: a hole in one of them, or a name that points nowhere, is a hole here", 942, "name the subdomains that may read"},
	{"any-port", "any port of a trusted host is allowed", 942, "name the port, or leave it out for the default one"},
	{"error-only", "errors may be read by any origin, though other answers may not", 942, "let one piece of code judge origins, for errors too"},
	{"method-only", "one method may be read by any origin, though GET may not", 942, "let one piece of code judge origins, whatever the method"},
	{"preflight-only", "preflights of origins that may not read pass, so that their pages can send what they cannot read the answer to", 942, "let the same code judge the origin of preflights and of other requests"},
	{"wildcard-private", "any origin may read, and the server is protected by its place in the network alone", 942, "do not take the network for a login: pages in a visitor's browser are inside it"},
	{"cache-poisoned", "a cache gives the answer for one origin to another", 444, "add Origin to Vary in every answer, also where there is no Origin and where it is refused"},
	{"vary", "the answer depends on Origin and can be cached, and Vary does not say so", 444, "add Origin to Vary in every answer, also where there is no Origin and where it is refused"},
	{"reflect-methods", "any method is allowed in preflights", 942, "list in " + header.AccessControlAllowMethods + " what pages need"},
	{"reflect-headers", "any request-header is allowed in preflights", 942, "list in " + header.AccessControlAllowHeaders + " what pages need"},
	{"exposes-secrets", "any origin sees response-headers that hold secrets", 200, "do not name them in " + header.AccessControlExposeHeaders},
	{"wildcard-credentials", "* stands beside " + header.AccessControlAllowCredentials + ", which browsers refuse", 0, "send the page's origin where credentials are wanted, and no " + header.AccessControlAllowCredentials + " where not"},
	{"allow-origin-list", header.AccessControlAllowOrigin + " holds a list, which browsers refuse", 0, "send the one origin that asks, if it is on the list"},
	{"allow-origin-twice", header.AccessControlAllowOrigin + " is sent twice, which browsers refuse", 0, "send it from one place: the application or the proxy"},
	{"allow-origin-form", header.AccessControlAllowOrigin + " holds what is no origin, and matches none", 0, "write the origin as browsers do: scheme, host and port where it is not the default, all in lower case, nothing after it"},
	{"allow-credentials-form", header.AccessControlAllowCredentials + ` holds what is not "true", and does nothing`, 0, `write "true", in lower case, or leave the header out`},
	{"preflight-login", "preflights want a login, which browsers do not send", 0, "answer OPTIONS before logins are asked for"},
	{"preflight-redirect", "preflights are redirected, which browsers refuse", 0, "answer OPTIONS where it is asked"},
	{"preflight-cookie", "preflights set cookies: a question changes something", 0, "answer preflights before sessions are opened"},
	{"max-age", header.AccessControlMaxAge + " is more than browsers heed, or no number", 0, "write 7200 or less, in seconds"},
}

var rulesByID = func() map[string]*Rule {
	m := map[string]*Rule{}
	for i := range rules {
		m[rules[i].ID] = &rules[i]
	}
	return m
}()
