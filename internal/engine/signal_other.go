//go:build !unix

package engine

import "syscall"

// sigUSR2 is one that no process takes: engines are not reloaded here.
const sigUSR2 = syscall.Signal(12)
