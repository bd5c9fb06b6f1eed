package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/fetch"
)

// auditVersion changes with what programs must know of.
const auditVersion = 1

// An auditRecord is what is told of one URL: a line of JSON, from which all
// other reports are made. Headers are those of CORS alone, so that no secret is
// among them.
type (
	auditRecord struct {
		SchemaVersion int            `json:"schemaVersion"`
		URL           string         `json:"url"`
		File          string         `json:"file,omitempty"` // of targets, where the URL is from one
		Line          int            `json:"line,omitempty"`
		Status        int            `json:"status,omitempty"`
		Requests      jsonRequests   `json:"requests"`
		Omitted       bool           `json:"omitted,omitempty"` // the budget was used up
		Unreachable   string         `json:"unreachable,omitempty"`
		Skipped       string         `json:"skipped,omitempty"`
		Session       bool           `json:"session"` // asked with headers of the user's
		Notes         []string       `json:"notes,omitempty"`
		Findings      []auditFinding `json:"findings"`
	}
	auditFinding struct {
		Rule        string         `json:"rule"`
		Severity    string         `json:"severity"`
		Title       string         `json:"title"`
		Reach       audit.Reach    `json:"reach,omitempty"`
		Browsers    []string       `json:"browsers,omitempty"`
		Origins     []string       `json:"origins,omitempty"`
		Method      string         `json:"method"`
		URL         string         `json:"url"`
		Got         string         `json:"got"`
		CWE         int            `json:"cwe,omitempty"`
		Link        string         `json:"link"`
		Mend        string         `json:"mend"`
		Replay      string         `json:"replay,omitempty"`
		Fingerprint string         `json:"fingerprint"`
		Proof       string         `json:"proof,omitempty"` // path of a page
		Exchanges   []jsonExchange `json:"exchanges,omitempty"`
	}
)

func newAuditRecord(i *audit.Inspection, a *audit.Auditor) *auditRecord {
	r := &auditRecord{
		SchemaVersion: auditVersion, URL: i.URL, Status: i.Status, Requests: jsonRequests{a.Budget(), i.Requests}, Omitted: i.Omitted,
		Unreachable: i.Unreachable, Skipped: i.Skipped, Session: len(a.Header) > 0, Notes: i.Notes, Findings: []auditFinding{},
	}
	for _, f := range i.Findings {
		out := auditFinding{
			Rule: f.Rule.ID, Severity: f.Severity.String(), Title: f.Rule.Title, Reach: f.Reach, Origins: f.Origins,
			Method: f.Request.Method, URL: f.Request.URL, Got: f.Got, CWE: f.Rule.CWE, Link: f.Rule.Link(), Mend: f.Rule.Mend,
			Replay: f.Proof(a.Header), Fingerprint: fingerprint(f.Rule.ID, i.URL),
		}
		if out.Method == "" {
			out.Method = http.MethodGet
		}
		for _, b := range f.Browsers {
			if b != fetch.Standard {
				out.Browsers = append(out.Browsers, b.String())
			}
		}
		for _, e := range f.Exchanges {
			out.Exchanges = append(out.Exchanges, newJSONExchange(e))
		}
		r.Findings = append(r.Findings, out)
	}
	return r
}

// fingerprint is the same for the same finding in another run.
func fingerprint(rule, url string) string {
	sum := sha256.Sum256([]byte(rule + "\n" + withoutQuery(url)))
	return hex.EncodeToString(sum[:12])
}
