package header

// IsToken reports whether s is an HTTP token, which is what methods and header
// names are.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-tokens
func IsToken(s string) bool {
	for i := range len(s) {
		if class[s[i]]&token == 0 {
			return false
		}
	}
	return s != ""
}

// IsValue reports whether s is a header value: no white space at its ends, and
// nowhere a NUL or the end of a line.
//
// https://fetch.spec.whatwg.org/#header-value
func IsValue(s string) bool {
	for i := range len(s) {
		if s[i] == 0 || s[i] == '\n' || s[i] == '\r' {
			return false
		}
	}
	return s == "" || !isTabOrSpace(s[0]) && !isTabOrSpace(s[len(s)-1])
}

// Normalize returns value without the HTTP whitespace around it.
//
// https://fetch.spec.whatwg.org/#concept-header-value-normalize
func Normalize(value string) string {
	for value != "" && isWhitespace(value[0]) {
		value = value[1:]
	}
	for value != "" && isWhitespace(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return value
}

// Lower returns name with its ASCII letters in lower case. It allocates only
// where there is one in upper case.
func Lower(name string) string {
	for i := range len(name) {
		if isUpper(name[i]) {
			b := []byte(name)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return name
}

// lowerInto appends name in lower case to buf. A string made of the result, only
// to be compared, is not allocated if it is short.
func lowerInto(buf []byte, name string) []byte {
	if len(name) > cap(buf) {
		return buf // longer than all that it is compared with
	}
	for i := range len(name) {
		buf = append(buf, lower(name[i]))
	}
	return buf
}

// longestName is the length of the longest name that others are compared with.
const longestName = len("access-control-request-headers")

// IsAccessControl reports whether name begins with "Access-Control-", in any case:
// so do the request-headers and response-headers of CORS, also those to come.
func IsAccessControl(name string) bool {
	const prefix = "Access-Control-"
	return len(name) >= len(prefix) && EqualFold(name[:len(prefix)], prefix)
}

// EqualFold reports whether a and b are the same but for the case of ASCII
// letters: the standard's byte-case-insensitive match.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if isUpper(c) {
		c |= 0x20
	}
	return c
}

func isUpper(c byte) bool      { return c-'A' < 26 }
func isDigit(c byte) bool      { return c-'0' < 10 }
func isTabOrSpace(c byte) bool { return c == ' ' || c == '\t' }
func isWhitespace(c byte) bool { return isTabOrSpace(c) || c == '\n' || c == '\r' }

// What a byte may be part of.
const (
	token    = 1 << iota // a token
	language             // the value of a safelisted Accept-Language
	unsafe               // CORS-unsafe request-header byte
)

var class = func() (t [256]uint8) {
	for c := '0'; c <= 'z'; c++ {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c {
			t[c] = token | language
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= token
	}
	for _, c := range " *,-.;=" {
		t[c] |= language
	}
	// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte
	for c := range 0x20 {
		if c != '\t' {
			t[c] |= unsafe
		}
	}
	for _, c := range "\"():<>?@[\\]{}\x7f" {
		t[c] |= unsafe
	}
	return t
}()
