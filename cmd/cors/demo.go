package main

import (
	"context"
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

	"github.com/crossorigin/cors/cmd/internal/console"
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
		case "listen", "admin", "access-log", "console":
		default:
			asks = false
		}
	})
	return asks
}

// demo serves an API, and its console as the page that reads from it.
func (f *serveFlags) demo(cmd *cobra.Command) error {
	front, err := f.demoListener(cmd)
	if err != nil {
		return err
	}
	defer front.Close()
	var now inForce
	var g *gateway.Gateway
	o := console.Options{Gateway: service.URL("http", front), Policy: now.policy, Browser: newBrowser, Examples: demoExamples}
	o.Apply = func(base, text []byte) error { return now.replace(g, base, text) }
	page, err := f.demoConsole(front, o)
	if err != nil {
		return err
	}
	defer page.Close()
	d, err := demo.Start(page.Origin())
	if err != nil {
		return report.Misused("the demo: %w", err)
	}
	defer d.Close()
	file, err := policyfile.Parse(d.Policy)
	if err != nil {
		return err
	}
	now.Store(&console.Policy{Text: d.Policy, File: file})
	options := gateway.Options{Observe: page.Observe, HideCookies: console.CookiePrefix, UpstreamTimeout: f.timeout}
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
	if g, err = gateway.New(configOf(file), options); err != nil {
		return err
	}
	server.Handler = g
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	page.serve(ctx, server.Log)
	out := cmd.OutOrStdout()
	if f.accessLog {
		out = cmd.ErrOrStderr() // the other is for programs now
	}
	welcome(out, page, o.Gateway)
	if err := server.Serve(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
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

// demoConsole listens where --console says; without it at the port after that of
// the gateway, or another if that is taken.
func (f *serveFlags) demoConsole(front net.Listener, o console.Options) (*consolePage, error) {
	if f.console != "" {
		return listenConsole(f.console, o)
	}
	_, port, _ := net.SplitHostPort(front.Addr().String())
	n, _ := strconv.Atoi(port)
	l, err := listenNear("127.0.0.1:" + strconv.Itoa(n+1))
	if err != nil {
		return nil, report.Misused("the port of the console: %w", err)
	}
	return newConsolePage(l, "localhost", o)
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

// demoExamples are requests to the demo's API of which its policy allows some.
var demoExamples = []console.Example{
	{Method: "GET", Path: "/users"},
	{Method: "PUT", Path: "/users/1", Headers: map[string]string{"Authorization": "Bearer demo", "Content-Type": "application/json"}, Body: `{"name":"Augusta Ada King"}`},
	{Method: "DELETE", Path: "/users/1", Headers: map[string]string{"Authorization": "Bearer demo"}},
	{Method: "GET", Path: "/users", Headers: map[string]string{"X-Trace": "1"}},
	{Method: "GET", Path: "/private"},
}

// warning is what to say of a page that other machines reach, or "".
func warning(page *consolePage) string {
	if !isElsewhere(page.Addr()) {
		return ""
	}
	return "Other machines reach the page too, and nothing encrypts it;\n--console localhost:8081 keeps it to this one.\n\n"
}

func welcome(w io.Writer, page *consolePage, gateway string) {
	s := report.For(w)
	fmt.Fprintf(w, `Open this page in a browser:

  %s

It shows what the gateway at %s decides, in front of
a small API that never heard of CORS. The policy allows this page, and no other
origin; edit it there. Or ask the gateway here:

  curl -i %s/users -H 'Origin: %s'
  curl -i %s/users -H 'Origin: https://evil.example'

With a service of your own:

  cors serve --to http://localhost:3000 --origin https://app.example.com \
             --console localhost:8081

%sCtrl-C ends it.
`, s.Strong(page.URL()), s.Strong(gateway), gateway, page.Origin(), gateway, warning(page))
}
