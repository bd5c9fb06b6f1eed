// Package export writes what a cors.yaml says in the language of another server,
// and tells what that language cannot say.
//
//	file, err := policyfile.Load("cors.yaml")
//	result, err := export.To("nginx", file, export.Options{})
//	for _, f := range result.Findings {
//		log.Print(f) // what nginx loses, narrows, widens, or needs a version for
//	}
package export
