// Command cors-envoy is what cors envoy runs: an external processor for Envoy.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/crossorigin/cors/cmd/internal/cli"
	"github.com/crossorigin/cors/cmd/internal/processor"
	"github.com/crossorigin/cors/cmd/internal/report"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	cmd := processor.New(processor.Program, serve)
	cli.Dress(cmd)
	verb, err := cmd.ExecuteContextC(ctx)
	return report.Exit(os.Stderr, verb.CommandPath(), err)
}
