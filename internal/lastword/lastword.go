package lastword

import (
	"io"
	"net/http"
)

// Serve has next answer r. Right before next's headers go out, whichever way
// next sends them, speak is called with all of them. It is also called where
// next writes nothing, and where it panics first: whoever answers then finds
// the headers in w as speak left them. For informational responses it is called
// too, so it may be called twice, and the second time must change nothing.
//
// What w can do, the writer that next gets can do: http.Flusher, http.Hijacker
// and http.Pusher if w has them, io.ReaderFrom, io.StringWriter, and everything
// of http.ResponseController. After next has hijacked the connection speak is
// not called.
func Serve(next http.Handler, w http.ResponseWriter, r *http.Request, speak func(h http.Header)) {
	held := &writer{ResponseWriter: w, speak: speak}
	defer held.send()
	next.ServeHTTP(held.withAbilities(), r)
}

// A writer speaks before it writes.
type writer struct {
	http.ResponseWriter
	speak func(http.Header)
	sent  bool
}

func (w *writer) send() {
	if !w.sent {
		w.sent = true
		w.speak(w.Header())
	}
}

func (w *writer) WriteHeader(status int) {
	switch {
	case w.sent:
	case status >= 100 && status <= 199 && status != http.StatusSwitchingProtocols:
		w.speak(w.Header())
	default:
		w.send()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.send()
	return w.ResponseWriter.Write(b)
}

func (w *writer) WriteString(s string) (int, error) {
	w.send()
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom lets the kernel send a file, where the connection can.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if !w.sent {
		w.speak(w.Header())
	}
	n, err := io.Copy(w.ResponseWriter, r)
	// Nothing copied sends no headers: next may still change them.
	w.sent = w.sent || n > 0
	return n, err
}

// FlushError is what http.ResponseController asks for. Without it the
// controller would unwrap w, and flush headers on which nobody spoke.
func (w *writer) FlushError() error {
	w.send()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
