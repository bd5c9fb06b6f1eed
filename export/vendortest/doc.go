// Package vendortest holds what package export writes against the types and the
// schemas of the vendors' own Go modules. It is a module of its own, out of
// go.work, since those bring in half of Kubernetes.
package vendortest
