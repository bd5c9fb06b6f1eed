package main

import "github.com/spf13/cobra"

func newFetch() *cobra.Command {
	return &cobra.Command{
		Use:     "fetch URL",
		Short:   "fetch as a page in a browser does",
		Example: `  cors fetch https://api.example.com/users --origin https://app.example.com`,
		Args:    arguments("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return nil
		},
	}
}
