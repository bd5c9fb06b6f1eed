//go:build unix

package main

import (
	"os"
	"syscall"
)

// become makes this process that of another program: signals are that one's. It
// returns only where it fails.
func become(path string, args []string) error {
	return syscall.Exec(path, args, os.Environ())
}
