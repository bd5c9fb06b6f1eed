package caddycors_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
	"github.com/crossorigin/cors/policyfile"
)

// Inside Caddy the policy says what the decision core says, row by row.
func TestTable(t *testing.T) {
	report, err := table.Run(t.TempDir(), caddyOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range report.Wrong() {
		t.Error(o)
	}
	for _, o := range report.Announced() {
		if o.Got.Status != http.StatusBadRequest || len(o.Got.Header["Access-Control-Allow-Origin"]) > len(o.Row.Want.Header["Access-Control-Allow-Origin"]) {
			t.Errorf("%s: as was said, but otherwise than by 400", o)
		}
	}
	record := report.Record("Caddy, by the module caddy/", table.ModuleVersion("github.com/caddyserver/caddy/v2"), "run on the real engine")
	if err := record.Hold("../export/table/records/caddy-module.json", *update); err != nil {
		t.Error(err)
	}
	t.Logf("%d rows right, %d answered with 400, %d wrong", report.Right(), len(report.Announced()), len(report.Wrong()))
}

// caddyOf starts a Caddy that keeps file.
func caddyOf(dir string, file *policyfile.File) (*table.Server, error) {
	var b strings.Builder
	b.WriteString("{\n\tadmin ADMIN\n\tauto_https off\n}\nhttp://:PORT {\n\tbind 127.0.0.1\n\tcors {\n\t\tpolicy cors.yaml\n\t}\n")
	for i, r := range file.Routes {
		if r.Upstream != nil && (file.Upstream == nil || r.Upstream.Host != file.Upstream.Host) {
			fmt.Fprintf(&b, "\t@%d path %s %[2]s/*\n\thandle @%[1]d {\n\t\treverse_proxy %[3]s\n\t}\n", i, strings.TrimSuffix(r.Pattern, "/"), r.Upstream.Host)
		}
	}
	if file.Upstream != nil {
		fmt.Fprintf(&b, "\treverse_proxy %s\n", file.Upstream.Host)
	} else {
		b.WriteString("\terror 404\n")
	}
	b.WriteString("}\n")
	address := freeAddress()
	_, port, _ := strings.Cut(address, ":")
	c, err := run(dir, b.String(), map[string]string{"PORT": port}, map[string]string{"cors.yaml": string(policyfile.Format(file))})
	if err != nil {
		return nil, err
	}
	// As of cors serve.
	ambiguous := export.Finding{Field: "paths", Effect: export.Narrowed,
		Reason: "a path that servers read in two ways, which have different routes, is answered with 400"}
	return &table.Server{URL: "http://" + address, Findings: []export.Finding{ambiguous}, Close: c.close}, nil
}
