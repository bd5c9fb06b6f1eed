package fetch

// An httpCache is the HTTP cache: the zero value is empty.
//
// https://httpwg.org/specs/rfc9111.html
type httpCache struct{}

// A lookup is what the cache has for a request: a response to use as it is, or
// one to ask the server about.
type lookup struct {
	response *response
}

func (*httpCache) lookup(*request) lookup { return lookup{} }

func (*httpCache) update(_ *request, _ lookup, res *response) *response { return res }
