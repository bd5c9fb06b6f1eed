// Package intercept says when the header of a response is about to be written.
//
//	intercept.Serve(w, r, next, func(h http.Header, status int) { h.Del("Server") })
package intercept
