// Package scenario plays recorded CORS scenarios.
package scenario
