package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
)

type auditFlags struct {
	origins     []string
	headers     []string
	connect     []string
	private     bool
	unsafe      bool
	maxRequests int
	rate        float64
	timeout     time.Duration
	failOn      string
	json, quiet bool
}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit URL…",
		Short: "ask servers what they wrongly allow",
		Long: `Pages that should not be trusted ask for each URL, and browsers judge what they
get. What no browser would let a page have is no finding.`,
		Example: `  cors audit https://api.example.com/users
  cors audit https://api.example.com/me -H "Cookie: $SESSION" --fail-on high`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return report.Misused("URL is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.audit(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.origins, "origin", nil, "`origin` that the servers trust, as far as is known")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`line` for each request; logins not for preflights")
	flags.StringArrayVar(&f.connect, "connect", nil, "`host=address` where a host is served")
	flags.BoolVar(&f.private, "private-addresses", false, "ask servers whose address is not public, too")
	flags.BoolVar(&f.unsafe, "unsafe-methods", false, "send a POST without a body, too")
	flags.IntVar(&f.maxRequests, "max-requests", 150, "requests about one URL, at most")
	flags.Float64Var(&f.rate, "rate", 20, "requests to one host in a second, at most")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long one answer may take")
	flags.StringVar(&f.failOn, "fail-on", "medium", "exit with 1 from this `severity`: info, low, medium, high")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing of what is below that")
	flags.BoolVar(&f.json, "json", false, "write JSON, a line for each URL, for programs")
	return cmd
}

func (f *auditFlags) audit(cmd *cobra.Command, urls []string) error {
	auditor, failOn, err := f.auditor()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	told := &auditReport{w: out, style: report.For(out), json: f.json, quiet: f.quiet, failOn: failOn, session: auditor.Header}
	if !f.json {
		told.begin(len(urls), auditor, f.rate)
	}
	progress := report.NewProgress(cmd.ErrOrStderr(), "audit", len(urls))
	defer progress.End()
	for _, url := range urls {
		got, err := auditor.Audit(cmd.Context(), url)
		if err != nil {
			return report.Misused("%s", strings.TrimPrefix(err.Error(), "audit: "))
		}
		progress.End()
		if err := told.add(newAuditRecord(got, auditor)); err != nil {
			return report.Misused("writing the report: %w", err)
		}
		progress.Step()
		if errors.Is(cmd.Context().Err(), context.Canceled) {
			break
		}
	}
	if !f.json {
		told.end()
	}
	return told.verdict()
}

// auditor says how to ask.
func (f *auditFlags) auditor() (*audit.Auditor, audit.Severity, error) {
	a := &audit.Auditor{
		Origins: f.origins, PrivateAddresses: f.private, UnsafeMethods: f.unsafe,
		MaxRequests: f.maxRequests, Rate: f.rate, Timeout: f.timeout,
	}
	var faults, wrong []error
	a.Header, faults = ownHeaders(f.headers)
	a.Connect, wrong = connections(f.connect)
	faults = append(faults, wrong...)
	for name, value := range map[string]float64{"rate": f.rate, "timeout": float64(f.timeout), "max-requests": float64(f.maxRequests)} {
		if value <= 0 {
			faults = append(faults, fmt.Errorf("--%s: it must be more than 0", name))
		}
	}
	failOn, err := audit.ParseSeverity(f.failOn)
	if err != nil {
		faults = append(faults, fmt.Errorf("--fail-on: %q is no severity; write info, low, medium or high", f.failOn))
	}
	slices.SortStableFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return a, failOn, misuse(faults)
}
