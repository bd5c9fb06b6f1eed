package fetch

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The clock of these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// https://fetch.spec.whatwg.org/#append-a-request-cookie-header
// https://fetch.spec.whatwg.org/#parse-and-store-response-set-cookie-headers
func TestCookies(t *testing.T) {
	const site = "https://www.example.com/a/b"
	for _, tt := range []struct {
		name string
		from string // the URL that answers
		set  string // its Set-Cookie lines, with a line end between
		to   string // the URL then asked
		want string
	}{
		{"a cookie comes back", site, "a=1", site, "a=1"},
		{"white space around name and value goes", site, " a = 1 ;path=/", site, "a=1"},
		{"a value may hold what looks like another cookie", site, "a=b=c", site, "a=b=c"},
		{"a cookie without a name is its value", site, "=1", site, "1"},
		{"a cookie without an equals sign is its value", site, "1", site, "1"},
		{"neither name nor value is no cookie", site, "=", site, ""},
		{"the second of one name takes the place of the first", site, "a=1\na=2", site, "a=2"},
		{"a control character refuses the whole line", site, "a=1\x01", site, ""},
		{"a tab is no such character", site, "a=1\t2", site, "a=1\t2"},
		{"4096 bytes of name and value are kept", site, "a=" + strings.Repeat("x", 4095), site, "a=" + strings.Repeat("x", 4095)},
		{"4097 are not", site, "a=" + strings.Repeat("x", 4096), site, ""},

		{"a cookie without Domain is for its host alone", site, "a=1; path=/", "https://example.com/", ""},
		{"also not for hosts below", "https://example.com/", "a=1", "https://www.example.com/", ""},
		{"Domain reaches the hosts beside", site, "a=1; domain=example.com; path=/", "https://api.example.com/", "a=1"},
		{"a dot before Domain is nothing", site, "a=1; domain=.example.com; path=/", "https://api.example.com/", "a=1"},
		{"Domain in upper case is the same", site, "a=1; domain=EXAMPLE.com; path=/", "https://example.com/", "a=1"},
		{"the last Domain counts", site, "a=1; domain=evil.com; domain=example.com; path=/", "https://example.com/", "a=1"},
		{"a name that ends alike is another host", site, "a=1; domain=example.com; path=/", "https://badexample.com/", ""},
		{"a foreign Domain is refused", site, "a=1; domain=other.com", "https://other.com/", ""},
		{"a Domain below the host is refused", "https://example.com/", "a=1; domain=www.example.com", "https://www.example.com/", ""},
		{"a public suffix is refused", site, "a=1; domain=com; path=/", "https://www.example.com/", ""},
		{"a public suffix of two labels is refused", "https://a.co.uk/", "a=1; domain=co.uk", "https://b.co.uk/", ""},
		{"a suffix where customers live is refused", "https://me.github.io/", "a=1; domain=github.io", "https://you.github.io/", ""},
		{"the site at a public suffix keeps its own cookies", "https://github.io/", "a=1; domain=github.io", "https://github.io/", "a=1"},
		{"but for itself alone", "https://github.io/", "a=1; domain=github.io", "https://you.github.io/", ""},
		{"localhost keeps its cookies, whatever the port", "http://localhost:7101/", "a=1", "http://localhost:7102/", "a=1"},
		{"Secure cookies are for localhost too", "http://localhost/", "a=1; secure; path=/", "http://localhost:3000/", "a=1"},
		{"and not for other hosts in the clear", "http://app.example.com/", "a=1; secure; path=/", "https://app.example.com/", ""},
		{"an IP address has no hosts below", "http://127.0.0.1/", "a=1; domain=0.0.1", "http://127.0.0.1/", ""},
		{"an IP address may name itself", "http://127.0.0.1/", "a=1; domain=127.0.0.1", "http://127.0.0.1/", "a=1"},

		{"a cookie is for the directory that sets it", site, "a=1", "https://www.example.com/a/c", "a=1"},
		{"and not for the one above", site, "a=1", "https://www.example.com/", ""},
		{"Path widens that", site, "a=1; path=/", "https://www.example.com/", "a=1"},
		{"a Path matches whole names", site, "a=1; path=/a", "https://www.example.com/ab", ""},
		{"a Path that is no path is the default", site, "a=1; path=a", "https://www.example.com/a/c", "a=1"},
		{"longer paths come first", site, "a=1; path=/\nb=2; path=/a", site, "b=2; a=1"},
		{"among equals the older comes first, though set again", site, "a=1\nb=2\na=3", site, "a=3; b=2"},

		{"Secure goes to https", site, "a=1; secure", site, "a=1"},
		{"Secure does not go to http", site, "a=1; secure", "http://www.example.com/a/b", ""},
		{"http cannot set Secure", "http://www.example.com/", "a=1; secure", "https://www.example.com/", ""},
		{"HttpOnly goes to servers", site, "a=1; httponly", site, "a=1"},

		{"Max-Age 0 is gone at once", site, "a=1\na=; max-age=0", site, ""},
		{"a negative Max-Age too", site, "a=1; max-age=-9", site, ""},
		{"a Max-Age that is no number is nothing", site, "a=1; max-age=0x", site, "a=1"},
		{"a Max-Age beyond all numbers is long", site, "a=1; max-age=99999999999999999999", site, "a=1"},
		{"Max-Age goes before Expires", site, "a=1; max-age=9; expires=Thu, 01 Jan 1970 00:00:00 GMT", site, "a=1"},
		{"Expires in the past is gone", site, "a=1; expires=Thu, 01 Jan 1970 00:00:00 GMT", site, ""},
		{"Expires that is no date is nothing", site, "a=1; expires=yesterday", site, "a=1"},
		{"an attribute of 1025 bytes is as good as absent", site, "a=1; path=/" + strings.Repeat("x", 1024), site, "a=1"},

		{"__Secure- with Secure is kept", site, "__Secure-a=1; secure", site, "__Secure-a=1"},
		{"__Secure- without Secure is refused", site, "__Secure-a=1", site, ""},
		{"the case of a prefix is nothing", site, "__SeCuRe-a=1", site, ""},
		{"__Host- with all it needs is kept", site, "__Host-a=1; secure; path=/", site, "__Host-a=1"},
		{"__Host- without Path is refused", "https://a.example/", "__Host-a=1; secure", "https://a.example/", ""},
		{"__Host- with Domain is refused", site, "__Host-a=1; secure; path=/; domain=example.com", site, ""},
		{"__Host- without Secure is refused", site, "__Host-a=1; path=/", site, ""},
		{"__Http- with all it needs is kept", site, "__Http-a=1; secure; httponly", site, "__Http-a=1"},
		{"__Http- without HttpOnly is refused", site, "__Http-a=1; secure", site, ""},
		{"__Http- without Secure is refused", site, "__http-a=1; httponly", site, ""},
		{"__Host-Http- with all it needs is kept", site, "__Host-Http-a=1; secure; httponly; path=/", site, "__Host-Http-a=1"},
		{"__Host-Http- without HttpOnly is refused", site, "__Host-Http-a=1; secure; path=/", site, ""},
		{"__Host-Http- without Path is refused", "https://a.example/", "__Host-Http-a=1; secure; httponly", "https://a.example/", ""},
		{"a nameless value cannot pretend to be one", site, "=__Host-a=1; secure; path=/", site, ""},
		{"SameSite=None needs Secure", site, "a=1; samesite=none", site, ""},
		{"SameSite=None with Secure is kept", site, "a=1; samesite=none; secure", site, "a=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jar := &CookieJar{Now: func() time.Time { return noon }}
			var refused []error
			for line := range strings.SplitSeq(tt.set, "\n") {
				refused = append(refused, jar.store(mustParse(t, tt.from), line, strictOrLess, overHTTP))
			}
			if got := jar.retrieve(mustParse(t, tt.to), strictOrLess, overHTTP); got != tt.want {
				t.Errorf("Set-Cookie %q from %s, then to %s: Cookie is %q, want %q (refused: %v)", tt.set, tt.from, tt.to, got, tt.want, refused)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#determine-the-same-site-mode
func TestSameSiteCookies(t *testing.T) {
	const url = "https://a.example/"
	jar := &CookieJar{}
	for _, line := range []string{"none=1; samesite=none; secure", "unset=1", "odd=1; samesite=any", "lax=1; samesite=LAX", "strict=1; samesite=strict"} {
		if err := jar.store(mustParse(t, url), line, strictOrLess, overHTTP); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		mode sameSiteMode
		want string
	}{
		{"within a site all go", strictOrLess, "none=1; unset=1; odd=1; lax=1; strict=1"},
		{"to a page that the user opens, not the strict ones", laxOrLess, "none=1; unset=1; odd=1; lax=1"},
		{"across sites those that say nothing go, in some browsers", unsetOrLess, "none=1; unset=1; odd=1"},
		{"and in others not", noneOnly, "none=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := jar.retrieve(mustParse(t, url), tt.mode, overHTTP); got != tt.want {
				t.Errorf("Cookie is %q, want %q", got, tt.want)
			}
			fresh := &CookieJar{}
			line := "lax=1; samesite=lax"
			err := fresh.store(mustParse(t, url), line, tt.mode, overHTTP)
			if kept := err == nil; kept != (tt.mode >= laxOrLess) {
				t.Errorf("Set-Cookie %q: %v", line, err)
			}
		})
	}
}

func TestDocumentCookie(t *testing.T) {
	const url = "https://a.example/"
	jar := new(CookieJar)
	if err := jar.store(mustParse(t, url), "secret=1; httponly", strictOrLess, overHTTP); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, set, wantErr, want string }{
		{"a script sets and sees its cookie", "a=1", "", "a=1"},
		{"and replaces it", "a=2", "", "a=2"},
		{"it cannot set HttpOnly", "b=1; httponly", "cookie refused: HttpOnly, but set by a script", "a=2"},
		{"nor replace a cookie that is", "secret=2", "cookie refused: an HttpOnly cookie of this name is there", "a=2"},
		{"nor remove it", "secret=; max-age=0", "cookie refused: an HttpOnly cookie of this name is there", "a=2"},
		{"it removes its own", "a=; max-age=0", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := jar.SetCookie(url, tt.set); fmt.Sprint(err) != tt.wantErr && (err != nil || tt.wantErr != "") {
				t.Errorf("SetCookie(%q): %v, want %q", tt.set, err, tt.wantErr)
			}
			if got, err := jar.Cookie(url); got != tt.want || err != nil {
				t.Errorf("after %q: document.cookie is %q, %v, want %q", tt.set, got, err, tt.want)
			}
		})
	}
	if got := jar.retrieve(mustParse(t, url), strictOrLess, overHTTP); got != "secret=1" {
		t.Errorf("the server is sent %q, want the cookie that the scripts could not change", got)
	}
}

func TestInsecureCookieDoesNotHideSecure(t *testing.T) {
	for _, tt := range []struct {
		name, set string
		kept      bool
	}{
		{"the same name and path", "a=2; path=/", false},
		{"the same name, below the path", "a=2; path=/x", false},
		{"the same name for all hosts of the domain", "a=2; path=/; domain=example.com", false},
		{"another name", "b=2; path=/", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jar := new(CookieJar)
			if err := jar.store(mustParse(t, "https://www.example.com/"), "a=1; secure; path=/", strictOrLess, overHTTP); err != nil {
				t.Fatal(err)
			}
			err := jar.store(mustParse(t, "http://www.example.com/"), tt.set, strictOrLess, overHTTP)
			if (err == nil) != tt.kept {
				t.Errorf("Set-Cookie %q over http beside a Secure one: %v, want kept: %t", tt.set, err, tt.kept)
			}
		})
	}
}

func TestCookiesExpire(t *testing.T) {
	now := noon
	jar := &CookieJar{Now: func() time.Time { return now }}
	u := mustParse(t, "https://a.example/")
	for _, line := range []string{"session=1", "minute=1; max-age=60", "forever=1; max-age=999999999"} {
		if err := jar.store(u, line, strictOrLess, overHTTP); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  string
	}{
		{"before its time a cookie is there", 59 * time.Second, "session=1; minute=1; forever=1"},
		{"at its time it is gone", time.Minute, "session=1; forever=1"},
		{"after 400 days all with a date are", 400 * 24 * time.Hour, "session=1"},
	} {
		now = noon.Add(tt.after)
		if got := jar.retrieve(u, strictOrLess, overHTTP); got != tt.want {
			t.Errorf("%s: after %v Cookie is %q, want %q", tt.name, tt.after, got, tt.want)
		}
	}
}

func TestCookieJarIsBounded(t *testing.T) {
	jar := new(CookieJar)
	u := mustParse(t, "https://a.example/")
	first := "first=1; secure"
	if err := jar.store(u, first, strictOrLess, overHTTP); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := jar.store(u, fmt.Sprintf("n%d=1", i), strictOrLess, overHTTP); err != nil {
			t.Fatal(err)
		}
	}
	got := jar.retrieve(u, strictOrLess, overHTTP)
	if n := strings.Count(got, "="); n != maxCookiesOfSite || !strings.HasPrefix(got, "first=1; ") || !strings.HasSuffix(got, "n999=1") {
		t.Errorf("of 1,001 cookies %d are kept, beginning %.20q: want %d, the secure one and the newest", n, got, maxCookiesOfSite)
	}
	for i := range 5000 {
		host := fmt.Sprintf("https://h%d.example/", i)
		if err := jar.store(mustParse(t, host), "a=1", strictOrLess, overHTTP); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, cookies := range jar.sites {
		total += len(cookies)
	}
	if total != maxCookies || jar.count != total {
		t.Errorf("the jar holds %d cookies and counts %d, want %d", total, jar.count, maxCookies)
	}
}

func TestParseCookieDate(t *testing.T) {
	for _, tt := range []struct{ name, date, want string }{
		{"the form of HTTP", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37"},
		{"the form of RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06 08:49:37"},
		{"the form of C", "Sun Nov  6 08:49:37 1994", "1994-11-06 08:49:37"},
		{"any order", "1994 8:9:7 Nov 6", "1994-11-06 08:09:07"},
		{"a year of two digits from 70 is of the last century", "6 Nov 70 0:0:0", "1970-11-06 00:00:00"},
		{"below it is of this one", "6 Nov 69 0:0:0", "2069-11-06 00:00:00"},
		{"words after the month's three letters are nothing", "6 November 2026 0:0:0", "2026-11-06 00:00:00"},
		{"what follows a time is nothing", "6 Nov 2026 1:2:3pm", "2026-11-06 01:02:03"},
		{"31 February is no date", "31 Feb 2026 0:0:0", ""},
		{"hour 24 is none", "6 Nov 2026 24:0:0", ""},
		{"second 60 is none", "6 Nov 2026 23:59:60", ""},
		{"day 0 is none", "0 Nov 2026 0:0:0", ""},
		{"a year before 1601 is none", "6 Nov 1600 0:0:0", ""},
		{"a time is needed", "6 Nov 2026", ""},
		{"a month is needed", "6 11 2026 0:0:0", ""},
		{"letters that straddle two months are no month", "6 anf 2026 0:0:0", ""},
		{"nothing is no date", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if d, ok := parseCookieDate(tt.date); ok {
				got = d.Format(time.DateTime)
			}
			if got != tt.want {
				t.Errorf("parseCookieDate(%q) = %q, want %q", tt.date, got, tt.want)
			}
		})
	}
}

// Whatever servers set, the jar stays within its bounds, gives nobody another
// host's cookie, and writes no header that could be read as two.
//
// https://fetch.spec.whatwg.org/#parse-and-store-response-set-cookie-headers
func FuzzCookies(f *testing.F) {
	f.Add("a=1; domain=example.com; path=/; secure", "b=2; max-age=9; samesite=lax")
	f.Add("__Host-a=1; path=/; secure", "; domain=com")
	f.Add("a=1; expires=Sun, 06 Nov 2094 08:49:37 GMT", "=\t=")
	f.Fuzz(func(t *testing.T, first, second string) {
		jar := &CookieJar{Now: func() time.Time { return noon }}
		evil, own := mustParse(t, "https://evil.example.com/x/y"), mustParse(t, "https://www.victim.com/x/y")
		for _, line := range []string{first, second} {
			_ = jar.store(evil, line, strictOrLess, overHTTP)
		}
		if got := jar.retrieve(own, strictOrLess, overHTTP); got != "" {
			t.Errorf("%q and %q set by %s reach %s as %q", first, second, evil, own, got)
		}
		got := jar.retrieve(evil, strictOrLess, overHTTP)
		if strings.ContainsAny(got, "\r\n\x00") || len(got) > 2*(maxCookie+3) {
			t.Errorf("%q and %q make a Cookie of %d bytes: %.100q", first, second, len(got), got)
		}
		script, err := jar.Cookie(evil.String())
		if err != nil || len(script) > len(got) {
			t.Errorf("document.cookie %q says more than Cookie %q: %v", script, got, err)
		}
	})
}
