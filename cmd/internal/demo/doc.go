// Package demo is what cors serve shows when it is given nothing: a small API
// that never heard of CORS, and a page of another origin that reads from it.
package demo
