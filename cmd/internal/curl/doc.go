// Package curl reads a curl command, as browsers copy it from their network
// panel, as the request that a page made.
//
//	asked, err := curl.Parse(`curl 'https://api.example.com/users' -X PUT -H 'origin: https://app.example.com'`)
package curl
