package intercept

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Serve calls next, and before whenever the header h of a response is about to
// be written with that status: once for each informational response, then once
// for the final one. What before changes in h is sent. A handler that neither
// writes nor panics has the header of a 200. What next sends after it has
// hijacked the connection is its own affair.
//
// The writer that next gets is a Flusher and an io.ReaderFrom, and a Hijacker or
// a Pusher where w is.
func Serve(w http.ResponseWriter, r *http.Request, next http.Handler, before func(h http.Header, status int)) {
	i := &writer{ResponseWriter: w, before: before}
	next.ServeHTTP(i.as(w), r)
	i.write(http.StatusOK)
}

type writer struct {
	http.ResponseWriter
	before  func(h http.Header, status int)
	written bool
}

// as returns i with the methods by which handlers ask for what w can do.
func (i *writer) as(w http.ResponseWriter) http.ResponseWriter {
	switch w := w.(type) {
	case http.Hijacker:
		return hijackable{i, w}
	case http.Pusher:
		return pushable{i, w}
	}
	return i
}

func (i *writer) WriteHeader(status int) {
	i.write(status)
	i.ResponseWriter.WriteHeader(status)
}

func (i *writer) write(status int) {
	if i.written {
		return
	}
	i.written = status >= 200 || status == http.StatusSwitchingProtocols
	i.before(i.Header(), status)
}

func (i *writer) Write(p []byte) (int, error) {
	i.write(http.StatusOK)
	return i.ResponseWriter.Write(p)
}

func (i *writer) WriteString(s string) (int, error) {
	i.write(http.StatusOK)
	return io.WriteString(i.ResponseWriter, s)
}

// ReadFrom lets io.Copy reach the sendfile of the writer beneath.
func (i *writer) ReadFrom(src io.Reader) (int64, error) {
	i.write(http.StatusOK)
	return io.Copy(i.ResponseWriter, src)
}

func (i *writer) Flush() { i.FlushError() }

// FlushError is what http.ResponseController looks for.
func (i *writer) FlushError() error {
	i.write(http.StatusOK)
	return http.NewResponseController(i.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what is not listed here: deadlines.
func (i *writer) Unwrap() http.ResponseWriter { return i.ResponseWriter }

type hijackable struct {
	*writer
	hijacker http.Hijacker
}

// Hijack hands over the connection, and with it the response.
func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.hijacker.Hijack()
	if err == nil {
		h.written = true
	}
	return conn, rw, err
}

type pushable struct {
	*writer
	http.Pusher
}
