package report_test

import (
	"encoding/xml"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/report"
)

func TestJUnitCountsAndEscapes(t *testing.T) {
	suites := []report.Suite{
		{Name: "/api/", Cases: []report.Case{
			{Name: "one"},
			{Name: "two", Failure: &report.Fault{Kind: "vary", Message: "<&\">\x1b[31m\xff", Text: "a\nb ]]>"}},
			{Name: "three", Error: &report.Fault{Kind: "unreachable", Message: "refused"}},
		}},
		{Name: "/", Cases: []report.Case{{Name: "four", Skipped: "why"}}},
	}
	var got strings.Builder
	if err := report.JUnit(&got, "cors verify", suites); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="cors verify" tests="4" failures="1" errors="1">
  <testsuite name="/api/" tests="3" failures="1" errors="1" skipped="0">
    <testcase classname="cors verify /api/" name="one"></testcase>
    <testcase classname="cors verify /api/" name="two">
      <failure type="vary" message="&lt;&amp;&#34;&gt;\x1b[31m\xff"><![CDATA[a
b ]]]]><![CDATA[>]]></failure>
    </testcase>
    <testcase classname="cors verify /api/" name="three">
      <error type="unreachable" message="refused"></error>
    </testcase>
  </testsuite>
  <testsuite name="/" tests="1" failures="0" errors="0" skipped="1">
    <testcase classname="cors verify /" name="four">
      <skipped message="why"></skipped>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := xml.Unmarshal([]byte(got.String()), new(struct{ XMLName xml.Name })); err != nil {
		t.Errorf("this is not XML: %v", err)
	}
	t.Run("by the schema of the Jenkins plugin for xUnit", func(t *testing.T) {
		if _, err := exec.LookPath("xmllint"); err != nil {
			t.Skip(err)
		}
		lint := exec.Command("xmllint", "--nonet", "--noout", "--schema", "testdata/junit-10.xsd", "-")
		lint.Stdin = strings.NewReader(got.String())
		if out, err := lint.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}
