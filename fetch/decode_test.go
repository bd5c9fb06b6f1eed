package fetch

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"
)

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func zlibbed(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

// reversed is a coding that a program could add.
func reversed(coded io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(coded)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return bytes.NewReader(b), err
}

func decodeAll(body string, contentEncoding []string, limit int64) (string, error) {
	r, err := decodeBody(strings.NewReader(body), contentEncoding, map[string]ContentCoding{"reverse": reversed}, limit)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// https://fetch.spec.whatwg.org/#handle-content-codings
func TestDecodeBody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		body  string
		want  string
	}{
		{"no coding", nil, "hello", "hello"},
		{"gzip", []string{"gzip"}, gzipped("hello"), "hello"},
		{"gzip in upper case", []string{"GZIP"}, gzipped("hello"), "hello"},
		{"gzip by its old name", []string{"x-gzip"}, gzipped("hello"), "hello"},
		{"two gzip files one after the other are one", []string{"gzip"}, gzipped("hel") + gzipped("lo"), "hello"},
		{"deflate is zlib", []string{"deflate"}, zlibbed("hello"), "hello"},
		{"deflate without zlib around it", []string{"deflate"}, deflated("hello"), "hello"},
		{"identity is nothing", []string{"identity"}, "hello", "hello"},
		{"the last coding is undone first", []string{"deflate, gzip"}, gzipped(zlibbed("hello")), "hello"},
		{"also over two lines", []string{"deflate", "gzip"}, gzipped(zlibbed("hello")), "hello"},
		{"a program's own coding", []string{"reverse"}, "olleh", "hello"},
		{"an unknown coding stays", []string{"zebra"}, "hello", "hello"},
		{"with an unknown coding all stay", []string{"gzip, zebra"}, gzipped("hello"), gzipped("hello")},
		{"a header that does not parse is none", []string{"gz ip"}, "hello", "hello"},
		{"an empty body is empty in gzip", []string{"gzip"}, "", ""},
		{"and in deflate", []string{"deflate"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeAll(tt.body, tt.lines, 1<<20)
			if got != tt.want || err != nil {
				t.Errorf("Content-Encoding %q: body %q is %q, %v, want %q", tt.lines, tt.body, got, err, tt.want)
			}
		})
	}
}

func TestDecodeBodyFails(t *testing.T) {
	bomb := gzipped(strings.Repeat("\x00", 1<<20))
	for _, tt := range []struct {
		name  string
		lines []string
		body  string
		want  error
	}{
		{"what is not gzip", []string{"gzip"}, "hello, world", gzip.ErrHeader},
		{"gzip that breaks off", []string{"gzip"}, gzipped("hello")[:12], io.ErrUnexpectedEOF},
		{"gzip of another sum", []string{"gzip"}, gzipped("hello")[:len(gzipped("hello"))-8] + "12345678", gzip.ErrChecksum},
		{"a body longer than the limit", nil, strings.Repeat("x", 4097), ErrBodyTooLarge},
		{"a body that grows beyond it", []string{"gzip"}, bomb, ErrBodyTooLarge},
		{"a body that grows on the way and shrinks again", []string{"gzip, gzip"}, gzipped(bomb), ErrBodyTooLarge},
		{"a body that grows in an inner layer", []string{"reverse, gzip"}, bomb, ErrBodyTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeAll(tt.body, tt.lines, 4096)
			if !errors.Is(err, tt.want) {
				t.Errorf("Content-Encoding %q: %d bytes and %v, want %v", tt.lines, len(got), err, tt.want)
			}
			if len(got) > 4096 {
				t.Errorf("Content-Encoding %q: %d bytes are let through, want 4096 at most", tt.lines, len(got))
			}
		})
	}
	if got, err := decodeAll(strings.Repeat("x", 4096), nil, 4096); len(got) != 4096 || err != nil {
		t.Errorf("a body as long as the limit: %d bytes and %v, want all of it", len(got), err)
	}
	if _, err := decodeAll("", []string{strings.Repeat("gzip,", 6)}, 4096); err == nil {
		t.Error("six codings are undone, want five at most")
	}
}

// No body, however coded, is longer than the limit, and none breaks the
// decoder.
//
// https://fetch.spec.whatwg.org/#handle-content-codings
func FuzzDecode(f *testing.F) {
	f.Add("gzip", gzipped("hello"))
	f.Add("deflate", zlibbed("hello"))
	f.Add("deflate, gzip", gzipped(deflated("hello")))
	f.Add("gzip", gzipped(strings.Repeat("x", 1<<16)))
	f.Fuzz(func(t *testing.T, contentEncoding, body string) {
		const limit = 1 << 12
		if got, _ := decodeAll(body, []string{contentEncoding}, limit); len(got) > limit {
			t.Errorf("Content-Encoding %q: %d bytes of %d, want %d at most", contentEncoding, len(got), len(body), limit)
		}
		if got, err := decodeAll(gzipped(body), []string{"gzip"}, 1<<20); err == nil && got != body {
			t.Errorf("gzip of %q is undone as %q", body, got)
		}
	})
}
