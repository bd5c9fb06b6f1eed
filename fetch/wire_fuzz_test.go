package fetch

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/header"
)

// FuzzReadResponse reads heads of hostile servers. What net/http is shown is
// always a response that it can read, of 200; what is kept has names that are
// tokens, no ends of lines, and is no larger than the limit.
func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 099\nx: a\n b\n: c\nd e: f\n\n"))
	f.Add([]byte("\r\nHTTP/2\t1 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1,2\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 204 \xff\r\nx: \x00\xe9\rContent-Length: 99999999999999999999"))
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 1 << 10
		h := &wireHead{limit: limit}
		framing, err := h.readResponse(bufio.NewReader(bytes.NewReader(input)))
		if err != nil {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(framing.head)), nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%q: net/http is shown %q: %v", input, framing.head, err)
		}
		if h.err != nil {
			return
		}
		if h.status < 0 || h.status > 999 || h.status >= 100 && h.status <= 199 {
			t.Errorf("%q: status %d", input, h.status)
		}
		size := 0
		for _, line := range h.lines {
			size += len(line.Name) + len(line.Value)
			if !header.IsToken(line.Name) || strings.ContainsAny(line.Value, "\r\n") {
				t.Errorf("%q: line %q", input, line)
			}
		}
		if size > limit {
			t.Errorf("%q: %d bytes of header, want %d at most", input, size, limit)
		}
	})
}
