// Package standard knows the anchors and steps of the Fetch Standard that the code cites.
package standard
