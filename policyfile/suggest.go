package policyfile

import "strings"

// meant holds what people write for a key because another product calls it so,
// without what separates its words.
var meant = map[string]string{
	"origin": "origins", "alloworigin": "origins", "alloworigins": "origins", "allowedorigins": "origins", "accesscontrolalloworigin": "origins",
	"method": "methods", "allowmethods": "methods", "allowedmethods": "methods", "accesscontrolallowmethods": "methods",
	"headers": "request-headers", "header": "request-headers", "allowheaders": "request-headers", "allowedheaders": "request-headers", "accesscontrolallowheaders": "request-headers",
	"expose": "exposed-headers", "exposeheaders": "exposed-headers", "accesscontrolexposeheaders": "exposed-headers",
	"allowcredentials": "credentials", "supportscredentials": "credentials", "accesscontrolallowcredentials": "credentials",
	"accesscontrolmaxage": "max-age", "preflightmaxage": "max-age", "ttl": "max-age",
	"optionsstatus": "preflight-status", "optionssuccessstatus": "preflight-status", "optionsstatuscode": "preflight-status",
	"allowprivatenetwork": "private-network", "allownull": "insecure-allow-null",
	"to": "upstream", "backend": "upstream", "proxy": "upstream", "proxypass": "upstream", "target": "upstream", "service": "upstream", "url": "upstream",
	"reportonly": "shadow", "dryrun": "shadow",
	"paths": "routes", "rules": "routes", "policies": "routes",
}

// suggest returns the key of known that was meant by key, or "".
func suggest(key string, known []string) string {
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(key))
	best, least := "", 1+len(plain)/4 // as many slips as a word of this length may have, and one
	for _, k := range known {
		if meant[plain] == k {
			return k
		}
		if d := distance(plain, strings.ReplaceAll(k, "-", "")); d < least || d == least && best == "" && d < 3 {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters differ: to insert, to remove, to replace, or to
// swap with the next.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
