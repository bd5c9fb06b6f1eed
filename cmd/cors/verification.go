package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/crossorigin/cors/audit"
	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A verification is a plan and what came of it, to be told.
type verification struct {
	policy, server, browser string
	target                  audit.Target
	plan                    *audit.Plan
	report                  *audit.Report
	style                   report.Style
	quiet                   bool
}

// verdict is what the command exits with.
func (v *verification) verdict() error {
	kept, unreachable := v.report.Count(audit.Kept), v.report.Count(audit.Unreachable)
	switch {
	case v.report.Count(audit.Broken) > 0:
		return &report.Failure{Code: report.Blocked}
	case unreachable > 0:
		why := ""
		for _, r := range v.report.Results {
			if r.Verdict == audit.Unreachable {
				why = r.Got
				break
			}
		}
		if strings.HasSuffix(why, "this was interrupted") {
			return &report.Failure{Code: report.Unreachable, Err: fmt.Errorf("interrupted, with no answer to %d of %d expectations", unreachable, len(v.report.Results))}
		}
		hint := "is the server up, and does --rate ask too much of it?"
		if strings.Contains(why, "certificate") {
			hint = "have its authority trusted: SSL_CERT_FILE names a file of certificates"
		}
		return (&report.Failure{Code: report.Unreachable, Err: fmt.Errorf("%s: no answer to %d of %d expectations: %s", v.server, unreachable, len(v.report.Results), why)}).
			WithHint("%s", hint)
	case kept == 0:
		return report.Misused("nothing could be asked at %s", v.server).WithHint("the lines above say why")
	}
	return nil
}

// begin tells what will be done, before it is.
func (v *verification) begin(w io.Writer) {
	fmt.Fprintf(w, "%s at %s: %s, %s at most, as %s\n", report.Clean(v.policy), report.Clean(v.server),
		count(v.plan.Len(), "expectation"), count(v.plan.Requests, "request"), browserNames[v.browser])
	if v.plan.Unsafe > 0 {
		fmt.Fprintf(w, "%d of them with methods that may change something\n", v.plan.Unsafe)
	}
	if v.plan.Omitted > 0 {
		fmt.Fprintf(w, "%s left out, mostly near misses; --max-requests lets more be asked\n", count(v.plan.Omitted, "expectation"))
	}
	for _, server := range v.plan.Insecure {
		fmt.Fprintf(w, "%s is asked as if it were over https: browsers block http as mixed content\n", server)
	}
}

var browserNames = map[string]string{
	"standard": "the standard says", "chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit",
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// text tells people.
func (v *verification) text(w io.Writer) {
	told := v.told()
	route := ""
	for i, r := range told {
		if name := routeName(r.Result); i == 0 || name != route {
			route = name
			fmt.Fprintf(w, "\n%s\n", v.style.Strong(report.Clean(name)))
		}
		v.line(w, r)
		// What is not asked for one reason has that told once.
		if next := i + 1; r.Verdict != audit.Broken && next < len(told) && told[next].Got == r.Got && told[next].Route == r.Route {
			continue
		}
		for _, d := range v.details(r.Result) {
			fmt.Fprintf(w, "            %s %s\n", v.style.Faint(fmt.Sprintf("%-8s", d.name)), report.Clean(d.text))
		}
	}
	if len(told) > 0 {
		fmt.Fprintln(w)
	}
	var counts []string
	for _, verdict := range []audit.Verdict{audit.Kept, audit.Broken, audit.Unjudged, audit.Unreachable} {
		if n := v.report.Count(verdict); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, verdict))
		}
	}
	fmt.Fprintf(w, "%s: %s; %s\n", count(len(v.report.Results), "expectation"), strings.Join(counts, ", "), count(v.report.Requests, "request"))
}

// A told result stands for n, if that is not 0.
type told struct {
	audit.Result
	n int
}

// told are the results to tell: all of them, or where v is quiet those that are
// not kept, what was not asked for one reason as one.
func (v *verification) told() []told {
	var all []told
	for _, r := range v.report.Results {
		last := len(all) - 1
		switch {
		case !v.quiet:
			all = append(all, told{Result: r})
		case r.Verdict == audit.Kept:
		case last >= 0 && all[last].n > 0 && all[last].Got == r.Got && all[last].Route == r.Route:
			all[last].n++
		case r.Request == nil && r.URL == "" && r.Rule != "route": // not asked
			all = append(all, told{r, 1})
		default:
			all = append(all, told{Result: r})
		}
	}
	return all
}

func routeName(r audit.Result) string {
	if r.Route == "" {
		return "elsewhere"
	}
	return r.Route
}

func (v *verification) line(w io.Writer, r told) {
	style := map[audit.Verdict]func(string) string{audit.Kept: v.style.Good, audit.Broken: v.style.Bad, audit.Unjudged: v.style.Warn, audit.Unreachable: v.style.Warn}
	words := map[audit.Verdict]string{audit.Kept: "kept", audit.Broken: "BROKEN", audit.Unjudged: "unjudged", audit.Unreachable: "no answer"}
	expect := r.Expect
	if r.n > 1 {
		expect = count(r.n, "expectation")
	}
	fmt.Fprintf(w, "  %s%s %s\n", style[r.Verdict](words[r.Verdict]), strings.Repeat(" ", len("no answer")-len(words[r.Verdict])), report.Clean(expect))
}

type detail struct{ name, text string }

// details say what came of an expectation, beyond that it is kept.
func (v *verification) details(r audit.Result) []detail {
	switch {
	case r.Got == "":
		return nil
	case r.Verdict == audit.Kept:
		return []detail{{"note", r.Got}}
	case r.Verdict != audit.Broken:
		return []detail{{"because", r.Got}}
	}
	all := []detail{{"asked", asked(r)}, {"came", r.Got}}
	sentence, mend := words(r)
	if sentence != "" {
		all = append(all, detail{"that is", sentence})
	}
	if r.Blocked != nil {
		all = append(all, detail{"standard", r.Blocked.Step.String()})
	}
	if mend != "" {
		all = append(all, detail{"mend", mend})
	}
	if more := v.more(r); more != "" {
		all = append(all, detail{"more", more})
	}
	return all
}

// more is the command that explains a blocked fetch at length; "" where that
// command would not ask the same.
func (v *verification) more(r audit.Result) string {
	u, err := url.Parse(r.URL)
	if r.Blocked == nil || err != nil {
		return ""
	}
	switch {
	case r.Request.UploadListeners, // it would have no preflight, and be sent
		len(v.target.Header) > 0, // the page would set them
		v.target.Connect[u.Hostname()] != "",
		slices.Contains(v.plan.Insecure, u.Scheme+"://"+u.Host):
		return ""
	}
	words := []string{"cors", "explain", r.URL, "--origin", r.Origin}
	if r.Method != http.MethodGet {
		words = append(words, "-X", r.Method)
	}
	for _, f := range r.Request.Header {
		words = append(words, "-H", f.Name+": "+f.Value)
	}
	if r.Request.Credentials == fetch.CredentialsInclude {
		words = append(words, "--credentials", "include")
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// shellWord quotes s for a shell, where that is needed.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func asked(r audit.Result) string {
	s := r.Method + " " + r.URL
	if sent := r.Exchanges[len(r.Exchanges)-1]; sent.Preflight || sent.Status == 0 {
		s = "a preflight for " + s
	}
	if r.Origin != "" {
		s += ", Origin: " + r.Origin
	}
	if r.Request.Credentials == fetch.CredentialsInclude {
		s += ", with credentials"
	}
	for _, f := range r.Request.Header {
		s += ", with " + f.Name
	}
	return s
}

// words are the sentence and the mend for a broken expectation.
func words(r audit.Result) (sentence, mend string) {
	if r.Verdict != audit.Broken {
		return "", ""
	}
	if mend := r.Mend(); mend != "" {
		return "", mend
	}
	d := explain.Diagnose(explain.Question{Page: r.Page, Opaque: r.Opaque, Request: r.Request}, explain.Result{Blocked: r.Blocked})
	return d.Sentence(explain.English), d.Mend(explain.English)
}

// suites tells systems of continuous integration.
func (v *verification) suites() []report.Suite {
	var all []report.Suite
	for _, r := range v.report.Results {
		if name := routeName(r); len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, report.Suite{Name: name})
		}
		var text strings.Builder
		for _, d := range v.details(r) {
			fmt.Fprintf(&text, "%-8s %s\n", d.name, d.text)
		}
		c := report.Case{Name: r.Expect}
		switch r.Verdict {
		case audit.Broken:
			c.Failure = &report.Fault{Kind: r.Rule, Message: r.Got, Text: text.String()}
		case audit.Unreachable:
			c.Error = &report.Fault{Kind: string(r.Verdict), Message: r.Got, Text: text.String()}
		case audit.Unjudged:
			c.Skipped = r.Got
		}
		last := &all[len(all)-1]
		last.Cases = append(last.Cases, c)
	}
	return all
}

// verificationVersion changes with what programs must know of.
const verificationVersion = 1

// What programs are told. Headers are those of CORS alone, so that no secret is
// among them.
type (
	jsonVerification struct {
		SchemaVersion int                   `json:"schemaVersion"`
		Policy        string                `json:"policy"`
		URL           string                `json:"url"`
		Browser       string                `json:"browser"`
		Requests      jsonRequests          `json:"requests"`
		Omitted       int                   `json:"omitted"`
		Counts        map[audit.Verdict]int `json:"counts"`
		Results       []jsonResult          `json:"results"`
	}
	jsonRequests struct {
		Planned int `json:"planned"`
		Sent    int `json:"sent"`
	}
	jsonResult struct {
		Route     string         `json:"route"`
		Rule      string         `json:"rule"`
		Expect    string         `json:"expect"`
		Verdict   audit.Verdict  `json:"verdict"`
		Method    string         `json:"method,omitempty"`
		URL       string         `json:"url,omitempty"`
		Origin    string         `json:"origin,omitempty"`
		Got       string         `json:"got,omitempty"`
		Code      string         `json:"code,omitempty"`
		Step      string         `json:"step,omitempty"`
		Sentence  string         `json:"sentence,omitempty"`
		Mend      string         `json:"mend,omitempty"`
		Exchanges []jsonExchange `json:"exchanges,omitempty"`
	}
	jsonExchange struct {
		Preflight bool         `json:"preflight"`
		Method    string       `json:"method"`
		URL       string       `json:"url"`
		Request   []jsonHeader `json:"request"`
		Status    int          `json:"status"` // 0 where none came
		Response  []jsonHeader `json:"response"`
	}
	jsonHeader struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

func (v *verification) json() jsonVerification {
	out := jsonVerification{
		SchemaVersion: verificationVersion, Policy: v.policy, URL: v.server, Browser: v.browser,
		Requests: jsonRequests{v.plan.Requests, v.report.Requests}, Omitted: v.plan.Omitted,
		Counts: map[audit.Verdict]int{}, Results: []jsonResult{},
	}
	for _, verdict := range []audit.Verdict{audit.Kept, audit.Broken, audit.Unjudged, audit.Unreachable} {
		out.Counts[verdict] = v.report.Count(verdict)
	}
	for _, r := range v.report.Results {
		result := jsonResult{Route: r.Route, Rule: r.Rule, Expect: r.Expect, Verdict: r.Verdict, Method: r.Method, URL: r.URL, Origin: r.Origin, Got: r.Got}
		result.Sentence, result.Mend = words(r)
		if r.Blocked != nil {
			result.Code, result.Step = r.Blocked.Code.String(), r.Blocked.Step.String()
		}
		for _, e := range r.Exchanges {
			result.Exchanges = append(result.Exchanges, newJSONExchange(e))
		}
		out.Results = append(out.Results, result)
	}
	return out
}

func newJSONExchange(e *fetch.Exchange) jsonExchange {
	return jsonExchange{
		Preflight: e.Preflight, Method: e.Method, URL: withoutQuery(e.URL),
		Request: corsHeaders(e.RequestHeader), Status: e.Status, Response: corsHeaders(e.ResponseHeader),
	}
}

// corsHeaders are those of CORS and of caches.
func corsHeaders(list []header.Field) []jsonHeader {
	kept := []jsonHeader{}
	for _, f := range list {
		name := http.CanonicalHeaderKey(f.Name)
		if name == header.Origin || name == header.Vary || header.IsAccessControl(name) {
			kept = append(kept, jsonHeader{name, f.Value})
		}
	}
	return kept
}

// withoutQuery leaves out what a redirect may have put into a URL, such as a
// token.
func withoutQuery(u string) string {
	u, _, _ = strings.Cut(u, "?")
	return u
}
