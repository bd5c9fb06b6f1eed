//go:build unix

package engine

import "syscall"

const sigUSR2 = syscall.SIGUSR2
