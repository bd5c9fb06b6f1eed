package fetch

import "context"

// Fetch fetches as a script of the page does: it returns what the script may
// see, or a [*BlockedError] where a browser would only say that the fetch
// failed, or a [*RequestError] where there is no request to make. It returns
// once the response's header is there; until the body is closed, ctx ends it. A
// server that does not answer is waited for as long as ctx lasts.
//
// https://fetch.spec.whatwg.org/#dom-global-fetch
func (p *Page) Fetch(ctx context.Context, in *Request) (*Response, error) {
	p.setUp()
	p.Browser.setUp()
	r, err := newRequest(p, in)
	if err != nil {
		return nil, err
	}
	r.addDefaults()
	r.authored = r.headers
	r.authoredUnsafe = p.Browser.Profile == Firefox && len(r.unsafeNames()) > 0
	res, blocked := mainFetch(ctx, r, false)
	if blocked != nil {
		r.hold(0)
		return nil, blocked
	}
	return handOver(r, res), nil
}

// addDefaults adds the headers that the page has left to the browser.
//
// https://fetch.spec.whatwg.org/#concept-fetch
func (r *request) addDefaults() {
	// 12.
	if !r.has("Accept") {
		r.append("Accept", r.destination.accept())
	}
	// 14.
	if !r.has("Accept-Language") {
		r.append("Accept-Language", acceptLanguage)
	}
}

const acceptLanguage = "en-US,en;q=0.9"

// handOver gives the page the filtered response.
//
// https://fetch.spec.whatwg.org/#fetch-finale
func handOver(r *request, res *response) *Response {
	out := &Response{
		Type:          res.typ,
		Status:        res.status,
		StatusText:    res.statusText,
		Header:        res.header,
		Body:          res.body,
		TimingAllowed: res.timingAllowed,
		Exchanges:     *r.exchanges,
	}
	switch {
	case res.body == nil:
		out.Body = NoBody
		r.hold(0)
	case r.held > 0:
		out.Body = holdingBody{res.body, r}
	}
	if n := len(res.urls); n > 0 {
		out.URL, out.Redirected = res.urls[n-1].withoutFragment(), n > 1
	}
	return out
}
