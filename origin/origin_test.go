package origin_test

import (
	"strings"
	"testing"

	"github.com/crossorigin/cors/origin"
)

func TestParse(t *testing.T) {
	label := strings.Repeat("a", 63)
	name := strings.Repeat(label+".", 3) + strings.Repeat("a", 61)
	tests := []struct {
		row, in string
		ok      bool
	}{
		{"a domain", "https://example.com", true},
		{"a port", "https://example.com:8443", true},
		{"a single label", "http://localhost", true},
		{"the dot of the root", "https://example.com.", true},
		{"an underscore, which every browser sends", "https://a_b.example.com", true},
		{"what only WebKit sends", "http://a{b}~`'(!).localhost", true},
		{"the longest name", "https://" + name, true},
		{"an opaque origin", "null", true},
		{"an IPv4 address", "http://127.0.0.1:3000", true},
		{"an IPv6 address", "http://[::1]:3000", true},
		{"an IPv4-mapped address in hexadecimal", "http://[::ffff:c000:201]", true},
		{"a Chromium extension", "chrome-extension://abcdefghijklmnopabcdefghijklmnop", true},
		{"a Safari extension, in upper case", "safari-web-extension://6FC32D45-8B58-4C22-84C3-0A5A1A8B9E3F", true},
		{"an app", "tauri://localhost", true},
		{"a file as old Android views send it", "file://", true},
		{"nothing", "", false},
		{"a star", "*", false},
		{"null in other letters", "Null", false},
		{"no scheme", "example.com", false},
		{"no slashes", "https:example.com", false},
		{"no host", "https://", false},
		{"a scheme in upper case", "HTTPS://example.com", false},
		{"a scheme that begins with a digit", "1a://x", false},
		{"a host in upper case", "https://Example.com", false},
		{"a Unicode host", "https://例え.jp", false},
		{"a slash at the end", "https://example.com/", false},
		{"a space at the end", "https://example.com ", false},
		{"two origins", "https://a.example https://b.example", false},
		{"a list", "https://a.example,https://b.example", false},
		{"a user", "https://me@example.com", false},
		{"a percent sign in a domain", "https://a%2a.example", false},
		{"an empty label", "https://a..example", false},
		{"a dot in front", "https://.example", false},
		{"a dot alone", "https://.", false},
		{"two dots at the end", "https://a..", false},
		{"a label that is too long", "https://" + label + "a.example", false},
		{"a name that is too long", "https://a" + name, false},
		{"a default port", "https://example.com:443", false},
		{"the other default port", "http://example.com:80", false},
		{"the default port of another scheme", "http://example.com:443", true},
		{"port 0", "https://example.com:0", false},
		{"a leading zero", "https://example.com:08443", false},
		{"port 65536", "https://example.com:65536", false},
		{"an empty port", "https://example.com:", false},
		{"a port that is none", "https://example.com:x", false},
		{"an IPv4 address that is too large", "http://256.0.0.1", false},
		{"an IPv4 address with a zero in front", "http://127.0.0.01", false},
		{"a name that ends in a number", "http://example.1", false},
		{"IPv6 without brackets", "http://::1", false},
		{"IPv6 with a zone", "http://[fe80::1%25eth0]", false},
		{"IPv6 that could be shorter", "http://[0:0:0:0:0:0:0:1]", false},
		{"IPv6 in upper case", "http://[::A]", false},
		{"an IPv4-mapped address with dots", "http://[::ffff:192.0.2.1]", false},
		{"a control byte", "https://a\x00.example", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			o, err := origin.Parse(tt.in)
			if ok := err == nil; ok != tt.ok {
				t.Fatalf("Parse(%q) = %v, %v, want ok = %t", tt.in, o, err, tt.ok)
			}
			if err == nil && o.String() != tt.in {
				t.Errorf("Parse(%q).String() = %q", tt.in, o)
			}
		})
	}
}

func TestSameSite(t *testing.T) {
	tests := []struct {
		row, a, b string
		want      bool
	}{
		{"an origin is its own site", "https://example.com", "https://example.com", true},
		{"ports do not matter", "https://example.com", "https://example.com:8443", true},
		{"subdomains share a site", "https://a.example.com", "https://b.c.example.com", true},
		{"schemes do not", "https://example.com", "http://example.com", false},
		{"sites below a public suffix do not", "https://a.github.io", "https://b.github.io", false},
		{"a public suffix is a site of its own", "https://github.io", "https://a.github.io", false},
		{"addresses share none", "http://127.0.0.1", "http://127.0.0.2", false},
		{"an address is its own", "http://127.0.0.1:1", "http://127.0.0.1:2", true},
		{"localhost is a suffix", "http://localhost", "http://a.localhost", false},
		{"below it there are sites", "http://b.a.localhost", "http://a.localhost", true},
		{"the root's dot makes another", "https://example.com.", "https://example.com", false},
		{"opaque origins have none", "null", "null", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := origin.SameSite(parse(t, tt.a), parse(t, tt.b)); got != tt.want {
				t.Errorf("SameSite(%q, %q) = %t, want %t", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func TestRegistrableDomain(t *testing.T) {
	tests := []struct{ row, origin, want string }{
		{"a name below a public suffix", "https://example.com", "example.com"},
		{"what is further below", "https://a.b.example.co.uk", "example.co.uk"},
		{"the private part of the list counts", "https://a.me.github.io", "me.github.io"},
		{"the root's dot is kept", "https://a.example.com.", "example.com."},
		{"what is not in the list is a suffix", "http://a.b.localhost", "b.localhost"},
		{"a public suffix has none", "https://co.uk", ""},
		{"nor a single label", "http://intranet", ""},
		{"nor an IPv4 address", "http://127.0.0.1", ""},
		{"nor an IPv6 address", "http://[::1]", ""},
		{"nor a host that is not a domain", "tauri://a.example.com", ""},
		{"nor an opaque origin", "null", ""},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := parse(t, tt.origin).RegistrableDomain(); got != tt.want {
				t.Errorf("%q: RegistrableDomain() = %q, want %q", tt.origin, got, tt.want)
			}
		})
	}
}

func TestSame(t *testing.T) {
	tests := []struct {
		row, a, b string
		want      bool
	}{
		{"an origin is itself", "https://a.example", "https://a.example", true},
		{"another port is another", "https://a.example", "https://a.example:8443", false},
		{"another scheme is another", "https://a.example", "http://a.example", false},
		{"opaque origins are never known to be one", "null", "null", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := origin.Same(parse(t, tt.a), parse(t, tt.b)); got != tt.want {
				t.Errorf("Same(%q, %q) = %t, want %t", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func TestWhatAPatternRisks(t *testing.T) {
	tests := []struct {
		row, pattern                     string
		any, null, spans, insecureScheme bool
	}{
		{"an origin risks nothing", "https://a.example.com", false, false, false, false},
		{"nor do its subdomains", "https://*.example.com", false, false, false, false},
		{"a star is any", "*", true, false, false, false},
		{"null is null", "null", false, true, false, false},
		{"a wildcard below com spans it", "https://*.com", false, false, true, false},
		{"so does one within a label", "https://my-*.github.io", false, false, true, false},
		{"a label without its dot spans what is behind it", "https://*example.com", false, false, true, false},
		{"a rule with a star is a suffix at each name", "https://*.kawasaki.jp", false, false, true, false},
		{"the root's dot changes nothing", "https://*.com.", false, false, true, false},
		{"an unlisted name belongs to nobody", "https://*.internal", false, false, false, false},
		{"http is insecure", "http://a.example.com", false, false, false, true},
		{"its subdomains are", "http://*.example.com", false, false, false, true},
		{"localhost is not", "http://localhost:*", false, false, false, false},
		{"nor what is below it", "http://*.localhost", false, false, false, false},
		{"nor is a loopback address", "http://127.0.0.2:3000", false, false, false, false},
		{"nor the other one", "http://[::1]:3000", false, false, false, false},
		{"a name that looks like one is", "http://127.0.0.1.example.com", false, false, false, true},
		{"so is one that ends in its letters", "http://mylocalhost", false, false, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			p, err := origin.InsecureParsePattern(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			got := [...]bool{p.Any(), p.Null(), p.SpansPublicSuffix(), p.InsecureScheme()}
			if want := [...]bool{tt.any, tt.null, tt.spans, tt.insecureScheme}; got != want {
				t.Errorf("%q: Any, Null, SpansPublicSuffix, InsecureScheme = %v, want %v", tt.pattern, got, want)
			}
		})
	}
}

func TestPatternsMatch(t *testing.T) {
	tests := []struct {
		row, pattern, origin string
		want                 bool
	}{
		{"an origin matches itself", "https://a.example", "https://a.example", true},
		{"a port in the policy does not match its absence", "https://a.example:8443", "https://a.example", false},
		{"nor the reverse", "https://a.example", "https://a.example:8443", false},
		{"nor another scheme", "https://a.example", "http://a.example", false},
		{"a subdomain matches", "https://*.example.com", "https://a.example.com", true},
		{"one of a subdomain matches", "https://*.example.com", "https://a.b.example.com", true},
		{"the domain itself does not", "https://*.example.com", "https://example.com", false},
		{"nor what only ends like it", "https://*.example.com", "https://evilexample.com", false},
		{"nor what begins like it", "https://*.example.com", "https://a.example.com.evil.test", false},
		{"nor a subdomain on another port", "https://*.example.com", "https://a.example.com:8443", false},
		{"a wildcard within a label matches", "https://*-preview.example.com", "https://x-preview.example.com", true},
		{"it matches at least one byte", "https://*-preview.example.com", "https://-preview.example.com", false},
		{"it matches no dot", "https://*-preview.example.com", "https://a.x-preview.example.com", false},
		{"it may end the label", "https://preview-*.example.com", "https://preview-7.example.com", true},
		{"it may stand within it", "https://a*z.example.com", "https://abcz.example.com", true},
		{"its ends do not overlap", "https://aa*aa.example.com", "https://aaa.example.com", false},
		{"braces do not hide the end of a name", "https://*.example.com", "https://evil.test{.example.com", true},
		{"nor do they make one", "https://*.example.com", "https://example.com{.evil.test", false},
		{"any port", "http://localhost:*", "http://localhost:3000", true},
		{"any port is the default one too", "http://localhost:*", "http://localhost", true},
		{"any port of any subdomain", "https://*.example.com:*", "https://a.example.com:8443", true},
		{"any host of an extension scheme", "moz-extension://*", "moz-extension://6fc32d45-8b58-4c22-84c3-0a5a1a8b9e3f", true},
		{"but not of another scheme", "moz-extension://*", "chrome-extension://abc", false},
		{"null matches opaque origins", "null", "null", true},
		{"null matches nothing else", "null", "https://a.example", false},
		{"a star matches", "*", "https://a.example", true},
		{"a star matches opaque origins", "*", "null", true},
		{"a domain does not match an opaque origin", "https://*.example.com", "null", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			p, err := origin.ParsePattern(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(parse(t, tt.origin)); got != tt.want {
				t.Errorf("Match(%q, %q) = %t, want %t", tt.pattern, tt.origin, got, tt.want)
			}
			var set origin.Set
			if err := set.Add(tt.pattern); err != nil {
				t.Fatal(err)
			}
			if got := set.ContainsString(tt.origin); got != tt.want {
				t.Errorf("a set of %q: ContainsString(%q) = %t, want %t", tt.pattern, tt.origin, got, tt.want)
			}
			if got := set.Contains(parse(t, tt.origin)); got != tt.want {
				t.Errorf("a set of %q: Contains(%q) = %t, want %t", tt.pattern, tt.origin, got, tt.want)
			}
			if p.String() != tt.pattern {
				t.Errorf("ParsePattern(%q).String() = %q", tt.pattern, p)
			}
		})
	}
}

func parse(t *testing.T, s string) origin.Origin {
	t.Helper()
	o, err := origin.Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return o
}
