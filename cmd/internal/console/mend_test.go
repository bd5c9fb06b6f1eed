package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

const mendPolicy = `upstream: http://localhost:1
routes:
  /:
    origins: [https://app.example.com]
    methods: [PUT]
    request-headers: [Authorization]
  /session/:
    origins: [https://app.example.com]
    credentials: true
  /many/:
    origins: [https://1.example, https://2.example, https://3.example, https://4.example, https://5.example, https://6.example, https://7.example, https://8.example]
  /off/: off
`

func TestAMendIsWhatWouldAllowTheRequest(t *testing.T) {
	file, err := policyfile.Parse([]byte(mendPolicy))
	if err != nil {
		t.Fatal(err)
	}
	inFile := Policy{Text: []byte(mendPolicy), File: file}
	inFlags := Policy{File: file}
	const app, evil = "https://app.example.com", "https://evil.example"
	for _, tt := range []struct {
		name   string
		in     Policy
		seen   observation
		lines  string
		others string // flags, or why not
	}{
		{"an origin", inFile, observation{Route: "/", Method: "GET", Origin: evil}, "origins: [https://app.example.com, https://evil.example]", ""},
		{"an origin, in flags", inFlags, observation{Route: "/", Method: "GET", Origin: evil}, "", "--origin https://evil.example"},
		{"an origin with a port", inFile, observation{Route: "/", Method: "GET", Origin: "http://localhost:5173"}, `origins: [https://app.example.com, http://localhost:5173]`, ""},
		{"a method", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "DELETE"}, "methods: [PUT, DELETE]", ""},
		{"a header", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "PUT", RequestHeaders: "authorization,x-trace"}, "request-headers: [Authorization, x-trace]", ""},
		{"all that a preflight asks for", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: evil, RequestMethod: "PATCH", RequestHeaders: "x-a, x-b"},
			"origins: [https://app.example.com, https://evil.example]\nmethods: [PUT, PATCH]\nrequest-headers: [Authorization, x-a, x-b]", ""},
		{"all that a preflight asks for, in flags", inFlags, observation{Route: "/", Kind: cors.Preflight, Origin: evil, RequestMethod: "PATCH", RequestHeaders: "x-a"},
			"", "--origin https://evil.example --method PATCH --header x-a"},
		{"one more of many", inFile, observation{Route: "/many/", Method: "GET", Origin: evil}, "origins:\n  - https://evil.example", ""},
		{"a route that is off", inFile, observation{Route: "/off/", Method: "GET", Origin: evil}, "origins: [https://evil.example]", ""},
		{"no route", inFile, observation{Route: "", Path: "/new", Method: "GET", Origin: evil}, "origins: [https://evil.example]", ""},

		{"an opaque origin", inFile, observation{Route: "/", Method: "GET", Origin: "null"}, "", `"null": any page can have this origin, by a sandboxed frame; remove it, or write "insecure-allow-null: true"`},
		{"http: with credentials", inFile, observation{Route: "/session/", Method: "GET", Origin: "http://app.example.com"}, "", `"http://app.example.com": `},
		{"no origin", inFile, observation{Route: "/", Method: "GET", Origin: "https://evil.example/x"}, "", ""},
		{"no method", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "A B"}, "", ""},
		{"a method that no page can send", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "TRACE"}, "", `"TRACE": `},
		{"no names", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "PUT", RequestHeaders: "a b"}, "", ""},
		{"a path longer than is kept", inFile, observation{Route: "/", Method: "GET", Origin: evil, Cut: true}, "origins: [https://app.example.com, https://evil.example]", ""},
		{"a path longer than is kept, and no route", inFile, observation{Route: "", Path: "/new", Method: "GET", Origin: evil, Cut: true}, "", ""},
		{"more headers than are kept", inFile, observation{Route: "/", Kind: cors.Preflight, Origin: app, RequestMethod: "PUT", RequestHeaders: "x-a", Cut: true, CutAsked: true}, "", ""},
		{"a route that is no more", inFile, observation{Route: "/gone/", Method: "GET", Origin: evil}, "", ""},
		{"a path that is no pattern", inFile, observation{Route: "", Path: "/{\"\n", Method: "GET", Origin: evil}, "", ""},
		{"a path with what means something in YAML", inFile, observation{Route: "", Path: "/a: #b", Method: "GET", Origin: evil}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.seen.Kind == cors.Preflight {
				tt.seen.Method = "OPTIONS"
			}
			m := mendOf(tt.in, tt.seen)
			if diff := cmp.Diff(tt.lines, strings.Join(m.Lines, "\n")); diff != "" {
				t.Errorf("lines, -want +got:\n%s", diff)
			}
			if others := strings.Join(m.Flags, " ") + m.Refused; !strings.HasPrefix(others, tt.others) || tt.others == "" && others != "" {
				t.Errorf("beside them %q, want %q", others, tt.others)
			}
		})
	}
}

// TestAMendMends writes what a mend says into the file, and asks the decision core
// again.
func TestAMendMends(t *testing.T) {
	file, err := policyfile.Parse([]byte(mendPolicy))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []observation{
		{Route: "/", Kind: cors.Preflight, Method: "OPTIONS", Origin: "https://evil.example", RequestMethod: "PATCH", RequestHeaders: "x-a, 1, null, true"},
		{Route: "/", Kind: cors.Preflight, Method: "OPTIONS", Origin: "https://xn--bcher-kva.example:8443", RequestMethod: "!#$%&'*+-.^_`|~", RequestHeaders: "*, ~, -, yes, 0x1f, !a, 'b"},
		{Route: "/", Method: "GET", Origin: "chrome-extension://abcdefghijklmnopabcdefghijklmnop"},
		{Route: "/off/", Method: "GET", Origin: "https://[2001:db8::1]:8443"},
	} {
		m := mendOf(Policy{Text: []byte(mendPolicy), File: file}, o)
		text := fmt.Sprintf("routes:\n  %s:\n    origins: [https://app.example.com]\n", m.Route)
		for _, line := range m.Lines {
			if strings.HasPrefix(line, "origins") {
				text = fmt.Sprintf("routes:\n  %s:\n", m.Route)
			}
		}
		mended, err := policyfile.Parse([]byte(text + "    " + strings.Join(m.Lines, "\n    ") + "\n"))
		if err != nil {
			t.Errorf("%+v is mended by %q: %v", o, m, err)
			continue
		}
		mw, err := cors.New(mended.Routes[0].Policy)
		if err != nil {
			t.Fatal(err)
		}
		if d := mw.Decide(t.Context(), o.request()); !d.Allowed {
			t.Errorf("%+v is mended by %q, and refused: %v %q", o, m, d.Reason, d.Name)
		}
	}
}
