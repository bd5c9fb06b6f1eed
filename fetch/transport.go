package fetch

import (
	"net"
	"net/http"
	"time"

	"github.com/crossorigin/cors/internal/public"
)

const tlsTimeout = 10 * time.Second

// newTransport returns the transport of a browser that is given none.
func newTransport(b *Browser) *wireTransport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	if b.RefusePrivateAddresses {
		dialer.ControlContext = public.Dial
	}
	dial := dialContext(dialer.DialContext)
	if b.Dial != nil {
		dial = b.Dial
	}
	return &wireTransport{limit: b.Limits.headerBytes(), Transport: &http.Transport{
		DialContext:            dial.plain,
		DialTLSContext:         dial.tls,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    6, // as browsers have it
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: b.Limits.headerBytes(),
	}}
}
