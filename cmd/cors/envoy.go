package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/processor"
	"github.com/crossorigin/cors/cmd/internal/report"
)

// newEnvoy returns the verb that becomes another program.
func newEnvoy() *cobra.Command {
	return processor.New("envoy", func(*cobra.Command, *processor.Flags) error {
		path, err := findBeside(processor.Program)
		if err != nil {
			return report.Misused("%s, which carries this out, is not installed: %w", processor.Program, err).
				WithHint("install it beside cors: go install github.com/crossorigin/cors/cmd/%s@latest", processor.Program)
		}
		// The verb is the first argument: nothing that cors has could be before it.
		args := append([]string{processor.Program}, os.Args[2:]...)
		return fmt.Errorf("running %s: %w", path, become(path, args))
	})
}

// findBeside finds a program in the folder of this one, or else on the path.
func findBeside(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("it is neither in the folder of cors nor on the PATH")
	}
	return path, err
}
