// Package edge owns the CORS headers of a response that someone else wrote.
package edge
