// Package public tells addresses of the public internet from others.
//
//	public.Is(netip.MustParseAddr("169.254.169.254")) // false
package public

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// ErrNot is the error for an address that is not public.
var ErrNot = errors.New("the address is not public")

// Dial is for [net.Dialer.ControlContext]: it refuses addresses that are not
// public. It is asked about the address that is dialled: what the name resolves
// to at another time does not matter.
func Dial(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dialling %q: %w", address, err)
	}
	if !Is(ap.Addr()) {
		return fmt.Errorf("dialling %q: %w", address, ErrNot)
	}
	return nil
}

// Is reports whether addr is of the public internet.
func Is(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !isSpecialPurpose(addr)
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
