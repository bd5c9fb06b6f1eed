package fetch

import (
	"testing"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/standard"
	"github.com/crossorigin/cors/origin"
	"github.com/google/go-cmp/cmp"
)

func mustOrigin(t testing.TB, s string) origin.Origin {
	t.Helper()
	o, err := origin.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// headerList makes a header list of names and values in turn.
func headerList(namesAndValues ...string) (list []header.Field) {
	for i := 0; i < len(namesAndValues); i += 2 {
		list = append(list, header.Field{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return list
}

// https://fetch.spec.whatwg.org/#block-bad-port
// https://fetch.spec.whatwg.org/#bad-port
func TestIsBadPort(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		want      bool
	}{
		{"no port is the scheme's, which is fine", "https://a.example/", false},
		{"the default port, written", "http://a.example:80/", false},
		{"a common other port", "http://a.example:8080/", false},
		{"port 0", "http://a.example:0/", true},
		{"the first of the list", "http://a.example:1/", true},
		{"mail", "http://a.example:25/", true},
		{"mail, with zeros before", "http://a.example:0025/", true},
		{"the last of the list", "https://a.example:10080/", true},
		{"its neighbour", "https://a.example:10081/", false},
		{"ftp on another scheme is no matter of this check", "ftp://a.example:25/", false},
		{"a port that only begins like a bad one", "http://a.example:2500/", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := isBadPort(mustParse(t, tt.url)); got != tt.want {
				t.Errorf("isBadPort(%q) = %t, want %t", tt.url, got, tt.want)
			}
		})
	}
	if diff := cmp.Diff(standard.Fetch().BadPorts, badPorts); diff != "" {
		t.Errorf("bad ports (-standard +ours):\n%s", diff)
	}
}

// https://fetch.spec.whatwg.org/#cross-origin-resource-policy-internal-check
func TestCORPCheck(t *testing.T) {
	const corp = "Cross-Origin-Resource-Policy"
	for _, tt := range []struct {
		name, page, url string
		embedder        EmbedderPolicy
		list            []header.Field
		credentials     bool
		want            bool
	}{
		{"no header allows", "https://a.example", "https://b.example/", "", nil, true, true},
		{"cross-origin allows", "https://a.example", "https://b.example/", "", headerList(corp, "cross-origin"), true, true},
		{"same-origin allows the same", "https://a.example", "https://a.example/x", "", headerList(corp, "same-origin"), true, true},
		{"same-origin refuses another port", "https://a.example", "https://a.example:8443/", "", headerList(corp, "same-origin"), true, false},
		{"same-origin refuses an opaque origin", "null", "https://a.example/", "", headerList(corp, "same-origin"), true, false},
		{"same-site allows a host beside", "https://a.example.com", "https://b.example.com/", "", headerList(corp, "same-site"), true, true},
		{"same-site refuses another site", "https://a.example.com", "https://example.org/", "", headerList(corp, "same-site"), true, false},
		{"same-site refuses another customer of a public suffix", "https://a.github.io", "https://b.github.io/", "", headerList(corp, "same-site"), true, false},
		{"same-site refuses an https response to an http page", "http://a.example.com", "https://b.example.com/", "", headerList(corp, "same-site"), true, false},
		{"same-site allows an http response to an https page", "https://a.example.com", "http://b.example.com/", "", headerList(corp, "same-site"), true, true},
		{"same-site refuses an opaque origin", "null", "https://a.example/", "", headerList(corp, "same-site"), true, false},
		{"same-site asks for the same IP address", "http://127.0.0.1:1", "http://127.0.0.1:2/", "", headerList(corp, "same-site"), true, true},
		{"another IP address is another site", "http://127.0.0.1", "http://127.0.0.2/", "", headerList(corp, "same-site"), true, false},
		{"upper case is no policy", "https://a.example", "https://b.example/", "", headerList(corp, "Same-Origin"), true, true},
		{"two values are no policy", "https://a.example", "https://b.example/", "", headerList(corp, "same-origin, same-site"), true, true},
		{"two lines are no policy, though equal", "https://a.example", "https://b.example/", "", headerList(corp, "same-origin", corp, "same-origin"), true, true},
		{"require-corp makes no header same-origin", "https://a.example", "https://b.example/", EmbedderPolicyRequireCORP, nil, false, false},
		{"credentialless does so with credentials", "https://a.example", "https://b.example/", EmbedderPolicyCredentialless, nil, true, false},
		{"and not without", "https://a.example", "https://b.example/", EmbedderPolicyCredentialless, nil, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := corpCheck(mustOrigin(t, tt.page), mustParse(t, tt.url), tt.embedder, tt.list, tt.credentials)
			if got != tt.want {
				t.Errorf("a page at %s, a response from %s with %q: allowed %t, want %t", tt.page, tt.url, tt.list, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-tao-check
// https://fetch.spec.whatwg.org/#concept-header-list-get-decode-split
func TestTAOCheck(t *testing.T) {
	const tao, page = "Timing-Allow-Origin", "https://a.example"
	for _, tt := range []struct {
		name  string
		basic bool
		list  []header.Field
		want  bool
	}{
		{"without a header another origin is not timed", false, nil, false},
		{"without a header the own origin is", true, nil, true},
		{"a star allows", false, headerList(tao, "*"), true},
		{"the origin allows", false, headerList(tao, page), true},
		{"a list may hold it", false, headerList(tao, "https://b.example , "+page), true},
		{"a second line may hold it", false, headerList(tao, "https://b.example", tao, page), true},
		{"another origin does not", false, headerList(tao, "https://b.example"), false},
		{"a slash at the end makes another", false, headerList(tao, page+"/"), false},
		{"upper case makes another", false, headerList(tao, "HTTPS://A.EXAMPLE"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := taoCheck(page, tt.basic, tt.list); got != tt.want {
				t.Errorf("taoCheck(%q, %t, %q) = %t, want %t", page, tt.basic, tt.list, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#determine-nosniff
// https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-nosniff?
// https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-mime-type?
// https://fetch.spec.whatwg.org/#request-destination-script-like
func TestBlockedByNosniffAndMIMEType(t *testing.T) {
	const nosniff, typ = "X-Content-Type-Options", "Content-Type"
	for _, tt := range []struct {
		name        string
		destination Destination
		list        []header.Field
		sniff, mime bool
	}{
		{"a fetch() is never blocked", "", headerList(nosniff, "nosniff", typ, "image/png"), false, false},
		{"a script needs the type of one", "script", headerList(nosniff, "nosniff", typ, "text/plain"), true, false},
		{"with it, it is allowed", "script", headerList(nosniff, "nosniff", typ, "text/javascript; charset=utf-8"), false, false},
		{"without nosniff any text is", "script", headerList(typ, "text/plain"), false, false},
		{"but an image never is", "worker", headerList(typ, "image/png"), false, true},
		{"nor a table", "script", headerList(typ, "text/csv"), false, true},
		{"without a type nosniff blocks a script", "script", headerList(nosniff, "NoSniff"), true, false},
		{"the first of two values counts", "script", headerList(nosniff, "nosniff, x", typ, "text/plain"), true, false},
		{"and not the second", "script", headerList(nosniff, "x, nosniff", typ, "text/plain"), false, false},
		{"a style sheet needs text/css", "style", headerList(nosniff, "nosniff", typ, "text/plain"), true, false},
		{"with it, it is allowed too", "style", headerList(nosniff, "nosniff", typ, "text/css"), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sniff, mime := isBlockedByNosniff(tt.destination, tt.list), isBlockedByMIMEType(tt.destination, tt.list)
			if sniff != tt.sniff || mime != tt.mime {
				t.Errorf("destination %q, headers %q: blocked by nosniff %t and by type %t, want %t and %t", tt.destination, tt.list, sniff, mime, tt.sniff, tt.mime)
			}
		})
	}
}
