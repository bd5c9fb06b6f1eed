// Package routes finds what is registered for the host and path of a request.
//
//	var t routes.Table[int]
//	err := t.Add("/api/", 7)
//	r, certainty := t.Find(request.Host, request.URL) // r.Value == 7 for "/api/users"
package routes
