// Package fetch is the browser's half of CORS: the Fetch Standard as a client.
package fetch
