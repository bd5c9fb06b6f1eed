package main

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
	"github.com/crossorigin/cors/policyfile"
)

// What cors serve answers is what every other server with the same policy must
// answer, and pages learn the same through it.
func TestServeKeepsTheTable(t *testing.T) {
	report, err := table.Run(t.TempDir(), served)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range report.Wrong() {
		t.Error(o)
	}
	record := report.Record("cors serve", "", "the decision core itself")
	if err := record.Hold("../../export/table/records/serve.json", *update); err != nil {
		t.Error(err)
	}
	_, _, all, err := table.Browse(t.TempDir(), served)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Error(d)
	}
}

// served is the gateway, as cors serve starts it.
func served(_ string, file *policyfile.File) (*table.Server, error) {
	g, err := gateway.New(configOf(file), gateway.Options{})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &gateway.Server{Listener: l, Handler: g, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	end := func() {
		cancel()
		<-ended
	}
	// Package cors, which knows of no upstream, allows nothing at such paths.
	findings := []export.Finding{{Field: "paths", Effect: export.Widened,
		Reason: "a path with an empty segment or a dot segment has the route that it has without; one that an upstream may still read as that of another route is answered with 400, readable where its route says so"}}
	return &table.Server{URL: "http://" + l.Addr().String(), Findings: findings, Close: end}, nil
}
