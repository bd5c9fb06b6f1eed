// Package edge owns the CORS headers of a response that someone else wrote.
//
// A proxy calls [Own] on each response before it passes it on; a server that
// has a handler to wrap uses [Handler]:
//
//	mw, err := cors.New(policy)
//	http.ListenAndServe(":8080", &edge.Handler{Decide: mw.DecideHTTP, Next: proxy})
package edge
