package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/processor"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/envoy"
	"github.com/crossorigin/cors/policyfile"
)

// serve carries out the verb.
func serve(cmd *cobra.Command, f *processor.Flags) error {
	log := service.NewLog(cmd.ErrOrStderr())
	var metrics *service.Metrics
	if f.Admin != "" {
		metrics = service.NewMetrics()
	}
	tell := func(file *policyfile.File) { tellOfUpstreams(log, file) }
	reloader := &service.Reloader[*policyfile.File]{Path: f.Policy, Load: load, Log: log, Metrics: metrics, Replaced: tell}
	var file *policyfile.File
	var faults []error
	if f.Policy == "" {
		faults = append(faults, errors.New("--policy: the file with routes and policies is missing; write --policy cors.yaml"))
	} else {
		var err error
		file, err = reloader.First()
		faults = append(faults, err)
	}
	if f.Drain <= 0 {
		faults = append(faults, fmt.Errorf("--drain: %q: a time has to pass; write one such as %q", f.Drain, "30s"))
	}
	config, err := tlsConfig(f, log)
	if err := report.Mistakes(append(faults, err)); err != nil {
		return err
	}
	counted, err := newCounted(file, metrics, cors.LogRefusals(log))
	if err != nil {
		return report.Mistakes([]error{err})
	}
	reloader.Server = counted
	server := &envoy.Server{Processor: counted.Processor, TLS: config, DrainTimeout: f.Drain, Log: log}
	if server.Listener, err = service.Listen("listen", f.Listen); err != nil {
		return err
	}
	defer server.Listener.Close()
	if f.Admin != "" {
		l, err := service.Listen("admin", f.Admin)
		if err != nil {
			return err
		}
		admin := &http.Server{Handler: service.Admin(server.Ready, metrics), ReadHeaderTimeout: 10 * time.Second}
		defer admin.Close()
		go admin.Serve(l)
		log.Info("health and metrics", "url", service.URL("http", l))
	}
	log.Info("listening for Envoy", "address", server.Listener.Addr().String(), "tls", config != nil)
	tell(file)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go reloader.Run(ctx, hangup)
	if err := server.Serve(ctx); err != nil {
		return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("serving: %w", err)}
	}
	return nil
}

// load reads a policy file.
func load(path string) (*policyfile.File, error) {
	file, _, err := service.LoadPolicy(path)
	return file, err
}

// tellOfUpstreams says that what file has of upstreams is for cors serve.
func tellOfUpstreams(log *slog.Logger, file *policyfile.File) {
	for _, r := range file.Routes {
		if r.Upstream != nil {
			log.Info("the upstreams in the file are disregarded: Envoy knows where requests go", "route", r.Pattern, "upstream", r.Upstream.String())
			return
		}
	}
}

// tlsConfig returns what the flags ask for, nil for none.
func tlsConfig(f *processor.Flags, log *slog.Logger) (*tls.Config, error) {
	switch {
	case f.Certificate == "" && f.Key != "":
		return nil, errors.New("--tls-key: the certificate is missing; name its file with --tls-cert")
	case f.Certificate != "" && f.Key == "":
		return nil, errors.New("--tls-cert: the key is missing; name its file with --tls-key")
	case f.Certificate == "" && f.ClientCA != "":
		return nil, errors.New("--tls-client-ca: there is no TLS without a certificate; name its file with --tls-cert")
	case f.Certificate == "":
		return nil, nil
	}
	config, err := service.TLSFromFiles(f.Certificate, f.Key, log)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	if f.ClientCA == "" {
		return config, nil
	}
	text, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("--tls-client-ca: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--tls-client-ca: %q: there is no certificate in it; name the PEM file of an authority", f.ClientCA)
	}
	return config, nil
}
