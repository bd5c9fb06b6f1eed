package origin_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/crossorigin/cors/origin"
)

var sink bool

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"https://app.example.com", "https://a.example.com:8443", "http://127.0.0.1:3000", "http://[2001:db8::1]"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := origin.Parse(s)
				sink = err == nil
			}
		})
	}
}

// tenants returns n origins of some 33 bytes.
func tenants(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("https://tenant-%07d.example.com", i)
	}
	return out
}

func BenchmarkSetAMillionBuilt(b *testing.B) {
	origins := tenants(1e6)
	b.ReportAllocs()
	for b.Loop() {
		var set origin.Set
		b.StopTimer()
		before := heap()
		b.StartTimer()
		if err := set.Add(origins...); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/1e6, "B/origin")
		runtime.KeepAlive(&set)
		b.StartTimer()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkSetLookup(b *testing.B) {
	for _, n := range []int{1, 1e3, 1e6} {
		origins := tenants(n)
		var set origin.Set
		if err := set.Add(origins...); err != nil {
			b.Fatal(err)
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { origins[i], origins[j] = origins[j], origins[i] })
		for i := range origins {
			origins[i] = strings.Clone(origins[i]) // in order in memory, as a request just read is near at hand
		}
		b.Run(fmt.Sprintf("exact=%d/hit", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sink = set.ContainsString(origins[i%n])
			}
		})
	}
	for _, n := range []int{1, 100, 1e4} {
		benchmarkPatterns(b, fmt.Sprintf("subdomains=%d", n), n, "https://*.tenant-%05d.example", "https://app.tenant-00000.example", "https://app.tenant-x.example")
		benchmarkPatterns(b, fmt.Sprintf("labels=%d", n), n, "https://tenant-%05d-*.example.com", "https://tenant-00000-7.example.com", "https://tenant-x-7.example.com")
	}
}

func benchmarkPatterns(b *testing.B, name string, n int, format, hit, miss string) {
	var set origin.Set
	patterns := make([]string, n)
	for i := range patterns {
		patterns[i] = fmt.Sprintf(format, i)
	}
	if err := set.Add(patterns...); err != nil {
		b.Fatal(err)
	}
	for _, s := range []string{hit, miss} {
		want := s == hit
		b.Run(fmt.Sprintf("%s/hit=%t", name, want), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if set.ContainsString(s) != want {
					b.Fatal(s)
				}
			}
		})
	}
}
