package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/curl"
	"github.com/crossorigin/cors/cmd/internal/har"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/spf13/cobra"
)

type explainFlags struct {
	questionFlags
	curl, console bool
	har           string

	browser     string
	lang        string
	server      string
	json        bool
	svg         string
	showSecrets bool
	timeout     time.Duration
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain URL",
		Short: "say why a fetch is blocked, and how to mend it",
		Example: `  cors explain https://api.example.com/users --origin https://app.example.com
  cors explain --from-curl < copied-as-curl.txt
  cors explain --console < red-line.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.curl:
				return nil // curl's own words may follow
			case f.console || f.har != "":
				return cli.Arguments()(cmd, args)
			}
			return cli.Arguments("URL")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.add(flags)
	flags.BoolVar(&f.curl, "from-curl", false, "read a curl command from standard input, or behind --")
	flags.StringVar(&f.har, "har", "", "explain what is blocked in a recorded session, a HAR `file`")
	flags.BoolVar(&f.console, "console", false, "read a console's error from standard input, ask nobody")
	flags.StringVar(&f.browser, "browser", "all", "`name`: all, standard, chromium, firefox or webkit")
	flags.StringVar(&f.server, "server", "", "`name` of the server to mend, such as nginx")
	flags.StringVar(&f.lang, "lang", "", "`language`: en or ja; else the locale's")
	flags.BoolVar(&f.json, "json", false, "write JSON")
	flags.StringVar(&f.svg, "svg", "", "write the drawing to a `file`, too")
	flags.BoolVar(&f.showSecrets, "show-secrets", false, "show cookies, passwords and tokens")
	flags.DurationVar(&f.timeout, "timeout", 20*time.Second, "give up after this `time`")
	for name, values := range explainCompletions() {
		cobra.CheckErr(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
	}
	return cmd
}

// explainCompletions are the values that a shell can complete.
func explainCompletions() map[string][]string {
	var servers []string
	for _, s := range explain.Servers() {
		servers = append(servers, string(s)+"\t"+s.Name())
	}
	return map[string][]string{
		"browser": append([]string{"all"}, profileNames()...),
		"server":  servers,
		"lang":    {"en\tEnglish", "ja\t日本語"},
		"origin":  nil, "request": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, "header": nil, "cookie": nil,
		"credentials": {"omit", "same-origin", "include"},
		"mode":        {"cors", "no-cors", "same-origin"},
		"redirect":    {"follow", "error", "manual"},
	}
}

func (f *explainFlags) run(cmd *cobra.Command, args []string) error {
	teller, err := f.teller(cmd)
	if err != nil {
		return err
	}
	switch {
	case f.console && f.har != "", f.console && f.curl, f.curl && f.har != "":
		return report.Misused("--from-curl, --har and --console are three ways to ask; give one")
	case f.svg != "" && (f.console || f.har != ""):
		return report.Misused("--svg: there is one drawing for one fetch; give its URL")
	case f.console:
		return f.readConsole(cmd, teller)
	case f.har != "":
		return f.readSession(cmd, teller)
	}
	q, err := f.ask(cmd, args)
	if err != nil {
		return err
	}
	q.ShowSecrets = f.showSecrets
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	d, err := f.fetch(ctx, q)
	if err != nil {
		return cannotAsk(err)
	}
	if f.svg != "" {
		if err := os.WriteFile(f.svg, d.SVG(teller.language), 0o666); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if err := teller.one(d); err != nil {
		return err
	}
	return failure(d)
}

// ask is the question on the command line, or in a curl command.
func (f *explainFlags) ask(cmd *cobra.Command, args []string) (explain.Question, error) {
	if !f.curl {
		return f.question(args[0], cmd.InOrStdin(), cmd.Flags().Changed("data"))
	}
	var asked *curl.Asked
	var err error
	if len(args) > 0 {
		asked, err = curl.ParseArgs(args)
	} else {
		var text []byte
		if text, err = readPasted(cmd.InOrStdin()); err == nil {
			asked, err = curl.Parse(string(text))
		}
	}
	if err != nil {
		return explain.Question{}, report.Misused("--from-curl: %w", err)
	}
	q := explain.Question{Request: asked.Request, Cookies: append(asked.Cookies, f.cookies...)}
	page := asked.Page
	if f.origin != "" {
		page = f.origin
	}
	return q, setPage(&q, page)
}

// readPasted reads what was pasted; more than a few pages are a mistake.
func readPasted(r io.Reader) ([]byte, error) {
	const most = 4 << 20
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading standard input: %w", err)
	case len(text) > most:
		return nil, fmt.Errorf("standard input has more than %d MiB; give what was copied alone", most>>20)
	case len(strings.TrimSpace(string(text))) == 0:
		return nil, errors.New("standard input is empty; paste what was copied, and end it with Ctrl-D")
	}
	return text, nil
}

// fetch performs the fetch as the browsers that are asked for.
func (f *explainFlags) fetch(ctx context.Context, q explain.Question) (*explain.Diagnosis, error) {
	if f.browser == "all" {
		return explain.AskAll(ctx, newBrowser(fetch.Standard), q)
	}
	return explain.Ask(ctx, newBrowser(profiles[f.browser]), q)
}

// cannotAsk says why no page can make a request.
func cannotAsk(err error) error {
	var wrong *fetch.RequestError
	if errors.As(err, &wrong) {
		return report.Misused("no page can make this request: %s: %.100q", wrong.Field, wrong.Value).WithHint("%s", wrong.Reason)
	}
	return err
}

// failure is what the command exits with; the diagnosis has been told.
func failure(d *explain.Diagnosis) error {
	switch d.Verdict {
	case explain.Blocked:
		return &report.Failure{Code: report.Blocked}
	case explain.Unreachable:
		return &report.Failure{Code: report.Unreachable}
	}
	return nil
}

func (f *explainFlags) readConsole(cmd *cobra.Command, t *teller) error {
	text, err := readPasted(cmd.InOrStdin())
	if err != nil {
		return report.Misused("--console: %w", err)
	}
	heard := explain.Recognise(string(text))
	if len(heard) == 0 {
		return report.Misused("--console: no message of Chromium, Firefox or Safari is recognised").WithHint("copy the whole red line from the console; in another language than English, give the URL to cors explain instead")
	}
	var page explain.Question
	if f.origin != "" {
		if err := setPage(&page, f.origin); err != nil {
			return err
		}
	}
	var all []*explain.Diagnosis
	for _, h := range heard {
		switch {
		case h.Page != "":
		case page.Opaque:
			h.Page = "null"
		default:
			h.Page = page.Page
		}
		all = append(all, h.Diagnose(f.showSecrets))
	}
	if err := t.several(all, nil); err != nil {
		return err
	}
	return worst(all)
}

func (f *explainFlags) readSession(cmd *cobra.Command, t *teller) error {
	file, err := os.Open(f.har)
	if err != nil {
		return report.Misused("--har: %w", err)
	}
	defer file.Close()
	session, err := har.Read(file)
	if err != nil {
		return report.Misused("--har: %q: %w", f.har, err)
	}
	var all []*explain.Diagnosis
	for _, one := range session.Fetches {
		browser := newBrowser(profiles[f.browser])
		browser.Transport = one
		d, err := explain.Ask(cmd.Context(), browser, explain.Question{Page: one.Page, Opaque: one.Opaque, Request: one.Request, ShowSecrets: f.showSecrets})
		if err != nil {
			continue // an extension or the browser itself made it, no page
		}
		if d.Verdict == explain.Blocked || d.Verdict == explain.Unreachable {
			all = append(all, d)
		}
	}
	if err := t.several(all, session); err != nil {
		return err
	}
	return worst(all)
}

// worst is what the command exits with for several: that CORS says no is what it
// was asked about.
func worst(all []*explain.Diagnosis) error {
	var result error
	for _, d := range all {
		if err := failure(d); err != nil && (result == nil || d.Verdict == explain.Blocked) {
			result = err
		}
	}
	return result
}

// teller tells diagnoses on standard output.
type teller struct {
	explainFlags
	out      io.Writer
	style    report.Style
	language explain.Language
	amount   explain.Amount
}

func (f *explainFlags) teller(cmd *cobra.Command) (*teller, error) {
	t := &teller{explainFlags: *f, out: cmd.OutOrStdout()}
	t.style = report.For(t.out)
	var err error
	if t.language, err = parseLanguage(f.lang); err != nil {
		return nil, err
	}
	t.amount = explain.Amount{Language: t.language, Width: t.style.Width, Consoles: []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit}}
	if f.browser != "all" {
		profile, err := parseProfile(f.browser)
		if err != nil {
			return nil, report.Misused("--browser: %q: there are all, standard, chromium, firefox and webkit", f.browser)
		}
		if profile != fetch.Standard {
			t.amount.Consoles = []fetch.Profile{profile}
		}
	}
	if f.server != "" {
		server, err := explain.ParseServer(f.server)
		if err != nil {
			return nil, report.Misused("--%w", err)
		}
		t.amount.Servers = []explain.Server{server}
	}
	return t, nil
}

// parseLanguage reads --lang, or else the locale, of which not every one is one
// of ours.
func parseLanguage(tag string) (explain.Language, error) {
	if tag != "" {
		language, err := explain.ParseLanguage(tag)
		if err != nil {
			return 0, report.Misused("--lang: %w", err)
		}
		return language, nil
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := os.Getenv(name); locale != "" {
			language, err := explain.ParseLanguage(locale)
			if err != nil {
				return explain.English, nil
			}
			return language, nil
		}
	}
	return explain.English, nil
}

func (t *teller) one(d *explain.Diagnosis) error {
	if t.json {
		return report.JSON(t.out, d.Record(t.language))
	}
	for _, line := range d.Text(t.amount) {
		if _, err := fmt.Fprintln(t.out, t.paint(line)); err != nil {
			return err
		}
	}
	return nil
}

// paint gives each span the colour of its role.
func (t *teller) paint(line explain.Line) string {
	paint := map[explain.Role]func(string) string{
		explain.Bad: t.style.Bad, explain.Good: t.style.Good, explain.Warn: t.style.Warn, explain.Strong: t.style.Strong, explain.Faint: t.style.Faint,
	}
	var b strings.Builder
	for i, s := range line {
		text := s.Text
		if i == len(line)-1 {
			text = strings.TrimRight(text, " ")
		}
		if p := paint[s.Role]; p != nil {
			text = p(text)
		}
		b.WriteString(text)
	}
	if !t.style.Colour {
		return strings.TrimRight(b.String(), " ")
	}
	return b.String()
}

// several tells all, and of a session how many fetches were looked at.
func (t *teller) several(all []*explain.Diagnosis, session *har.Session) error {
	if t.json {
		results := struct {
			SchemaVersion int              `json:"schemaVersion"`
			Requests      int              `json:"requests,omitempty"` // in the session
			Fetches       int              `json:"fetches,omitempty"`  // of scripts
			Results       []explain.Record `json:"results"`
		}{SchemaVersion: explain.SchemaVersion, Results: []explain.Record{}}
		if session != nil {
			results.Requests, results.Fetches = session.Requests, len(session.Fetches)
		}
		for _, d := range all {
			results.Results = append(results.Results, d.Record(t.language))
		}
		return report.JSON(t.out, results)
	}
	if session != nil {
		fmt.Fprintln(t.out, explain.SessionSummary(t.language, session.Requests, len(session.Fetches), len(all)))
	}
	for i, d := range all {
		if i > 0 || session != nil {
			fmt.Fprintln(t.out)
		}
		if len(all) > 1 {
			fmt.Fprintln(t.out, t.style.Strong(fmt.Sprintf("%d/%d  %s", i+1, len(all), report.Clean(d.URL))))
		}
		if err := t.one(d); err != nil {
			return err
		}
	}
	return nil
}
