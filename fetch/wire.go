package fetch

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
)

// send performs hreq. net/http refuses header values with control characters,
// which the standard lets a page send: such a request has a connection of its
// own, and HTTP/1.1.
func (b *Browser) send(hreq *http.Request) (*http.Response, error) {
	t, ok := b.transport.(*http.Transport)
	if !ok || hreq.ContentLength < 0 || !hasControl(hreq.Header) {
		return b.transport.RoundTrip(hreq)
	}
	conn, err := dial(hreq, t)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(hreq.Context(), func() { conn.Close() })
	res, err := exchange(conn, hreq, t.MaxResponseHeaderBytes)
	if err != nil {
		stop()
		conn.Close()
		return nil, err
	}
	res.Body = &connBody{res.Body, conn, stop}
	return res, nil
}

// A connBody is the body of the only response on a connection.
type connBody struct {
	io.ReadCloser
	conn net.Conn
	stop func() bool
}

func (b *connBody) Close() error {
	b.stop()
	return b.conn.Close()
}

func hasControl(h http.Header) bool {
	for _, values := range h {
		for _, value := range values {
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7F }) {
				return true
			}
		}
	}
	return false
}

// dial connects as t does, proxies aside.
func dial(hreq *http.Request, t *http.Transport) (net.Conn, error) {
	dialContext := t.DialContext
	if dialContext == nil {
		dialContext = new(net.Dialer).DialContext
	}
	ctx, host, port := hreq.Context(), hreq.URL.Hostname(), hreq.URL.Port()
	secure := hreq.URL.Scheme == "https"
	switch {
	case port != "":
	case secure:
		port = "443"
	default:
		port = "80"
	}
	conn, err := dialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil || !secure {
		return conn, err
	}
	config := &tls.Config{}
	if t.TLSClientConfig != nil {
		config = t.TLSClientConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = nil
	over := tls.Client(conn, config)
	if err := over.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return over, nil
}

// exchange writes hreq to conn and reads the header of the response, which has
// at most limit bytes; 0 means the default.
func exchange(conn net.Conn, hreq *http.Request, limit int64) (*http.Response, error) {
	w := bufio.NewWriter(conn)
	fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", hreq.Method, hreq.URL.RequestURI(), hreq.Host)
	for _, name := range slices.Sorted(maps.Keys(hreq.Header)) {
		for _, value := range hreq.Header[name] {
			fmt.Fprintf(w, "%s: %s\r\n", name, value)
		}
	}
	if hreq.Body != nil || hreq.Method == "POST" || hreq.Method == "PUT" || hreq.Method == "PATCH" {
		fmt.Fprintf(w, "Content-Length: %d\r\n", hreq.ContentLength)
	}
	w.WriteString("\r\n")
	if hreq.Body != nil {
		defer hreq.Body.Close()
		if _, err := io.Copy(w, hreq.Body); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = Limits{}.headerBytes()
	}
	// What the reader has buffered of the body counts too, and is too little to matter.
	header := &io.LimitedReader{R: conn, N: limit}
	r := bufio.NewReader(header)
	for {
		res, err := http.ReadResponse(r, hreq)
		switch {
		case err != nil && header.N <= 0:
			return nil, fmt.Errorf("response headers exceeded %d bytes", limit)
		case err != nil:
			return nil, err
		case res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols:
			header.N = math.MaxInt64
			return res, nil
		}
	}
}
