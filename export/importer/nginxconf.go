package importer

import (
	"fmt"
	"strings"
)

// A directive is one of nginx's.
type directive struct {
	name  string
	args  []string
	block []directive
	line  int
}

// parseNginx reads nginx's language as nginx does. A library was tried: it guesses
// where a word with a variable in it ends, and leaves the escapes in.
func parseNginx(text string) ([]directive, error) {
	p := &nginxParser{text: text, line: 1}
	all, err := p.block(0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	return all, nil
}

type nginxParser struct {
	text       string
	at, line   int
	directives int
}

const (
	maxNginxDepth      = 32
	maxNginxDirectives = 20_000
)

// block reads directives up to the end of a block, or of the file.
func (p *nginxParser) block(depth int) (all []directive, err error) {
	if depth > maxNginxDepth {
		return nil, fmt.Errorf("blocks are more than %d deep", maxNginxDepth)
	}
	for {
		d, begun := directive{}, false
		for {
			word, kind, err := p.token()
			if err != nil {
				return nil, err
			}
			switch {
			case kind == endOfFile && !begun && depth == 0:
				return all, nil
			case kind == endOfFile:
				return nil, fmt.Errorf("the file ends in the middle")
			case kind == '}' && !begun && depth > 0:
				return all, nil
			case kind == '}':
				return nil, fmt.Errorf(`"}" comes unexpectedly`)
			case kind == aWord && !begun:
				d.name, d.line, begun = word, p.line, true
				continue
			case kind == aWord:
				d.args = append(d.args, word)
				continue
			case !begun:
				return nil, fmt.Errorf("%q comes unexpectedly", string(kind))
			}
			if kind == '{' {
				if strings.HasSuffix(d.name, "_by_lua_block") {
					d.args = append(d.args, p.skipBlock())
				} else if d.block, err = p.block(depth + 1); err != nil {
					return nil, err
				}
			}
			break
		}
		if p.directives++; p.directives > maxNginxDirectives {
			return nil, fmt.Errorf("there are more than %d directives; take the part that is of CORS", maxNginxDirectives)
		}
		all = append(all, d)
	}
}

const (
	aWord     byte = 'w'
	endOfFile byte = 0
)

// token returns a word, or one of "{", "}" and ";".
func (p *nginxParser) token() (word string, kind byte, err error) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case '\n':
			p.line++
			p.at++
		case ' ', '\t', '\r':
			p.at++
		case '#':
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		case '{', '}', ';':
			p.at++
			return "", c, nil
		case '"', '\'':
			p.at++
			word, ok := p.word(func(next byte) bool { return next == c })
			if !ok {
				return "", 0, fmt.Errorf("a quote does not end")
			}
			p.at++
			return word, aWord, nil
		default:
			previous := byte(0)
			word, _ := p.word(func(next byte) bool {
				ends := strings.IndexByte(" \t\r\n;", next) >= 0 || next == '{' && previous != '$'
				previous = next
				return ends
			})
			return word, aWord, nil
		}
	}
	return "", endOfFile, nil
}

// word reads up to a byte at which it ends, which stays.
func (p *nginxParser) word(ends func(byte) bool) (string, bool) {
	var b strings.Builder
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if ends(c) {
			return b.String(), true
		}
		if c == '\n' {
			p.line++
		}
		if c == '\\' && p.at+1 < len(p.text) {
			p.at++
			switch next := p.text[p.at]; next {
			case '"', '\'', '\\':
				b.WriteByte(next)
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case 'n':
				b.WriteByte('\n')
			default:
				b.WriteByte('\\')
				b.WriteByte(next)
			}
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), false
}

// skipBlock passes over a block in Lua, and returns it.
func (p *nginxParser) skipBlock() string {
	begin, depth := p.at, 1
	for ; p.at < len(p.text) && depth > 0; p.at++ {
		switch c := p.text[p.at]; c {
		case '{':
			depth++
		case '}':
			depth--
		case '\n':
			p.line++
		case '"', '\'':
			for p.at++; p.at < len(p.text) && p.text[p.at] != c && p.text[p.at] != '\n'; p.at++ {
				if p.text[p.at] == '\\' {
					p.at++
				}
			}
		}
	}
	p.at = min(p.at, len(p.text))
	return p.text[begin:p.at]
}
