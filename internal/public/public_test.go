package public_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/crossorigin/cors/internal/public"
)

func TestIs(t *testing.T) {
	tests := []struct {
		row, addr string
		want      bool
	}{
		{"a public address", "1.1.1.1", true},
		{"a public IPv6 address", "2606:4700:4700::1111", true},
		{"loopback", "127.0.0.1", false},
		{"loopback inside IPv6", "::ffff:127.0.0.1", false},
		{"a cloud's metadata", "169.254.169.254", false},
		{"a private network", "10.1.2.3", false},
		{"a unique local address", "fd00::1", false},
		{"shared address space", "100.64.0.1", false},
		{"IPv4 behind a translator", "64:ff9b::7f00:1", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			addr := netip.MustParseAddr(tt.addr)
			if got := public.Is(addr); got != tt.want {
				t.Errorf("Is(%q) = %t, want %t", tt.addr, got, tt.want)
			}
			err := public.Dial(t.Context(), "tcp", netip.AddrPortFrom(addr, 443).String(), nil)
			if refused := errors.Is(err, public.ErrNot); refused == tt.want {
				t.Errorf("Dial(%q) = %v", tt.addr, err)
			}
		})
	}
}
