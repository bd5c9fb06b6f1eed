package fetch

import (
	"io"

	"github.com/crossorigin/cors/header"
)

// A Response is what of an answer the page may see: the standard's filtered
// response.
//
// https://fetch.spec.whatwg.org/#concept-filtered-response
type Response struct {
	Type       ResponseType
	URL        string // without fragment; "" where it is hidden
	Redirected bool
	Status     int // 0 where it is hidden
	StatusText string
	Header     []header.Field // one for each line, in the order of the wire where the transport tells it

	// Body is the decoded body; [NoBody] where there is none or it is hidden. That
	// of an opaque response looks empty, and enters the HTTP cache if it is read
	// to the end. Body is never nil and must be closed.
	Body io.ReadCloser

	// TimingAllowed reports whether the page may see the details of its timing.
	//
	// https://fetch.spec.whatwg.org/#concept-tao-check
	TimingAllowed bool

	// Exchanges are the requests and responses that went over the wire, also
	// those that the page knows nothing of.
	Exchanges []*Exchange
}

// ResponseType says how much of a response a page may see.
//
// https://fetch.spec.whatwg.org/#concept-response-type
type ResponseType string

// The types of a response that is not an error.
const (
	TypeBasic          ResponseType = "basic"
	TypeCORS           ResponseType = "cors"
	TypeOpaque         ResponseType = "opaque"
	TypeOpaqueRedirect ResponseType = "opaqueredirect"
)

// Get returns the values of the visible headers called name, joined by ", ".
//
// https://fetch.spec.whatwg.org/#concept-header-list-get
func (r *Response) Get(name string) (value string, ok bool) {
	return get(r.Header, name)
}

// An Exchange is one request and its response on the wire. Its lists belong to the
// browser, and are not to be changed.
type Exchange struct {
	Preflight     bool
	Method        string
	URL           string // without fragment and password
	RequestHeader []header.Field

	// Nothing below is set where no response came.
	Status         int
	ResponseHeader []header.Field
	FromCache      bool // no request was sent
}

// response is the standard's response, at work.
//
// https://fetch.spec.whatwg.org/#concept-response
type response struct {
	typ        ResponseType // "" until it is filtered
	urls       []*urlRecord
	status     int
	statusText string
	header     []header.Field
	body       io.ReadCloser // not yet decoded where it is from the network; nil for null

	followed            func()   // what to do, if anything, once a redirect is followed
	cached              bool     // it came from the HTTP cache
	exposed             []string // CORS-exposed header-name list
	includesCredentials bool
	timingAllowed       bool
}

func (r *response) close() {
	if r != nil && r.body != nil {
		r.body.Close()
	}
}

// https://fetch.spec.whatwg.org/#redirect-status
func isRedirectStatus(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// https://fetch.spec.whatwg.org/#null-body-status
func isNullBodyStatus(status int) bool {
	switch status {
	case 101, 103, 204, 205, 304:
		return true
	}
	return false
}

// https://fetch.spec.whatwg.org/#ok-status
func isOKStatus(status int) bool { return status >= 200 && status <= 299 }
