package export

import (
	"regexp"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

var patterns = []string{
	"https://app.example.com", "https://*.example.com", "https://*-preview.example.com", "https://pr-*.example.net", "http://localhost:*", "https://*.a.example:*",
	"https://shop.example:8443", "http://*.b.example:8080", "https://[2001:db8::1]:8443", "http://[::1]:*", "https://192.0.2.7", "chrome-extension://abc", "moz-extension://*",
	"tauri://localhost", "null", "https://a_b.example", "https://*." + strings.Repeat("a", 60) + ".example",
}

func FuzzOriginRegexp(f *testing.F) {
	expressions := make([]*regexp.Regexp, len(patterns))
	parsed := make([]origin.Pattern, len(patterns))
	for i, p := range patterns {
		var err error
		expressions[i] = regexp.MustCompile("^" + originRegexp(p) + "$")
		if parsed[i], err = origin.ParsePattern(p); err != nil {
			f.Fatal(err)
		}
		o := strings.NewReplacer(":*", ":8080", "*", "x").Replace(p)
		for _, s := range []string{o, o + "x", o + "/", o + ":443", o + ":80", o + ":1", o + ":65535", o + ":65536", o + ":0", "x" + o, strings.ToUpper(o), o + ".", o + "\n", strings.Replace(o, "//", "//a.", 1),
			strings.Replace(o, "//", "//"+strings.Repeat("a", 64)+".", 1), strings.Replace(o, "//", "//"+strings.Repeat("a", 63)+".", 1), strings.Replace(o, "//", "//.", 1), strings.Replace(o, ".", "x", 1)} {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := origin.Parse(s)
		// See originRegexp.
		if host := o.Host(); len(host) > 253 || strings.HasPrefix(host, "[") && o.Scheme() == "moz-extension" || len(s) > origin.MaxLen {
			return
		}
		for i, p := range parsed {
			want := err == nil && p.Match(o)
			if got := expressions[i].MatchString(s); got != want {
				t.Errorf("the expression for %q matches %q: %t, want %t (%s)", patterns[i], s, got, want, expressions[i])
			}
		}
	})
}

func FuzzNameListRegexp(f *testing.F) {
	lists := [][]string{{}, {"X-A"}, {"Authorization", "Content-Type", "X-A.B"}, {"*"}, {"*", "Authorization"}, {"X-$", "X-'", "a|b", "X-#", "X-%", "X-`", "X-^", "X-~", "X-&", "X-+", "X-!"}}
	type judge struct {
		policy           *cors.Middleware
		allowed, refused *regexp.Regexp
	}
	judges := make([]judge, len(lists))
	for i, names := range lists {
		mw, err := cors.New(cors.Policy{Origins: []string{"*"}, RequestHeaders: names})
		if err != nil {
			f.Fatal(err)
		}
		allowed, refused := nameListRegexp(names)
		judges[i] = judge{policy: mw, allowed: regexp.MustCompile("(?i)" + allowed)}
		if refused != "" {
			judges[i].refused = regexp.MustCompile("(?i)" + refused)
		}
		for _, s := range []string{strings.Join(names, ","), strings.ToLower(strings.Join(names, " ,\t")), "authorization", "x-a", "x-a,,x-a", ",", "", "x-ax", "x a", "xauthorization", "a,authorization,b", "authorization-x"} {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 16<<10 || strings.ContainsAny(s, "\r\n\x00") {
			return
		}
		for i, j := range judges {
			want := j.policy.Decide(t.Context(), cors.Request{Method: "OPTIONS", Origin: []string{"https://a.example"}, AccessControlRequestMethod: []string{"GET"}, AccessControlRequestHeaders: []string{s}}).Allowed
			got := j.allowed.MatchString(s) && (j.refused == nil || !j.refused.MatchString(s))
			if got != want {
				t.Errorf("the expressions for %q let %q pass: %t, want %t (%s)", lists[i], s, got, want, j.allowed)
			}
		}
	})
}

func FuzzMethodRegexp(f *testing.F) {
	lists := [][]string{{}, {"PUT", "x$y", "a|b", "it's"}, {"*"}}
	policies := make([]*cors.Middleware, len(lists))
	expressions := make([]*regexp.Regexp, len(lists))
	for i, methods := range lists {
		var err error
		if policies[i], err = cors.New(cors.Policy{Origins: []string{"*"}, Methods: methods}); err != nil {
			f.Fatal(err)
		}
		expressions[i] = regexp.MustCompile("^" + methodRegexp(methods) + "$")
	}
	for _, s := range []string{"GET", "PUT", "put", "PUTS", "x$y", "a|b", "a", "it's", "", "*", strings.Repeat("A", 64), strings.Repeat("A", 65)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, p := range policies {
			want := p.Decide(t.Context(), cors.Request{Method: "OPTIONS", Origin: []string{"https://a.example"}, AccessControlRequestMethod: []string{s}}).Allowed
			if got := expressions[i].MatchString(s); got != want {
				t.Errorf("the expression for %q lets %q pass: %t, want %t (%s)", lists[i], s, got, want, expressions[i])
			}
		}
	})
}
