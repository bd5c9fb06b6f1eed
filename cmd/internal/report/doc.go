// Package report writes what the command has to say, to people and programs.
//
//	report.Exit(os.Stderr, "cors fetch", err) // cors: error: …, cors: hint: …
package report
