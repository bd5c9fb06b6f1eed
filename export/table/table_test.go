package table_test

import (
	"flag"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
)

func TestThereAreManyRows(t *testing.T) {
	rows, err := table.Rows()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 500 {
		t.Errorf("%d rows, want 500 at least", len(rows))
	}
	byPolicy := map[string]int{}
	for _, r := range rows {
		byPolicy[r.Policy]++
	}
	for _, p := range table.Policies {
		if byPolicy[p.Name] == 0 {
			t.Errorf("policy %q has no row", p.Name)
		}
		t.Logf("%s: %d", p.Name, byPolicy[p.Name])
	}
}

var update = flag.Bool("u", false, "rewrite the records")

func TestReference(t *testing.T) { hold(t, table.Reference) }

func TestEngines(t *testing.T) {
	for _, e := range table.Engines {
		t.Run(e.Target, func(t *testing.T) {
			t.Parallel()
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			report := hold(t, e.Start)
			record := report.Record(titleOf(e.Target), e.Engine.Version(), string(export.RunOnEngine))
			if err := record.Hold("records/"+e.Target+".json", *update); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBrowsersLearnTheSameThroughEngines(t *testing.T) {
	for _, e := range table.Engines {
		t.Run(e.Target, func(t *testing.T) {
			t.Parallel()
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			browse(t, e.Start)
		})
	}
	t.Run("workers", func(t *testing.T) {
		t.Parallel()
		program, err := table.InstallWorkerd()
		if err != nil {
			t.Skip(err)
		}
		browse(t, table.Workerd(program))
	})
}

func browse(t *testing.T, subject table.Subject) {
	t.Helper()
	visits, read, all, err := table.Browse(t.TempDir(), subject)
	if err != nil {
		t.Fatal(err)
	}
	if read < visits/10 || read > visits*9/10 {
		t.Errorf("%d of %d fetches are read: this proves little", read, visits)
	}
	announced := 0
	for _, d := range all {
		if d.Finding != nil {
			announced++
			continue
		}
		t.Error(d)
	}
	t.Logf("%d fetches, %d of them read, %d otherwise as announced, %d otherwise", visits, read, announced, len(all)-announced)
}

// hold reports every row that subject has wrong, and nothing said so.
func hold(t *testing.T, subject table.Subject) *table.Report {
	t.Helper()
	report, err := table.Run(t.TempDir(), subject)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range report.Wrong() {
		if i == 40 {
			t.Errorf("and %d more", len(report.Wrong())-i)
			break
		}
		t.Error(o)
	}
	t.Logf("%d rows right, %d as announced, %d wrong", report.Right(), len(report.Announced()), len(report.Wrong()))
	return report
}

func titleOf(target string) string {
	for _, t := range export.Targets() {
		if t.Name == target {
			return t.Title
		}
	}
	return target
}

func TestWorkerd(t *testing.T) {
	t.Parallel()
	program, err := table.InstallWorkerd()
	if err != nil {
		t.Skip(err)
	}
	record := hold(t, table.Workerd(program)).Record(titleOf("workers"), table.WorkerdVersion(), "run on the real engine, workerd")
	if err := record.Hold("records/workers.json", *update); err != nil {
		t.Error(err)
	}
}
