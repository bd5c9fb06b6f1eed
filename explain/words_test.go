package explain

import (
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/crossorigin/cors/fetch"
)

var braces = regexp.MustCompile(`\{(\w+)\}`)

// names in braces, sorted, each once.
func named(text string) []string {
	var names []string
	for _, m := range braces.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// phrases are all that this package can say.
func phrases() map[string]phrase {
	all := map[string]phrase{
		"reasonMethod": reasonMethod, "reasonHeader": reasonHeader, "reasonContentType": reasonContentType, "reasonRange": reasonRange,
		"reasonValue": reasonValue, "reasonLong": reasonLong, "reasonTotal": reasonTotal, "reasonUpload": reasonUpload, "reasonStream": reasonStream,
		"quirkPhrase": quirkPhrase,
	}
	for _, c := range causes {
		all["what of "+string(c.cause)], all["mend of "+string(c.cause)] = c.what, c.mend
	}
	for kind, p := range remarks {
		all["remark "+kind] = p
	}
	for kind, p := range differences {
		all["difference "+kind] = p
	}
	for _, s := range servers {
		all["place of "+string(s.server)] = s.place
	}
	for name, p := range labels {
		all["label "+name] = p
	}
	return all
}

func TestEveryPhraseIsSaidInEveryLanguage(t *testing.T) {
	for name, p := range phrases() {
		for l, text := range p {
			if text == "" {
				t.Errorf("%s has no words in %q", name, Language(l))
			}
			if !utf8.ValidString(text) {
				t.Errorf("%s is not UTF-8 in %q", name, Language(l))
			}
		}
	}
}

// A name may be left out in one language; none may be made up.
func TestPhrasesKnowTheirFacts(t *testing.T) {
	known := []string{"origin", "page", "url", "host", "port", "https", "http", "status", "method", "upper", "location", "header", "value", "name",
		"length", "works", "blocked", "command", "works", "browser", "server"}
	for name, p := range phrases() {
		for l, text := range p {
			for _, n := range named(text) {
				if !slices.Contains(known, n) {
					t.Errorf("%s speaks of {%s} in %q, which nobody fills in", name, n, Language(l))
				}
			}
		}
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	for _, code := range append(fetch.Codes(), fetch.CodeUnknown) {
		found := false
		for _, c := range causes {
			found = found || slices.Contains(c.codes, code)
		}
		if !found {
			t.Errorf("code %q has no cause, and so no words", code)
		}
	}
}

func TestCausesAreNamedOnce(t *testing.T) {
	seen := map[Cause]bool{}
	for _, c := range Causes() {
		if seen[c] {
			t.Errorf("cause %q stands twice", c)
		}
		seen[c] = true
	}
}

// For every cause there is something to do: a policy, code in the page, or where
// neither helps the sentence, which TestEveryPhraseIsSaidInEveryLanguage wants.
func TestEveryCORSCauseHasAConfigurationForEveryServer(t *testing.T) {
	n := Need{Origin: "https://app.example.com", Methods: []string{"PUT"}, Headers: []string{"x-a"}, Exposed: []string{"x-b"}, Credentials: true}
	for _, c := range causes {
		if c.fix == fixNone && c.class == ClassCORS {
			t.Errorf("cause %q is one of CORS, and no configuration mends it", c.cause)
		}
		if c.fix == fixNone {
			continue
		}
		d := &Diagnosis{Cause: c.cause, Need: n}
		for _, s := range Servers() {
			if d.Config(s) == "" {
				t.Errorf("cause %q has no configuration for %s", c.cause, s)
			}
		}
	}
}

func TestMessagesLeadToCauses(t *testing.T) {
	for _, m := range messages {
		if m.cause.entry() == nil {
			t.Errorf("message %q leads to cause %q, which does not exist", m.text, m.cause)
		}
	}
}

// A language that is added gets words everywhere or fails here.
func TestLanguages(t *testing.T) {
	for _, l := range []Language{English, Japanese} {
		if got, err := ParseLanguage(l.String()); got != l || err != nil {
			t.Errorf("ParseLanguage(%q) = %v, %v", l.String(), got, err)
		}
	}
	for tag, want := range map[string]Language{"ja_JP.UTF-8": Japanese, "JA": Japanese, "en-GB": English} {
		if got, err := ParseLanguage(tag); got != want || err != nil {
			t.Errorf("ParseLanguage(%q) = %v, %v, want %v", tag, got, err, want)
		}
	}
	if _, err := ParseLanguage("fr"); err == nil {
		t.Error("ParseLanguage(\"fr\") has no error, and there are no words")
	}
}
