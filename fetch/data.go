package fetch

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/crossorigin/cors/header"
)

// parseDataURL is the data: URL processor: the type and the body that u, whose
// scheme is "data", holds.
//
// https://fetch.spec.whatwg.org/#data-url-processor
func parseDataURL(u *urlRecord) (mimeType header.MIMEType, body []byte, err error) {
	input := strings.TrimPrefix(u.withoutFragment(), "data:")
	mime, encodedBody, ok := strings.Cut(input, ",")
	if !ok {
		return header.MIMEType{}, nil, errDataComma
	}
	mime = strings.Trim(mime, " \t\n\f\r")
	body = percentDecode(encodedBody)
	// 11. The last parameter, in whatever case, after any number of spaces.
	if rest, ok := cutBase64(mime); ok {
		mime = rest
		if body, ok = forgivingBase64(body); !ok {
			return header.MIMEType{}, nil, errDataBase64
		}
	}
	if strings.HasPrefix(mime, ";") {
		mime = "text/plain" + mime
	}
	mimeType, ok = header.ParseMIMEType(mime)
	if !ok {
		mimeType = header.MIMEType{Type: "text", Subtype: "plain", Params: []header.Field{{Name: "charset", Value: "US-ASCII"}}}
	}
	return mimeType, body, nil
}

var (
	errDataComma  = errors.New(`a data: URL needs a comma before its content, as in "data:text/plain,hello"`)
	errDataBase64 = errors.New("the content of a data: URL is not the base64 that it says it is")
)

// cutBase64 cuts ";base64" from the end of mime.
func cutBase64(mime string) (rest string, ok bool) {
	const base64 = "base64"
	i := len(mime) - len(base64)
	if i < 0 || !header.EqualFold(mime[i:], base64) {
		return mime, false
	}
	return strings.CutSuffix(strings.TrimRight(mime[:i], " "), ";")
}

// forgivingBase64 decodes base64 with white space in it and with or without
// padding.
//
// https://infra.spec.whatwg.org/#forgiving-base64-decode
func forgivingBase64(data []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(data))
	for _, c := range data {
		switch c {
		case ' ', '\t', '\n', '\f', '\r':
		default:
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 0 {
		for range 2 {
			if n := len(clean); n > 0 && clean[n-1] == '=' {
				clean = clean[:n-1]
			}
		}
	}
	// Trailing bits that are not zero are forgiven too, which RawStdEncoding does
	// unless it is strict. It skips line ends, of which none is left.
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(decoded, clean)
	return decoded[:n], err == nil
}
