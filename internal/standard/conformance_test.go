package standard_test

import (
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/standard"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("u", false, "rewrite docs/conformance.md")

const (
	conformance    = root + "/docs/conformance.md"
	standardGolden = root + "/internal/scenario/testdata/standard.golden"
)

// What the standard has and this library has not, by the reason.
var leftOut = []struct {
	reason  string
	anchors string
}{
	{"A Go program has a context and reads bodies itself.", `finalize-and-report-timing fetch-controller-process-the-next-manual-redirect extract-full-timing-info
		fetch-controller-abort deserialize-a-serialized-abort-reason queue-a-fetch-task abort-fetch appropriate-network-error
		concept-body-clone body-incrementally-read incrementally-read-loop body-fully-read`},
	{"Objects of JavaScript: what a program does with a Request, a Response or a body of its own. Their rules about headers are [fetch.Headers](../fetch/headers.go).",
		`dom-headers dom-headers-get dom-headers-getsetcookie dom-headers-has concept-header-list-sort-and-combine concept-body-mime-type
		concept-body-consume-body dom-body-formdata dom-body-textstream request-create dom-request-referrer dom-request-clone response-create
		initialize-a-response dom-response dom-response-redirect dom-response-json dom-response-clone concept-response-clone legacy-extract-an-encoding`},
	{"For other standards: nothing in fetching asks for it.", `concept-header-list-combine concept-header-list-get-structured-header concept-header-list-set-structured-header
		concept-request-add-range-header concept-potential-destination-translate serialized-cookie-default-path`},
	{"The transport's: by default net/http's.", `resolve-an-origin clamp-and-coarsen-connection-timing-info concept-connection-obtain create-a-connection`},
	{"There are no blobs: every blob: URL is a network error.", `build-a-content-range request-determine-the-environment`},
	{"Nothing is reported to anybody.", `serialize-a-response-url-for-reporting queue-a-cross-origin-embedder-policy-corp-violation-report`},
	{"For navigations, which are not fetched.", `append-to-a-requests-navigation-timing-allow-values-list navigation-tao-check`},
	{"A page is the only client; its policies are fields of [fetch.Page](../fetch/browser.go).", `populate-request-from-client`},
	{"This user agent overrides nothing; a transport may.", `concept-override-fetch potentially-override-response-for-a-request`},
	{"fetchLater() sends what fetch() would have sent, later.", `queue-a-deferred-fetch total-request-length process-deferred-fetches process-a-deferred-fetch available-deferred-fetch-quota
		reserve-deferred-fetch-quota deferred-fetch-control-document dom-window-fetchlater`},
}

// Every algorithm of the standard is implemented, and then proved by a test, or
// left out for a reason.
func TestNoAlgorithmIsForgotten(t *testing.T) {
	code, tests := readSource(t).byAnchor()
	omitted := map[string]bool{}
	for _, group := range leftOut {
		for anchor := range strings.FieldsSeq(group.anchors) {
			omitted[anchor] = true
			if term := standard.Fetch().Term(anchor); term == nil || len(term.Steps) == 0 {
				t.Errorf("#%s is left out, and is no algorithm of the standard", anchor)
			}
		}
	}
	for _, term := range standard.Fetch().Terms {
		switch {
		case len(term.Steps) == 0:
		case omitted[term.Anchor] && len(code[term.Anchor]) > 0:
			t.Errorf("#%s is left out, and %v cites it", term.Anchor, code[term.Anchor])
		case !omitted[term.Anchor] && len(code[term.Anchor]) == 0:
			t.Errorf("no function cites #%s, and no reason is given for leaving it out", term.Anchor)
		case !omitted[term.Anchor] && len(tests[term.Anchor]) == 0:
			t.Errorf("%v cites #%s, and no test does", code[term.Anchor], term.Anchor)
		}
	}
}

// byAnchor sorts the citations of the library: those of functions and types, and
// those of tests.
func (src source) byAnchor() (code, tests map[string][]citation) {
	code, tests = map[string][]citation{}, map[string][]citation{}
	isTest := regexp.MustCompile(`^(Test|Fuzz|Example)`)
	for _, c := range src.citations() {
		into := code
		switch dir := path.Dir(c.file); {
		case dir != "fetch" && dir != "header" && dir != "origin":
			continue
		case c.inTest && !isTest.MatchString(c.name):
			continue
		case c.inTest:
			into = tests
		}
		if !slices.ContainsFunc(into[c.anchor], func(other citation) bool { return other.name == c.name && other.file == c.file }) {
			into[c.anchor] = append(into[c.anchor], c)
		}
	}
	return code, tests
}

// docs/conformance.md is written from the code, the text of the standard and
// the recordings, so that it cannot go stale: go test ./internal/standard -u.
func TestConformanceIsDocumented(t *testing.T) {
	src := readSource(t)
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(strings.TrimSpace(opening), "COMMIT", standard.Fetch().Commit))
	b.WriteString("\n\n## Algorithms\n\n")
	writeAlgorithms(&b, src)
	b.WriteString("\n## Left out\n\n" + strings.TrimSpace(leftOutOpening) + "\n\n| algorithms | why |\n|---|---|\n")
	writeLeftOut(&b)
	b.WriteString("\n## Ways to be blocked\n\n" + strings.TrimSpace(codesOpening) + "\n\n| code | what it says | steps |\n|---|---|---|\n")
	writeCodes(&b, src)
	b.WriteString("\n## Where three browsers agree and the standard differs\n\n" + strings.TrimSpace(differencesOpening) + "\n\n")
	writeDifferences(t, &b)
	b.WriteString("\n## Quirks\n\n" + strings.TrimSpace(quirksOpening) + "\n\n| quirk | " + strings.Join(profileNames(), " | ") + " | kind | what they do | scenario |\n|---|---|---|---|---|---|---|\n")
	writeQuirks(&b)
	b.WriteString("\n" + strings.TrimSpace(reporting) + "\n")

	if *update {
		if err := os.WriteFile(conformance, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(conformance)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("docs/conformance.md is not what the code says; go test ./internal/standard -u rewrites it (-is +should be):\n%s", diff)
	}
}

// writeAlgorithms writes a table for each section that the code cites.
func writeAlgorithms(b *strings.Builder, src source) {
	code, tests := src.byAnchor()
	section := ""
	for _, term := range standard.Fetch().Terms {
		functions := slices.DeleteFunc(slices.Clone(code[term.Anchor]), func(c citation) bool { return !c.isFunc })
		if len(functions) == 0 && len(tests[term.Anchor]) == 0 || term.Name == "" || term.Name == term.Section {
			continue
		}
		if term.Section != section {
			if section != "" {
				b.WriteString("\n")
			}
			section = term.Section
			fmt.Fprintf(b, "### %s\n\n| in the standard | in the code | proved by |\n|---|---|---|\n", section)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", termLink(term), places(code[term.Anchor]), places(tests[term.Anchor]))
	}
}

func termLink(t standard.Term) string {
	return fmt.Sprintf("[%s](https://fetch.spec.whatwg.org/#%s)", t.Name, t.Anchor)
}

func places(citations []citation) string {
	var links []string
	for _, c := range citations {
		links = append(links, fmt.Sprintf("[%s](../%s)", c.name, c.file))
	}
	return strings.Join(links, ", ")
}

func writeLeftOut(b *strings.Builder) {
	for _, group := range leftOut {
		var links []string
		for anchor := range strings.FieldsSeq(group.anchors) {
			links = append(links, termLink(*standard.Fetch().Term(anchor)))
		}
		fmt.Fprintf(b, "| %s | %s |\n", strings.Join(links, ", "), group.reason)
	}
}

// writeCodes writes where the code blocks a fetch, found in its syntax.
func writeCodes(b *strings.Builder, src source) {
	steps := map[string][]string{}
	for name, d := range src.functions() {
		if !strings.HasPrefix(name, "fetch/") {
			continue
		}
		ast.Inspect(d.Body, func(n ast.Node) bool {
			for code, step := range blockedSteps(n, anchorOf(d)) {
				if !slices.Contains(steps[code], step) {
					steps[code] = append(steps[code], step)
				}
			}
			return true
		})
	}
	for i, name := range src.codeNames() {
		fmt.Fprintf(b, "| [%s](../fetch/blocked.go) | %s | %s |\n", name, fetch.Codes()[i], strings.Join(steps[name], ", "))
	}
}

// blockedSteps yields the codes and steps that n gives: a call that blocks, or a
// return of both, for what the transport says.
func blockedSteps(n ast.Node, inForce string) map[string]string {
	found := map[string]string{}
	add := func(code ast.Expr, anchor, step string) {
		term := standard.Fetch().Term(anchor)
		if id, ok := code.(*ast.Ident); ok && term != nil && strings.HasPrefix(id.Name, "Code") && step != "" {
			found[id.Name] = fmt.Sprintf("[%s, %s](https://fetch.spec.whatwg.org/#%s)", term.Name, step, anchor)
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		if anchor, step := networkError(n, inForce); anchor != "" {
			add(n.Args[0], anchor, step)
		}
	case *ast.ReturnStmt:
		if len(n.Results) == 2 {
			add(n.Results[0], inForce, literal(n.Results[1]))
		}
	}
	return found
}

// codeNames returns the names of the codes, in their order.
func (src source) codeNames() (names []string) {
	ast.Inspect(src.files["fetch/blocked.go"], func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && strings.HasPrefix(spec.Names[0].Name, "Code") && spec.Names[0].Name != "CodeUnknown" {
			names = append(names, spec.Names[0].Name)
		}
		return true
	})
	return names
}

func writeDifferences(t *testing.T, b *strings.Builder) {
	golden, err := os.ReadFile(standardGolden)
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString("| scenario | in the browsers | by the standard |\n|---|---|---|\n")
	step := regexp.MustCompile(`([a-z0-9-]+) step ([0-9.]+)`)
	for line := range strings.Lines(string(golden)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			t.Fatalf("%s: %q has not three fields", standardGolden, line)
		}
		says := step.ReplaceAllStringFunc(strings.TrimPrefix(fields[2], "standard: "), func(s string) string {
			m := step.FindStringSubmatch(s)
			term := standard.Fetch().Term(m[1])
			if term == nil {
				t.Fatalf("%s: there is no #%s", standardGolden, m[1])
			}
			return fmt.Sprintf("[%s, step %s](https://fetch.spec.whatwg.org/#%s)", term.Name, m[2], m[1])
		})
		fmt.Fprintf(b, "| %s | %s | %s |\n", fields[0], strings.TrimPrefix(fields[1], "browsers: "), says)
	}
}

var profiles = []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit}

func profileNames() (names []string) {
	for _, p := range profiles {
		names = append(names, p.String())
	}
	return names
}

func writeQuirks(b *strings.Builder) {
	var all []fetch.Quirk
	for _, p := range profiles {
		for _, q := range p.Quirks() {
			if !slices.ContainsFunc(all, func(other fetch.Quirk) bool { return other.Name == q.Name }) {
				all = append(all, q)
			}
		}
	}
	for _, q := range all {
		var marks []string
		for _, p := range profiles {
			mark := ""
			if slices.Contains(q.Browsers, p) {
				mark = "×"
			}
			marks = append(marks, mark)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", q.Name, strings.Join(marks, " | "), q.Kind, q.Does, q.Scenario)
	}
}
