package header

// IsForbiddenRequest reports whether a page may not set a request-header of
// this name and value.
//
// https://fetch.spec.whatwg.org/#forbidden-request-header
func IsForbiddenRequest(name, value string) bool {
	var buf [longestName]byte
	switch string(lowerInto(buf[:0], name)) {
	case "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
		"connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin",
		"referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via":
		return true
	case "x-http-method", "x-http-method-override", "x-method-override":
		for _, method := range Split(value) {
			if IsForbiddenMethod(method) {
				return true
			}
		}
	}
	return hasPrefixFold(name, "proxy-") || hasPrefixFold(name, "sec-")
}

func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && EqualFold(name[:len(prefix)], prefix)
}

// IsForbiddenResponse reports whether no page may see response-headers of this
// name.
//
// https://fetch.spec.whatwg.org/#forbidden-response-header-name
func IsForbiddenResponse(name string) bool {
	return EqualFold(name, "Set-Cookie") || EqualFold(name, "Set-Cookie2")
}

// IsRequestBody reports whether headers of this name describe the body of a
// request, and go when a redirect takes the body away.
//
// https://fetch.spec.whatwg.org/#request-body-header-name
func IsRequestBody(name string) bool {
	var buf [longestName]byte
	switch string(lowerInto(buf[:0], name)) {
	case "content-encoding", "content-language", "content-location", "content-type":
		return true
	}
	return false
}
