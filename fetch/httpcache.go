package fetch

import (
	"bytes"
	"container/list"
	"context"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/header"
)

// An httpCache is the HTTP cache of one browser, all partitions of it: a
// private cache, in memory, of whole responses to GET. The zero value is empty.
//
// https://httpwg.org/specs/rfc9111.html
type httpCache struct {
	mu     sync.Mutex
	stored map[httpCacheKey][]*storedResponse // variants, the newest last
	recent list.List                          // of *storedResponse, the last used first
	bytes  int
}

// https://fetch.spec.whatwg.org/#determine-the-http-cache-partition
type httpCacheKey struct{ partition, url, apart string }

const (
	maxCacheBytes    = 64 << 20 // of all bodies and headers
	maxCachedBody    = 8 << 20
	maxCacheVariants = 16 // of one URL
	maxVaryNames     = 64 // a response with more is not kept
)

// A storedResponse is never changed once it is in the cache: a fresher one takes
// its place.
type storedResponse struct {
	key        httpCacheKey
	vary       []header.Field // the names in Vary, and what the request said there
	authorized string         // the request's Authorization
	status     int
	statusText string
	header     []header.Field
	body       []byte
	sent       time.Time // the request
	received   time.Time
	aged       []header.Field // the header that came then: how old was the response?
	element    *list.Element
}

func httpCacheKeyOf(r *request, url string) httpCacheKey {
	return httpCacheKey{r.page.site, url, r.cachedApart()}
}

// lookup selects the stored response for r, nil if there is none. It may need
// validation.
//
// https://httpwg.org/specs/rfc9111.html#constructing.responses.from.caches
func (c *httpCache) lookup(r *request) *storedResponse {
	if r.method != "GET" && r.method != "HEAD" || !r.cachesRange() || r.bypassesCache() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.stored) == 0 {
		return nil
	}
	variants := c.stored[httpCacheKeyOf(r, r.currentURL().withoutFragment())]
	for _, s := range slices.Backward(variants) {
		if s.matches(r) {
			c.recent.MoveToFront(s.element)
			return s
		}
	}
	return nil
}

// https://httpwg.org/specs/rfc9111.html#caching.negotiated.responses
func (s *storedResponse) matches(r *request) bool {
	for _, f := range s.vary {
		if value, _ := get(r.headers, f.Name); f.Name == "*" || value != f.Value {
			return false
		}
	}
	value, _ := get(r.headers, "Authorization")
	return value == s.authorized || !r.quirk(authorizationCachedApart)
}

// response returns s as the answer to r.
func (s *storedResponse) response(r *request) *response {
	return r.cutRange(&response{cached: true, status: s.status, statusText: s.statusText, header: r.cachedHeader(s.header), body: io.NopCloser(bytes.NewReader(s.body))}, s.body)
}

// isStale reports whether s is a stale response for r, which the server must be
// asked about.
//
// https://fetch.spec.whatwg.org/#concept-stale-response
func (s *storedResponse) isStale(r *request, now time.Time) bool {
	lifetime := s.lifetime(r.browser)
	asked := directivesOf(r.headers)
	if lifetime == 0 && len(asked) == 0 {
		return true // whatever its age
	}
	age := s.age(now)
	if r.cache == CacheNoCache || s.directives().has("no-cache") || asked.has("no-cache") || r.neverFresh(s.status) {
		return true
	}
	if _, ok := get(r.headers, "Pragma"); ok && len(asked) == 0 && !r.quirk(pragmaIgnored) {
		return true
	}
	// https://httpwg.org/specs/rfc9111.html#cache-request-directive
	if most, ok := asked.seconds("max-age"); ok && age > most {
		return true
	}
	if most, ok := asked.seconds("min-fresh"); ok {
		lifetime -= most
	}
	if asked.has("max-stale") && !s.directives().has("must-revalidate") {
		most, ok := asked.seconds("max-stale")
		return ok && age >= lifetime+most
	}
	return age >= lifetime
}

// isStaleWhileRevalidate reports whether s may be used once more while the
// server is asked.
//
// https://fetch.spec.whatwg.org/#concept-stale-while-revalidate-response
func (s *storedResponse) isStaleWhileRevalidate(r *request, now time.Time) bool {
	grace, ok := s.directives().seconds("stale-while-revalidate")
	if !ok {
		return false
	}
	age, lifetime := s.age(now), s.lifetime(r.browser)
	return age >= lifetime && age < lifetime+grace && !s.directives().has("no-cache") && len(directivesOf(r.headers)) == 0
}

// https://httpwg.org/specs/rfc9111.html#age.calculations
func (s *storedResponse) age(now time.Time) time.Duration {
	return initialAge(s.aged, s.sent, s.received) + max(0, now.Sub(s.received))
}

// lifetime is how long s is fresh.
//
// https://httpwg.org/specs/rfc9111.html#calculating.freshness.lifetime
func (s *storedResponse) lifetime(b *Browser) time.Duration {
	if maxAge, ok := s.directives().seconds("max-age"); ok {
		return maxAge
	}
	date := func() time.Time {
		if t, ok := headerTime(s.header, "Date"); ok {
			return t
		}
		return s.received
	}
	if _, ok := get(s.header, "Expires"); ok {
		expires, _ := headerTime(s.header, "Expires") // what is no date has passed
		return max(0, expires.Sub(date()))
	}
	if b.Profile.cachesForEver(s.status) {
		return math.MaxInt64 / 2
	}
	if !isHeuristicallyCacheable(s.status) && !s.directives().has("public") {
		return 0
	}
	if modified, ok := headerTime(s.header, "Last-Modified"); ok {
		return max(0, date().Sub(modified)/10)
	}
	return 0
}

// https://httpwg.org/specs/rfc9110.html#overview.of.status.codes, without 206,
// of which nothing is kept.
func isHeuristicallyCacheable(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

func headerTime(list []header.Field, name string) (time.Time, bool) {
	value, ok := get(list, name)
	if !ok {
		return time.Time{}, false
	}
	t, err := http.ParseTime(value)
	return t, err == nil
}

// validators makes r conditional on s.
//
// https://httpwg.org/specs/rfc9111.html#validation.sent
func (s *storedResponse) validators(r *request) {
	if etag, ok := get(s.header, "ETag"); ok {
		r.append("If-None-Match", etag)
	}
	if modified, ok := get(s.header, "Last-Modified"); ok {
		r.append("If-Modified-Since", modified)
	}
}

// store keeps res, the answer to r, sent at a time, once its body has been read
// to the end; it returns res with a body that sees to that.
//
// https://httpwg.org/specs/rfc9111.html#response.cacheability
func (c *httpCache) store(r *request, res *response, sent time.Time) *response {
	varies := getSplit(res.header, "Vary")
	if !isStorable(r, res) || len(varies) > maxVaryNames || slices.Contains(varies, "*") {
		return res
	}
	now := r.browser.now()
	s := &storedResponse{
		key:    httpCacheKeyOf(r, r.currentURL().withoutFragment()),
		status: res.status, statusText: res.statusText, header: res.header,
		sent: sent, received: now, aged: res.header,
	}
	s.authorized, _ = get(r.headers, "Authorization")
	s.vary = make([]header.Field, len(varies))
	for i, name := range varies {
		value, _ := get(r.headers, name)
		s.vary[i] = header.Field{Name: name, Value: value}
	}
	_, redirects := get(res.header, "Location")
	if redirects && isRedirectStatus(res.status) || isNullBodyStatus(res.status) || r.method == "HEAD" {
		if r.keepsOnceFollowed(res) {
			res.followed = func() { c.put(s) }
		} else {
			c.put(s) // whose body nobody reads
		}
		return res
	}
	res.body = &keepingBody{body: res.body, cache: c, response: s}
	return res
}

func isStorable(r *request, res *response) bool {
	switch {
	case r.method != "GET" && !(r.method == "HEAD" && r.quirk(headCached)), r.cache == CacheNoStore, !r.cachesRange(),
		directivesOf(res.header).has("no-store"), directivesOf(r.headers).has("no-store"):
		return false
	}
	if r.browser.Profile != Standard {
		return r.cachesQuirkily(res)
	}
	return isStorableStatus(res)
}

func isStorableStatus(res *response) bool {
	switch res.status {
	case 206, 304, 401, 407, 421:
		return false
	}
	return isHeuristicallyCacheable(res.status) || saysHowLong(res)
}

// saysHowLong reports whether res says how long it is fresh, or that it may be
// kept.
func saysHowLong(res *response) bool {
	said := directivesOf(res.header)
	_, expires := get(res.header, "Expires")
	return expires || said.has("max-age") || said.has("public") || said.has("private")
}

// initialAge is the corrected initial age.
//
// https://httpwg.org/specs/rfc9111.html#age.calculations
func initialAge(list []header.Field, sent, received time.Time) time.Duration {
	var apparent, said time.Duration
	if date, ok := headerTime(list, "Date"); ok {
		apparent = max(0, received.Sub(date))
	}
	if values := header.Lines(list, "Age"); len(values) > 0 {
		said, _ = parseSeconds(values[0])
	}
	return max(apparent, said+received.Sub(sent))
}

// put adds s in the place of what it replaces, and makes room for it.
func (c *httpCache) put(s *storedResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored == nil {
		c.stored = map[httpCacheKey][]*storedResponse{}
	}
	c.bytes += s.size()
	variants := c.stored[s.key]
	if last := len(variants) - 1; last >= 0 && slices.Equal(variants[last].vary, s.vary) {
		// In the same place.
		old := variants[last]
		c.bytes -= old.size()
		variants[last], s.element = s, old.element
		s.element.Value = s
		c.recent.MoveToFront(s.element)
	} else {
		if i := slices.IndexFunc(variants, func(old *storedResponse) bool { return slices.Equal(old.vary, s.vary) }); i >= 0 {
			c.drop(variants[i])
		} else if len(variants) == maxCacheVariants {
			c.drop(variants[0])
		}
		c.stored[s.key] = append(c.stored[s.key], s)
		s.element = c.recent.PushFront(s)
	}
	for c.bytes > maxCacheBytes {
		c.drop(c.recent.Back().Value.(*storedResponse))
	}
}

func (s *storedResponse) size() int {
	const record, field = 512, 32 // of memory beside the bytes
	n := record + len(s.key.url) + len(s.body)
	for _, list := range [][]header.Field{s.header, s.vary} {
		for _, f := range list {
			n += field + len(f.Name) + len(f.Value)
		}
	}
	return n
}

// drop forgets s. It is locked by the caller.
func (c *httpCache) drop(s *storedResponse) {
	variants := c.stored[s.key]
	i := slices.Index(variants, s)
	if i < 0 {
		return
	}
	if variants = slices.Delete(variants, i, i+1); len(variants) == 0 {
		delete(c.stored, s.key)
	} else {
		c.stored[s.key] = variants
	}
	c.recent.Remove(s.element)
	c.bytes -= s.size()
}

// freshen returns s with what a 304 says anew, and keeps it.
//
// https://httpwg.org/specs/rfc9111.html#freshening.responses
func (c *httpCache) freshen(r *request, s *storedResponse, notModified *response, sent time.Time) *storedResponse {
	now := r.browser.now()
	fresh := *s
	fresh.sent, fresh.received, fresh.aged = sent, now, notModified.header
	said := map[string]bool{}
	for _, f := range notModified.header {
		said[header.Lower(f.Name)] = true
	}
	fresh.header = slices.DeleteFunc(slices.Clone(s.header), func(f header.Field) bool {
		return said[header.Lower(f.Name)] && !isBodyHeader(f.Name)
	})
	for _, f := range notModified.header {
		if !isBodyHeader(f.Name) {
			fresh.header = append(fresh.header, f)
		}
	}
	slices.SortStableFunc(fresh.header, func(a, b header.Field) int { return strings.Compare(a.Name, b.Name) })
	c.put(&fresh)
	return &fresh
}

// isBodyHeader reports whether name describes the stored body, or the
// connection, so that a 304 says nothing new about it.
//
// https://httpwg.org/specs/rfc9111.html#update
func isBodyHeader(name string) bool {
	switch header.Lower(name) {
	case "connection", "content-encoding", "content-length", "content-range", "content-type", "keep-alive",
		"proxy-authenticate", "proxy-connection", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// invalidate forgets what an unsafe request has changed.
//
// https://httpwg.org/specs/rfc9111.html#invalidation
func (c *httpCache) invalidate(r *request, res *response) {
	switch r.method {
	case "GET", "HEAD", "OPTIONS":
		return
	}
	if (res.status < 200 || res.status > 399) && !r.quirk(moreInvalidated) || r.invalidatesNothing() {
		return
	}
	u := r.currentURL()
	urls := []string{u.withoutFragment()}
	for _, name := range []string{"Location", "Content-Location"} {
		if value, ok := get(res.header, name); ok && !r.quirk(littleInvalidated) {
			if other, err := parseURL(value, u); err == nil && r.invalidates(other) {
				urls = append(urls, other.withoutFragment())
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, url := range urls {
		for _, s := range slices.Clone(c.stored[httpCacheKeyOf(r, url)]) {
			c.drop(s)
		}
	}
}

// revalidate asks the server, with these headers in place of those of r, about a
// response that was used stale meanwhile. The page that caused it need not wait,
// nor live.
func revalidate(ctx context.Context, r *request, headers []header.Field) {
	again := r.clone()
	again.headers = headers
	again.cache, again.preventNoCacheHeader = CacheNoCache, true
	again.trace, again.exchanges = nil, new([]*Exchange)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		res, blocked := mainFetch(ctx, again, false)
		if blocked == nil && res.body != nil {
			_, _ = io.Copy(io.Discard, res.body) // it is kept when it has been read
			res.close()
		}
	}()
}

// directives are those of Cache-Control, by name in lower case.
type directives map[string]string

func directivesOf(list []header.Field) directives {
	values := getSplit(list, "Cache-Control")
	if values == nil {
		return nil
	}
	d := make(directives, len(values))
	for _, value := range values {
		name, argument, _ := strings.Cut(value, "=")
		name = header.Lower(strings.TrimRight(name, " \t"))
		// Of two that contradict each other, the first one counts.
		if _, has := d[name]; !has && name != "" {
			d[name] = strings.Trim(argument, " \t\"")
		}
	}
	return d
}

func (s *storedResponse) directives() directives { return directivesOf(s.header) }

func (d directives) has(name string) bool {
	_, ok := d[name]
	return ok
}

func (d directives) seconds(name string) (time.Duration, bool) {
	argument, ok := d[name]
	if !ok {
		return 0, false
	}
	seconds, ok := parseSeconds(argument)
	if !ok && name == "max-age" {
		return 0, true // what is no number of seconds has passed
	}
	return seconds, ok
}

// parseSeconds reads delta-seconds; there are never more than 2^31.
//
// https://httpwg.org/specs/rfc9111.html#delta-seconds
func parseSeconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		seconds = 1 << 31
	}
	return time.Duration(seconds) * time.Second, true
}

// A keepingBody puts its response into the cache once all of it has been read.
type keepingBody struct {
	body     io.ReadCloser
	read     []byte
	cache    *httpCache
	response *storedResponse // nil once it is kept, or cannot be
}

func (k *keepingBody) Read(p []byte) (int, error) {
	n, err := k.body.Read(p)
	if k.response == nil {
		return n, err
	}
	k.read = append(k.read, p[:n]...)
	switch {
	case len(k.read) > maxCachedBody, err != nil && err != io.EOF:
		k.response, k.read = nil, nil
	case err == io.EOF:
		k.response.body = k.read
		k.cache.put(k.response)
		k.response, k.read = nil, nil
	}
	return n, err
}

func (k *keepingBody) Close() error { return k.body.Close() }

// drain reads what nobody else reads, so that it is kept, unless it is long.
func (r *response) drain() {
	if k, ok := r.body.(*keepingBody); ok {
		_, _ = io.CopyN(io.Discard, k, maxDrained)
	}
}

const maxDrained = 256 << 10
