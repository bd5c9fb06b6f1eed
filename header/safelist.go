package header

import "strings"

// IsSafelistedRequest reports whether a request-header of this name and value
// is CORS-safelisted: a page of any origin may send it without a preflight.
//
// https://fetch.spec.whatwg.org/#cors-safelisted-request-header
func IsSafelistedRequest(name, value string) bool {
	if len(value) > 128 {
		return false
	}
	var buf [longestName]byte
	switch string(lowerInto(buf[:0], name)) {
	case "accept":
		return !contains(value, unsafe)
	case "accept-language", "content-language":
		for i := range len(value) {
			if class[value[i]]&language == 0 {
				return false
			}
		}
		return true
	case "content-type":
		if contains(value, unsafe) {
			return false
		}
		mimeType, ok := ParseMIMEType(value)
		if !ok {
			return false
		}
		switch mimeType.Essence() {
		case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
			return true
		}
	case "range":
		return isSafelistedRange(value)
	}
	return false
}

// isSafelistedRange reports whether value is one range of bytes that says
// where it starts.
//
// https://fetch.spec.whatwg.org/#simple-range-header-value
func isSafelistedRange(value string) bool {
	value, ok := strings.CutPrefix(value, "bytes=")
	if !ok {
		return false
	}
	start, end, ok := strings.Cut(value, "-")
	if !ok || start == "" || !areDigits(start) || !areDigits(end) {
		return false
	}
	if end == "" {
		return true
	}
	// The standard sets no bound on the numbers, so they are compared as they are
	// written.
	start, end = strings.TrimLeft(start, "0"), strings.TrimLeft(end, "0")
	if len(start) != len(end) {
		return len(start) < len(end)
	}
	return start <= end
}

func areDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func contains(value string, what uint8) bool {
	for i := range len(value) {
		if class[value[i]]&what != 0 {
			return true
		}
	}
	return false
}

// UnsafeRequestNames returns the names in list that need a preflight: in lower
// case, sorted, each once.
//
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
func UnsafeRequestNames(list []Field) []string {
	var unsafeNames []string
	size := 0
	for _, f := range list {
		if IsSafelistedRequest(f.Name, f.Value) {
			size += len(f.Value)
		} else {
			unsafeNames = append(unsafeNames, f.Name)
		}
	}
	if size > 1024 { // then the safe ones are unsafe together
		unsafeNames = unsafeNames[:0]
		for _, f := range list {
			unsafeNames = append(unsafeNames, f.Name)
		}
	}
	return SortedLowerSet(unsafeNames)
}

// IsNonWildcardRequestName reports whether "*" in Access-Control-Allow-Headers
// does not cover name.
//
// https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
func IsNonWildcardRequestName(name string) bool {
	return EqualFold(name, "Authorization")
}

// IsSafelistedResponse reports whether every page that may read a response may
// see its headers of this name, without mention in Access-Control-Expose-Headers.
//
// https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
func IsSafelistedResponse(name string) bool {
	var buf [longestName]byte
	switch string(lowerInto(buf[:0], name)) {
	case "cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma":
		return true
	}
	return false
}

// IsNoCORSSafelistedRequestName reports whether a page may set name in a
// request of mode "no-cors".
//
// https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header-name
func IsNoCORSSafelistedRequestName(name string) bool {
	var buf [longestName]byte
	switch string(lowerInto(buf[:0], name)) {
	case "accept", "accept-language", "content-language", "content-type":
		return true
	}
	return false
}

// IsNoCORSSafelistedRequest reports whether a page may set this name to this
// value in a request of mode "no-cors".
//
// https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header
func IsNoCORSSafelistedRequest(name, value string) bool {
	return IsNoCORSSafelistedRequestName(name) && IsSafelistedRequest(name, value)
}

// IsPrivilegedNoCORSRequestName reports whether only the browser itself may
// keep name in a request of mode "no-cors".
//
// https://fetch.spec.whatwg.org/#privileged-no-cors-request-header-name
func IsPrivilegedNoCORSRequestName(name string) bool {
	return EqualFold(name, "Range")
}
