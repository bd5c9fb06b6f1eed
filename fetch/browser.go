package fetch

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossorigin/cors/origin"
)

// A Browser holds what the pages of one browser profile share: cookies, the
// CORS-preflight cache, the HTTP cache and authentication entries, which are all
// empty at first. The zero Browser is ready; it is safe for concurrent use once
// its fields are set.
type Browser struct {
	// Profile says whose behaviour to show; the zero value is the standard's own.
	Profile Profile

	// Transport performs the requests, one by one: it must not follow redirects
	// nor keep cookies, and should leave Content-Encoding alone. Nil means a
	// transport over TCP and TLS of the browser's own, bounded by Limits.
	Transport http.RoundTripper

	// Dial opens the connections where Transport is nil; nil means over TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Cookies is the cookie store; nil means a new one.
	Cookies *CookieJar

	// Limits bound what a hostile server can cost.
	Limits Limits

	// RefusePrivateAddresses refuses to connect to addresses that are not public:
	// loopback, private, link-local. It is for servers that fetch URLs which their
	// users give, and is judged on the address that is dialled. With a Transport or
	// a Dial, which dial for themselves, every fetch fails with a [*RequestError].
	RefusePrivateAddresses bool

	// UserAgent is the User-Agent of requests whose page sets none; "" means a
	// name that says what this is.
	UserAgent string

	// ContentCodings adds to the content codings that are decoded, gzip and
	// deflate: readers by name, such as "br".
	ContentCodings map[string]ContentCoding

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	init      sync.Once
	transport http.RoundTripper
	encodings string // the value of Accept-Encoding
	preflight preflightCache
	auth      authEntries
	cache     httpCache

	partitionsMu sync.Mutex
	partitions   map[string]*CookieJar // of third parties, by top-level site: a quirk
}

// Limits bound what a server can cost. A zero field means the default.
type Limits struct {
	HeaderBytes int64 // of one response's header; 256 KiB, as in Chromium
	BodyBytes   int64 // of one response's body once decoded; no limit
	Preflights  int   // entries of the CORS-preflight cache; 1,024
}

// headerBytes is HeaderBytes, or Chromium's limit.
func (l Limits) headerBytes() int64 {
	if l.HeaderBytes == 0 {
		return 256 << 10
	}
	return l.HeaderBytes
}

// Open opens a top-level page at url, which is its document's URL. A url that
// does not parse makes every fetch of the page fail with a [*RequestError].
func (b *Browser) Open(url string) *Page {
	return &Page{Browser: b, URL: url}
}

// A Page is an environment from which to fetch: the standard's client. Its
// fields may be set before the first fetch.
//
// https://html.spec.whatwg.org/multipage/webappapis.html#environment-settings-object
type Page struct {
	Browser *Browser

	// URL is the document's URL: the base of relative URLs, and the referrer.
	URL string

	// Opaque gives the page an opaque origin, "null": that of a sandboxed frame,
	// or of a data: URL.
	Opaque bool

	// ReferrerPolicy is the document's; "" means the default.
	ReferrerPolicy ReferrerPolicy

	// EmbedderPolicy is the document's Cross-Origin-Embedder-Policy.
	EmbedderPolicy EmbedderPolicy

	// TopLevel is the origin of the top-level page, if the page is in a frame
	// there; the zero value means that the page is the top-level one.
	TopLevel origin.Origin

	init   sync.Once
	url    *urlRecord
	origin origin.Origin
	err    error

	serialized string // origin
	site       string // of the top-level page
	lastSite   atomic.Pointer[siteAnswer]
	keepalive  inflight
}

// Origin returns the page's origin; it is opaque if Opaque is set, and for URLs
// that have no other.
func (p *Page) Origin() origin.Origin {
	p.setUp()
	return p.origin
}

func (p *Page) setUp() {
	p.init.Do(func() {
		if p.url, p.err = parseURL(p.URL, nil); p.err != nil {
			return
		}
		p.url.origin = p.ownOrigin()
		if !p.Opaque {
			p.origin = p.url.origin
		}
		p.serialized = p.origin.String()
		p.site = siteOf(p.topLevelOrigin())
		p.url.root = p.url.originOnly()
	})
}

// ownOrigin is that of the page's URL. To pages of extensions and apps
// ("chrome-extension://…", "capacitor://localhost") browsers give a tuple
// origin, where that of such a URL is opaque.
func (p *Page) ownOrigin() origin.Origin {
	switch u := p.url; u.scheme {
	case "about", "blob", "data", "file", "ftp", "http", "https", "javascript", "ws", "wss":
		return u.origin
	}
	s := p.url.scheme + "://" + p.url.host
	if p.url.port != "" {
		s += ":" + p.url.port
	}
	o, _ := origin.Parse(s) // or opaque
	return o
}

// topLevelOrigin is that of the top-level page.
func (p *Page) topLevelOrigin() origin.Origin {
	if p.TopLevel.Opaque() {
		return p.url.origin
	}
	return p.TopLevel
}

// CloseIdleConnections closes the connections that no fetch is using.
func (b *Browser) CloseIdleConnections() {
	b.setUp()
	if t, ok := b.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (b *Browser) setUp() {
	b.init.Do(func() {
		if b.Cookies == nil {
			b.Cookies = &CookieJar{Now: b.Now}
		}
		names := slices.Sorted(maps.Keys(b.ContentCodings))
		b.encodings = strings.Join(append([]string{"gzip", "deflate"}, names...), ", ")
		b.transport = b.Transport
		if b.transport == nil {
			b.transport = newTransport(b)
		}
	})
}

func (b *Browser) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// partition returns the jar of third parties under a top-level site.
func (b *Browser) partition(site string) *CookieJar {
	b.partitionsMu.Lock()
	defer b.partitionsMu.Unlock()
	jar := b.partitions[site]
	if jar == nil {
		jar = &CookieJar{Now: b.Now}
		if b.partitions == nil {
			b.partitions = map[string]*CookieJar{}
		}
		b.partitions[site] = jar
	}
	return jar
}
