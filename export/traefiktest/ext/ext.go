// Package ext stands in for a module that Traefik keeps in its own tree, and that
// no proxy has: what it adds to the configuration, which is nothing.
package ext

// HTTP adds to the HTTP part.
type HTTP struct{}

// Router adds to a router.
type Router struct{}
