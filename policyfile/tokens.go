package policyfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// checkTokens finds what the parser would have no good words for, what nobody
// writes in this file, and what the parser would be too slow for or too deep in.
func (r *reader) checkTokens(tokens token.Tokens) bool {
	s := scan{reader: r}
	for _, t := range tokens {
		if t.Position != nil && t.Type != token.CommentType && t.Type != token.SpaceType {
			s.tokens = append(s.tokens, t)
		}
	}
	for i := range s.tokens {
		if !s.check(i) {
			return false
		}
	}
	if len(s.open) > 0 {
		t := s.open[len(s.open)-1]
		r.fault(place{t.Position.Line, t.Position.Column}, t.Value, "this is still open at the end of the file", fmt.Sprintf("write %q at its end", closing[t.Value]))
		return false
	}
	return true
}

// A scan is the walk of checkTokens.
type scan struct {
	*reader
	tokens                             token.Tokens
	keys, brackets, openers, documents int
	directive, keyLine                 int            // the last line with one
	open                               []*token.Token // brackets and braces
}

// check judges the token at i by those before it. What it lets pass, the parser
// goes through in little more than linear time, some tens of calls deep.
func (s *scan) check(i int) bool {
	t := s.tokens[i]
	at := place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
	refuse := func(value, reason, fix string) bool {
		s.fault(at, value, reason, fix)
		return false
	}
	switch t.Type {
	case token.DirectiveType:
		s.directive = t.Position.Line
	case token.DocumentHeaderType, token.DocumentEndType:
		if s.documents++; s.documents > 2 {
			return refuse(t.Value, "there is more than one document in this file", "remove this line, and the documents but one")
		}
	case token.MappingKeyType:
		return refuse(t.Value, `keys that begin with "?" are not read here`, `write the key and a ":" behind it`)
	case token.InvalidType:
		s.syntaxFault(at, t.Value, t.Error)
		return false
	case token.MappingValueType:
		if i == 0 || !isScalar(s.tokens[i-1]) {
			return refuse("", "a key is a text", "write a text before the \":\"")
		}
		if n := len(s.open); n > 0 && !s.separates(i-2) {
			at = place{s.tokens[i-1].Position.Line, s.tokens[i-1].Position.Column}
			return refuse(s.tokens[i-1].Value, fmt.Sprintf("the %q of line %d is still open here", s.open[n-1].Value, s.open[n-1].Position.Line),
				fmt.Sprintf("write %q at its end, and \",\" between what is in it", closing[s.open[n-1].Value]))
		}
		if len(s.open) == 0 && s.keyLine == t.Position.Line {
			return refuse("", `a second ": " on one line is not YAML`, "write the value in quotes, or on a line of its own, indented")
		}
		if len(s.open) == 0 {
			s.keyLine = t.Position.Line
		}
		if s.keys++; s.keys > maxKeys {
			return refuse("", fmt.Sprintf("there are more than %d keys in this file", maxKeys), "write fewer routes, with hosts and paths that cover more")
		}
	case token.MappingStartType, token.SequenceStartType:
		s.open = append(s.open, t)
		if s.brackets++; s.brackets > maxKeys {
			return refuse("", fmt.Sprintf("there are more than %d lists and mappings in this file", maxKeys), "write fewer routes, with hosts and paths that cover more")
		}
	case token.MappingEndType, token.SequenceEndType:
		n := len(s.open)
		if n > 0 && closing[s.open[n-1].Value] != t.Value {
			return refuse(t.Value, fmt.Sprintf("the %q of line %d is still open here", s.open[n-1].Value, s.open[n-1].Position.Line),
				fmt.Sprintf("write %q before this", closing[s.open[n-1].Value]))
		}
		if n == 0 {
			return refuse(t.Value, "nothing is open that this could close", "remove it, or write what is missing before it")
		}
		s.open = s.open[:n-1]
	case token.CollectEntryType:
		if len(s.open) == 0 || s.separates(i-1) {
			return refuse(t.Value, "nothing stands before this", "remove it, or write what is missing before it")
		}
	case token.SequenceEntryType:
		if len(s.open) > 0 {
			return refuse("-", `a list in brackets has no "-"`, `write "," between its elements`)
		}
		if i > 0 && s.tokens[i-1].Type != token.SequenceEntryType && s.tokens[i-1].Position.Line == t.Position.Line {
			return refuse("-", `a "-" begins a line`, "write each element on a line of its own, or the whole in quotes if it is one value")
		}
	case token.AnchorType, token.TagType:
		if !s.leadsOn(i) {
			return refuse(t.Value, "there is nothing behind this on its line", "write what it belongs to behind it")
		}
	case token.AliasType:
		if name := s.next(i); name == nil || name.Type != token.StringType {
			return refuse("*", `in YAML a "*" without quotes begins an alias`, `write it in quotes: "*"`)
		}
	case token.StringType:
		if next := s.next(i); strings.HasSuffix(t.Value, "$") && next != nil && next.Type == token.MappingStartType {
			return refuse(t.Value+"{", noVariables, variableFix)
		}
	}
	if t.Position.Line != s.directive && i > 0 && s.ends(i-1) && s.begins(i) && !s.isKey(i) {
		return refuse(t.Value, "a value follows a value", `write a "," between them in a list in brackets, or the whole in quotes if it is one`)
	}
	switch {
	case s.isOpener(i):
		s.openers++
	case !s.isName(i):
		s.openers = 0
	}
	if len(s.open) > maxDepth || s.openers > maxDepth {
		return refuse("", "this is nested too deeply", "write a route, its keys, and lists below them; nothing is deeper")
	}
	return true
}

// next is the token that follows the one at i without a space, or nil.
func (s *scan) next(i int) *token.Token {
	if i+1 == len(s.tokens) {
		return nil
	}
	t, next := s.tokens[i], s.tokens[i+1]
	if next.Position.Line != t.Position.Line || next.Position.Column != t.Position.Column+utf8.RuneCountInString(t.Value) {
		return nil
	}
	return next
}

// closing is what closes what is open.
var closing = map[string]string{"[": "]", "{": "}"}

// separates reports whether a key or an element may stand behind the token at
// i, in brackets or braces.
func (s *scan) separates(i int) bool {
	switch s.tokens[i].Type {
	case token.CollectEntryType, token.MappingStartType, token.SequenceStartType:
		return true
	}
	return false
}

// leadsOn reports whether the anchor or tag at i has what it belongs to on its
// line, or is the first of what is below a key.
func (s *scan) leadsOn(i int) bool {
	next := i + 1
	if s.tokens[i].Type == token.AnchorType {
		next++
	}
	return i > 0 && s.tokens[i-1].Type == token.MappingValueType ||
		next < len(s.tokens) && s.tokens[next].Position.Line == s.tokens[i].Position.Line && s.tokens[next].Type != s.tokens[i].Type
}

// isName reports whether the token at i is the name of an anchor or alias.
func (s *scan) isName(i int) bool {
	return i > 0 && (s.tokens[i-1].Type == token.AnchorType || s.tokens[i-1].Type == token.AliasType)
}

// isOpener reports whether the token at i is followed by what belongs to it,
// with nothing around the two that ends.
func (s *scan) isOpener(i int) bool {
	switch s.tokens[i].Type {
	case token.SequenceEntryType, token.AnchorType, token.TagType:
		return true
	}
	return false
}

// ends reports whether a value ends with the token at i.
func (s *scan) ends(i int) bool {
	switch s.tokens[i].Type {
	case token.MappingEndType, token.SequenceEndType:
		return true
	}
	return isScalar(s.tokens[i]) && (i == 0 || s.tokens[i-1].Type != token.AnchorType)
}

// begins reports whether a value begins with the token at i.
func (s *scan) begins(i int) bool {
	switch s.tokens[i].Type {
	case token.MappingStartType, token.SequenceStartType, token.AnchorType, token.AliasType, token.TagType, token.LiteralType, token.FoldedType:
		return true
	}
	return isScalar(s.tokens[i]) && !s.isName(i)
}

// isKey reports whether the token at i begins a key on a line of its own.
func (s *scan) isKey(i int) bool {
	if s.tokens[i].Position.Line == s.tokens[i-1].Position.Line {
		return false
	}
	for i < len(s.tokens) && (s.isOpener(i) || s.tokens[i].Type == token.AliasType || s.tokens[i-1].Type == token.AnchorType) {
		i++
	}
	return i+1 < len(s.tokens) && isScalar(s.tokens[i]) && s.tokens[i+1].Type == token.MappingValueType
}

func isScalar(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType,
		token.HexIntegerType, token.FloatType, token.BoolType, token.NullType, token.ImplicitNullType, token.InfinityType, token.NanType, token.MergeKeyType:
		return true
	}
	return false
}
