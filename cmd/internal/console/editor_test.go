package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheSchemaOffersWhatMayStandThere asks complete.js, in a browser, what may
// stand where "|" is.
func TestTheSchemaOffersWhatMayStandThere(t *testing.T) {
	p := newSite(t).open(t, chromium(t), "policy", look{"en", "light", 1280})
	p.until(t, ready["policy"])
	p.run(t, `Promise.all([import('/page/complete.js'), fetch('/policy/schema.json').then(r => r.json())]).then(([complete, schema]) => {
		window.offered = text => {
			const at = complete.place(text.replace('|', ''), text.indexOf('|'));
			return JSON.stringify(at ? complete.offers(schema, at).map(o => o.apply) : null);
		};
	})`)
	p.until(t, "window.offered")
	keys := strings.Fields("methods request-headers exposed-headers credentials max-age preflight-status refused-status private-network upstream upstream-headers shadow " +
		"insecure-allow-null insecure-allow-public-suffix insecure-allow-http insecure-reflect-any-origin")
	for i := range keys {
		keys[i] += ": "
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"at the top, its keys", "|", []string{"upstream: ", "routes:\n"}},
		{"not a key that is there, above or below", "|\nupstream: x\n", []string{"routes:\n"}},
		{"below a route, the keys of a policy that it lacks", "routes:\n  /:\n    origins: x\n    |", keys},
		{"in a route with quotes", "routes:\n  \"/{id}\":\n    origins: x\n    |\n  /:\n    shadow: true", keys},
		{"where a pattern stands, nothing", "routes:\n  |", []string{}},
		{"in place of a policy, off", "routes:\n  /: |", []string{"off"}},
		{"true and false", "routes:\n  /:\n    credentials: |", []string{"true", "false"}},
		{"the values of an enumeration", "routes:\n  /:\n    upstream-headers: |", []string{"strip", "fill", "keep"}},
		{"numbers", "routes:\n  /:\n    refused-status: |", []string{"403", "204", "200"}},
		{"examples", "routes:\n  /:\n    max-age: |", []string{"10m", "1h30m", "1d", "600"}},
		{"in a list, its items", "routes:\n  /:\n    methods: [PUT, |", []string{"PUT", "PATCH", "DELETE"}},
		{"in a list of lines, with quotes where YAML wants them", "routes:\n  /:\n    origins:\n      - |", []string{"https://app.example.com", `"https://*.example.com"`, `"http://localhost:*"`}},
		{"in a list of lines that is not indented", "routes:\n  /:\n    methods:\n    - |", []string{"PUT", "PATCH", "DELETE"}},
		{"in place of a list, its items", "routes:\n  /:\n    methods: |", []string{"PUT", "PATCH", "DELETE"}},
		{"behind a list, nothing", "routes:\n  /:\n    methods: [PUT] |", nil},
		{"in a comment, nothing", "routes:\n  # |", nil},
		{"below a key that there is not, nothing", "routes:\n  /:\n    colour: |", []string{}},
		{"above what is no YAML yet", "routes:\n  /:\n    shadow: |\n    : [", []string{"true", "false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := json.Unmarshal([]byte(p.text(t, "offered("+string(text)+")")), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

// TestAPlainFieldIsAnEditorToo keeps the editor of the bundle away.
func TestAPlainFieldIsAnEditorToo(t *testing.T) {
	s := newSite(t, func(own http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/page/vendor/editor.js" {
				http.NotFound(w, r)
				return
			}
			own.ServeHTTP(w, r)
		})
	})
	p := s.open(t, chromium(t), "policy", look{"en", "light", 1280})
	p.until(t, "document.querySelector('#state').dataset.state === 'same' && !document.querySelector('#text').hidden")
	edit := func(old, new string) {
		t.Helper()
		p.run(t, `{
			const area = document.querySelector('#text');
			area.value = area.value.replace('`+old+`', '`+new+`');
			area.dispatchEvent(new Event('input', { bubbles: true }));
		}`)
	}
	edit("PATCH", "put")
	p.until(t, "document.querySelector('#mistakes button')?.innerText === '9:20'")
	p.run(t, "document.querySelector('#mistakes button').click()")
	if got := p.text(t, "document.activeElement.id + document.activeElement.value.slice(document.activeElement.selectionStart).slice(0, 4)"); got != "textput]" {
		t.Errorf("the mistake is found at %q, want %q", got, "textput]")
	}
	edit("put", "DELETE")
	p.until(t, "!document.querySelector('#apply').disabled")
	p.run(t, "document.querySelector('#apply').click()")
	p.until(t, "document.querySelector('#state').innerText.startsWith('In force since')")
	if text := string(s.options.Policy().Text); !strings.Contains(text, "[PUT, DELETE]") {
		t.Errorf("in force is\n%s", text)
	}
}

func TestWhatCannotBeWrittenIsNoMistakeOfTheText(t *testing.T) {
	s := newSite(t)
	s.options.Apply = func(_, _ []byte) error { return errors.New("the disk is full") }
	p := s.open(t, chromium(t), "policy", look{"en", "light", 1280})
	p.until(t, ready["policy"])
	p.run(t, helpers+"write(policy() + '# mine\\n')")
	p.until(t, "!document.querySelector('#apply').disabled")
	p.run(t, "document.querySelector('#apply').click()")
	p.until(t, "document.querySelector('#mistakes li')?.innerText.trim() === 'the disk is full'")
	if got := p.text(t, "document.querySelector('#summary').innerText"); got != "Nothing is changed: the policy in force stays." {
		t.Errorf("the page says %q", got)
	}
}

func TestThePageTellsThatSomebodyElseHasChangedThePolicy(t *testing.T) {
	s := newSite(t)
	p := s.open(t, chromium(t), "policy", look{"en", "light", 1280})
	p.until(t, ready["policy"])
	p.run(t, helpers)
	was := s.options.Policy().Text
	theirs := func(text string) {
		t.Helper()
		if err := s.options.Apply(s.options.Policy().Text, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	theirs(string(was) + "# theirs\n")
	p.until(t, "document.querySelector('.cm-content').innerText.includes('# theirs')") // nothing was edited here

	p.run(t, "write(policy() + '# mine\\n')")
	p.until(t, "!document.querySelector('#apply').disabled")
	theirs(string(was) + "# theirs again\n")
	p.run(t, "document.querySelector('#apply').click()")
	p.until(t, "!document.querySelector('#trouble').hidden")
	if text := string(s.options.Policy().Text); !strings.HasSuffix(text, "# theirs again\n") {
		t.Errorf("in force is\n%s", text)
	}
	// Asked once more it says no more than that: there is no mistake to mend.
	p.until(t, "!document.querySelector('#apply').disabled")
	p.run(t, "document.querySelector('#apply').click()")
	p.until(t, "document.querySelector('#state').innerText === 'Not applied'")
	if shown := p.text(t, "document.querySelector('#summary').innerText"); strings.Contains(shown, "mistake") {
		t.Errorf("of a policy that somebody else has changed it is said: %q", shown)
	}
	p.run(t, "document.querySelector('#keep').click()")
	p.until(t, "document.querySelector('#trouble').hidden && !document.querySelector('#apply').disabled")
	p.run(t, "document.querySelector('#apply').click()")
	p.until(t, "document.querySelector('#state').innerText.startsWith('In force since')")
	if text := string(s.options.Policy().Text); !strings.HasSuffix(text, "# mine\n") {
		t.Errorf("in force is\n%s", text)
	}
}
