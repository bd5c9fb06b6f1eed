package scenario

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Generate returns count random scenarios, always the same for a seed. Most are
// of servers that mean to let the page in, each with its own habit of slips: all
// rules of CORS are then reached, where random bytes would end at the first.
func Generate(seed uint64, count int) []Scenario {
	scenarios := make([]Scenario, count)
	for i := range scenarios {
		// Each scenario has its own randomness: n is the same in every count.
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		scenarios[i] = g.scenario(fmt.Sprintf("random-%d-%d", seed, i))
	}
	return scenarios
}

type generator struct {
	*rand.Rand
	slip   float64  // how often this scenario's servers say something odd
	route  []string // the server of each hop
	origin []string // what the page's origin is to each hop: "{A}" or "null"
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func (g *generator) scenario(id string) Scenario {
	g.slip = pick(g, 0, 0, 0.03, 0.1, 0.3)
	s := Scenario{ID: id}
	if g.chance(0.15) {
		s.Page = "null"
	}
	last := pick(g, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
	g.plan(s.Page, last)
	first := g.fetch()
	s.Fetches = []Fetch{first}
	for range pick(g, 0, 0, 0, 0, 1, 1, 2) {
		s.Fetches = append(s.Fetches, g.again(first))
	}
	for i := range last + 1 {
		s.Hops = append(s.Hops, Hop{Actual: g.actual(i, last, &first), Preflight: g.preflight(i, &first)})
	}
	return s
}

// plan chooses the servers, and knows what redirects make of the origin.
func (g *generator) plan(page string, last int) {
	origin := "{A}"
	if page != "" {
		origin = page
	}
	for i := range last + 1 {
		g.route = append(g.route, pick(g, "{A}", "{A}", "{B}", "{B}", "{B}", "{C}", "{D}"))
		if i > 0 && g.route[i] != g.route[i-1] && g.route[i-1] != "{A}" {
			origin = "null"
		}
		g.origin = append(g.origin, origin)
	}
}

// fetch is what the page asks for.
func (g *generator) fetch() Fetch {
	f := Fetch{
		URL:         g.route[0] + "/0" + pick(g, "", "", "", "", "", "", "", "?q", "#f", "?a=b#c"),
		Method:      g.method(),
		Headers:     g.requestHeaders(),
		Mode:        pick(g, "cors", "cors", "cors", "cors", "cors", "no-cors", "no-cors", "same-origin"),
		Credentials: pick(g, "omit", "same-origin", "same-origin", "include", "include"),
		Redirect:    pick(g, "follow", "follow", "follow", "follow", "follow", "follow", "manual", "error"),
	}
	if f.Mode == "no-cors" && g.chance(0.8) { // or else most are not even sent
		f.Method = pick(g, "GET", "GET", "HEAD", "POST", "POST")
	}
	if f.Mode == "no-cors" && g.chance(0.7) {
		f.Redirect = "follow"
	}
	if f.Mode == "same-origin" && g.chance(0.5) {
		f.URL = "{A}" + f.URL[3:]
	}
	if f.Method != "GET" && f.Method != "HEAD" && g.chance(0.5) || g.chance(0.01) {
		body := pick(g, "b", "b", "b", "", "a=b", `{"a":1}`, "ü€")
		f.Body = &body
	}
	if g.chance(0.4) {
		f.Cache = g.cache(f.Mode)
	}
	if g.chance(0.1) {
		referrer := pick(g, "", "", "about:client", "{A}/1", "{B}/1", "/x?y#z", "http://[")
		f.Referrer = &referrer
	}
	if g.chance(0.2) {
		f.ReferrerPolicy = pick(g, referrerPolicies...)
	}
	if g.chance(0.02) {
		f.Integrity = g.integrity()
	}
	f.Keepalive = g.chance(0.03)
	return f
}

func (g *generator) method() string {
	switch {
	case g.chance(0.45):
		return pick(g, "GET", "GET", "POST", "HEAD")
	case g.chance(0.03):
		return pick(g, "TRACE", "connect", "TRACK", "A B", "", "Ü")
	}
	return pick(g, "PUT", "PUT", "DELETE", "PATCH", "patch", "OPTIONS", "QUERY", "CHICKEN", "get", "post", "head", "put", "delete", "options", "Patch")
}

var allMethods = "PUT, DELETE, PATCH, patch, OPTIONS, QUERY, CHICKEN, put, delete, Patch"

func (g *generator) cache(mode string) string {
	if mode == "same-origin" && g.chance(0.2) {
		return "only-if-cached"
	}
	return pick(g, "default", "default", "default", "no-store", "reload", "no-cache", "force-cache")
}

var referrerPolicies = []string{"", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
	"origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"}

// integrity is metadata that fits the commonest body, or not.
func (g *generator) integrity() string {
	sum := sha256.Sum256([]byte(pick(g, "body", "body", "other")))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (g *generator) requestHeaders() []Field {
	headers := []Field{}
	for range pick(g, 0, 0, 1, 1, 1, 2, 2, 3, 4) {
		h := pick(g, pick(g, safelistedHeaders, unsafeHeaders, unsafeHeaders, privateHeaders, browsersHeaders)...)
		if g.chance(0.1) {
			h[0] = pick(g, strings.ToLower, strings.ToUpper)(h[0])
		}
		headers = append(headers, h)
	}
	if len(headers) > 0 && g.chance(0.05) {
		headers = append(headers, pick(g, headers...))
	}
	return headers
}

// Headers of requests, by who may set them without asking.
var (
	// On both sides of the rules for CORS-safelisted values.
	safelistedHeaders = slices.Concat(
		values("Accept", "text/html", "*/*;q=0.8", "a(b", `a"b`, "a:b", "a<b", "a[b", `a\b`, "a{b", "a?b", "a@b", "a\tb", "\u00e9", "", "\u007f", strings.Repeat("x", 128), strings.Repeat("x", 129)),
		values("Accept-Language", "en-GB,en;q=0.5", "*", "en_GB", "a:b", "a b", "", strings.Repeat("x", 129)),
		values("Content-Language", "ja", "ja, en", "ja/JP", "x@y"),
		values("Content-Type", "text/plain", "TEXT/plain", " text/plain\t", "text/plain;charset=utf-8", `text/plain; charset="utf-8"`, "text/plain; x=,", "text/plain;a=b;c=d;", "text/plain, text/plain",
			"application/x-www-form-urlencoded", "application/x-www-form-urlencoded;a=b", "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=\"(\"",
			"text/plain /", "text", "", "/", "text/plain;x=\u00e9", "text/plain;"+strings.Repeat("x", 117), "text/plain;"+strings.Repeat("x", 118)),
		values("Range", "bytes=0-", "bytes=0-10", "bytes=5-5", "bytes=00-01", "bytes=10-0", "bytes=-5", "bytes=0-1,3-4", "bytes= 0-1", "Bytes=0-1", "bytes=+0-1", "items=0-1", "bytes=", "bytes=-",
			"bytes=0-9223372036854775808", "bytes=0-18446744073709551616"),
	)
	unsafeHeaders = slices.Concat(
		values("X-A", "1", "2", "", "  v\t", "\u00e9"), values("X-B", "1"), values("x-Custom", "1"), values("X_Under", "1"), values("a!#$%&'*+-.^`|~9", "1"),
		values("Authorization", "Bearer t", "Basic dTpw", ""), values("Authorization", "x"),
		values("Content-Type", "application/json", "application/json;charset=utf-8", "text/html", "text/xml"),
		values("Last-Event-ID", "1"), values("Sec", "1"), values("Proxy", "1"),
		values("Cache-Control", "no-cache", "max-age=0"), values("Pragma", "no-cache"),
		values("If-None-Match", `"e"`), values("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"), values("If-Match", "*"), values("If-Range", `"e"`), values("If-Unmodified-Since", "Thu, 01 Jan 2037 00:00:00 GMT"),
		values("X-HTTP-Method", "GET", "TRACE"), values("X-HTTP-Method-Override", "PUT", "GET,TRACE"), values("X-Method-Override", "track", `"TRACE"`),
	)
	// Safelisted in one browser or another.
	privateHeaders = slices.Concat(
		values("DPR", "2"), values("Width", "100"), values("Viewport-Width", "100"), values("Device-Memory", "1"), values("Downlink", "1"),
		values("RTT", "1"), values("ECT", "4g"), values("Save-Data", "on", "off"), values("User-Agent", "x"), values("X-A", "1"),
	)
	browsersHeaders = slices.Concat(
		values("Cookie", "a=b"), values("Host", "evil"), values("Origin", "http://evil.test"), values("Referer", "http://evil.test/"), values("Accept-Charset", "x"), values("Accept-Encoding", "x"),
		values("Access-Control-Request-Method", "PUT"), values("Access-Control-Request-Headers", "x"), values("Connection", "x"), values("Content-Length", "3"),
		values("Date", "x"), values("DNT", "1"), values("Expect", "x"), values("Set-Cookie", "x"), values("TE", "x"), values("Via", "x"), values("Proxy-X", "1"), values("Sec-X", "1"),
		values("Bad Name", "1"), values("X-A", "a\nb", "a\u0000b"),
	)
)

func values(name string, of ...string) []Field {
	var fields []Field
	for _, value := range of {
		fields = append(fields, Field{name, value})
	}
	return fields
}

// again is f once more, or nearly: the second fetch shows what the browser kept
// of the first.
func (g *generator) again(f Fetch) Fetch {
	f.Headers = slices.Clone(f.Headers)
	switch g.IntN(10) {
	case 0:
		f.Headers = g.requestHeaders()
	case 1:
		if f.Body == nil && f.Mode != "no-cors" {
			f.Method = g.method()
		}
	case 2:
		f.Credentials = pick(g, "omit", "same-origin", "include")
	case 3:
		f.Cache = g.cache(f.Mode)
	case 4:
		if len(f.Headers) > 1 {
			f.Headers = f.Headers[1:]
		}
	case 5:
		f.Mode = pick(g, "cors", "no-cors", "same-origin")
		if f.Cache == "only-if-cached" {
			f.Cache = "default"
		}
	}
	return f
}

// actual is what hop i answers to the request proper; hop last does not
// redirect.
func (g *generator) actual(i, last int, f *Fetch) Answer {
	a := Answer{Body: pick(g, "body", "body", "body", "", "\u00e9\ufeff")}
	a.Headers = g.letIn(i, f)
	a.Headers = append(a.Headers, g.exposed()...)
	a.Headers = append(a.Headers, g.beside()...)
	if i < last {
		a.Status = pick(g, 301, 302, 302, 303, 307, 307, 308)
		a.Headers = append(a.Headers, g.location(i)...)
		if g.chance(0.1) {
			a.Headers = append(a.Headers, Field{"Referrer-Policy", pick(g, pick(g, referrerPolicies...), "origin, no-such-policy", "Unsafe-URL")})
		}
		return a
	}
	a.Status = pick(g, 200, 200, 200, 200, 200, 200, 200, 404, 500)
	if g.chance(0.15) {
		a.Status = pick(g, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 304, 400, 401, 403, 405, 407, 410, 414, 418, 421, 429, 451, 501, 503, 599)
	}
	if a.Status == 204 || a.Status == 205 || a.Status == 304 {
		a.Body = ""
	}
	return a
}

// letIn are the headers of the CORS check: they let the page in, but for slips.
func (g *generator) letIn(i int, f *Fetch) []Field {
	const name = "Access-Control-Allow-Origin"
	origin := values(name, g.origin[i])
	switch {
	case g.chance(g.slip):
		origin = g.oddOrigin(name)
	case i > 0 && g.chance(0.15):
		origin = values(name, pick(g, "{A}", "null")) // what another route would need
	case f.Credentials != "include" && g.chance(0.5) || g.chance(0.05):
		origin = values(name, "*")
	}
	allowed := []Field{{"Access-Control-Allow-Credentials", "true"}}
	if g.chance(g.slip) {
		allowed = g.oddCredentials(allowed[0][0])
	}
	return append(origin, allowed...)
}

func (g *generator) oddOrigin(name string) []Field {
	if g.chance(0.25) {
		two := pick(g, [2]string{"{A}", "{A}"}, [2]string{"{A}", "{C}"}, [2]string{"*", "*"}, [2]string{"", "{A}"}, [2]string{"{A}", ""}, [2]string{"null", "null"})
		return []Field{{name, two[0]}, {name, two[1]}}
	}
	if g.chance(0.1) {
		return nil
	}
	return values(pick(g, name, strings.ToLower(name)), pick(g, "{B}", "{C}", "null", "NULL", "{A}, {B}", "{A},", "{A}/", "{A} {B}", " {A} ", "\t{A}", `"{A}"`, "", "*, *", "* ", "**", "HTTP://LOCALHOST:7101",
		"http://LocalHost:7101", "localhost:7101", "http://localhost", "http://*:7101", "http://127.0.0.1:7101", "{A}#x", "null, null"))
}

func (g *generator) oddCredentials(name string) []Field {
	if g.chance(0.3) {
		two := pick(g, [2]string{"true", "true"}, [2]string{"", "true"}, [2]string{"true", ""}, [2]string{"true", "false"})
		return []Field{{name, two[0]}, {name, two[1]}}
	}
	if g.chance(0.2) {
		return nil
	}
	return values(name, pick(g, "True", "TRUE", " true\t", "true, true", "true;", "false", "1", "", "*"))
}

func (g *generator) exposed() []Field {
	headers := []Field{{"X-E", "1"}, {"X-F", "2"}}
	if g.chance(0.5) {
		headers = append(headers, Field{"Access-Control-Expose-Headers", pick(g, "*", "*", "x-e", "X-F, x-e", ",x-e,,", "x-e x-f", "x-e, b@d", "*, x-e", "set-cookie, x-e", "", "x-*", "\tx-e")})
	}
	if g.chance(0.05) {
		headers = append(headers, Field{"Access-Control-Expose-Headers", "x-f"})
	}
	if g.chance(0.05) {
		headers = append(headers, Field{"X-E", pick(g, "3", "", "\u00e9")})
	}
	return headers
}

// beside are headers that have nothing to do with the CORS check, and a say in
// what follows.
func (g *generator) beside() []Field {
	var headers []Field
	add := func(p float64, name string, of ...string) {
		if g.chance(p) {
			headers = append(headers, Field{name, pick(g, of...)})
		}
	}
	add(0.15, "Content-Type", "text/plain", "text/html", "application/json", "image/png", "x")
	add(0.1, "Cross-Origin-Resource-Policy", "same-origin", "same-site", "cross-origin", "SAME-ORIGIN", "same-origin, same-origin", "")
	add(0.08, "Cache-Control", "max-age=600", "no-cache", "no-store", "max-age=0", "private")
	add(0.04, "ETag", `"e"`, `W/"e"`)
	add(0.04, "Vary", "Origin", "*", "X-A", "Accept-Language")
	add(0.03, "Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
	add(0.02, "Expires", "0", "Thu, 01 Jan 2037 00:00:00 GMT")
	add(0.03, "Set-Cookie", "z=1; Path=/s/@/")
	add(0.03, "X-Content-Type-Options", "nosniff")
	add(0.03, "Timing-Allow-Origin", "*")
	return headers
}

// location redirects from hop i to the next.
func (g *generator) location(i int) []Field {
	next := "/" + strconv.Itoa(i+1)
	to := g.route[i+1] + next + pick(g, "", "", "", "", "", "#g", "?r")
	if g.chance(0.1) {
		to = pick(g, "/s/@"+next, strconv.Itoa(i+1), "//localhost:7103/s/@"+next)
	}
	if !g.chance(g.slip / 2) {
		return values("Location", to)
	}
	switch g.IntN(4) {
	case 0:
		return values("Location", to, pick(g, to, "{B}"+next))
	case 1:
		return nil
	case 2:
		return values("Location", pick(g, "http://u:p@localhost:7101/s/@", "http://u@localhost:7102/s/@", "http://:@localhost:7103/s/@", "http://u:p@127.0.0.1:7104/s/@")+next)
	}
	return values("Location", pick(g, "", "http://[bad", "data:text/plain,x", "about:blank", "file:///etc/hostname", "ws://localhost:7102/s/@/1", "http://localhost:6667/", "{B}"+next+"?\u00e9", "{B}/0"))
}

// preflight is what hop i answers to a preflight for f.
func (g *generator) preflight(i int, f *Fetch) Answer {
	a := Answer{Status: pick(g, 200, 204, 204, 204, 204)}
	if g.chance(g.slip) {
		a.Status = pick(g, 200, 201, 206, 299, 300, 302, 304, 307, 400, 401, 403, 404, 405, 407, 500)
	}
	a.Headers = g.letIn(i, f)
	a.Headers = append(a.Headers, g.list("Access-Control-Allow-Methods", allMethods, f.Method)...)
	a.Headers = append(a.Headers, g.list("Access-Control-Allow-Headers", allNames, requestNames(f)...)...)
	if g.chance(0.4) {
		a.Headers = append(a.Headers, Field{"Access-Control-Max-Age", pick(g, "0", "600", "600", "86400")})
	}
	if g.chance(g.slip) {
		a.Headers = append(a.Headers, values("Access-Control-Max-Age", pick(g, []string{"-1"}, []string{"x"}, []string{""}, []string{"600, 600"}, []string{"600", "600"}, []string{"+5"}, []string{"5.5"}, []string{" 600 "}, []string{"99999999999999999999"}, []string{"0600"})...)...)
	}
	if a.Status == 302 || a.Status == 307 {
		a.Headers = append(a.Headers, Field{"Location", "{B}/0"})
	}
	return a
}

var allNames = func() string {
	var names []string
	for _, h := range slices.Concat(safelistedHeaders, unsafeHeaders, privateHeaders) {
		names = append(names, strings.ToLower(h[0]))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}()

func requestNames(f *Fetch) []string {
	names := []string{}
	for _, h := range f.Headers {
		if !strings.ContainsAny(h[0], " \n\x00") {
			names = append(names, h[0])
		}
	}
	return names
}

// list allows all, or what is needed, or says it oddly.
func (g *generator) list(name, all string, needed ...string) []Field {
	exact := strings.Join(needed, pick(g, ",", ", ", " ,\t"))
	if exact == "" || strings.ContainsAny(exact, "\u00dc") {
		exact = "x-none"
	}
	if !g.chance(g.slip) {
		return values(name, pick(g, "*", all, all, exact, "*, authorization"))
	}
	switch g.IntN(6) {
	case 0:
		return nil
	case 1:
		return values(name, exact, pick(g, "*", "", "x-a", "(bad)"))
	}
	return values(name, pick(g, "", "**", "x-*", exact+",", ",,"+exact+",,", exact+"; q=1", `"`+exact+`"`, exact+" "+exact, exact+", b@d", "("+exact+")", strings.ToLower(exact), strings.ToUpper(exact), "x-a", "GET, PUT", "P\u00a0UT"))
}
