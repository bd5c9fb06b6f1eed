package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A network is what all questions of a plan share: the connections, the pace,
// and where they may go.
type network struct {
	transport http.RoundTripper
	real      map[string]*url.URL // scheme and host of each server, by the host that the engine knows it by
	header    http.Header
	pace      *pace
	timeout   time.Duration // of one request
	sent      atomic.Int64
}

// newNetwork returns the network for routes, whose bases it changes to those
// that the engine is to know them by.
func newNetwork(t *Target, routes []*route) *network {
	n := &network{transport: t.Transport, real: map[string]*url.URL{}, header: t.Header, pace: &pace{every: t.every()}, timeout: t.timeout()}
	if n.transport == nil {
		n.transport = newTransport(t.Connect, &net.Dialer{Timeout: t.timeout()}, t.concurrency())
	}
	for _, r := range routes {
		server, err := url.Parse(r.base)
		if err != nil {
			continue // routes made it of one that parsed
		}
		if server.Scheme == "http" && !isLoopback(server.Hostname()) {
			// A browser would block all of it as mixed content, and say nothing of CORS.
			r.base = new(fetch.Browser).Open("https://" + server.Host).Origin().String()
		}
		_, host, _ := strings.Cut(r.base, "://")
		n.real[host] = server
	}
	return n
}

// newTransport returns a transport that goes elsewhere for the hosts in connect.
func newTransport(connect map[string]string, dialer *net.Dialer, perHost int) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if other, ok := connect[host]; ok && err == nil {
				address = withPort(other, port)
			} else if strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort("127.0.0.1", port) // as browsers have it, whatever resolvers say
			}
			return dialer.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           64, // of all hosts, however many there are
		MaxIdleConnsPerHost:    perHost,
		TLSHandshakeTimeout:    dialer.Timeout,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 256 << 10, // as in Chromium
	}
}

func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}

// isLoopback reports whether a page over https may fetch from host over http.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// A wire is the transport of one question.
type wire struct {
	*network
	preflightOnly  bool     // the request itself stays at home
	origin         string   // sent in place of the browser's, or ""
	privateNetwork bool     // ask whether a public page may reach in
	extra          []string // names that the response has, if need be by us
	reveals        bool     // and so for those that the server exposes
	left           int      // requests that may still be sent
}

// What the wire says in place of a server.
var (
	errPreflightPassed = errors.New("the preflight passed, and the request itself was not to be sent")
	errTooMany         = errors.New("it redirects again and again")
)

// elsewhere is the error for a redirect to another server.
type elsewhere struct{ server string }

func (e elsewhere) Error() string { return "it redirects to " + e.server }

// maxRedirects is how many redirects a question follows on its own server.
const maxRedirects = 3

// RoundTrip sends r to the server it is for, if that is one of the plan's.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	isPreflight := r.Method == http.MethodOptions && r.Header.Get(header.AccessControlRequestMethod) != ""
	if w.preflightOnly && !isPreflight {
		return nil, errPreflightPassed
	}
	server, ok := w.real[r.URL.Host]
	if !ok {
		return nil, elsewhere{r.URL.Scheme + "://" + r.URL.Host}
	}
	if w.left == 0 {
		return nil, errTooMany
	}
	w.left--
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = server.Scheme, server.Host, server.Host
	for name, values := range w.header {
		// No browser sends these with a preflight: whoever asks for them there asks
		// for what pages cannot give.
		if !isPreflight || name != "Authorization" && name != "Cookie" {
			out.Header[name] = values
		}
	}
	if w.origin != "" {
		out.Header[header.Origin] = []string{w.origin}
	}
	if isPreflight && w.privateNetwork {
		out.Header[header.AccessControlRequestPrivateNetwork] = []string{"true"}
	}
	if err := w.pace.wait(r.Context()); err != nil {
		return nil, err
	}
	w.sent.Add(1)
	res, err := w.within(out)
	if err != nil {
		return nil, err
	}
	if location := res.Header["Location"]; len(location) == 1 && r.URL.Scheme != server.Scheme {
		if u, err := url.Parse(location[0]); err == nil && u.Scheme == server.Scheme && w.real[u.Host] != nil {
			u.Scheme = r.URL.Scheme
			res.Header["Location"] = []string{u.String()}
		}
	}
	names := w.extra
	if w.reveals {
		exposed, _ := header.List(res.Header[header.AccessControlExposeHeaders])
		names = append(slices.Clip(names), exposed[:min(len(exposed), maxExposed)]...)
	}
	for _, name := range names {
		if key := http.CanonicalHeaderKey(name); res.Header[key] == nil && key != "*" {
			res.Header[key] = []string{"cors-verify"}
		}
	}
	return res, nil
}

// within performs r, body and all, within the timeout, which the wait for its
// turn is no part of.
func (n *network) within(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), n.timeout)
	res, err := n.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		defer cancel()
		if r.Context().Err() == nil && ctx.Err() != nil {
			return nil, fmt.Errorf("no answer within %s", n.timeout)
		}
		return nil, err
	}
	res.Body = cancelling{res.Body, cancel}
	return res, nil
}

// A cancelling body ends the request when it is closed.
type cancelling struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c cancelling) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// maxExposed is how many names a server may expose and have us try.
const maxExposed = 100

// show returns a URL as the server is reached by it.
func (n *network) show(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	host, path, _ := strings.Cut(rest, "/")
	if server, ok := n.real[host]; ok {
		return server.Scheme + "://" + server.Host + "/" + path
	}
	return u
}

// A pace spaces out requests.
type pace struct {
	every time.Duration
	mu    sync.Mutex
	next  time.Time
}

func (p *pace) wait(ctx context.Context) error {
	if p.every <= 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(p.every)
	p.mu.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for its turn: %w", ctx.Err())
	}
}
