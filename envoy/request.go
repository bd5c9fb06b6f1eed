package envoy

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

// A request is what of a request is decided upon and logged.
type request struct {
	cors.Request
	host, path string
	site       string // Sec-Fetch-Site
}

const secFetchSite = "Sec-Fetch-Site"

// newRequest reads the header of a request. Of a header that came on several
// lines Envoy sends either all of them or one, with commas between what they
// had; package cors refuses the one as the other where there must be one value.
func newRequest(h *core.HeaderMap) (r request) {
	for _, field := range h.GetHeaders() {
		name := field.Key
		switch len(name) {
		case len(":path"):
			if name == ":path" {
				r.path = value(field)
			}
		case len(":method"):
			if name == ":method" {
				r.Method = value(field)
			}
		case len(":authority"):
			if name == ":authority" {
				r.host = value(field)
			}
		case len(header.Origin):
			add(&r.Origin, field, header.Origin)
		case len(secFetchSite):
			if header.EqualFold(name, secFetchSite) {
				r.site = value(field)
			}
		case len(header.AccessControlRequestMethod):
			add(&r.AccessControlRequestMethod, field, header.AccessControlRequestMethod)
		case len(header.AccessControlRequestHeaders):
			add(&r.AccessControlRequestHeaders, field, header.AccessControlRequestHeaders)
		case len(header.AccessControlRequestPrivateNetwork):
			add(&r.AccessControlRequestPrivateNetwork, field, header.AccessControlRequestPrivateNetwork)
		}
	}
	return r
}

// add adds the value of a field to lines if it has that name.
func add(lines *[]string, field *core.HeaderValue, name string) {
	if header.EqualFold(field.Key, name) {
		*lines = append(*lines, value(field))
	}
}

// value returns the value of a field. Envoy writes it as bytes, and as text where
// it is older, or envoy.reloadable_features.send_header_raw_value is off.
func value(field *core.HeaderValue) string {
	if len(field.RawValue) > 0 {
		return string(field.RawValue)
	}
	return field.Value
}

// asText reports whether Envoy writes values as text. Then it reads them so too,
// and bytes would be nothing to it.
func asText(h *core.HeaderMap) bool {
	for _, field := range h.GetHeaders() {
		if field.Value != "" {
			return true
		}
	}
	return false
}

// url returns the path, which is not ok where no server can unescape it.
func (r *request) url() (u *url.URL, ok bool) {
	raw, _, _ := strings.Cut(r.path, "?")
	path, err := url.PathUnescape(raw)
	return &url.URL{Path: path, RawPath: raw}, err == nil
}

// http returns the request as far as logs look at it.
func (r *request) http(ctx context.Context) *http.Request {
	u, ok := r.url()
	if !ok {
		u.Path = u.RawPath
	}
	q := &http.Request{Method: r.Method, Host: r.host, URL: u, Header: make(http.Header)}
	if r.site != "" {
		q.Header.Set(secFetchSite, r.site)
	}
	return q.WithContext(ctx)
}
