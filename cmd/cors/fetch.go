package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/stdio"
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type fetchFlags struct {
	questionFlags
	browser     string
	maxBody     int64
	timeout     time.Duration
	output      string
	include     bool
	verbose     bool
	showSecrets bool
	json        bool
	stdio       bool
}

func newFetch() *cobra.Command {
	var f fetchFlags
	cmd := &cobra.Command{
		Use:   "fetch URL",
		Short: "fetch as a page in a browser does",
		Long: `What the page may read goes to standard output. A fetch that a browser blocks
is exit status 1, with the cause on standard error.`,
		Example: `  cors fetch https://api.example.com/users --origin https://app.example.com
  cors fetch https://api.example.com/users --origin https://app.example.com \
             -X PUT -H 'Content-Type: application/json' -d @user.json -v`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.stdio {
				return cli.Arguments()(cmd, args)
			}
			return cli.Arguments("URL")(cmd, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			log.SetOutput(io.Discard) // net/http's, of what a server sends unasked
			if f.stdio {
				return f.serve(cmd)
			}
			return f.fetch(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.add(flags)
	flags.StringVar(&f.browser, "browser", "standard", "`name`: standard, chromium, firefox or webkit")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show the exchange on standard error, without secrets")
	flags.BoolVar(&f.showSecrets, "show-secrets", false, "show cookies, passwords and tokens too")
	flags.BoolVarP(&f.include, "include", "i", false, "write status and headers, as the page sees them, too")
	flags.BoolVar(&f.json, "json", false, "write JSON, for programs")
	flags.StringVarP(&f.output, "output", "o", "", "`file` to write to")
	flags.Int64Var(&f.maxBody, "max-body", 256<<20, "`bytes` that the body may have, once decoded")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "give up after this `time`")
	flags.BoolVar(&f.stdio, "stdio", false, "fetch for a program: JSON on standard input and output")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("browser", cobra.FixedCompletions(profileNames(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// newBrowser is the browser that the flags ask for.
func (f *fetchFlags) newBrowser() (*fetch.Browser, error) {
	profile, err := parseProfile(f.browser)
	if err != nil {
		return nil, err
	}
	if f.maxBody <= 0 {
		return nil, report.Misused("--max-body: %d: give how many bytes are the most", f.maxBody)
	}
	b := newBrowser(profile)
	b.Limits.BodyBytes = f.maxBody
	return b, nil
}

// grace is how long a fetch may stay open when the input has ended.
const grace = 30 * time.Second

// serve is --stdio.
func (f *fetchFlags) serve(cmd *cobra.Command) error {
	var other *pflag.Flag
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if flag.Name != "stdio" && flag.Name != "browser" && flag.Name != "max-body" {
			other = flag
		}
	})
	if other != nil {
		return report.Misused("--%s has no meaning with --stdio", other.Name).WithHint("say it in each request; docs/stdio.md tells how")
	}
	if _, err := f.newBrowser(); err != nil {
		return err
	}
	open := func() *fetch.Browser {
		b, _ := f.newBrowser() // which went well before
		return b
	}
	if err := stdio.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), open, grace); err != nil {
		return &report.Failure{Code: report.Unreachable, Err: err}
	}
	return nil
}

// fetch fetches, and hands over what the page may read.
func (f *fetchFlags) fetch(cmd *cobra.Command, url string) error {
	q, err := f.question(url, cmd.InOrStdin(), cmd.Flags().Changed("data"))
	if err != nil {
		return err
	}
	q.ShowSecrets = f.showSecrets
	browser, err := f.newBrowser()
	if err != nil {
		return err
	}
	page, err := q.Open(browser)
	if err != nil {
		return cannotAsk(err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	result, err := f.perform(ctx, page, q.Request)
	if err != nil {
		return cannotAsk(err)
	}
	d := explain.Diagnose(q, result)
	if f.verbose {
		v := verbose{report.For(cmd.ErrOrStderr()), cmd.ErrOrStderr()}
		v.diagnosis(d, result.Events)
	}
	if result.Response == nil && !f.json {
		return f.verdict(d)
	}
	out, err := f.open(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	if err := errors.Join(f.write(out, d, result.Response), out.Close()); err != nil {
		return f.broken(ctx, err)
	}
	return f.verdict(d)
}

// perform does the fetch; what it is told on the way is part of the result.
func (f *fetchFlags) perform(ctx context.Context, page *fetch.Page, req *fetch.Request) (explain.Result, error) {
	var result explain.Result
	var mu sync.Mutex // what goes on behind a stale response is told too
	in := *req
	in.Trace = func(e fetch.Event) {
		mu.Lock()
		defer mu.Unlock()
		result.Events = append(result.Events, e)
	}
	response, err := page.Fetch(ctx, &in)
	mu.Lock()
	defer mu.Unlock()
	if result.Response = response; errors.As(err, &result.Blocked) {
		return result, nil
	}
	return result, err
}

// open opens what the response is written to.
func (f *fetchFlags) open(stdout io.Writer) (io.WriteCloser, error) {
	if f.output == "" {
		return nopCloser{report.Plain(stdout)}, nil
	}
	file, err := os.Create(f.output)
	if err != nil {
		return nil, report.Misused("--output: %w", err)
	}
	return file, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// write writes what the page may read of res; res is nil where that is nothing,
// and d alone is asked for.
func (f *fetchFlags) write(out io.Writer, d *explain.Diagnosis, res *fetch.Response) error {
	if f.json {
		r := stdio.ReadResponse(res)
		err := report.JSON(out, fetched{explain.SchemaVersion, r, d.Record(explain.English)})
		if err == nil && r != nil && r.BodyError {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	defer res.Body.Close()
	if f.include {
		w := bufio.NewWriter(out)
		fmt.Fprintf(w, "HTTP %d %s\r\n", res.Status, res.StatusText)
		for _, field := range res.Header {
			fmt.Fprintf(w, "%s: %s\r\n", field.Name, field.Value)
		}
		fmt.Fprint(w, "\r\n")
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := io.Copy(out, res.Body)
	return err
}

// fetched is what --json writes.
type fetched struct {
	SchemaVersion int             `json:"schemaVersion"`
	Response      *stdio.Response `json:"response"` // null where it is blocked
	Diagnosis     explain.Record  `json:"diagnosis"`
}

// broken says why the body did not come to its end.
func (f *fetchFlags) broken(ctx context.Context, err error) error {
	failure := &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("the body breaks off: %w", err)}
	switch {
	case errors.Is(err, fetch.ErrBodyTooLarge):
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("the body has more than %d bytes", f.maxBody), Hint: "raise --max-body"}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		failure.Hint = "raise --timeout"
	}
	return failure
}

// verdict is what the command exits with.
func (f *fetchFlags) verdict(d *explain.Diagnosis) error {
	failure := &report.Failure{Hint: d.Mend(explain.English)}
	switch d.Verdict {
	case explain.Blocked:
		failure.Code = report.Blocked
	case explain.Unreachable:
		failure.Code = report.Unreachable
	default:
		return nil
	}
	failure.Err = errors.New(strings.TrimSuffix(d.Sentence(explain.English), "."))
	return failure
}

// verbose shows an exchange, as curl -v does.
type verbose struct {
	style report.Style
	w     io.Writer
}

func (v verbose) diagnosis(d *explain.Diagnosis, events []fetch.Event) {
	v.note("%s asks %s", d.Page, d.URL)
	for _, reason := range d.Reasons {
		v.note("preflight: %s", reason.Text(explain.English))
	}
	for i, e := range d.Exchanges {
		if e.FromCache {
			v.note("from the cache")
		}
		v.line(">", v.style.Strong, "%s %s", e.Method, e.URL)
		for _, field := range e.RequestHeader {
			v.line(">", v.style.Faint, "%s: %s", field.Name, field.Value)
		}
		v.line(">", v.style.Faint, "")
		if e.Status == 0 && e.ResponseHeader == nil {
			v.note("no response")
			continue
		}
		v.line("<", v.style.Strong, "%d", e.Status)
		for _, field := range e.ResponseHeader {
			paint := v.style.Faint
			if i == d.At && d.Verdict == explain.Blocked && strings.EqualFold(field.Name, d.Header.Name) {
				paint = v.style.Bad
			}
			v.line("<", paint, "%s: %s", field.Name, field.Value)
		}
		v.line("<", v.style.Faint, "")
	}
	var hidden []string
	for _, e := range events {
		if e.Kind == fetch.EventHeaderHidden && !slices.Contains(hidden, e.Name) {
			hidden = append(hidden, e.Name)
		}
	}
	if len(hidden) > 0 {
		v.note("hidden from the page: %s", strings.Join(hidden, ", "))
	}
}

func (v verbose) note(format string, args ...any) { v.line("*", v.style.Good, format, args...) }

func (v verbose) line(mark string, paint func(string) string, format string, args ...any) {
	text := strings.ReplaceAll(report.Clean(fmt.Sprintf(format, args...)), "\n", " ")
	fmt.Fprintln(v.w, strings.TrimRight(mark+" "+paint(text), " "))
}

func parseProfile(name string) (fetch.Profile, error) {
	profile, ok := profiles[name]
	if !ok {
		return 0, report.Misused("--browser: %q: there are %s", name, strings.Join(profileNames(), ", "))
	}
	return profile, nil
}

func profileNames() []string { return slices.Sorted(maps.Keys(profiles)) }
