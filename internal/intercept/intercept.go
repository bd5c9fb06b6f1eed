package intercept

import (
	"io"
	"net/http"
)

// Serve calls next, and before whenever the header h of a response is about to
// be written with that status: once for each informational response, then once
// for the final one. What before changes in h is sent. A handler that writes
// nothing has the header of a 200, one that panics first that of a 500: whoever
// recovers and answers finds in w what before left. What next sends after it has
// hijacked the connection is its own affair.
//
// What w can do, the writer that next gets can do: it is an http.Flusher,
// http.Hijacker and http.Pusher where w is, always an io.ReaderFrom and an
// io.StringWriter, and has everything for http.ResponseController.
func Serve(w http.ResponseWriter, r *http.Request, next http.Handler, before func(h http.Header, status int)) {
	i := &writer{ResponseWriter: w, before: before}
	defer i.write(http.StatusInternalServerError) // where next does not return
	next.ServeHTTP(i.withAbilities(), r)
	i.write(http.StatusOK)
}

type writer struct {
	http.ResponseWriter
	before  func(h http.Header, status int)
	written bool
}

func (w *writer) write(status int) {
	if w.written {
		return
	}
	w.written = status >= 200 || status == http.StatusSwitchingProtocols
	w.before(w.Header(), status)
}

func (w *writer) WriteHeader(status int) {
	w.write(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	w.write(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

func (w *writer) WriteString(s string) (int, error) {
	w.write(http.StatusOK)
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom lets io.Copy reach the sendfile of the writer beneath.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	before := w.written
	w.write(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, src)
	// Where nothing was copied no header is written: next may still change it.
	w.written = before || n > 0
	return n, err
}

// FlushError is what http.ResponseController looks for. Without it the
// controller would unwrap w and flush behind its back.
func (w *writer) FlushError() error {
	w.write(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what is not listed here: deadlines.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
