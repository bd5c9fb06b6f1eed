package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
)

// hostile returns the request of an input, by the names in the table.
func hostile(name string) request {
	const kib = 1 << 10
	repeat := func(s string, n int) []string { return []string{strings.Repeat(s, n)} }
	lines := func(s string, n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = s
		}
		return all
	}
	r := ask("OPTIONS", app, "PUT", "")
	switch name {
	case "origin-line":
		r = request{"GET", http.Header{"Origin": repeat("https://a", 1<<20/9)}}
	case "origin-lines":
		r = request{"GET", http.Header{"Origin": lines("https://app.example.com/padding-pad", 30000)}}
	case "origin-almost":
		host := strings.Repeat(strings.Repeat("a", 62)+".", 4)
		r = request{"GET", http.Header{"Origin": {strings.Repeat("x", 64) + "://" + host + "a:65535"}}}
	case "method-line":
		r.header["Access-Control-Request-Method"] = repeat("A", 1<<20)
	case "names-line":
		r.header["Access-Control-Request-Headers"] = repeat("x-name-001,", 1<<20/11)
	case "names-lines":
		r.header["Access-Control-Request-Headers"] = lines("x-name-001,x-name-002,x-name-003,xx", 30000)
	case "names-commas":
		r.header["Access-Control-Request-Headers"] = repeat(",", 1<<20)
	case "names-empty":
		r.header["Access-Control-Request-Headers"] = lines("", 1e6)
	case "budget-commas":
		r.header["Access-Control-Request-Headers"] = repeat(",", 16*kib)
	case "budget-allowed":
		r.header["Access-Control-Request-Headers"] = repeat("x-a,", 4*kib)
	case "budget-case":
		r.header["Access-Control-Request-Headers"] = repeat("X-A,", 4*kib)
	case "budget-lines":
		r.header["Access-Control-Request-Headers"] = lines(strings.Repeat("x-a,", 16), 256)
	case "budget-unlisted":
		r.header["Access-Control-Request-Headers"] = repeat("a", 16*kib)
	case "budget-blank":
		r.header["Access-Control-Request-Headers"] = repeat(" ", 16*kib)
	case "budget-last":
		r.header["Access-Control-Request-Headers"] = []string{strings.Repeat("x-a,", 4*kib-1) + "x@"}
	default:
		panic(name)
	}
	return r
}

var hostilePolicy = policy([]string{app, "https://*.example.org"}, append(numbered("x-name-%03d", 10), "X-A"))

func BenchmarkHostile(b *testing.B) {
	for _, in := range inputs {
		instance := subjectNamed("cors").make(hostilePolicy, hostile(in.name))
		b.Run("row="+in.name+"/subject=cors", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				instance.serve()
			}
		})
	}
}

func TestHostileInputIsAnsweredAsTheTableSays(t *testing.T) {
	for _, in := range inputs {
		var told cors.Decision
		m := newCORS(hostilePolicy)
		m.Observe(func(_ *http.Request, d cors.Decision) { told = d })
		reached := false
		status, h := overHTTP(m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })), hostile(in.name)).answer()
		got := fmt.Sprint(status)
		if reached {
			got = "handler"
		}
		if !told.Allowed {
			got += ", " + told.Reason.String()
		}
		if got != in.answer {
			t.Errorf("%s: %s, want %s", in.words, got, in.answer)
		}
		size := 0
		for name, values := range h {
			for _, v := range values {
				size += len(name) + len(v)
			}
		}
		if size > 16<<10+256*len("Access-Control-Allow-Headers")+300 {
			t.Errorf("%s: the response has %d bytes of header", in.words, size)
		}
	}
}
