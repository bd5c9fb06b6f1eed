package fetch

import (
	"io"
	"sync"
)

// inflight counts the bytes of a page's keepalive bodies on their way.
type inflight struct {
	mu    sync.Mutex
	bytes int64
}

// hold counts n bytes for r, in place of what it held for an earlier URL, and
// reports whether the page may have so many on their way. The standard's list
// has r itself in it too, which no browser counts twice.
func (r *request) hold(n int64) bool {
	f := &r.page.keepalive
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes-r.held+n > 64<<10 {
		return false
	}
	f.bytes += n - r.held
	r.held = n
	return true
}

// A holdingBody is the body of a response whose request counts until it has been
// read or closed.
type holdingBody struct {
	io.ReadCloser
	request *request
}

func (b holdingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.request.hold(0)
	}
	return n, err
}

func (b holdingBody) Close() error {
	b.request.hold(0)
	return b.ReadCloser.Close()
}
