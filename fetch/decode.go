package fetch

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/crossorigin/cors/header"
)

// A ContentCoding undoes a content coding, such as "br": it returns what was
// coded, read from coded. The error of a coding that is broken may come at once
// or while reading.
type ContentCoding func(coded io.Reader) (io.Reader, error)

// maxCodings is the number of codings, one over the other, that are undone;
// each costs memory.
const maxCodings = 5

// decodeBody undoes the codings that the lines of Content-Encoding name, and
// lets limit bytes through, so that a small response cannot become a big one.
// The codings in extra are known besides gzip and deflate. Where one is not
// known, or the header does not parse, body is handed on as it is.
//
// https://fetch.spec.whatwg.org/#handle-content-codings
func decodeBody(body io.Reader, contentEncoding []string, extra map[string]ContentCoding, limit int64) (io.Reader, error) {
	names, ok := header.List(contentEncoding)
	if !ok {
		return &limitedReader{body, limit}, nil
	}
	var codings []ContentCoding
	for _, name := range names {
		coding := lookupCoding(header.Lower(name), extra)
		if coding == nil {
			return &limitedReader{body, limit}, nil
		}
		codings = append(codings, coding)
	}
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("content-encoding names %d codings; %d are undone at most", len(codings), maxCodings)
	}
	for i := range codings {
		// The last one named was applied last. Each layer is limited, because a
		// bomb may be in any.
		decoded, err := codings[len(codings)-1-i](&limitedReader{body, limit})
		if err != nil {
			return nil, fmt.Errorf("undoing content coding %q: %w", names[len(names)-1-i], err)
		}
		body = decoded
	}
	return &limitedReader{body, limit}, nil
}

func lookupCoding(name string, extra map[string]ContentCoding) ContentCoding {
	switch name {
	case "gzip", "x-gzip":
		return decodeGzip
	case "deflate":
		return decodeDeflate
	case "identity":
		return func(r io.Reader) (io.Reader, error) { return r, nil }
	}
	return extra[name]
}

func decodeGzip(coded io.Reader) (io.Reader, error) {
	return lazily(coded, func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) })
}

// decodeDeflate reads zlib, which is what HTTP means by deflate, and bare
// DEFLATE, which is what some servers send.
func decodeDeflate(coded io.Reader) (io.Reader, error) {
	return lazily(coded, func(r *bufio.Reader) (io.Reader, error) {
		// https://www.rfc-editor.org/rfc/rfc1950#page-5: the method is 8, and the
		// first two bytes are a multiple of 31.
		head, err := r.Peek(2)
		if err == nil && head[0]&0xf == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		return flate.NewReader(r), nil
	})
}

// lazily opens a coding when it is first read from, so that the headers of a
// response need not wait for its body. An empty body is empty in any coding.
func lazily(coded io.Reader, open func(*bufio.Reader) (io.Reader, error)) (io.Reader, error) {
	return &lazyReader{buffered: bufio.NewReader(coded), open: open}, nil
}

type lazyReader struct {
	buffered *bufio.Reader
	open     func(*bufio.Reader) (io.Reader, error)
	decoded  io.Reader
	err      error
}

func (r *lazyReader) Read(p []byte) (int, error) {
	if r.decoded == nil && r.err == nil {
		if _, r.err = r.buffered.Peek(1); r.err == nil {
			r.decoded, r.err = r.open(r.buffered)
		}
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.decoded.Read(p)
}

// ErrBodyTooLarge is met by reading a body that is longer than the browser's
// limit.
var ErrBodyTooLarge = errors.New("fetch: the body is longer than the browser's limit")

// A limitedReader fails, where [io.LimitedReader] would end, when there is
// more than left.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		// Is this the end, or is there more?
		var one [1]byte
		n, err := l.r.Read(one[:])
		if n > 0 {
			return 0, ErrBodyTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
