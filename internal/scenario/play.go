package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Dial opens connections, as [Stage.Dial] does; nil means TCP, to a stage that
// listens.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Play plays the scenarios of stage with package fetch, many at a time, each in
// a browser of its own.
func Play(ctx context.Context, scenarios []Scenario, stage *Stage, profile fetch.Profile, dial Dial) []Recording {
	recordings := make([]Recording, len(scenarios))
	var players sync.WaitGroup
	next := make(chan int)
	for range 4 * runtime.GOMAXPROCS(0) {
		players.Go(func() {
			for i := range next {
				recordings[i] = playOne(ctx, &scenarios[i], stage, profile, dial)
			}
		})
	}
	for i := range scenarios {
		next <- i
	}
	close(next)
	players.Wait()
	return recordings
}

func playOne(ctx context.Context, s *Scenario, stage *Stage, profile fetch.Profile, dial Dial) Recording {
	b := &fetch.Browser{Profile: profile, Dial: dial, Cookies: &fetch.CookieJar{}}
	if err := b.Cookies.SetCookie(stage.Origins["A"]+"/run", "sid=1;"); err != nil {
		panic(err) // there is no such stage
	}
	page := b.Open(stage.Origins["A"] + "/run")
	if s.Page == "null" {
		top := page.Origin()
		page = b.Open(stage.Origins["A"] + "/opaque")
		page.Opaque, page.TopLevel = true, top
	}
	r := Recording{ID: s.ID, Outcomes: make([]Outcome, len(s.Fetches))}
	for i := range s.Fetches {
		f := stage.Origins.Expand(s.ID, s.Fetches[i])
		r.Outcomes[i] = stage.Origins.Contract(s.ID, fetchOne(ctx, page, &f))
	}
	r.Requests = stage.Requests(s.ID)
	return r
}

// fetchOne is fetch() and text() in a script.
func fetchOne(ctx context.Context, page *fetch.Page, f *Fetch) Outcome {
	req, ok := f.Request()
	if !ok {
		return Outcome{Error: "TypeError"}
	}
	return See(page.Fetch(ctx, req))
}

// See is what a script sees of what came of a fetch. It reads the body.
func See(res *fetch.Response, err error) Outcome {
	if err != nil {
		return Outcome{Error: errorName(err), Err: err}
	}
	defer res.Body.Close()
	o := Outcome{
		Type: string(res.Type), Status: res.Status, Redirected: res.Redirected,
		URL: res.URL, Headers: iterate(res.Header),
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		o.BodyError = errorName(err)
		return o
	}
	o.Body = text(body)
	return o
}

func errorName(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "AbortError"
	}
	return "TypeError"
}

// Request makes of f, whose URL is expanded, what Web IDL and new Request() make
// of it; not ok where they throw.
func (f *Fetch) Request() (*fetch.Request, bool) {
	req := &fetch.Request{
		URL: f.URL, Method: f.Method, Mode: fetch.Mode(f.Mode), Credentials: fetch.Credentials(f.Credentials),
		Redirect: fetch.Redirect(f.Redirect), Cache: fetch.Cache(f.Cache), ReferrerPolicy: fetch.ReferrerPolicy(f.ReferrerPolicy),
		Integrity: f.Integrity, Keepalive: f.Keepalive,
	}
	if f.Method == "" {
		return nil, false // package fetch takes it for GET
	}
	if req.Cache == "" {
		req.Cache = fetch.CacheNoStore
	}
	if f.Referrer != nil {
		req.Referrer = *f.Referrer
		if req.Referrer == "" {
			req.Referrer = "no-referrer"
		}
	}
	kept := fetch.Headers{}
	if req.Mode == fetch.ModeNoCORS {
		kept.Guard = fetch.GuardRequestNoCORS
	}
	for _, h := range f.Headers {
		if !isByteString(h[0]) || !isByteString(h[1]) {
			return nil, false
		}
		req.Header = append(req.Header, header.Field{Name: string(fromLatin1(h[0])), Value: string(fromLatin1(h[1]))})
	}
	if f.Body != nil {
		req.Body = []byte(*f.Body)
		kept.Fill(req.Header)
		if !slices.ContainsFunc(kept.List, func(h header.Field) bool { return header.EqualFold(h.Name, "Content-Type") }) {
			req.Header = append(req.Header, header.Field{Name: "Content-Type", Value: "text/plain;charset=UTF-8"})
		}
	}
	return req, true
}

func isByteString(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0xFF })
}

// iterate lists headers as a script does that iterates over a Headers object.
//
// https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine
func iterate(list []header.Field) []Field {
	combined := map[string]string{}
	names := []string{}
	for _, f := range list {
		name := header.Lower(f.Name)
		if before, ok := combined[name]; ok {
			combined[name] = before + ", " + f.Value
			continue
		}
		names = append(names, name)
		combined[name] = f.Value
	}
	slices.Sort(names)
	fields := []Field{}
	for _, name := range names {
		fields = append(fields, Field{name, latin1(combined[name])})
	}
	return fields
}

// text is https://encoding.spec.whatwg.org/#utf-8-decode.
func text(body []byte) string {
	s := strings.TrimPrefix(string(body), "\uFEFF")
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
