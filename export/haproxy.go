package export

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
)

// haproxy writes a frontend that keeps the policies, and a backend for each
// upstream. What is decided about a request is kept in variables, which
// http-after-response reads: the only rules that HAProxy's own errors pass.
func haproxy(j *job) error {
	w := &haproxyWriter{job: j}
	w.everyPath = j.universal()
	w.frontend()
	w.backends()
	main := File{"haproxy.cfg", []byte(w.String())}
	j.result.Files = append([]File{main}, j.result.Files...)
	j.find(Finding{Field: "version", Value: "2.4", Effect: Needs,
		Reason: "older ones cannot remove headers by the beginning of their names",
		Fix:    `use HAProxy 2.4 or newer, with PCRE ("haproxy -vv" says so)`})
	return nil
}

type haproxyWriter struct {
	lines
	job       *job
	everyPath bool // is of the one route that there is
}

func (w *haproxyWriter) frontend() {
	w.line("# What cors.yaml says of CORS, for HAProxy 2.4 or newer. Made by cors export: to")
	w.line("# change it, change cors.yaml and export again.")
	w.line("#")
	w.line("# In a frontend of your own, the lines below \"bind\" go before every other rule of")
	w.line("# http-request, so that no preflight meets one that wants a password.")
	w.line("")
	w.line("defaults cors")
	w.line("\tmode http")
	w.line("\ttimeout client 60s")
	w.line("\ttimeout connect 5s")
	w.line("\ttimeout server 60s")
	w.line("")
	w.line("frontend cors from cors")
	w.line("\tbind :8080")
	w.line("")
	w.line("\t# A preflight asks before the request itself is sent.")
	w.line("\thttp-request set-var(txn.cors_preflight) bool(true) if METH_OPTIONS { req.fhdr_cnt(Origin) gt 0 } { req.fhdr_cnt(Access-Control-Request-Method) gt 0 }")
	w.line("\tacl cors_preflight var(txn.cors_preflight) -m bool")
	if !w.everyPath {
		w.routes()
	}
	w.origins()
	w.preflights()
	w.answers()
}

// rules writes an acl for the requests of some rules, and returns what to write
// in a condition. It is not ok where there are none.
func (w *haproxyWriter) rules(name string, such func(*rule) bool) (condition string, ok bool) {
	var ids []string
	for _, r := range w.job.rules {
		if such(r) {
			for _, route := range r.routes {
				ids = append(ids, w.id(route))
			}
		}
	}
	if w.everyPath || len(ids) == 0 {
		return "", len(ids) > 0
	}
	w.list("cors_"+name+" var(txn.cors_policy) -m int", ids)
	return "cors_" + name + " ", true
}

// routes writes the rules that find the route of a request.
func (w *haproxyWriter) routes() {
	w.line("")
	w.line("\t# The route, by host and path alone, since a preflight has nothing else of the")
	w.line("\t# request to come. The last line that matches decides.")
	matchers := w.job.matchers()
	hosts := map[string]int{}
	for _, m := range matchers {
		if m.host != "" && hosts[m.host] == 0 {
			hosts[m.host] = len(hosts) + 1
			w.line("\tacl cors_host_%d req.fhdr(Host) -m reg -i '^%s\\.?(:[0-9]*)?$'", hosts[m.host], quote(m.host))
		}
	}
	find := func(variable, path, first string, expression func(matcher) string) {
		for _, m := range slices.Backward(matchers) {
			host := first
			if m.host != "" {
				host += fmt.Sprintf("cors_host_%d ", hosts[m.host])
			}
			w.line("\thttp-request set-var(txn.%s) int(%s) if %s{ %s %s }", variable, w.id(m.route), host, path, haproxyPath(expression(m), m.exact))
		}
	}
	find("cors_route", "path", "", func(m matcher) string { return m.raw })
	w.line("\t# Where a path can be read as that of two routes, by its escapes or by what routers")
	w.line("\t# differ about, it has no policy, and no origin may read.")
	w.line("\tacl cors_escaped path -m sub %%")
	find("cors_read", "path,url_dec", "cors_escaped ", func(m matcher) string { return m.path })
	w.line("\tacl cors_odd path -m reg '%s'", oddPath)
	w.line("\thttp-request set-var(txn.cors_policy) var(txn.cors_route) if !cors_escaped !cors_odd")
	w.line("\thttp-request set-var(txn.cors_policy) var(txn.cors_route) if cors_escaped !cors_odd { var(txn.cors_route),sub(txn.cors_read) -m int 0 }")
	w.line("\thttp-request unset-var(txn.cors_policy) if { path -m sub -i %%2f } !{ path -m reg %s }", haproxyWord("^"+slashedPath+"$"))
	w.job.find(oddPaths)
	w.line("")
	w.line("\t# The policies, of the routes that have them")
	for _, r := range w.job.rules {
		w.line("\t# %s", strings.Map(printable, strings.Join(r.routes, ", ")))
		w.rules(fmt.Sprintf("is_%d", r.number), func(other *rule) bool { return other == r })
	}
}

// is is the condition for the requests of r.
func (w *haproxyWriter) is(r *rule) string {
	if w.everyPath {
		return ""
	}
	return fmt.Sprintf("cors_is_%d ", r.number)
}

// oddPaths is found where there are routes.
var oddPaths = Finding{Field: "paths", Effect: Narrowed,
	Reason: "a path with an empty segment, a dot segment, a backslash, a semicolon, or an escape of one of these or of a control character, or with an escaped slash among other escapes, gets no CORS headers",
	Fix:    "nothing, unless pages ask for such paths",
}

// oddPath matches what servers and routers read differently in a path. An escaped
// slash is read in two ways, as one and as none; what else is escaped in the same
// path would make it more, unless all of it is as in slashedPath.
const (
	oddPath     = `(/|%2[Ff])(/|%2[Ff])|(/|%2[Ff])[.][.]?(/|%2[Ff]|$)|[\\;]|%([01][0-9A-Fa-f]|2[Ee]|3[Bb]|5[Cc]|7[Ff])`
	slashedPath = `(?:[/0-9A-Za-z_.~\x24&+,:=@-]|%2[Ff])*`
)

// id is what a route is called in a variable.
func (w *haproxyWriter) id(pattern string) string { return strconv.Itoa(w.job.index(pattern) + 1) }

func haproxyPath(expression string, exact bool) string {
	plain := !strings.ContainsFunc(expression, func(c rune) bool {
		return c != '/' && c != '-' && c != '_' && c != '~' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
	switch {
	case plain && exact:
		return "-m str " + expression
	case plain:
		return "-m beg " + expression
	case exact:
		return "-m reg " + haproxyWord("^"+expression+"$")
	}
	return "-m reg " + haproxyWord("^"+expression)
}

// origins writes which origins may read.
func (w *haproxyWriter) origins() {
	w.line("")
	w.line("\t# The origin, if it may read. \"fhdr\" takes a line as it is; \"hdr\" would cut it at its")
	w.line("\t# commas, and take two origins in one line for each of them.")
	w.line("\thttp-request set-var(txn.cors_from) req.fhdr(Origin) if { req.fhdr_cnt(Origin) eq 1 }")
	if slices.ContainsFunc(w.job.rules, func(r *rule) bool { return !r.anyOrigin() && slices.ContainsFunc(r.policy.Origins, isWild) }) {
		w.line("\tacl cors_in_DNS var(txn.cors_from) -m reg %s", haproxyWord("^(?:"+originLength+")$"))
	}
	for _, r := range w.job.rules {
		switch {
		case r.shadow:
		case r.anyOrigin():
			w.line("\thttp-request set-var(txn.cors_origin) str(*)%s", haproxyIf(w.is(r)))
		case len(r.policy.Origins) > 0:
			w.someOrigins(r)
		}
	}
	if shadow, ok := w.rules("shadow", func(r *rule) bool { return r.shadow }); ok {
		w.line("")
		w.line("\t# shadow: nothing is enforced, and HAProxy does not count what would be.")
		w.line("\thttp-request set-var(txn.cors_left) bool(true)%s", haproxyIf(shadow))
		w.line("\thttp-request unset-var(txn.cors_preflight)%s", haproxyIf(shadow))
	}
	for _, r := range w.job.rules {
		if r.shadow {
			w.job.findIn(r, Finding{Field: "shadow", Value: "true", Effect: Lost,
				Reason: "HAProxy does not count what a policy would refuse", Fix: "try the policy with cors serve, and export it without shadow"})
		}
	}
}

// someOrigins writes which origins r lists.
func (w *haproxyWriter) someOrigins(r *rule) {
	n := r.number
	var exact, expressions []string
	for _, o := range r.policy.Origins {
		if isWild(o) {
			expressions = append(expressions, originRegexp(o))
		} else {
			exact = append(exact, o)
		}
	}
	if len(exact) > maxInline {
		name := fmt.Sprintf("cors-origins-%d.lst", n)
		w.job.write(name, []byte(strings.Join(exact, "\n")+"\n"))
		w.line("\tacl cors_origin_%d var(txn.cors_from) -m str -f /etc/haproxy/%s", n, name)
	} else {
		w.list(fmt.Sprintf("cors_origin_%d var(txn.cors_from) -m str", n), exact)
	}
	for _, e := range expressions {
		w.line("\tacl cors_origin_%d var(txn.cors_from) -m reg %s", n, haproxyWord("^"+e+"$"))
	}
	also := ""
	if len(expressions) > 0 {
		also = " cors_in_DNS"
	}
	w.line("\thttp-request set-var(txn.cors_origin) var(txn.cors_from) if %scors_origin_%d%s", w.is(r), n, also)
	if slices.Contains(r.policy.Origins, "*") {
		w.job.findIn(r, anyLooksLikeAnOrigin)
	}
}

func isWild(pattern string) bool { return strings.Contains(pattern, "*") }

// maxInline is how many origins stand in the configuration itself.
const maxInline = 64

// preflights writes what preflights may ask for, and answers them.
func (w *haproxyWriter) preflights() {
	w.line("")
	w.line("\t# What a preflight may ask for: a method, and names of headers. What is left of a name")
	w.line("\t# when an allowed one is taken away is not allowed.")
	for _, r := range w.job.rules {
		if len(r.policy.Origins) > 0 && !r.shadow {
			w.granted(r)
		}
	}
	w.line("\thttp-request set-var(txn.cors_method) req.fhdr(Access-Control-Request-Method) if cors_preflight !{ req.fhdr(Access-Control-Request-Method) -m str GET HEAD POST }")
	w.line("\thttp-request set-var(txn.cors_names) req.fhdr(Access-Control-Request-Headers) if cors_preflight { req.hdr(Access-Control-Request-Headers) -m len gt 0 }")
	if of, ok := w.rules("private", privateNetwork); ok {
		w.line("\thttp-request set-var(txn.cors_private) bool(true) if cors_preflight %s{ req.fhdr_cnt(Access-Control-Request-Private-Network) eq 1 } { req.fhdr(Access-Control-Request-Private-Network) -m str true }", of)
	}
	w.line("\tacl cors_granted var(txn.cors_granted) -m bool")
	w.line("\tacl cors_readable var(txn.cors_origin) -m found")
	w.returns("granted", "cors_preflight cors_granted cors_readable ", 204, (*rule).granted)
	w.line("\thttp-request unset-var(txn.cors_origin) if cors_preflight")
	w.returns("refused", "cors_preflight ", 403, (*rule).refused)
	w.job.find(Finding{Field: "lines", Effect: Narrowed,
		Reason: "a preflight is refused whose Access-Control-Request-Headers stand in several lines, since HAProxy can say only one of them again",
		Fix:    "nothing: no browser parts them"})
}

func privateNetwork(r *rule) bool { return r.policy.PrivateNetwork }

// returns writes an answer with the status that the rule of a request says, usual
// where there is none.
func (w *haproxyWriter) returns(name, conditions string, usual int, status func(*rule) int) {
	var statuses []int
	for _, r := range w.job.rules {
		if s := status(r); s != usual && !r.shadow && !slices.Contains(statuses, s) {
			statuses = append(statuses, s)
		}
	}
	slices.Sort(statuses)
	for _, s := range statuses {
		of, _ := w.rules(fmt.Sprintf("%s_%d", name, s), func(r *rule) bool { return status(r) == s })
		w.line("\thttp-request return status %d if %s", s, strings.TrimSpace(conditions+of))
		if of == "" {
			return // it is the status of all
		}
	}
	w.line("\thttp-request return status %d if %s", usual, strings.TrimSpace(conditions))
}

// granted writes what a preflight may ask for by r.
func (w *haproxyWriter) granted(r *rule) {
	n := r.number
	if slices.Contains(r.policy.Methods, "*") {
		w.line("\tacl cors_method_%d req.fhdr(Access-Control-Request-Method) -m reg %s", n, haproxyWord("^"+methodRegexp(r.policy.Methods)+"$"))
	} else {
		w.list(fmt.Sprintf("cors_method_%d req.fhdr(Access-Control-Request-Method) -m str", n), append([]string{"GET", "HEAD", "POST"}, r.policy.Methods...))
	}
	var names []string
	for _, name := range r.policy.RequestHeaders {
		if name != "*" {
			names = append(names, header.Lower(name))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	refused := fmt.Sprintf("cors_refused_name_%d", n)
	switch {
	case slices.Contains(r.policy.RequestHeaders, "*"):
		w.line("\tacl %s %s -m len gt 0", refused, haproxyRegsub(tokenByte+"+"))
		if !slices.Contains(names, "authorization") {
			w.line("\tacl %s req.hdr(Access-Control-Request-Headers) -m str -i authorization", refused)
		}
	case len(names) > 0:
		w.line("\tacl %s %s -m len gt 0", refused, haproxyRegsub(alternatives(names)))
	default:
		w.line("\tacl %s req.hdr(Access-Control-Request-Headers) -m len gt 0", refused)
	}
	w.line("\thttp-request set-var(txn.cors_granted) bool(true) if cors_preflight %scors_method_%d !%s { req.fhdr_cnt(Access-Control-Request-Method) eq 1 } { req.fhdr_cnt(Access-Control-Request-Headers) le 1 }", w.is(r), n, refused)
}

// answers writes the headers.
func (w *haproxyWriter) answers() {
	w.line("")
	w.line("\t# Every answer passes here, HAProxy's own errors and the answers to preflights too.")
	w.line("\t# The upstream's word on CORS goes; its Vary is added to.")
	unlessLeft := ""
	if slices.ContainsFunc(w.job.rules, func(r *rule) bool { return r.shadow || r.headers != edge.Strip }) {
		if keep, ok := w.rules("keep", func(r *rule) bool { return r.headers == edge.Keep }); ok {
			w.line("\thttp-response set-var(txn.cors_left) bool(true)%s", haproxyIf(keep))
		}
		if fill, ok := w.rules("fill", func(r *rule) bool { return r.headers == edge.Fill }); ok {
			w.line("\thttp-response set-var(txn.cors_left) bool(true) if %s{ res.fhdr_cnt(Access-Control-Allow-Origin) gt 0 }", fill)
		}
		w.line("\tacl cors_left var(txn.cors_left) -m bool")
		unlessLeft = "!cors_left "
	}
	w.line("\thttp-after-response del-header access-control- -m beg%s", haproxyIf(unlessLeft))
	set := func(name, value, conditions string) {
		w.line("\thttp-after-response set-header %s %s if %s", name, value, strings.TrimSpace(conditions))
	}
	enforced := func(has func(*rule) bool) func(*rule) bool {
		return func(r *rule) bool { return !r.shadow && has(r) }
	}
	set(header.AccessControlAllowOrigin, "%[var(txn.cors_origin)]", unlessLeft+"cors_readable")
	if of, ok := w.rules("credentials", enforced(func(r *rule) bool { return r.policy.Credentials })); ok {
		set(header.AccessControlAllowCredentials, "true", unlessLeft+"cors_readable "+of)
	}
	w.texts("expose", func(r *rule) string { return strings.Join(r.policy.ExposedHeaders, ", ") }, func(text, of string) {
		set(header.AccessControlExposeHeaders, haproxyFormat(text), unlessLeft+"cors_readable !cors_preflight "+of)
	})
	if slices.ContainsFunc(w.job.rules, func(r *rule) bool { return len(r.policy.Methods) > 0 }) {
		set(header.AccessControlAllowMethods, "%[var(txn.cors_method)]", "cors_preflight cors_readable { var(txn.cors_method) -m found }")
	}
	if slices.ContainsFunc(w.job.rules, func(r *rule) bool { return len(r.policy.RequestHeaders) > 0 }) {
		set(header.AccessControlAllowHeaders, "%[var(txn.cors_names)]", "cors_preflight cors_readable { var(txn.cors_names) -m found }")
	}
	w.texts("max_age", (*rule).maxAge, func(text, of string) {
		set(header.AccessControlMaxAge, text, "cors_preflight cors_readable "+of)
	})
	if slices.ContainsFunc(w.job.rules, enforced(privateNetwork)) {
		set(header.AccessControlAllowPrivateNetwork, "true", "cors_preflight cors_readable { var(txn.cors_private) -m bool }")
	}
	if of, ok := w.rules("vary", enforced((*rule).varies)); ok {
		w.line("\thttp-after-response add-header Vary Origin if %s!{ res.hdr(Vary) -m str -i Origin * }", unlessLeft+of)
	}
	w.line("")
}

// texts calls write for each other text that rules have, with the condition for
// the requests of these rules.
func (w *haproxyWriter) texts(name string, text func(*rule) string, write func(text, of string)) {
	var all []string
	for _, r := range w.job.rules {
		if s := text(r); s != "" && !r.shadow && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for i, s := range all {
		of, _ := w.rules(fmt.Sprintf("%s_%d", name, i+1), func(r *rule) bool { return !r.shadow && text(r) == s })
		write(s, of)
	}
}

// backends writes the upstreams, and what chooses one.
func (w *haproxyWriter) backends() {
	upstreams := w.job.upstreamURLs()
	if len(upstreams) == 0 {
		w.line("\t# default_backend is yours: cors.yaml names no upstream.")
		w.job.find(Finding{Field: "upstream", Effect: Needs, Reason: "cors.yaml names none, and HAProxy answers with 503", Fix: "name one there, or a backend of your own at the end of the frontend"})
		return
	}
	if u := w.job.rules[0].upstream; w.everyPath && u != nil {
		upstreams = []*url.URL{u}
	}
	var none []string
	to := make([][]string, len(upstreams))
	for _, r := range w.job.file.Routes {
		i := indexOf(upstreams, r.Upstream)
		if i >= 0 {
			to[i] = append(to[i], w.id(r.Pattern))
			continue
		}
		none = append(none, w.id(r.Pattern))
	}
	byDefault := w.job.file.Upstream
	if w.everyPath {
		byDefault = w.job.rules[0].upstream
	}
	if byDefault == nil {
		w.line("\thttp-request return status 404 if !{ var(txn.cors_route) -m found }")
	}
	if !w.everyPath {
		if len(none) > 0 {
			w.list("cors_to_none var(txn.cors_route) -m int", none)
			w.line("\thttp-request return status 404 if cors_to_none")
		}
		for i, u := range upstreams {
			if len(to[i]) > 0 && (byDefault == nil || *u != *byDefault) {
				w.list(fmt.Sprintf("cors_to_%d var(txn.cors_route) -m int", i+1), to[i])
				w.line("\tuse_backend cors_%d if cors_to_%d", i+1, i+1)
			}
		}
	}
	if byDefault != nil {
		w.line("\tdefault_backend cors_%d", indexOf(upstreams, byDefault)+1)
	}
	for i, u := range upstreams {
		w.line("")
		w.backend(i+1, u)
	}
}

func (w *haproxyWriter) backend(n int, u *url.URL) {
	w.line("backend cors_%d from cors", n)
	w.line("\thttp-request set-header X-Forwarded-Host %%[req.fhdr(Host)]")
	w.line("\thttp-request set-header X-Forwarded-Proto http")
	w.line("\thttp-request set-header X-Forwarded-Proto https if { ssl_fc }")
	w.line("\thttp-request set-header X-Forwarded-For %%[src]")
	w.line("\thttp-request set-header Host %s", haproxyWord(u.Host))
	if path := strings.TrimSuffix(u.EscapedPath(), "/"); path != "" {
		w.line("\thttp-request set-path %s", haproxyWord("/"+strings.TrimPrefix(strings.ReplaceAll(path, "%", "%%"), "/")+"%[path]"))
	}
	options := ""
	switch u.Scheme {
	case "https":
		options = " ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt alpn h2,http/1.1 sni str(" + u.Hostname() + ") verifyhost " + u.Hostname()
	case "h2c":
		options = " proto h2"
	}
	w.line("\tserver upstream %s%s", haproxyWord(addressOf(u)), options)
}

// list writes an acl with so many values as a line takes; lines with one name
// are alternatives.
func (w *haproxyWriter) list(acl string, values []string) {
	const perLine = 40 // HAProxy takes 64 words
	for part := range slices.Chunk(values, perLine) {
		words := make([]string, len(part))
		for i, v := range part {
			words[i] = haproxyWord(v)
		}
		// A method may begin with a hyphen, as flags do.
		if slices.ContainsFunc(part, func(v string) bool { return v[0] == '-' }) {
			words = append([]string{"--"}, words...)
		}
		w.line("\tacl %s %s", acl, strings.Join(words, " "))
	}
}

// haproxyIf is the end of a line, for conditions that end in a space.
func haproxyIf(conditions string) string {
	if conditions == "" {
		return ""
	}
	return " if " + strings.TrimSpace(conditions)
}

// haproxyWord is s as one word: in strong quotes, unless it is plain.
func haproxyWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-_.:/*[]", c)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// haproxyFormat is the format that is s, whatever is in s.
func haproxyFormat(s string) string { return haproxyWord(strings.ReplaceAll(s, "%", "%%")) }

// haproxyRegsub is the sample of what is left of each name that a preflight asks
// for when one that all of the expression matches is taken away.
func haproxyRegsub(expression string) string {
	return haproxyWord(`req.hdr(Access-Control-Request-Headers),regsub("^` + strings.ReplaceAll(expression, `\`, `\\`) + `$","",i)`)
}

func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return '?'
	}
	return c
}
