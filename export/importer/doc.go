// Package importer reads a policy out of the configuration of another server.
//
//	result, err := importer.From("traefik", data)
//	os.Stdout.Write(policyfile.Format(result.File))
//	for _, f := range result.Findings { … } // what is not in it, and what in it is unsafe
//
// What it cannot read exactly it never guesses at in silence: it takes what
// allows less, and a finding says so.
package importer
