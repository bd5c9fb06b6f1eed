package fetch

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A preflightCache is the CORS-preflight cache: the zero value is empty. It
// holds one record for each (key, origin, URL, credentials), with the methods
// and header names that the standard keeps as entries of their own.
//
// https://fetch.spec.whatwg.org/#concept-cache
type preflightCache struct {
	mu      sync.Mutex
	records map[cacheKey]*cacheRecord
	entries int
	flights map[string]*flight // preflights under way, by what they ask
}

type cacheKey struct {
	partition, origin, url string
	credentials            bool
}

type cacheRecord struct {
	credentials    bool
	methods, names map[string]time.Time // to when they expire
}

// defaultPreflights is how many entries are kept.
const defaultPreflights = 1024

// maxEntries and maxEntryLength bound the entries that one response can make, in
// number and in bytes.
const (
	maxEntries     = 256
	maxEntryLength = 1024
)

// keyOf is the key of the records for r at its current URL.
//
// https://fetch.spec.whatwg.org/#request-determine-the-network-partition-key
func keyOf(r *request, credentials bool) cacheKey {
	return cacheKey{
		// https://fetch.spec.whatwg.org/#determine-the-network-partition-key: the
		// top-level site.
		partition:   r.page.site,
		origin:      r.preflightOrigin(),
		url:         r.currentURL().withoutFragment(),
		credentials: credentials,
	}
}

// siteOf serialises the site of o.
//
// https://html.spec.whatwg.org/multipage/browsers.html#obtain-a-site
func siteOf(o origin.Origin) string {
	if domain := o.RegistrableDomain(); domain != "" {
		return o.Scheme() + "://" + domain
	}
	return o.Scheme() + "://" + o.Host()
}

// spares reports whether the cache spares r its preflight: there is an entry
// that matches for the method and one for each unsafe name.
//
// https://fetch.spec.whatwg.org/#concept-http-fetch step 4.1
func (c *preflightCache) spares(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) == 0 || !r.readsPreflightCache() {
		return false
	}
	records := c.matching(r)
	now := r.browser.now()
	// That one lasts is asked for a preflight that sticks, which may need no entry.
	spared := slices.ContainsFunc(records, func(rec *cacheRecord) bool { return rec.lasts(now) }) &&
		(header.IsSafelistedMethod(r.method) && !r.useCORSPreflight && !r.mustNameHead() || cacheMatch(matchMethod).holds(records, r, r.method, now))
	for _, name := range r.unsafe {
		spared = spared && cacheMatch(matchHeader).holds(records, r, name, now)
	}
	if !spared && r.browser.Profile.has(onePreflightPerURL) {
		c.drop(keyOf(r, true))
		c.drop(keyOf(r, false))
	}
	return spared
}

// lasts reports whether an entry of rec has not expired, or there is none that
// could.
func (rec *cacheRecord) lasts(now time.Time) bool {
	for _, entries := range []map[string]time.Time{rec.methods, rec.names} {
		for _, expires := range entries {
			if expires.After(now) {
				return true
			}
		}
	}
	return len(rec.methods)+len(rec.names) == 0
}

// matching returns the records whose entries match r: those with credentials,
// and those without if r has none.
//
// https://fetch.spec.whatwg.org/#concept-cache-match
func (c *preflightCache) matching(r *request) (records []*cacheRecord) {
	with, without := c.records[keyOf(r, true)], c.records[keyOf(r, false)]
	include := r.credentials == CredentialsInclude
	if with != nil && (include || !r.quirk(credentialsKeptApart)) {
		records = append(records, with)
	}
	if without != nil && !include {
		records = append(records, without)
	}
	return records
}

// A cacheMatch looks for key, a method or a header name in lower case, among the
// entries of rec that are of its kind: is there one of its own, and a "*" that
// covers it?
type cacheMatch func(rec *cacheRecord, r *request, key string, now time.Time) (entries map[string]time.Time, own, wildcard bool)

// matchMethod is the method cache entry match.
//
// https://fetch.spec.whatwg.org/#concept-cache-match-method
func matchMethod(rec *cacheRecord, r *request, method string, now time.Time) (entries map[string]time.Time, own, wildcard bool) {
	return rec.methods, rec.methods[method].After(now), rec.methods["*"].After(now) && !r.cachedWildcardIsName(rec)
}

// matchHeader is the header-name cache entry match.
//
// https://fetch.spec.whatwg.org/#concept-cache-match-header
func matchHeader(rec *cacheRecord, r *request, name string, now time.Time) (entries map[string]time.Time, own, wildcard bool) {
	return rec.names, rec.names[name].After(now), rec.names["*"].After(now) && !r.cachedWildcardIsName(rec) &&
		(!header.IsNonWildcardRequestName(name) || r.quirk(wildcardAuthorizationCached))
}

// holds reports whether one of records has an entry that matches.
func (match cacheMatch) holds(records []*cacheRecord, r *request, key string, now time.Time) bool {
	return slices.ContainsFunc(records, func(rec *cacheRecord) bool {
		_, own, wildcard := match(rec, r, key, now)
		return own || wildcard
	})
}

// store creates or renews an entry for each method and name.
//
// https://fetch.spec.whatwg.org/#concept-cache-create-entry
func (c *preflightCache) store(r *request, maxAge time.Duration, methods, names []string) {
	if !r.writesPreflightCache() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(r, r.credentials == CredentialsInclude)
	if r.browser.Profile.has(onePreflightPerURL) {
		c.drop(keyOf(r, true))
		c.drop(keyOf(r, false))
	}
	now := r.browser.now()
	limit := r.browser.Limits.Preflights
	if limit == 0 {
		limit = defaultPreflights
	}
	tooLong := func(s string) bool { return len(s) > maxEntryLength }
	methods, names = slices.DeleteFunc(slices.Clone(methods), tooLong), slices.DeleteFunc(slices.Clone(names), tooLong)
	most := min(limit, maxEntries)
	methods = methods[:min(len(methods), most)]
	names = names[:min(len(names), most-len(methods))]
	if c.entries+len(methods)+len(names) > limit {
		c.evict(now, limit-len(methods)-len(names))
	}
	if c.records == nil {
		c.records = map[cacheKey]*cacheRecord{}
	}
	rec := c.records[key]
	if rec == nil {
		rec = &cacheRecord{key.credentials, map[string]time.Time{}, map[string]time.Time{}}
		c.records[key] = rec
	}
	before := len(rec.methods) + len(rec.names)
	records := c.matching(r)
	for _, m := range methods {
		cacheMatch(matchMethod).put(rec, records, r, m, now, maxAge)
	}
	for _, n := range names {
		cacheMatch(matchHeader).put(rec, records, r, header.Lower(n), now, maxAge)
	}
	c.entries += len(rec.methods) + len(rec.names) - before
}

// put sets the max-age of the entries that match, or makes one in rec. So a "*"
// lives on in place of an entry of key's own, and an entry with credentials in
// place of one without.
//
// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0 steps 7.12 to 7.15
func (match cacheMatch) put(rec *cacheRecord, records []*cacheRecord, r *request, key string, now time.Time, maxAge time.Duration) {
	found := false
	for _, present := range records {
		entries, own, wildcard := match(present, r, key, now)
		if own {
			entries[key] = now.Add(maxAge)
		}
		if wildcard {
			entries["*"] = now.Add(maxAge)
		}
		found = found || own || wildcard
	}
	if !found {
		entries, _, _ := match(rec, r, key, now)
		entries[key] = now.Add(maxAge)
	}
}

// evict makes room until at most keep entries are left: what has expired, and
// then whatever comes, as the standard allows.
func (c *preflightCache) evict(now time.Time, keep int) {
	for key, rec := range c.records {
		if !rec.fresh(now) {
			c.drop(key)
		}
	}
	for key := range c.records {
		if c.entries <= keep {
			return
		}
		c.drop(key)
	}
}

func (rec *cacheRecord) fresh(now time.Time) bool {
	for _, entries := range []map[string]time.Time{rec.methods, rec.names} {
		for _, expires := range entries {
			if expires.After(now) {
				return true
			}
		}
	}
	return false
}

func (c *preflightCache) drop(key cacheKey) {
	if rec := c.records[key]; rec != nil {
		c.entries -= len(rec.methods) + len(rec.names)
		delete(c.records, key)
	}
}

// clear removes what is kept for r.
//
// https://fetch.spec.whatwg.org/#concept-cache-clear
func (c *preflightCache) clear(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(keyOf(r, true))
	c.drop(keyOf(r, false))
}

// A flight is a preflight under way.
type flight struct {
	done    chan struct{}
	blocked *BlockedError
}

// share makes the preflight of r, or waits for another's that asks the same and
// uses what it brought into the cache.
func (c *preflightCache) share(ctx context.Context, r *request, preflight func() *BlockedError) *BlockedError {
	key := keyOf(r, r.credentials == CredentialsInclude)
	asks := strings.Join(append([]string{key.partition, key.origin, key.url, string(r.credentials), r.method}, r.unsafe...), "\n")
	for {
		c.mu.Lock()
		other := c.flights[asks]
		if other == nil {
			break
		}
		c.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return r.blocked(CodeAborted, "concept-http-fetch", "4.1.1").after(ctx.Err())
		}
		// One that failed, or that the server does not let keep, speaks for itself alone.
		if other.blocked == nil && c.spares(r) {
			r.emit(Event{Kind: EventPreflightShared})
			return nil
		}
	}
	f := &flight{done: make(chan struct{})}
	if c.flights == nil {
		c.flights = map[string]*flight{}
	}
	c.flights[asks] = f
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.flights, asks)
		c.mu.Unlock()
		close(f.done)
	}()
	f.blocked = preflight()
	return f.blocked
}
