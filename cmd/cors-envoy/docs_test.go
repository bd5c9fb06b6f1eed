package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/processor"
)

// TestThePagesShowTheFlags holds docs/envoy.md to the flags of the command.
func TestThePagesShowTheFlags(t *testing.T) {
	want := processor.New(processor.Program, func(*cobra.Command, *processor.Flags) error { return nil }).Flags().FlagUsagesWrapped(80)
	for _, name := range []string{"envoy.md", "envoy.ja.md"} {
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)<!-- help -->\n```\n(.*?)```").FindSubmatch(page)
		if shown == nil || string(shown[1]) != want {
			t.Errorf("docs/%s shows\n%s\nand --help says\n%s", name, shown, want)
		}
	}
}
