package gateway

import (
	"bufio"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// An exchange passes one request on and its response back. It is the writer that
// the reverse proxy gets, which owns the headers of what is written to it, and
// is used again when it is done.
type exchange struct {
	http.ResponseWriter
	controller *http.ResponseController
	route      *route
	proxy      httputil.ReverseProxy

	request  *http.Request
	response *http.Response // of the upstream, once there is one
	decision cors.Decision
	answer   answer
	body     *requestBody // nil where there is none
}

func newExchange(r *route) *exchange {
	x := &exchange{route: r}
	x.proxy = httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		ModifyResponse: x.own,
		ErrorHandler:   x.fail,
		ErrorLog:       discard, // serve tells what goes wrong
		BufferPool:     buffers{},
	}
	if r.upstream != nil {
		x.proxy.Transport = r.upstream.transport
	}
	return x
}

var discard = log.New(io.Discard, "", 0)

// serve answers r, which is not ok where it must not be passed on.
func (x *exchange) serve(w http.ResponseWriter, r *http.Request, d cors.Decision, start time.Time, ok bool) {
	x.ResponseWriter, x.controller, x.request, x.decision = w, http.NewResponseController(w), r, d
	x.answer = answer{start: start}
	// The proxy panics to break off: then too it is told, and the exchange is not
	// used again, since something may still hold it.
	finished := false
	defer func() {
		x.body.end()
		if !finished && x.answer.failed == nil {
			x.answer.failed = failBody
			if r.Context().Err() != nil {
				x.answer.failed = failClient
			}
		}
		x.route.gateway.answered(r, x.route, d, x.answer)
		if finished {
			x.release()
		}
	}()
	if r.ContentLength != 0 {
		x.body = &requestBody{ReadCloser: r.Body, controller: x.controller, timeout: x.route.gateway.options.StallTimeout}
	}
	switch {
	case r.Method == http.MethodConnect:
		x.refuse(failMethod)
	case !ok:
		x.refuse(failAmbiguous)
	case x.route.upstream == nil:
		x.refuse(failNoRoute)
	default:
		if x.body != nil {
			x.request = r.WithContext(r.Context())
			x.request.Body = x.body
		}
		x.proxy.ServeHTTP(x, x.request)
		if x.response != nil && len(x.response.Trailer) > 0 {
			edge.StripTrailer(x.Header()) // what the proxy passes on
		}
	}
	finished = true
}

func (x *exchange) release() {
	x.ResponseWriter, x.controller, x.request, x.response, x.decision, x.body = nil, nil, nil, nil, cors.Decision{}, nil
	x.route.exchanges.Put(x)
}

// rewrite makes the request to the upstream. Nothing in the client's decides
// where it goes.
func (x *exchange) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(x.route.upstream.url)
	// The proxy drops what it cannot parse of a query; nothing here reads queries.
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	r.SetXForwarded()
	if prefix := x.route.gateway.options.HideCookies; prefix != "" {
		hideCookies(r.Out.Header, prefix)
	}
}

// hideCookies takes the cookies out of a request whose names begin with prefix.
func hideCookies(h http.Header, prefix string) {
	lines := h["Cookie"]
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, prefix) }) {
		return
	}
	var kept []string
	for _, line := range lines {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); !strings.HasPrefix(cookie, prefix) {
				kept = append(kept, cookie)
			}
		}
	}
	h.Del("Cookie")
	if len(kept) > 0 {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}

// own gives the response of the upstream the headers of the policy.
func (x *exchange) own(res *http.Response) error {
	if len(res.Trailer) > 0 && x.request.ProtoMajor == 1 && x.request.Method != http.MethodHead {
		res.Header.Del("Content-Length") // HTTP/1.1 has a trailer only where there is none
	}
	if x.route.Shadow {
		return nil
	}
	if x.route.Headers == edge.Strip {
		x.response = res
		edge.StripAll(res.Trailer) // what it announces
	}
	if stripped := edge.Own(res.Header, x.decision, x.route.Headers); stripped != 0 && x.route.metrics != nil {
		x.route.metrics.Stripped(stripped)
	}
	return nil
}

// fail answers for an upstream that gave no answer.
func (x *exchange) fail(_ http.ResponseWriter, _ *http.Request, err error) {
	stalled, broken := x.body.trouble()
	switch {
	case stalled:
		x.refuse(failStalled)
	case broken || x.request.Context().Err() != nil:
		x.answer.failed = failClient
		// Nobody reads it, but nothing may look like success.
		x.ResponseWriter.WriteHeader(http.StatusBadGateway)
	default:
		x.refuse(failureOf(err))
	}
}

// refuse answers in the gateway's own name, readable where the policy lets
// responses be read.
func (x *exchange) refuse(f *failure) {
	x.answer.failed = f
	h := x.Header()
	if !x.route.Shadow {
		x.decision.Apply(h)
	}
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Cache-Control"] = []string{"no-store"}
	if f == failMethod {
		h["Allow"] = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	}
	x.WriteHeader(f.status)
	io.WriteString(x, f.text+"\n")
}

// WriteHeader notes the status. Of an informational response, to which no
// browser applies CORS, only what is not the policy's is taken.
func (x *exchange) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		x.answer.status = status
		if x.request.ProtoMajor == 1 && x.body.pending() {
			// Otherwise the server throws away as much as 256 KB of the body, which the
			// upstream may still be reading, so as to use the connection again.
			x.Header().Set("Connection", "close")
		}
	} else if !x.route.Shadow && x.route.Headers == edge.Strip {
		edge.StripAll(x.Header())
	}
	x.ResponseWriter.WriteHeader(status)
}

// freeBytes is how much of a response is written without watching the client:
// so much a connection's buffers take whether somebody reads or not.
const freeBytes = 64 << 10

func (x *exchange) Write(p []byte) (n int, err error) {
	if x.answer.status == 0 {
		x.answer.status = http.StatusOK
	}
	err = x.watched(func() (err error) {
		n, err = x.ResponseWriter.Write(p)
		return err
	})
	x.answer.bytes += int64(n)
	return n, err
}

// FlushError is what the controller of the proxy asks for.
func (x *exchange) FlushError() error { return x.watched(x.controller.Flush) }

// watched calls write, which fails where the client does not read for too long.
func (x *exchange) watched(write func() error) error {
	watch := x.answer.bytes > freeBytes
	if watch {
		x.controller.SetWriteDeadline(time.Now().Add(x.route.gateway.options.StallTimeout))
	}
	err := write()
	if watch {
		// In HTTP/2 a deadline ends the stream even where nothing is written.
		x.controller.SetWriteDeadline(time.Time{})
	}
	if err != nil && x.answer.failed == nil {
		x.answer.failed = failClient
	}
	return err
}

// Hijack hands the connection over to the proxy, which switches protocols.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := x.controller.Hijack()
	if err == nil {
		x.answer.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// A requestBody gives a client a while for each piece of it. The transport may
// read on when the request has been answered; then it is kept away from the
// connection.
type requestBody struct {
	io.ReadCloser
	controller *http.ResponseController
	timeout    time.Duration

	reading sync.Mutex // held by Read

	mu                    sync.Mutex
	ended                 bool
	read, stalled, broken bool // what the last Read found
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if !b.deadline(time.Now().Add(b.timeout)) {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	// What waits for the client to go must not run into the deadline.
	b.deadline(time.Time{})
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.read = err == io.EOF
		b.stalled = !b.ended && errors.Is(err, os.ErrDeadlineExceeded)
		b.broken = !b.read && !b.stalled
	}
	return n, err
}

// deadline sets the deadline, unless b has ended.
func (b *requestBody) deadline(t time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.controller.SetReadDeadline(t)
	}
	return !b.ended
}

// end is called when the request has been answered. The server then reads what
// is left of the body, for which a client that has stalled gets no more time.
func (b *requestBody) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.ended = true
	read, stalled := b.read, b.stalled
	if !read {
		b.controller.SetReadDeadline(time.Now())
	}
	b.mu.Unlock()
	b.reading.Lock() // nothing reads any more
	defer b.reading.Unlock()
	if !read && !stalled {
		b.controller.SetReadDeadline(time.Now().Add(b.timeout))
	}
}

// pending reports whether some of the body may not have been read yet.
func (b *requestBody) pending() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.read
}

// trouble reports whether the client sent nothing for too long, or went.
func (b *requestBody) trouble() (stalled, broken bool) {
	if b == nil {
		return false, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stalled, b.broken
}

// buffers are those through which bodies are copied.
type buffers struct{}

const bufferBytes = 32 << 10

var pool = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

func (buffers) Get() []byte  { return pool.Get().(*[bufferBytes]byte)[:] }
func (buffers) Put(b []byte) { pool.Put((*[bufferBytes]byte)(b)) }
