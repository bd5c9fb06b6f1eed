// Package cli is what the commands look like: their help, and how they say what is
// wrong with a command line.
package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/crossorigin/cors/cmd/internal/report"
)

// Dress gives root and its verbs the look. Their errors are for [report.Exit].
func Dress(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = Version()
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(helpTemplate)
	root.SetVersionTemplate(root.Name() + " {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	cobra.AddTemplateFunc("flags", flagUsages)
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

// Arguments names the arguments that a verb must have.
func Arguments(names ...string) cobra.PositionalArgs {
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

// Version is the module's, and for a build from a checkout its commit's.
func Version() string {
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
