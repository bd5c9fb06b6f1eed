package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"github.com/crossorigin/cors/cmd/internal/console"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
	"github.com/crossorigin/cors/policyfile"
)

// inForce is the policy of a gateway, as its console shows it.
type inForce struct {
	atomic.Pointer[console.Policy]
	loaded console.Policy // at last, in force or not
}

func (p *inForce) policy() console.Policy { return *p.Load() }

// load reads a policy file.
func (p *inForce) load(path string) (gateway.Config, error) {
	file, text, err := service.LoadPolicy(path)
	if err != nil {
		return gateway.Config{}, err
	}
	p.loaded = console.Policy{Text: text, Path: path, File: file}
	return configOf(file), nil
}

// replaced is told that what was loaded at last is in force.
func (p *inForce) replaced() {
	loaded := p.loaded
	p.Store(&loaded)
}

// writeTo returns what puts a text into the file of r and into force, in the
// place of the text that was edited. What is refused changes neither.
func (p *inForce) writeTo(r *service.Reloader[gateway.Config]) func(base, text []byte) error {
	return func(base, text []byte) error {
		file, err := policyfile.Parse(text)
		if err != nil {
			return err
		}
		if !bytes.Equal(p.Load().Text, base) {
			return console.ErrChanged
		}
		if now, err := os.ReadFile(r.Path); err != nil {
			return fmt.Errorf("the file cannot be read, so nothing is changed: %w; put it back as it was, or download this text in its place", err)
		} else if !bytes.Equal(now, base) {
			return fmt.Errorf("%s has been edited, and what it says now is not in force: it was refused, or is about to be read; see the log, and mend it there", r.Path)
		}
		err = r.Write(text, configOf(file))
		var path *os.PathError
		var link *os.LinkError
		if errors.As(err, &path) || errors.As(err, &link) {
			return fmt.Errorf("the file cannot be written, so nothing is changed: %w", err)
		}
		if err != nil {
			return err
		}
		p.Store(&console.Policy{Text: text, Path: r.Path, File: file})
		return nil
	}
}

// replace puts a text into force in g, in the place of the text that was edited.
// What is refused changes nothing.
func (p *inForce) replace(g *gateway.Gateway, base, text []byte) error {
	old := p.Load()
	if !bytes.Equal(old.Text, base) {
		return console.ErrChanged
	}
	file, err := policyfile.Parse(text)
	if err != nil {
		return err
	}
	return g.PutConfig(configOf(file), func() error {
		if !p.CompareAndSwap(old, &console.Policy{Text: text, File: file}) {
			return console.ErrChanged
		}
		return nil
	})
}

// A consolePage is a console with what it listens on.
type consolePage struct {
	*console.Console
	net.Listener
}

// listenConsole listens at address, where a port alone is one of this machine.
func listenConsole(address string, o console.Options) (*consolePage, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && (host == "" || host == "localhost") {
		host, address = "localhost", net.JoinHostPort("127.0.0.1", port)
	}
	l, err := service.Listen("console", address)
	if err != nil {
		return nil, err
	}
	return newConsolePage(l, host, o)
}

// rootsWith are the authorities of the system, and the one in that file; nil where
// there is none.
func rootsWith(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	authority, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%q holds no certificate", file)
	}
	return roots, nil
}

// newConsolePage is of the console that is reached by the name host on l.
func newConsolePage(l net.Listener, host string, o console.Options) (*consolePage, error) {
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, err
	}
	o.Address = net.JoinHostPort(host, port)
	c, err := console.New(o)
	if err != nil {
		return nil, err
	}
	return &consolePage{c, l}, nil
}

// isElsewhere reports whether other machines than this one can reach a.
func isElsewhere(a net.Addr) bool {
	host, _, _ := net.SplitHostPort(a.String())
	return !net.ParseIP(host).IsLoopback()
}

// serve serves the console until ctx is done, and tells log where it is.
func (p *consolePage) serve(ctx context.Context, log *slog.Logger) {
	log.Info("console", "url", p.URL())
	if isElsewhere(p.Addr()) {
		log.Warn("the console can be reached from other machines, and nothing encrypts what it says; write --console localhost:PORT to keep it to this one", "address", p.Addr().String())
	}
	go func() {
		if err := p.Serve(ctx, p.Listener); err != nil {
			log.Error("the console has ended", "error", err.Error())
		}
	}()
}
