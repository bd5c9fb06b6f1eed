// Package header reads and judges the names and values of HTTP headers as the
// Fetch Standard does.
//
// Strings are bytes: one byte of a Go string is one byte on the wire.
//
//	header.IsSafelistedRequest("Content-Type", "application/json") // false: needs a preflight
//	header.List([]string{"PUT, PATCH", "DELETE"})                   // [PUT PATCH DELETE], true
package header

// The headers of CORS, in the form that net/http gives to names.
const (
	Origin = "Origin"
	Vary   = "Vary"

	AccessControlRequestMethod  = "Access-Control-Request-Method"
	AccessControlRequestHeaders = "Access-Control-Request-Headers"

	AccessControlAllowOrigin      = "Access-Control-Allow-Origin"
	AccessControlAllowCredentials = "Access-Control-Allow-Credentials"
	AccessControlAllowMethods     = "Access-Control-Allow-Methods"
	AccessControlAllowHeaders     = "Access-Control-Allow-Headers"
	AccessControlExposeHeaders    = "Access-Control-Expose-Headers"
	AccessControlMaxAge           = "Access-Control-Max-Age"
)

// The headers by which Chromium once asked before a public page reached into a
// private network.
const (
	AccessControlRequestPrivateNetwork = "Access-Control-Request-Private-Network"
	AccessControlAllowPrivateNetwork   = "Access-Control-Allow-Private-Network"
)

// A Field is one header line: the name in the case in which it was written,
// and the value without the white space around it.
type Field struct {
	Name, Value string
}
