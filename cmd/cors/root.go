package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot returns the command with all its verbs. A verb writes its result to
// cmd.OutOrStdout; all else that it has to say is a [*report.Failure].
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "cors",
		Short: "serve, fetch by and explain Cross-Origin Resource Sharing",
		Long: `cors is the server's half and the browser's half of Cross-Origin Resource
Sharing, and the tools that show what one says to the other.`,
		Example: `  cors fetch https://api.example.com/users --origin https://app.example.com`,
		Version: version(),

		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return report.Misused("a command is missing")
		},
	}
	root.AddCommand(
		newAudit(),
		newExplain(),
		newFetch(),
		newServe(),
		newVerify(),
	)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(helpTemplate)
	root.SetVersionTemplate("cors {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	cobra.AddTemplateFunc("flags", flagUsages)
	return root
}

// helpTemplate shows first what most come for: an example.
const helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}{{if .HasExample}}{{.Example}}

{{end}}Usage: {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{if .HasAvailableSubCommands}}
{{range .Commands}}{{if .IsAvailableCommand}}  {{rpad .Name .NamePadding }} {{.Short}}
{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
{{flags .LocalFlags}}{{end}}{{if .HasAvailableSubCommands}}
{{.CommandPath}} COMMAND --help says more.
{{end}}`

const helpWidth = 80

func flagUsages(flags *pflag.FlagSet) string { return flags.FlagUsagesWrapped(helpWidth) }

// flagError says in one voice what pflag says in several.
func flagError(err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		return report.Misused("there is no flag %s", name)
	case errors.As(err, &invalid):
		return report.Misused("--%s: %q: %v", invalid.GetFlag().Name, invalid.GetValue(), errors.Unwrap(invalid))
	case errors.As(err, &missing):
		return report.Misused("--%s: a value is missing", missing.GetFlag().Name)
	case errors.Is(err, pflag.ErrHelp):
		return err
	}
	return report.Misused("%s", strings.ToLower(err.Error()))
}

// arguments names the arguments that a verb must have.
func arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return report.Misused("%s is missing", names[len(args)])
		case len(args) > len(names):
			return report.Misused("%q is an argument too many", args[len(names)])
		}
		return nil
	}
}

// version is the module's, and for a build from a checkout its commit's.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return fmt.Sprintf("%s %s", v, info.GoVersion)
}
