package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

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
	failures     int // in a row
	limited      int // answers of status 429
}

type answered struct {
	status int
	header http.Header
	body   []byte // what begins it
	err    error
}

var errBudget = errors.New("the budget of requests is used up")

// errGone is the error where a server that did answer does so no more.
var errGone = errors.New("it no longer answers")

// What one answer may cost, and how often a server may fail to give any.
const (
	maxBody     = 64 << 10 // that is read, so that the connection may be used again
	maxKept     = 16 << 10 // of it
	maxDrip     = time.Second
	maxFailures = 4
)

// preflightsOnly is a memo that keeps the request itself at home.
type preflightsOnly struct{ *memo }

func (m preflightsOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodOptions || r.Header.Get(header.AccessControlRequestMethod) == "" {
		return nil, errPreflightPassed
	}
	return m.memo.RoundTrip(r)
}

func (m *memo) RoundTrip(r *http.Request) (*http.Response, error) {
	a := m.answer(r)
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: -1, Request: r,
	}, nil
}

// answer is what the server says to r, now or when it was asked before.
func (m *memo) answer(r *http.Request) *answered {
	key := strings.Join([]string{
		r.Method, r.URL.String(), r.Header.Get(header.Origin), r.Header.Get("Referer"),
		r.Header.Get(header.AccessControlRequestMethod), r.Header.Get(header.AccessControlRequestHeaders), r.Header.Get(forwardedHost),
	}, "\x00")
	if a, ok := m.known[key]; ok {
		return a
	}
	if m.sent >= m.budget {
		m.exhausted = true
		return &answered{err: errBudget}
	}
	if m.failures >= maxFailures {
		return &answered{err: errGone}
	}
	m.sent++
	a := m.send(r)
	switch {
	case a.err != nil:
		m.failures++
	case a.status == http.StatusTooManyRequests:
		m.failures++
		m.limited++
	default:
		m.failures = 0
	}
	if r.Context().Err() == nil { // what was interrupted says nothing of the server
		m.known[key] = a
	}
	return a
}

// forget has the server be asked once more what no origin asked, and reports
// whether it can be.
func (m *memo) forget(method, url string) bool {
	for key := range m.known {
		if strings.HasPrefix(key, method+"\x00"+url+"\x00\x00") {
			delete(m.known, key)
		}
	}
	return m.sent < m.budget && m.failures < maxFailures
}

// bodies are what begins those of the answers so far, each once.
func (m *memo) bodies(method, url string) (all []string) {
	for _, key := range slices.Sorted(maps.Keys(m.known)) {
		if body := string(m.known[key].body); strings.HasPrefix(key, method+"\x00"+url+"\x00") && !slices.Contains(all, body) {
			all = append(all, body)
		}
	}
	return all
}

func (m *memo) send(r *http.Request) *answered {
	res, err := (&wire{network: m.network, left: 1}).RoundTrip(r)
	if err != nil {
		return &answered{err: err}
	}
	defer res.Body.Close()
	// A body that comes in drips has begun, which is enough.
	defer time.AfterFunc(maxDrip, func() { res.Body.Close() }).Stop()
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
