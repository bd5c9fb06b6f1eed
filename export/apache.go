package export

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/edge"
)

// apache writes one file, which is of a virtual host.
//
// It decides in mod_rewrite, the first to see a request whose path has been
// cleaned, and leaves what it decided in the environment, where mod_headers finds
// it whatever becomes of the request.
func apache(j *job) error {
	a := &apacheWriter{job: j}
	a.rule()
	a.origin()
	a.preflight()
	a.values()
	a.answer()
	a.headers()
	a.proxy()
	a.findings()
	j.write("cors.conf", []byte(a.String()))
	return nil
}

type apacheWriter struct {
	*job
	lines
}

// cond writes a RewriteCond: what is not "=text" or a flag is an expression.
func (a *apacheWriter) cond(test, pattern string, flags ...string) {
	// A header in a condition would be added to Vary.
	if strings.HasPrefix(test, "%{HTTP") {
		flags = append(flags, "NV")
	}
	end := ""
	if len(flags) > 0 {
		end = " [" + strings.Join(flags, ",") + "]"
	}
	// mod_rewrite reads what is in quotes as it is, and no pattern has a quote in it.
	a.line(`RewriteCond %s "%s"%s`, test, pattern, end)
}

// then writes the RewriteRule behind conditions.
func (a *apacheWriter) then(flags ...string) {
	a.line("RewriteRule ^ - [%s]", strings.Join(flags, ","))
}

// isRule writes the condition that the rule is one of those that are such, or
// reports that there is none.
func (a *apacheWriter) isRule(such func(*rule) bool) bool {
	numbers := a.numbers(such)
	if numbers != "" && !a.universal() {
		a.cond("%{ENV:CORS_RULE}", "^"+numbers+"$")
	}
	return numbers != ""
}

// some reports whether some rule is such.
func (a *apacheWriter) some(such func(*rule) bool) bool { return slices.ContainsFunc(a.rules, such) }

// ofRule writes the condition that the rule is r.
func (a *apacheWriter) ofRule(r *rule) {
	if !a.universal() {
		a.cond("%{ENV:CORS_RULE}", "="+strconv.Itoa(r.number))
	}
}

// apacheQuote quotes s. In quotes a backslash stands for itself but before a quote
// and itself.
func apacheQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' && (i+1 == len(s) || s[i+1] == '"' || s[i+1] == '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

const (
	httpOrigin = "%{HTTP:Origin}"
	httpMethod = "%{HTTP:Access-Control-Request-Method}"
	httpNames  = "%{HTTP:Access-Control-Request-Headers}"
)

// rule writes how the rule of a request is found: a number, 0 where there is none.
func (a *apacheWriter) rule() {
	a.line(`# CORS for Apache httpd, written by "cors export --to apache": change cors.yaml, and write it`)
	a.line(`# again.`)
	a.line(`#`)
	a.line(`# This file belongs into each <VirtualHost> that it is for: Include conf/cors.conf`)
	a.line(`# It needs mod_headers and mod_rewrite%s: a2enmod headers rewrite`, a.proxyModules())
	a.line("")
	a.line("RewriteEngine On")
	a.line("")
	a.line(`# The rules, by their number:`)
	for _, r := range a.rules {
		a.line(`#   %d: %s`, r.number, strings.Join(r.routes, " "))
	}
	if a.universal() {
		a.then("E=CORS_RULE:1")
		return
	}
	a.line(`# The first that matches decides. The path is read twice, as httpd does (REQUEST_URI) and as it`)
	a.line(`# came (THE_REQUEST): where the two differ, a server behind may read it as either.`)
	for _, m := range a.matchers() {
		number := strconv.Itoa(a.of(m.route).number)
		path, raw := m.path, m.raw
		if m.exact {
			path, raw = path+"$", raw+`[? ]`
		}
		for _, reading := range []struct{ variable, test, pattern string }{
			{"CORS_FOUND", "%{REQUEST_URI}", "^" + path},
			{"CORS_FOUND_RAW", "%{THE_REQUEST}", `^[^ ]+ (?:[a-z]+://[^/]*)?` + raw},
		} {
			a.cond("%{ENV:"+reading.variable+"}", "^$")
			if m.host != "" {
				a.cond("%{HTTP_HOST}", "^"+quote(m.host)+`\.?(?::[0-9]*)?$`, "NC")
			}
			a.cond(reading.test, reading.pattern)
			a.then("E=" + reading.variable + ":" + number)
		}
	}
	a.cond("%{ENV:CORS_FOUND}:%{ENV:CORS_FOUND_RAW}:%{REQUEST_URI}", `^([0-9]+):\1:[^;\\]*$`)
	a.then("E=CORS_RULE:%1")
	a.line(`# The page of an ErrorDocument has the rule of what it is for.`)
	a.cond("%{ENV:REDIRECT_CORS_RULE}", `^([0-9]+)$`)
	a.then("E=CORS_RULE:%1")
}

// origin writes how CORS_ORIGIN is found: the origin if it is allowed, "*" if any
// is.
func (a *apacheWriter) origin() {
	a.line("")
	a.line(`# What of the rule's origins is the request's.`)
	for _, r := range a.rules {
		if len(r.policy.Origins) == 0 {
			continue
		}
		a.ofRule(r)
		if r.anyOrigin() {
			a.then("E=CORS_ORIGIN:*")
			continue
		}
		if slices.ContainsFunc(r.policy.Origins, func(o string) bool { return strings.Contains(o, "*") }) {
			a.cond(httpOrigin, "^(?:"+originLength+")$")
		}
		for i, o := range r.policy.Origins {
			pattern := "=" + o
			if strings.Contains(o, "*") {
				pattern = "^" + originRegexp(o) + "$"
			}
			if i+1 < len(r.policy.Origins) {
				a.cond(httpOrigin, pattern, "OR")
				continue
			}
			a.cond(httpOrigin, pattern)
		}
		a.then("E=CORS_ORIGIN:" + httpOrigin)
	}
}

// preflight writes how CORS_PREFLIGHT and CORS_GRANTED are found.
func (a *apacheWriter) preflight() {
	a.line("")
	a.line(`# A preflight is OPTIONS with an origin and the method to come.`)
	a.cond("%{REQUEST_METHOD}", "=OPTIONS")
	a.cond(httpOrigin, ".")
	a.cond(httpMethod, ".")
	if numbers := a.numbers(func(r *rule) bool { return r.shadow }); numbers != "" {
		a.cond("%{ENV:CORS_RULE}", "!^"+numbers+"$")
	}
	a.then("E=CORS_PREFLIGHT:1")
	a.line(`# The method.`)
	a.cond(httpMethod, "^(?:GET|HEAD|POST)$")
	a.then("E=CORS_METHOD:1")
	for _, r := range a.rules {
		if len(r.policy.Methods) > 0 {
			a.ofRule(r)
			a.cond(httpMethod, "^"+methodRegexp(r.policy.Methods)+"$")
			a.then("E=CORS_METHOD:1")
		}
	}
	a.line(`# The header names.`)
	a.cond(httpNames, `^[ \t,]*$`)
	a.then("E=CORS_NAMES:1")
	for _, r := range a.rules {
		if len(r.policy.RequestHeaders) == 0 {
			continue
		}
		allowed, refused := nameListRegexp(r.policy.RequestHeaders)
		a.ofRule(r)
		if refused != "" {
			a.cond(httpNames, "!"+refused, "NC")
		}
		a.cond(httpNames, allowed, "NC")
		a.then("E=CORS_NAMES:1")
	}
	a.cond("%{ENV:CORS_PREFLIGHT}%{ENV:CORS_METHOD}%{ENV:CORS_NAMES}", "=111")
	a.cond("%{ENV:CORS_ORIGIN}", ".")
	a.then("E=CORS_GRANTED:1")
}

// values writes how the rest of what mod_headers needs is found.
func (a *apacheWriter) values() {
	a.line("")
	a.line(`# What the headers below are made of.`)
	a.cond("%{ENV:CORS_PREFLIGHT}%{ENV:CORS_GRANTED}", "=1")
	a.then("E=!CORS_ORIGIN")
	if a.isRule(func(r *rule) bool { return r.policy.Credentials }) {
		a.cond("%{ENV:CORS_ORIGIN}", ".")
		a.then("E=CORS_CREDENTIALS:1")
	}
	if a.some(func(r *rule) bool { return len(r.policy.Methods) > 0 }) {
		a.cond("%{ENV:CORS_GRANTED}", "=1")
		a.cond(httpMethod, "!^(?:GET|HEAD|POST)$")
		a.then("E=CORS_METHODS:" + httpMethod)
	}
	if a.some(func(r *rule) bool { return len(r.policy.RequestHeaders) > 0 }) {
		a.cond("%{ENV:CORS_GRANTED}", "=1")
		a.cond(httpNames, `[^ \t,]`)
		a.then("E=CORS_HEADERS:" + httpNames)
	}
	for _, r := range a.rules {
		if age := r.maxAge(); age != "" {
			a.ofRule(r)
			a.cond("%{ENV:CORS_GRANTED}", "=1")
			a.then("E=CORS_MAX_AGE:" + age)
		}
	}
	if a.isRule(func(r *rule) bool { return r.policy.PrivateNetwork }) {
		a.cond("%{ENV:CORS_GRANTED}", "=1")
		a.cond("%{HTTP:Access-Control-Request-Private-Network}", "=true")
		a.then("E=CORS_PRIVATE_NETWORK:1")
	}
	for _, r := range a.rules {
		if len(r.policy.ExposedHeaders) > 0 {
			a.ofRule(r)
			a.cond("%{ENV:CORS_PREFLIGHT}", "!=1")
			a.cond("%{ENV:CORS_ORIGIN}", ".")
			a.then(fmt.Sprintf("E=CORS_EXPOSE_%d:1", r.number))
		}
	}
	if a.isRule((*rule).varies) {
		a.then("E=CORS_VARY:1")
	}
	for _, speaker := range []struct {
		variable string
		such     func(*rule) bool
	}{
		{"CORS_FILL", func(r *rule) bool { return !r.shadow && r.headers == edge.Fill }},
		{"CORS_KEEP", (*rule).silent},
	} {
		if a.numbers(speaker.such) != "" {
			a.cond("%{ENV:CORS_PREFLIGHT}", "!=1")
			a.isRule(speaker.such)
			a.then("E=" + speaker.variable + ":1")
		}
	}
}

// silent reports whether the upstream alone says what CORS headers its responses
// have.
func (r *rule) silent() bool { return r.shadow || r.headers == edge.Keep }

// answer writes the answers to preflights.
func (a *apacheWriter) answer() {
	a.line("")
	a.line(`# Preflights are answered here.`)
	bodies := map[int]bool{}
	write := func(granted string, status int, such func(*rule) bool) {
		a.cond("%{ENV:CORS_PREFLIGHT}:%{ENV:CORS_GRANTED}", "=1:"+granted)
		if such != nil {
			a.isRule(such)
		}
		a.then(fmt.Sprintf("R=%d", status), "L")
	}
	for _, outcome := range []struct {
		granted string
		usual   int
		status  func(*rule) int
	}{{"1", 204, grantedByApache}, {"", 403, (*rule).refused}} {
		var statuses []int
		for _, r := range a.rules {
			statuses = append(statuses, outcome.status(r))
		}
		slices.Sort(statuses)
		for _, status := range slices.Compact(statuses) {
			if status != 204 && status != 403 && !bodies[status] {
				bodies[status] = true
				a.line(`# What httpd has to say of this status is of an error.`)
				a.line(`ErrorDocument %d " "`, status)
			}
			if status != outcome.usual {
				write(outcome.granted, status, func(r *rule) bool { return outcome.status(r) == status })
			}
		}
		write(outcome.granted, outcome.usual, nil)
	}
}

// grantedByApache is the status of a preflight that is allowed, or 204 where
// mod_rewrite does not know that one.
func grantedByApache(r *rule) int {
	if status := r.granted(); status <= http.StatusAlreadyReported || status == http.StatusIMUsed {
		return status
	}
	return http.StatusNoContent
}

// apacheGranted is the status of a preflight that is allowed, if httpd knows it.
func apacheGranted(r *rule) int {
	if s := r.granted(); s <= 208 || s == 226 {
		return s
	}
	return 204
}

// headers writes what mod_headers does.
func (a *apacheWriter) headers() {
	fill := a.numbers(func(r *rule) bool { return !r.shadow && r.headers == edge.Fill }) != ""
	keep := a.numbers((*rule).silent) != ""
	const (
		acao = "Access-Control-Allow-Origin"
		// Of the two tables of headers resp() looks into the one for successes first.
		silent = `resp('` + acao + `') == ''`
	)
	a.line("")
	a.line(`# httpd has two tables of headers. What an upstream says is in the one for successes, whatever`)
	a.line(`# its status; what httpd says itself in case of errors is in the other, which is "always" sent.`)
	condition := func(variable string) string {
		terms := []string{"reqenv('" + variable + "') != ''"}
		if keep {
			terms = append(terms, "reqenv('CORS_KEEP') == ''")
		}
		if fill {
			terms = append(terms, "(reqenv('CORS_FILL') == '' || "+silent+")")
		}
		if len(terms) == 1 {
			return "env=" + variable
		}
		return apacheQuote("expr=" + strings.Join(terms, " && "))
	}
	varies := strings.TrimPrefix(strings.Trim(condition("CORS_VARY"), `"`), "expr=")
	if v, ok := strings.CutPrefix(varies, "env="); ok {
		varies = "reqenv('" + v + "') != ''"
	}
	if a.some((*rule).varies) {
		a.line(`Header always merge Vary Origin "expr=%s && resp('Vary') !~ m#(?:^|,)[ \t]*(?:origin|\*)[ \t]*(?:,|$)#i"`, varies)
	}
	for _, h := range []struct {
		name, value, variable string
		such                  func(*rule) bool
	}{
		{"Access-Control-Allow-Credentials", "true", "CORS_CREDENTIALS", func(r *rule) bool { return r.policy.Credentials }},
		{"Access-Control-Allow-Methods", "%{CORS_METHODS}e", "CORS_METHODS", func(r *rule) bool { return len(r.policy.Methods) > 0 }},
		{"Access-Control-Allow-Headers", "%{CORS_HEADERS}e", "CORS_HEADERS", func(r *rule) bool { return len(r.policy.RequestHeaders) > 0 }},
		{"Access-Control-Allow-Private-Network", "true", "CORS_PRIVATE_NETWORK", func(r *rule) bool { return r.policy.PrivateNetwork }},
		{"Access-Control-Max-Age", "%{CORS_MAX_AGE}e", "CORS_MAX_AGE", func(r *rule) bool { return r.maxAge() != "" }},
	} {
		if a.some(h.such) {
			a.line(`Header always set %s %s %s`, h.name, apacheQuote(h.value), condition(h.variable))
		}
	}
	for _, r := range a.rules {
		if len(r.policy.ExposedHeaders) > 0 {
			names := strings.ReplaceAll(strings.Join(r.policy.ExposedHeaders, ", "), "%", "%%")
			a.line(`Header always set Access-Control-Expose-Headers %s %s`, apacheQuote(names), condition(fmt.Sprintf("CORS_EXPOSE_%d", r.number)))
		}
	}
	if fill {
		a.line(`# The last, since the lines above ask for it.`)
	}
	a.line(`Header always set %s "%%{CORS_ORIGIN}e" %s`, acao, condition("CORS_ORIGIN"))
	a.line("")
	a.line(`# What the upstream says of CORS goes.`)
	condition = func(string) string {
		var terms []string
		if keep {
			terms = append(terms, "reqenv('CORS_KEEP') == ''")
		}
		if fill {
			terms = append(terms, "(reqenv('CORS_FILL') == '' || resp('"+acao+"') !~ m#^upstream #)")
		}
		if len(terms) == 0 {
			return ""
		}
		return " " + apacheQuote("expr="+strings.Join(terms, " && "))
	}
	if fill {
		a.line(`# To fill in is to know whether %s is the upstream's: then it is marked.`, acao)
		a.line(`Header edit %s ^ "upstream " env=CORS_FILL`, acao)
	}
	for _, h := range nginxHeaders {
		if h.name != "Vary" && h.name != acao {
			a.line(`Header unset %s%s`, h.name, condition(""))
		}
	}
	a.line(`Header unset %s%s`, acao, condition(""))
	if fill {
		a.line(`Header edit %s "^upstream " "" env=CORS_FILL`, acao)
	}
}

// proxyModules is what a2enmod is told besides.
func (a *apacheWriter) proxyModules() string {
	urls := a.upstreamURLs()
	switch {
	case len(urls) == 0:
		return ""
	case slices.ContainsFunc(urls, isHTTPS):
		return ", and for the upstreams mod_proxy_http and mod_ssl"
	}
	return ", and for the upstreams mod_proxy_http"
}

func isHTTPS(u *url.URL) bool { return u.Scheme == "https" }

// proxy writes where requests go, if the file says so.
func (a *apacheWriter) proxy() {
	urls := a.upstreamURLs()
	if len(urls) == 0 {
		return
	}
	a.line("")
	a.line(`# To the upstreams of cors.yaml. Where you have a ProxyPass of your own, remove this.`)
	if slices.ContainsFunc(urls, isHTTPS) {
		a.line("SSLProxyEngine On")
		a.line("SSLProxyVerify require")
		a.line("SSLProxyVerifyDepth 4")
		a.line("SSLProxyCACertificateFile /etc/ssl/certs/ca-certificates.crt")
	}
	if len(urls) == 1 && a.file.Upstream != nil {
		a.line(`ProxyPass "/" %s nocanon`, apacheQuote(apacheURL(urls[0])+"/"))
		return
	}
	for _, u := range urls {
		a.line(`<Proxy %s>`, apacheQuote(apacheURL(u)+"/"))
		a.line(`    ProxySet keepalive=On`)
		a.line(`</Proxy>`)
	}
	found := "CORS_FOUND"
	if a.universal() {
		found = "CORS_RULE"
	}
	pass := func(u *url.URL) {
		a.cond("%{THE_REQUEST}", `^[^ ]+ (?:[a-z]+://[^/]*)?(/[^? ]*)`)
		// In a substitution these stand for what was found.
		literal := strings.NewReplacer("%", `\%`, "$", `\$`).Replace(apacheURL(u))
		a.line(`RewriteRule ^ "%s%%1" [P,NE,L]`, literal)
	}
	for _, r := range a.rules {
		if indexOf(urls, r.upstream) != indexOf(urls, a.file.Upstream) {
			a.cond("%{ENV:"+found+"}", "="+strconv.Itoa(r.number))
			pass(r.upstream)
		}
	}
	if a.file.Upstream != nil {
		pass(a.file.Upstream)
		return
	}
	a.line(`# Where no route has an upstream there is nothing but the page of an ErrorDocument.`)
	a.cond("%{ENV:REDIRECT_STATUS}", "^$")
	a.then("R=404", "L")
}

// apacheURL is an upstream without the slash at its end.
func apacheURL(u *url.URL) string {
	scheme := u.Scheme
	if scheme == "h2c" {
		scheme = "http"
	}
	return scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
}

func (a *apacheWriter) findings() {
	a.find(Finding{
		Field: "lines", Effect: Lost,
		Reason: "an empty Origin or Access-Control-Request-Method is as none",
		Fix:    "nothing: no browser sends one",
	})
	a.findPaths("AllowEncodedSlashes NoDecode")
	for _, r := range a.rules {
		switch {
		case r.shadow:
			a.findIn(r, Finding{Field: "shadow", Effect: Lost, Reason: "nothing tells what would be refused", Fix: "look at the logs of cors serve instead, or log %{Origin}i"})
		case r.headers == edge.Keep:
			a.findIn(r, Finding{Field: "upstream-headers", Value: "keep", Effect: Narrowed, Reason: "errors of httpd itself have no CORS headers", Fix: "write fill, or strip"})
		}
		if grantedByApache(r) != r.granted() {
			a.findIn(r, Finding{Field: "preflight-status", Value: strconv.Itoa(r.granted()), Effect: Lost, Reason: "httpd does not know this status, and answers with 204", Fix: "write 200 or 204"})
		}
		if apacheGranted(r) != r.granted() {
			a.findIn(r, Finding{Field: "preflight-status", Value: strconv.Itoa(r.granted()), Effect: Lost, Reason: "httpd knows no such status, and answers with 204", Fix: "nothing: browsers take each from 200 to 299 for the same"})
		}
		if r.policy.InsecureReflectAnyOrigin && slices.Contains(r.policy.Origins, "*") {
			a.findIn(r, anyLooksLikeAnOrigin)
		}
		if r.upstream != nil && r.upstream.Scheme == "h2c" {
			a.findIn(r, Finding{Field: "upstream", Value: r.upstream.String(), Effect: Lost, Reason: "httpd speaks HTTP/1.1 to it", Fix: "have the upstream take both, or load mod_proxy_http2 and write h2c:// in the RewriteRule"})
		}
	}
}
