// Package traefiktest runs what is exported to Traefik on Traefik's own code: its
// decoding, its rules and its headers middleware. It is a module of its own, out
// of go.work, since Traefik requires much.
package traefiktest
