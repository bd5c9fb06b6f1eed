package origin_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/origin"
)

func TestASetAddsAllOrNothing(t *testing.T) {
	var set origin.Set
	err := set.Add("https://a.example", "https://b.example/", "https://*.example", "https://*.com")
	if err == nil {
		t.Fatal("Add took two patterns that are wrong")
	}
	var pe *origin.PatternError
	if !errors.As(err, &pe) || pe.Value != "https://b.example/" {
		t.Errorf("Add() = %v, want a *PatternError for the first that is wrong", err)
	}
	if !strings.Contains(err.Error(), "https://*.com") {
		t.Errorf("Add() = %v, want it to tell of the last one too", err)
	}
	if set.Len() != 0 || set.ContainsString("https://a.example") {
		t.Errorf("after an error: Len() = %d, want an empty set", set.Len())
	}
}

func TestASetForgetsWhatIsRemoved(t *testing.T) {
	tests := []struct{ row, pattern, origin string }{
		{"an exact origin", "https://a.example", "https://a.example"},
		{"subdomains", "https://*.example.com", "https://a.example.com"},
		{"a wildcard within a label", "https://*-a.example.com", "https://x-a.example.com"},
		{"any port", "http://localhost:*", "http://localhost:3000"},
		{"any host of a scheme", "moz-extension://*", "moz-extension://x"},
		{"opaque origins", "null", "null"},
		{"every origin", "*", "https://a.example"},
		{"what only InsecureParsePattern takes", "https://*.github.io", "https://a.github.io"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			p, err := origin.InsecureParsePattern(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			var set origin.Set
			set.AddPattern(p)
			set.AddPattern(p)
			if set.Len() != 1 || !set.ContainsString(tt.origin) {
				t.Fatalf("after AddPattern(%q): Len() = %d, ContainsString(%q) = %t", tt.pattern, set.Len(), tt.origin, set.ContainsString(tt.origin))
			}
			for range 2 { // the second finds it gone
				if err := set.Remove(tt.pattern); err != nil {
					t.Fatal(err)
				}
			}
			if set.Len() != 0 || set.ContainsString(tt.origin) || set.Contains(parse(t, tt.origin)) {
				t.Errorf("after Remove(%q): Len() = %d, ContainsString(%q) = %t", tt.pattern, set.Len(), tt.origin, set.ContainsString(tt.origin))
			}
		})
	}
}

func TestTheZeroPatternMatchesNothing(t *testing.T) {
	var set origin.Set
	set.AddPattern(origin.Pattern{})
	for _, s := range []string{"null", "https://a.example", "file://"} {
		if o := parse(t, s); (origin.Pattern{}).Match(o) || set.Contains(o) {
			t.Errorf("the zero Pattern matches %q", s)
		}
	}
}

// Those that stay are found and those that were never added are not, whatever
// else comes and goes. Run with the race detector, this is the promise of Set.
func TestASetIsReadWhileItChanges(t *testing.T) {
	var set origin.Set
	stay := tenants(500)
	if err := set.Add(append(stay, "https://*.stay.example", "https://*-stay.example.com", "http://localhost:*")...); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, "https://a.b.stay.example", "https://x-stay.example.com", "http://localhost:3000")

	var writers, readers sync.WaitGroup
	var done atomic.Bool
	for w := range 2 {
		writers.Go(func() {
			for i := range 3000 {
				exact, wild := fmt.Sprintf("https://go-%d-%d.example.com", w, i), fmt.Sprintf("https://*.go-%d-%d.example.com", w, i%7)
				if err := errors.Join(set.Add(exact, wild), set.Remove(exact)); err != nil {
					t.Error(err)
				}
				if set.ContainsString(exact) {
					t.Errorf("%q is there after Remove", exact)
				}
				if i%3 == 0 {
					if err := set.Remove(wild); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for i := 0; !done.Load(); i++ {
				if s := stay[i%len(stay)]; !set.ContainsString(s) || !set.Contains(parse(t, s)) {
					t.Errorf("%q is not there", s)
				}
				if s := fmt.Sprintf("https://never-%d.example.com", i); set.ContainsString(s) {
					t.Errorf("%q is there", s)
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
}

func TestAMillionOriginsTakeFiftyBytesEach(t *testing.T) {
	origins := tenants(1e6)
	var set origin.Set
	before := heap()
	if err := set.Add(origins...); err != nil {
		t.Fatal(err)
	}
	if each := float64(heap()-before) / 1e6; each > 50 {
		t.Errorf("an origin of %d bytes takes %.1f bytes, want at most 50", len(origins[0]), each)
	}
	runtime.KeepAlive(&set)
}

func TestASetThatChangesForLongStaysSmall(t *testing.T) {
	tests := []struct {
		row    string
		change func(set *origin.Set, i int) error
	}{
		{"one comes and goes", func(set *origin.Set, i int) error {
			s := fmt.Sprintf("https://%d.example.com", i)
			return errors.Join(set.Add(s), set.Remove(s))
		}},
		{"each comes as the one before goes", func(set *origin.Set, i int) error {
			return errors.Join(set.Add(fmt.Sprintf("https://%d.example.com", i)), set.Remove(fmt.Sprintf("https://%d.example.com", i-1)))
		}},
		{"the same ones are added again", func(set *origin.Set, i int) error {
			return set.Add(fmt.Sprintf("https://%d.example.com", i%9), "https://a.example", "https://b.example")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var set origin.Set
			before := heap()
			for i := range 50_000 {
				if err := tt.change(&set, i); err != nil {
					t.Fatal(err)
				}
			}
			if size := int64(heap() - before); size > 64<<10 {
				t.Errorf("%d origins take %d bytes", set.Len(), size)
			}
			runtime.KeepAlive(&set)
		})
	}
}

func TestASetGrowsOneByOne(t *testing.T) {
	origins := tenants(100_000)
	var set origin.Set
	for i, s := range origins {
		if err := set.Add(s); err != nil {
			t.Fatal(err)
		}
		if !set.ContainsString(s) || set.Len() != i+1 {
			t.Fatalf("after Add(%q): Len() = %d", s, set.Len())
		}
	}
	for _, s := range origins {
		if !set.ContainsString(s) {
			t.Fatalf("%q is not there", s)
		}
	}
}

// What a request brings is judged without an allocation, whatever it is.
func TestNothingThatARequestBringsAllocates(t *testing.T) {
	var set origin.Set
	patterns := append(tenants(1000), "https://*.example.com", "https://*-a.example.com", "http://localhost:*", "moz-extension://*")
	if err := set.Add(patterns...); err != nil {
		t.Fatal(err)
	}
	inputs := []string{
		"https://tenant-0000007.example.com", "https://a.b.example.com", "https://x-a.example.com:1", "https://a.example.net", "http://localhost:3000",
		"null", "http://127.0.0.1:3000", "http://[2001:db8::1]:8080", "http://[::ffff:c000:201]", "moz-extension://x", "file://",
		"", "https://A.example", "https://a..example", "http://1.2.3", "http://[::0]", "http://[x]", "http://a:0", "https://a:443", "nonsense",
		strings.Repeat("a", 1<<20), "https://" + strings.Repeat("a.", 1<<19), "https://[" + strings.Repeat("0:", 1<<19),
	}
	p, err := origin.ParsePattern("https://*-a.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range inputs {
		got := testing.AllocsPerRun(10, func() {
			set.ContainsString(s)
			o, err := origin.Parse(s)
			if err != nil {
				return
			}
			set.Contains(o)
			p.Match(o)
			sink = origin.Same(o, o)
			sink = origin.SameSite(o, o)
		})
		if got != 0 {
			t.Errorf("%.40q allocates %v times", s, got)
		}
	}
}

func TestExactReturnsOriginsAsTheyWereAdded(t *testing.T) {
	var set origin.Set
	var want []string
	add := func(o string) {
		t.Helper()
		if err := set.Add(o, "https://*.pattern.example"); err != nil {
			t.Fatal(err)
		}
		want = append(want, o)
	}
	for i := range 1000 {
		add(fmt.Sprintf("https://%d.example", i*7919%1000))
	}
	if diff := cmp.Diff(want, set.Exact()); diff != "" {
		t.Errorf("added one by one: -want +got:\n%s", diff)
	}
	for i := range 900 {
		if err := set.Remove(fmt.Sprintf("https://%d.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	want = slices.DeleteFunc(want, func(o string) bool { return !set.ContainsString(o) })
	add("https://0.example")
	if diff := cmp.Diff(want, set.Exact()); diff != "" {
		t.Errorf("after removals, and one that is back: -want +got:\n%s", diff)
	}
}

func TestFindSaysWhatItFound(t *testing.T) {
	var set origin.Set
	if err := set.Add("https://a.example", "https://*.b.example"); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]string{
		"https://a.example":    "true",
		"https://x.b.example":  "true",
		"https://c.example":    "false https://c.example",
		"https://c.example/":   "false error",
		"null":                 "false null",
		"https://c.example:80": "false https://c.example:80",
	} {
		ok, o, err := set.Find(s)
		got := fmt.Sprint(ok)
		switch {
		case ok:
		case err != nil:
			got += " error"
		default:
			got += " " + o.String()
		}
		if got != want {
			t.Errorf("Find(%q): %s, want %s", s, got, want)
		}
	}
}
