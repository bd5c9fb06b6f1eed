// Package cors is the server's half of CORS: from a [Policy] and a request it
// decides which response headers let a browser hand the response to a page of
// another origin.
package cors
