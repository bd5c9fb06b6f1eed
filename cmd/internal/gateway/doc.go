// Package gateway is a reverse proxy whose responses keep a CORS policy.
//
//	g, err := gateway.New(gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: to}}})
//	http.ListenAndServe(":8080", g)
//
// A [Gateway] is a handler; a [Server] listens, and drains when it is told to
// end.
package gateway
