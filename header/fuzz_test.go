package header_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/header"
)

// A list of tokens, read in the plainest way.
//
// https://fetch.spec.whatwg.org/#extract-header-list-values
func FuzzList(f *testing.F) {
	for _, line := range []string{"", "PUT", "GET, PUT", " x-a\t,, x-b ,", "*", "a;b", "a b", `"a"`, "a,\x00", "é", strings.Repeat(",", 99)} {
		f.Add(line, "x")
		f.Add("x", line)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var want []string
		valid := true
		for _, line := range []string{first, second} {
			for _, elem := range strings.Split(line, ",") {
				if elem = strings.Trim(elem, " \t"); elem == "" {
					continue
				}
				want = append(want, elem)
				for i := range len(elem) {
					valid = valid && strings.Contains("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", elem[i:i+1])
				}
			}
		}
		got, ok := header.List([]string{first, second})
		if ok != valid || ok && !slices.Equal(got, want) {
			t.Errorf("List(%q, %q) = %q, %t, want %q, %t", first, second, got, ok, want, valid)
		}
	})
}

// Whatever is split comes back when it is joined, but for white space around
// commas.
//
// https://fetch.spec.whatwg.org/#header-value-get-decode-and-split
func FuzzSplit(f *testing.F) {
	for _, value := range []string{"", "a, b", `"a, b", c`, `"a\", b`, ` "a" b ,`, "\t,\t", `a"b,c"d`} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		without := func(s string) string { return strings.NewReplacer(" ", "", "\t", "").Replace(s) }
		got := header.Split(value)
		if without(strings.Join(got, ",")) != without(value) {
			t.Errorf("Split(%q) = %q, which joins to something else", value, got)
		}
		for _, elem := range got {
			if elem != strings.Trim(elem, " \t") {
				t.Errorf("Split(%q) = %q, with white space around %q", value, got, elem)
			}
		}
	})
}

// What is safelisted is short and holds no unsafe byte; what names are unsafe is
// sorted, in lower case, each once, and no safelisted header is among them.
//
// https://fetch.spec.whatwg.org/#cors-safelisted-request-header
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
func FuzzSafelist(f *testing.F) {
	for _, h := range [][2]string{{"Accept", "*/*"}, {"Content-Type", "text/plain;charset=utf-8"}, {"content-type", "Text/Plain,x/y"}, {"Range", "bytes=0-"}, {"Range", "bytes=9-1"}, {"X-A", ""}, {"Accept-Language", "en;q=0.1"}} {
		f.Add(h[0], h[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		safe := header.IsSafelistedRequest(name, value)
		known := slices.Contains([]string{"accept", "accept-language", "content-language", "content-type", "range"}, strings.ToLower(name))
		if safe && (!known || len(value) > 128 || strings.ContainsAny(value, "\"():<>?@[\\]{}\x7f\x00\x01\x0a\x0d\x1f")) {
			t.Errorf("%q: %q is safelisted", name, value)
		}
		names := header.UnsafeRequestNames([]header.Field{{Name: name, Value: value}, {Name: "X-B", Value: "1"}, {Name: "x-b", Value: "2"}})
		want := []string{"x-b"}
		if !safe {
			want = append(want, header.Lower(name))
		}
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(names, want) {
			t.Errorf("UnsafeRequestNames(%q: %q, X-B, x-b) = %q, want %q", name, value, names, want)
		}
	})
}
