package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/console"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/service"
)

func newPlay() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "play [LINK]",
		Short: "open a page to learn CORS, and to reproduce its bugs",
		Long: `The page has an API whose every answer you write. Your browser asks it for real,
on another origin than the page, and the engine does the same beside it. What
is written there is in a link, which others can open: give it as LINK.`,
		Example: `  cors play
  cors play 'http://localhost:8090/play#1.eyJmZXRjaGVzIjpb...'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.Arguments("LINK")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return play(cmd, address, strings.Join(args, ""))
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:8090", "`address` of the page; another port if it is taken")
	return cmd
}

func play(cmd *cobra.Command, address, link string) error {
	state, err := stateOf(link)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return report.Misused("--listen: %q is no address", address).WithHint("write it as in localhost:8090")
	}
	if host == "" || host == "localhost" {
		host, address = "localhost", net.JoinHostPort("127.0.0.1", port)
	}
	var l net.Listener
	if cmd.Flags().Changed("listen") {
		l, err = service.Listen("listen", address)
	} else if l, err = listenNear(address); err != nil {
		err = report.Misused("%w", err)
	}
	if err != nil {
		return err
	}
	defer l.Close()
	page, err := newConsolePage(l, host, console.Options{Browser: newBrowser})
	if err != nil {
		return err
	}
	url := page.URL()
	if state != "" {
		url = strings.Replace(url, "/?", "/play?", 1) + "&state=" + state
	}
	s := report.For(cmd.OutOrStdout())
	fmt.Fprintf(cmd.OutOrStdout(), `Open this page in a browser:

  %s

Whoever has this address has the page: it is for %s. Ctrl-C ends it.
`, s.Strong(url), whom(l))
	if err := page.Serve(cmd.Context(), l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("serving: %w", err)}
	}
	return nil
}

// whom says who can have the page that listens on l.
func whom(l net.Listener) string {
	if isElsewhere(l.Addr()) {
		return `all machines that reach this
one, and nothing encrypts it; --listen localhost:8090 keeps it here`
	}
	return "this machine"
}

// stateOf is the state in a link of play, or "" where there is no link.
func stateOf(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	_, state, ok := strings.Cut(link, "#")
	if !ok {
		state = link
	}
	version, text, ok := strings.Cut(state, ".")
	if !ok || version == "" || text == "" || strings.Trim(state, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return "", report.Misused("LINK: %.60q holds no state of play", link).WithHint("copy the whole link from the page, and put it in quotes")
	}
	return state, nil
}
