// Package origin parses, compares and matches serialised origins.
//
//	o, err := origin.Parse("https://app.example.com")       // as it stands in an Origin header
//	p, err := origin.ParsePattern("https://*.example.com")  // as a user writes it in a policy
//	p.Match(o)                                              // true
package origin
