package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	lookUp      bool
	maxRequests int
	rate        float64
	timeout     time.Duration
	after       func(time.Duration) <-chan time.Time // the clock's

	targets     string
	concurrency int
	retries     int
	shard       string
	resume      string
	merge       bool
	policy      string

	failOn, baseline   string
	json, quiet        bool
	sarif, junit, html string
	proof              string
}

func newAudit() *cobra.Command {
	f := auditFlags{after: time.After}
	cmd := &cobra.Command{
		Use:   "audit URL… | --targets FILE",
		Short: "ask servers what they wrongly allow",
		Long: `Pages that should not be trusted ask for each URL, and browsers judge what they
get. What no browser would let a page have is no finding.`,
		Example: `  cors audit https://api.example.com/users
  cors audit https://api.example.com/me -H "Cookie: $SESSION" --fail-on high`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.audit(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.origins, "origin", nil, "`origin` that the servers trust, as far as is known")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`line` for each request; logins not for preflights")
	flags.StringArrayVar(&f.connect, "connect", nil, "`host=address` where a host is served")
	flags.BoolVar(&f.private, "private-addresses", false, "ask servers whose address is not public")
	flags.BoolVar(&f.unsafe, "unsafe-methods", false, "send a POST without a body, too")
	flags.BoolVar(&f.lookUp, "look-up", false, "look up in the DNS the names that servers allow")
	flags.IntVar(&f.maxRequests, "max-requests", 200, "requests about one URL, at most")
	flags.Float64Var(&f.rate, "rate", 20, "requests to one host in a second")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long one answer may take")
	flags.StringVar(&f.targets, "targets", "", "`file` with a URL a line, or -")
	flags.IntVar(&f.concurrency, "concurrency", 8, "URLs at a time")
	flags.IntVar(&f.retries, "retries", 2, "times to come back to who does not answer")
	flags.StringVar(&f.shard, "shard", "", "ask the hosts of one `part` alone, as 3/16")
	flags.StringVar(&f.resume, "resume", "", "`file` of JSON lines to write, and to go on from")
	flags.BoolVar(&f.merge, "merge", false, "tell of such files, and ask nobody")
	flags.StringVar(&f.policy, "policy", "", "`file` such as cors.yaml to ask, and no server")
	flags.StringVar(&f.failOn, "fail-on", "medium", "`severity` to fail from: info, low, medium, high")
	flags.StringVar(&f.baseline, "baseline", "", "`file` of JSON lines; what is in it is not told")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing of what does not fail")
	flags.BoolVar(&f.json, "json", false, "write JSON, a line for each URL")
	flags.StringVar(&f.sarif, "sarif", "", "`file` to write SARIF 2.1 to, too")
	flags.StringVar(&f.junit, "junit", "", "`file` to write a JUnit report to, too")
	flags.StringVar(&f.html, "html", "", "`file` to write a page to, too")
	flags.StringVar(&f.proof, "proof", "", "`directory` for pages that make each attack")
	return cmd
}

func (f *auditFlags) audit(cmd *cobra.Command, args []string) error {
	auditor, failOn, part, err := f.auditor()
	if err != nil {
		return err
	}
	switch {
	case f.merge:
		return f.retell(cmd, args, failOn)
	case f.policy != "" && len(args)+len(f.targets) > 0:
		return report.Misused("--policy: no server is asked; leave out the others").WithHint("cors verify asks a server whether it keeps a policy")
	case f.policy != "":
		return f.ofPolicy(cmd, failOn)
	}
	if len(args) == 0 && f.targets == "" {
		return report.Misused("URL is missing")
	}
	for _, url := range args {
		if err := auditor.Check(url); err != nil {
			return report.Misused("%s", strings.TrimPrefix(err.Error(), "audit: "))
		}
	}
	source, err := openTargets(args, f.targets, part, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer source.close()
	out := cmd.OutOrStdout()
	told, err := f.report(cmd, failOn)
	if err != nil {
		return err
	}
	defer told.close()
	told.session = len(auditor.Header) > 0
	done, err := openResumed(f.resume, told)
	if err != nil {
		return err
	}
	defer done.close()
	if !f.json {
		begin(out, len(args), f.targets, auditor, f.rate)
	}
	if err := f.run(cmd, auditor, source, done, told); err != nil {
		return err
	}
	return told.finish(cmd.Context().Err() != nil)
}

// run asks about all targets, some at a time. Memory does not grow with them.
func (f *auditFlags) run(cmd *cobra.Command, auditor *audit.Auditor, source *targets, done *resumed, told *auditReport) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	total := source.total(done)
	jobs, results := make(chan target), make(chan *auditRecord)
	var workers sync.WaitGroup
	for range f.concurrency {
		workers.Go(func() {
			for t := range jobs {
				if record := f.one(ctx, auditor, t); record != nil {
					results <- record
				}
			}
		})
	}
	var reading error
	go func() {
		defer close(jobs)
		for t := range source.all(&reading) {
			if done.has(t.url) {
				continue
			}
			select {
			case jobs <- t:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		workers.Wait()
		close(results)
	}()
	progress := report.NewProgress(cmd.ErrOrStderr(), "audit", total)
	var failed error
	for record := range results {
		if failed != nil {
			continue // until the workers are done
		}
		progress.End()
		if failed = errors.Join(done.write(record), told.add(record)); failed != nil {
			stop()
		}
		progress.Step()
	}
	progress.End()
	if failed != nil {
		return report.Misused("writing the report: %w", failed)
	}
	return reading
}

// one asks about one target, and comes back to it where that may help; nil where
// it was interrupted.
func (f *auditFlags) one(ctx context.Context, auditor *audit.Auditor, t target) *auditRecord {
	for try := 0; ; try++ {
		got, err := auditor.Audit(ctx, t.url)
		if err != nil { // a line of a file
			got = &audit.Inspection{URL: t.url, Unreachable: strings.TrimPrefix(err.Error(), "audit: ")}
		}
		if ctx.Err() != nil {
			return nil
		}
		if !got.Temporary || try == f.retries {
			record := newAuditRecord(got, auditor)
			record.File, record.Line = t.file, t.line
			if f.proof != "" {
				if err := writeProofs(f.proof, got, record); err != nil {
					record.Notes = append(record.Notes, "--proof: "+err.Error())
				}
			}
			return record
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.after(time.Second << try):
		}
	}
}

// writeProofs writes a page for each finding that a page can show.
func writeProofs(dir string, i *audit.Inspection, record *auditRecord) error {
	for n, f := range i.Findings {
		page, err := f.ProofPage()
		if err != nil || page == nil {
			continue
		}
		path := filepath.Join(dir, f.Rule.ID+"-"+record.Findings[n].Fingerprint+".html")
		if err := os.WriteFile(path, page, 0o644); err != nil {
			return err
		}
		record.Findings[n].Proof = path
	}
	return nil
}

// ofPolicy asks what a server would allow that keeps a policy.
func (f *auditFlags) ofPolicy(cmd *cobra.Command, failOn audit.Severity) error {
	file, err := readPolicy(f.policy)
	if err != nil {
		return err
	}
	told, err := f.report(cmd, failOn)
	if err != nil {
		return err
	}
	defer told.close()
	told.unasked = true
	inspections, err := audit.AuditPolicies(cmd.Context(), file.Policies())
	if err != nil {
		return report.Misused("%s", strings.TrimPrefix(err.Error(), "audit: "))
	}
	for _, i := range inspections {
		record := newAuditRecord(i, new(audit.Auditor))
		record.File, record.Line = f.policy, 1
		for n := range record.Findings {
			record.Findings[n].Replay = "" // there is nobody to ask
		}
		if err := told.add(record); err != nil {
			return report.Misused("writing the report: %w", err)
		}
	}
	return told.finish(false)
}

// retell tells of what other runs have found.
func (f *auditFlags) retell(cmd *cobra.Command, files []string, failOn audit.Severity) error {
	if len(files) == 0 {
		return report.Misused("--merge: a file is missing")
	}
	told, err := f.report(cmd, failOn)
	if err != nil {
		return err
	}
	defer told.close()
	seen := map[string]bool{}
	for _, path := range files {
		err := readRecords(path, func(record *auditRecord) error {
			if seen[record.URL] {
				return nil
			}
			seen[record.URL] = true
			told.session = told.session || record.Session
			return told.add(record)
		})
		if err != nil {
			return report.Misused("%w", err)
		}
	}
	return told.finish(false)
}

// auditor says how to ask, and which part of the targets.
func (f *auditFlags) auditor() (*audit.Auditor, audit.Severity, shard, error) {
	a := &audit.Auditor{
		Origins: f.origins, PrivateAddresses: f.private, UnsafeMethods: f.unsafe,
		MaxRequests: f.maxRequests, Rate: f.rate, Timeout: f.timeout,
	}
	if f.lookUp {
		a.LookupHost = net.DefaultResolver.LookupHost
	}
	var faults, wrong []error
	a.Header, faults = ownHeaders(f.headers)
	a.Connect, wrong = connections(f.connect)
	faults = append(faults, wrong...)
	for name, value := range map[string]float64{"rate": f.rate, "timeout": float64(f.timeout), "max-requests": float64(f.maxRequests), "concurrency": float64(f.concurrency)} {
		if value <= 0 {
			faults = append(faults, fmt.Errorf("--%s: it must be more than 0", name))
		}
	}
	if f.retries < 0 {
		faults = append(faults, errors.New("--retries: it must not be less than 0"))
	}
	failOn, err := audit.ParseSeverity(f.failOn)
	if err != nil {
		faults = append(faults, fmt.Errorf("--fail-on: %q is no severity; write info, low, medium or high", f.failOn))
	}
	part, err := parseShard(f.shard)
	if err != nil {
		faults = append(faults, err)
	}
	if err := a.Check("https://server.invalid/"); err != nil {
		faults = append(faults, fmt.Errorf("--origin: %s", strings.TrimPrefix(err.Error(), "audit: ")))
	}
	slices.SortStableFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return a, failOn, part, report.Mistakes(faults)
}
