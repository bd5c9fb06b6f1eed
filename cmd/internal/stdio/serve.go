package stdio

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/crossorigin/cors/fetch"
)

const (
	maxLine   = 256 << 20 // bytes of one line: bodies of 190 MB
	maxOpen   = 4096      // fetches at one time
	maxUnread = 4096      // answers, but for those to fetches, that nobody has read
)

// Serve answers the lines of in on out until in ends and what is open has been
// answered, or grace is over, or out fails. Each session is a browser made by
// open, whose Cookies are set, with a single page. A line that is not understood
// is answered with an error; it ends nothing.
func Serve(ctx context.Context, in io.Reader, out io.Writer, open func() *fetch.Browser, grace time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e := &engine{ctx: ctx, fail: cancel, out: out, open: open, sessions: map[string]*session{}, replies: make(chan answer, maxUnread)}
	e.replying.Go(e.reply)
	lines := make(chan line)
	go readLines(ctx, in, lines)
	err := e.handleAll(lines)
	close(e.replies)
	if err != nil {
		return err
	}
	return e.drain(grace)
}

// An engine is one run of Serve. All of it but the answers is done by one
// goroutine, so that what a session asks for takes place in its order.
type engine struct {
	ctx  context.Context
	fail context.CancelCauseFunc
	open func() *fetch.Browser
	work sync.WaitGroup

	sessions map[string]*session

	replies  chan answer // that no fetch waits to give
	replying sync.WaitGroup

	writing sync.Mutex
	out     io.Writer
	buf     bytes.Buffer

	mu      sync.Mutex
	fetches []*openFetch
}

// A session is a page in a browser of its own. That it may have several
// documents does no harm.
type session struct {
	browser *fetch.Browser
	pages   map[client]*fetch.Page
	begun   chan struct{} // closed once the last fetch so far has begun
}

const maxPages = 1000 // of a session

// page is the page that a message is from.
func (s *session) page(c *client) (*fetch.Page, error) {
	if c == nil {
		return nil, errors.New(`client is missing; give the page, as {"origin":"https://app.example.com"}`)
	}
	if page := s.pages[*c]; page != nil {
		return page, nil
	}
	page, err := c.open(s.browser)
	if err != nil {
		return nil, err
	}
	if len(s.pages) == maxPages {
		clear(s.pages)
	}
	s.pages[*c] = page
	return page, nil
}

// An openFetch has not been answered.
type openFetch struct {
	id        string
	session   *session
	keepalive bool
	cancel    context.CancelFunc
}

// handleAll handles lines until there are no more.
func (e *engine) handleAll(lines <-chan line) error {
	for {
		select {
		case <-e.ctx.Done():
			return context.Cause(e.ctx)
		case l, more := <-lines:
			switch {
			case !more:
				return nil
			case l.err != nil:
				return l.err
			}
			e.handle(l)
		}
	}
}

// handle answers a line, or sees to it that it will be answered.
func (e *engine) handle(l line) {
	if l.tooLong {
		e.later(answer{Error: &failure{"protocol", fmt.Sprintf("line %d is longer than %d bytes", l.number, maxLine)}})
		return
	}
	if len(bytes.TrimSpace(l.text)) == 0 {
		return
	}
	m, err := parseMessage(l.text)
	if err == nil {
		err = e.dispatch(m)
	}
	if err != nil {
		e.later(answer{ID: m.ID, Error: &failure{"protocol", fmt.Sprintf("line %d: %v", l.number, err)}})
	}
}

func (e *engine) dispatch(m *message) error {
	switch {
	case m.Abort:
		e.abort(func(f *openFetch) bool {
			return f.id == string(m.ID) && (m.Session == "" || f.session == e.sessions[m.Session])
		})
		return nil
	case m.Session == "":
		return errors.New("session is missing; give the page a name")
	case m.Op == "end-session":
		e.endSession(m.Session)
		return nil
	}
	s := e.sessions[m.Session]
	if s == nil {
		s = &session{browser: e.open(), pages: map[client]*fetch.Page{}, begun: make(chan struct{})}
		close(s.begun)
		e.sessions[m.Session] = s
	}
	switch {
	case m.Op == "headers":
		return e.guardHeaders(m)
	case m.Op == "cookie-get":
		return e.readCookie(s, m)
	case m.Op == "cookie-set":
		return e.writeCookie(s, m)
	case m.Op != "":
		e.later(answer{ID: m.ID, Error: &failure{"unsupported", fmt.Sprintf(`there is no op %q; there are "headers", "cookie-get", "cookie-set" and "end-session"`, m.Op)}})
		return nil
	case m.Request == nil:
		return errors.New("request is missing, and so is op")
	}
	return e.fetch(s, m)
}

// fetch begins a fetch that is answered when it is over.
func (e *engine) fetch(s *session, m *message) error {
	page, err := s.page(m.Client)
	if err != nil {
		return err
	}
	in, err := m.fetchRequest()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(e.ctx)
	f := &openFetch{string(m.ID), s, in.Keepalive, cancel}
	e.mu.Lock()
	full := len(e.fetches) == maxOpen
	if !full {
		e.fetches = append(e.fetches, f)
	}
	e.mu.Unlock()
	if full {
		cancel()
		return fmt.Errorf("%d fetches are open; wait for an answer, or abort one", maxOpen)
	}
	// Fetches of a page begin in their order, and then run at the same time.
	before, begun := s.begun, make(chan struct{})
	s.begun = begun
	begin := sync.OnceFunc(func() { close(begun) })
	in.Trace = func(event fetch.Event) {
		switch event.Kind {
		case fetch.EventRequestSent, fetch.EventPreflightShared:
			begin()
		}
	}
	e.work.Go(func() {
		defer cancel()
		defer begin()
		<-before
		a := answer{ID: m.ID}
		res, err := page.Fetch(ctx, in)
		begin()
		if err != nil {
			a.Error = failureOf(err)
		} else {
			a.Response = ReadResponse(res)
		}
		e.mu.Lock()
		e.fetches = slices.DeleteFunc(e.fetches, func(other *openFetch) bool { return other == f })
		e.mu.Unlock()
		e.answer(a)
	})
	return nil
}

// abort ends the open fetches that which picks.
func (e *engine) abort(which func(*openFetch) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.fetches {
		if which(f) {
			f.cancel()
		}
	}
}

// endSession forgets all that the page left. A fetch that is to outlive its page
// goes on.
func (e *engine) endSession(name string) {
	s := e.sessions[name]
	if s == nil {
		return
	}
	delete(e.sessions, name)
	e.abort(func(f *openFetch) bool { return f.session == s && !f.keepalive })
	s.browser.CloseIdleConnections()
}

func (e *engine) guardHeaders(m *message) error {
	h := fetch.Headers{}
	switch m.Guard {
	case "request":
	case "request-no-cors":
		h.Guard = fetch.GuardRequestNoCORS
	default:
		return fmt.Errorf(`guard: %q; write "request" or "request-no-cors"`, m.Guard)
	}
	list, err := m.Headers.fields("headers")
	if err != nil {
		return err
	}
	argument, err := headers{{m.Name, m.Value}}.fields("name, value")
	if err != nil {
		return err
	}
	name, value := argument[0].Name, argument[0].Value
	if m.Do != "fill" {
		h.List = list
	}
	switch m.Do {
	case "fill":
		h.Fill(list)
	case "append":
		h.Append(name, value)
	case "set":
		h.Set(name, value)
	case "delete":
		h.Delete(name)
	default:
		return fmt.Errorf(`do: %q; write "fill", "append", "set" or "delete"`, m.Do)
	}
	filled := pairs(h.List)
	e.later(answer{ID: m.ID, Headers: &filled})
	return nil
}

func (e *engine) readCookie(s *session, m *message) error {
	cookie, err := s.browser.Cookies.Cookie(m.URL)
	if err != nil {
		return err
	}
	e.later(answer{ID: m.ID, Cookie: &cookie})
	return nil
}

func (e *engine) writeCookie(s *session, m *message) error {
	// A page does not learn whether its cookie is kept.
	_ = s.browser.Cookies.SetCookie(m.URL, m.Cookie)
	e.later(answer{ID: m.ID, OK: true})
	return nil
}

// later gives an answer that is ready. It does not wait until the answer is
// written: those who ask a lot before they read an answer would wait for ever.
func (e *engine) later(a answer) {
	select {
	case e.replies <- a:
	case <-e.ctx.Done():
	}
}

func (e *engine) reply() {
	for a := range e.replies {
		e.answer(a)
	}
}

// answer writes a line. Where nobody reads any more, there is no more to do.
func (e *engine) answer(a answer) {
	e.writing.Lock()
	defer e.writing.Unlock()
	e.buf.Reset()
	encoder := json.NewEncoder(&e.buf)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(a)
	if err == nil {
		_, err = e.out.Write(e.buf.Bytes())
	}
	if err != nil {
		e.fail(fmt.Errorf("writing an answer: %w", err))
	}
	if e.buf.Cap() > 1<<20 {
		e.buf = bytes.Buffer{} // one big body is not kept for all small ones
	}
}

// drain waits for what is open when no more lines come.
func (e *engine) drain(grace time.Duration) error {
	done := make(chan struct{})
	go func() {
		e.work.Wait()
		e.replying.Wait()
		close(done)
	}()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		e.fail(fmt.Errorf("the fetch was still open %v after the input ended", grace))
		<-done
	case <-e.ctx.Done():
	}
	if err := context.Cause(e.ctx); err != nil {
		return err
	}
	return nil
}

// A line is one of the input, without its end.
type line struct {
	number  int
	text    []byte
	tooLong bool
	err     error // of reading, after which there are no more
}

// readLines sends the lines of in, until it ends. Of a line that is too long it
// keeps nothing.
func readLines(ctx context.Context, in io.Reader, lines chan<- line) {
	defer close(lines)
	r := bufio.NewReaderSize(in, 64<<10)
	for number := 1; ; number++ {
		l := line{number: number}
		var err error
		for {
			var part []byte
			part, err = r.ReadSlice('\n')
			if l.tooLong = l.tooLong || len(l.text)+len(part) > maxLine; l.tooLong {
				l.text = nil
			} else {
				l.text = append(l.text, part...)
			}
			if err != bufio.ErrBufferFull {
				break
			}
		}
		if err != nil && err != io.EOF {
			l.err = fmt.Errorf("reading line %d: %w", number, err)
		}
		if len(l.text) > 0 || l.tooLong || l.err != nil {
			select {
			case lines <- l:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}
