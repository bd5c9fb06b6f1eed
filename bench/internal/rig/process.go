package rig

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Process is a server that this program has started.
type Process struct {
	command *exec.Cmd
	output  output
	ended   chan struct{}
}

// Program returns path, or where that is "" the path of the command of the package
// at pkg, which it builds in dir.
func Program(path, dir, pkg string) (string, error) {
	if path != "" {
		return path, nil
	}
	path = filepath.Join(dir, filepath.Base(pkg))
	if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w: %s", pkg, err, out)
	}
	return path, nil
}

// Start runs the command on the processors, written as taskset takes them, and
// returns when address accepts connections.
func Start(processors, address string, command ...string) (*Process, error) {
	p := &Process{ended: make(chan struct{})}
	p.command = exec.Command("taskset", append([]string{"-c", processors}, command...)...)
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	go func() {
		p.command.Wait()
		close(p.ended)
	}()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s ended before it served: %s", command[0], p.output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if c, err := net.Dial("tcp", address); err == nil {
			return p, c.Close()
		}
	}
	p.Stop()
	return nil, fmt.Errorf("%s does not serve on %s: %s", command[0], address, p.output.String())
}

// Stop ends the process and waits until it has ended.
func (p *Process) Stop() {
	p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		p.command.Process.Kill()
		<-p.ended
	}
}

// Signal sends the process a signal; taskset has become it.
func (p *Process) Signal(s os.Signal) error { return p.command.Process.Signal(s) }

// Output is what the process has written so far.
func (p *Process) Output() string { return p.output.String() }

// Processor is the time that the process and its children have had a processor.
func (p *Process) Processor() (time.Duration, error) {
	total := time.Duration(0)
	for _, pid := range family(p.command.Process.Pid) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		// The name, in parentheses, may hold spaces. Ticks are hundredths of a second
		// wherever Go runs on Linux.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, field := range fields[11:13] {
			ticks, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total, nil
}

// Memory is the bytes that the process and its children hold: their
// proportional set size, so that what workers share is counted once.
func (p *Process) Memory() (int, error) {
	total := 0
	for _, pid := range family(p.command.Process.Pid) {
		of, err := memory(pid)
		if err != nil {
			return 0, err
		}
		total += of
	}
	return total, nil
}

func memory(pid int) (int, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(rollup)) {
		if fields := strings.Fields(line); fields[0] == "Pss:" {
			kB, err := strconv.Atoi(fields[1])
			return kB * 1024, err
		}
	}
	return 0, errors.New("smaps_rollup without a Pss")
}

// family is a process and all that it has started.
func family(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended meanwhile
		}
		for _, child := range strings.Fields(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				all = append(all, family(id)...)
			}
		}
	}
	return all
}

// An output keeps what is written to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
