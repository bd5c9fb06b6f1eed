package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/term"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

type verifyFlags struct {
	browser     string
	headers     []string
	paths       []string
	connect     []string
	unsafe, yes bool
	maxRequests int
	rate        float64
	concurrency int
	timeout     time.Duration
	json, quiet bool
	junit       string
}

func newVerify() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify POLICY URL",
		Short: "ask a running server whether it keeps a policy",
		Long: `From a cors.yaml follow the requests that must work and those that must not.
They are sent to the server at URL as a browser sends them.`,
		Example: `  cors verify cors.yaml https://staging.example.com
  cors verify cors.yaml https://staging.example.com --junit cors.xml \
              --path /api/=/api/health --header "X-Staging-Key: $KEY"`,
		Args: cli.Arguments("POLICY", "URL"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.verify(cmd, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.paths, "path", nil, "`route=path` to ask about a route at; repeat it, so below")
	flags.StringArrayVar(&f.connect, "connect", nil, "`host=address` where routes for a host are served")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`line` for each request; logins not for preflights")
	flags.StringVar(&f.browser, "browser", "standard", "ask as: standard, chromium, firefox or webkit")
	flags.BoolVar(&f.unsafe, "unsafe-methods", false, "send POST, PUT and so on too, not their preflights alone")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before that")
	flags.IntVar(&f.maxRequests, "max-requests", 2000, "leave out what takes more, near misses first")
	flags.Float64Var(&f.rate, "rate", 20, "requests in a second, at most")
	flags.IntVar(&f.concurrency, "concurrency", 4, "questions at a time")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long one answer may take")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing of what is kept")
	flags.BoolVar(&f.json, "json", false, "write JSON, for programs")
	flags.StringVar(&f.junit, "junit", "", "`file` to write a JUnit report to, too")
	return cmd
}

func (f *verifyFlags) verify(cmd *cobra.Command, policy, url string) error {
	file, err := readPolicy(policy)
	if err != nil {
		return err
	}
	target, err := f.target(file, url)
	if err != nil {
		return err
	}
	plan, err := audit.NewPlan(file.Policies(), target)
	if err != nil {
		return report.Misused("%s", strings.NewReplacer("audit: ", "", "MaxRequests", "--max-requests").Replace(err.Error()))
	}
	if plan.Unsafe > 0 && !f.yes {
		if err := consent(cmd.InOrStdin(), cmd.ErrOrStderr(), plan, url); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	v := verification{policy: policy, server: url, target: target, browser: f.browser, plan: plan, style: report.For(out), quiet: f.quiet}
	if !f.json {
		v.begin(out)
	}
	// The file is made before anything is asked, so that nothing is asked in vain.
	var junit *os.File
	if f.junit != "" {
		if junit, err = os.Create(f.junit); err != nil {
			return report.Misused("--junit: %w", err)
		}
		defer junit.Close()
	}
	progress := report.NewProgress(cmd.ErrOrStderr(), "verify", plan.Len())
	v.report = plan.Verify(cmd.Context(), func(audit.Result) { progress.Step() })
	progress.End()
	if f.json {
		err = report.JSON(out, v.json())
	} else {
		v.text(out)
	}
	if junit != nil {
		err = errors.Join(err, report.JUnit(junit, "cors verify", v.suites()), junit.Close())
	}
	if err != nil {
		return report.Misused("writing the report: %w", err)
	}
	return v.verdict()
}

// readPolicy reads a cors.yaml.
func readPolicy(path string) (*policyfile.File, error) {
	file, err := policyfile.Load(path)
	var missing *os.PathError
	switch {
	case errors.As(err, &missing):
		return nil, report.Misused("%q: %w", path, missing.Err).WithHint("write a policy, as docs/cors-yaml.md says, and give its path")
	case err != nil:
		return nil, report.Mistakes([]error{err})
	}
	return file, nil
}

// target says whom to ask, and how.
func (f *verifyFlags) target(file *policyfile.File, url string) (audit.Target, error) {
	t := audit.Target{
		URL: url, UnsafeMethods: f.unsafe, MaxRequests: f.maxRequests, Concurrency: f.concurrency, Rate: f.rate, Timeout: f.timeout,
		Paths: map[string][]string{}, Skip: map[string]string{},
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	var err error
	if t.Profile, err = parseProfile(f.browser); err != nil {
		faults = append(faults, err)
	}
	var wrong []error
	t.Header, wrong = ownHeaders(f.headers)
	faults = append(faults, wrong...)
	for _, pair := range f.paths {
		route, path, ok := strings.Cut(pair, "=")
		if !ok {
			fault(`--path: %q is not a route and a path; write "/api/=/api/health"`, pair)
			continue
		}
		t.Paths[route] = append(t.Paths[route], path)
	}
	t.Connect, wrong = connections(f.connect)
	faults = append(faults, wrong...)
	for name, value := range map[string]float64{"rate": f.rate, "concurrency": float64(f.concurrency), "timeout": float64(f.timeout), "max-requests": float64(f.maxRequests)} {
		if value <= 0 {
			fault("--%s: it must be more than 0", name)
		}
	}
	for _, r := range file.Routes {
		if r.Shadow {
			t.Skip[r.Pattern] = "it is in shadow: nothing is enforced"
		}
	}
	slices.SortStableFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return t, report.Mistakes(faults)
}

// ownHeaders are the headers of --header, each "Name: value".
func ownHeaders(flags []string) (h http.Header, faults []error) {
	h = http.Header{}
	for _, line := range flags {
		name, value, ok := strings.Cut(line, ":")
		value = header.Normalize(value)
		key := http.CanonicalHeaderKey(name)
		switch {
		case !ok || !header.IsToken(name) || !httpguts.ValidHeaderFieldValue(value):
			faults = append(faults, fmt.Errorf(`--header: %s is no header; write it as "Name: value"`, quoteName(line)))
		case key == header.Origin || header.IsAccessControl(key) || key != "Cookie" && key != "User-Agent" && header.IsForbiddenRequest(key, value):
			faults = append(faults, fmt.Errorf("--header: %q is the browser's own to say; remove it", key))
		default:
			h.Add(key, value)
		}
	}
	return h, faults
}

// connections are the pairs of --connect, each "host=address".
func connections(flags []string) (to map[string]string, faults []error) {
	to = map[string]string{}
	for _, pair := range flags {
		host, address, ok := strings.Cut(pair, "=")
		if !ok || host == "" || address == "" {
			faults = append(faults, fmt.Errorf(`--connect: %q is not a host and an address; write "api.example.com=10.0.0.7:443"`, pair))
			continue
		}
		to[host] = address
	}
	return to, faults
}

// quoteName quotes what may be a name without the value, which may be secret.
func quoteName(line string) string {
	name, _, ok := strings.Cut(line, ":")
	if !ok {
		return "what it says"
	}
	return fmt.Sprintf("%.40q", name+": …")
}

// consent asks whoever is at the terminal.
func consent(in io.Reader, errs io.Writer, plan *audit.Plan, url string) error {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return report.Misused("--unsafe-methods: %d requests may change what is at %s", plan.Unsafe, url).WithHint("add --yes if they may")
	}
	fmt.Fprintf(errs, "%d requests with methods such as POST and DELETE will be sent to %s, and may change what is there. Send them? [y/N] ", plan.Unsafe, report.Clean(url))
	answer, err := bufio.NewReader(f).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		return report.Misused("nothing was sent").WithHint("leave out --unsafe-methods to ask by preflights alone")
	}
	return nil
}
