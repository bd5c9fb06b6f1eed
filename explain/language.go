package explain

import (
	"fmt"
	"strings"
)

// A Language is one in which this package has words.
type Language uint8

// The languages; the zero value is English.
const (
	English Language = iota
	Japanese
	languages = iota
)

// ParseLanguage reads a language tag such as "en", "ja", "ja-JP" or
// "ja_JP.UTF-8".
func ParseLanguage(tag string) (Language, error) {
	primary := strings.ToLower(tag)
	if i := strings.IndexAny(primary, "-_."); i >= 0 {
		primary = primary[:i]
	}
	switch primary {
	case "en":
		return English, nil
	case "ja":
		return Japanese, nil
	}
	return English, fmt.Errorf("language %q: there are words in \"en\" and \"ja\"", tag)
}

func (l Language) String() string {
	if l == Japanese {
		return "ja"
	}
	return "en"
}

// A phrase is said in each language, by [Language]. Names in braces stand for
// facts: see facts.
type phrase [languages]string

func (p phrase) in(l Language, f facts) string { return f.fill(p[l]) }

// facts are what the braces of a phrase stand for.
type facts map[string]string

func (f facts) fill(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		value, known := f[name]
		if !ok || !known {
			b.WriteString("{")
			s = rest
			continue
		}
		b.WriteString(value)
		s = after
	}
}
