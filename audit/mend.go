package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

// Mend says what to change at the server, without a capital or full stop, where
// it does something that the policy does not say; "" where a fetch is blocked
// instead: package explain has words for that.
func (r Result) Mend() string {
	if r.Verdict != Broken || r.Blocked != nil && r.Rule != "error" {
		return ""
	}
	switch r.Rule {
	case "error":
		return "let errors carry the headers too: those of the router, of the application, and of each proxy in front"
	case "origin-elsewhere":
		return "give each route a policy of its own, and send no CORS header where there is none"
	case "origin-refused":
		if slices.Contains(strangers, r.Origin) {
			return fmt.Sprintf("send %s to the origins of the policy alone; echo no other", header.AccessControlAllowOrigin)
		}
		if r.Opaque {
			return fmt.Sprintf("send no %s: null; it is the origin of whoever wants it", header.AccessControlAllowOrigin)
		}
		return fmt.Sprintf("compare whole origins, byte for byte, and send %s to none that the policy does not allow", header.AccessControlAllowOrigin)
	case "credentials-refused":
		return fmt.Sprintf("send no %s", header.AccessControlAllowCredentials)
	case "exposed":
		if r.Request.Credentials == "include" {
			return fmt.Sprintf("name it in %s: with credentials * is no wildcard", header.AccessControlExposeHeaders)
		}
		return fmt.Sprintf("name it in %s", header.AccessControlExposeHeaders)
	case "hidden":
		return fmt.Sprintf("name in %s only what the policy exposes", header.AccessControlExposeHeaders)
	case "vary":
		return "add Origin to Vary in every answer of this route, also where there is no Origin and where it is refused"
	case "preflight-refused":
		return "let the same code judge the origin of preflights and of other requests"
	case "preflight-status", "refused-status":
		return "answer preflights in one place, with the status of the policy"
	case "method-refused":
		return fmt.Sprintf("list in %s only what the policy allows, in the same letters", header.AccessControlAllowMethods)
	case "header-refused":
		return fmt.Sprintf("list in %s only what the policy allows", header.AccessControlAllowHeaders)
	case "max-age", "private-network":
		name := header.AccessControlMaxAge
		if r.Rule == "private-network" {
			name = header.AccessControlAllowPrivateNetwork
		}
		if _, line, ok := strings.Cut(r.Expect, " says "+name+": "); ok {
			return fmt.Sprintf("send %s: %s, once", name, line)
		}
		return "send no " + name
	}
	return ""
}
