package curl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// split takes a command line apart as bash does, or as cmd.exe does where it is
// written for that.
func split(command string) ([]string, error) {
	command = strings.TrimSpace(strings.ReplaceAll(command, "\r\n", "\n"))
	if isCmd(command) {
		return splitCmd(command)
	}
	return splitBash(command)
}

// isCmd reports whether the command is quoted for cmd.exe, where ^ escapes.
func isCmd(command string) bool {
	return strings.Contains(command, `^"`) || strings.Contains(command, "^\n")
}

func splitBash(s string) (words []string, err error) {
	var word strings.Builder
	inWord := false
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n':
			end()
			i++
		case c == '\\':
			if i+1 == len(s) {
				return nil, fmt.Errorf(`it ends in a single \; paste all of its lines`)
			}
			if s[i+1] != '\n' {
				word.WriteByte(s[i+1])
				inWord = true
			}
			i += 2
		case c == '\'':
			n := strings.IndexByte(s[i+1:], '\'')
			if n < 0 {
				return nil, unclosed(s[i:])
			}
			word.WriteString(s[i+1 : i+1+n])
			inWord = true
			i += n + 2
		case c == '"':
			text, n, err := doubleQuoted(s[i:])
			if err != nil {
				return nil, err
			}
			word.WriteString(text)
			inWord = true
			i += n
		case c == '$' && strings.HasPrefix(s[i+1:], "'"):
			text, n, err := ansiQuoted(s[i:])
			if err != nil {
				return nil, err
			}
			word.WriteString(text)
			inWord = true
			i += n
		case c == '$' && i+1 < len(s) && isNameStart(s[i+1]), c == '`':
			return nil, variable(s[i:])
		case c == '#' && !inWord:
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				n = len(s) - i
			}
			i += n
		case strings.IndexByte("|;&<>()", c) >= 0:
			return nil, fmt.Errorf("%q: the command goes on after curl; leave that out", beginning(s[i:]))
		default:
			word.WriteByte(c)
			inWord = true
			i++
		}
	}
	end()
	return words, nil
}

func doubleQuoted(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), i + 1, nil
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case '"', '\\', '$', '`':
				b.WriteByte(s[i])
			case '\n':
			default:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			}
		case c == '$' && i+1 < len(s) && isNameStart(s[i+1]), c == '`':
			return "", 0, variable(s[i:])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, unclosed(s)
}

// ansiQuoted reads $'…', in which browsers write what is not plain.
func ansiQuoted(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 2; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\'':
			return b.String(), i + 1, nil
		case c != '\\' || i+1 == len(s):
			b.WriteByte(c)
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case 'e', 'E':
			b.WriteByte(0x1b)
		case 'x':
			v, digits := number(s[i+1:], 16, 2)
			b.WriteByte(byte(v))
			i += digits
		case 'u', 'U':
			most := 4
			if s[i] == 'U' {
				most = 8
			}
			v, digits := number(s[i+1:], 16, most)
			if v > utf8.MaxRune {
				v = utf8.RuneError
			}
			b.WriteRune(rune(v))
			i += digits
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, digits := number(s[i:], 8, 3)
			b.WriteByte(byte(v))
			i += digits - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, unclosed(s)
}

// number reads up to most digits of base.
func number(s string, base, most int) (value uint64, digits int) {
	for digits < most && digits < len(s) {
		v, err := strconv.ParseUint(s[:digits+1], base, 64)
		if err != nil {
			break
		}
		value = v
		digits++
	}
	return value, digits
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '{' || c == '('
}

// splitCmd undoes the escapes of cmd.exe, and then those of the C runtime that
// makes arguments of the rest.
func splitCmd(s string) (words []string, err error) {
	s = strings.ReplaceAll(s, "\"^\n\n\"", "\n") // how a line end in an argument is written
	var plain strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '^' && i+1 < len(s) {
			i++
			if s[i] == '\n' {
				plain.WriteByte(' ') // the line goes on
				continue
			}
		}
		plain.WriteByte(s[i])
	}
	s = plain.String()
	var word strings.Builder
	inWord, inQuotes := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], `\`))
			inWord = true
			if i+n < len(s) && s[i+n] == '"' {
				word.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					word.WriteByte('"')
					n++
				}
			} else {
				word.WriteString(strings.Repeat(`\`, n))
			}
			i += n - 1
		case c == '"' && inQuotes && i+1 < len(s) && s[i+1] == '"':
			word.WriteByte('"')
			i++
		case c == '"':
			inQuotes, inWord = !inQuotes, true
		case (c == ' ' || c == '\t' || c == '\n') && !inQuotes:
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case strings.IndexByte("|&<>", c) >= 0 && !inQuotes:
			return nil, fmt.Errorf("%q: the command goes on after curl; leave that out", beginning(s[i:]))
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inQuotes {
		return nil, unclosed(`"`)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

func unclosed(s string) error {
	return fmt.Errorf("%s is opened and not closed; paste the whole command", beginning(s))
}

func variable(s string) error {
	return fmt.Errorf("%q: no shell is here to fill that in; write its value", beginning(s))
}

func beginning(s string) string {
	if n := strings.IndexAny(s[min(1, len(s)):], " \n"); n >= 0 {
		s = s[:n+1]
	}
	return s[:min(len(s), 30)]
}
