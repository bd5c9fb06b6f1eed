package main

import (
	"slices"
	"time"

	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/stdio"
	"github.com/crossorigin/cors/fetch"
	"github.com/spf13/cobra"
	"maps"
)

type fetchFlags struct {
	stdio   bool
	browser string
	maxBody int64
}

func newFetch() *cobra.Command {
	var f fetchFlags
	cmd := &cobra.Command{
		Use:     "fetch URL",
		Short:   "fetch as a page in a browser does",
		Example: `  cors fetch https://api.example.com/users --origin https://app.example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.stdio {
				return arguments()(cmd, args)
			}
			return arguments("URL")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.stdio {
				return f.serve(cmd)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.stdio, "stdio", false, "fetch for a program: JSON on standard input and output")
	flags.StringVar(&f.browser, "browser", "standard", "whose behaviour: standard, chromium, firefox or webkit")
	flags.Int64Var(&f.maxBody, "max-body", 256<<20, "read no more than this many bytes of a body")
	return cmd
}

// serve is --stdio.
func (f *fetchFlags) serve(cmd *cobra.Command) error {
	profile, err := parseProfile(f.browser)
	if err != nil {
		return err
	}
	open := func() *fetch.Browser {
		b := newBrowser(profile)
		b.Limits.BodyBytes = f.maxBody
		return b
	}
	const grace = 30 * time.Second
	if err := stdio.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), open, grace); err != nil {
		return &report.Failure{Code: report.Unreachable, Err: err}
	}
	return nil
}

func parseProfile(name string) (fetch.Profile, error) {
	profile, ok := profiles[name]
	if !ok {
		return 0, report.Misused("--browser: %q: there are %q", name, slices.Sorted(maps.Keys(profiles)))
	}
	return profile, nil
}
