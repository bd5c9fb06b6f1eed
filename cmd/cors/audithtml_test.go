package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/audit"
)

// TestTheAuditPageTellsTheWorstFirst looks at the order, and that nothing hostile
// gets into the page, and nothing of elsewhere.
func TestTheAuditPageTellsTheWorstFirst(t *testing.T) {
	of := func(url string, severities ...string) *auditRecord {
		r := &auditRecord{URL: url}
		for _, s := range severities {
			r.Findings = append(r.Findings, auditFinding{Rule: "null", Severity: s, Title: "a title", Got: `<script>alert(1)</script>`, Replay: "curl '\x1b[31m'", Link: "https://cwe.mitre.org/", CWE: 942})
		}
		return r
	}
	silent := of("https://gone.example")
	silent.Unreachable = "<img src=x>"
	told := &auditReport{failOn: audit.High, known: map[string]bool{}, files: []auditFile{{}}, json: true, keepAll: true}
	for _, r := range []*auditRecord{silent, of("https://clean.example"), of("https://low.example", "low", "info"), of("https://high.example/?<b>", "high", "low"), of("https://medium.example", "medium")} {
		if err := told.again(r); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := writeAuditHTML(&out, told); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	var urls []string
	for _, m := range regexp.MustCompile(`<h2 id="at\d">(.*?)</h2>`).FindAllStringSubmatch(page, -1) {
		urls = append(urls, m[1])
	}
	if want := []string{"https://high.example/?&lt;b&gt;", "https://medium.example", "https://low.example", "https://gone.example"}; !slices.Equal(urls, want) {
		t.Errorf("the order is %q, want %q", urls, want)
	}
	for _, not := range []string{"<script", "<img", "<b>h", "\x1b", "src=", "url(", "@import", "<link"} {
		if strings.Contains(strings.ReplaceAll(page, "&lt;img src=x", ""), not) {
			t.Errorf("the page has %q", not)
		}
	}
	if want := `<b>2</b>low`; !strings.Contains(page, want) {
		t.Errorf("the page lacks %q", want)
	}
}
