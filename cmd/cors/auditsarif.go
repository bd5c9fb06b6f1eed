package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// What of the Static Analysis Results Interchange Format is written.
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Version        string      `json:"version"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string         `json:"id"`
		Short      sarifText      `json:"shortDescription"`
		Help       sarifText      `json:"help"`
		HelpURI    string         `json:"helpUri"`
		Properties map[string]any `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Request      *sarifRequest     `json:"webRequest,omitempty"`
		Response     *sarifResponse    `json:"webResponse,omitempty"`
		Properties   map[string]any    `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifRequest struct {
		Protocol string            `json:"protocol"`
		Method   string            `json:"method"`
		Target   string            `json:"target"`
		Headers  map[string]string `json:"headers"`
	}
	sarifResponse struct {
		Status  int               `json:"statusCode"`
		Headers map[string]string `json:"headers"`
	}
)

// sarifScores are the severities as code-scanning tools sort by them: from 0 to 10.
var sarifScores = map[string]string{"high": "8.1", "medium": "5.4", "low": "3.1", "info": "0.0"}

var sarifLevels = map[string]string{"high": "error", "medium": "warning", "low": "note", "info": "note"}

// writeSARIF writes what was found. A finding is where its URL stands in a file
// of targets, or else at the URL.
func writeSARIF(w io.Writer, records []*auditRecord) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "cors audit", InformationURI: "https://github.com/crossorigin/cors", Version: cli.Version(), Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: true}},
		Results:     []sarifResult{},
	}
	// Of each rule that was broken, its worst: tools know one score for a rule.
	index, worst := map[string]int{}, map[string]string{}
	for _, record := range records {
		for _, f := range record.Findings {
			if sarifScores[f.Severity] > sarifScores[worst[f.Rule]] {
				worst[f.Rule] = f.Severity
			}
		}
	}
	for _, rule := range audit.Rules() {
		severity, ok := worst[rule.ID]
		if !ok {
			continue
		}
		tags := []string{"security", "cors"}
		if rule.CWE != 0 {
			tags = append(tags, fmt.Sprintf("external/cwe/cwe-%d", rule.CWE))
		}
		index[rule.ID] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, Short: sarifText{rule.Title}, Help: sarifText{rule.Mend}, HelpURI: rule.Link(),
			Properties: map[string]any{"tags": tags, "security-severity": sarifScores[severity]},
		})
	}
	for _, record := range records {
		if record.Unreachable != "" {
			run.Invocations[0].Notifications = append(run.Invocations[0].Notifications,
				sarifNotification{"warning", sarifText{report.Clean(record.URL + ": " + record.Unreachable)}})
		}
		for _, f := range record.Findings {
			run.Results = append(run.Results, newSARIFResult(record, f, index[f.Rule]))
		}
	}
	return report.JSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func newSARIFResult(record *auditRecord, f auditFinding, rule int) sarifResult {
	text := f.Title + ": " + record.URL
	if page := pageOf(f); page != "" {
		text += ". Page: " + page
	}
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: rule, Level: sarifLevels[f.Severity],
		Message:      sarifText{report.Clean(text + ". Came: " + f.Got + ". Mend: " + f.Mend)},
		Locations:    []sarifLocation{{sarifPhysical{Artifact: sarifArtifact{withoutQuery(record.URL)}}}},
		Fingerprints: map[string]string{"corsAudit/v1": f.Fingerprint},
		Properties:   map[string]any{"severity": f.Severity, "reach": f.Reach, "origins": f.Origins, "browsers": f.Browsers, "replay": f.Replay},
	}
	if record.File != "" {
		r.Locations[0].Physical = sarifPhysical{sarifArtifact{record.File}, &sarifRegion{record.Line}}
	}
	if n := len(f.Exchanges); n > 0 {
		e := f.Exchanges[n-1]
		r.Request = &sarifRequest{"HTTP", e.Method, e.URL, headerMap(e.Request)}
		if e.Status != 0 {
			r.Response = &sarifResponse{e.Status, headerMap(e.Response)}
		}
	}
	return r
}

func headerMap(list []jsonHeader) map[string]string {
	m := map[string]string{}
	for _, h := range list {
		m[h.Name] = strings.TrimPrefix(m[h.Name]+", "+report.Clean(h.Value), ", ")
	}
	return m
}

// auditSuites tells systems of continuous integration: a URL is a suite, and a
// rule a case.
func auditSuites(records []*auditRecord, failOn audit.Severity) []report.Suite {
	var all []report.Suite
	for _, record := range records {
		suite := report.Suite{Name: record.URL}
		switch {
		case record.Unreachable != "":
			suite.Cases = []report.Case{{Name: "it answers", Error: &report.Fault{Kind: "unreachable", Message: record.Unreachable, Text: record.Unreachable}}}
		case record.Skipped != "":
			suite.Cases = []report.Case{{Name: "it may be asked", Skipped: record.Skipped}}
		}
		found := map[string]auditFinding{}
		for _, f := range record.Findings {
			found[f.Rule] = f
		}
		for _, rule := range audit.Rules() {
			f, ok := found[rule.ID]
			if !ok && suite.Cases != nil && (record.Unreachable != "" || record.Skipped != "") {
				continue // nothing is known of it
			}
			c := report.Case{Name: rule.ID}
			if ok {
				text := f.Title + "\npage     " + pageOf(f) + "\ncame     " + f.Got + "\nmend     " + f.Mend + "\nreplay   " + f.Replay + "\n"
				if severity, err := audit.ParseSeverity(f.Severity); err == nil && severity >= failOn {
					c.Failure = &report.Fault{Kind: rule.ID, Message: f.Severity + ": " + f.Title, Text: text}
				} else {
					c.Skipped = f.Severity + ": " + f.Title + ": " + pageOf(f)
				}
			}
			suite.Cases = append(suite.Cases, c)
		}
		all = append(all, suite)
	}
	return all
}
