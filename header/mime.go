package header

import "strings"

// A MIMEType is a parsed MIME type: type, subtype and the names of parameters
// are in lower case.
type MIMEType struct {
	Type, Subtype string
	Params        []Field // each name once, in the order in which they came
}

// ParseMIMEType parses s, the value of one Content-Type.
//
// https://mimesniff.spec.whatwg.org/#parse-a-mime-type
func ParseMIMEType(s string) (m MIMEType, ok bool) {
	s = Normalize(s)
	typ, rest, ok := strings.Cut(s, "/")
	if !ok || !IsToken(typ) {
		return MIMEType{}, false
	}
	subtype, rest, more := strings.Cut(rest, ";")
	subtype = strings.TrimRight(subtype, whitespace)
	if !IsToken(subtype) {
		return MIMEType{}, false
	}
	m = MIMEType{Type: Lower(typ), Subtype: Lower(subtype)}
	for more {
		rest = strings.TrimLeft(rest, whitespace)
		end := strings.IndexAny(rest, ";=")
		if end < 0 {
			break // a name without a value
		}
		name := Lower(rest[:end])
		more = true
		if rest[end] == ';' {
			rest = rest[end+1:]
			continue
		}
		rest = rest[end+1:]
		var value string
		if strings.HasPrefix(rest, `"`) {
			var pos int
			value, pos = quoted(rest, 0)
			_, rest, more = strings.Cut(rest[pos:], ";")
		} else {
			value, rest, more = strings.Cut(rest, ";")
			value = strings.TrimRight(value, whitespace)
			if value == "" {
				continue
			}
		}
		if _, has := m.Param(name); !has && IsToken(name) && isQuotedStringToken(value) {
			m.Params = append(m.Params, Field{name, value})
		}
	}
	return m, true
}

const whitespace = " \t\n\r"

func isQuotedStringToken(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// Essence returns the type and subtype, as in "text/plain".
//
// https://mimesniff.spec.whatwg.org/#mime-type-essence
func (m MIMEType) Essence() string {
	return m.Type + "/" + m.Subtype
}

// Param returns the value of the parameter called name, in lower case.
func (m MIMEType) Param(name string) (value string, ok bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// String serialises m.
//
// https://mimesniff.spec.whatwg.org/#serialize-a-mime-type
func (m MIMEType) String() string {
	var b strings.Builder
	b.WriteString(m.Essence())
	for _, p := range m.Params {
		b.WriteByte(';')
		b.WriteString(p.Name)
		b.WriteByte('=')
		if IsToken(p.Value) {
			b.WriteString(p.Value)
			continue
		}
		b.WriteByte('"')
		for i := range len(p.Value) {
			if c := p.Value[i]; c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(p.Value[i])
		}
		b.WriteByte('"')
	}
	return b.String()
}

// ExtractMIMEType returns the MIME type that all lines of Content-Type together
// give a response; ok is false where they give none.
//
// https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
func ExtractMIMEType(lines []string) (m MIMEType, ok bool) {
	if len(lines) == 0 {
		return MIMEType{}, false
	}
	var charset string
	var hasCharset bool
	for _, value := range Split(strings.Join(lines, ", ")) {
		next, valid := ParseMIMEType(value)
		if !valid || next.Essence() == "*/*" {
			continue
		}
		same := ok && next.Essence() == m.Essence()
		m, ok = next, true
		if !same {
			charset, hasCharset = m.Param("charset")
		} else if _, has := m.Param("charset"); !has && hasCharset {
			m.Params = append(m.Params, Field{"charset", charset})
		}
	}
	return m, ok
}
