// Package table holds what a server that keeps a policy must answer, as the
// decision core has it, and asks servers.
//
//	report, err := table.Run(t.TempDir(), func(dir string, file *policyfile.File) (*table.Server, error) { … })
//	for _, o := range report.Wrong() {
//		t.Error(o)
//	}
package table
