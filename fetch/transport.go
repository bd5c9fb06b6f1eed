package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const tlsTimeout = 10 * time.Second

// newTransport returns the transport of a browser that is given none.
func newTransport(b *Browser) *wireTransport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	if b.RefusePrivateAddresses {
		// Asked about the address that is dialled: what the name resolves to at
		// another time does not matter.
		dialer.ControlContext = refusePrivate
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

var errPrivateAddress = errors.New("the address is not public")

func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dialling %q: %w", address, err)
	}
	addr := ap.Addr().Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || isSpecialPurpose(addr) {
		return fmt.Errorf("dialling %q: %w", address, errPrivateAddress)
	}
	return nil
}

// isSpecialPurpose reports whether addr is in a block that is not the public
// internet beyond those that netip knows: shared address space, the network
// itself, documentation, benchmarks, reserved, and IPv4 inside IPv6.
//
// https://www.iana.org/assignments/iana-ipv4-special-registry/
func isSpecialPurpose(addr netip.Addr) bool {
	for _, block := range specialPurpose {
		if block.Contains(addr) {
			return true
		}
	}
	return false
}

var specialPurpose = func() (blocks []netip.Prefix) {
	for _, block := range strings.Fields(`
		0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
		::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fec0::/10`) {
		blocks = append(blocks, netip.MustParsePrefix(block))
	}
	return blocks
}()
