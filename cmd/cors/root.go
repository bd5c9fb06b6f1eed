package main

import (
	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/report"
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
		RunE: func(*cobra.Command, []string) error {
			return report.Misused("a command is missing")
		},
	}
	root.AddCommand(
		newAudit(),
		newEnvoy(),
		newExplain(),
		newExport(),
		newImport(),
		newFetch(),
		newPlay(),
		newServe(),
		newVerify(),
	)
	cli.Dress(root)
	return root
}
