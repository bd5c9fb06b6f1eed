package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/header"
)

// lookTimeout is how long an upstream has to answer when it is looked at.
const lookTimeout = 3 * time.Second

// Look asks each upstream what it says of CORS itself, and tells log what will
// become of that. It sends a GET and a preflight to the beginning of each route,
// and changes nothing. It ends a look that is still under way, at what may be no
// longer so.
func (g *Gateway) Look(ctx context.Context, log *slog.Logger) {
	g.mu.Lock()
	if g.endLook != nil {
		g.endLook()
	}
	ctx, g.endLook = context.WithCancel(ctx)
	t := g.table.Load()
	g.mu.Unlock()
	looked := make(map[string]bool)
	for _, pattern := range slices.Sorted(maps.Keys(t.routes)) {
		r := t.routes[pattern]
		if r.upstream == nil {
			log.Warn("a route has no upstream; its requests get 404", "route", pattern)
			continue
		}
		key := fmt.Sprint(r.upstream.url, " ", r.Headers, r.Shadow, " ", pathOf(pattern))
		if !looked[key] && ctx.Err() == nil {
			looked[key] = true
			r.look(ctx, log)
		}
	}
}

// look is Look for one route.
func (r *route) look(ctx context.Context, log *slog.Logger) {
	log = log.With("route", r.pattern, "upstream", r.upstream.url.String())
	asked := r.somebody()
	get, err := r.ask(ctx, http.MethodGet, asked)
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("the upstream does not answer; until it does, requests get 502 or 504", "error", err.Error())
		}
		return
	}
	preflight, err := r.ask(ctx, http.MethodOptions, asked)
	if err != nil {
		return
	}
	sent := strings.Join(get.Header[header.AccessControlAllowOrigin], ", ")
	ownCORS := edge.StripAll(get.Header) | edge.StripAll(preflight.Header)
	var names []string
	for _, name := range ownCORS.All() {
		names = append(names, name)
	}
	own := strings.Join(names, ", ")
	answers := preflight.StatusCode < 300
	switch {
	case r.Shadow && ownCORS != 0:
		log.Info("shadow mode: the upstream's CORS headers pass as they are", "headers", own)
	case r.Shadow:
		log.Warn("shadow mode, and the upstream sends no CORS headers: pages of other origins can read nothing")
	case r.Headers == edge.Strip && ownCORS != 0:
		log.Warn("the upstream sends CORS headers; they are stripped, the policy alone speaks", "headers", own, "allow-origin", sent)
	case r.Headers == edge.Fill && ownCORS != 0:
		log.Warn("the upstream sends CORS headers; where it does they stay, whatever the policy says", "headers", own, "allow-origin", sent)
	case r.Headers == edge.Keep && ownCORS == 0:
		log.Warn("the upstream sends no CORS headers, and with upstream-headers: keep nobody else does: pages of other origins can read nothing")
	case r.Headers == edge.Keep:
		log.Warn("the upstream sends CORS headers; they stay, whatever the policy says", "headers", own, "allow-origin", sent)
	}
	switch {
	case r.Shadow && !answers:
		log.Warn("shadow mode: preflights reach the upstream, and it does not answer OPTIONS", "status", preflight.StatusCode)
	case !r.Shadow && answers:
		log.Info("the upstream answers OPTIONS; preflights no longer reach it, the policy answers them")
	case !r.Shadow:
		log.Info("the upstream does not answer OPTIONS, and need not: the policy answers preflights", "status", preflight.StatusCode)
	}
}

// somebody is an origin that the policy allows: an upstream with CORS of its own
// may well say nothing to others.
func (r *route) somebody() string {
	for _, pattern := range r.Policy.Origins {
		if !strings.Contains(pattern, "*") {
			return pattern
		}
	}
	return "https://look.cors-serve.invalid"
}

// ask sends the upstream what a page at origin might.
func (r *route) ask(ctx context.Context, method, origin string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	to := r.upstream.url.JoinPath(pathOf(r.pattern))
	req, err := http.NewRequestWithContext(ctx, method, to.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "cors-serve (looking at CORS headers)")
	req.Header.Set(header.Origin, origin)
	if method == http.MethodOptions {
		req.Header.Set(header.AccessControlRequestMethod, http.MethodPut)
	}
	res, err := r.upstream.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return res, nil
}

// pathOf is the beginning of the paths that pattern matches, up to the first
// wildcard.
func pathOf(pattern string) string {
	i := strings.IndexByte(pattern, '/')
	if i < 0 {
		return "/"
	}
	p, _, _ := strings.Cut(pattern[i:], "{")
	if unescaped, err := url.PathUnescape(p); err == nil {
		return unescaped
	}
	return p
}
