// Command bench measures cors beside its peers and writes the tables of
// docs/performance.md:
//
//	go run ./bench
//
// It takes about half an hour, and wants the machine for itself.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A section is a part of the document between two comments that name it, and
// the measurement that writes it anew.
type section struct {
	name    string
	measure func() (string, error)
}

var (
	document = flag.String("doc", "docs/performance.md", "the document whose tables are written")
	raw      = flag.String("raw", "", "where to leave what go test printed, for benchstat (the section's name is added)")
	count    = flag.Int("count", 10, "how many rounds are run")
	with     = flag.String("with", "", `a command to run the benchmarks with, such as "nice -n -10" where the machine has other work`)
	only     = flag.String("only", "", "measure these sections alone, such as middleware,scale")
)

var sections = []section{
	{"middleware", func() (string, error) {
		results, err := benchmark("middleware", "Middleware", "100ms")
		return middlewareTable(results), err
	}},
	{"scale", func() (string, error) {
		results, err := benchmark("scale", "Build|Lookup", "50ms")
		return scaleTable(results), err
	}},
	{"hostile", func() (string, error) {
		results, err := benchmark("hostile", "Hostile", "50ms")
		return hostileTable(results), err
	}},
	{"gateway", func() (string, error) { return program("./bench/gateway") }},
	{"engines", func() (string, error) { return program("./bench/engines") }},
	{"reload", func() (string, error) { return program("./bench/reload") }},
	{"slow", func() (string, error) { return program("./bench/slow") }},
}

func main() {
	flag.Parse()
	for _, s := range sections {
		if *only != "" && !strings.Contains(","+*only+",", ","+s.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", s.name)
		table, err := s.measure()
		if err == nil {
			err = replace(*document, s.name, table)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", s.name, err)
			os.Exit(1)
		}
	}
}

// benchmark runs the benchmarks whose names match, one processor each, so that
// a peer that makes garbage pays for its collection; in rounds, so that what
// disturbs the machine for a while disturbs them all.
func benchmark(name, match, time string) (results, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if _, err := run("go", "test", "-c", "-o", binary, "./bench"); err != nil {
		return nil, err
	}
	command := append(strings.Fields(*with), binary, "-test.run", "^$", "-test.cpu", "1", "-test.bench", match, "-test.benchtime", time)
	var all []byte
	for range *count {
		out, err := run(command...)
		if err != nil {
			return nil, err
		}
		all = append(all, out...)
	}
	if *raw != "" {
		if err := os.WriteFile(*raw+name+".txt", all, 0o644); err != nil {
			return nil, err
		}
	}
	return parse(string(all))
}

func program(path string) (string, error) {
	out, err := run("go", "run", path)
	return string(out), err
}

func run(command ...string) ([]byte, error) {
	c := exec.Command(command[0], command[1:]...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
	}
	return out, nil
}

// replace writes text into the document, between the comments of its section.
func replace(document, name, text string) error {
	old, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	begin, end := "<!-- measured: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, ok := bytes.Cut(old, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q to write between", document, strings.TrimSpace(begin), end)
	}
	return os.WriteFile(document, []byte(string(before)+begin+"\n"+strings.TrimSpace(text)+"\n\n"+end+string(after)), 0o644)
}
