package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

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
