// Package bench measures cors beside its peers.
package bench
