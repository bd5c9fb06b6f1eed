package importer

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/origin"
)

// Patterns match what the expression matches, as far as they can. Of a row, more is
// an origin that it matches beside, less an odd one that they match beside;
// leftOut is a pattern that is not taken, since it matches leftOutFor.
func TestTranslate(t *testing.T) {
	tests := []struct {
		row, expression                 string
		patterns                        string
		more, less, leftOut, leftOutFor string
	}{
		{"one origin", `^https://app\.example\.com$`, "https://app.example.com", "", "", "", ""},
		{"alternatives", `^https?://(www|app)\.example\.com$`, "http://www.example.com http://app.example.com https://www.example.com https://app.example.com", "", "", "", ""},
		{"subdomains", `^https://.*\.example\.com$`, "https://*.example.com", "", "", "", ""},
		{"subdomains, and the domain", `^https://(.+\.)?example\.com(:[0-9]{1,5})?$`, "https://example.com:* https://*.example.com:*", "", "", "", ""},
		{"labels of what most names have", `^https://([a-z0-9-]+\.)*example\.com$`, "https://*.example.com https://example.com", "", "https://_.example.com", "", ""},
		{"one label, which no pattern says", `^https://[a-z0-9-]+\.example\.com$`, "", "https://a.example.com", "", "https://*.example.com", "https://a.a.example.com"},
		{"one label, or none", `^https:\/\/(\w+\.)?example\.com$`, "https://example.com", "https://a.example.com", "", "https://*.example.com", "https://a.a.example.com"},
		{"digits, which no pattern says", `^https://pr-[0-9]+\.example\.com$`, "", "https://pr-0.example.com", "", "https://pr-*.example.com", "https://pr-a.example.com"},
		{"any port", `^https?://localhost(:\d+)?$`, "http://localhost:* https://localhost:*", "", "", "", ""},
		{"no beginning", `https://.*\.example\.com$`, "https://*.example.com", "ahttps://.example.com", "", "", ""},
		{"no beginning and no scheme", `\.example\.com$`, "https://*.example.com", "http://a.example.com", "", "", ""},
		{"no end", `(https?://[^/]*\.example\.com(:[0-9]+)?)`, "http://*.example.com:* https://*.example.com:*", "http://a.example.coma", "", "", ""},
		{"neither, and a dot that is any byte", `example.com`, "https://example.com", "http://exampleacom", "", "", ""},
		{"everything", `.*`, "*", "", "", "", ""},
		{"every origin of the web", `^https?://`, "", "http://a", "", "*", "null"},
		{"null", `^null$`, "null", "", "", "", ""},
		{"a wildcard that spans dots", `^https://pr-.*\.example\.com$`, "https://pr-*.example.com", "https://pr-a.a.example.com", "", "", ""},
		{"many alternatives", `^https?://(www|app|a|b|c|d|e|f|g|h)\.example\.(com|net|org)(:\d+)?$`, manyAlternatives(), "", "", "", ""},
		{"a length that no label reaches", `^https://[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.example\.com$`, "https://*.example.com", "", "https://!.example.com", "", ""},
		{"nothing", `^$`, "", "", "", "*", "null"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got, err := translate(tt.expression, false, work())
			if err != nil {
				t.Fatal(err)
			}
			if patterns := strings.Join(got.patterns, " "); patterns != tt.patterns || got.more != tt.more || got.less != tt.less || got.not != tt.leftOut || got.because != tt.leftOutFor {
				t.Errorf("translate(%q) = %q, more %q, less %q, left out %q since %q; want %q, %q, %q, %q, %q",
					tt.expression, patterns, got.more, got.less, got.not, got.because, tt.patterns, tt.more, tt.less, tt.leftOut, tt.leftOutFor)
			}
		})
	}
}

func TestTranslateGivesUp(t *testing.T) {
	for _, expression := range []string{`(`, `(?=https)`, `\bexample`, `(a)\1`, strings.Repeat("a", 3000), `^https://((a|b|c|d|e)*[abc](a|b|c|d|e){200})\.example\.com$`} {
		if got, err := translate(expression, false, work()); err == nil && got.more == "" {
			t.Errorf("translate(%.40q) = %+v, want an error", expression, got)
		}
	}
}

// No pattern that is taken matches an origin with a plain name that the
// expression does not match.
func FuzzTranslate(f *testing.F) {
	for _, e := range []string{`^https://.*\.example\.com$`, `example.com`, `^https?://(a|b)\.c(:\d+)?$`, `(?i)^HTTPS://[^.]+\.X$`, `.*`, `^null|https://a$`} {
		for _, o := range []string{"https://a.example.com", "http://a.c:80", "https://exampleacom", "null", "https://a.b:8080"} {
			f.Add(e, o)
		}
	}
	f.Fuzz(func(t *testing.T, expression, o string) {
		parsed, err := origin.Parse(o)
		if err != nil || !regexp.MustCompile(`^(null|https?://[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]+)?)$`).MatchString(o) {
			return
		}
		got, err := translate(expression, false, work())
		if err != nil {
			return
		}
		re, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			return
		}
		matches := regexp.MustCompile(re.String()).MatchString(o)
		taken := slices.ContainsFunc(got.patterns, func(p string) bool {
			pattern, err := origin.InsecureParsePattern(p)
			return err == nil && pattern.Match(parsed)
		})
		if taken && !matches {
			t.Errorf("translate(%q) = %q, which match %q", expression, got.patterns, o)
		}
		if matches && !taken && got.more == "" {
			t.Errorf("translate(%q) = %q, which do not match %q, and nothing says so", expression, got.patterns, o)
		}
	})
}

func manyAlternatives() string {
	var all []string
	for _, scheme := range []string{"http", "https"} {
		for name := range strings.FieldsSeq("www app a b c d e f g h") {
			for tld := range strings.FieldsSeq("com net org") {
				all = append(all, scheme+"://"+name+".example."+tld+":*")
			}
		}
	}
	return strings.Join(all, " ")
}

func work() *int {
	left := budget
	return &left
}
