//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestManyTargetsAreResumed interrupts an audit of many servers half-way: the
// second run asks about those that are left, and about no other. There are 100;
// CORS_AUDIT_TARGETS=10000 makes it ten thousand, and -v says how long they took
// and how much memory.
func TestManyTargetsAreResumed(t *testing.T) {
	n := 100
	if text := os.Getenv("CORS_AUDIT_TARGETS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 2 || n > 60_000 {
			t.Fatalf("CORS_AUDIT_TARGETS: %q is no number of targets; write one from 2 to 60000", text)
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp4", "0.0.0.0:0") // 127.0.0.0/8 is this machine
	if err != nil {
		t.Skip(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(careless)}} // trusts what ends like a name
	server.Start()
	defer server.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	var targets strings.Builder
	for i := range n {
		fmt.Fprintf(&targets, "http://127.1.%d.%d:%s/api/\n", i/250, i%250+1, port)
	}
	list, records := filepath.Join(dir, "targets.txt"), filepath.Join(dir, "records.jsonl")
	if err := os.WriteFile(list, []byte(targets.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	done := func() int {
		text, _ := os.ReadFile(records)
		return bytes.Count(text, []byte("\n"))
	}
	// run is how long it takes, and the most memory, until the half is done or all.
	run := func(enough int) (took time.Duration, kB int) {
		cmd := exec.Command(filepath.Join(dir, "cors"), "audit", "--private-addresses", "--rate", "1000", "--concurrency", "16",
			"--targets", list, "--resume", records, "--quiet")
		var said bytes.Buffer
		cmd.Stderr = &said
		from := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for interrupted := false; ; {
			select {
			case <-ended:
				want := 1 // there are findings
				if interrupted {
					want = 3
				}
				if code := cmd.ProcessState.ExitCode(); code != want {
					t.Fatalf("exit code %d, want %d\n%s", code, want, said.String())
				}
				return time.Since(from), kB
			case <-time.After(20 * time.Millisecond):
				// What the system says of a process that has ended is no less than what
				// its parent took when it began.
				if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)); err == nil {
					if _, peak, ok := strings.Cut(string(status), "VmHWM:"); ok {
						fmt.Sscan(peak, &kB)
					}
				}
				if !interrupted && enough < n && done() >= enough {
					interrupted = true
					cmd.Process.Signal(syscall.SIGINT)
				}
			}
		}
	}
	took, memory := run(n / 2)
	first := done()
	if first < n/2 || first == n {
		t.Fatalf("%d of %d are done when it is interrupted half-way", first, n)
	}
	t.Logf("interrupted at %d of %d: %.0f targets a second, %d MB", first, n, float64(first)/took.Seconds(), memory>>10)
	took, memory = run(n)
	t.Logf("resumed: %.0f targets a second, %d MB", float64(n-first)/took.Seconds(), memory>>10)
	times := map[string]int{}
	err = readRecords(records, func(record *auditRecord) error {
		times[record.URL]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for url := range strings.FieldsSeq(targets.String()) {
		if times[url] != 1 {
			t.Errorf("%s is done %d times", url, times[url])
		}
	}
	if len(times) != n {
		t.Errorf("%d URLs are done, want %d", len(times), n)
	}
}
