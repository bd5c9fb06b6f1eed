package policyfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// An entry is a key of a mapping and its value.
type entry struct {
	key   string
	at    place
	value ast.Node
}

// mapping reads the keys of n, those that it merges included, each once.
func (r *reader) mapping(n ast.Node, fix string) ([]entry, bool) {
	entries, ok := r.pairs(n, fix)
	if !ok {
		return nil, false
	}
	own := make(map[string]place, len(entries))
	out := make([]entry, 0, len(entries))
	var merged []ast.Node
	for _, e := range entries {
		if e.key == mergeKey {
			merged = append(merged, e.value)
			continue
		}
		if first, ok := own[e.key]; ok {
			done := r.within(r.route, "", -1)
			r.fault(e.at, e.key, fmt.Sprintf("this key is on line %d already", first.line), "keep one of the two")
			done()
			continue
		}
		own[e.key] = e.at
		out = append(out, e)
	}
	for _, m := range merged {
		out = append(out, r.merge(m, own)...)
	}
	return out, true
}

// mergeKey is what no key of a document can be.
const mergeKey = "\x00<<"

// merge reads the keys that the value of a "<<" adds to own.
func (r *reader) merge(n ast.Node, own map[string]place) []entry {
	const fix = `write the alias of a mapping, such as "*policy", or a list of them`
	sources := []ast.Node{n}
	if s, ok := r.deref(n).(*ast.SequenceNode); ok {
		sources = s.Values
	}
	var out []entry
	for _, source := range sources {
		entries, ok := r.mapping(source, fix)
		if !ok {
			continue
		}
		for _, e := range entries {
			if _, ok := own[e.key]; ok {
				continue // what is written in the mapping itself, or merged earlier, holds
			}
			own[e.key] = e.at
			out = append(out, e)
		}
	}
	return out
}

func (r *reader) pairs(n ast.Node, fix string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := r.deref(n).(type) {
	case nil:
		return nil, false
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.wrongType(n, "keys and values are wanted", fix)
		return nil, false
	}
	entries := make([]entry, 0, len(values))
	for _, v := range values {
		if !r.count(v) {
			return nil, false
		}
		e := entry{at: placeOf(v.Key), value: v.Value}
		if v.Key.IsMergeKey() {
			e.key = mergeKey
			entries = append(entries, e)
			continue
		}
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			r.wrongType(v.Key, "a key is a text", "write the key in quotes")
			continue
		}
		e.key = key.Value
		entries = append(entries, e)
	}
	return entries, true
}

// deref returns what n stands for, without anchors and aliases. It is nil where
// that has been told to be a mistake.
func (r *reader) deref(n ast.Node) ast.Node {
	for {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := r.aliases[v]
			if !ok {
				return nil
			}
			n = target
		case *ast.TagNode:
			r.fault(placeOf(v), v.Start.Value, "tags are not read", "remove it")
			return nil
		default:
			if n == nil || !r.count(n) {
				return nil
			}
			return n
		}
	}
}

// count keeps what is read within bounds.
func (r *reader) count(n ast.Node) bool {
	r.nodes++
	if r.nodes == maxNodes+1 {
		r.fault(placeOf(n), "", fmt.Sprintf("with every alias in full, the file has more than %d values", maxNodes), "use fewer aliases, or shorter lists below their anchors")
	}
	return r.nodes <= maxNodes
}

// wrongType tells that n is not what is wanted.
func (r *reader) wrongType(n ast.Node, wanted, fix string) {
	if n.Type() == ast.NullType && n.GetToken().Type != token.NullType {
		r.fault(placeOf(n), "", "nothing is written here: "+wanted, fix)
		return
	}
	value, what := written(n), ""
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		value, what = "", "these are keys and values"
	case *ast.SequenceNode:
		value, what = "", "this is a list"
	case *ast.BoolNode:
		what = "this is true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		what = "this is a number"
	case *ast.NullNode:
		what = "this is nothing"
	default:
		what = "this is a text"
	}
	r.fault(placeOf(n), value, what+": "+wanted, fix)
}

// written is the text of a scalar as it stands in the file.
func written(n ast.Node) string {
	if l, ok := n.(*ast.LiteralNode); ok {
		return l.Value.Value
	}
	return n.GetToken().Value
}

const noVariables = "environment variables are not expanded"
const variableFix = "write the value itself, or make the file with a tool such as envsubst"

// variable finds ${NAME}, $NAME, {{name}} and %NAME%.
var variable = regexp.MustCompile(`\$\{|\$[A-Z_]|\{\{|^%\w+%$`)

// text reads a scalar that is a text.
func (r *reader) text(n ast.Node, wanted, fix string) (string, bool) {
	var s string
	switch n := r.deref(n).(type) {
	case nil:
		return "", false
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = strings.TrimSuffix(n.Value.Value, "\n")
	default:
		r.wrongType(n, wanted, fix)
		return "", false
	}
	if variable.MatchString(s) {
		r.fault(placeOf(n), s, noVariables, variableFix)
		return "", false
	}
	return s, true
}

// list reads a list of texts: one text, texts with commas between them, or a
// sequence, whose elements may be lists that an alias stands for.
func (r *reader) list(n ast.Node, example string) (list []string, at []place) {
	switch v := r.deref(n).(type) {
	case nil:
	case *ast.SequenceNode:
		for i, element := range v.Values {
			if _, ok := r.deref(element).(*ast.SequenceNode); ok {
				more, places := r.list(element, example)
				list, at = append(list, more...), append(at, places...)
				continue
			}
			done := r.within(r.route, r.key, i)
			if s, ok := r.text(element, "a text is wanted", "write elements as in "+example); ok {
				list, at = append(list, s), append(at, placeOf(element))
			}
			done()
		}
	default:
		if s, ok := r.text(v, "a list is wanted", "write one such as "+example); ok {
			return split(s, v)
		}
	}
	return list, at
}

// split cuts s, the text of n, at its commas.
func split(s string, n ast.Node) (list []string, places []place) {
	at := placeOf(n)
	column := at.column
	if t := n.GetToken().Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
		column++
	}
	for part := range strings.SplitSeq(s, ",") {
		p := at
		if n.Type() == ast.StringType && strings.Contains(s, ",") {
			p.column = column + len(part) - len(strings.TrimLeft(part, " \t\n"))
		}
		list, places = append(list, strings.TrimSpace(part)), append(places, p)
		column += utf8.RuneCountInString(part) + 1
	}
	return list, places
}

func (r *reader) boolean(n ast.Node) bool {
	switch v := r.deref(n).(type) {
	case nil:
		return false
	case *ast.BoolNode:
		return v.Value
	case *ast.StringNode:
		switch strings.ToLower(v.Value) {
		case "yes", "on", "y", "true":
			r.fault(placeOf(v), v.Value, "this is a text: true or false is wanted", "write true, without quotes")
		case "no", "off", "n", "false":
			r.fault(placeOf(v), v.Value, "this is a text: true or false is wanted", "write false, without quotes")
		default:
			if s, ok := r.text(v, "", ""); ok {
				r.fault(placeOf(v), s, "this is a text: true or false is wanted", "write true or false")
			}
		}
	default:
		r.wrongType(v, "true or false is wanted", "write true or false")
	}
	return false
}

// status reads a status code.
func (r *reader) status(n ast.Node, wanted, fix string) int {
	switch v := r.deref(n).(type) {
	case nil:
	case *ast.IntegerNode:
		status, err := strconv.Atoi(v.Token.Value)
		if err != nil || status == 0 { // which package cors takes for the default
			r.fault(placeOf(v), v.Token.Value, wanted, fix)
			return 0
		}
		return status
	default:
		r.wrongType(v, wanted, fix)
	}
	return 0
}
