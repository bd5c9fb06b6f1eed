package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// An auditReport tells of each URL as it comes, and in the end of all.
type auditReport struct {
	w           io.Writer
	style       report.Style
	json, quiet bool
	session     bool
	unasked     bool // no server was
	failOn      audit.Severity
	known       map[string]bool // fingerprints of the baseline
	files       []auditFile
	kept        []*auditRecord // for the files
	keepAll     bool           // also where nothing is found

	urls, requests, unreachable, skipped, failing, old int
	found                                              [audit.High + 1]int
	credentials                                        bool // something reads with credentials
	why                                                string
}

// An auditFile is written in the end. It is made before anything is asked, so
// that nothing is asked in vain.
type auditFile struct {
	*os.File
	write func(io.Writer) error
}

// report makes the report that the flags ask for.
func (f *auditFlags) report(cmd *cobra.Command, failOn audit.Severity) (*auditReport, error) {
	out := cmd.OutOrStdout()
	r := &auditReport{w: out, style: report.For(out), json: f.json, quiet: f.quiet, failOn: failOn, keepAll: f.junit != "", known: map[string]bool{}}
	if f.baseline != "" {
		err := readRecords(f.baseline, func(record *auditRecord) error {
			for _, finding := range record.Findings {
				r.known[finding.Fingerprint] = true
			}
			return nil
		})
		if err != nil {
			return nil, report.Misused("--baseline: %w", err)
		}
	}
	if f.proof != "" {
		if err := os.MkdirAll(f.proof, 0o755); err != nil {
			return nil, report.Misused("--proof: %w", err)
		}
	}
	for _, file := range []struct {
		flag, path string
		write      func(io.Writer) error
	}{
		{"sarif", f.sarif, func(w io.Writer) error { return writeSARIF(w, r.kept) }},
		{"junit", f.junit, func(w io.Writer) error { return report.JUnit(w, "cors audit", auditSuites(r.kept, failOn)) }},
		{"html", f.html, func(w io.Writer) error { return writeAuditHTML(w, r) }},
	} {
		if file.path == "" {
			continue
		}
		made, err := os.Create(file.path)
		if err != nil {
			r.close()
			return nil, report.Misused("--%s: %w", file.flag, err)
		}
		r.files = append(r.files, auditFile{made, file.write})
	}
	return r, nil
}

func (r *auditReport) close() {
	for _, f := range r.files {
		f.Close()
	}
}

// begin tells what will be done, before it is.
func begin(w io.Writer, urls int, file string, a *audit.Auditor, rate float64) {
	methods := "GET, HEAD and OPTIONS"
	if a.UnsafeMethods {
		methods = "GET, HEAD, OPTIONS and POST"
	}
	what := count(urls, "URL")
	switch {
	case file != "" && urls > 0:
		what += " and those in " + report.Clean(file)
	case file != "":
		what = "the URLs in " + report.Clean(file)
	}
	fmt.Fprintf(w, "%s: at most %s about each, and %g in a second to one host; %s\n", what, count(a.Budget(), "request"), rate, methods)
}

// add tells of a URL.
func (r *auditReport) add(record *auditRecord) error {
	record, err := r.count(record)
	switch {
	case err != nil:
		return err
	case r.json:
		return writeRecord(r.w, record)
	}
	r.text(record)
	return nil
}

// again counts a URL of which another run has told.
func (r *auditReport) again(record *auditRecord) error {
	_, err := r.count(record)
	return err
}

// count counts what is new, and keeps it for the files.
func (r *auditReport) count(record *auditRecord) (*auditRecord, error) {
	fresh := *record
	fresh.Findings = []auditFinding{}
	for _, f := range record.Findings {
		if r.known[f.Fingerprint] {
			r.old++
			continue
		}
		severity, err := audit.ParseSeverity(f.Severity)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", record.URL, err)
		}
		fresh.Findings = append(fresh.Findings, f)
		r.found[severity]++
		r.credentials = r.credentials || f.Reach == audit.ReadsWithCredentials
		if severity >= r.failOn {
			r.failing++
		}
	}
	r.urls++
	r.requests += record.Requests.Sent
	switch {
	case record.Unreachable != "":
		r.unreachable++
		r.why = record.URL + ": " + record.Unreachable
	case record.Skipped != "":
		r.skipped++
	}
	if len(r.files) > 0 && (r.keepAll || len(fresh.Findings) > 0 || record.Unreachable != "") {
		r.kept = append(r.kept, &fresh)
	}
	return &fresh, nil
}

// finish writes the files, tells of all, and says what to exit with.
func (r *auditReport) finish(interrupted bool) error {
	if !r.json {
		r.end()
	}
	for _, f := range r.files {
		if err := errors.Join(f.write(f.File), f.Close()); err != nil {
			return report.Misused("writing the report: %w", err)
		}
	}
	if interrupted {
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("interrupted after %s", count(r.urls, "URL"))}
	}
	return r.verdict()
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
		say("proof", f.Proof)
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
	if r.old > 0 {
		counts = append(counts, fmt.Sprintf("%d known by the baseline", r.old))
	}
	session := "asked without a session, which --header gives"
	if r.session {
		session = "asked with a session"
	}
	if r.unasked {
		fmt.Fprintf(r.w, "\n%s: %s\n", count(r.urls, "route"), strings.Join(counts, ", "))
		return
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
