// Package audit asks a running server whether it keeps a CORS policy, by the
// requests of a browser.
//
//	plan, err := audit.NewPlan(map[string]cors.Policy{"/api/": policy}, audit.Target{URL: "https://staging.example.com"})
//	report := plan.Verify(ctx, nil)
//	fmt.Println(report.Count(audit.Broken), "of", len(report.Results), "expectations are broken")
//
// To a server whose policy is not known it has no questions yet.
package audit
