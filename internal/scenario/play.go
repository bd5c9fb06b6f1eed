package scenario

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// Play plays every scenario with the profile and returns the recordings in
// their order.
func (s *Stage) Play(ctx context.Context, scenarios []Scenario, profile fetch.Profile) []Recording {
	recordings := make([]Recording, len(scenarios))
	transport := s.Transport()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				recordings[i] = s.play(ctx, &scenarios[i], &fetch.Browser{Profile: profile, Transport: transport})
			}
		})
	}
	for i := range scenarios {
		next <- i
	}
	close(next)
	wg.Wait()
	return recordings
}

func (s *Stage) play(ctx context.Context, sc *Scenario, b *fetch.Browser) Recording {
	b.Cookies = &fetch.CookieJar{}
	if err := b.Cookies.SetCookie(servers[0].origin, "sid=1"); err != nil {
		panic(err) // the stage's own cookie
	}
	page := b.Open(servers[0].origin + "/run")
	if sc.Page == "null" {
		page = b.Open(servers[0].origin + "/opaque")
		page.Opaque = true
	}
	rec := Recording{ID: sc.ID, Outcomes: []Outcome{}}
	for _, f := range sc.Fetches {
		rec.Outcomes = append(rec.Outcomes, play(ctx, page, sc.ID, f))
	}
	rec.Requests = s.Requests(sc.ID)
	return rec
}

func play(ctx context.Context, page *fetch.Page, id string, f Fetch) Outcome {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	res, err := page.Fetch(ctx, request(id, f))
	if err != nil {
		return Outcome{Error: "TypeError"}
	}
	defer res.Body.Close()
	o := Outcome{
		Type: string(res.Type), Status: res.Status, Redirected: res.Redirected,
		URL: normal(res.URL, id), Headers: [][2]string{},
	}
	for _, h := range sortAndCombine(res.Header) {
		if h[0] != "connection" && h[0] != "content-length" {
			o.Headers = append(o.Headers, [2]string{h[0], normal(isomorphicDecode(h[1]), id)})
		}
	}
	body, err := io.ReadAll(res.Body)
	if o.Body = string(body); err != nil {
		o.Body = map[string]string{"error": "TypeError"}
	}
	return o
}

func normal(v, id string) string { return strings.ReplaceAll(symbols(v), "/s/"+id, "") }

// request is what fetch() makes of its arguments.
func request(id string, f Fetch) *fetch.Request {
	r := &fetch.Request{
		URL: expand(f.URL, id), Method: f.Method,
		Mode: fetch.Mode(f.Mode), Credentials: fetch.Credentials(f.Credentials), Redirect: fetch.Redirect(f.Redirect),
		Cache: fetch.Cache(f.Cache),
	}
	if r.Method == "" {
		r.Method = " " // fetch() refuses the empty method, which a Request here takes for GET
	}
	if r.Cache == "" {
		r.Cache = fetch.CacheNoStore
	}
	for _, h := range f.Headers {
		r.Header = append(r.Header, header.Field{Name: h[0], Value: latin1(h[1])})
	}
	if f.Body != nil {
		r.Body = []byte(*f.Body)
		// The body's own type counts where the author's header is dropped.
		if !slices.ContainsFunc(r.Header, func(h header.Field) bool {
			return header.EqualFold(h.Name, "Content-Type") && (r.Mode != fetch.ModeNoCORS || header.IsNoCORSSafelistedRequest(h.Name, h.Value))
		}) {
			r.Header = append(r.Header, header.Field{Name: "Content-Type", Value: "text/plain;charset=UTF-8"})
		}
	}
	return r
}

// sortAndCombine is what iterating over a Headers object gives.
//
// https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine
func sortAndCombine(list []header.Field) [][2]string {
	var out [][2]string
	for _, f := range list {
		name := header.Lower(f.Name)
		i := slices.IndexFunc(out, func(h [2]string) bool { return h[0] == name })
		if i < 0 {
			out = append(out, [2]string{name, f.Value})
		} else {
			out[i][1] += ", " + f.Value
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return out
}

// A Difference is a scenario of which two recordings tell different things.
type Difference struct {
	Scenario  *Scenario
	Page      bool // what the page sees differs
	Wire      bool // what the servers see differs
	Want, Got *Recording
}

// Compare compares recordings of the same scenarios, in the same order.
func Compare(scenarios []Scenario, want, got []Recording) []Difference {
	var all []Difference
	for i := range scenarios {
		d := Difference{Scenario: &scenarios[i], Want: &want[i], Got: &got[i]}
		d.Page = !slices.Equal(verdicts(want[i]), verdicts(got[i]))
		d.Wire = !slices.Equal(wire(want[i]), wire(got[i]))
		if d.Page || d.Wire {
			all = append(all, d)
		}
	}
	return all
}

func verdicts(r Recording) []string {
	var out []string
	for _, o := range r.Outcomes {
		if o.Error != "" {
			out = append(out, "blocked") // by which exception tells nothing
			continue
		}
		text, err := marshal(o)
		if err != nil {
			panic(err) // strings and numbers alone
		}
		out = append(out, string(text))
	}
	return out
}

// judged are the request-headers that are compared: those of CORS, and those by
// which the page's wishes and the browser's rules show.
var judged = regexp.MustCompile(`^(origin|access-control-.*|cookie|authorization|content-type|referer|sec-fetch-(site|mode|dest))$`)

func wire(r Recording) []string {
	var out []string
	for _, q := range r.Requests {
		q.Headers = slices.DeleteFunc(slices.Clone(q.Headers), func(h [2]string) bool { return !judged.MatchString(h[0]) })
		text, err := marshal(q)
		if err != nil {
			panic(err) // strings alone
		}
		out = append(out, string(text))
	}
	return out
}
