package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/edge"
)

// nginx writes two files: what decides, which is of the whole server, and what
// acts on it, which is of each virtual one.
//
// It decides in maps, since they are evaluated where they are used: "if" would
// take part in how locations are chosen, and "set" be forgotten where nginx
// answers by itself.
func nginx(j *job) error {
	n := &nginxWriter{job: j}
	for _, r := range j.rules {
		n.mixed = n.mixed || r.shadow || r.headers != edge.Strip
	}
	n.decide()
	n.act()
	n.findings()
	j.write("cors-http.conf", []byte(n.http.String()))
	j.write("cors-server.conf", []byte(n.server.String()))
	return nil
}

type nginxWriter struct {
	*job
	http, server lines
	mixed        bool // of some responses the upstream says what CORS headers they have
	keys         int  // of its table of origins
}

// decide writes the maps.
func (n *nginxWriter) decide() {
	l := &n.http
	l.line(`# CORS for nginx, written by "cors export --to nginx": change cors.yaml, and write it again.`)
	l.line(`#`)
	l.line(`# This file belongs into http { }, as in /etc/nginx/conf.d/cors-http.conf;`)
	l.line(`# cors-server.conf belongs into server { }.`)
	n.rule()
	n.origin()
	n.preflight()
	n.headers()
	if n.mixed {
		n.speaker()
	}
	n.upstreams()
}

// entry writes a line of a map.
func entry(l *lines, key, value string) {
	l.line(`    %s %s;`, key, value)
}

// matching is the key of a map that is a regular expression, in which case
// matters.
func matching(expression string) string { return nginxQuote("~" + expression) }

func matchingFold(expression string) string { return nginxQuote("~*" + expression) }

// nginxQuote quotes s. In quotes a backslash stands for itself but before quotes
// and itself; \t is a tab, which in an expression is the same.
func nginxQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' && (i+1 == len(s) || strings.IndexByte(`"'\`, s[i+1]) >= 0) {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// rule writes how the rule of a request is found: a number, 0 where there is none.
func (n *nginxWriter) rule() {
	l := &n.http
	l.line("")
	l.line(`# The rules, by their number:`)
	for _, r := range n.rules {
		l.line(`#   %d: %s`, r.number, strings.Join(r.routes, " "))
	}
	if n.universal() {
		l.line(`map "" $cors_rule {`)
		entry(l, "default", "1")
		l.line(`}`)
		return
	}
	matchers := n.matchers()
	table := func(variable string, path func(matcher) string) {
		for _, m := range matchers {
			host := "[^/]*"
			if m.host != "" {
				host = quote(m.host)
			}
			entry(l, matching("^"+host+path(m)), strconv.Itoa(n.of(m.route).number))
		}
		entry(l, "default", "0")
		l.line(`}`)
	}
	l.line(`# The first that matches decides. The path is read twice, as nginx does ($uri) and as it`)
	l.line(`# came ($request_uri): where the two differ, a server behind may read it as either.`)
	l.line(`map "$host$uri" $cors_found {`)
	table("$cors_found", func(m matcher) string {
		if m.exact {
			return m.path + "$"
		}
		return m.path
	})
	l.line(`map "$host$request_uri" $cors_found_raw {`)
	table("$cors_found_raw", func(m matcher) string {
		if m.exact {
			return m.raw + `(?:\?|$)`
		}
		return m.raw
	})
	l.line(`# An escaped slash among other escapes makes more ways to read it.`)
	l.line(`map $request_uri $cors_slashed {`)
	entry(l, matching(`^`+slashedPath+`(?:\?|$)`), "0")
	entry(l, matchingFold(`^[^?]*%2f`), "1")
	entry(l, "default", "0")
	l.line(`}`)
	l.line(`map "$cors_found $cors_found_raw $cors_slashed $uri" $cors_rule {`)
	entry(l, matching(`^([0-9]+) \1 0 [^;\\]*$`), "$cors_found")
	entry(l, "default", "0")
	l.line(`}`)
}

// hashed is the length of the longest key that fits into nginx's tables as they
// come; map_hash_bucket_size may stand in a configuration only once.
const hashed = 46

// origin writes how $cors_origin is found: the origin if it is allowed, "*" if any
// is.
func (n *nginxWriter) origin() {
	l := &n.http
	l.line("")
	l.line(`# What of the rule's origins is the request's.`)
	l.line(`map "$cors_rule $http_origin" $cors_listed {`)
	for _, r := range n.rules {
		if r.anyOrigin() {
			entry(l, matching(fmt.Sprintf("^%d ", r.number)), `"*"`)
			continue
		}
		for _, o := range r.policy.Origins {
			key := fmt.Sprintf("%d %s", r.number, o)
			if len(key) <= hashed && !strings.Contains(o, "*") {
				n.keys++
				entry(l, nginxQuote(key), nginxQuote(o))
				continue
			}
			entry(l, matching(fmt.Sprintf("^%d %s$", r.number, originRegexp(o))), "$http_origin")
		}
	}
	entry(l, "default", `""`)
	l.line(`}`)
	l.line(`# The keys of a map are found in any case, and browsers compare byte by byte. No name in the`)
	l.line(`# DNS is longer than this.`)
	l.line(`map "$http_origin $cors_listed" $cors_origin {`)
	entry(l, matching(`^(`+originLength+`) \1$`), "$http_origin")
	if slices.ContainsFunc(n.rules, (*rule).anyOrigin) {
		entry(l, matching(` \*$`), `"*"`)
	}
	entry(l, "default", `""`)
	l.line(`}`)
}

// preflight writes how $cors_verdict is found: "allowed" or "refused" of a
// preflight, "" of any other request.
func (n *nginxWriter) preflight() {
	l := &n.http
	l.line("")
	l.line(`# A preflight is OPTIONS with an origin and the method to come.`)
	l.line(`map $http_origin $cors_has_origin {`)
	entry(l, `""`, "0")
	entry(l, "default", "1")
	l.line(`}`)
	l.line(`map $http_access_control_request_method $cors_asks {`)
	entry(l, `""`, "0")
	entry(l, "default", "1")
	l.line(`}`)
	l.line(`# The method, if it is allowed; those in brackets need no mention.`)
	l.line(`map "$cors_rule $http_access_control_request_method" $cors_method {`)
	entry(l, matching(`^[0-9]+ (?:GET|HEAD|POST)$`), `"(safelisted)"`)
	for _, r := range n.rules {
		if len(r.policy.Methods) > 0 {
			entry(l, matching(fmt.Sprintf(`^%d %s$`, r.number, methodRegexp(r.policy.Methods))), "$http_access_control_request_method")
		}
	}
	entry(l, "default", `""`)
	l.line(`}`)
	l.line(`# The header names, if all of them are allowed.`)
	l.line(`map "$cors_rule $http_access_control_request_headers" $cors_names {`)
	entry(l, matching(`^[0-9]+ [ \t,]*$`), `"(none)"`)
	for _, r := range n.rules {
		if len(r.policy.RequestHeaders) == 0 {
			continue
		}
		key := func(expression string) string {
			return matchingFold(fmt.Sprintf("^%d %s", r.number, strings.TrimPrefix(expression, "^")))
		}
		allowed, refused := nameListRegexp(r.policy.RequestHeaders)
		if refused != "" {
			entry(l, key(refused), `""`)
		}
		entry(l, key(allowed), "$http_access_control_request_headers")
	}
	entry(l, "default", `""`)
	l.line(`}`)
	l.line(`map "$request_method $cors_has_origin $cors_asks $cors_rule $cors_origin $cors_method $cors_names" $cors_asked {`)
	if numbers := n.numbers(func(r *rule) bool { return r.shadow }); numbers != "" {
		l.line(`    # In shadow nothing is enforced.`)
		entry(l, matching("^OPTIONS 1 1 "+numbers+" "), `""`)
	}
	entry(l, matching(`^OPTIONS 1 1 [0-9]+ [^ ]+ [^ ]+ .`), `"allowed"`)
	entry(l, matching(`^OPTIONS 1 1 `), `"refused"`)
	entry(l, "default", `""`)
	l.line(`}`)
	l.line(`# What is above is not looked at for any other method.`)
	l.line(`map $request_method $cors_verdict {`)
	entry(l, "OPTIONS", "$cors_asked")
	entry(l, "default", `""`)
	l.line(`}`)
	l.line(`map "$cors_verdict $cors_rule" $cors_answer {`)
	for _, r := range n.rules {
		entry(l, fmt.Sprintf(`"allowed %d"`, r.number), strconv.Itoa(r.granted()))
		entry(l, fmt.Sprintf(`"refused %d"`, r.number), strconv.Itoa(r.refused()))
	}
	entry(l, `"refused 0"`, "403")
	entry(l, "default", `""`)
	l.line(`}`)
}

// headers writes how the values of headers are found. What is empty is not sent.
func (n *nginxWriter) headers() {
	l := &n.http
	l.line("")
	l.line(`# The headers. Those whose value is empty are not sent.`)
	l.line(`map $cors_verdict $cors_allow_origin {`)
	entry(l, `"refused"`, `""`)
	entry(l, "default", "$cors_origin")
	l.line(`}`)
	if n.used("allow_credentials") {
		l.line(`map "$cors_rule $cors_allow_origin" $cors_allow_credentials {`)
		if numbers := n.numbers(func(r *rule) bool { return r.policy.Credentials }); numbers != "" {
			entry(l, matching("^"+numbers+" ."), `"true"`)
		}
		entry(l, "default", `""`)
		l.line(`}`)
	}
	if n.used("allow_methods") {
		l.line(`map "$cors_verdict $cors_method" $cors_allow_methods {`)
		entry(l, matching(`^allowed [^(]`), "$cors_method")
		entry(l, "default", `""`)
		l.line(`}`)
	}
	if n.used("allow_headers") {
		l.line(`map "$cors_verdict $cors_names" $cors_allow_headers {`)
		entry(l, matching(`^allowed [^(]`), "$cors_names")
		entry(l, "default", `""`)
		l.line(`}`)
	}
	if n.used("max_age") {
		l.line(`map "$cors_verdict $cors_rule" $cors_max_age {`)
		for _, r := range n.rules {
			if age := r.maxAge(); age != "" {
				entry(l, fmt.Sprintf(`"allowed %d"`, r.number), age)
			}
		}
		entry(l, "default", `""`)
		l.line(`}`)
	}
	if n.used("allow_private_network") {
		l.line(`map "$cors_verdict $cors_rule $http_access_control_request_private_network" $cors_allow_private_network {`)
		if numbers := n.numbers(func(r *rule) bool { return r.policy.PrivateNetwork }); numbers != "" {
			entry(l, matching("^allowed "+numbers+" true$"), `"true"`)
		}
		entry(l, "default", `""`)
		l.line(`}`)
	}
	if n.used("expose_headers") {
		n.expose()
	}
	if n.used("vary") {
		l.line(`# Vary is added to what the upstream says, unless it says so itself.`)
		l.line(`map "$cors_rule $upstream_http_vary" $cors_vary {`)
		l.line(`    volatile;`)
		if numbers := n.numbers((*rule).varies); numbers != "" {
			entry(l, matchingFold("^"+numbers+` (?:.*,)?[ \t]*(?:origin|\*)[ \t]*(?:,.*)?$`), `""`)
			entry(l, matching("^"+numbers+" "), `"Origin"`)
		}
		entry(l, "default", `""`)
		l.line(`}`)
	}
}

// used reports whether some response may have the header of a variable.
func (n *nginxWriter) used(variable string) bool {
	if n.mixed {
		return true // from the upstream
	}
	return slices.ContainsFunc(n.rules, func(r *rule) bool {
		switch p := r.policy; variable {
		case "allow_credentials":
			return p.Credentials
		case "allow_methods":
			return len(p.Methods) > 0
		case "allow_headers":
			return len(p.RequestHeaders) > 0
		case "allow_private_network":
			return p.PrivateNetwork
		case "expose_headers":
			return len(p.ExposedHeaders) > 0
		case "max_age":
			return r.maxAge() != ""
		case "vary":
			return r.varies()
		}
		return true
	})
}

// expose writes how Access-Control-Expose-Headers is found.
func (n *nginxWriter) expose() {
	l := &n.http
	dollar := slices.ContainsFunc(n.rules, func(r *rule) bool { return strings.Contains(strings.Join(r.policy.ExposedHeaders, ""), "$") })
	if dollar {
		l.line(`# A value has no other way to a "$".`)
		l.line(`geo $cors_dollar { default "$"; }`)
	}
	l.line(`map "$cors_rule [$cors_verdict] $cors_allow_origin" $cors_expose_headers {`)
	for _, r := range n.rules {
		if len(r.policy.ExposedHeaders) > 0 {
			names := strings.ReplaceAll(strings.Join(r.policy.ExposedHeaders, ", "), "$", "${cors_dollar}")
			entry(l, matching(fmt.Sprintf(`^%d \[\] .`, r.number)), nginxQuote(names))
		}
	}
	entry(l, "default", `""`)
	l.line(`}`)
}

// nginxHeaders are those that a response may have, and the variables of their
// values.
var nginxHeaders = [...]struct{ name, variable string }{
	{"Access-Control-Allow-Origin", "allow_origin"},
	{"Access-Control-Allow-Credentials", "allow_credentials"},
	{"Access-Control-Allow-Methods", "allow_methods"},
	{"Access-Control-Allow-Headers", "allow_headers"},
	{"Access-Control-Allow-Private-Network", "allow_private_network"},
	{"Access-Control-Expose-Headers", "expose_headers"},
	{"Access-Control-Max-Age", "max_age"},
	{"Vary", "vary"},
}

// speaker writes how it is found whose headers a response has, where the
// upstream's may stay: they are hidden like all, and written again.
func (n *nginxWriter) speaker() {
	l := &n.http
	l.line("")
	l.line(`# Whose headers a response has: the upstream's, or the policy's. A time to the header is`)
	l.line(`# there where the upstream has answered.`)
	l.line(`map "$cors_rule [$cors_verdict] $upstream_header_time $upstream_http_access_control_allow_origin" $cors_speaker {`)
	l.line(`    volatile;`)
	for _, r := range n.rules {
		switch {
		case r.shadow:
			entry(l, matching(fmt.Sprintf(`^%d \[\] `, r.number)), `"upstream"`)
		case r.headers == edge.Keep:
			entry(l, matching(fmt.Sprintf(`^%d \[\] (?:[^ ]* )*?[0-9.]+ `, r.number)), `"upstream"`)
		case r.headers == edge.Fill:
			entry(l, matching(fmt.Sprintf(`^%d \[\] (?:[^ ]* )*?[0-9.]+ .`, r.number)), `"upstream"`)
		}
	}
	entry(l, "default", `"policy"`)
	l.line(`}`)
	for _, h := range nginxHeaders {
		upstream := "$upstream_http_" + strings.ReplaceAll(strings.ToLower(h.name), "-", "_")
		if h.name == "Vary" {
			upstream = `""`
		}
		l.line(`map $cors_speaker $cors_send_%s {`, h.variable)
		l.line(`    volatile;`)
		entry(l, `"upstream"`, upstream)
		entry(l, "default", "$cors_"+h.variable)
		l.line(`}`)
	}
}

// act writes what stands in a server.
func (n *nginxWriter) act() {
	l := &n.server
	l.line(`# CORS for nginx, written by "cors export --to nginx": change cors.yaml, and write it again.`)
	l.line(`#`)
	l.line(`# This file belongs into each server { } that it is for: include /etc/nginx/cors-server.conf;`)
	l.line(`# A location that has an add_header or a proxy_hide_header of its own inherits none: include`)
	l.line(`# the lines below there, too.`)
	l.line("")
	l.line(`# Preflights are answered here, whatever the location. Before this there must be no rewrite:`)
	l.line(`# the rule is found by the path.`)
	var statuses []int
	for _, r := range n.rules {
		statuses = append(statuses, r.granted(), r.refused())
	}
	slices.Sort(statuses)
	for _, status := range slices.Compact(append(statuses, 403)) {
		text := ""
		if status != 204 && status != 403 {
			text = ` ""`
		}
		l.line(`if ($cors_answer = %d) { return %d%s; }`, status, status, text)
	}
	l.line("")
	l.line(`# "always" is also for errors, those of nginx itself too.`)
	prefix := "cors_"
	if n.mixed {
		prefix = "cors_send_"
	}
	for _, h := range nginxHeaders {
		if n.used(h.variable) {
			l.line(`add_header %s $%s%s always;`, h.name, prefix, h.variable)
		}
	}
	l.line("")
	l.line(`# What the upstream says of CORS goes; for fastcgi_pass it is fastcgi_hide_header, and so on.`)
	for _, h := range nginxHeaders {
		if h.name != "Vary" {
			l.line(`proxy_hide_header %s;`, h.name)
		}
	}
	n.proxy()
}

// upstreams writes where requests go.
func (n *nginxWriter) upstreams() {
	urls := n.upstreamURLs()
	if len(urls) == 0 {
		return
	}
	l := &n.http
	l.line("")
	l.line(`# The upstreams of cors.yaml. nginx finds their addresses when it starts.`)
	for i, u := range urls {
		l.line(`upstream cors_upstream_%d { server %s; }`, i+1, addressOf(u))
	}
	table := func(variable string, value func(i int) string) {
		l.line(`map $%s $%s {`, n.finder(), variable)
		for _, r := range n.rules {
			if i := indexOf(urls, r.upstream); i >= 0 {
				entry(l, strconv.Itoa(r.number), nginxQuote(value(i)))
			}
		}
		last := ""
		if i := indexOf(urls, n.file.Upstream); i >= 0 {
			last = value(i)
		}
		entry(l, "default", nginxQuote(last))
		l.line(`}`)
	}
	table("cors_upstream", func(i int) string {
		scheme := urls[i].Scheme
		if scheme == "h2c" {
			scheme = "http"
		}
		// In a value a "$" would begin the name of a variable.
		path := strings.ReplaceAll(strings.TrimSuffix(urls[i].EscapedPath(), "/"), "$", "%24")
		return fmt.Sprintf("%s://cors_upstream_%d%s", scheme, i+1, path)
	})
	table("cors_upstream_host", func(i int) string { return urls[i].Host })
	table("cors_upstream_name", func(i int) string { return urls[i].Hostname() })
}

// finder is the variable with the rule by which a request goes to its upstream.
// Where the path can be read in two ways it is nginx's own.
func (n *nginxWriter) finder() string {
	if n.universal() {
		return "cors_rule"
	}
	return "cors_found"
}

// proxy writes a location, if the file says where requests go.
func (n *nginxWriter) proxy() {
	urls := n.upstreamURLs()
	if len(urls) == 0 {
		return
	}
	l := &n.server
	l.line("")
	l.line(`# To the upstreams of cors.yaml. Where you have locations of your own, remove this.`)
	l.line(`location / {`)
	l.line(`    if ($cors_upstream = "") { return 404; }`)
	l.line(`    proxy_pass $cors_upstream$request_uri;`)
	l.line(`    proxy_http_version 1.1;`)
	l.line(`    proxy_set_header Connection "";`)
	l.line(`    proxy_set_header Host $cors_upstream_host;`)
	l.line(`    proxy_set_header X-Forwarded-For $remote_addr;`)
	l.line(`    proxy_set_header X-Forwarded-Host $http_host;`)
	l.line(`    proxy_set_header X-Forwarded-Proto $scheme;`)
	if slices.ContainsFunc(urls, isHTTPS) {
		l.line(`    proxy_ssl_server_name on;`)
		l.line(`    proxy_ssl_name $cors_upstream_name;`)
		l.line(`    proxy_ssl_verify on;`)
		l.line(`    proxy_ssl_verify_depth 4;`)
		l.line(`    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;`)
	}
	l.line(`}`)
}

func (n *nginxWriter) findings() {
	n.find(Finding{
		Field: "lines", Effect: Needs,
		Reason: "before version 1.23.0 nginx reads the first line of a header that comes in several; in all versions an empty one is as none",
		Fix:    "use 1.23.0 or later; no browser sends a header of CORS in several lines, or empty",
	})
	n.findPaths("")
	if n.keys > 1000 {
		n.find(Finding{
			Field: "origins", Effect: Needs,
			Reason: fmt.Sprintf("nginx warns of a table too small for %d origins, and takes longer to find one", n.keys),
			Fix:    "write map_hash_max_size 32768; into http { }",
		})
	}
	for _, r := range n.rules {
		if r.shadow {
			n.findIn(r, Finding{Field: "shadow", Effect: Lost, Reason: "nothing tells what would be refused", Fix: "look at the logs of cors serve instead, or at $http_origin in an access log"})
		}
		for _, m := range r.policy.Methods {
			if m == "*" || strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
				n.findIn(r, Finding{Field: "methods", Value: m, Effect: Narrowed,
					Reason: `nginx answers 400 to a method that has more than capital letters, "_" and "-"`, Fix: "have pages use another"})
			}
		}
		if r.policy.InsecureReflectAnyOrigin && slices.Contains(r.policy.Origins, "*") {
			n.findIn(r, anyLooksLikeAnOrigin)
		}
	}
	for _, r := range n.rules {
		if r.upstream != nil && r.upstream.Scheme == "h2c" {
			n.findIn(r, Finding{Field: "upstream", Value: r.upstream.String(), Effect: Lost, Reason: "nginx speaks HTTP/1.1 to it", Fix: "have the upstream take both, or use grpc_pass"})
		}
	}
}
