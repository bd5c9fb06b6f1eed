package fetch

import (
	"io"
	"slices"

	"github.com/crossorigin/cors/header"
)

// filter returns what of res the request's response tainting lets a page see.
//
// https://fetch.spec.whatwg.org/#concept-filtered-response
func filter(r *request, res *response) *response {
	switch r.tainting {
	case taintCORS:
		return filterCORS(r, res)
	case taintOpaque:
		return filterOpaque(res, TypeOpaque)
	}
	return filterBasic(r, res)
}

// https://fetch.spec.whatwg.org/#concept-filtered-response-basic
func filterBasic(r *request, res *response) *response {
	filtered := *res
	filtered.typ = TypeBasic
	filtered.header = filterNames(r, res.header, func(name string) bool { return !header.IsForbiddenResponse(name) })
	return &filtered
}

// https://fetch.spec.whatwg.org/#concept-filtered-response-cors
func filterCORS(r *request, res *response) *response {
	exposed := func(name string) bool {
		return slices.ContainsFunc(res.exposed, func(exposed string) bool { return header.EqualFold(exposed, name) })
	}
	if len(res.exposed) > 32 { // as a hostile server has it, which also sends as many headers
		names := make(map[string]bool, len(res.exposed))
		for _, name := range res.exposed {
			names[header.Lower(name)] = true
		}
		exposed = func(name string) bool { return names[header.Lower(name)] }
	}
	filtered := *res
	filtered.typ = TypeCORS
	filtered.header = filterNames(r, res.header, func(name string) bool {
		return header.IsSafelistedResponse(name) || !header.IsForbiddenResponse(name) && exposed(name)
	})
	return &filtered
}

func filterNames(r *request, list []header.Field, visible func(name string) bool) []header.Field {
	filtered := make([]header.Field, 0, len(list))
	for _, f := range list {
		if visible(f.Name) {
			filtered = append(filtered, f)
		} else {
			r.emit(Event{Kind: EventHeaderHidden, Name: f.Name, Value: f.Value})
		}
	}
	return filtered
}

// filterOpaque hides everything. The body is read only for the HTTP cache: the
// next fetch may find there what this one was not to see.
//
// https://fetch.spec.whatwg.org/#concept-filtered-response-opaque
// https://fetch.spec.whatwg.org/#concept-filtered-response-opaque-redirect
func filterOpaque(res *response, typ ResponseType) *response {
	filtered := &response{typ: typ}
	if typ == TypeOpaqueRedirect {
		filtered.urls = res.urls
	}
	if body, ok := res.body.(*keepingBody); ok && typ == TypeOpaque {
		filtered.body = unseenBody{body}
		return filtered
	}
	res.close()
	return filtered
}

// An unseenBody looks empty; whoever reads it to the end lets it into the cache.
type unseenBody struct{ body *keepingBody }

func (b unseenBody) Read([]byte) (int, error) {
	buffer := make([]byte, 32<<10)
	for b.body.response != nil {
		if _, err := b.body.Read(buffer); err != nil {
			break // whatever it is, the page does not learn of it
		}
	}
	b.body.Close()
	return 0, io.EOF
}

func (b unseenBody) Close() error { return b.body.Close() }

// NoBody is the body of a response that has none, which is not the same as an
// empty one: in JavaScript its body is null.
var NoBody io.ReadCloser = noBody{}

type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }
