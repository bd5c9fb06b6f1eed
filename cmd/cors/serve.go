package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/console"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/policyfile"
)

type serveFlags struct {
	listen, admin string
	console       string
	edit          bool
	to            string
	policy        cors.Policy
	maxAge        string
	file          string
	headers       string
	shadow        bool
	accessLog     bool
	timeout       time.Duration
	drain         time.Duration

	certificate, key   string
	names              []string
	acmeEmail, acmeURL string
	local              bool
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "put a CORS policy in front of a service",
		Example: `  cors serve    # nothing given: a demo: an API, and the console
  cors serve --to http://localhost:3000 --origin https://app.example.com \
             --method PUT --header Authorization --credentials
  cors serve --listen :443 --tls-auto api.example.com --policy cors.yaml`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.serve(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", ":8080", "`address` to listen on")
	flags.StringVar(&f.to, "to", "", "`URL` of the service behind: http, https or h2c")
	flags.StringArrayVar(&f.policy.Origins, "origin", nil, "`origin` that may read; repeat it for more, so below")
	flags.StringArrayVar(&f.policy.Methods, "method", nil, "`method` allowed beyond GET, HEAD and POST")
	flags.StringArrayVar(&f.policy.RequestHeaders, "header", nil, "`name` of a request header allowed")
	flags.StringArrayVar(&f.policy.ExposedHeaders, "expose", nil, "`name` of a response header that pages may see")
	flags.BoolVar(&f.policy.Credentials, "credentials", false, "allow cookies and HTTP authentication")
	flags.StringVar(&f.maxAge, "max-age", "", "`time` browsers keep a preflight, as in 10m")
	flags.StringVar(&f.file, "policy", "", "`file` with routes and policies, instead of all these")
	flags.StringVar(&f.headers, "upstream-headers", "strip", "the service's own CORS headers: strip, fill or keep")
	flags.BoolVar(&f.shadow, "shadow", false, "decide, log and count, but enforce nothing")
	flags.StringVar(&f.admin, "admin", "", "`address` for /healthz, /readyz and /metrics")
	flags.StringVar(&f.console, "console", "", "`address` of a page that shows what is decided")
	flags.BoolVar(&f.edit, "edit", false, "let that page change the file of --policy")
	flags.BoolVar(&f.accessLog, "access-log", false, "print each request, as a line of JSON")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long the service may take to begin an answer")
	flags.DurationVar(&f.drain, "drain", 25*time.Second, "how long requests may take to end on SIGTERM")
	flags.StringVar(&f.certificate, "tls-cert", "", "PEM `file` of the certificate")
	flags.StringVar(&f.key, "tls-key", "", "PEM `file` of its key")
	flags.StringArrayVar(&f.names, "tls-auto", nil, "`name` to get a certificate for, from Let's Encrypt")
	flags.StringVar(&f.acmeEmail, "tls-email", "", "`address` that it may write to")
	flags.StringVar(&f.acmeURL, "tls-authority", "", "another authority, by the `URL` of its ACME directory")
	flags.BoolVar(&f.local, "tls-local", false, "a certificate for localhost, for development")
	return cmd
}

// policyFlags are those that a policy file replaces.
var policyFlags = []string{"to", "origin", "method", "header", "expose", "credentials", "max-age", "upstream-headers", "shadow"}

func (f *serveFlags) serve(cmd *cobra.Command) error {
	if f.asksForDemo(cmd) {
		return f.demo(cmd)
	}
	log := service.NewLog(cmd.ErrOrStderr())
	var metrics *service.Metrics
	if f.admin != "" {
		metrics = service.NewMetrics()
	}
	var now inForce
	reloader := &service.Reloader[gateway.Config]{Path: f.file, Load: now.load, Log: log, Metrics: metrics}
	c, faults := f.config(cmd, reloader)
	faults = append(faults, positive("timeout", f.timeout), positive("drain", f.drain), f.mayEdit())
	tlsConfig, authority, err := f.tls(cmd.Context(), log)
	faults = append(faults, err)
	if err := report.Mistakes(faults); err != nil {
		return err
	}
	if f.file != "" {
		now.replaced()
	} else {
		now.Store(&console.Policy{File: fileOf(c)})
	}
	options := gateway.Options{Metrics: metrics, UpstreamTimeout: f.timeout, Refused: cors.LogRefusals(log)}
	if f.accessLog {
		options.Refused = nil // the access log says it of each
		options.Access = slog.New(slog.NewJSONHandler(cmd.OutOrStdout(), nil))
	}
	server := &gateway.Server{TLS: tlsConfig, Metrics: metrics, DrainTimeout: f.drain, Log: log}
	if server.Listener, err = service.Listen("listen", f.listen); err != nil {
		return err
	}
	defer server.Listener.Close()
	if f.admin != "" {
		if server.Admin, err = service.Listen("admin", f.admin); err != nil {
			return err
		}
		defer server.Admin.Close()
	}
	scheme := "http"
	if tlsConfig != nil {
		scheme = "https"
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	var page *consolePage
	if f.console != "" {
		o := console.Options{Gateway: service.URL(scheme, server.Listener), Policy: now.policy, Browser: newBrowser}
		if o.Roots, err = rootsWith(authority); err != nil {
			return report.Misused("--tls-local: its authority: %w", err)
		}
		if f.edit {
			o.Apply = now.writeTo(reloader)
		}
		if page, err = listenConsole(f.console, o); err != nil {
			return err
		}
		defer page.Close()
		options.Observe, options.HideCookies = page.Observe, console.CookiePrefix
	}
	g, err := gateway.New(c, options)
	if err != nil {
		return report.Mistakes([]error{err})
	}
	server.Handler = g
	log.Info("listening", "url", service.URL(scheme, server.Listener))
	if server.Admin != nil {
		log.Info("health and metrics", "url", service.URL("http", server.Admin))
	}
	if page != nil {
		page.serve(ctx, log)
	}
	if authority != "" {
		log.Info("browsers accept the certificate once they trust its authority", "authority", authority)
	}
	go g.Look(ctx, log)
	if f.file != "" {
		reloader.Server = g
		reloader.Replaced = func(gateway.Config) {
			now.replaced()
			go g.Look(ctx, log)
		}
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		go reloader.Run(ctx, hangup)
	}
	if err := server.Serve(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("serving: %w", err)}
	}
	return nil
}

// config returns what the flags or the file say, and all that is wrong with it.
func (f *serveFlags) config(cmd *cobra.Command, r *service.Reloader[gateway.Config]) (gateway.Config, []error) {
	if f.file != "" {
		var faults []error
		for _, name := range policyFlags {
			if cmd.Flags().Changed(name) {
				faults = append(faults, fmt.Errorf("--%s: the file of --policy says this; write it there, or leave out --policy", name))
			}
		}
		c, err := r.First()
		return c, append(faults, err)
	}
	var faults []error
	var to *url.URL
	var err error
	if f.to == "" {
		faults = append(faults, errors.New("--to: the service behind is missing; write --to http://localhost:3000, or name a file with --policy"))
	} else if to, err = policyfile.ParseUpstream(f.to); err != nil {
		faults = append(faults, fmt.Errorf("--to: %w", err))
	}
	if len(f.policy.Origins) == 0 {
		faults = append(faults, errors.New("--origin: nobody may read without one; write --origin https://app.example.com"))
	}
	route := gateway.Route{Policy: f.policy, Upstream: to, Shadow: f.shadow}
	if err := route.Headers.UnmarshalText([]byte(f.headers)); err != nil {
		faults = append(faults, fmt.Errorf("--upstream-headers: %w", err))
	}
	if f.maxAge != "" {
		if route.Policy.MaxAge, err = policyfile.ParseMaxAge(f.maxAge); err != nil {
			faults = append(faults, fmt.Errorf("--max-age: %w", err))
		}
	}
	if _, err := cors.New(route.Policy); err != nil {
		faults = append(faults, inFlags(err)...)
	}
	return gateway.Config{Routes: map[string]gateway.Route{"/": route}}, faults
}

// positive refuses a time that would be taken for none given, or for no end.
func positive(flag string, d time.Duration) error {
	if d > 0 {
		return nil
	}
	return fmt.Errorf("--%s: %q: a time has to pass; write one such as %q", flag, d, "30s")
}

// inFlags says what package cors says of a policy in the words of the flags.
func inFlags(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	names := map[string]string{"Origins": "origin", "Methods": "method", "RequestHeaders": "header", "ExposedHeaders": "expose", "Credentials": "credentials", "MaxAge": "max-age"}
	words := strings.NewReplacer("each as an element of its own", "each with a flag of its own",
		"one element holds one origin", "one flag holds one origin", "each origin as an element of its own", "each origin with a flag of its own",
		"Credentials", "--credentials",
		"set InsecureAllowNull", "write insecure-allow-null in a policy file",
		"set InsecureAllowPublicSuffix", "write insecure-allow-public-suffix in a policy file",
		"set InsecureAllowHTTP", "write insecure-allow-http in a policy file",
		"set InsecureReflectAnyOrigin", "write insecure-reflect-any-origin in a policy file")
	var faults []error
	for _, err := range joined.Unwrap() {
		var fault *cors.PolicyError
		if !errors.As(err, &fault) || names[fault.Field] == "" {
			faults = append(faults, err)
			continue
		}
		faults = append(faults, fmt.Errorf("--%s: %.200q: %s; %s", names[fault.Field], fault.Value, words.Replace(fault.Reason), words.Replace(fault.Fix)))
	}
	return faults
}

// mayEdit refuses --edit where there is nothing to edit with, or to edit.
func (f *serveFlags) mayEdit() error {
	switch {
	case !f.edit:
		return nil
	case f.console == "":
		return errors.New("--edit: there is no page to edit on; write --console localhost:8081")
	case f.file == "":
		return errors.New("--edit: there is no file to edit; write the policy into one, and name it with --policy")
	}
	return nil
}

func configOf(file *policyfile.File) gateway.Config {
	c := gateway.Config{Upstream: file.Upstream, Routes: make(map[string]gateway.Route, len(file.Routes))}
	for _, r := range file.Routes {
		c.Routes[r.Pattern] = gateway.Route{Policy: r.Policy, Upstream: r.Upstream, Headers: r.UpstreamHeaders, Shadow: r.Shadow}
	}
	return c
}

// fileOf is the inverse of configOf, but for the order of the routes.
func fileOf(c gateway.Config) *policyfile.File {
	file := &policyfile.File{Upstream: c.Upstream}
	for pattern, r := range c.Routes {
		file.Routes = append(file.Routes, policyfile.Route{Pattern: pattern, Policy: r.Policy, Upstream: r.Upstream, UpstreamHeaders: r.Headers, Shadow: r.Shadow})
	}
	return file
}

// tls returns the configuration that the flags ask for, nil for none; and the
// certificate of the local authority, where there is one.
func (f *serveFlags) tls(ctx context.Context, log *slog.Logger) (config *tls.Config, authority string, err error) {
	var ways []string
	if f.certificate != "" || f.key != "" {
		ways = append(ways, "--tls-cert")
	}
	if len(f.names) > 0 {
		ways = append(ways, "--tls-auto")
	}
	if f.local {
		ways = append(ways, "--tls-local")
	}
	switch {
	case len(ways) > 1:
		return nil, "", fmt.Errorf("%s: there can be one certificate; leave out all but one", strings.Join(ways, " and "))
	case f.certificate == "" && f.key != "":
		return nil, "", errors.New("--tls-key: the certificate is missing; name its file with --tls-cert")
	case f.certificate != "" && f.key == "":
		return nil, "", errors.New("--tls-cert: the key is missing; name its file with --tls-key")
	case len(f.names) == 0 && (f.acmeEmail != "" || f.acmeURL != ""):
		return nil, "", errors.New("--tls-email and --tls-authority: no name is given to get a certificate for; write --tls-auto api.example.com")
	case f.certificate != "":
		if config, err = service.TLSFromFiles(f.certificate, f.key, log); err != nil {
			err = fmt.Errorf("--tls-cert: %w", err)
		}
	case len(f.names) > 0:
		config, err = gateway.TLSAutomatic(ctx, f.names, gateway.Authority{Directory: f.acmeURL, Email: f.acmeEmail}, log)
	case f.local:
		config, authority, err = gateway.TLSLocal("")
	}
	return config, authority, err
}
