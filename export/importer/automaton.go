package importer

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/crossorigin/cors/export"
)

// A language is the set of texts that a regular expression matches, of which it
// may match a part.
type language struct {
	prog *syntax.Prog
}

var errBoundary = errors.New(`it has \b or \B`)

func newLanguage(expression string, flags syntax.Flags) (*language, error) {
	re, err := syntax.Parse(expression, flags)
	if err != nil {
		return nil, err
	}
	unbound(re)
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	for _, inst := range prog.Inst {
		if inst.Op == syntax.InstEmptyWidth && syntax.EmptyOp(inst.Arg)&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
			return nil, errBoundary
		}
	}
	return &language{prog}, nil
}

// unbound takes the limits of lengths that no label reaches, or no host.
func unbound(re *syntax.Regexp) {
	if re.Op == syntax.OpRepeat && re.Min <= 1 && (re.Max >= 254 || re.Max >= 63 && isLabelClass(re.Sub[0])) {
		re.Max = -1
	}
	for _, sub := range re.Sub {
		unbound(sub)
	}
}

// isLabelClass reports whether re is one byte, and no dot.
func isLabelClass(re *syntax.Regexp) bool {
	for i := 0; i < len(re.Rune); i += 2 {
		if re.Rune[i] <= '.' && '.' <= re.Rune[i+1] {
			return false
		}
	}
	return re.Op == syntax.OpCharClass
}

func mustLanguage(expression string) *language {
	l, err := newLanguage("^(?:"+expression+")$", syntax.Perl)
	if err != nil {
		panic(err) // of what stands here
	}
	return l
}

// What a browser may send as an origin: of the web, with names as most have them,
// and all there is. They are made when they are needed, since every command starts
// with this package.
var (
	webOrigins = sync.OnceValue(func() *language {
		const (
			label = `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`
			host  = `(?:\[[0-9a-f:]+\]|(?:` + label + `\.)*` + label + `)`
		)
		with := func(scheme string) string {
			return strings.Replace(expressionOf(scheme+"://host:*"), "host", host, 1)
		}
		return mustLanguage(with("http") + "|" + with("https"))
	})
	allOrigins = sync.OnceValue(func() *language { return mustLanguage(unlimited(export.OriginRegexp("*"))) })
)

// patternsLanguage is the origins that patterns match.
func patternsLanguage(patterns []string) *language { return mustLanguage(patternsExpression(patterns)) }

func patternsExpression(patterns []string) string {
	expressions := []string{`[^\x00-\x7f]{2}`} // no origin
	for _, p := range patterns {
		expressions = append(expressions, expressionOf(p))
	}
	return strings.Join(expressions, "|")
}

// expressionOf returns the expression for the origins that a pattern matches.
func expressionOf(pattern string) string {
	if pattern == "*" {
		return `.*`
	}
	return unlimited(export.OriginRegexp(pattern))
}

// unlimited returns an expression of package export with labels and hosts of any
// length, and ports of up to five digits: no expression that people write knows
// more, and it is less to compare.
func unlimited(expression string) string {
	return atLeast.ReplaceAllStringFunc(exactPorts().Replace(expression), func(limits string) string {
		if limits[1] == '0' {
			return "*"
		}
		return "+"
	})
}

var (
	atLeast    = regexp.MustCompile(`\{[01],[0-9]{2,}\}`)
	exactPorts = sync.OnceValue(func() *strings.Replacer {
		var pairs []string
		for _, scheme := range []string{"http", "https", "other"} {
			port := strings.TrimPrefix(export.OriginRegexp(scheme+"://host:*"), scheme+"://host")
			pairs = append(pairs, port, `(?::[1-9][0-9]{0,4})?`)
		}
		return strings.NewReplacer(pairs...)
	})
)

// A state is where in the expression a text may have got to: instructions that
// await a byte, or the end; all is there once everything that follows matches.
type state struct {
	pcs []uint32
	all bool
}

func (s *state) key() string {
	if s.all {
		return "*"
	}
	var b strings.Builder
	for _, pc := range s.pcs {
		b.WriteByte(byte(pc))
		b.WriteByte(byte(pc >> 8))
		b.WriteByte(byte(pc >> 16))
	}
	return b.String()
}

// A walk is through a language, of which several may be under way.
type walk struct {
	*language
	seen  []int // by instruction, the step in which it was
	steps int
	work  *int // that is left
}

func (l *language) walk(work *int) *walk { return &walk{l, make([]int, len(l.prog.Inst)), 0, work} }

// follow adds to s what can be reached from pc without a byte.
func (l *walk) follow(s *state, pc uint32, begin bool) {
	if s.all || l.seen[pc] == l.steps {
		return
	}
	l.seen[pc] = l.steps
	*l.work--
	switch inst := &l.prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		s.pcs = append(s.pcs, pc)
		l.follow(s, inst.Out, begin)
		l.follow(s, inst.Arg, begin)
	case syntax.InstCapture, syntax.InstNop:
		s.pcs = append(s.pcs, pc)
		l.follow(s, inst.Out, begin)
	case syntax.InstEmptyWidth:
		s.pcs = append(s.pcs, pc)
		if begin && syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyBeginLine) == 0 {
			l.follow(s, inst.Out, begin)
		}
	case syntax.InstMatch:
		*s = state{all: true}
	case syntax.InstFail:
	default:
		s.pcs = append(s.pcs, pc)
	}
}

func (l *walk) start() *state {
	s := new(state)
	l.steps++
	l.follow(s, uint32(l.prog.Start), true)
	slices.Sort(s.pcs)
	return s
}

// step returns the state after c.
func (l *walk) step(s *state, c rune) *state {
	next := new(state)
	l.steps++
	if s.all {
		next.all = true
		return next
	}
	*l.work -= len(s.pcs)
	for _, pc := range s.pcs {
		inst := &l.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if inst.MatchRune(c) {
				l.follow(next, inst.Out, false)
			}
		}
	}
	l.follow(next, uint32(l.prog.Start), false) // a match may begin anywhere
	slices.Sort(next.pcs)
	return next
}

// matches reports whether a text that ends in s is matched.
func (l *walk) matches(s *state, empty bool) bool {
	if s.all {
		return true
	}
	l.steps++
	var ends func(pc uint32) bool
	ends = func(pc uint32) bool {
		if l.seen[pc] == l.steps {
			return false
		}
		l.seen[pc] = l.steps
		*l.work--
		switch inst := &l.prog.Inst[pc]; inst.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			return ends(inst.Out) || ends(inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			return ends(inst.Out)
		case syntax.InstEmptyWidth:
			needs := syntax.EmptyOp(inst.Arg)
			if !empty && needs&(syntax.EmptyBeginText|syntax.EmptyBeginLine) != 0 {
				return false
			}
			return ends(inst.Out)
		}
		return false
	}
	return slices.ContainsFunc(s.pcs, ends)
}

// budget is how much work the comparisons of a file may be: so much the
// expressions that someone wrote for people never need.
const budget = 40_000_000

var errComplex = errors.New("it is too complicated to compare")

// difference returns an origin, of those that are looked at, that a matches and b
// does not, or "" if there is none: a shortest one.
func difference(among, a, b *language, work *int) (string, error) {
	type node struct {
		v, a, b *state
		parent  int
		c       rune
	}
	walkV, walkA, walkB := among.walk(work), a.walk(work), b.walk(work)
	nodes := []node{{walkV.start(), walkA.start(), walkB.start(), -1, 0}}
	seen := map[string]bool{}
	letters := alphabet(work, among, a, b)
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		if walkV.matches(n.v, i == 0) && walkA.matches(n.a, i == 0) && !walkB.matches(n.b, i == 0) {
			var text []rune
			for at := i; nodes[at].parent >= 0; at = nodes[at].parent {
				text = append(text, nodes[at].c)
			}
			slices.Reverse(text)
			return string(text), nil
		}
		if n.b.all {
			continue // whatever follows, b matches it
		}
		for _, c := range letters {
			v := walkV.step(n.v, c)
			if *work < 0 {
				return "", errComplex
			}
			if among.dead(v) {
				continue
			}
			next := node{v, walkA.step(n.a, c), walkB.step(n.b, c), i, c}
			key := next.v.key() + "\xff\xff\xff" + next.a.key() + "\xff\xff\xff" + next.b.key()
			*work -= len(key)
			if !seen[key] {
				seen[key] = true
				nodes = append(nodes, next)
			}
		}
	}
	return "", nil
}

// dead reports whether nothing that follows can match, of an expression that is
// anchored: what a search begins anew stops at its "^".
func (l *language) dead(s *state) bool {
	for _, pc := range s.pcs {
		switch inst := &l.prog.Inst[pc]; inst.Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			return false
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&syntax.EmptyBeginText == 0 {
				return false
			}
		}
	}
	return !s.all
}

// alphabet returns one of each kind of bytes that the languages tell apart.
func alphabet(work *int, languages ...*language) []rune {
	var letters []rune
	kinds := map[string]bool{}
	for _, c := range "ax09_.-:/" + printable {
		var kind strings.Builder
		for _, l := range languages {
			*work -= len(l.prog.Inst)
			for i := range l.prog.Inst {
				switch inst := &l.prog.Inst[i]; inst.Op {
				case syntax.InstRune, syntax.InstRune1:
					if inst.MatchRune(c) {
						kind.WriteByte('1')
					} else {
						kind.WriteByte('0')
					}
				}
			}
		}
		if !kinds[kind.String()] {
			kinds[kind.String()] = true
			letters = append(letters, c)
		}
	}
	return letters
}

var printable = func() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()
