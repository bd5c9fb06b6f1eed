//go:build !unix

package browser

import "os/exec"

// Without groups the browser's processes are to end with the first.
func group(*exec.Cmd) {}

func endGroup(c *exec.Cmd) error { return c.Process.Kill() }

func killGroup(c *exec.Cmd) error { return c.Process.Kill() }
