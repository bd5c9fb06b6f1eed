package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/cmd/internal/report"
)

// A target is a URL, and where it stands if that is a file.
type target struct {
	url, file string
	line      int
}

// targets are those of the command line, and then of a file.
type targets struct {
	args []string
	file io.ReadCloser // or nil
	name string
	part shard
}

func openTargets(args []string, name string, part shard, stdin io.Reader) (*targets, error) {
	t := &targets{args: args, name: name, part: part}
	switch name {
	case "":
	case "-":
		t.file = io.NopCloser(stdin)
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, report.Misused("--targets: %w", err)
		}
		t.file = f
	}
	return t, nil
}

func (t *targets) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// total is how many there are that are not done, 0 where none can tell: a file is
// read twice for that, a stream once.
func (t *targets) total(done *resumed) int {
	file, _ := t.file.(*os.File)
	if t.file != nil {
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
			return 0
		}
	}
	n, failed := 0, error(nil)
	for at := range t.all(&failed) {
		if !done.has(at.url) {
			n++
		}
	}
	if file != nil {
		if _, err := file.Seek(0, io.SeekStart); err != nil || failed != nil {
			return 0
		}
	}
	return n
}

// maxLine is the longest line of a file of targets.
const maxLine = 64 << 10

// all are the targets of this part, one by one. Where the file cannot be read to
// its end, *failed says why.
func (t *targets) all(failed *error) iter.Seq[target] {
	return func(yield func(target) bool) {
		for _, u := range t.args {
			if t.part.has(u) && !yield(target{url: u}) {
				return
			}
		}
		if t.file == nil {
			return
		}
		lines := bufio.NewScanner(t.file)
		lines.Buffer(nil, maxLine)
		n := 0
		for lines.Scan() {
			n++
			u := strings.TrimSpace(lines.Text())
			if u == "" || strings.HasPrefix(u, "#") || !t.part.has(u) {
				continue
			}
			at := target{url: u, file: t.name, line: n}
			if t.name == "-" {
				at.file, at.line = "", 0
			}
			if !yield(at) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			*failed = report.Misused("--targets: %s, line %d: %w", t.name, n+1, err)
		}
	}
}

// A shard is one part of several: a host is in one, so that the pace at which it
// is asked is kept. The zero shard is all.
type shard struct{ i, n uint64 }

func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{}, nil
	}
	first, second, ok := strings.Cut(text, "/")
	i, err := strconv.ParseUint(first, 10, 32)
	n, err2 := strconv.ParseUint(second, 10, 32)
	if !ok || err != nil || err2 != nil || n < 1 || i > n {
		return shard{}, fmt.Errorf("--shard: %q is no part; write the third of sixteen as 3/16", text)
	}
	// Where parts are counted from zero, 0/16 stands for 16/16.
	return shard{(i + n - 1) % n, n}, nil
}

func (s shard) has(target string) bool {
	if s.n == 0 {
		return true
	}
	host := target
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		host = strings.ToLower(u.Host)
	}
	return hash(host)%s.n == s.i
}

func hash(s string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, s)
	return h.Sum64()
}

// A resumed file is one of JSON lines, to which a run adds a line for each URL
// that is done.
type resumed struct {
	file *os.File // or nil
	done map[uint64]struct{}
}

// openResumed reads what is done already, and tells of it. A line that was cut
// off where the run before was ended is removed.
func openResumed(path string, told *auditReport) (*resumed, error) {
	r := &resumed{done: map[uint64]struct{}{}}
	if path == "" {
		return r, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, report.Misused("--resume: %w", err)
	}
	r.file = f
	end, err := scanRecords(f, path, func(record *auditRecord) error {
		r.done[hash(record.URL)] = struct{}{}
		return told.again(record)
	})
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, report.Misused("--resume: %w", err)
	}
	return r, nil
}

func (r *resumed) close() {
	if r.file != nil {
		r.file.Close()
	}
}

func (r *resumed) has(url string) bool {
	_, ok := r.done[hash(url)]
	return ok
}

func (r *resumed) write(record *auditRecord) error {
	if r.file == nil {
		return nil
	}
	return writeRecord(r.file, record)
}

// writeRecord writes a line in one piece.
func writeRecord(w io.Writer, record *auditRecord) error {
	var line strings.Builder
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(record); err != nil {
		return err
	}
	_, err := io.WriteString(w, line.String())
	return err
}

// readRecords reads a file of JSON lines.
func readRecords(path string, each func(*auditRecord) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = scanRecords(f, path, each)
	return err
}

// scanRecords reads lines, and returns where the last whole one ends.
func scanRecords(r io.Reader, path string, each func(*auditRecord) error) (end int64, err error) {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil // without an end of line it is no whole one
		}
		if err != nil {
			return end, fmt.Errorf("%s: %w", path, err)
		}
		record := new(auditRecord)
		if err := json.Unmarshal(line, record); err != nil || record.SchemaVersion != auditVersion || record.URL == "" {
			return end, fmt.Errorf("%s, line %d: this is no record of cors audit; give a file that --json or --resume wrote", path, n)
		}
		if err := each(record); err != nil {
			return end, err
		}
		end += int64(len(line))
	}
}
