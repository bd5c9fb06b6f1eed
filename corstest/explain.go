package corstest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// explainBlocked tells why the page may not read the response: the exchange
// that decided, the header, the step of the standard, the mend.
func explainBlocked(r *Result) string {
	e := r.Blocked
	var b strings.Builder
	fmt.Fprintf(&b, "corstest: %s may not read the response\n", r.subject())
	if n := len(r.Exchanges); n > 0 {
		b.WriteByte('\n')
		writeExchange(&b, r.Exchanges[n-1])
	}
	fmt.Fprintf(&b, "\n  blocked   %s\n", e.Code)
	if e.Code.IsCORS() && e.Origin != r.page {
		fmt.Fprintf(&b, "  origin    %s, since a redirect led from one foreign origin to another\n", e.Origin)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, "  says      %v\n", e.Err)
	}
	fmt.Fprintf(&b, "  standard  %s\n", e.Step)
	fmt.Fprintf(&b, "  mend      %s", mend(r))
	return b.String()
}

// explainHidden tells why a response that is not blocked cannot be read.
func explainHidden(r *Result) string {
	if r.Response.Type == fetch.TypeOpaqueRedirect {
		return fmt.Sprintf("corstest: %s may not read the response: a redirect is opaque in redirect mode %q; use %q",
			r.subject(), fetch.RedirectManual, fetch.RedirectFollow)
	}
	return fmt.Sprintf("corstest: %s may not read the response: it is opaque in mode %q; use mode %q, and let the server allow the page",
		r.subject(), fetch.ModeNoCORS, fetch.ModeCORS)
}

// explainAllowed tells why the page may read what it should not.
func explainAllowed(r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "corstest: %s is not refused: it gets a response of type %q\n\n", r.subject(), r.Response.Type)
	for _, e := range r.Exchanges {
		writeExchange(&b, e)
	}
	switch r.Response.Type {
	case fetch.TypeBasic:
		b.WriteString("\n  mend      a page may always read its own origin; fetch from another")
	case fetch.TypeCORS:
		if allowed, _ := r.Response.Get(header.AccessControlAllowOrigin); allowed == "*" {
			b.WriteString("\n  mend      " + header.AccessControlAllowOrigin + ": * allows every page; name the ones that may read this")
		} else {
			fmt.Fprintf(&b, "\n  mend      take %s out of the origins that are allowed", r.page)
		}
	default:
		fmt.Fprintf(&b, "\n  mend      mode %q hides the response and refuses nothing; use mode %q", fetch.ModeNoCORS, fetch.ModeCORS)
	}
	return b.String()
}

// explainUnseen tells why the page does not see a header.
func explainUnseen(r *Result, name string) string {
	last := r.Exchanges[len(r.Exchanges)-1]
	for _, f := range last.ResponseHeader {
		if !header.EqualFold(f.Name, name) {
			continue
		}
		if header.IsForbiddenResponse(name) {
			return fmt.Sprintf("corstest: %s does not see %s: no script ever sees it", r.subject(), name)
		}
		fix := fmt.Sprintf("add %s to %s", name, header.AccessControlExposeHeaders)
		if value := header.Lines(last.ResponseHeader, header.AccessControlExposeHeaders); r.request.Credentials == fetch.CredentialsInclude && slices.Contains(value, "*") {
			fix = fmt.Sprintf("name %s in %s: with credentials * is no wildcard", name, header.AccessControlExposeHeaders)
		}
		return fmt.Sprintf("corstest: %s does not see %s, though the server sent %q; %s", r.subject(), name, f.Value, fix)
	}
	return fmt.Sprintf("corstest: %s does not see %s: the server did not send it", r.subject(), name)
}

func explainPreflights(r *Result, got, want int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "corstest: %s sends %s, want %d\n", r.subject(), count(got, "preflight"), want)
	for _, e := range r.Exchanges {
		b.WriteByte('\n')
		writeExchange(&b, e)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeExchange writes what of an exchange concerns CORS.
func writeExchange(b *strings.Builder, e *fetch.Exchange) {
	fmt.Fprintf(b, "  asked     %s %s\n", e.Method, e.URL)
	for _, f := range e.RequestHeader {
		if matters(f.Name) {
			fmt.Fprintf(b, "            %s: %.200s\n", f.Name, f.Value)
		}
	}
	if e.Status == 0 {
		b.WriteString("  answered  nothing\n")
		return
	}
	fmt.Fprintf(b, "  answered  %d\n", e.Status)
	for _, f := range e.ResponseHeader {
		if matters(f.Name) {
			fmt.Fprintf(b, "            %s: %.200s\n", f.Name, f.Value)
		}
	}
}

// matters reports whether an explanation shows headers of this name: not
// cookies and passwords, which do not belong in the log of a test.
func matters(name string) bool {
	name = header.Lower(name)
	switch name {
	case "origin", "vary", "location", "cross-origin-resource-policy", "content-type":
		return true
	}
	return strings.HasPrefix(name, "access-control-")
}
