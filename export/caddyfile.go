package export

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/edge"
)

// caddyfile writes a site that keeps the policies. Maps decide, and what they say
// is kept in variables. Headers are set when an answer begins to be written, so
// that they replace those of whoever wrote it, and again in handle_errors, where
// Caddy begins an answer of its own.
func caddyfile(j *job) error {
	w := &caddyWriter{job: j}
	w.everyPath = j.universal()
	w.head()
	w.site()
	j.write("Caddyfile", []byte(w.String()))
	j.find(Finding{Field: "version", Value: "2.6", Effect: Needs, Reason: "what is written was never run on older ones", Fix: "use Caddy 2.6 or newer"})
	return nil
}

type caddyWriter struct {
	lines
	job       *job
	everyPath bool // is of the one route that there is
}

func (w *caddyWriter) any(has func(*rule) bool) bool { return slices.ContainsFunc(w.job.rules, has) }

// head writes the headers of answers, which stand in two places.
func (w *caddyWriter) head() {
	w.line(`# What cors.yaml says of CORS, for Caddy 2.6 or newer. Made by cors export: to change`)
	w.line(`# it, change cors.yaml and export again.`)
	w.line(``)
	w.line(`# The headers of every answer but those to preflights. They are set when the answer`)
	w.line(`# begins, the last of these first: what the upstream says of CORS goes, and its Vary`)
	w.line(`# is added to, unless it has Origin or *.`)
	w.line(`(cors_answer) {`)
	w.line(`	@cors_readable not vars cors_origin ""`)
	w.line(`	header @cors_readable {`)
	w.line(`		Access-Control-Allow-Origin {vars.cors_origin}`)
	w.line(`		defer`)
	w.line(`	}`)
	w.answer("credentials", "Access-Control-Allow-Credentials", func(r *rule) bool { return r.policy.Credentials })
	w.answer("expose", "Access-Control-Expose-Headers", func(r *rule) bool { return len(r.policy.ExposedHeaders) > 0 })
	if w.any((*rule).varies) {
		w.line(`	@cors_vary vars cors_vary 1`)
		w.line(`	header @cors_vary ?Vary Origin`)
		w.line(`	header @cors_vary {`)
		w.line("		Vary `(?i)^((?:.*,)?[ \\t]*origin[ \\t]*(?:,.*)?), Origin$` $1")
		w.line(`		defer`)
		w.line(`	}`)
		w.line(`	header @cors_vary {`)
		w.line("		Vary `^([^*]*)$` \"$1, Origin\"")
		w.line(`		defer`)
		w.line(`	}`)
	}
	w.line(`	header {`)
	w.line(`		-Access-Control-*`)
	w.line(`		defer`)
	w.line(`	}`)
	w.line(`}`)
	w.line(``)
}

// answer writes a header that stands beside Access-Control-Allow-Origin.
func (w *caddyWriter) answer(variable, name string, has func(*rule) bool) {
	if !w.any(has) {
		return
	}
	w.line(`	@cors_%s {`, variable)
	w.line(`		not vars cors_origin ""`)
	w.line(`		not vars cors_%s ""`, variable)
	w.line(`	}`)
	w.line(`	header @cors_%s {`, variable)
	w.line(`		%s {vars.cors_%s}`, name, variable)
	w.line(`		defer`)
	w.line(`	}`)
}

func (w *caddyWriter) site() {
	w.line(`:8080 {`)
	w.line(`	route {`)
	w.rule()
	w.origin()
	w.texts()
	w.preflight()
	w.proxy()
	w.line(`	}`)
	w.line(``)
	w.line(`	# Caddy's own errors`)
	w.line(`	handle_errors {`)
	w.line(`		route {`)
	if shadow := w.numbers(func(r *rule) bool { return r.shadow }); len(shadow) > 0 {
		w.line(`			@cors_enforced not vars cors_rule %s`, strings.Join(shadow, " "))
		w.line(`			handle @cors_enforced {`)
		w.line(`				import cors_answer`)
		w.line(`			}`)
	} else {
		w.line(`			import cors_answer`)
	}
	w.line(`		}`)
	w.line(`	}`)
	w.line(`}`)
}

// rule writes how cors_rule is found, which is "" where no policy is sure.
func (w *caddyWriter) rule() {
	if w.everyPath {
		w.line(`		vars cors_rule 1`)
		return
	}
	w.line(`		# The route, by host and path alone, since a preflight has nothing else of the`)
	w.line(`		# request to come. The first line that matches decides. The path is read as it`)
	w.line(`		# was sent and without its escapes: where one can be read as that of two routes,`)
	w.line(`		# by these or by what routers differ about, it has no policy, and no origin may`)
	w.line(`		# read.`)
	for _, reading := range []struct {
		source, variable, end string
		of                    func(matcher) string
	}{
		{"{host}{uri}", "cors_sent", `(?:\?|$)`, func(m matcher) string { return m.raw }},
		{"{host}{path}", "cors_read", "$", func(m matcher) string { return m.path }},
	} {
		w.line(`		map %s {%s} {`, reading.source, reading.variable)
		seen := map[string]bool{} // Caddy takes no key twice
		for _, m := range w.job.matchers() {
			host := `[^/]*`
			if m.host != "" {
				host = `(?i:` + quote(m.host) + `)\.?`
			}
			end := ""
			if m.exact {
				end = reading.end
			}
			if key := "^" + host + reading.of(m) + end; !seen[key] {
				w.line("			`~%s` %d", key, w.id(m.route))
				seen[key] = true
			}
		}
		w.line(`			default ""`)
		w.line(`		}`)
	}
	w.line(`		map {uri} {cors_odd} {`)
	w.line("			`~^[^?]*(?:%s)` 1", strings.ReplaceAll(oddPath, "$", `\?|$`))
	w.line("			`~^%s(?:\\?|$)` 0", slashedPath)
	w.line("			`~(?i)^[^?]*%%2f` 1")
	w.line(`			default 0`)
	w.line(`		}`)
	w.line(`		map "{cors_sent} {cors_read} {cors_odd}" {cors_found} {`)
	for i, r := range w.job.file.Routes {
		w.line(`			"%[1]d %[1]d 0" %[2]d # %[3]s`, i+1, w.job.of(r.Pattern).number, strings.Map(printable, r.Pattern))
	}
	w.line(`			default ""`)
	w.line(`		}`)
	w.line(`		vars cors_rule {cors_found}`)
	w.job.find(oddPaths)
}

// id is what a route is called in a variable.
func (w *caddyWriter) id(pattern string) int { return w.job.index(pattern) + 1 }

// origin writes how cors_origin is found: the origin, or "*", or "".
func (w *caddyWriter) origin() {
	w.line(``)
	w.line(`		# The origin, if the rule allows it. Several lines are one with commas.`)
	w.line(`		map "{vars.cors_rule} {header.Origin}" {cors_listed} {`)
	for _, r := range w.job.rules {
		if r.anyOrigin() {
			w.line("			`~^%d ` *", r.number)
			continue
		}
		for i, o := range r.policy.Origins {
			if slices.Contains(r.policy.Origins[:i], o) {
				continue
			}
			if isWild(o) {
				w.line("			`~^%d (%s)$` ${1}", r.number, originRegexp(o))
			} else {
				w.line(`			"%d %s" %s`, r.number, o, o)
			}
		}
	}
	w.line(`			default ""`)
	w.line(`		}`)
	if !w.any(func(r *rule) bool { return !r.anyOrigin() && slices.ContainsFunc(r.policy.Origins, isWild) }) {
		w.line(`		vars cors_origin {cors_listed}`)
		return
	}
	w.line(`		# No host is longer than DNS takes, and what has a comma may be two lines.`)
	w.line(`		map {cors_listed} {cors_allowed} {`)
	w.line("			`~^(\\*|%s)$` ${1}", strings.ReplaceAll(originLength, " ]", " ,]"))
	w.line(`			default ""`)
	w.line(`		}`)
	w.line(`		vars cors_origin {cors_allowed}`)
	w.job.find(Finding{Field: "lines", Effect: Narrowed,
		Reason: "Caddy joins the lines of a header with commas, so that an origin whose host has a comma, which only WebKit sends, is refused",
		Fix:    "nothing: no name of DNS has a comma",
	})
}

// texts writes what the rules say that does not depend on the request.
func (w *caddyWriter) texts() {
	columns := []struct {
		name string
		of   func(*rule) string
	}{
		{"credentials", func(r *rule) string { return textIf(r.policy.Credentials, "true") }},
		{"expose", func(r *rule) string { return strings.Join(r.policy.ExposedHeaders, ", ") }},
		{"vary", func(r *rule) string { return textIf(r.varies(), "1") }},
		{"max_age", (*rule).maxAge},
		{"granted", func(r *rule) string { return strconv.Itoa(r.granted()) }},
		{"refused", func(r *rule) string { return strconv.Itoa(r.refused()) }},
	}
	w.line(``)
	w.line(`		# What each rule says`)
	head := `		map {vars.cors_rule}`
	byDefault := `			default`
	for _, c := range columns {
		head += ` {cors_the_` + c.name + `}`
		text := ""
		if c.name == "refused" {
			text = "403"
		}
		byDefault += ` ` + caddyWord(text)
	}
	w.line(`%s {`, head)
	for _, r := range w.job.rules {
		line := fmt.Sprintf(`			%d`, r.number)
		for _, c := range columns {
			line += " " + caddyWord(c.of(r))
		}
		w.line(`%s # %s`, line, strings.Map(printable, strings.Join(r.routes, ", ")))
	}
	w.line(`%s`, byDefault)
	w.line(`		}`)
	for _, c := range columns {
		w.line(`		vars cors_%[1]s {cors_the_%[1]s}`, c.name)
	}
}

func textIf(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

// preflight writes what answers preflights.
func (w *caddyWriter) preflight() {
	w.line(``)
	w.line(`		# A preflight asks before the request itself is sent: whether the method is`)
	w.line(`		# allowed, and whether all the names are.`)
	w.line(`		map "{vars.cors_rule} {header.Access-Control-Request-Method}" {cors_the_method} {`)
	for _, r := range w.job.rules {
		if len(r.policy.Origins) > 0 {
			w.line("			`~^%d %s$` 1", r.number, methodRegexp(r.policy.Methods))
		}
	}
	w.line(`			default 0`)
	w.line(`		}`)
	w.line(`		map "{vars.cors_rule} {header.Access-Control-Request-Headers}" {cors_the_names} {`)
	for _, r := range w.job.rules {
		if len(r.policy.Origins) == 0 {
			continue
		}
		allowed, refused := nameListRegexp(r.policy.RequestHeaders)
		if refused != "" {
			w.line("			`~(?i)^%d %s` 0", r.number, strings.TrimPrefix(refused, "^"))
		}
		w.line("			`~(?i)^%d %s` 1", r.number, strings.TrimPrefix(allowed, "^"))
	}
	w.line(`			default 0`)
	w.line(`		}`)
	w.line(`		vars cors_asked "{cors_the_method}{cors_the_names}"`)
	shadow := ""
	if numbers := w.numbers(func(r *rule) bool { return r.shadow }); len(numbers) > 0 {
		shadow = "not vars cors_rule " + strings.Join(numbers, " ")
	}
	matcher := func(name string, more ...string) {
		w.line(`		@%s {`, name)
		w.line(`			method OPTIONS`)
		w.line(`			header Origin *`)
		w.line(`			header Access-Control-Request-Method *`)
		for _, m := range append(more, shadow) {
			if m != "" {
				w.line(`			%s`, m)
			}
		}
		w.line(`		}`)
	}
	matcher("cors_preflight")
	matcher("cors_granted", "vars cors_asked 11", `not vars cors_origin ""`)
	w.line(`		handle @cors_granted {`)
	w.line(`			header Access-Control-Allow-Origin {vars.cors_origin}`)
	w.line(`			header Access-Control-Allow-Methods {header.Access-Control-Request-Method}`)
	w.line(`			@names header Access-Control-Request-Headers *`)
	w.line(`			header @names Access-Control-Allow-Headers {header.Access-Control-Request-Headers}`)
	if w.any(func(r *rule) bool { return r.policy.Credentials }) {
		w.line(`			@credentials not vars cors_credentials ""`)
		w.line(`			header @credentials Access-Control-Allow-Credentials true`)
	}
	if w.any(func(r *rule) bool { return r.maxAge() != "" }) {
		w.line(`			@max_age not vars cors_max_age ""`)
		w.line(`			header @max_age Access-Control-Max-Age {vars.cors_max_age}`)
	}
	if private := w.numbers(func(r *rule) bool { return r.policy.PrivateNetwork }); len(private) > 0 {
		w.line(`			map "{vars.cors_rule} {header.Access-Control-Request-Private-Network}" {cors_private} {`)
		for _, n := range private {
			w.line(`				"%s true" 1`, n)
		}
		w.line(`				default 0`)
		w.line(`			}`)
		w.line(`			@private vars {cors_private} 1`)
		w.line(`			header @private Access-Control-Allow-Private-Network true`)
	}
	w.vary()
	w.line(`			respond "" {vars.cors_granted}`)
	w.line(`		}`)
	w.line(`		handle @cors_preflight {`)
	w.vary()
	w.line(`			respond "" {vars.cors_refused}`)
	w.line(`		}`)
}

func (w *caddyWriter) vary() {
	if w.any((*rule).varies) {
		w.line(`			@vary vars cors_vary 1`)
		w.line(`			header @vary Vary Origin`)
	}
}

// numbers are those of the rules that are such.
func (w *caddyWriter) numbers(such func(*rule) bool) (numbers []string) {
	for _, r := range w.job.rules {
		if such(r) {
			numbers = append(numbers, strconv.Itoa(r.number))
		}
	}
	return numbers
}

// proxy writes what passes requests on.
func (w *caddyWriter) proxy() {
	w.line(``)
	upstreams := w.job.upstreamURLs()
	if len(upstreams) == 0 {
		w.job.find(Finding{Field: "upstream", Effect: Needs, Reason: "cors.yaml names none, and Caddy has nothing to answer with", Fix: "name one there, or write handlers of your own where the site says so"})
	}
	for _, r := range w.job.rules {
		if !r.shadow && r.headers == edge.Strip {
			continue
		}
		w.line(`		@cors_rule_%[1]d vars cors_rule %[1]d`, r.number)
		w.line(`		handle @cors_rule_%d {`, r.number)
		switch {
		case r.shadow:
			w.line(`			# shadow: nothing is enforced, and Caddy does not count what would be.`)
			w.upstream(r.upstream, "\t\t\t")
			w.job.findIn(r, Finding{Field: "shadow", Value: "true", Effect: Lost, Reason: "Caddy does not count what a policy would refuse", Fix: "try the policy with cors serve, and export it without shadow"})
		case r.headers == edge.Keep:
			w.line(`			# upstream-headers: keep`)
			w.upstream(r.upstream, "\t\t\t")
		default:
			w.line(`			# upstream-headers: fill`)
			w.upstream(r.upstream, "\t\t\t",
				"@cors_said header Access-Control-Allow-Origin *",
				"handle_response @cors_said {",
				"\tcopy_response",
				"}",
				"handle_response {",
				"\troute {",
				"\t\timport cors_answer",
				"\t\tcopy_response",
				"\t}",
				"}")
		}
		w.line(`		}`)
	}
	w.line(`		handle {`)
	w.line(`			import cors_answer`)
	if w.everyPath {
		w.upstream(w.job.rules[0].upstream, "\t\t\t")
		w.line(`		}`)
		return
	}
	for i, u := range append(upstreams, nil) {
		var ids []string
		for n, r := range w.job.file.Routes {
			if indexOf(upstreams, r.Upstream) == i || u == nil && r.Upstream == nil {
				ids = append(ids, strconv.Itoa(n+1))
			}
		}
		if len(ids) > 0 && (u == nil) == (w.job.file.Upstream != nil) || len(ids) > 0 && u != nil && *u != *w.job.file.Upstream {
			w.line(`			@cors_to_%d vars {cors_sent} %s`, i+1, strings.Join(ids, " "))
			w.line(`			handle @cors_to_%d {`, i+1)
			w.upstream(u, "\t\t\t\t")
			w.line(`			}`)
		}
	}
	w.line(`			handle {`)
	w.upstream(w.job.file.Upstream, "\t\t\t\t")
	w.line(`			}`)
	w.line(`		}`)
}

// upstream writes what passes a request on to u.
func (w *caddyWriter) upstream(u *url.URL, indent string, more ...string) {
	switch {
	case u == nil && len(w.job.upstreamURLs()) == 0:
		w.line(`%s# Your handlers go here: cors.yaml names no upstream.`, indent)
		return
	case u == nil:
		w.line(`%srespond 404`, indent)
		return
	}
	if path := strings.TrimSuffix(u.EscapedPath(), "/"); path != "" {
		w.line(`%srewrite * %s`, indent, caddyWord("/"+strings.TrimPrefix(path, "/")+"{uri}"))
	}
	w.line(`%sreverse_proxy %s://%s {`, indent, u.Scheme, addressOf(u))
	w.line(`%s	header_up Host %s`, indent, caddyWord(u.Host))
	for _, line := range more {
		w.line(`%s	%s`, indent, line)
	}
	w.line(`%s}`, indent)
}

// caddyWord is s as one word.
func caddyWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
}

var plainWord = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.:-]*$`)
