// Package origin parses, compares and matches serialised origins.
package origin
