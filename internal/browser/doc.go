// Package browser starts a real browser on a page.
package browser
