package cors

import (
	"context"
	"time"

	"github.com/crossorigin/cors/origin"
)

// A Policy says which origins may read responses, and what they may send and
// see. The zero Policy allows nothing.
type Policy struct {
	// Origins holds patterns as [origin.ParsePattern] reads them: an exact
	// origin, "https://*.example.com" (one or more labels),
	// "https://*-preview.example.com" (within one label), ":*" for any port,
	// "moz-extension://*" (any host of a scheme that is not HTTP), or "*".
	Origins []string

	// OriginSource is asked about origins that Origins does not hold: for
	// tenants that live in a database, or an [origin.Set] that changes while
	// it is read. Nil allows none.
	OriginSource OriginSource

	// Methods are the methods allowed beyond GET, HEAD and POST, byte for byte
	// (methods are case-sensitive). "*" allows every method.
	Methods []string

	// RequestHeaders are the request-header names allowed beyond the
	// CORS-safelisted ones, in any case. "*" allows every name except
	// Authorization, which must be listed.
	RequestHeaders []string

	// ExposedHeaders are the response-header names that a page may see beyond
	// the CORS-safelisted ones. "*" exposes every name and is refused together
	// with Credentials.
	ExposedHeaders []string

	// Credentials allows requests with cookies, HTTP authentication and TLS
	// client certificates.
	Credentials bool

	// MaxAge is how long a browser may keep the answer to a preflight, in
	// whole seconds: 0 says nothing (browsers then keep it 5 s), negative
	// sends 0, positive sends the seconds.
	MaxAge time.Duration

	// PreflightStatus is the status of a preflight that succeeds: 200 to 299;
	// 0 means 204.
	PreflightStatus int

	// RefusedStatus is the status of a preflight that is refused: 0 means 403;
	// 200 and 204 are allowed too.
	RefusedStatus int

	// PrivateNetwork answers Access-Control-Request-Private-Network, by which
	// some browsers ask before a public page reaches into a private network.
	PrivateNetwork bool

	// OverrideHandler makes this policy the only author of the CORS headers:
	// they are written when the handler writes its own headers, so that a
	// handler's Access-Control-* is overwritten, never doubled, and its Vary
	// is added to.
	OverrideHandler bool

	// InsecureAllowNull lets "null" be listed in Origins. Any page can get
	// that origin, by a sandboxed frame.
	InsecureAllowNull bool

	// InsecureAllowPublicSuffix lets a pattern span a public suffix
	// ("https://*.github.io"), where anyone can register a name.
	InsecureAllowPublicSuffix bool

	// InsecureAllowHTTP lets origins with the scheme http (other than
	// loopback hosts) be allowed together with Credentials: whoever is on the
	// visitor's network can speak as such an origin.
	InsecureAllowHTTP bool

	// InsecureReflectAnyOrigin lets "*" in Origins be combined with
	// Credentials: any page may then read what the visitor may read.
	InsecureReflectAnyOrigin bool
}

// An OriginSource reports whether o may read responses. An error refuses the
// request and reaches the observer. It must be safe for concurrent use. It is
// never asked about opaque origins, nor, together with Credentials and without
// InsecureAllowHTTP, about those with the scheme http that are not of this
// machine.
type OriginSource func(ctx context.Context, o origin.Origin) (bool, error)
