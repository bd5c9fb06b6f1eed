// Package player plays Envoy: a proxy that asks an external processor what to do
// with each request and response, in the order of messages, and with the
// failings, of Envoy's filter ext_proc.
//
// It is not Envoy. What it does is read off the documentation and the source of
// the filter.
package player
