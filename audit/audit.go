package audit

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/public"
	"github.com/crossorigin/cors/origin"
)

// An Auditor asks servers whose policy is not known what they wrongly allow. The
// zero Auditor is ready; it is safe for concurrent use once its fields are set.
type Auditor struct {
	// Origins are ones that the servers are known to allow. What is like them is
	// asked for too; without any they are guessed from the server's own name and
	// from what it says.
	Origins []string

	// Connect says where hosts are served: a host, or a host and port, by host.
	Connect map[string]string

	// Header is added to each request, for what only a session shows;
	// Authorization and Cookie not to preflights, as no browser sends them there.
	// No other server than the one that is asked about gets it.
	Header http.Header

	// UnsafeMethods sends a POST without a body too.
	UnsafeMethods bool

	// PrivateAddresses lets servers be asked whose address is not public.
	PrivateAddresses bool

	// LookupHost, which may be that of a net.Resolver, is asked for the addresses of
	// names that a server allows and that are not its own. Nil means that none is
	// looked up.
	LookupHost func(ctx context.Context, host string) (addresses []string, err error)

	MaxRequests int           // about one URL, at most; 0 means 200
	Rate        float64       // requests to one host in a second at most; 0 means as fast as they go
	Timeout     time.Duration // of one request; 0 means 10 s

	// Transport performs the requests: it must not follow redirects, and with it
	// Connect and PrivateAddresses have no meaning. Nil means one over TCP and TLS.
	Transport http.RoundTripper

	once      sync.Once
	transport http.RoundTripper
	mu        sync.Mutex
	paces     map[string]*pace
	optOuts   map[string]optOut
}

// Budget is how many requests are sent about one URL, at most.
func (a *Auditor) Budget() int {
	if a.MaxRequests > 0 {
		return a.MaxRequests
	}
	return 200
}

func (a *Auditor) timeout() time.Duration {
	if a.Timeout > 0 {
		return a.Timeout
	}
	return 10 * time.Second
}

// An Inspection is what came of the questions about one URL.
type Inspection struct {
	URL      string
	Findings []Finding // by severity, the worst first
	Requests int       // that were sent
	Status   int       // of the answer to a request of no other origin
	Omitted  bool      // the budget was used up before all was asked

	// Unreachable says why there was no answer to judge; "" where there was one.
	Unreachable string

	// Temporary is set where it is unreachable for what may pass: the network, or
	// too many requests.
	Temporary bool

	// Skipped says why nothing was asked, where the server asks for that.
	Skipped string

	// Notes say what else was met.
	Notes []string
}

// Worst is the severity of the worst finding; ok is false where there is none.
func (i *Inspection) Worst() (worst Severity, ok bool) {
	for _, f := range i.Findings {
		worst, ok = max(worst, f.Severity), true
	}
	return worst, ok
}

// What a page gets that it should not get.
type Reach string

// The reaches.
const (
	ReadsWithCredentials Reach = "reads with credentials"    // what the visitor sees
	Reads                Reach = "reads without credentials" // what anybody sees who can reach the server
	Sends                Reach = "sends with credentials"    // and does not learn the answer
	Nothing              Reach = ""                          // the server harms its own pages
)

// A Finding is a mistake of a server, and the proof of it.
type Finding struct {
	Rule     *Rule
	Severity Severity
	Reach    Reach
	Got      string // what the server said; it may be hostile

	// Origins are those that showed it, as they stand in Origin; the first is that
	// of the request below.
	Origins []string

	// Browsers are those in which it is so, by the browser's half itself.
	Browsers []fetch.Profile

	Page      string // URL of the page; "" where the request is no page's
	Opaque    bool   // the page has an opaque origin
	Request   *fetch.Request
	Exchanges []*fetch.Exchange
}

// Audit asks about the URL rawURL. The error says what is wrong with rawURL or
// with a; that a server does not answer is none.
func (a *Auditor) Audit(ctx context.Context, rawURL string) (*Inspection, error) {
	q, err := a.newInquiry(rawURL)
	if err != nil {
		return nil, err
	}
	if why := a.optedOut(ctx, q); why != "" {
		return &Inspection{URL: rawURL, Skipped: why, Requests: q.memo.sent}, nil
	}
	q.ask(ctx)
	return q.result(), nil
}

// Check says what Audit would, without asking: what is wrong with rawURL or with a.
func (a *Auditor) Check(rawURL string) error {
	_, err := a.newInquiry(rawURL)
	return err
}

func (a *Auditor) newInquiry(rawURL string) (*inquiry, error) {
	page := new(fetch.Browser).Open(rawURL)
	server := page.Origin()
	if server.Scheme() != "http" && server.Scheme() != "https" {
		return nil, fmt.Errorf(`audit: %q is no URL of a server; write it as "https://api.example.com/users"`, rawURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil || u.User != nil {
		return nil, fmt.Errorf("audit: %q cannot be asked about: leave out user and password, and escape what is no letter", rawURL)
	}
	u.Fragment = ""
	q := &inquiry{auditor: a, raw: rawURL, url: u.String(), base: server, found: map[string]*Finding{}}
	for _, text := range a.Origins {
		o, err := origin.Parse(text)
		if err != nil || o.Opaque() || o.Scheme() != "http" && o.Scheme() != "https" {
			return nil, fmt.Errorf(`audit: %q is no origin; write it as "https://app.example.com"`, text)
		}
		q.trusted = append(q.trusted, o)
	}
	_, at, _ := strings.Cut(server.String(), "://")
	a.once.Do(a.prepare)
	q.memo = &memo{
		network: &network{
			transport: a.transport,
			real:      map[string]*url.URL{at: {Scheme: server.Scheme(), Host: at}},
			header:    a.Header,
			pace:      a.paceOf(at),
			timeout:   a.timeout(),
		},
		known: map[string]*answered{}, budget: a.Budget(),
	}
	q.name()
	return q, nil
}

func (a *Auditor) prepare() {
	a.paces, a.optOuts = map[string]*pace{}, map[string]optOut{}
	if a.transport = a.Transport; a.transport != nil {
		return
	}
	dialer := &net.Dialer{Timeout: a.timeout()}
	if !a.PrivateAddresses {
		dialer.ControlContext = public.Dial
	}
	a.transport = newTransport(a.Connect, dialer, 4)
}

// maxHosts bounds what is remembered of hosts: a stream of targets has no end.
const maxHosts = 10_000

func (a *Auditor) paceOf(host string) *pace {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.paces[host]
	if p == nil {
		if len(a.paces) == maxHosts {
			clear(a.paces)
		}
		p = &pace{}
		if a.Rate > 0 {
			p.every = time.Duration(float64(time.Second) / a.Rate)
		}
		a.paces[host] = p
	}
	return p
}

// Proof is a command that shows what the server says, to be pasted into a shell.
// What [Auditor.Header] adds is left out but for the names.
func (f *Finding) Proof(session http.Header) string {
	if len(f.Exchanges) == 0 {
		return ""
	}
	e := f.Exchanges[len(f.Exchanges)-1]
	for _, other := range f.Exchanges {
		if other.Status != 0 {
			e = other
		}
	}
	words := []string{"curl", "-s", "-D-", "-o", "/dev/null"}
	switch e.Method {
	case http.MethodGet:
	case http.MethodHead:
		words = append(words, "-I")
	default:
		words = append(words, "-X", e.Method)
	}
	for _, sent := range e.RequestHeader {
		switch name := http.CanonicalHeaderKey(sent.Name); name {
		case "Referer":
			if f.Rule.ID == "reflect-referer" {
				words = append(words, "-H", name+": "+sent.Value)
			}
		case header.Origin, forwardedHost, header.AccessControlRequestMethod, header.AccessControlRequestHeaders:
			words = append(words, "-H", name+": "+sent.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(session)) {
		if !e.Preflight || name != "Authorization" && name != "Cookie" {
			words = append(words, "-H", name+": …")
		}
	}
	words = append(words, e.URL)
	for i, w := range words {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// quote quotes s for a shell, where that is needed.
func quote(s string) string {
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
