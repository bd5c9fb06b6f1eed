// Package agree holds both halves against a plain reading of the standard.
package agree
