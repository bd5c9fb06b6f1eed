// Package policyfile reads cors.yaml: routes, the policy of each, and the
// upstream behind it.
//
//	file, err := policyfile.Load("cors.yaml")
//	if err != nil {
//		log.Fatal(err) // cors.yaml:4:15: route "/api/": origins[0]: "https://app.example.com/": an origin has no path; …
//	}
//	routes, err := cors.NewRoutes(file.Policies())
package policyfile
