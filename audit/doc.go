// Package audit asks a running server, by the requests of a browser, whether it
// keeps a CORS policy, or where no policy is known what it wrongly allows.
//
//	plan, err := audit.NewPlan(map[string]cors.Policy{"/api/": policy}, audit.Target{URL: "https://staging.example.com"})
//	report := plan.Verify(ctx, nil)
//	fmt.Println(report.Count(audit.Broken), "of", len(report.Results), "expectations are broken")
//
//	var a audit.Auditor
//	got, err := a.Audit(ctx, "https://staging.example.com/users")
//	for _, f := range got.Findings {
//		fmt.Println(f.Severity, f.Rule.ID, f.Origins[0], f.Reach)
//	}
package audit
