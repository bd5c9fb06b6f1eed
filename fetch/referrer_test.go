package fetch

import (
	"strings"
	"testing"
)

func TestDetermineReferrer(t *testing.T) {
	const (
		page   = "https://user:pass@a.example/path?query#fragment"
		full   = "https://a.example/path?query"
		origin = "https://a.example/"
	)
	for _, tt := range []struct {
		policy                                ReferrerPolicy
		toItself, toAnother, toInsecure, back string // back: from an http page to an https one
	}{
		{"", full, origin, "", "http://b.example/"},
		{ReferrerPolicyStrictOriginWhenCrossOrigin, full, origin, "", "http://b.example/"},
		{ReferrerPolicyNoReferrer, "", "", "", ""},
		{ReferrerPolicyNoReferrerWhenDowngrade, full, full, "", "http://b.example/page"},
		{ReferrerPolicySameOrigin, full, "", "", ""},
		{ReferrerPolicyOrigin, origin, origin, origin, "http://b.example/"},
		{ReferrerPolicyStrictOrigin, origin, origin, "", "http://b.example/"},
		{ReferrerPolicyOriginWhenCrossOrigin, full, origin, origin, "http://b.example/"},
		{ReferrerPolicyUnsafeURL, full, full, full, "http://b.example/page"},
		{"no-such-policy", "", "", "", ""},
	} {
		t.Run(string(tt.policy), func(t *testing.T) {
			for _, hop := range []struct{ name, from, to, want string }{
				{"to its own origin", page, "https://a.example/x", tt.toItself},
				{"to another origin", page, "https://c.example/x", tt.toAnother},
				{"from https to http", page, "http://a.example/x", tt.toInsecure},
				{"from http to https", "http://b.example/page", "https://c.example/x", tt.back},
			} {
				if got := href(determineReferrer(tt.policy, mustParse(t, hop.from), mustParse(t, hop.to))); got != hop.want {
					t.Errorf("%s, %q: Referer is %q, want %q", hop.name, tt.policy, got, hop.want)
				}
			}
		})
	}
}

func TestDetermineReferrerOfOddSources(t *testing.T) {
	long := "https://a.example/" + strings.Repeat("x", 4096)
	for _, tt := range []struct {
		name, from string
		to         string
		want       string
	}{
		{"a page of 4096 bytes is told whole", long[:4096], "https://a.example/", long[:4096]},
		{"a longer one by its origin", long[:4097], "https://a.example/", "https://a.example/"},
		{"a data: page is not told", "data:,x", "https://a.example/", ""},
		{"about:blank is not told", "about:blank", "https://a.example/", ""},
		{"a file: page is not told", "file:///home/me/x.html", "https://a.example/", ""},
		{"a blob: page is not told", "blob:https://a.example/1", "https://a.example/", ""},
		{"localhost is as good as https, so http is a downgrade", "http://localhost:1/x", "http://c.example/", ""},
		{"and https is none to localhost", "https://a.example/x", "http://localhost:1/", "https://a.example/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := href(determineReferrer("", mustParse(t, tt.from), mustParse(t, tt.to))); got != tt.want {
				t.Errorf("from %.60q to %q: Referer is %.60q, want %.60q", tt.from, tt.to, got, tt.want)
			}
		})
	}
	if got := determineReferrer(ReferrerPolicyUnsafeURL, nil, mustParse(t, "https://a.example/")); got != nil {
		t.Errorf("without a source: Referer is %q, want none", got)
	}
}

func TestParseReferrerPolicy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  ReferrerPolicy
	}{
		{"no header says nothing", nil, ""},
		{"a policy", []string{"no-referrer"}, ReferrerPolicyNoReferrer},
		{"in upper case it is the same", []string{"Unsafe-URL"}, ReferrerPolicyUnsafeURL},
		{"the last known one counts", []string{"no-referrer, origin, new-policy"}, ReferrerPolicyOrigin},
		{"also over several lines", []string{"no-referrer", "same-origin"}, ReferrerPolicySameOrigin},
		{"an unknown one says nothing", []string{"never"}, ""},
		{"the words of old drafts are unknown", []string{"default, always"}, ""},
		{"a list that does not parse says nothing", []string{"no-referrer; origin"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseReferrerPolicy(tt.lines); got != tt.want {
				t.Errorf("parseReferrerPolicy(%q) = %q, want %q", tt.lines, got, tt.want)
			}
		})
	}
}

func href(u *urlRecord) string {
	if u == nil {
		return ""
	}
	return u.withoutFragment()
}

// A referrer is nothing, or the page's origin, or all of its address but the
// credentials and the fragment; across origins all of it only if asked for.
func FuzzReferrer(f *testing.F) {
	f.Add("no-referrer, origin", "https://u:p@a.example/x?y#z", "http://b.example/")
	f.Add("unsafe-url", "http://localhost/#secret", "https://a.example/")
	f.Fuzz(func(t *testing.T, policyLine, from, to string) {
		source, err := parseURL(from, nil)
		if err != nil {
			return
		}
		current, err := parseURL(to, nil)
		if err != nil {
			return
		}
		policy := parseReferrerPolicy([]string{policyLine})
		got := href(determineReferrer(policy, source, current))
		whole := source.withoutCredentials().withoutFragment()
		switch got {
		case "":
		case source.scheme + "://" + source.hostPort() + "/":
		case whole:
			asked := policy == ReferrerPolicyUnsafeURL || policy == ReferrerPolicyNoReferrerWhenDowngrade
			if source.origin != current.origin && !asked {
				t.Errorf("policy %q tells %s all of %s", policy, current, source)
			}
		default:
			t.Errorf("policy %q from %s to %s: Referer is %q", policy, source, current, got)
		}
	})
}
