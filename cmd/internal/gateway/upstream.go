package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// What an upstream is given.
const (
	dialTimeout         = 5 * time.Second
	tlsTimeout          = 10 * time.Second
	idleTimeout         = 90 * time.Second
	idleConnections     = 256
	maxUpstreamHeader   = 128 << 10 // bytes of a response
	upstreamBufferBytes = 4 << 10
)

// An upstream is a service that the gateway forwards to.
type upstream struct {
	url       *url.URL // with the scheme http or https
	transport *http.Transport
}

func checkUpstream(to *url.URL) error {
	switch {
	case to.Scheme != "http" && to.Scheme != "https" && to.Scheme != "h2c":
		return fmt.Errorf("upstream %q: the scheme is not http, https or h2c", to.Redacted())
	case to.Hostname() == "":
		return fmt.Errorf("upstream %q: a host is missing", to.Redacted())
	case to.User != nil || to.RawQuery != "" || to.Fragment != "":
		return fmt.Errorf("upstream %q: it has more than a scheme, a host, a port and a path", to.Redacted())
	}
	return nil
}

// upstreamTo returns the upstream at to, with the connections that are open
// already.
func (g *Gateway) upstreamTo(to *url.URL) *upstream {
	key := to.String()
	if u := g.upstreams[key]; u != nil {
		return u
	}
	target := *to
	if target.Path != "" && target.Path[0] != '/' {
		target.Path = "/" + target.Path
	}
	protocols := new(http.Protocols)
	switch to.Scheme {
	case "h2c":
		target.Scheme = "http"
		protocols.SetUnencryptedHTTP2(true)
	case "https":
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	default:
		protocols.SetHTTP1(true)
	}
	u := &upstream{url: &target, transport: &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  g.options.UpstreamTimeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idleConnections,
		MaxResponseHeaderBytes: maxUpstreamHeader,
		DisableCompression:     true, // what the client asks for is asked of the upstream
		Protocols:              protocols,
		ReadBufferSize:         upstreamBufferBytes,
		WriteBufferSize:        upstreamBufferBytes,
	}}
	g.upstreams[key] = u
	return u
}

// keepUpstreams forgets the upstreams that t does not use; what is under way
// with them goes on.
func (g *Gateway) keepUpstreams(t *table) {
	used := map[*upstream]bool{t.none.upstream: true}
	for _, r := range t.routes {
		used[r.upstream] = true
	}
	for key, u := range g.upstreams {
		if !used[u] {
			delete(g.upstreams, key)
			u.transport.CloseIdleConnections()
		}
	}
}

// A failure is a way in which the gateway itself has to answer for an upstream,
// or breaks off.
type failure struct {
	cause  string // for logs and metrics
	status int    // 0 where there is nobody left to tell
	text   string
}

// The failures. Their texts say nothing of what lies behind the gateway.
var (
	failUnreachable = &failure{"unreachable", http.StatusBadGateway, "The service behind this gateway cannot be reached."}
	failResponse    = &failure{"bad-response", http.StatusBadGateway, "The service behind this gateway gave no answer that can be passed on."}
	failTimeout     = &failure{"timeout", http.StatusGatewayTimeout, "The service behind this gateway took too long to answer."}
	failStalled     = &failure{"stalled", http.StatusRequestTimeout, "The body of the request did not arrive in time."}
	failNoRoute     = &failure{"no-route", http.StatusNotFound, "There is no service behind this gateway at this address."}
	failAmbiguous   = &failure{"ambiguous-path", http.StatusBadRequest, `The path can be read in two ways: write it without "%2F", "%5C", backslashes and semicolons.`}
	failMethod      = &failure{"method", http.StatusMethodNotAllowed, "This gateway opens no tunnels."}
	failBody        = &failure{"body", 0, ""} // the upstream broke off in the middle of its answer
	failClient      = &failure{"client", 0, ""}
)

// failureOf says what the error of a round trip is.
func failureOf(err error) *failure {
	var timeout net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		if dial.Timeout() {
			return failTimeout
		}
		return failUnreachable
	case errors.As(err, &timeout) && timeout.Timeout():
		return failTimeout
	}
	return failResponse
}
