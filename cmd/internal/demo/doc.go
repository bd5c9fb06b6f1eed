// Package demo is what cors serve is in front of when it is given nothing: a
// small API that never heard of CORS, and a policy for it.
package demo
