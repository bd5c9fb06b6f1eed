// Package header reads and judges header names and values as the Fetch Standard does.
package header
