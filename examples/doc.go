// Package examples holds one program per framework.
package examples
