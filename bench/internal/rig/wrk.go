package rig

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed wrk.lua
var script []byte

// A Load is what wrk saw.
type Load struct {
	Requests  int
	Failed    int // of connections, reads, writes and time, and answers from 400 on
	PerSecond float64
	Median    time.Duration
	P99       time.Duration
}

// Wrk sends the same request over 64 connections for so long.
func Wrk(processors string, d time.Duration, method, url string, headers ...string) (Load, error) {
	dir, err := os.MkdirTemp("", "bench-wrk")
	if err != nil {
		return Load{}, err
	}
	defer os.RemoveAll(dir)
	lua := filepath.Join(dir, "wrk.lua")
	if err := os.WriteFile(lua, script, 0o600); err != nil {
		return Load{}, err
	}
	args := []string{"-c", processors, "wrk", "--timeout", "10s", "-t2", "-c64", "-d", fmt.Sprintf("%.0fs", d.Seconds()), "-s", lua}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	out, err := exec.Command("taskset", append(args, url, "--", method)...).CombinedOutput()
	if err != nil {
		return Load{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "result ") })
	if i < 0 {
		return Load{}, fmt.Errorf("wrk said no result: %s", out)
	}
	var l Load
	var took, median, p99 float64 // µs
	if _, err := fmt.Sscanf(lines[i], "result %d %d %f %f %f", &l.Requests, &l.Failed, &took, &median, &p99); err != nil {
		return Load{}, fmt.Errorf("wrk said %q: %w", lines[i], err)
	}
	l.PerSecond = float64(l.Requests) / took * 1e6
	l.Median, l.P99 = time.Duration(median)*time.Microsecond, time.Duration(p99)*time.Microsecond
	return l, nil
}
