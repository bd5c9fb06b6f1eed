// Package standard knows the anchors and steps of the Fetch Standard that the
// code cites, as of one dated commit: see [Fetch]. Its test holds the citations
// in the code against them, and writes docs/conformance.md.
package standard
