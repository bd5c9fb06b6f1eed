package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/export/importer"
	"github.com/crossorigin/cors/policyfile"
)

type importFlags struct {
	from string
	list bool
	json bool
}

func newImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE --from SOURCE",
		Short: "read a policy out of another server's configuration",
		Long: `A cors.yaml goes to standard output; what of the configuration it does not say,
or says since it is so and is not safe, to standard error. FILE - is standard
input.`,
		Example: `  cors import --from nginx /etc/nginx/conf.d/api.conf > cors.yaml
  kubectl get httproute -o yaml | cors import --from gateway-api -
  cors import --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return cli.Arguments()(cmd, args)
			}
			return cli.Arguments("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return f.printSources(cmd.OutOrStdout())
			}
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.from, "from", "", "`source`: the server whose configuration it is; --list names them")
	flags.BoolVar(&f.list, "list", false, "list the sources, and what of each is read")
	flags.BoolVar(&f.json, "json", false, "write JSON: the policy and the findings")
	var sources []string
	for _, s := range importer.Sources() {
		sources = append(sources, s.Name+"\t"+s.Title)
	}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(sources, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (f *importFlags) printSources(w io.Writer) error {
	if f.json {
		type source struct {
			Name  string `json:"name"`
			Title string `json:"title"`
			Reads string `json:"reads"`
		}
		var all []source
		for _, s := range importer.Sources() {
			all = append(all, source{s.Name, s.Title, s.Reads})
		}
		return report.JSON(w, all)
	}
	for _, s := range importer.Sources() {
		if _, err := fmt.Fprintf(w, "%-12s  %-30s  %s\n", s.Name, s.Title, s.Reads); err != nil {
			return err
		}
	}
	return nil
}

func (f *importFlags) run(cmd *cobra.Command, path string) error {
	var names []string
	for _, s := range importer.Sources() {
		names = append(names, s.Name)
	}
	switch {
	case f.from == "":
		return report.Misused("--from is missing").WithHint("cors import --list names the sources")
	case !slices.Contains(names, f.from):
		return report.Misused("--from: %q: there is no such source", f.from).WithHint("write one of %s", strings.Join(names, ", "))
	}
	data, err := readConfiguration(cmd.InOrStdin(), path)
	if err != nil {
		return report.Misused("%w", err)
	}
	result, err := importer.From(f.from, data)
	if err != nil {
		if result != nil && !f.json {
			printImportFindings(cmd.ErrOrStderr(), result.Findings)
		}
		return report.Misused("%w", err).WithHint("docs/import.md says what is read")
	}
	text := policyfile.Format(result.File)
	if f.json {
		return report.JSON(cmd.OutOrStdout(), imported{1, f.from, string(text), append([]importer.Finding{}, result.Findings...)})
	}
	printImportFindings(cmd.ErrOrStderr(), result.Findings)
	_, err = cmd.OutOrStdout().Write(text)
	return err
}

// imported is a result as JSON has it.
type imported struct {
	SchemaVersion int                `json:"schemaVersion"`
	Source        string             `json:"source"`
	Policy        string             `json:"policy"` // a cors.yaml
	Findings      []importer.Finding `json:"findings"`
}

func readConfiguration(stdin io.Reader, path string) ([]byte, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, importer.MaxSize+1))
}

// printImportFindings tells what the policy says otherwise, the worst first.
func printImportFindings(w io.Writer, findings []importer.Finding) {
	order := []importer.Effect{importer.Unsafe, importer.Widened, importer.Narrowed, importer.Lost}
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b importer.Finding) int {
		return slices.Index(order, a.Effect) - slices.Index(order, b.Effect)
	})
	for _, finding := range findings {
		printFinding(w, string(finding.Effect), finding.String(), finding.Fix)
	}
}
