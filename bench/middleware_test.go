package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example"
)

// A scenario is a policy, a request, and whether a browser lets the page go on.
type scenario struct {
	policy  cors.Policy
	request request
	allowed bool
}

func policy(origins, names []string) cors.Policy {
	return cors.Policy{
		Origins: origins, Methods: []string{"GET", "PUT", "DELETE"}, RequestHeaders: names, ExposedHeaders: []string{"X-Request-Id"},
		Credentials: true, MaxAge: 10 * time.Minute,
	}
}

// scenarioOf makes the one of a row of the table.
func scenarioOf(row string) scenario {
	two := []string{app, "https://www.example.com"}
	named := policy(two, numbered("x-name-%03d", 10))
	open := cors.Policy{Origins: []string{"*"}, Methods: []string{"GET", "PUT"}, RequestHeaders: []string{"Content-Type"}}
	subdomains := policy(numbered("https://*.tenant-%02d.example", 100), []string{"Content-Type"})
	preflight := func(n int) scenario {
		names := numbered("x-name-%03d", n)
		return scenario{policy(two, names), ask("OPTIONS", app, "PUT", strings.Join(names, ",")), true}
	}
	all := map[string]scenario{
		"not-cors":          {named, ask("GET", "", "", ""), false},
		"actual":            {named, ask("GET", app, "", ""), true},
		"actual-refused":    {named, ask("GET", evil, "", ""), false},
		"any-origin":        {open, ask("GET", app, "", ""), true},
		"preflight-0":       {named, ask("OPTIONS", app, "PUT", ""), true},
		"preflight-1":       preflight(1),
		"preflight-10":      preflight(10),
		"preflight-100":     preflight(100),
		"preflight-refused": {named, ask("OPTIONS", evil, "PUT", ""), false},
		"subdomains-hit":    {subdomains, ask("GET", "https://a.tenant-50.example", "", ""), true},
		"subdomains-miss":   {subdomains, ask("GET", "https://a.tenant-x.example", "", ""), false},
		"observed":          {named, ask("GET", app, "", ""), true},
	}
	hostile := func(method, name string, lines []string) scenario {
		r := ask(method, app, "PUT", "")
		r.header[name] = lines
		return scenario{named, r, false}
	}
	switch row {
	case "origin-1MB-line":
		return hostile("GET", "Origin", []string{strings.Repeat("x-name-001,", 1<<20/11)})
	case "origin-1MB-lines":
		return hostile("GET", "Origin", slices.Repeat([]string{"x-name-001,x-name-002,x-name-003,xx"}, 30000))
	case "names-1MB-line":
		return hostile("OPTIONS", "Access-Control-Request-Headers", []string{"xx," + strings.Repeat("x-name-001,", 1<<20/11)})
	case "names-1MB-lines":
		return hostile("OPTIONS", "Access-Control-Request-Headers", slices.Repeat([]string{"x-name-001,x-name-002,x-name-003,xx"}, 30000))
	}
	return all[row]
}

// ask is a request of this origin; what is "" is not there.
func ask(method, origin, requestMethod, names string) request {
	h := make(http.Header)
	for name, value := range map[string]string{
		"Origin": origin, "Access-Control-Request-Method": requestMethod, "Access-Control-Request-Headers": names,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return request{method, h}
}

func numbered(format string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

func subjectsOf(row string) []subject {
	if row == "observed" {
		return []subject{subjects[0], observed}
	}
	return subjects
}

// heldBesides is what the process holds, as a small service does. With next to
// no heap the collector would run a hundred times a second, and the numbers say
// how it shares the one processor.
var heldBesides = make([]byte, 64<<20)

func BenchmarkMiddleware(b *testing.B) {
	defer runtime.KeepAlive(heldBesides)
	for _, row := range rows {
		s := scenarioOf(row.name)
		for _, subject := range subjectsOf(row.name) {
			instance := subject.make(s.policy, s.request)
			if instance == nil {
				continue
			}
			b.Run("row="+row.name+"/subject="+subject.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					instance.serve()
				}
			})
		}
	}
}

var update = flag.Bool("u", false, "write testdata/faults.txt anew")

// Numbers of a middleware that answers wrongly say little: the table marks them.
func TestWhoAnswersWronglyIsListed(t *testing.T) {
	var b strings.Builder
	for _, row := range rows {
		s := scenarioOf(row.name)
		for _, c := range columns[1:] {
			i := slices.IndexFunc(subjectsOf(row.name), func(s subject) bool { return s.name == c.subject })
			fault := "cannot be configured"
			if i >= 0 {
				if instance := subjectsOf(row.name)[i].make(s.policy, s.request); instance != nil {
					fault = faultOf(s, instance)
				}
			}
			if fault != "" {
				fmt.Fprintf(&b, "%-18s %-8s %s\n", row.name, c.subject, fault)
			}
			if fault != "" && c.subject == "cors" {
				t.Errorf("%s: cors: %s", row.name, fault)
			}
		}
	}
	if *update {
		if err := os.WriteFile("testdata/faults.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(faults, b.String()); diff != "" {
		t.Errorf("testdata/faults.txt: -is +should be (-u writes it):\n%s", diff)
	}
}

// faultOf says what is wrong with the answer of i, or "".
func faultOf(s scenario, i *instance) string {
	status, h := i.answer()
	switch allowed := passes(s, status, h); {
	case allowed && !s.allowed:
		return "allows what the policy refuses"
	case !allowed && s.allowed:
		return "refuses what the policy allows"
	}
	vary, _ := header.List(h["Vary"])
	if !slices.Contains(s.policy.Origins, "*") && !slices.Contains(vary, "Origin") {
		return "no Vary: Origin"
	}
	return ""
}

// passes reports whether a browser lets the page go on with its request for
// which the server answers this.
func passes(s scenario, status int, h http.Header) bool {
	allow, origin := h["Access-Control-Allow-Origin"], s.request.header["Origin"]
	if len(origin) != 1 || len(allow) != 1 || allow[0] != origin[0] && (allow[0] != "*" || s.policy.Credentials) {
		return false
	}
	if s.policy.Credentials && h.Get("Access-Control-Allow-Credentials") != "true" {
		return false
	}
	if s.request.method != "OPTIONS" {
		return true
	}
	methods, ok := header.List(h["Access-Control-Allow-Methods"])
	names, ok2 := header.List(h["Access-Control-Allow-Headers"])
	if !ok || !ok2 || status < 200 || status > 299 || !slices.Contains(methods, s.request.header.Get("Access-Control-Request-Method")) {
		return false
	}
	asked, _ := header.List(s.request.header["Access-Control-Request-Headers"])
	have := make(map[string]bool)
	for _, name := range names {
		have[header.Lower(name)] = true
	}
	return !slices.ContainsFunc(asked, func(name string) bool { return !have[name] })
}
