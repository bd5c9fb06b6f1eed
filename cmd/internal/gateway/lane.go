package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

// A lane answers plain preflights on a connection without TLS before net/http
// sees them, at a fraction of the cost. It takes only what is wholly there, alone,
// and without any doubt a preflight without a body. All else goes to net/http
// byte by byte as it came, and so does the first request of a connection, and
// everything while net/http is at a request. A preflight is answered the same
// either way.
type lane struct {
	net.Listener
	gateway *Gateway
	ctx     context.Context // of the requests
	closing atomic.Int64    // connections that still say something
}

func (l *lane) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &laneConn{TCPConn: tcp, lane: l}, nil
	}
	return c, err
}

// Where net/http is with a connection. Only while it waits for a request of
// which it has no byte can the lane take one.
const (
	beforeFirst int32 = iota // request of the connection
	busy                     // with a request, or with what is not for the lane
	idle                     // a request has ended; next the server sets a deadline,
	waiting                  // and waits, until it sets the next one
)

type laneConn struct {
	*net.TCPConn
	lane  *lane
	phase atomic.Int32

	// What the server's buffer holds when it is empty, from the first reads: it is
	// the only sign that nothing of a request is left in it. If it is overrated
	// nothing is taken from then on.
	size, delivered int

	// Deadlines are set now and then, not each time.
	read, write time.Time

	answering sync.Mutex // held from the reading of a request to its answer
	remote    string     // for logs
}

// connState follows the server; it is its ConnState.
func (l *lane) connState(c net.Conn, s http.ConnState) {
	if c, ok := c.(*laneConn); ok && s == http.StateIdle {
		c.phase.Store(idle)
	}
}

// SetReadDeadline is how the server says that it begins to wait, and that it no
// longer does.
func (c *laneConn) SetReadDeadline(t time.Time) error {
	switch c.phase.Load() {
	case idle:
		c.phase.Store(waiting)
	case waiting:
		c.phase.Store(busy)
	}
	return c.TCPConn.SetReadDeadline(t)
}

// Read answers preflights for as long as nothing else comes.
func (c *laneConn) Read(p []byte) (int, error) {
	switch c.phase.Load() {
	case beforeFirst:
		return c.readFirst(p)
	case busy, idle:
		return c.TCPConn.Read(p)
	}
	if len(p) != c.size {
		return c.TCPConn.Read(p)
	}
	for {
		n, err := c.TCPConn.Read(p)
		if n > 0 && c.answer(p[:n]) {
			continue
		}
		if n > 0 {
			c.phase.Store(busy)
		}
		if !c.write.IsZero() {
			// The server sets none.
			c.TCPConn.SetWriteDeadline(time.Time{})
			c.write = time.Time{}
		}
		return n, err
	}
}

// readFirst reads for the first request.
func (c *laneConn) readFirst(p []byte) (int, error) {
	// The server has not yet dropped anything from its buffer: this is shorter than
	// any first line.
	if c.delivered < len("GET / HTTP/1.1\r\n") {
		c.size = max(c.size, c.delivered+len(p))
	}
	n, err := c.TCPConn.Read(p)
	c.delivered += n
	return n, err
}

// answer answers what has been read if it is one preflight, and reports whether
// it did.
func (c *laneConn) answer(p []byte) bool {
	if !bytes.HasPrefix(p, optionsSlash) || !bytes.HasSuffix(p, endOfHead) {
		return false
	}
	q := preflights.Get().(*preflight)
	defer preflights.Put(q)
	if !q.parse(string(p)) {
		return false
	}
	g := c.lane.gateway
	route := q.route(g.table.Load())
	if route == nil {
		return false
	}
	c.answering.Lock()
	defer c.answering.Unlock()
	now := time.Now()
	d := route.decide(c.lane.ctx, q.request())
	q.out = appendAnswer(q.out[:0], d, now)
	if now.Sub(c.write) > 0 {
		// Renewed once in half the time: a client has from one to one and a half.
		half := g.options.StallTimeout / 2
		c.write = now.Add(half)
		c.TCPConn.SetWriteDeadline(c.write.Add(g.options.StallTimeout))
	}
	laneAnswers.Add(1)
	g.observe(route, d, func() *http.Request { return q.whole(c) })
	c.TCPConn.Write(q.out) // what fails here fails again where the server reads
	if now.Sub(c.read) > time.Second {
		c.read = now
		c.TCPConn.SetReadDeadline(now.Add(keepAliveTimeout))
	}
	if route.metrics != nil || g.options.Access != nil {
		g.answered(q.asHTTP(c), route, d, answer{start: now, status: d.Status()})
	}
	return true
}

// laneAnswers is for the test that the lane is taken.
var laneAnswers atomic.Int64

var (
	optionsSlash = []byte("OPTIONS /")
	endOfHead    = []byte("\r\n\r\n")
)

// Close lets an answer that is being written come to its end, for a second. It
// does not wait for that: the server closes one connection after the other.
func (c *laneConn) Close() error {
	if c.answering.TryLock() {
		defer c.answering.Unlock()
		return c.TCPConn.Close()
	}
	c.TCPConn.SetWriteDeadline(time.Now().Add(time.Second))
	c.lane.closing.Add(1)
	go func() {
		defer c.lane.closing.Add(-1)
		c.answering.Lock()
		defer c.answering.Unlock()
		c.TCPConn.Close()
	}()
	return nil
}

// drain waits until every connection has been closed.
func (l *lane) drain() {
	for l.closing.Load() > 0 { // for a second at most
		time.Sleep(time.Millisecond)
	}
}

// appendAnswer is the response as net/http would write it.
func appendAnswer(b []byte, d cors.Decision, now time.Time) []byte {
	status := d.Status()
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\n"...)
	for name, value := range d.Fields() {
		b = append(b, name...)
		b = append(b, ": "...)
		b = append(b, value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "Date: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	if status != http.StatusNoContent {
		b = append(b, "\r\nContent-Length: 0"...)
	}
	return append(b, "\r\n\r\n"...)
}

// A preflight is one that the lane has read.
type preflight struct {
	host, path                     string
	origin, method, names, private []string

	http   http.Request
	header http.Header
	url    url.URL
	out    []byte
}

var preflights = sync.Pool{New: func() any { return new(preflight) }}

// parse reads head, which begins with "OPTIONS /" and ends with an empty line,
// and reports whether it is a preflight in the plainest form there is.
func (q *preflight) parse(head string) bool {
	*q = preflight{origin: q.origin[:0], method: q.method[:0], names: q.names[:0], private: q.private[:0], header: q.header, out: q.out}
	head = head[:len(head)-2]
	line, rest, ok := cutLine(head)
	if !ok {
		return false
	}
	target, ok := cutAround(line, "OPTIONS ", " HTTP/1.1")
	if !ok || !q.parseTarget(target) {
		return false
	}
	for rest != "" {
		if line, rest, ok = cutLine(rest); !ok {
			return false
		}
		colon := 0
		for colon < len(line) && isNameByte(line[colon]) {
			colon++
		}
		if colon == 0 || colon == len(line) || line[colon] != ':' {
			return false
		}
		value, ok := trimValue(line[colon+1:])
		if !ok || !q.field(line[:colon], value) {
			return false
		}
	}
	return q.host != "" && len(q.origin) == 1 && len(q.method) == 1 && len(q.names) <= 1 && len(q.private) <= 1
}

// field takes a header line, unless it is one that means more than the lane
// understands.
func (q *preflight) field(name, value string) bool {
	switch len(name) {
	case len("TE"), len("Via"):
	case len("Host"):
		if header.EqualFold(name, "Host") {
			if q.host != "" || !isPlainHost(value) {
				return false
			}
			q.host = value
		}
	case len("Origin"): // and Expect
		if header.EqualFold(name, header.Origin) {
			q.origin = append(q.origin, value)
		}
		if header.EqualFold(name, "Expect") {
			return false
		}
	case len("Upgrade"): // and Trailer
		return !header.EqualFold(name, "Upgrade") && !header.EqualFold(name, "Trailer")
	case len("Connection"):
		return !header.EqualFold(name, "Connection") || header.EqualFold(value, "keep-alive")
	case len("Content-Length"):
		return !header.EqualFold(name, "Content-Length") && !header.EqualFold(name, "Http2-Settings")
	case len("Transfer-Encoding"):
		return !header.EqualFold(name, "Transfer-Encoding")
	case len(header.AccessControlRequestMethod):
		if header.EqualFold(name, header.AccessControlRequestMethod) {
			q.method = append(q.method, value)
		}
	case len(header.AccessControlRequestHeaders):
		if header.EqualFold(name, header.AccessControlRequestHeaders) {
			q.names = append(q.names, value)
		}
	case len(header.AccessControlRequestPrivateNetwork):
		if header.EqualFold(name, header.AccessControlRequestPrivateNetwork) {
			q.private = append(q.private, value)
		}
	}
	return true
}

// parseTarget takes a path of which there can be no two opinions.
func (q *preflight) parseTarget(target string) bool {
	q.path = target
	for i := range len(target) {
		switch c := target[i]; {
		case c == '?' && len(q.path) == len(target):
			q.path = target[:i]
		case c == '?' || isPlain(c):
		case len(q.path) < len(target) && c > ' ' && c < 0x7f && c != '#':
			// Of a query nothing depends on.
		default:
			return false
		}
	}
	return true
}

func cutLine(s string) (line, rest string, ok bool) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\r' || s[i] == '\n' {
			return s[:i], s[i+2:], s[i] == '\r' && s[i+1] == '\n'
		}
	}
	return "", "", false
}

func cutAround(s, before, after string) (string, bool) {
	if len(s) < len(before)+len(after) || s[:len(before)] != before || s[len(s)-len(after):] != after {
		return "", false
	}
	return s[len(before) : len(s)-len(after)], true
}

// trimValue returns value without the space around it, if it is text.
func trimValue(value string) (string, bool) {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
	}
	return header.Normalize(value), true
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// isPlain holds for what is never escaped in a path and means nothing but
// itself.
func isPlain(c byte) bool { return isNameByte(c) || c == '/' || c == '.' || c == '~' }

func isPlainHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; !isNameByte(c) && c != '.' && c != ':' {
			return false
		}
	}
	return host != ""
}

// route returns the route, or nil where preflights pass to the upstream, or the
// path may be that of another.
func (q *preflight) route(t *table) *route {
	matched, ok := t.match(q.asHTTP(nil))
	if !ok || matched.Shadow {
		return nil
	}
	return matched
}

func (q *preflight) request() cors.Request {
	r := cors.Request{Method: http.MethodOptions, Origin: q.origin, AccessControlRequestMethod: q.method}
	if len(q.names) > 0 {
		r.AccessControlRequestHeaders = q.names
	}
	if len(q.private) > 0 {
		r.AccessControlRequestPrivateNetwork = q.private
	}
	return r
}

// asHTTP returns the request as far as routes and logs look at it.
func (q *preflight) asHTTP(c *laneConn) *http.Request {
	q.url.Path = q.path
	q.http.Method, q.http.URL, q.http.Host, q.http.Proto, q.http.ProtoMajor, q.http.ProtoMinor = http.MethodOptions, &q.url, q.host, "HTTP/1.1", 1, 1
	if c != nil {
		if c.remote == "" {
			c.remote = c.RemoteAddr().String()
		}
		q.http.RemoteAddr = c.remote
	}
	return &q.http
}

// whole returns the request for observers, who do not keep it.
func (q *preflight) whole(c *laneConn) *http.Request {
	if q.header == nil {
		q.header = make(http.Header, 4)
	}
	for _, field := range [...]struct {
		name  string
		lines []string
	}{
		{header.Origin, q.origin},
		{header.AccessControlRequestMethod, q.method},
		{header.AccessControlRequestHeaders, q.names},
		{header.AccessControlRequestPrivateNetwork, q.private},
	} {
		if len(field.lines) > 0 {
			q.header[field.name] = field.lines
		} else {
			delete(q.header, field.name)
		}
	}
	r := q.asHTTP(c)
	r.Header, r.RequestURI, r.Body = q.header, q.path, http.NoBody
	return r
}
