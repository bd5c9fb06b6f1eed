// Package stdio lets a program in any language fetch as pages of a browser do:
// one JSON object a line goes in, one a line comes out.
//
//	{"id":1,"session":"a","client":{"origin":"https://app.example.com"},"request":{"url":"https://api.example.com/"}}
//	{"id":1,"response":{"type":"cors","url":"https://api.example.com/","status":200,…}}
//
// docs/stdio.md is the protocol.
package stdio
