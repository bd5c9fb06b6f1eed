package fetch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	whatwg "github.com/nlnwa/whatwg-url/url"
)

func mustParse(t testing.TB, s string) *urlRecord {
	t.Helper()
	u, err := parseURL(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		name, url, base, want string
	}{
		{"an ordinary URL stays as it is", "https://api.example.com/users/17?x=1#y", "", "https://api.example.com/users/17?x=1#y"},
		{"no path is a slash", "https://a.example", "", "https://a.example/"},
		{"a query may follow the host", "https://a.example?q", "", "https://a.example/?q"},
		{"an empty query and an empty fragment are kept", "https://a.example/?#", "", "https://a.example/?#"},
		{"the default port goes", "https://a.example:443/", "", "https://a.example/"},
		{"the default port of the other scheme stays", "http://a.example:443/", "", "http://a.example:443/"},
		{"leading zeros of a port go", "http://a.example:0080/", "", "http://a.example/"},
		{"scheme and host become lower case", "HTTPS://A.Example/B", "", "https://a.example/B"},
		{"white space around and line ends within are nothing", "\n https://a.exa\tmple/\r ", "", "https://a.example/"},
		{"an IPv4 address may be one number", "http://2130706433/", "", "http://127.0.0.1/"},
		{"an IPv4 address may be hexadecimal and short", "http://0x7f.1/", "", "http://127.0.0.1/"},
		{"an IPv4 address loses the dot of the root", "http://127.0.0.1./", "", "http://127.0.0.1/"},
		{"an IPv6 address is shortened", "http://[0:0:0:0:0:0:0:1]/", "", "http://[::1]/"},
		{"a host in Unicode becomes ASCII", "https://ma\u00f1ana.example/", "", "https://xn--maana-pta.example/"},
		{"a host is percent-decoded", "https://%61.example/", "", "https://a.example/"},
		{"a backslash is a slash", `https:\\a.example\b`, "", "https://a.example/b"},
		{"dots go up, also encoded ones", "https://a.example/b/%2E%2e/c/./d", "", "https://a.example/c/d"},
		{"bytes above ASCII are encoded as UTF-8", "https://a.example/\u00e9?\u00e9#\u00e9", "", "https://a.example/%C3%A9?%C3%A9#%C3%A9"},
		{"percent signs that encode nothing stay", "https://a.example/%zz%", "", "https://a.example/%zz%"},
		{"what a path must not hold is encoded", "https://a.example/\"<>^`{}|'", "", "https://a.example/%22%3C%3E%5E%60%7B%7D|'"},
		{"what a query must not hold is encoded", "https://a.example/?\"<>^`{}|'", "", "https://a.example/?%22%3C%3E^`{}|%27"},
		{"user and password are kept", "https://u:p@a.example/", "", "https://u:p@a.example/"},
		{"an empty password loses its colon", "https://u:@a.example/", "", "https://u@a.example/"},
		{"an absolute path is taken on the base's host", "/x?y#z", "https://u@a.example:8443/b?c#d", "https://u@a.example:8443/x?y#z"},
		{"a relative path is taken in the base's directory", "x", "https://a.example/b/c?d#e", "https://a.example/b/x"},
		{"an empty reference is the base without its fragment", "", "https://a.example/b?c#d", "https://a.example/b?c"},
		{"two slashes change the host", "//b.example/x", "https://a.example/", "https://b.example/x"},
		{"a path is opaque where nothing says otherwise", "data:text/html,<p> x", "", "data:text/html,<p> x"},
		{"an opaque path keeps percent signs", "data:,%41%zz", "", "data:,%41%zz"},
		{"a port with a word before it is a scheme", "localhost:3000/x", "", "localhost:3000/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var base *urlRecord
			if tt.base != "" {
				base = mustParse(t, tt.base)
			}
			u, err := parseURL(tt.url, base)
			if err != nil {
				t.Fatalf("parseURL(%q, %q): %v", tt.url, tt.base, err)
			}
			if got := u.String(); got != tt.want {
				t.Errorf("parseURL(%q, %q) = %q, want %q", tt.url, tt.base, got, tt.want)
			}
			again := mustParse(t, u.String())
			if diff := cmp.Diff(u, again, cmp.AllowUnexported(urlRecord{}), cmp.Comparer(func(a, b urlRecord) bool { return a == b })); diff != "" {
				t.Errorf("parsed again, %q gives another record: %s", u, diff)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, tt := range []struct{ name, url, want string }{
		{"a URL without a scheme", "//a.example/", `URL "//a.example/" does not parse: the input is missing a scheme`},
		{"a port that is no number", "https://a.example:x/", `URL "https://a.example:x/" does not parse: the input's port is not a number`},
		{"a port above 65535", "https://a.example:65536/", "outside the range"},
		{"a host with a space", "https://a b/", "forbidden domain code point"},
		{"five numbers as an IPv4 address", "http://1.2.3.4.5/", "more than four parts"},
		{"no host", "https://", "does not contain a host"},
		{"user and password without a host", "https://u:p@/", "credentials"},
		{"an odd URL that the general parser would take long for", "https://" + strings.Repeat("@", 10_000) + "a/", "longer than"},
		{"a base that it would take long for", "x", "longer than"},
		{"more than two megabytes", "https://a.example/" + strings.Repeat("a", 2<<20), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := mustParse(t, "https://a.example/"+strings.Repeat("/", 10_000))
			if tt.url != "x" {
				base = nil
			}
			u, err := parseURL(tt.url, base)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("parseURL(%.80q) = %v, %v, want an error with %q", tt.url, u, err, tt.want)
			}
		})
	}
}

func TestParseURLTakesLongOnes(t *testing.T) {
	for _, url := range []string{
		"https://a.example/" + strings.Repeat("/", 1<<20),
		"https://a.example/?" + strings.Repeat("\u00e9", 1<<18),
		"data:text/plain," + strings.Repeat("a b%20", 1<<17),
	} {
		if u, err := parseURL(url, nil); err != nil || len(u.String()) < 1<<18 {
			t.Errorf("parseURL of %d bytes beginning %.30q: %v", len(url), url, err)
		}
	}
}

func TestOriginOfURL(t *testing.T) {
	for _, tt := range []struct{ name, url, want string }{
		{"a URL has the origin of its host", "https://u:p@a.example/b?c", "https://a.example"},
		{"the port is part of it", "http://a.example:8080/", "http://a.example:8080"},
		{"a blob URL has the origin that made it", "blob:https://a.example/9115d58c", "https://a.example"},
		{"a blob URL of an opaque origin is opaque", "blob:null/9115d58c", "null"},
		{"a blob URL in a blob URL is opaque", "blob:blob:https://a.example/", "null"},
		{"data: is opaque", "data:,x", "null"},
		{"file: is opaque", "file:///etc/passwd", "null"},
		{"about:blank by itself is opaque", "about:blank", "null"},
		{"an unknown scheme is opaque", "foo://a.example/", "null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustParse(t, tt.url).origin.String(); got != tt.want {
				t.Errorf("origin of %q = %q, want %q", tt.url, got, tt.want)
			}
		})
	}
}

func TestIsTrustworthy(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		want      bool
	}{
		{"https is", "https://a.example/", true},
		{"wss is", "wss://a.example/", true},
		{"http is not", "http://a.example/", false},
		{"localhost is", "http://localhost:3000/", true},
		{"a name below localhost is", "http://app.localhost/", true},
		{"localhost with the dot of the root is", "http://localhost./", true},
		{"a name that ends alike is not", "http://notlocalhost/", false},
		{"127.0.0.1 is", "http://127.0.0.1/", true},
		{"all of 127/8 is", "http://127.9.8.7/", true},
		{"a name that begins alike is not", "http://127.0.0.1.example/", false},
		{"::1 is", "http://[::1]/", true},
		{"a private address is not", "http://192.168.0.1/", false},
		{"file: is", "file:///x", true},
		{"data: is", "data:,x", true},
		{"about:blank is", "about:blank", true},
		{"another about: is not", "about:config", false},
		{"a blob is as its origin", "blob:http://a.example/1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustParse(t, tt.url).isTrustworthy(); got != tt.want {
				t.Errorf("isTrustworthy(%q) = %t, want %t", tt.url, got, tt.want)
			}
		})
	}
}

func TestNetURLKeepsBytes(t *testing.T) {
	for _, tt := range []struct{ name, url, wantPath, wantURI string }{
		{"a plain path", "https://a.example/b/c?d=e", "/b/c", "/b/c?d=e"},
		{"encoded slashes stay encoded", "https://a.example/b%2Fc", "/b/c", "/b%2Fc"},
		{"lower case of an encoding stays", "https://a.example/%e9", "/\xe9", "/%e9"},
		{"what net/url would encode stays", "https://a.example/a|b", "/a|b", "/a|b"},
		{"percent signs that encode nothing stay", "https://a.example/%zz", "/%zz", "/%zz"},
		{"a path may begin with two slashes", "https://a.example//b", "//b", "//b"},
		{"an empty query stays", "https://a.example/?", "/", "/?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := mustParse(t, tt.url).netURL()
			if n.Path != tt.wantPath || n.RequestURI() != tt.wantURI {
				t.Errorf("netURL of %q: path %q, request %q, want %q and %q", tt.url, n.Path, n.RequestURI(), tt.wantPath, tt.wantURI)
			}
		})
	}
}

func TestLocationBytes(t *testing.T) {
	for _, tt := range []struct {
		name string
		read func(string) string
		want string
	}{
		{"the standard reads each byte as a code point", isomorphicDecode, "https://a.example/%C3%A9"},
		{"Chromium and Firefox encode the byte itself", percentEncodeHigh, "https://a.example/%E9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const location = "/\xe9"
			u, err := parseURL(tt.read(location), mustParse(t, "https://a.example/"))
			if err != nil || u.String() != tt.want {
				t.Errorf("Location %q gives %v, %v, want %q", location, u, err, tt.want)
			}
		})
	}
}

func TestParseOrdinaryURLAllocations(t *testing.T) {
	base := mustParse(t, "https://a.example/")
	for _, tt := range []struct {
		name, url string
		base      *urlRecord
		want      float64
	}{
		{"an absolute URL costs the record", "https://api.example.com/users?x=1", nil, 1},
		{"a path costs the record and its serialisation", "/users?x=1", base, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := testing.AllocsPerRun(100, func() {
				if _, err := parseURL(tt.url, tt.base); err != nil {
					t.Fatal(err)
				}
			})
			if got > tt.want {
				t.Errorf("parseURL(%q) allocates %v times, want %v", tt.url, got, tt.want)
			}
		})
	}
}

// What parseOrdinary parses, it parses as the general parser does.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"https://a.example/b?c#d", "http://127.0.0.1:7104/s/3/0", "/x/..", "data:text/plain,hi there?'#", "about:blank",
		"https://a.example:443?", "http://1.2.3/", "http://xn--a/", "https://a.example/\u00e9\x7f", "data:/x", "data:x ?y", "http://a..b./",
		"ws://h:065535/%2e%2E/", "ws://a:00", "http://a:080/x", "https://a:0443", "//x", "http://h/ ", "http://08.1", "http://a.0x1",
	} {
		f.Add(s)
	}
	base := mustParse(f, "https://u@base.example:8443/b/c?d#e")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<10 {
			return
		}
		got := parseOrdinary(s, base)
		if got == nil {
			return
		}
		parsed, err := urlParser.ParseRef(base.withoutFragment(), s)
		if err != nil {
			t.Fatalf("parseOrdinary(%q) = %q, but the parser says %v", s, got, err)
		}
		if want := newURLRecord(parsed); *got != *want {
			t.Fatalf("parseOrdinary(%q) = %+v, want %+v", s, got, want)
		}
	})
}

func BenchmarkParseURL(b *testing.B) {
	const url = "https://api.example.com/users/17?x=1"
	b.Run("ordinary", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = parseURL(url, nil)
		}
	})
	b.Run("general parser", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = whatwg.Parse(url)
		}
	})
}
