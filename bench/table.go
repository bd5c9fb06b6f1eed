package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A key is one line of what go test prints: BenchmarkLookup/origins=10/subject=rs
// is {"Lookup", "10", "rs"}.
type key struct{ benchmark, row, subject string }

// A result is the values of one unit, such as "ns/op", over all counts.
type results map[key]map[string][]float64

func parse(output string) (results, error) {
	all := results{}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		parts := strings.Split(strings.TrimPrefix(fields[0], "Benchmark"), "/")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q: want a benchmark, a row and a subject", fields[0])
		}
		k := key{parts[0], value(parts[1]), processors.ReplaceAllString(value(parts[2]), "")}
		if all[k] == nil {
			all[k] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			all[k][fields[i+1]] = append(all[k][fields[i+1]], v)
		}
	}
	return all, nil
}

// processors is what go test adds to the name for GOMAXPROCS above 1.
var processors = regexp.MustCompile(`-[0-9]+$`)

func value(part string) string {
	_, v, _ := strings.Cut(part, "=")
	return v
}

func (r results) median(k key, unit string) (float64, bool) {
	values := slices.Sorted(slices.Values(r[k][unit]))
	if len(values) == 0 {
		return 0, false
	}
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle], true
	}
	return (values[middle-1] + values[middle]) / 2, true
}

var rows = []struct{ name, words string }{
	{"not-cors", "not CORS"},
	{"actual", "actual, allowed"},
	{"actual-refused", "actual, refused"},
	{"any-origin", "any origin"},
	{"preflight-0", "preflight, 0 names"},
	{"preflight-1", "preflight, 1 name"},
	{"preflight-10", "preflight, 10 names"},
	{"preflight-100", "preflight, 100 names"},
	{"preflight-refused", "preflight, refused"},
	{"origin-1MB-line", "1 MB of Origin, one line"},
	{"origin-1MB-lines", "1 MB of Origin, 30,000 lines"},
	{"names-1MB-line", "1 MB of names, one line"},
	{"names-1MB-lines", "1 MB of names, 30,000 lines"},
	{"subdomains-hit", "100 subdomain patterns, hit"},
	{"subdomains-miss", "100 subdomain patterns, miss"},
	{"observed", "actual, allowed, observed"},
}

// A column is a subject and what its numbers have to be read against: frameworks
// cannot be had without their router.
type column struct{ subject, over, words string }

var columns = []column{
	{"bare", "", "no middleware"},
	{"cors", "", "**cors**"},
	{"rs", "", "rs/cors"},
	{"chi", "", "go-chi/cors"},
	{"gorilla", "", "gorilla/handlers"},
	{"gin", "gin-bare", "gin-contrib/cors"},
	{"echo", "echo-bare", "echo"},
	{"fiber", "fiber-bare", "fiber"},
}

//go:embed testdata/faults.txt
var faults string

// middlewareTable has time and allocations, and a mark where the answer is not
// right.
func middlewareTable(r results) string {
	var b strings.Builder
	var notes []string
	heading(&b, "", columns)
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |", row.words)
		for _, c := range columns {
			cell := "–"
			if ns, ok := r.over(row.name, c, "ns/op"); ok {
				allocs, _ := r.over(row.name, c, "allocs/op")
				cell = fmt.Sprintf("%s, %.0f%s", duration(ns), allocs, mark(row.name, c.subject, &notes))
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\nMedian time and allocations for one request; gin's, echo's and fiber's beyond the framework without its middleware.")
	b.WriteString(" –: the configuration has no words for it.")
	for i, note := range notes {
		fmt.Fprintf(&b, " %s: %s.", superscript(i), note)
	}
	return b.String()
}

func (r results) over(row string, c column, unit string) (float64, bool) {
	v, ok := r.median(key{"Middleware", row, c.subject}, unit)
	base, _ := r.median(key{"Middleware", row, c.over}, unit)
	return v - base, ok
}

func mark(scenario, subject string, notes *[]string) string {
	var marks string
	for line := range strings.Lines(faults) {
		fields := strings.Fields(line)
		if fields[0] != scenario || fields[1] != subject {
			continue
		}
		note := strings.Join(fields[2:], " ")
		if !slices.Contains(*notes, note) {
			*notes = append(*notes, note)
		}
		marks += superscript(slices.Index(*notes, note))
	}
	return marks
}

func superscript(i int) string { return string([]rune("¹²³⁴⁵⁶⁷⁸⁹")[i]) }

// scaleTable has what a million origins cost to build, to keep and to look up.
func scaleTable(r results) string {
	var b strings.Builder
	for _, t := range []struct {
		words, benchmark, unit string
		format                 func(float64) string
	}{
		{"building", "Build", "ns/op", duration},
		{"bytes for each", "Build", "B/origin", func(v float64) string { return fmt.Sprintf("%.0f", v) }},
		{"looking one up", "Lookup", "ns/op", duration},
	} {
		heading(&b, t.words, columns[1:])
		for _, n := range []string{"1", "10", "100", "1000", "10000", "100000", "1000000"} {
			fmt.Fprintf(&b, "| %s |", thousands(n))
			for _, c := range columns[1:] {
				cell := "–"
				if v, ok := r.median(key{t.benchmark, n, c.subject}, t.unit); ok {
					cell = t.format(v)
				}
				fmt.Fprintf(&b, " %s |", cell)
			}
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Inputs that would cost a server most if it looked at all of them, with what
// cors answers.
var inputs = []struct{ name, words, answer string }{
	{"origin-line", "1 MB of Origin, one line", "handler, origin-syntax"},
	{"origin-lines", "30,000 lines of Origin", "handler, origin-syntax"},
	{"origin-almost", "the longest Origin that is parsed, 327 bytes", "handler, origin"},
	{"method-line", "1 MB of Access-Control-Request-Method", "403, request-method-syntax"},
	{"names-line", "1 MB of names, one line", "403, request-headers-length"},
	{"names-lines", "1 MB of names, 30,000 lines", "403, request-headers-length"},
	{"names-commas", "1 MB of commas", "403, request-headers-length"},
	{"names-empty", "1,000,000 empty lines of names", "403, request-headers-length"},
	{"budget-commas", "the budget of 16 KiB, all commas", "204"},
	{"budget-allowed", "the budget, one allowed name over and over", "204"},
	{"budget-case", "the same in upper case", "204"},
	{"budget-lines", "the budget over the 256 lines it may have", "204"},
	{"budget-unlisted", "the budget, one long name that is not listed", "403, request-header"},
	{"budget-blank", "the budget, all white space", "204"},
	{"budget-last", "the budget, and no token at its end", "403, request-headers-syntax"},
}

func hostileTable(r results) string {
	var b strings.Builder
	b.WriteString("| input | answer | time | allocations |\n|---|---|--:|--:|\n")
	for _, in := range inputs {
		k := key{"Hostile", in.name, "cors"}
		ns, ok := r.median(k, "ns/op")
		if !ok {
			continue
		}
		allocs, _ := r.median(k, "allocs/op")
		fmt.Fprintf(&b, "| %s | %s | %s | %.0f |\n", in.words, in.answer, duration(ns), allocs)
	}
	return b.String()
}

func heading(b *strings.Builder, corner string, columns []column) {
	fmt.Fprintf(b, "| %s |", corner)
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.words)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e4:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	case ns < 1e6:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	case ns < 1e7:
		return fmt.Sprintf("%.1f ms", ns/1e6)
	default:
		return fmt.Sprintf("%.0f ms", ns/1e6)
	}
}

func thousands(n string) string {
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n
}
