package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// An auditReport tells of each URL as it comes, and in the end of all.
type auditReport struct {
	w           io.Writer
	style       report.Style
	json, quiet bool
	failOn      audit.Severity
	session     http.Header

	urls, requests, unreachable, skipped, failing int
	found                                         [audit.High + 1]int
	credentials                                   bool // something reads with credentials
	why                                           string
}

// begin tells what will be done, before it is.
func (r *auditReport) begin(urls int, a *audit.Auditor, rate float64) {
	methods := "GET, HEAD and OPTIONS"
	if a.UnsafeMethods {
		methods = "GET, HEAD, OPTIONS and POST"
	}
	fmt.Fprintf(r.w, "%s: at most %s about each, and %g in a second to one host; %s\n", count(urls, "URL"), count(a.Budget(), "request"), rate, methods)
}

func (r *auditReport) add(record *auditRecord) error {
	r.urls++
	r.requests += record.Requests.Sent
	switch {
	case record.Unreachable != "":
		r.unreachable++
		r.why = record.URL + ": " + record.Unreachable
	case record.Skipped != "":
		r.skipped++
	}
	for _, f := range record.Findings {
		severity, err := audit.ParseSeverity(f.Severity)
		if err != nil {
			return err
		}
		r.found[severity]++
		r.credentials = r.credentials || f.Reach == audit.ReadsWithCredentials
		if severity >= r.failOn {
			r.failing++
		}
	}
	if !r.json {
		r.text(record)
		return nil
	}
	e := json.NewEncoder(r.w)
	e.SetEscapeHTML(false)
	return e.Encode(record)
}

// text tells people of one URL.
func (r *auditReport) text(record *auditRecord) {
	var findings []auditFinding
	for _, f := range record.Findings {
		if severity, err := audit.ParseSeverity(f.Severity); err == nil && (!r.quiet || severity >= r.failOn) {
			findings = append(findings, f)
		}
	}
	if r.quiet && len(findings) == 0 && record.Unreachable == "" {
		return
	}
	fmt.Fprintf(r.w, "\n%s\n", r.style.Strong(report.Clean(record.URL)))
	say := func(name, text string) {
		if text != "" {
			fmt.Fprintf(r.w, "          %s %s\n", r.style.Faint(fmt.Sprintf("%-8s", name)), report.Clean(text))
		}
	}
	switch {
	case record.Unreachable != "":
		fmt.Fprintf(r.w, "  %s %s\n", r.style.Warn("no answer"), report.Clean(record.Unreachable))
	case record.Skipped != "":
		fmt.Fprintf(r.w, "  %s %s\n", r.style.Warn("skipped"), report.Clean(record.Skipped))
	case len(findings) == 0:
		fmt.Fprintf(r.w, "  %s nothing that a browser would let a page do\n", r.style.Good("clean"))
	}
	for _, f := range findings {
		style := map[string]func(string) string{"high": r.style.Bad, "medium": r.style.Bad, "low": r.style.Warn, "info": r.style.Faint}[f.Severity]
		fmt.Fprintf(r.w, "  %s %s (%s)\n", style(fmt.Sprintf("%-7s", severityWord(f.Severity))), report.Clean(f.Title), f.Rule)
		say("page", pageOf(f))
		say("asked", f.Method+" "+f.URL)
		say("came", f.Got)
		say("mend", f.Mend)
		if f.CWE != 0 {
			say("weakness", fmt.Sprintf("CWE-%d %s", f.CWE, f.Link))
		}
		say("replay", f.Replay)
	}
	if !r.quiet {
		for _, note := range record.Notes {
			say("note", note)
		}
	}
	if record.Omitted {
		say("note", "the budget is used up, and something was not asked; --max-requests lets more be")
	}
}

// severityWord is loud where it should be.
func severityWord(severity string) string {
	if severity == "high" || severity == "medium" {
		return strings.ToUpper(severity)
	}
	return severity
}

// pageOf says who gets what, and in which browsers.
func pageOf(f auditFinding) string {
	if len(f.Origins) == 0 {
		return ""
	}
	s := f.Origins[0]
	if n := len(f.Origins) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	if f.Reach == "" {
		return s
	}
	s += " " + string(f.Reach)
	if n := len(f.Browsers); n > 0 {
		s += ", in " + strings.Join(f.Browsers, ", ")
	}
	return s
}

// end tells of all.
func (r *auditReport) end() {
	if r.credentials {
		fmt.Fprintf(r.w, "\nWith credentials means: with cookies that are SameSite=None, or of a browser that\nsends others across sites, or with a login by HTTP or a client's certificate.\n")
	}
	var counts []string
	for s := audit.High; ; s-- {
		if n := r.found[s]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
		if s == audit.Info {
			break
		}
	}
	if len(counts) == 0 {
		counts = []string{"no findings"}
	}
	if r.unreachable > 0 {
		counts = append(counts, fmt.Sprintf("%d without an answer", r.unreachable))
	}
	if r.skipped > 0 {
		counts = append(counts, fmt.Sprintf("%d skipped", r.skipped))
	}
	session := "asked without a session, which --header gives"
	if len(r.session) > 0 {
		session = "asked with a session"
	}
	fmt.Fprintf(r.w, "\n%s: %s; %s, %s\n", count(r.urls, "URL"), strings.Join(counts, ", "), count(r.requests, "request"), session)
}

// verdict is what the command exits with.
func (r *auditReport) verdict() error {
	switch {
	case r.failing > 0:
		return &report.Failure{Code: report.Blocked}
	case r.unreachable > 0:
		f := &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("no answer to judge from %d of %s: %s", r.unreachable, count(r.urls, "URL"), r.why)}
		if strings.Contains(r.why, "not public") {
			f = f.WithHint("--private-addresses lets it be asked, where that is meant")
		}
		return f
	}
	return nil
}
