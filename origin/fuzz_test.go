package origin_test

import (
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/crossorigin/cors/origin"
)

var seeds = []string{
	"", "null", "*", "https://example.com", "https://example.com:8443", "https://example.com:443", "https://a..b", "https://a_b.example.com.",
	"http://127.0.0.1:3000", "http://1.2.3", "http://[::1]", "http://[::ffff:c000:201]:8080", "http://[0::0]", "file://", "tauri://localhost",
	"moz-extension://*", "https://*.example.com", "https://*-a.example.com:*", "safari-web-extension://6FC32D45", "https://*.github.io", "http://localhost:*",
	" HTTPS://Bücher.Example:443/a?b#c", "https://me@[::0001]:*", "//a", "localhost:3000", "https:/a.example", "https://*a.example", "http*://x", `"NULL"`, "https://https://a", ".a.example",
	"https://*é.example", "https://*.kawasaki.jp", "tauri://*:80", "::1", "http://::1", "https://{a}.example", "https://a-*-b.example.com", "https://a*.example.com.",
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := origin.Parse(s)
		if got, want := err == nil, isOrigin(s); got != want {
			t.Fatalf("Parse(%q) = %v, %v; the oracle says %t", s, o, err, want)
		}
		if err == nil && o.String() != s {
			t.Fatalf("Parse(%q).String() = %q", s, o)
		}
	})
}

var (
	httpOrigin   = regexp.MustCompile(`^(https?)://([^:\[\]]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?$`)
	otherOrigin  = regexp.MustCompile(`^([a-z][a-z0-9+.-]{0,63})://([^:\[\]]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?$`)
	endsInNumber = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
	hostRunes    = regexp.MustCompile(`^[!-~]+$`)
)

// isOrigin is Parse, slowly.
func isOrigin(s string) bool {
	if s == "null" || s == "file://" {
		return true
	}
	m, http := httpOrigin.FindStringSubmatch(s), true
	if m == nil {
		if m, http = otherOrigin.FindStringSubmatch(s), false; m == nil || m[1] == "http" || m[1] == "https" {
			return false
		}
	}
	scheme, host, port := m[1], m[2], m[3]
	if n, _ := strconv.Atoi(port); n > 65535 || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return false
	}
	if strings.HasPrefix(host, "[") {
		return isIPv6(strings.Trim(host, "[]"))
	}
	if !hostRunes.MatchString(host) || strings.ContainsAny(host, "#/:<>?@[\\]^|") || len(host) > 254 {
		return false
	}
	if !http {
		return true
	}
	if host != strings.ToLower(host) || strings.Contains(host, "%") {
		return false
	}
	name := strings.TrimSuffix(host, ".")
	if len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	if endsInNumber.MatchString(name) {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4()
	}
	return true
}

// isIPv6 writes each of the ways to abbreviate the address and takes the one
// that the URL standard would: the first of the longest runs of zeros.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	if err != nil || !addr.Is6() {
		return false
	}
	a := addr.As16()
	var pieces [8]string
	for i := range pieces {
		pieces[i] = strconv.FormatUint(uint64(a[2*i])<<8|uint64(a[2*i+1]), 16)
	}
	start, length := -1, 1
	for i := range pieces {
		n := 0
		for i+n < 8 && pieces[i+n] == "0" {
			n++
		}
		if n > length {
			start, length = i, n
		}
	}
	if start < 0 {
		return s == strings.Join(pieces[:], ":")
	}
	return s == strings.Join(pieces[:start], ":")+"::"+strings.Join(pieces[start+length:], ":")
}

func FuzzPattern(f *testing.F) {
	for _, p := range seeds {
		for _, s := range []string{"https://a.example.com", "https://x-a.example.com:8443", "null", "moz-extension://x", "http://localhost:1"} {
			f.Add(p, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		checkAdvice(t, pattern)
		p, err := origin.InsecureParsePattern(pattern)
		if err != nil {
			return
		}
		if p.String() != pattern {
			t.Fatalf("InsecureParsePattern(%q).String() = %q", pattern, p)
		}
		o, err := origin.Parse(s)
		if err != nil {
			return
		}
		want := matches(pattern, s)
		if got := p.Match(o); got != want {
			t.Fatalf("Match(%q, %q) = %t; the oracle says %t", pattern, s, got, want)
		}
		var set origin.Set
		set.AddPattern(p)
		if got := set.ContainsString(s); got != want {
			t.Fatalf("a set of %q: ContainsString(%q) = %t; the oracle says %t", pattern, s, got, want)
		}
		if got := set.Contains(o); got != want {
			t.Fatalf("a set of %q: Contains(%q) = %t; the oracle says %t", pattern, s, got, want)
		}
	})
}

// checkAdvice checks that whoever follows the error for pattern gets none.
func checkAdvice(t *testing.T, pattern string) {
	_, err := origin.ParsePattern(pattern)
	if err == nil {
		return
	}
	var pe *origin.PatternError
	if !errors.As(err, &pe) || pe.Value != pattern || pe.Reason == "" || pe.Fix == "" {
		t.Fatalf("ParsePattern(%q) = %#v", pattern, err)
	}
	if advice, ok := toWrite(pe); ok {
		if _, err := origin.ParsePattern(advice); err != nil {
			t.Fatalf("ParsePattern(%q) says to %s, which is wrong too: %v", pattern, pe.Fix, err)
		}
	}
}

// matches is Match by a regular expression.
func matches(pattern, s string) bool {
	return pattern == "*" || expression(pattern).MatchString(s)
}

func expression(pattern string) *regexp.Regexp {
	re := regexp.QuoteMeta(pattern)
	re = strings.TrimSuffix(re, `:\*`)
	port := ""
	if re != regexp.QuoteMeta(pattern) {
		port = `(:[0-9]+)?`
	}
	switch {
	case strings.HasPrefix(re, `http://\*\.`), strings.HasPrefix(re, `https://\*\.`):
		re = strings.Replace(re, `\*`, `[^:/\[\]]+`, 1)
	case strings.HasSuffix(re, `://\*`):
		re = strings.Replace(re, `\*`, `(\[[^\]]*\]|[^:\[\]]*)`, 1)
	default:
		re = strings.Replace(re, `\*`, `[^:/.\[\]]+`, 1)
	}
	return regexp.MustCompile(`^` + re + port + `$`)
}

// FuzzSet adds and removes what the bytes say and compares with a map.
func FuzzSet(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x80\x81\x00\x03"))
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz\xe1\xe2\xe3abc"))
	universe := []string{"*", "null", "https://*.example.com", "https://*-a.example.com", "http://localhost:*", "moz-extension://*", "https://*.b.example.com:*"}
	for i := range 120 {
		universe = append(universe, "https://h"+strconv.Itoa(i)+".example.com")
	}
	expressions := map[string]*regexp.Regexp{"*": regexp.MustCompile("")}
	for _, p := range universe[1:] {
		expressions[p] = expression(p)
	}
	asked := append([]string{"https://example.com", "https://x.b.example.com:1", "https://x-a.example.com", "http://localhost:3", "moz-extension://z"}, universe[7:]...)
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) > 1000 {
			return // nothing new, only slower
		}
		var set origin.Set
		model := map[string]bool{}
		for _, step := range steps {
			p := universe[int(step&0x7f)%len(universe)]
			change := set.Add
			if step&0x80 != 0 {
				change = set.Remove
			}
			if err := change(p); err != nil {
				t.Fatal(err)
			}
			model[p] = step&0x80 == 0
		}
		n := 0
		for _, in := range model {
			if in {
				n++
			}
		}
		if set.Len() != n {
			t.Fatalf("after %x: Len() = %d, want %d", steps, set.Len(), n)
		}
		for _, s := range asked {
			want := false
			for p, in := range model {
				want = want || in && expressions[p].MatchString(s)
			}
			if got := set.ContainsString(s); got != want {
				t.Fatalf("after %x: ContainsString(%q) = %t, want %t", steps, s, got, want)
			}
		}
	})
}
