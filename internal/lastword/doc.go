// Package lastword lets one party have the last word on the headers of a
// response that another writes.
//
//	lastword.Serve(next, w, r, func(h http.Header) { h.Del("Server") })
package lastword
