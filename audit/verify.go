package audit

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/fetch"
)

// A Target is a running server, and how to ask it.
type Target struct {
	// URL is the scheme and host of the server: "https://staging.example.com".
	URL string

	// Connect says where routes for other hosts are served: a host, or a host and
	// port, by the host of the route. Requests keep the host of the route.
	Connect map[string]string

	// Paths says at which paths to ask about a route, by its pattern: as in a URL,
	// with a query if need be. Where it says nothing a path is made of the pattern.
	Paths map[string][]string

	// Skip says about which routes not to ask, and why, by their pattern.
	Skip map[string]string

	// Header is added to each request, for servers that let only some people in;
	// Authorization and Cookie not to preflights, as no browser sends them there.
	Header http.Header

	// Profile is the browser to ask as.
	Profile fetch.Profile

	// UnsafeMethods sends the requests with methods other than GET and HEAD too.
	// Without it their preflights alone are sent.
	UnsafeMethods bool

	// MaxRequests bounds the requests, redirects aside. Beyond it expectations are
	// left out, near misses first; a policy that takes more all the same is refused.
	// 0 means 2,000.
	MaxRequests int

	Concurrency int           // questions at a time; 0 means 4
	Rate        float64       // requests in a second at most; 0 means as fast as they go
	Timeout     time.Duration // of one request; 0 means 10 s

	// Transport performs the requests: it must not follow redirects. Nil means one
	// over TCP and TLS, with which Connect works.
	Transport http.RoundTripper
}

func (t *Target) timeout() time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	return 10 * time.Second
}

func (t *Target) concurrency() int {
	if t.Concurrency > 0 {
		return t.Concurrency
	}
	return 4
}

func (t *Target) maxRequests() int {
	if t.MaxRequests > 0 {
		return t.MaxRequests
	}
	return 2000
}

func (t *Target) every() time.Duration {
	if t.Rate > 0 {
		return time.Duration(float64(time.Second) / t.Rate)
	}
	return 0
}

// A Plan is what will be asked of a server.
type Plan struct {
	target  Target
	checks  []*check
	network *network
	ranked  [ranks]int // checks by their rank
	once    sync.Once
	report  *Report

	// Requests is how many requests there are at most; each redirect on the same
	// server adds one, and a question follows three.
	Requests int

	// Unsafe is how many of them have a method other than GET, HEAD and OPTIONS.
	Unsafe int

	// Omitted is how many expectations MaxRequests leaves out.
	Omitted int

	// Insecure are servers over http that are asked as if they were over https.
	Insecure []string
}

// NewPlan derives from policies, by pattern as in [cors.NewRoutes], the requests
// that must work and those that must not. Origins that an OriginSource allows are
// not among them. The error says what is wrong with the policies or with t.
func NewPlan(policies map[string]cors.Policy, t Target) (*Plan, error) {
	routes, err := routes(policies, &t)
	if err != nil {
		return nil, err
	}
	p := &Plan{target: t, network: newNetwork(&t, routes)}
	for _, server := range p.network.real {
		if server.Scheme == "http" && !isLoopback(server.Hostname()) {
			p.Insecure = append(p.Insecure, server.String())
		}
	}
	slices.Sort(p.Insecure)
	for _, r := range routes {
		p.derive(r, routes)
	}
	if p.omit(t.maxRequests()); p.Requests > t.maxRequests() {
		return nil, fmt.Errorf("audit: %d routes take %d requests at least, and MaxRequests is %d; raise it", len(routes), p.Requests, t.maxRequests())
	}
	for _, c := range p.checks {
		if c.result.Rule == "method-sent" {
			p.Unsafe++
		}
	}
	return p, nil
}

// Len returns how many expectations there are.
func (p *Plan) Len() int { return len(p.checks) }

// omit leaves out what does not fit into budget: from the end, near misses first.
func (p *Plan) omit(budget int) {
	for _, c := range p.checks {
		p.Requests += c.cost
	}
	for _, rank := range []rank{nearMiss, member} {
		for _, c := range slices.Backward(p.checks) {
			if c.rank == rank && p.Requests > budget {
				c.omitted = true
				c.result.Verdict, c.result.Got = Unjudged, "left out"
				close(c.done)
				p.Requests -= c.cost
				p.Omitted++
			}
		}
	}
	p.checks = slices.DeleteFunc(p.checks, func(c *check) bool { return c.omitted })
}

// room reports whether a check of this rank could be kept by omit; if not, it is
// counted as left out, so that a policy with a million origins costs nothing.
func (p *Plan) room(r rank) bool {
	if p.ranked[r] == p.target.maxRequests() {
		p.Omitted++
		return false
	}
	p.ranked[r]++
	return true
}

// A Verdict says what became of an expectation.
type Verdict string

// The verdicts.
const (
	Kept        Verdict = "kept"
	Broken      Verdict = "broken"
	Unjudged    Verdict = "unjudged"    // nothing can be said of it: Result.Got says why
	Unreachable Verdict = "unreachable" // no answer came
)

// A Result is an expectation and what came of it.
type Result struct {
	Route  string // pattern, as in the policy; "" for where no route is
	Rule   string // what kind of expectation this is: stable, as in "origin-allowed"
	Expect string // the expectation, in words
	Origin string // of the page, as it stands in Origin; "" where there is none
	Method string // of the request
	URL    string // of the request

	Verdict Verdict
	Got     string // what came, in words; it may hold what a hostile server sent

	// What follows is set where the expectation is broken.
	Page      string // URL of the page
	Opaque    bool   // the page has an opaque origin
	Request   *fetch.Request
	Blocked   *fetch.BlockedError // why the page may not read what it should; or nil
	Exchanges []*fetch.Exchange
}

// A Report is what came of a plan.
type Report struct {
	Results  []Result // by route, from the plain to the particular
	Requests int      // that were sent
}

// Count returns how many results have the verdict v.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, result := range r.Results {
		if result.Verdict == v {
			n++
		}
	}
	return n
}

// Verify asks the server. As each result comes, each is told of it, if it is
// not nil: one at a time, in no order. Where ctx ends, so do the questions. A
// plan asks once: later calls return the same report.
func (p *Plan) Verify(ctx context.Context, each func(Result)) *Report {
	p.once.Do(func() { p.report = p.verify(ctx, each) })
	return p.report
}

func (p *Plan) verify(ctx context.Context, each func(Result)) *Report {
	var mu sync.Mutex
	var running sync.WaitGroup
	places := make(chan struct{}, p.target.concurrency())
	for _, c := range p.checks {
		running.Go(func() {
			defer close(c.done)
			if !c.ready() {
				return
			}
			places <- struct{}{}
			defer func() { <-places }()
			if ctx.Err() != nil {
				c.withhold(Unreachable, "not asked, since this was interrupted")
				return
			}
			c.judge(ctx)
		})
	}
	report := new(Report)
	if each != nil {
		for _, c := range p.checks {
			running.Go(func() {
				<-c.done
				mu.Lock()
				defer mu.Unlock()
				each(c.result)
			})
		}
	}
	running.Wait()
	for _, c := range p.checks {
		report.Results = append(report.Results, c.result)
	}
	report.Requests = int(p.network.sent.Load())
	return report
}
