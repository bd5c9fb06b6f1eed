package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// records are what runs tell of: findings of all kinds, none, hostile text, and
// URLs of which nothing can be said.
func records(t *testing.T) []*auditRecord {
	t.Helper()
	all := []*auditRecord{}
	for _, ask := range []struct {
		handler http.HandlerFunc
		path    string
		auditor *audit.Auditor
	}{
		{careless, "/api/?q=é&token=1", &audit.Auditor{}},
		{careless, "/api/", &audit.Auditor{MaxRequests: 9, Header: http.Header{"Cookie": {"a=b"}}}},
		{oneOrigin, "/", &audit.Auditor{}},
		{worse, "/", &audit.Auditor{}},
		{worse, "/away", &audit.Auditor{}},
		{func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Allow-Headers", "]]>\x1b")
		}, "/", &audit.Auditor{}},
		{func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "User-agent: cors-audit\nDisallow: /\n")
		}, "/", &audit.Auditor{}},
	} {
		server := httptest.NewServer(ask.handler)
		t.Cleanup(server.Close)
		ask.auditor.PrivateAddresses = true
		got, err := ask.auditor.Audit(t.Context(), server.URL+ask.path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, newAuditRecord(got, ask.auditor))
	}
	inFile := *all[0]
	inFile.File, inFile.Line = "targets.txt", 3
	return append(all, &inFile)
}

// TestJSONLinesAreValid holds the lines to the schema that is published.
func TestJSONLinesAreValid(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("audit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var found, unreachable, skipped, omitted int
	for _, record := range records(t) {
		var line strings.Builder
		if err := writeRecord(&line, record); err != nil {
			t.Fatal(err)
		}
		if strings.Count(line.String(), "\n") != 1 {
			t.Errorf("this is not one line: %q", line.String())
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v\n%s", err, line.String())
		}
		found += len(record.Findings)
		unreachable += len(record.Unreachable)
		skipped += len(record.Skipped)
		if record.Omitted {
			omitted++
		}
	}
	if found == 0 || unreachable == 0 || skipped == 0 || omitted == 0 {
		t.Errorf("%d findings, %d unreachable, %d skipped, %d omitted: little is tested", found, unreachable, skipped, omitted)
	}
	for _, rule := range audit.Rules() {
		record := &auditRecord{SchemaVersion: auditVersion, URL: "https://a.example", Requests: jsonRequests{150, 1}, Findings: []auditFinding{{
			Rule: rule.ID, Severity: "info", Title: rule.Title, Method: "GET", URL: "https://a.example", Got: "status 200",
			CWE: rule.CWE, Link: rule.Link(), Mend: rule.Mend, Fingerprint: fingerprint(rule.ID, "https://a.example"),
		}}}
		var line strings.Builder
		if err := writeRecord(&line, record); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", rule.ID, err)
		}
	}
}

// TestJUnitIsValid holds the report to what readers of JUnit's XML have in
// common: the elements, their attributes and places, and that the numbers are
// those of the cases.
func TestJUnitIsValid(t *testing.T) {
	for _, failOn := range []audit.Severity{audit.Info, audit.High} {
		var out strings.Builder
		if err := report.JUnit(&out, "cors audit", auditSuites(records(t), failOn)); err != nil {
			t.Fatal(err)
		}
		if err := checkJUnit(out.String()); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
}

func TestTheCheckOfJUnitFindsWhatIsWrong(t *testing.T) {
	const good = `<testsuites name="a" tests="1" failures="1" errors="0"><testsuite name="b" tests="1" failures="1" errors="0" skipped="0"><testcase classname="c" name="d"><failure type="e" message="f">g</failure></testcase></testsuite></testsuites>`
	if err := checkJUnit(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`tests="1" failures="1" errors="0" skipped`, `tests="2" failures="1" errors="0" skipped`},
		{`name="a" tests="1" failures="1"`, `name="a" tests="1" failures="0"`},
		{`skipped="0"`, `skipped="1"`}, {` classname="c"`, ""}, {` message="f"`, ` text="f"`}, {"failure ", "fault "}, {"</testsuites>", ""},
	} {
		if bad := strings.Replace(good, change[0], change[1], 1); checkJUnit(bad) == nil {
			t.Errorf("this is taken for valid: %s", bad)
		}
	}
}

// junit says where each element stands, and its attributes.
var junit = map[string]struct {
	in         string
	attributes []string
}{
	"testsuites": {"", []string{"name", "tests", "failures", "errors"}},
	"testsuite":  {"testsuites", []string{"name", "tests", "failures", "errors", "skipped"}},
	"testcase":   {"testsuite", []string{"classname", "name"}},
	"failure":    {"testcase", []string{"type", "message"}},
	"error":      {"testcase", []string{"type", "message"}},
	"skipped":    {"testcase", []string{"message"}},
}

var counted = map[string]string{"testcase": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}

func checkJUnit(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	path := []string{""}
	said, counts := map[string]map[string]int{}, map[string]map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(path) != 1 || said["testsuites"] == nil {
				return errors.New("it is not whole")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			want, ok := junit[name]
			if in := path[len(path)-1]; !ok || in != want.in {
				return fmt.Errorf("<%s> stands in <%s>", name, in)
			}
			var names []string
			for _, a := range token.Attr {
				names = append(names, a.Name.Local)
			}
			if !slices.Equal(names, want.attributes) {
				return fmt.Errorf("<%s> has the attributes %q, want %q", name, names, want.attributes)
			}
			path = append(path, name)
			if strings.HasPrefix(name, "testsuite") {
				said[name], counts[name] = map[string]int{}, map[string]int{}
				for _, a := range token.Attr[1:] {
					n, err := strconv.Atoi(a.Value)
					if err != nil {
						return fmt.Errorf("<%s>: %s: %w", name, a.Name.Local, err)
					}
					said[name][a.Name.Local] = n
				}
			}
			if attribute := counted[name]; attribute != "" {
				counts["testsuites"][attribute]++
				counts["testsuite"][attribute]++
			}
		case xml.EndElement:
			name := token.Name.Local
			path = path[:len(path)-1]
			for attribute, n := range said[name] {
				if strings.HasPrefix(name, "testsuite") && counts[name][attribute] != n {
					return fmt.Errorf("<%s> says %s %d, and there are %d", name, attribute, n, counts[name][attribute])
				}
			}
		}
	}
}
