package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/public"
)

// httpNetworkFetch is HTTP-network fetch.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
func httpNetworkFetch(ctx context.Context, r *request, includeCredentials, forceNewConnection bool) (*response, *BlockedError) {
	const anchor = "concept-http-network-fetch"
	if forceNewConnection {
		r.browser.CloseIdleConnections()
	}
	if err := ctx.Err(); err != nil {
		return nil, r.blocked(CodeAborted, anchor, "9.2").after(err)
	}
	exchange := &Exchange{Preflight: r.isPreflight, Method: r.method, URL: r.told(), RequestHeader: r.headers}
	*r.exchanges = append(*r.exchanges, exchange)
	r.emit(Event{Kind: EventRequestSent, Exchange: exchange})
	// 8.3.
	var refused *atomic.Bool
	if r.stream != nil {
		refused = new(atomic.Bool)
		ctx = refuseHTTP1(ctx, refused)
	}
	// 8.5.
	hres, head, err := r.send(httpRequest(ctx, r))
	if err != nil {
		if refused != nil && refused.Load() {
			return nil, r.blocked(CodeStreamOverHTTP1, anchor, "8.3")
		}
		code, step := networkCode(ctx, err)
		return nil, r.blocked(code, anchor, step).after(err)
	}
	res := &response{body: hres.Body}
	if head != nil {
		res.status, res.statusText, res.header = head.status, head.statusText, head.lines
	} else {
		res.status, res.header = hres.StatusCode, fields(hres.Header)
		if hres.ProtoMajor < 2 { // HTTP/2 has no reason phrase; net/http makes one up
			_, res.statusText, _ = strings.Cut(hres.Status, " ")
		}
	}
	res.header = r.receivedQuirk(res.header)
	exchange.Status, exchange.ResponseHeader = res.status, res.header
	r.emit(Event{Kind: EventResponse, Exchange: exchange})
	if blocked := checkReceived(r, res); blocked != nil {
		res.close()
		return nil, blocked
	}
	// 17.
	if includeCredentials {
		jar, mode := r.cookies()
		for _, line := range header.Lines(res.header, "Set-Cookie") {
			// Why a cookie is refused is nobody's business here.
			_ = jar.store(r.currentURL(), line, mode, overHTTP)
		}
	}
	// 18.1.
	codings, limit := header.Lines(res.header, "Content-Encoding"), r.browser.Limits.BodyBytes
	if codings == nil && limit == 0 {
		return res, nil
	}
	if limit == 0 {
		limit = math.MaxInt64
	}
	decoded, err := decodeBody(res.body, codings, r.browser.ContentCodings, limit)
	if err != nil {
		decoded = failingReader{err}
	}
	res.body = readCloser{decoded, res.body}
	return res, nil
}

// checkReceived says what is wrong with the header of res as HTTP has it. The
// transport need not have looked.
func checkReceived(r *request, res *response) *BlockedError {
	const anchor = "concept-http-network-fetch"
	// 8.5.5.3. A 101 is no final response, and nobody asked for another protocol.
	if res.status >= 100 && res.status <= 199 {
		return r.blocked(CodeMalformedResponse, anchor, "8.5").because("", strconv.Itoa(res.status))
	}
	left := r.browser.Limits.headerBytes()
	for _, f := range res.header {
		if !header.IsValue(f.Value) {
			return r.blocked(CodeMalformedResponse, anchor, "8.5").because(f.Name, f.Value)
		}
		if left -= int64(len(f.Name) + len(f.Value) + len(": \r\n")); left < 0 {
			return r.blocked(CodeResponseTooLarge, anchor, "8.5").because(f.Name, "")
		}
	}
	return nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// httpRequest puts r on the wire. The names keep the case that the page gave
// them; lines of the same name become one, as in browsers.
func httpRequest(ctx context.Context, r *request) *http.Request {
	h := make(http.Header, len(r.headers))
	values := make([]string, len(r.headers)) // one slice for all of them
	for i, f := range r.headers {
		name := f.Name
		if header.EqualFold(name, "User-Agent") {
			name = "User-Agent" // net/http adds its own otherwise
		}
		f.Value = r.encodeValue(f.Value)
		if lines := h[name]; len(lines) == 0 {
			values[i] = f.Value
			h[name] = values[i : i+1 : i+1]
		} else if r.isSingle(name) {
			if r.lastCounts(name) {
				lines[0] = f.Value
			}
		} else {
			lines[0] += ", " + f.Value
		}
	}
	u := r.currentURL()
	hreq := new(http.Request).WithContext(ctx)
	hreq.Method, hreq.URL, hreq.Host, hreq.Header = r.method, u.netURL(), u.hostPort(), h
	hreq.Proto, hreq.ProtoMajor, hreq.ProtoMinor = "HTTP/1.1", 1, 1
	if body, length := r.bodyReader(); body != nil {
		hreq.Body, hreq.ContentLength = io.NopCloser(body), length
		if length == 0 {
			hreq.Body = http.NoBody
		}
		if r.stream == nil {
			hreq.GetBody = func() (io.ReadCloser, error) {
				again, _ := r.bodyReader()
				return io.NopCloser(again), nil
			}
		}
	}
	return hreq
}

// refuseHTTP1 closes a connection of HTTP/1 before anything is written to it, and
// says so in refused.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch step 8.3
func refuseHTTP1(ctx context.Context, refused *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
		if !ok || conn.ConnectionState().NegotiatedProtocol != "h2" {
			refused.Store(true)
			info.Conn.Close()
		}
	}})
}

// fields lists h by name; net/http keeps the order of lines within one. It lets
// names through that are no tokens, which browsers drop, the line with the name.
func fields(h http.Header) []header.Field {
	var buf [24]string // on the stack for most responses
	names, n := buf[:0], 0
	for name, values := range h {
		if header.IsToken(name) {
			names = append(names, name)
			n += len(values)
		}
	}
	slices.Sort(names)
	list := make([]header.Field, 0, n)
	for _, name := range names {
		for _, value := range h[name] {
			list = append(list, header.Field{Name: name, Value: value})
		}
	}
	return list
}

// networkCode classifies what the transport says; net/http has no types for most
// of it.
//
// https://fetch.spec.whatwg.org/#concept-http-network-fetch
func networkCode(ctx context.Context, err error) (code Code, step string) {
	said := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(err.Error(), part) })
	}
	switch {
	case errors.Is(err, public.ErrNot):
		return CodePrivateAddress, "8.1"
	case ctx.Err() != nil:
		return CodeAborted, "9.2"
	case errors.Is(err, errHeadTooLarge), said("headers exceeded", "header list larger"):
		return CodeResponseTooLarge, "8.5"
	case errors.Is(err, errMalformedHead), said("malformed", "Content-Length", "transfer encoding", "too many 1xx"):
		return CodeMalformedResponse, "8.5"
	}
	return CodeNetwork, "8.1"
}
