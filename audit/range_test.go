package audit_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

// A server of the range decides for an origin as people write it.
type server struct {
	row     string // as a sentence
	url     string // "" for https://api.target.com/users
	rule    string // that must be found; "" for a server that is safe
	handler http.HandlerFunc
}

// carrier carries requests to a handler without a socket.
type carrier struct{ http.Handler }

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

const body = `{"name":"Ada","email":"ada@target.com"}`

// with answers origins that judge lets in with credentials.
func with(judge func(origin string) bool, more ...func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if o := r.Header.Get("Origin"); o != "" && judge(o) {
			w.Header().Set(acao, o)
			w.Header().Set(acac, "true")
		}
		for _, f := range more {
			f(w, r)
		}
		end(w, r)
	}
}

func end(w http.ResponseWriter, r *http.Request) {
	if isPreflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if strings.Count(r.URL.Path, "/") > 1 {
		w.WriteHeader(http.StatusNotFound)
	}
	io.WriteString(w, body)
}

// sets sets headers on whatever comes.
func sets(pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Add(pairs[i], pairs[i+1])
		}
		end(w, r)
	}
}

func says(pairs ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
	}
}

// cached is h behind a cache that takes the URL for all there is to a request.
func cached(h http.HandlerFunc) http.HandlerFunc {
	kept := map[string]*httptest.ResponseRecorder{}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RawQuery == "" {
			w.Header().Set("X-Cache", "MISS")
			h(w, r)
			return
		}
		if kept[r.URL.String()] == nil {
			kept[r.URL.String()] = httptest.NewRecorder()
			h(kept[r.URL.String()], r)
		}
		answer := kept[r.URL.String()]
		maps.Copy(w.Header(), answer.Header())
		w.Header().Set("X-Cache", "HIT")
		w.Write(answer.Body.Bytes())
	}
}

// unvaried lets one origin read what caches do with as the headers say.
func unvaried(pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); o == ours {
			w.Header().Set(acao, o)
		}
		sets(pairs...)(w, r)
	}
}

func matches(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }
func begins(s string) func(string) bool {
	return func(o string) bool { return strings.HasPrefix(o, s) }
}
func ends(s string) func(string) bool  { return func(o string) bool { return strings.HasSuffix(o, s) } }
func holds(s string) func(string) bool { return func(o string) bool { return strings.Contains(o, s) } }
func only(list ...string) func(string) bool {
	return func(o string) bool { return slices.Contains(list, o) }
}
func inverse(list string) func(string) bool {
	return func(o string) bool { return strings.Contains(list, o) }
}
func anybody(string) bool  { return true }
func noOrigin(string) bool { return false }

func either(judges ...func(string) bool) func(string) bool {
	return func(o string) bool {
		return slices.ContainsFunc(judges, func(j func(string) bool) bool { return j(o) })
	}
}

// by answers what choose chooses.
func by(choose func(r *http.Request) http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { choose(r)(w, r) }
}

// Chromium asks target.com over https alone, whatever a page says: where http
// matters the name is another.
const ours = "https://app.target.com"

var holes = []server{
	{"the origin is echoed", "", "reflect-any", with(anybody)},
	{"the origin is echoed over http", "http://api.adasbazaar.com/users", "reflect-any", with(anybody)},
	{"the origin is echoed on a machine without a name", "http://127.0.0.1:8080/users", "reflect-any", with(anybody)},
	{"any origin over https is echoed", "", "reflect-any", with(begins("https://"))},
	{"any origin under .com is echoed", "", "reflect-any", with(matches(`^https?://[a-z0-9.-]+\.com$`))},
	{"any origin is echoed beside null", "", "reflect-any", with(func(o string) bool { return o != "" })},
	{"the origin is echoed on a login page", "", "reflect-any", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acao, r.Header.Get("Origin"))
		w.Header().Set(acac, "true")
		http.Error(w, "log in", http.StatusUnauthorized)
	}},
	{"the origin is taken from Referer", "", "reflect-referer", func(w http.ResponseWriter, r *http.Request) {
		if ref := r.Header.Get("Referer"); ref != "" {
			sets(acao, strings.TrimSuffix(ref, "/"), acac, "true")(w, r)
			return
		}
		end(w, r)
	}},
	{"whoever sends no Referer is trusted", "", "reflect-referer", func(w http.ResponseWriter, r *http.Request) {
		with(func(string) bool { return r.Header.Get("Referer") == "" })(w, r)
	}},
	{"a Referer that names the server is trusted", "", "reflect-referer", func(w http.ResponseWriter, r *http.Request) {
		with(func(string) bool { return strings.Contains(r.Header.Get("Referer"), "api.target.com") })(w, r)
	}},
	{"the origin is compared with X-Forwarded-Host", "", "reflect-forwarded", func(w http.ResponseWriter, r *http.Request) {
		with(either(func(o string) bool { return isPreflight(r) || o == "https://"+r.Header.Get("X-Forwarded-Host") }), says(acam, "PUT", acah, "X-Forwarded-Host, Content-Type"))(w, r)
	}},
	{"the origin is made from X-Forwarded-Host", "", "reflect-forwarded", func(w http.ResponseWriter, r *http.Request) {
		if host := r.Header.Get("X-Forwarded-Host"); host != "" {
			sets(acao, "https://"+host, acac, "true")(w, r)
			return
		}
		with(func(string) bool { return isPreflight(r) }, says(acah, r.Header.Get("Access-Control-Request-Headers")))(w, r)
	}},
	{"any scheme and the host of Host are allowed", "https://api.adasbazaar.com/users", "http-origin", func(w http.ResponseWriter, r *http.Request) {
		with(ends("://"+r.Host))(w, r)
	}},
	{"null is on the list", "", "null", with(only("null", ours))},
	{"null is all that is allowed", "", "null", sets(acao, "null", acac, "true")},
	{"what begins like the list is allowed", "", "prefix", with(begins(ours))},
	{"the pattern has no end", "", "prefix", with(matches(`^https://(app|www)\.target\.com`))},
	{"the pattern of subdomains has no end", "", "prefix", with(matches(`^https?://([a-z0-9-]+\.)*target\.com`))},
	{"what begins like a page of the staff is allowed", "", "prefix", with(begins("https://admin.target.com"))},
	{"what begins like the parent is allowed", "https://api.eu.target.com/users", "prefix", with(begins("https://eu.target.com"))},
	{"what begins like a partner is allowed", "", "prefix", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "connect-src https://partner.org")
		with(begins("https://partner.org"))(w, r)
	}},
	{"what begins like a partner that the body names is allowed", "", "prefix", func(w http.ResponseWriter, r *http.Request) {
		with(begins("https://partner.org"))(w, r)
		io.WriteString(w, `{"next":"https://partner.org/users?page=2"}`)
	}},
	{"what begins like a partner that a refusal names is allowed", "", "prefix", func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); o != "" && !strings.HasPrefix(o, "https://partner.org") {
			http.Error(w, o+" is none of https://partner.org", http.StatusForbidden)
			return
		}
		with(begins("https://partner.org"))(w, r)
	}},
	{"localhost has no end", "", "prefix", with(begins("http://localhost"))},
	{"this machine's address has no end", "", "prefix", with(either(only(ours), begins("http://127.0.0.1")))},
	{"a private network's addresses have no end", "", "prefix", with(matches(`^https?://192\.168\.`))},
	{"addresses that begin with 10 have no end", "", "prefix", with(either(only(ours), begins("http://10.")))},
	{"what ends like the site is allowed", "", "suffix", with(ends("target.com"))},
	{"the pattern has no beginning", "", "suffix", with(matches(`[a-z]*target\.com$`))},
	{"any character may stand before the site", "", "suffix", with(matches(`^https://.+target\.com$`))},
	{"a boundary of words is taken for one of names", "", "suffix", with(matches(`\btarget\.com$`))},
	{"the name is looked for anywhere", "", "substring", with(holds("target.com"))},
	{"the bare word is looked for anywhere", "", "substring", with(holds("target"))},
	{"the dot after www is any letter", "", "unescaped-dot", with(matches(`^https://www.target\.com$`))},
	{"the dot after the service is any letter", "", "unescaped-dot", with(matches(`^https://api.target.com$`))},
	{"the dot before a suffix of two labels is any letter", "https://api.target.co.uk/users", "unescaped-dot", with(matches(`^https://(www\.)?target.co.uk$`))},
	{"any top-level domain will do", "", "any-tld", with(matches(`^https://(www\.)?target\.[a-z]{2,}$`))},
	{"the origin is looked for in the server's own", "", "truncated", with(inverse("https://api.target.com"))},
	{"the origin is looked for in a list that is one text", "", "truncated", with(inverse("https://target.com,https://app.target.com"))},
	{"the list is looked at for what begins like the origin", "https://api.target.co.uk/users", "truncated", with(func(o string) bool { return strings.HasPrefix("https://www.target.co.uk", o) })},
	{"a text is looked through, of whose names nobody can register a part", "https://api.target.org/users", "truncated", with(inverse("https://app.target.org"))},
	{"names are taken to end at an underscore", "", "special-character", with(matches(`^https?://(.*\.)?target\.com([^.\-a-zA-Z0-9]+.*)?$`))},
	{"names are taken to end at what is no letter, digit, dot or underscore", "", "special-character", with(matches(`^https://app\.target\.com([^.\w].*)?$`))},
	{"names are taken to end at a brace", "", "special-character", with(matches(`^https://app\.target\.com([{}].*)?$`))},
	{"names are taken to end at a dollar", "", "special-character", with(matches(`^https://app\.target\.com(\$.*)?$`))},
	{"anybody's pages at a hosting service are allowed", "", "shared-hosting", with(matches(`^https://[a-z0-9-]+\.github\.io$`))},
	{"anybody's previews are allowed", "", "shared-hosting", with(matches(`^https://target-[a-z0-9]+\.vercel\.app$`))},
	{"previews of anybody's team are allowed", "", "shared-hosting", with(matches(`^https://[a-z0-9-]+-target\.vercel\.app$`))},
	{"anybody's applications in containers are allowed", "", "shared-hosting", with(matches(`^https://[a-z0-9-]+\.fly\.dev$`))},
	{"anybody's shops are allowed", "", "shared-hosting", with(ends(".myshopify.com"))},
	{"the neighbours at the hosting service are allowed", "https://target.netlify.app/users", "shared-hosting", with(ends(".netlify.app"))},
	{"a domain that nobody has is on the list", "", "dangling-name", with(only(ours, "https://gone.org"), says("Content-Security-Policy", "connect-src https://gone.org"))},
	{"a name of its own that points nowhere is on the list", "", "dangling-name", with(only(ours, "https://gone.target.com"), says("Content-Security-Policy", "connect-src https://gone.target.com"))},
	{"localhost is left on the list", "", "localhost", with(only(ours, "http://localhost:3000"))},
	{"a development server is left on the list", "", "localhost", with(only(ours, "http://localhost:5173"))},
	{"a development server is left on the list by its address", "", "localhost", with(only(ours, "http://127.0.0.1:5500"))},
	{"any port of localhost is allowed", "", "localhost", with(matches(`^http://localhost(:\d+)?$`))},
	{"private addresses are allowed", "", "private-address", with(matches(`^http://(192\.168|10\.\d+)\.\d+\.\d+$`))},
	{"the private addresses of containers are allowed", "", "private-address", with(matches(`^http://172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$`))},
	{"private addresses are allowed with a port", "", "private-address", with(matches(`^http://192\.168\.\d+\.\d+:\d+$`))},
	{"names without a dot are allowed", "", "private-address", with(matches(`^http://[a-z]+$`))},
	{"the list has http, too", "https://api.adasbazaar.com/users", "http-origin", with(only("https://app.adasbazaar.com", "http://app.adasbazaar.com"))},
	{"the scheme does not matter", "https://api.adasbazaar.com/users", "http-origin", with(matches(`^https?://app\.adasbazaar\.com$`))},
	{"any extension of Chromium is allowed", "", "extension", with(begins("chrome-extension://"))},
	{"any extension of Firefox is allowed", "", "extension", with(begins("moz-extension://"))},
	{"any subdomain is allowed", "", "subdomains", with(matches(`^https://([a-z0-9-]+\.)+target\.com$`))},
	{"any port is allowed", "", "any-port", with(matches(`^https://app\.target\.com(:\d+)?$`))},
	{"any port of the server itself is allowed", "", "any-port", with(matches(`^https://api\.target\.com(:\d+)?$`))},
	{"refusals may be read", "", "error-only", func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); o != "" && o != ours {
			sets := says(acao, o, acac, "true", "Vary", "Origin")
			sets(w, r)
			http.Error(w, "not from there", http.StatusForbidden)
			return
		}
		with(only(ours))(w, r)
	}},
	{"errors come from other code", "", "error-only", by(func(r *http.Request) http.HandlerFunc {
		if strings.Count(r.URL.Path, "/") > 1 {
			return with(anybody)
		}
		return with(noOrigin)
	})},
	{"HEAD comes from other code", "", "method-only", by(func(r *http.Request) http.HandlerFunc {
		if r.Method == http.MethodHead {
			return with(anybody)
		}
		return with(only(ours))
	})},
	{"preflights are answered in front", "", "preflight-only", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(anybody, says(acam, "PUT, DELETE", acah, "Content-Type"))
		}
		return with(only(ours))
	})},
	{"preflights for one header are answered in front", "", "preflight-only", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(anybody, says(acah, "X-CSRF-Token"))
		}
		return with(noOrigin)
	})},
	{"preflights of a sandbox are answered in front", "", "preflight-only", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(only("null", ours), says(acam, "PUT", acah, "Content-Type"))
		}
		return with(only(ours))
	})},
	{"preflights of what begins like the list are answered in front", "", "preflight-only", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(begins(ours), says(acam, "PUT", acah, "Content-Type"))
		}
		return with(only(ours, "https://www.target.com"))
	})},
	{"preflights of what ends like the site are answered in front", "", "preflight-only", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(ends("target.com"), says(acam, "PUT", acah, "Content-Type"))
		}
		return with(only(ours))
	})},
	{"a server of the intranet lets anybody read", "http://wiki.corp/pages", "wildcard-private", sets(acao, "*")},
	{"a machine in an overlay lets anybody read", "http://100.101.102.103/status", "wildcard-private", sets(acao, "*")},
	{"a printer lets anybody read", "http://192.168.0.7/status", "wildcard-private", sets(acao, "*")},
	{"the answer may be cached, and Vary is missing", "", "vary", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=600")
		if o := r.Header.Get("Origin"); o == ours {
			w.Header().Set(acao, o)
		}
		end(w, r)
	}},
	{"Vary is there only where Origin is", "", "vary", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=600")
		if o := r.Header.Get("Origin"); o != "" {
			w.Header().Set("Vary", "Origin")
			if o == ours {
				w.Header().Set(acao, o)
			}
		}
		end(w, r)
	}},
	{"Vary is missing where a network of caches keeps the answer", "", "vary", unvaried("CDN-Cache-Control", "max-age=600", "Cache-Control", "no-cache")},
	{"Vary is missing until the answer expires", "", "vary", unvaried("Date", "Wed, 25 Nov 2026 10:00:00 GMT", "Expires", "Wed, 25 Nov 2026 11:00:00 GMT")},
	{"a cache in front does not heed Origin", "", "cache-poisoned", cached(func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); strings.HasSuffix(o, ".com") {
			w.Header().Set(acao, o)
		}
		end(w, r)
	})},
	{"any method is allowed", "", "reflect-methods", with(anybody, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acam, r.Header.Get(acrm))
	})},
	{"any request-header is allowed", "", "reflect-headers", with(anybody, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acah, r.Header.Get(acrh))
	})},
	{"anybody sees the token", "", "exposes-secrets", with(anybody, says(aceh, "X-CSRF-Token, X-Request-Id"))},
	{"* stands beside credentials", "", "wildcard-credentials", sets(acao, "*", acac, "true")},
	{"a list is sent", "", "allow-origin-list", sets(acao, "https://app.target.com, https://www.target.com")},
	{"proxy and application both answer", "", "allow-origin-twice", sets(acao, "*", acao, "https://app.target.com")},
	{"there is a slash after the origin", "", "allow-origin-form", sets(acao, "https://app.target.com/")},
	{"the origin has upper case", "", "allow-origin-form", sets(acao, "https://App.Target.com")},
	{"the origin is a pattern", "", "allow-origin-form", sets(acao, "https://*.target.com")},
	{"the scheme is missing", "", "allow-origin-form", sets(acao, "app.target.com")},
	{"true has a capital letter", "", "allow-credentials-form", sets(acao, ours, acac, "True")},
	{"preflights want a login", "", "preflight-login", with(only(ours), func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})},
	{"preflights are sent elsewhere", "", "preflight-redirect", with(only(ours), func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			w.Header().Set("Location", "/login")
			w.WriteHeader(http.StatusFound)
		}
	})},
	{"preflights open sessions", "", "preflight-cookie", with(only(ours), func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			w.Header().Set("Set-Cookie", "session=1")
		}
	})},
	{"the origin is echoed on localhost", "http://localhost:8080/users", "reflect-any", with(anybody)},
	{"what ends like a name of examples is allowed on localhost", "http://localhost:8080/users", "suffix", with(ends("example.org"))},
	{"what begins like a trusted name is allowed on a machine without one", "http://127.0.0.1:8080/users", "prefix", with(matches(`^https?://trusted\.com`))},
	{"preflights are remembered for a year", "", "max-age", with(only(ours), says(acma, "31536000"))},
}

var safe = []server{
	{"no CORS at all", "", "", with(noOrigin)},
	{"one origin, whoever asks", "", "", sets(acao, ours, acac, "true")},
	{"a list of two", "", "", with(only(ours, "https://www.target.com"))},
	{"a public API", "", "", sets(acao, "*")},
	{"a public API on this machine", "http://127.0.0.1:8080/users", "", sets(acao, "*")},
	{"a public API that echoes without credentials", "", "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(acao, r.Header.Get("Origin"))
		end(w, r)
	}},
	{"null without credentials, of what is public", "", "", sets(acao, "null")},
	{"a pattern with both ends and escaped dots", "", "", with(matches(`^https://(app|www)\.target\.com$`))},
	{"an unescaped dot before the top-level domain, where noOrigin can register", "", "", with(matches(`^https://app\.target.com$`))},
	{"an unescaped dot below the site, where it owns all", "https://a.api.target.com/users", "", with(matches(`^https://a.api\.target\.com$`))},
	{"the origin is echoed in another header", "", "", func(w http.ResponseWriter, r *http.Request) {
		sets("X-Origin", r.Header.Get("Origin"), "X-Allow", acao+": "+r.Header.Get("Origin")+";")(w, r)
	}},
	{"the origin is echoed in the body", "", "", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, acao+": "+r.Header.Get("Origin")+"\n"+acac+": true")
	}},
	{"upper case is taken for lower, which no browser sends", "", "", with(func(o string) bool { return strings.EqualFold(o, ours) })},
	{"names that no browser sends are allowed", "", "", with(func(o string) bool {
		return o == ours || strings.HasPrefix(o, ours+"%") || strings.HasPrefix(o, ours+"|")
	})},
	{"a path after the origin, which no browser sends", "", "", with(matches(`^https://app\.target\.com(/.*)?$`))},
	{"one extension by its whole name", "", "", with(only(ours, "chrome-extension://gighmmpiobklfepjocnamgkkbiglidom"))},
	{"an application for telephones", "", "", with(only(ours, "capacitor://localhost", "ionic://localhost"))},
	{"http origins of a server over http", "http://api.target.com/users", "", with(only("http://app.target.com"))},
	{"localhost on a server of this machine", "http://localhost:8080/users", "", with(only("http://localhost:3000", "http://127.0.0.1:3000"))},
	{"empty errors that echo", "", "", func(w http.ResponseWriter, r *http.Request) {
		if strings.Count(r.URL.Path, "/") > 1 {
			w.Header().Set(acao, r.Header.Get("Origin"))
			w.Header().Set(acac, "true")
			w.WriteHeader(http.StatusNotFound)
			return
		}
		with(only(ours))(w, r)
	}},
	{"preflights of anybody pass without credentials", "", "", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return sets(acao, "*", acam, "*", acah, "*")
		}
		return with(only(ours))
	})},
	{"preflights of anybody are echoed and allow nothing", "", "", by(func(r *http.Request) http.HandlerFunc {
		if isPreflight(r) {
			return with(anybody, says(acam, "GET, HEAD, POST"))
		}
		return with(only(ours))
	})},
	{"one page at a hosting service", "", "", with(only("https://target.github.io"))},
	{"one other port by its number", "", "", with(only(ours, "https://app.target.com:8443"))},
	{"a partner of another site", "", "", with(only("https://partner.org", ours))},
	{"the same name in the domains that are ours", "", "", with(only("https://target.com", "https://target.org", "https://target.xyz"))},
	{"the same name in a top-level domain that begins ours", "", "", with(only("https://target.com", "https://target.co"))},
	{"previews below one's own project", "", "", with(matches(`^https://[a-z0-9]+\.target\.pages\.dev$`))},
	{"a pattern that matches, and the name on the list is sent", "", "", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Origin"), "target.com") {
			sets(acao, ours, acac, "true", "Vary", "Origin")(w, r)
			return
		}
		end(w, r)
	}},
	{"Vary is missing where nothing is kept", "", "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if o := r.Header.Get("Origin"); o == ours {
			w.Header().Set(acao, o)
			w.Header().Set(acac, "true")
		}
		end(w, r)
	}},
	{"Vary is missing where the answer has expired", "", "", unvaried("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")},
	{"Vary is missing where the answer expires at no date", "", "", unvaried("Expires", "0")},
	{"Vary is missing where caches ask again", "", "", unvaried("Cache-Control", "public, max-age=0, must-revalidate")},
	{"Vary is missing where shared caches ask again", "", "", unvaried("Cache-Control", "max-age=600, s-maxage=0")},
	{"Vary is missing where the visitor alone keeps the answer", "", "", unvaried("Cache-Control", "private, max-age=600")},
	{"Vary is missing where the answer is one for all", "", "", sets(acao, ours, "Cache-Control", "public, max-age=600")},
	{"Vary says *", "", "", func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); o == ours {
			w.Header().Set(acao, o)
		}
		sets("Vary", "*", "Cache-Control", "public, max-age=600")(w, r)
	}},
	{"Vary holds Origin among others", "", "", func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); o == ours {
			w.Header().Set(acao, o)
		}
		sets("Vary", "Accept-Encoding, origin", "Cache-Control", "public, max-age=600")(w, r)
	}},
	{"a balancer's cookie on preflights", "", "", with(only(ours), says("Set-Cookie", "AWSALBCORS=x; SameSite=None; Secure"))},
	{"credentials are false", "", "", sets(acao, "*", acac, "false")},
	{"a refusal in a word", "", "", sets(acao, "false")},
	{"the token is exposed to one's own page", "", "", with(only(ours), says(aceh, "X-CSRF-Token"))},
	{"everything is refused with 403", "", "", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			w.WriteHeader(http.StatusForbidden)
		}
		end(w, r)
	}},
	{"the host is compared with Host", "", "", func(w http.ResponseWriter, r *http.Request) {
		with(only("https://"+r.Host))(w, r)
	}},
	{"the origin is compared with X-Forwarded-Host, which no preflight allows", "", "", func(w http.ResponseWriter, r *http.Request) {
		with(func(o string) bool { return o == ours || o == "https://"+r.Header.Get("X-Forwarded-Host") })(w, r)
	}},
	{"origins are parsed, and the host is compared", "", "", with(either(only(ours), matches(`^https://app\.target\.com:443$`)))},
	{"a redirect that echoes, to what does not", "", "", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/users" {
			w.Header().Set(acao, r.Header.Get("Origin"))
			w.Header().Set(acac, "true")
			http.Redirect(w, r, "/v2", http.StatusFound)
			return
		}
		with(only(ours))(w, r)
	}},
}

// lookupHost finds every name but those of who is gone.
func lookupHost(_ context.Context, host string) ([]string, error) {
	if strings.HasPrefix(host, "gone.") {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []string{"192.0.2.1"}, nil
}

func inspect(t *testing.T, s server) *audit.Inspection {
	t.Helper()
	url := s.url
	if url == "" {
		url = "https://api.target.com/users"
	}
	a := &audit.Auditor{Transport: carrier{s.handler}, LookupHost: lookupHost}
	got, err := a.Audit(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if got.Unreachable != "" || got.Skipped != "" || got.Omitted || got.Requests > a.Budget() {
		t.Errorf("%s: unreachable %q, skipped %q, %d requests, omitted %t", s.row, got.Unreachable, got.Skipped, got.Requests, got.Omitted)
	}
	return got
}

// TestEveryHoleIsFound holds the auditor to servers as people write them: the
// hole is found under its name, and nothing worse than it is.
func TestEveryHoleIsFound(t *testing.T) {
	most := 0
	for _, s := range holes {
		t.Run(s.row, func(t *testing.T) {
			got := inspect(t, s)
			most = max(most, got.Requests)
			worst, found := audit.Severity(0), false
			for _, f := range got.Findings {
				worst = max(worst, f.Severity)
				found = found || f.Rule.ID == s.rule
			}
			for _, f := range got.Findings {
				if f.Rule.ID == s.rule && f.Severity < worst && f.Severity > audit.Low {
					t.Errorf("%s is %s, and something is worse", s.rule, f.Severity)
				}
				if f.Severity > audit.Info {
					t.Logf("%s %s: %s: %s %v %v", f.Severity, f.Rule.ID, f.Reach, f.Got, f.Origins, f.Browsers)
				}
			}
			if !found {
				t.Errorf("%s is not found", s.rule)
			}
		})
	}
	t.Logf("%d servers with holes; %d requests at most", len(holes), most)
}

// TestNoSafeServerIsAccused holds the auditor to servers that look odd and harm
// noOrigin.
func TestNoSafeServerIsAccused(t *testing.T) {
	most := 0
	for _, s := range safe {
		t.Run(s.row, func(t *testing.T) {
			got := inspect(t, s)
			most = max(most, got.Requests)
			for _, f := range got.Findings {
				if f.Severity > audit.Info {
					t.Errorf("accused of %s (%s): %s %v", f.Rule.ID, f.Severity, f.Got, f.Origins)
				}
			}
		})
	}
	t.Logf("%d safe servers; %d requests at most", len(safe), most)
}

// TestOurMiddlewareIsSafe audits what the server's half makes of policies.
func TestOurMiddlewareIsSafe(t *testing.T) {
	for _, p := range []cors.Policy{
		{},
		{Origins: []string{"*"}},
		{Origins: []string{ours, "https://www.target.com"}, Credentials: true, Methods: []string{"PUT"}, RequestHeaders: []string{"Content-Type"}},
	} {
		mw, err := cors.New(p)
		if err != nil {
			t.Fatal(err)
		}
		got := inspect(t, server{row: "middleware", handler: mw.Wrap(http.HandlerFunc(end)).ServeHTTP})
		if worst, ok := got.Worst(); ok && worst > audit.Info {
			t.Errorf("%+v is accused: %+v", p, got.Findings)
		}
	}
}
