package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// MaxSize is the largest file that is read, in bytes: some 15,000 origins.
const MaxSize = 1 << 19

// More limits, so that no file costs more than a moment: the YAML parser is
// quadratic in the keys, recursive in the depth, and aliases of aliases grow
// without end.
const (
	maxKeys  = 10_000
	maxDepth = 64
	maxNodes = 200_000 // read, counted again for each alias
)

// document returns the root of the YAML in data, or nil if it is not YAML.
func (r *reader) document(data []byte) ast.Node {
	start := place{line: 1, column: 1}
	if len(data) > MaxSize {
		r.fault(start, "", fmt.Sprintf("the file is larger than %d bytes", MaxSize), "keep long lists of origins in a database: see OriginSource of package cors")
		return nil
	}
	if i := invalidByte(data); i >= 0 {
		at := place{line: 1 + bytes.Count(data[:i], []byte("\n")), column: 1 + utf8.RuneCount(data[1+bytes.LastIndexByte(data[:i], '\n'):i])}
		r.fault(at, "", fmt.Sprintf("byte 0x%02x is not text", data[i]), "save the file as UTF-8")
		return nil
	}
	file, err := r.parse(strings.TrimPrefix(string(data), "\ufeff"))
	if err != nil {
		r.parseFault(err)
	}
	if file == nil {
		return nil
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.DirectiveType:
		case root != nil:
			r.fault(placeOf(doc.Body), "", "a second document begins here", `remove the "---" above, or this document`)
			return nil
		default:
			root = doc.Body
		}
	}
	if root == nil {
		r.fault(start, "", "the file says nothing", "write \"routes:\", and a route below it")
		return nil
	}
	r.aliases = make(map[*ast.AliasNode]ast.Node)
	r.resolve(root, make(map[string]ast.Node))
	return root
}

// invalidByte returns the index of the first byte that is not of UTF-8 text, or
// -1.
func invalidByte(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

// parse returns what the YAML library makes of text, whose panics are errors; or
// nil where it is not even asked.
func (r *reader) parse(text string) (file *ast.File, err error) {
	defer func() {
		if said := recover(); said != nil {
			err = errors.New("the parser gave up")
		}
	}()
	tokens := lexer.Tokenize(text)
	if !r.checkTokens(tokens) {
		return nil, nil
	}
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	return file, nil
}

// parseFault tells what the parser found.
func (r *reader) parseFault(err error) {
	at, value := place{1, 1}, ""
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		r.syntaxFault(at, value, err.Error())
		return
	}
	if t := syntax.GetToken(); t != nil && t.Position != nil {
		at, value = place{max(t.Position.Line, 1), max(t.Position.Column, 1)}, t.Value
	}
	r.syntaxFault(at, value, syntax.GetMessage())
}

// syntaxFault tells in better words what the YAML library said.
func (r *reader) syntaxFault(at place, value, said string) {
	value = strings.TrimSpace(value)
	reason, fix := "this is not YAML: "+said, "look at the indentation, the quotes and the brackets, here and on the line above"
	switch {
	case strings.Contains(said, "'\t'"), strings.Contains(said, "tab character"):
		reason, fix, value = "YAML is indented with spaces, and here is a tab", "write spaces", ""
	case strings.Contains(said, "reserved character"):
		fix = "write the value in quotes"
	case strings.Contains(said, "escape character"):
		reason, fix, value = `in double quotes a "\\" begins an escape, and this is none`, "write the value in single quotes", ""
	case strings.Contains(said, "end character of"):
		reason, fix, value = "a quote that begins here does not end", "write the other quote at the end of the value", ""
	}
	r.fault(at, value, reason, fix)
}

// resolve finds what each alias below n stands for: the last anchor of its name
// that ended before it.
func (r *reader) resolve(n ast.Node, anchors map[string]ast.Node) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		if n.Value == nil {
			return
		}
		r.resolve(n.Value, anchors)
		anchors[n.Name.GetToken().Value] = n.Value
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if target, ok := anchors[name]; ok {
			r.aliases[n] = target
			return
		}
		fix := fmt.Sprintf(`write "&%s" before what it stands for, further up`, name)
		if strings.ContainsAny(name, ".*:/") {
			fix = fmt.Sprintf("if no alias is meant, write it in quotes: %q", "*"+name)
		}
		r.fault(placeOf(n), "*"+name, "no anchor of this name ends before this alias", fix)
	case *ast.TagNode:
		if n.Value != nil {
			r.resolve(n.Value, anchors)
		}
	case *ast.SequenceNode:
		for _, v := range n.Values {
			r.resolve(v, anchors)
		}
	case *ast.MappingNode:
		for _, v := range n.Values {
			r.resolve(v, anchors)
		}
	case *ast.MappingValueNode:
		r.resolve(n.Key, anchors)
		r.resolve(n.Value, anchors)
	}
}

// A place is where in the file something is written.
type place struct{ line, column int }

func placeOf(n ast.Node) place {
	t := n.GetToken()
	// The token of a mapping is its first colon.
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		t = m.Key.GetToken()
	}
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}
