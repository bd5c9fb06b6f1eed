package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
)

var scales = []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000}

// tenants returns n origins of 34 bytes.
func tenants(n int) []string { return numbered("https://tenant-%07d.example.com", n) }

func BenchmarkBuild(b *testing.B) {
	for _, n := range scales {
		origins := tenants(n)
		p := cors.Policy{Origins: origins, Methods: []string{"GET"}}
		for _, c := range columns[1:] {
			subject := subjectNamed(c.subject)
			b.Run(fmt.Sprintf("origins=%d/subject=%s", n, c.subject), func(b *testing.B) {
				bytes := bytesKept(subject, n)
				var kept *instance
				for b.Loop() {
					kept = subject.make(p, ask("GET", app, "", ""))
				}
				b.ReportMetric(bytes/float64(n), "B/origin")
				runtime.KeepAlive(kept)
			})
		}
	}
}

// bytesKept is what s keeps of n origins when nobody else does.
func bytesKept(s subject, n int) float64 {
	before := heap()
	kept := s.make(cors.Policy{Origins: tenants(n), Methods: []string{"GET"}}, ask("GET", app, "", ""))
	bytes := float64(heap()) - float64(before)
	runtime.KeepAlive(kept)
	return bytes
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what sync.Pool keeps for one cycle
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range scales {
		origins := tenants(n)
		p := cors.Policy{Origins: origins, Methods: []string{"GET"}}
		order := rand.New(rand.NewPCG(1, 2)).Perm(n)
		asked := make([]string, n)
		for i, j := range order {
			asked[i] = strings.Clone(origins[j]) // in order in memory, as a request just read is near at hand
		}
		for _, c := range columns[1:] {
			instance := subjectNamed(c.subject).make(p, ask("GET", app, "", ""))
			b.Run(fmt.Sprintf("origins=%d/subject=%s", n, c.subject), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					instance.origin(asked[i%n])
					instance.serve()
				}
			})
		}
	}
}

func subjectNamed(name string) subject {
	for _, s := range subjects {
		if s.name == name {
			return s
		}
	}
	panic(name)
}
