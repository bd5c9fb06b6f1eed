package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/export"
)

type exportFlags struct {
	to       string
	widening []string
	output   string
	list     bool
	json     bool
}

func newExport() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export POLICY --to TARGET",
		Short: "write a policy in the language of another server",
		Long: `The configuration goes to standard output; what the other server does otherwise
than the policy says, to standard error. Where it would allow more, nothing is
written.`,
		Example: `  cors export --to nginx cors.yaml --output /etc/nginx
  cors export --to s3 cors.yaml > cors.json
  cors export --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return cli.Arguments()(cmd, args)
			}
			return cli.Arguments("POLICY")(cmd, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return f.printTargets(cmd.OutOrStdout())
			}
			return f.export(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.to, "to", "", "the `target` whose language it is; --list names them")
	flags.StringVarP(&f.output, "output", "o", "", "`directory` to write the files to")
	flags.StringSliceVar(&f.widening, "allow-widening", nil, "`fields` of which the target may allow more")
	flags.BoolVar(&f.list, "list", false, "list the targets, and how it is known that they are right")
	flags.BoolVar(&f.json, "json", false, "write JSON: the files and the findings")
	var targets []string
	for _, t := range export.Targets() {
		targets = append(targets, t.Name+"\t"+t.Title)
	}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions(targets, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (f *exportFlags) printTargets(w io.Writer) error {
	if f.json {
		type target struct {
			Name  string       `json:"name"`
			Title string       `json:"title"`
			Label export.Label `json:"label"`
		}
		var all []target
		for _, t := range export.Targets() {
			all = append(all, target{t.Name, t.Title, t.Label})
		}
		return report.JSON(w, all)
	}
	for _, t := range export.Targets() {
		if _, err := fmt.Fprintf(w, "%-12s  %-30s  %s\n", t.Name, t.Title, t.Label); err != nil {
			return err
		}
	}
	return nil
}

func (f *exportFlags) export(cmd *cobra.Command, policy string) error {
	if err := f.check(); err != nil {
		return err
	}
	file, err := readPolicy(policy)
	if err != nil {
		return err
	}
	result, err := export.To(f.to, file, export.Options{AllowWidening: f.widening})
	var widens *export.WideningError
	if err != nil && !errors.As(err, &widens) {
		return report.Misused("%w", err).WithHint("docs/export.md says what each target takes")
	}
	if f.json {
		if err := report.JSON(cmd.OutOrStdout(), f.result(result, widens)); err != nil {
			return err
		}
	} else {
		f.printFindings(cmd.ErrOrStderr(), result.Findings)
	}
	switch {
	case widens != nil:
		return f.refused(widens)
	case f.output != "":
		return f.writeFiles(cmd.OutOrStdout(), result.Files)
	case !f.json:
		return printFiles(cmd.OutOrStdout(), result.Files)
	}
	return nil
}

// check finds what is wrong with the flags.
func (f *exportFlags) check() error {
	var names []string
	for _, t := range export.Targets() {
		names = append(names, t.Name)
	}
	switch {
	case f.to == "":
		return report.Misused("--to is missing").WithHint("cors export --list names the targets")
	case !slices.Contains(names, f.to):
		return report.Misused("--to: %q: there is no such target", f.to).WithHint("write one of %s", strings.Join(names, ", "))
	}
	return nil
}

// refused says that nothing was written, since it would allow more.
func (f *exportFlags) refused(widens *export.WideningError) error {
	var fields []string
	for _, finding := range widens.Findings {
		if !slices.Contains(fields, finding.Field) {
			fields = append(fields, finding.Field)
		}
	}
	err := fmt.Errorf("%s would allow more than the policy does, by %s; nothing is written", f.to, strings.Join(fields, ", "))
	return &report.Failure{Code: report.Blocked, Err: err, Hint: "change the policy, or write --allow-widening " + strings.Join(fields, ",") + " if that is meant"}
}

// printFindings tells what the target does otherwise, the worst first; what is the
// same of several routes, once.
func (f *exportFlags) printFindings(w io.Writer, findings []export.Finding) {
	order := []export.Effect{export.Widened, export.Narrowed, export.Lost, export.Needs}
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b export.Finding) int {
		return slices.Index(order, a.Effect) - slices.Index(order, b.Effect)
	})
	for len(findings) > 0 {
		first := findings[0]
		text := first.String()
		var others []string
		findings = slices.DeleteFunc(findings[1:], func(f export.Finding) bool {
			route := f.Route
			f.Route = first.Route
			if f != first {
				return false
			}
			others = append(others, fmt.Sprintf(", %q", route))
			return true
		})
		if len(others) > 0 {
			if more := len(others) - 3; more > 1 { // --json names them all
				others = append(others[:3], fmt.Sprintf(" and %d more", more))
			}
			route := fmt.Sprintf("route %q", first.Route)
			text = strings.Replace(text, route, "routes"+strings.TrimPrefix(route, "route")+strings.Join(others, ""), 1)
		}
		printFinding(w, string(first.Effect), text, first.Fix)
	}
}

// printFinding tells of a finding: its text begins with its effect, and ends with
// how to mend it.
func printFinding(w io.Writer, effect, text, fix string) {
	style := report.For(w)
	effect += ":"
	mark := style.Strong(effect)
	switch effect {
	case "unsafe:", "widened:":
		mark = style.Bad(effect)
	case "narrowed:":
		mark = style.Warn(effect)
	}
	what, _ := strings.CutPrefix(text, effect+" ")
	what = strings.TrimSuffix(what, "; "+fix)
	fmt.Fprintf(w, "cors: %s %s\n", mark, report.Clean(what))
	if fix != "" {
		fmt.Fprintf(w, "cors: %s %s\n", style.Faint("  hint:"), report.Clean(fix))
	}
}

// exported is a result as JSON has it.
type exported struct {
	SchemaVersion int              `json:"schemaVersion"`
	Target        string           `json:"target"`
	Refused       bool             `json:"refused"` // since it would allow more
	Files         []exportedFile   `json:"files"`
	Findings      []export.Finding `json:"findings"`
}

type exportedFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (f *exportFlags) result(r *export.Result, widens *export.WideningError) exported {
	e := exported{SchemaVersion: 1, Target: f.to, Refused: widens != nil, Files: []exportedFile{}, Findings: []export.Finding{}}
	for _, file := range r.Files {
		e.Files = append(e.Files, exportedFile{file.Name, string(file.Data)})
	}
	e.Findings = append(e.Findings, r.Findings...)
	return e
}

// printFiles writes one file as it is, and several with a line before each.
func printFiles(w io.Writer, files []export.File) error {
	for _, file := range files {
		if len(files) > 1 {
			if _, err := fmt.Fprintf(w, "-- %s --\n", file.Name); err != nil {
				return err
			}
		}
		if _, err := w.Write(file.Data); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes each file whole, or leaves the one that is there, and prints
// their paths.
func (f *exportFlags) writeFiles(w io.Writer, files []export.File) error {
	if err := os.MkdirAll(f.output, 0o777); err != nil {
		return report.Misused("--output: %w", err)
	}
	for _, file := range files {
		path := filepath.Join(f.output, file.Name)
		beside := path + ".new"
		if err := os.WriteFile(beside, file.Data, 0o666); err != nil {
			return report.Misused("--output: %w", err)
		}
		if err := os.Rename(beside, path); err != nil {
			return report.Misused("--output: %w", errors.Join(err, os.Remove(beside)))
		}
		if !f.json {
			fmt.Fprintln(w, path)
		}
	}
	return nil
}
