package intercept

import (
	"bufio"
	"net"
	"net/http"
)

// withAbilities returns w with the optional methods that its writer has, and no
// others. Each of the types is one pointer wide, so that this allocates nothing.
func (w *writer) withAbilities() http.ResponseWriter {
	_, flusher := w.ResponseWriter.(http.Flusher)
	_, hijacker := w.ResponseWriter.(http.Hijacker)
	_, pusher := w.ResponseWriter.(http.Pusher)
	switch [3]bool{flusher, hijacker, pusher} {
	case [3]bool{true, false, false}:
		return f{w}
	case [3]bool{true, true, false}:
		return fh{w}
	case [3]bool{true, false, true}:
		return fp{w}
	case [3]bool{true, true, true}:
		return fhp{w}
	case [3]bool{false, true, false}:
		return h{w}
	case [3]bool{false, false, true}:
		return p{w}
	case [3]bool{false, true, true}:
		return hp{w}
	}
	return w
}

type (
	f   struct{ *writer }
	h   struct{ *writer }
	p   struct{ *writer }
	fh  struct{ *writer }
	fp  struct{ *writer }
	hp  struct{ *writer }
	fhp struct{ *writer }
)

func (w f) Flush()   { w.flush() }
func (w fh) Flush()  { w.flush() }
func (w fp) Flush()  { w.flush() }
func (w fhp) Flush() { w.flush() }

func (w h) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return w.hijack() }
func (w fh) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.hijack() }
func (w hp) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.hijack() }
func (w fhp) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

func (w p) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w fp) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w hp) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w fhp) Push(target string, o *http.PushOptions) error { return w.push(target, o) }

func (w *writer) flush() {
	w.write(http.StatusOK)
	w.ResponseWriter.(http.Flusher).Flush()
}

func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.ResponseWriter.(http.Hijacker).Hijack()
	w.written = w.written || err == nil
	return conn, rw, err
}

func (w *writer) push(target string, o *http.PushOptions) error {
	return w.ResponseWriter.(http.Pusher).Push(target, o)
}
