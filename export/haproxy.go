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
	w.everyPath = len(j.file.Routes) == 1 && j.file.Routes[0].Pattern == "/"
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
	w.line("\t# A preflight asks before the request itself is sent. \"fhdr\" takes a line as it is,")
	w.line("\t# \"hdr\" would cut it at its commas: two origins in one line are none.")
	w.line("\thttp-request set-var(txn.cors_preflight) bool(true) if METH_OPTIONS { req.fhdr_cnt(Origin) gt 0 } { req.fhdr_cnt(Access-Control-Request-Method) gt 0 }")
	w.line("\tacl cors_preflight var(txn.cors_preflight) -m bool")
	w.line("\tacl cors_one_origin req.fhdr_cnt(Origin) eq 1")
	if slices.ContainsFunc(w.job.rules, func(r *rule) bool { return !r.anyOrigin() && slices.ContainsFunc(r.policy.Origins, isWild) }) {
		w.line("\tacl cors_in_DNS req.fhdr(Origin) -m reg %s", haproxyWord("^(?:"+originLength+")$"))
	}
	w.line("\tacl cors_one_method req.fhdr_cnt(Access-Control-Request-Method) eq 1")
	w.line("\tacl cors_form_method req.fhdr(Access-Control-Request-Method) -m str GET HEAD POST")
	w.line("\tacl cors_names req.hdr(Access-Control-Request-Headers) -m len gt 0")
	w.line("\tacl cors_names_in_lines req.fhdr_cnt(Access-Control-Request-Headers) gt 1")
	if !w.everyPath {
		w.routes()
	}
	for _, r := range w.job.rules {
		w.line("")
		w.rule(r)
	}
	w.line("")
	w.answers()
}

// routes writes the rules that find the route of a request.
func (w *haproxyWriter) routes() {
	w.line("")
	w.line("\t# The route, by host and path alone, since a preflight has nothing else of the")
	w.line("\t# request to come. The last line that matches decides. Where a path can be read as")
	w.line("\t# that of two routes, by its escapes or by what routers differ about, it has no")
	w.line("\t# policy, and no origin may read.")
	matchers := w.job.matchers()
	hosts := map[string]int{}
	for _, m := range matchers {
		if m.host != "" && hosts[m.host] == 0 {
			hosts[m.host] = len(hosts) + 1
			w.line("\tacl cors_host_%d req.fhdr(Host) -m reg -i '^%s\\.?(:[0-9]*)?$'", hosts[m.host], quote(m.host))
		}
	}
	for _, m := range slices.Backward(matchers) {
		host := ""
		if m.host != "" {
			host = fmt.Sprintf("cors_host_%d ", hosts[m.host])
		}
		w.line("\thttp-request set-var(txn.cors_route) str(%s) if %s{ path %s }", w.id(m.route), host, haproxyPath(m.raw, m.exact))
		w.line("\thttp-request set-var(txn.cors_read) str(%s) if %s{ path,url_dec %s }", w.id(m.route), host, haproxyPath(m.path, m.exact))
	}
	w.line("\tacl cors_odd path -m reg '%s'", oddPath)
	w.line("\thttp-request set-var(txn.cors_policy) var(txn.cors_route) if { var(txn.cors_route),strcmp(txn.cors_read) eq 0 } !cors_odd")
	w.job.find(oddPaths)
}

// oddPaths is found where there are routes.
var oddPaths = Finding{Field: "paths", Effect: Narrowed,
	Reason: "a path with an empty segment, a dot segment, a backslash, a semicolon, or an escape of one of these or of a slash or a control character, gets no CORS headers",
	Fix:    "nothing, unless pages ask for such paths",
}

// oddPath matches what servers and routers read differently in a path.
const oddPath = `//|/[.][.]?(/|$)|[\\;]|%([01][0-9A-Fa-f]|2[EeFf]|3[Bb]|5[Cc]|7[Ff])`

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

// rule writes what decides by one policy.
func (w *haproxyWriter) rule(r *rule) {
	w.line("\t# %s", haproxyComment(strings.Join(r.routes, ", ")))
	is := ""
	if !w.everyPath {
		var ids []string
		for _, route := range r.routes {
			ids = append(ids, w.id(route))
		}
		w.list(fmt.Sprintf("cors_is_%d var(txn.cors_policy) -m str", r.number), ids)
		is = fmt.Sprintf("cors_is_%d ", r.number)
	}
	if r.shadow {
		w.line("\t# shadow: nothing is enforced, and HAProxy does not count what would be.")
		w.line("\thttp-request set-var(txn.cors_left) bool(true)%s", haproxyIf(is))
		w.line("\thttp-request unset-var(txn.cors_preflight)%s", haproxyIf(is))
		w.job.findIn(r, Finding{Field: "shadow", Value: "true", Effect: Lost,
			Reason: "HAProxy does not count what a policy would refuse", Fix: "try the policy with cors serve, and export it without shadow"})
		return
	}
	switch r.headers {
	case edge.Keep:
		w.line("\thttp-response set-var(txn.cors_left) bool(true)%s", haproxyIf(is))
	case edge.Fill:
		w.line("\thttp-response set-var(txn.cors_left) bool(true) if %s{ res.fhdr_cnt(Access-Control-Allow-Origin) gt 0 }", is)
	}
	if len(r.policy.Origins) > 0 {
		w.origins(r, is)
		w.preflight(r, is)
	}
	w.line("\thttp-request unset-var(txn.cors_origin) if %scors_preflight", is)
	w.line("\thttp-request return status %d if %scors_preflight", r.refused(), is)
}

// origins writes which origins may read.
func (w *haproxyWriter) origins(r *rule, is string) {
	n := r.number
	switch {
	case r.anyOrigin():
		w.line("\thttp-request set-var(txn.cors_origin) str(*)%s", haproxyIf(is))
	default:
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
			w.line("\tacl cors_origin_%d req.fhdr(Origin) -m str -f /etc/haproxy/%s", n, name)
		} else {
			w.list(fmt.Sprintf("cors_origin_%d req.fhdr(Origin) -m str", n), exact)
		}
		for _, e := range expressions {
			w.line("\tacl cors_origin_%d req.fhdr(Origin) -m reg %s", n, haproxyWord("^"+e+"$"))
		}
		if len(expressions) > 0 {
			is += "cors_in_DNS "
		}
		w.line("\thttp-request set-var(txn.cors_origin) req.fhdr(Origin) if %scors_one_origin cors_origin_%d", is, n)
		is = strings.TrimSuffix(is, "cors_in_DNS ")
		w.line("\thttp-request set-var(txn.cors_vary) bool(true)%s", haproxyIf(is))
	}
	if r.policy.Credentials {
		w.line("\thttp-request set-var(txn.cors_credentials) bool(true)%s", haproxyIf(is))
	}
	if len(r.policy.ExposedHeaders) > 0 {
		w.line("\thttp-request set-var(txn.cors_expose) %s%s", haproxyText(strings.Join(r.policy.ExposedHeaders, ", ")), haproxyIf(is))
	}
}

func isWild(pattern string) bool { return strings.Contains(pattern, "*") }

// maxInline is how many origins stand in the configuration itself.
const maxInline = 64

// preflight writes what a preflight may ask for.
func (w *haproxyWriter) preflight(r *rule, is string) {
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
	all := slices.Contains(r.policy.RequestHeaders, "*")
	refused := fmt.Sprintf("cors_refused_name_%d", n)
	switch {
	case all:
		w.line("\t# What is left of an element when a name is taken away is no name.")
		w.line("\tacl %s %s -m len gt 0", refused, haproxyRegsub(tokenByte+"+"))
		if !slices.Contains(names, "authorization") {
			w.line("\tacl %s req.hdr(Access-Control-Request-Headers) -m str -i authorization", refused)
		}
	case len(names) > 0:
		w.line("\t# What is left of an element when an allowed name is taken away is not allowed.")
		w.line("\tacl %s %s -m len gt 0", refused, haproxyRegsub(alternatives(names)))
	default:
		w.line("\tacl %s req.hdr(Access-Control-Request-Headers) -m len gt 0", refused)
	}
	condition := fmt.Sprintf("%scors_preflight cors_one_method cors_method_%d !%s", is, n, refused)
	if all {
		condition += " !cors_names_in_lines"
		w.job.findIn(r, Finding{Field: "lines", Effect: Narrowed,
			Reason: `with "*" a preflight is refused whose Access-Control-Request-Headers stand in several lines, since HAProxy can say only one of them again`,
			Fix:    "nothing: no browser parts them; or list the names"})
	}
	w.line("\thttp-request set-var(txn.cors_granted) bool(true) if %s", condition)
	w.line("\thttp-request set-var(txn.cors_method) req.fhdr(Access-Control-Request-Method) if %scors_preflight !cors_form_method", is)
	if len(r.policy.RequestHeaders) > 0 {
		w.line("\thttp-request set-var(txn.cors_names) req.fhdr(Access-Control-Request-Headers) if %scors_preflight cors_names", is)
		if !all {
			w.line("\thttp-request set-var(txn.cors_names) %s if %scors_preflight cors_names cors_names_in_lines", haproxyText(strings.Join(names, ", ")), is)
		}
	}
	if age := r.maxAge(); age != "" {
		w.line("\thttp-request set-var(txn.cors_max_age) str(%s) if %scors_preflight", age, is)
	}
	if r.policy.PrivateNetwork {
		w.line("\thttp-request set-var(txn.cors_private) bool(true) if %scors_preflight { req.fhdr_cnt(Access-Control-Request-Private-Network) eq 1 } { req.fhdr(Access-Control-Request-Private-Network) -m str true }", is)
	}
	w.line("\thttp-request return status %d if %scors_preflight { var(txn.cors_granted) -m bool } { var(txn.cors_origin) -m found }", r.granted(), is)
}

// answers writes what is the same for all policies.
func (w *haproxyWriter) answers() {
	if !w.everyPath {
		w.line("\t# What has no policy allows no origin.")
		w.line("\thttp-request return status 403 if cors_preflight")
		w.line("")
	}
	w.line("\t# Every answer passes here, HAProxy's own errors and the answers to preflights too.")
	w.line("\t# The upstream's word on CORS goes; its Vary is added to.")
	left := slices.ContainsFunc(w.job.rules, func(r *rule) bool { return r.shadow || r.headers != edge.Strip })
	unlessLeft := ""
	if left {
		w.line("\tacl cors_left var(txn.cors_left) -m bool")
		unlessLeft = "!cors_left "
	}
	w.line("\thttp-after-response del-header access-control- -m beg%s", haproxyIf(unlessLeft))
	w.line("\tacl cors_readable var(txn.cors_origin) -m found")
	w.line("\thttp-after-response set-header Access-Control-Allow-Origin %%[var(txn.cors_origin)] if %scors_readable", unlessLeft)
	any := func(has func(*rule) bool) bool { return slices.ContainsFunc(w.job.rules, has) }
	if any(func(r *rule) bool { return r.policy.Credentials }) {
		w.line("\thttp-after-response set-header Access-Control-Allow-Credentials true if %scors_readable { var(txn.cors_credentials) -m bool }", unlessLeft)
	}
	if any(func(r *rule) bool { return len(r.policy.ExposedHeaders) > 0 }) {
		w.line("\thttp-after-response set-header Access-Control-Expose-Headers %%[var(txn.cors_expose)] if %scors_readable !cors_preflight { var(txn.cors_expose) -m found }", unlessLeft)
	}
	if any(func(r *rule) bool { return len(r.policy.Methods) > 0 }) {
		w.line("\thttp-after-response set-header Access-Control-Allow-Methods %%[var(txn.cors_method)] if cors_readable cors_preflight { var(txn.cors_method) -m found }")
	}
	if any(func(r *rule) bool { return len(r.policy.RequestHeaders) > 0 }) {
		w.line("\thttp-after-response set-header Access-Control-Allow-Headers %%[var(txn.cors_names)] if cors_readable cors_preflight { var(txn.cors_names) -m found }")
	}
	if any(func(r *rule) bool { return r.maxAge() != "" }) {
		w.line("\thttp-after-response set-header Access-Control-Max-Age %%[var(txn.cors_max_age)] if cors_readable cors_preflight { var(txn.cors_max_age) -m found }")
	}
	if any(func(r *rule) bool { return r.policy.PrivateNetwork }) {
		w.line("\thttp-after-response set-header Access-Control-Allow-Private-Network true if cors_readable cors_preflight { var(txn.cors_private) -m bool }")
	}
	if any((*rule).varies) {
		w.line("\thttp-after-response add-header Vary Origin if %s{ var(txn.cors_vary) -m bool } !{ res.hdr(Vary) -m str -i Origin * }", unlessLeft)
	}
	w.line("")
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
			w.list("cors_to_none var(txn.cors_route) -m str", none)
			w.line("\thttp-request return status 404 if cors_to_none")
		}
		for i, u := range upstreams {
			if len(to[i]) > 0 && (byDefault == nil || *u != *byDefault) {
				w.list(fmt.Sprintf("cors_to_%d var(txn.cors_route) -m str", i+1), to[i])
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

// haproxyText is the sample that is s, whatever is in s.
func haproxyText(s string) string {
	return haproxyWord(`str("` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `")`)
}

// haproxyRegsub is the sample of what is left of each name that a preflight asks
// for when one that all of the expression matches is taken away.
func haproxyRegsub(expression string) string {
	return haproxyWord(`req.hdr(Access-Control-Request-Headers),regsub("^` + strings.ReplaceAll(expression, `\`, `\\`) + `$","",i)`)
}

func haproxyComment(s string) string { return strings.Map(printable, s) }

func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return '?'
	}
	return c
}
