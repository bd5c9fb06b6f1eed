package rig

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// A Place says which processors each party has, as taskset takes them.
type Place struct {
	Server, Upstream, Wrk string
}

// Places gives the server that is measured a processor of its own, if there are
// two, the upstream another, if there are three, and wrk the rest.
func Places() (Place, error) {
	have, err := processors()
	if err != nil {
		return Place{}, err
	}
	switch n := len(have); {
	case n >= 3:
		return Place{Server: have[1], Upstream: have[2], Wrk: strings.Join(append([]string{have[0]}, have[3:min(n, 5)]...), ",")}, nil
	case n == 2:
		return Place{Server: have[1], Upstream: have[0], Wrk: have[0]}, nil
	}
	return Place{Server: have[0], Upstream: have[0], Wrk: have[0]}, nil
}

// String says it, and what it does to the figures.
func (p Place) String() string {
	s := fmt.Sprintf("Of the processors that there are the server has %s, its upstream %s, wrk %s", p.Server, p.Upstream, p.Wrk)
	switch {
	case p.Server == p.Wrk:
		return s + ": all share one, and only times of the processor mean anything."
	case p.Upstream == p.Wrk:
		return s + ": wrk and the upstream share one, so a fast proxy may wait for them; then the times of the processor are what to compare."
	}
	return s + "."
}

// processors are those that this process may use.
func processors() ([]string, error) {
	var set [128]uint64
	size, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if errno != 0 {
		return nil, os.NewSyscallError("sched_getaffinity", errno)
	}
	var all []string
	for i, word := range set[:size/8] {
		for ; word != 0; word &= word - 1 {
			all = append(all, strconv.Itoa(i*64+bits.TrailingZeros64(word)))
		}
	}
	return all, nil
}
