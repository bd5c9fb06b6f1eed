package importer

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/origin"
)

// A translation is what patterns say of a regular expression.
type translation struct {
	patterns []string
	more     string // an origin that the expression matches too, or ""
	less     string // an odd origin that the patterns match, and the expression does not, or ""
	not      string // a pattern that was meant, perhaps
	because  string // an origin that it matches, and the expression does not
}

// translate returns the patterns of a regular expression that is searched for in
// an origin. Of names as most have them they match nothing that neither it nor the
// patterns in have do.
func translate(expression string, fold bool, work *int, have ...string) (t translation, err error) {
	flags := perl(fold)
	if len(expression) > maxExpression {
		return t, errComplex
	}
	re, err := syntax.Parse(expression, flags)
	if err != nil {
		return t, err
	}
	all := candidates(re)
	for _, candidate := range all {
		if expression == "^"+export.OriginRegexp(candidate)+"$" {
			return translation{patterns: []string{candidate}}, nil // it was exported
		}
	}
	source, err := newLanguage(expression, flags)
	if err != nil {
		return t, err
	}
	allowed := source
	if len(have) > 0 {
		if allowed, err = newLanguage("(?:"+expression+")|^(?:"+patternsExpression(have)+")$", flags); err != nil {
			return t, err
		}
	}
	for _, candidate := range all {
		among := webOrigins()
		if !strings.HasPrefix(candidate, "http") {
			among = allOrigins()
		}
		other, err := difference(among, patternsLanguage([]string{candidate}), allowed, work)
		switch {
		case err != nil:
			return t, err
		case other == "":
			t.patterns = append(t.patterns, candidate)
		case t.not == "":
			t.not, t.because = candidate, other
		}
	}
	t.patterns = narrowest(t.patterns, work)
	taken := patternsLanguage(t.patterns)
	if t.less, err = difference(allOrigins(), taken, allowed, work); err != nil {
		return t, err
	}
	if t.more, err = difference(webOrigins(), source, taken, work); t.more == "" && err == nil {
		t.more, err = difference(allOrigins(), source, taken, work)
	}
	return t, err
}

func perl(fold bool) syntax.Flags {
	if fold {
		return syntax.Perl | syntax.FoldCase
	}
	return syntax.Perl
}

const maxExpression = 2000

// narrowest leaves out the patterns that others match.
func narrowest(patterns []string, work *int) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return slices.ContainsFunc(patterns, func(other string) bool {
			if other == p || !covers(other, p) {
				return false
			}
			more, err := difference(allOrigins(), patternsLanguage([]string{p}), patternsLanguage([]string{other}), work)
			return err == nil && more == ""
		})
	})
}

// covers reports whether a pattern matches an origin that another does.
func covers(pattern, other string) bool {
	sample := strings.Replace(strings.TrimSuffix(other, ":*"), "*", "a-b", 1)
	if strings.HasSuffix(other, ":*") {
		sample += ":8999"
	}
	o, err := origin.Parse(sample)
	if err != nil {
		return false
	}
	p, err := origin.InsecureParsePattern(pattern)
	return err == nil && p.Match(o)
}

// wild stands for any text in a shape.
const wild = "\x00"

// candidates returns the patterns that an expression may mean. None is taken
// before it has been compared.
func candidates(re *syntax.Regexp) []string {
	var all []string
	for _, s := range shapes(re) {
		for _, p := range patternsOf(s) {
			if _, err := origin.InsecureParsePattern(p); err == nil && !unlikely.MatchString(p) && !slices.Contains(all, p) && len(all) < maxShapes {
				all = append(all, p)
			}
		}
	}
	return all
}

// unlikely is what an expression matches where its wildcard matches nothing.
var unlikely = regexp.MustCompile(`(?://|\.)-|-(?:\.|:|$)`)

const maxShapes = 256

// shapes returns the texts that re matches, with wild in place of what repeats.
func shapes(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		text := string(re.Rune)
		if re.Flags&syntax.FoldCase != 0 {
			text = strings.ToLower(text)
		}
		return []string{text}
	case syntax.OpCharClass:
		var all []string
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1]-re.Rune[i] > 9 || len(all) > 9 {
				return []string{wild}
			}
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				all = append(all, string(c))
			}
		}
		return all
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"."} // a dot that somebody forgot to escape
	case syntax.OpCapture:
		return shapes(re.Sub[0])
	case syntax.OpQuest:
		subs := shapes(re.Sub[0])
		if !slices.ContainsFunc(subs, func(s string) bool { return !strings.HasPrefix(s, ":") || strings.Trim(s[1:], "0123456789"+wild) != "" }) && len(subs) > 1 {
			subs = []string{":" + wild} // of many ports
		}
		return append([]string{""}, subs...)
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		repeated := []string{wild}
		if subs := shapes(re.Sub[0]); len(subs) == 1 && strings.HasSuffix(subs[0], ".") && subs[0] != "." {
			repeated = []string{wild + "."}
		}
		if re.Op == syntax.OpStar || re.Op == syntax.OpRepeat && re.Min == 0 {
			repeated = append(repeated, "")
		}
		return repeated
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			var longer []string
			for _, before := range all {
				for _, after := range shapes(sub) {
					if len(longer) < maxShapes {
						longer = append(longer, strings.ReplaceAll(before+after, wild+wild, wild))
					}
				}
			}
			all = longer
		}
		return all
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, shapes(sub)...)
		}
		return all[:min(len(all), maxShapes)]
	}
	return []string{""}
}

// patternsOf returns the patterns that a shape may mean.
func patternsOf(shape string) []string {
	if shape == wild || shape == "" {
		return []string{"*"}
	}
	if shape == "null" {
		return []string{shape}
	}
	scheme, host, ok := strings.Cut(shape, "://")
	if !ok {
		scheme, host = "https", strings.TrimPrefix(strings.TrimPrefix(shape, "//"), ":")
	}
	if strings.Contains(scheme, wild) || scheme == "" {
		scheme = "https"
	}
	host = strings.TrimSuffix(host, "/")
	if host == "" {
		return []string{"*"}
	}
	if host[0] == '.' {
		host = wild + host
	}
	var hosts []string
	if name, ok := strings.CutSuffix(host, ":"+wild); ok {
		hosts = append(hosts, name+":*")
		host = name
	}
	hosts = append(hosts, host, strings.TrimSuffix(host, wild))
	var all []string
	for _, h := range hosts {
		first, last := strings.Index(h, wild), strings.LastIndex(h, wild)
		switch {
		case first < 0:
			all = append(all, scheme+"://"+h)
		case h == wild:
			all = append(all, scheme+"://*")
		default:
			before, after := h[:first], h[last+len(wild):]
			all = append(all, scheme+"://"+before+"*"+after)
			if before == "" && after != "" && !strings.ContainsAny(after[:1], ".-_") {
				all = append(all, scheme+"://"+after, scheme+"://*."+after)
			}
		}
	}
	return all
}

// wildcardExpression is the expression for an origin with wildcards of which each
// stands for any text, as S3 and rs/cors have them.
func wildcardExpression(text string) string {
	parts := strings.Split(text, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return "^" + strings.Join(parts, ".*") + "$"
}

// addExpression adds to p the origins of an expression.
func (r *result) addExpression(p *cors.Policy, where, expression string, fold bool) {
	r.addWritten(p, where, expression, expression, fold)
}

// addWritten is addExpression for one that is written in another way.
func (r *result) addWritten(p *cors.Policy, where, written, expression string, fold bool) {
	// With a port, and without: there are two lines where here is one.
	var have []string
	for _, o := range p.Origins {
		if !strings.Contains(o, "*") && strings.HasPrefix(expression, "^"+regexp.QuoteMeta(o)) {
			have = append(have, o)
		}
	}
	key := fmt.Sprint(expression, fold, have)
	known, ok := r.translated[key]
	if !ok {
		known.t, known.err = translate(expression, fold, &r.work, have...)
		r.translated[key] = known
	}
	t, err := known.t, known.err
	if err != nil {
		r.find(Finding{Where: where, Field: "origins", Value: written, Effect: Lost,
			Reason: fmt.Sprintf("this regular expression cannot be read (%v)", err), Fix: "write the origins that it is to match"})
		return
	}
	for _, pattern := range t.patterns {
		add(&p.Origins, pattern)
		if bare, ok := strings.CutSuffix(pattern, ":*"); ok {
			p.Origins = slices.DeleteFunc(p.Origins, func(o string) bool { return o == bare })
		}
	}
	if t.less != "" {
		r.find(Finding{where, "origins", written, Widened, fmt.Sprintf("%s matches odd names too, such as %q", quoted(t.patterns), t.less), "see that nobody can have such a name"})
	}
	f := Finding{Where: where, Field: "origins", Value: written}
	switch {
	case t.more == "":
		return
	case len(t.patterns) > 0:
		f.Effect = Narrowed
		f.Reason = fmt.Sprintf("it matches %q too; %s is taken", t.more, quoted(t.patterns))
		f.Fix = "see whether that is all that was meant"
	default:
		f.Effect = Lost
		f.Reason = fmt.Sprintf("no pattern matches the same: this one matches %q", t.more)
		f.Fix = "write the origins that it is to match"
	}
	if t.not != "" {
		f.Fix = fmt.Sprintf("write %q if %q may read, too", t.not, t.because)
	}
	r.find(f)
}

// addOrigin adds an origin that is written out, or with wildcards that each stand
// for any text.
func (r *result) addOrigin(p *cors.Policy, where, text string) {
	switch {
	case text == "*" || !strings.Contains(text, "*"):
		add(&p.Origins, text)
	case sameWildcard.MatchString(text):
		add(&p.Origins, text) // any text is one label or more, with an origin around it
	default:
		r.addWritten(p, where, text, wildcardExpression(text), false)
	}
}

// sameWildcard are the patterns that match the same where "*" is any text.
var sameWildcard = regexp.MustCompile(`^https?://\*(?:\.[a-z0-9-]+){2,}(?::[0-9]+)?$`)

// add adds to a list what it does not have.
func add(list *[]string, values ...string) {
	has := func(v string) bool { return slices.Contains(*list, v) }
	if len(values) > 16 {
		seen := make(map[string]bool, len(*list)+len(values))
		for _, v := range *list {
			seen[v] = true
		}
		has = func(v string) bool {
			was := seen[v]
			seen[v] = true
			return was
		}
	}
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" && !has(v) {
			*list = append(*list, v)
		}
	}
}

func quoted(list []string) string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(all, ", ")
}
