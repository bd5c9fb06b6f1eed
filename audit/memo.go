package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

// A memo is the transport of one inquiry. It gives the answer to a request to
// whoever asks the same again, so that four browsers cost what one does, and
// counts what it sends.
type memo struct {
	*network
	known        map[string]*answered
	budget, sent int
	exhausted    bool
}

type answered struct {
	status int
	header http.Header
	body   []byte // what begins it
	err    error
}

var errBudget = errors.New("the budget of requests is used up")

// maxBody is how much of a body is read, and maxKept how much kept.
const (
	maxBody = 64 << 10
	maxKept = 16 << 10
)

// A mask is the transport of one attack: it sends origin in place of that of the
// page, and gives the page its own back. Browsers have pages whose origins no URL
// of the web has, such as those of extensions; the engine judges them under
// another name.
type mask struct {
	*memo
	page, origin  string
	preflightOnly bool // the request itself stays at home
}

func (m *mask) RoundTrip(r *http.Request) (*http.Response, error) {
	isPreflight := r.Method == http.MethodOptions && r.Header.Get(header.AccessControlRequestMethod) != ""
	if m.preflightOnly && !isPreflight {
		return nil, errPreflightPassed
	}
	if m.origin != "" && r.Header.Get(header.Origin) == m.page {
		r = r.Clone(r.Context())
		r.Header[header.Origin] = []string{m.origin}
		r.Header.Del("Referer") // extensions send none
	}
	a := m.answer(r)
	if a.err != nil {
		return nil, a.err
	}
	h := a.header.Clone()
	if m.origin != "" {
		for i, line := range h[header.AccessControlAllowOrigin] {
			if line == m.origin {
				h[header.AccessControlAllowOrigin][i] = m.page
			}
		}
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: -1, Request: r,
	}, nil
}

// answer is what the server says to r, now or when it was asked before.
func (m *memo) answer(r *http.Request) *answered {
	key := strings.Join([]string{
		r.Method, r.URL.String(), r.Header.Get(header.Origin), r.Header.Get("Referer"),
		r.Header.Get(header.AccessControlRequestMethod), r.Header.Get(header.AccessControlRequestHeaders),
	}, "\x00")
	if a, ok := m.known[key]; ok {
		return a
	}
	if m.sent >= m.budget {
		m.exhausted = true
		return &answered{err: errBudget}
	}
	m.sent++
	a := m.send(r)
	if r.Context().Err() == nil { // what was interrupted says nothing of the server
		m.known[key] = a
	}
	return a
}

func (m *memo) send(r *http.Request) *answered {
	res, err := (&wire{network: m.network, left: 1}).RoundTrip(r)
	if err != nil {
		return &answered{err: err}
	}
	defer res.Body.Close()
	// A body that ends early is for the page to notice; what began it is enough.
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil && len(body) == 0 && r.Method != http.MethodHead {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			err = errors.New("the body did not begin in time")
		}
		return &answered{err: err}
	}
	h := res.Header
	for _, name := range []string{"Content-Length", "Content-Encoding", "Transfer-Encoding"} {
		h.Del(name) // the kept body is another
	}
	return &answered{status: res.StatusCode, header: h, body: slices.Clip(body[:min(len(body), maxKept)])}
}
