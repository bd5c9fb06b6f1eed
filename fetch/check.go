package fetch

import (
	"strings"

	"github.com/crossorigin/cors/header"
)

// corsCheck is the CORS check: it says why res may not be read by r, or nil. A
// preflight's response is checked for the request to come, so that for has the
// credentials mode that counts and the failure is sent's.
//
// https://fetch.spec.whatwg.org/#concept-cors-check
func corsCheck(sent, r *request, res *response) *BlockedError {
	const anchor = "concept-cors-check"
	got, ok := get(res.header, header.AccessControlAllowOrigin)
	fail := func(code Code, number, name, value string) *BlockedError {
		blocked := sent.blocked(code, anchor, number).because(name, value)
		return blocked
	}
	// 2. Null is not "null".
	if !ok {
		return fail(CodeMissingAllowOrigin, "2", header.AccessControlAllowOrigin, "")
	}
	// 3.
	if r.credentials != CredentialsInclude && got == "*" {
		sent.emit(Event{Kind: EventCORSCheckPassed, Name: header.AccessControlAllowOrigin, Value: got})
		return nil
	}
	// 4. Bytes are compared, not origins: "https://a.example:443" does not match "https://a.example".
	if got != sent.serializedOrigin() {
		switch {
		case got == "*":
			return fail(CodeWildcardOrigin, "4", header.AccessControlAllowOrigin, got)
		case strings.ContainsAny(got, ", "):
			return fail(CodeMultipleAllowOrigin, "4", header.AccessControlAllowOrigin, got)
		}
		return fail(CodeOriginMismatch, "4", header.AccessControlAllowOrigin, got)
	}
	// 5.
	if r.credentials == CredentialsInclude {
		// 6. to 8.
		if value, _ := get(res.header, header.AccessControlAllowCredentials); value != "true" {
			return fail(CodeAllowCredentials, "8", header.AccessControlAllowCredentials, value)
		}
	}
	sent.emit(Event{Kind: EventCORSCheckPassed, Name: header.AccessControlAllowOrigin, Value: got})
	return nil
}
