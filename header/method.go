package header

// IsSafelistedMethod reports whether m is a CORS-safelisted method, which needs
// no preflight and no mention in Access-Control-Allow-Methods.
//
// https://fetch.spec.whatwg.org/#cors-safelisted-method
func IsSafelistedMethod(m string) bool {
	return m == "GET" || m == "HEAD" || m == "POST"
}

// IsForbiddenMethod reports whether no page may use m.
//
// https://fetch.spec.whatwg.org/#forbidden-method
func IsForbiddenMethod(m string) bool {
	return EqualFold(m, "CONNECT") || EqualFold(m, "TRACE") || EqualFold(m, "TRACK")
}

// NormalizeMethod returns m, in upper case if it is one of the six methods for
// which browsers do that. "patch" stays "patch".
//
// https://fetch.spec.whatwg.org/#concept-method-normalize
func NormalizeMethod(m string) string {
	for _, known := range [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if EqualFold(m, known) {
			return known
		}
	}
	return m
}
