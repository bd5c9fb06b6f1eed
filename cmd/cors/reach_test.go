package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/console"
)

func TestTheDemoSaysWhoCanReachItsPage(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:8081": false, "0.0.0.0:8081": true} {
		page, err := newConsolePage(&fakeListener{address: address}, "localhost", console.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		welcome(&out, page, "http://localhost:8080")
		if got := strings.Contains(out.String(), "Other machines reach the page too"); got != want {
			t.Errorf("at %s it warns: %t, want %t", address, got, want)
		}
	}
}

func TestPlaySaysWhoCanReachIt(t *testing.T) {
	for address, want := range map[string]string{
		"localhost:0": "it is for this machine.",
		"0.0.0.0:0":   "it is for all machines that reach this\none, and nothing encrypts it; --listen localhost:8090 keeps it here.",
	} {
		t.Run(address, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // it says so, and ends
			var out bytes.Buffer
			cmd := newPlay()
			cmd.SetArgs([]string{"--listen", address})
			cmd.SetOut(&out)
			if err := cmd.ExecuteContext(ctx); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), want) {
				t.Errorf("it says\n%s\nwant %q in it", out.String(), want)
			}
		})
	}
}
