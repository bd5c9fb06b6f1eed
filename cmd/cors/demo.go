package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/crossorigin/cors/cmd/internal/demo"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/policyfile"
)

// asksForDemo reports whether the flags name neither a service nor a policy, nor
// anything else that one would say of them.
func (f *serveFlags) asksForDemo(cmd *cobra.Command) bool {
	asks := true
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		switch flag.Name {
		case "listen", "admin", "access-log":
		default:
			asks = false
		}
	})
	return asks
}

// demo serves an API and a page of its own.
func (f *serveFlags) demo(cmd *cobra.Command) error {
	front, err := f.demoListener(cmd)
	if err != nil {
		return err
	}
	defer front.Close()
	_, port, _ := net.SplitHostPort(front.Addr().String())
	n, _ := strconv.Atoi(port)
	page, err := listenNear("127.0.0.1:" + strconv.Itoa(n+1))
	if err != nil {
		return report.Misused("the port of the page: %w", err)
	}
	address := service.URL("http", front)
	d, err := demo.Start(page, address)
	if err != nil {
		return report.Misused("the demo: %w", err)
	}
	defer d.Close()
	file, err := policyfile.Parse(d.Policy)
	if err != nil {
		return err
	}
	options := gateway.Options{Observe: d.Observe, UpstreamTimeout: f.timeout}
	// The stream of an open page has no end to wait for.
	server := &gateway.Server{Listener: front, DrainTimeout: time.Second, Log: slog.New(slog.DiscardHandler)}
	if f.accessLog {
		options.Access = slog.New(slog.NewJSONHandler(cmd.OutOrStdout(), nil))
	}
	if f.admin != "" {
		server.Metrics = service.NewMetrics()
		options.Metrics = server.Metrics
		if server.Admin, err = service.Listen("admin", f.admin); err != nil {
			return err
		}
		defer server.Admin.Close()
	}
	g, err := gateway.New(configOf(file), options)
	if err != nil {
		return err
	}
	server.Handler = g
	out := cmd.OutOrStdout()
	if f.accessLog {
		out = cmd.ErrOrStderr() // the other is for programs now
	}
	welcome(out, d.Page, address)
	if err := server.Serve(cmd.Context()); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("serving: %w", err)}
	}
	return nil
}

// demoListener listens where --listen says; without it on this machine alone,
// on another port if that of the default is taken.
func (f *serveFlags) demoListener(cmd *cobra.Command) (net.Listener, error) {
	if cmd.Flags().Changed("listen") {
		return service.Listen("listen", f.listen)
	}
	l, err := listenNear("127.0.0.1" + f.listen)
	if err != nil {
		return nil, report.Misused("%w", err)
	}
	return l, nil
}

// listenNear listens at address, or at any port of its host if that is taken.
func listenNear(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(address)
		return net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	return l, err
}

func welcome(w io.Writer, page, gateway string) {
	s := report.For(w)
	fmt.Fprintf(w, `Open this page in a browser:

  %s

It reads, through a gateway at %s, from a small API that never
heard of CORS. The policy allows this page, and no other origin. Or ask it here:

  curl -i %s/users -H 'Origin: %s'
  curl -i %s/users -H 'Origin: https://evil.example'

With a service of your own:

  cors serve --to http://localhost:3000 --origin https://app.example.com

Ctrl-C ends it.
`, s.Strong(page), s.Strong(gateway), gateway, page, gateway)
}
