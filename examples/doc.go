// Package examples holds one program per framework, each with a test that a
// browser on another origin can use it and a third cannot.
package examples
