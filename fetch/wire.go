package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/crossorigin/cors/header"
)

// A wireTransport is an [http.Transport] that reads and writes the heads of
// HTTP/1 messages as browsers do: a response's lines come as they are, in their
// order, and so does a status that net/http refuses; a request's lines go as
// the page wrote them, control characters and all.
//
// net/http keeps what it is good at: connections, TLS, bodies, and HTTP/2.
type wireTransport struct {
	*http.Transport
	limit int64 // bytes of a response's head
}

// A wireHead is the heads of one exchange.
type wireHead struct {
	target  string         // of the request
	request []header.Field // its lines
	isHEAD  bool
	limit   int64
	secure  bool // the connection is encrypted

	status     int
	statusText string
	lines      []header.Field
	err        error // the head is malformed; the response that net/http sees is made up
}

// send performs hreq, which is r; the head is nil where only net/http has it.
func (r *request) send(hreq *http.Request) (*http.Response, *wireHead, error) {
	t, ok := r.browser.transport.(*wireTransport)
	if !ok {
		res, err := r.browser.transport.RoundTrip(hreq)
		return res, nil, err
	}
	lines := make([]header.Field, 0, len(r.headers))
	for _, f := range r.headers {
		name := f.Name
		if header.EqualFold(name, "User-Agent") {
			name = "User-Agent" // as in httpRequest
		}
		if !slices.ContainsFunc(lines, func(other header.Field) bool { return other.Name == name }) {
			lines = append(lines, header.Field{Name: name, Value: hreq.Header[name][0]})
		}
	}
	u := r.currentURL()
	target := u.path
	if u.hasQuery {
		target += "?" + u.query
	}
	return t.roundTrip(hreq, target, lines)
}

// roundTrip is RoundTrip for a request to target with these lines, which
// req.Header has too. The head is nil where the connection speaks HTTP/2.
func (t *wireTransport) roundTrip(req *http.Request, target string, lines []header.Field) (*http.Response, *wireHead, error) {
	var head *wireHead
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		head = nil
		if conn, ok := info.Conn.(*wireConn); ok {
			head = &wireHead{target: target, request: lines, isHEAD: req.Method == http.MethodHead, limit: t.limit}
			conn.expect(head)
		}
	}}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	req.Header = sendable(req.Header)
	if req.GetBody != nil || req.Body == nil || req.Body == http.NoBody {
		// Where a connection that was kept turns out to be gone, the request is sent
		// again whatever its method, as in browsers. An empty list is not sent.
		req.Header["Idempotency-Key"] = []string{}
	}
	res, err := t.Transport.RoundTrip(req)
	if err == nil && head != nil && head.err != nil {
		res.Body.Close()
		return nil, nil, head.err
	}
	return res, head, err
}

// sendable is h without the characters that net/http refuses in values; what is
// sent over HTTP/1 are the lines of the head.
func sendable(h http.Header) http.Header {
	sent := make(http.Header, len(h)+1)
	for name, values := range h {
		for _, value := range values {
			sent[name] = append(sent[name], strings.Map(func(r rune) rune {
				if r < ' ' && r != '\t' || r == 0x7f {
					return -1
				}
				return r
			}, value))
		}
	}
	return sent
}

// A dialContext makes connections; those for HTTP/1 are wireConns.
type dialContext func(ctx context.Context, network, address string) (net.Conn, error)

func (dial dialContext) plain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newWireConn(conn), nil
}

func (dial dialContext) tls(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		return secure, nil
	}
	return newWireConn(secure), nil
}

// A wireConn is a connection over HTTP/1 that shows net/http heads which it can
// read, and keeps the true ones.
type wireConn struct {
	net.Conn
	buf *bufio.Reader

	mu      sync.Mutex
	reading *wireHead // whose response has not begun
	writing *wireHead // whose request has not begun
	used    bool      // an exchange is over

	request []byte // the head that net/http writes, until it is whole
	shown   []byte // of the head that net/http reads
	left    int64  // bytes of the body that are to come; -1 where net/http finds out
}

func newWireConn(conn net.Conn) *wireConn {
	return &wireConn{Conn: conn, buf: bufio.NewReader(conn)}
}

// expect prepares for an exchange.
func (c *wireConn) expect(head *wireHead) {
	_, head.secure = c.Conn.(*tls.Conn)
	c.mu.Lock()
	c.reading, c.writing = head, head
	c.mu.Unlock()
}

func (c *wireConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	head := c.writing
	c.mu.Unlock()
	if head == nil {
		return c.Conn.Write(p)
	}
	c.request = append(c.request, p...)
	end := bytes.Index(c.request, []byte("\r\n\r\n"))
	if end < 0 {
		return len(p), nil
	}
	message := append(head.writeRequest(string(c.request[:end])), c.request[end+len("\r\n\r\n"):]...)
	c.request = nil
	c.mu.Lock()
	c.writing = nil
	c.mu.Unlock()
	if _, err := c.Conn.Write(message); err != nil {
		return 0, err
	}
	return len(p), nil
}

// writeRequest is the head that net/http has written, of which the lines that
// frame the message stay, with the lines of the request.
func (h *wireHead) writeRequest(written string) []byte {
	lines := strings.Split(written, "\r\n")
	method, _, _ := strings.Cut(lines[0], " ")
	b := []byte(method + " " + h.target + " HTTP/1.1\r\n")
	for _, line := range lines[1:] {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection":
			b = append(append(b, line...), "\r\n"...)
		}
	}
	for _, f := range h.request {
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

func (c *wireConn) Read(p []byte) (int, error) {
	for {
		if len(c.shown) > 0 {
			n := copy(p, c.shown)
			c.shown = c.shown[n:]
			return n, nil
		}
		if _, err := c.buf.Peek(1); err != nil {
			return 0, err
		}
		c.mu.Lock()
		head, used := c.reading, c.used
		c.reading = nil
		c.used = c.used || head != nil
		c.mu.Unlock()
		if head == nil {
			break
		}
		if start, _ := c.buf.Peek(len("HTTP/")); used && !header.EqualFold(string(start), "HTTP/") {
			return 0, io.EOF // what is left of the exchange before: this one begins anew
		}
		framing, err := head.readResponse(c.buf)
		if err != nil {
			return 0, err
		}
		c.shown, c.left = framing.head, framing.left
	}
	switch {
	case c.left == 0:
		return 0, io.EOF // more than the response was to have: nobody reads it
	case c.left > 0 && int64(len(p)) > c.left:
		p = p[:c.left]
	}
	n, err := c.buf.Read(p)
	if c.left > 0 {
		c.left -= int64(n)
	}
	return n, err
}

// A framing is a head that says where the response ends, and nothing else.
type framing struct {
	head []byte
	left int64 // bytes of the body, -1 where it says itself where it ends
}

// refuse is the framing of a response that is not to be read.
func (h *wireHead) refuse(err error) framing {
	h.err = err
	return framing{[]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), 0}
}

var (
	errMalformedHead = errors.New("malformed HTTP response")
	errHeadTooLarge  = errors.New("the response's header is larger than the limit")
)

// readResponse reads the head of a response, after any interim ones. An error
// is one of the connection.
//
// https://www.rfc-editor.org/rfc/rfc9112#name-message-parsing, with what browsers
// let pass: ends of lines without CR, a status of fewer digits, lines that are no
// header, bytes of any kind but NUL, and without encryption a head that ends
// where the connection does.
func (h *wireHead) readResponse(r *bufio.Reader) (framing, error) {
	left := h.limit
	for {
		lines, err := readLines(r, &left)
		if err == io.EOF && lines != nil && !h.secure {
			err = nil
		}
		switch {
		case errors.Is(err, errHeadTooLarge), errors.Is(err, errMalformedHead):
			return h.refuse(err), nil
		case err == io.EOF:
			return framing{}, io.ErrUnexpectedEOF
		case err != nil:
			return framing{}, err
		}
		var version string
		version, h.status, h.statusText, err = parseStatusLine(lines[0])
		if err != nil {
			return h.refuse(err), nil
		}
		// An interim response is followed by another one. So is 101, since no page
		// asks for another protocol.
		if h.status >= 100 && h.status <= 199 {
			continue
		}
		h.lines = parseHeaderLines(lines[1:])
		return h.frame(version), nil
	}
}

// frame finds where the response ends.
//
// https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length
func (h *wireHead) frame(version string) framing {
	length, ok := extractLength(h.lines)
	chunked := version >= "1.1" && containsToken(h.lines, "Transfer-Encoding", "chunked")
	if !ok && !chunked {
		value, _ := get(h.lines, "Content-Length")
		return h.refuse(fmt.Errorf("%w: Content-Length is %.100q", errMalformedHead, value))
	}
	b := []byte("HTTP/1.1 200 OK\r\n")
	left := int64(-1)
	switch {
	case h.isHEAD || h.status == 204 || h.status == 304:
		b, left = append(b, "Content-Length: 0\r\n"...), 0
	case chunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case length >= 0:
		b, left = fmt.Appendf(b, "Content-Length: %d\r\n", length), length
	default:
		b = append(b, "Connection: close\r\n"...)
	}
	persists := version >= "1.1" || containsToken(h.lines, "Connection", "keep-alive")
	if !persists || containsToken(h.lines, "Connection", "close") {
		b = append(b, "Connection: close\r\n"...)
	}
	return framing{append(b, "\r\n"...), left}
}

func containsToken(list []header.Field, name, token string) bool {
	for _, value := range getSplit(list, name) {
		if header.EqualFold(value, token) {
			return true
		}
	}
	return false
}

// extractLength is "extract a length": -1 where there is none, and not ok where
// there are several.
//
// https://fetch.spec.whatwg.org/#header-list-extract-a-length
func extractLength(list []header.Field) (length int64, ok bool) {
	values := getSplit(list, "Content-Length")
	if values == nil {
		return -1, true
	}
	for _, value := range values {
		if value != values[0] {
			return -1, false
		}
	}
	if values[0] == "" || strings.Trim(values[0], "0123456789") != "" {
		return -1, true
	}
	length, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return -1, true // more than there can be says nothing, to browsers
	}
	return length, true
}

// readLines reads the lines of a head up to the empty one, or to io.EOF.
func readLines(r *bufio.Reader, left *int64) ([]string, error) {
	var lines []string
	for {
		line, err := readLine(r, left)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if bytes.IndexByte(line, '\r') >= 0 {
			return nil, fmt.Errorf("%w: a CR without LF in %.100q", errMalformedHead, line)
		}
		switch {
		case len(line) > 0:
			lines = append(lines, string(line))
		case lines != nil && err == nil:
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}

// readLine reads a line and takes its end off.
func readLine(r *bufio.Reader, left *int64) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if *left -= int64(len(part)); *left < 0 {
			return nil, errHeadTooLarge
		}
		line = append(line, part...)
		switch err {
		case nil:
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		case bufio.ErrBufferFull:
		default:
			return line, err
		}
	}
}

// parseStatusLine takes any version, since what comes is HTTP/1 all the same,
// and a status of one to three digits.
//
// https://www.rfc-editor.org/rfc/rfc9112#name-status-line
func parseStatusLine(line string) (version string, status int, text string, err error) {
	bad := fmt.Errorf("%w: its first line is %.100q", errMalformedHead, line)
	if len(line) < len("HTTP/") || !header.EqualFold(line[:len("HTTP/")], "HTTP/") {
		return "", 0, "", bad
	}
	version, rest := cutSpace(line[len("HTTP/"):])
	code, text := cutSpace(rest)
	if len(code) < 1 || len(code) > 3 || strings.Trim(code, "0123456789") != "" {
		return "", 0, "", bad
	}
	status, err = strconv.Atoi(code)
	return version, status, strings.Trim(text, " "), err
}

// cutSpace cuts s at white space.
func cutSpace(s string) (before, after string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// parseHeaderLines takes what is a header: a name, a colon and a value, which
// may go on in lines that begin with white space.
//
// https://www.rfc-editor.org/rfc/rfc9112#name-field-syntax
func parseHeaderLines(lines []string) []header.Field {
	list := make([]header.Field, 0, len(lines))
	for _, line := range lines {
		if line[0] == ' ' || line[0] == '\t' {
			if n := len(list); n > 0 {
				list[n-1].Value = strings.Trim(list[n-1].Value+" "+strings.Trim(line, " \t"), " ")
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !header.IsToken(name) {
			continue
		}
		list = append(list, header.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	return list
}
