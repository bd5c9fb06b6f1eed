package service

import (
	"errors"
	"net"
	"syscall"

	"github.com/crossorigin/cors/cmd/internal/report"
)

// Listen listens at what a flag says, and tells how to mend it where that fails.
func Listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	f := report.Misused("--%s: %q: %w", flag, address, err)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, f.WithHint("another program listens there: end it, or write another port, as in --%s :8081", flag)
	case errors.Is(err, syscall.EACCES):
		return nil, f.WithHint("ports below 1024 need privileges: write another port, as in --%s :8080", flag)
	}
	return nil, f.WithHint("write a port with or without an address before it, as in --%s 127.0.0.1:8080", flag)
}

// URL is what to write in a browser.
func URL(scheme string, l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
