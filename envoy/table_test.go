package envoy_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/envoy"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
	"github.com/crossorigin/cors/policyfile"
)

var update = flag.Bool("u", false, "rewrite the record")

// TestTheTable holds Envoy, as far as it is played, to what every server that
// keeps a policy must answer. It writes headers in another way from request to
// request.
func TestTheTable(t *testing.T) {
	report, err := table.Run(t.TempDir(), func(_ string, file *policyfile.File) (*table.Server, error) {
		return played(t, file)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range report.Wrong() {
		t.Error(o)
	}
	for _, o := range report.Announced() {
		if o.Finding.Field == "paths" && (o.Got.Status != http.StatusBadRequest || o.Got.Header["Access-Control-Allow-Origin"] != nil) {
			t.Errorf("%s: as was said, but otherwise than by a 400 that nobody can read", o)
		}
	}
	record := report.Record("Envoy, by the external processor envoy/", "v3", "its messages over real gRPC, by a client that plays Envoy: "+string(export.Modelled))
	if err := record.Hold("../export/table/records/envoy-processor.json", *update); err != nil {
		t.Error(err)
	}
	t.Logf("%d rows right, %d as announced, %d wrong", report.Right(), len(report.Announced()), len(report.Wrong()))
}

// TestBrowsersLearnTheSameThroughEnvoy has the browser's half fetch through Envoy,
// as far as it is played, and by the decision core.
func TestBrowsersLearnTheSameThroughEnvoy(t *testing.T) {
	visits, read, all, err := table.Browse(t.TempDir(), func(_ string, file *policyfile.File) (*table.Server, error) {
		return played(t, file)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Finding == nil {
			t.Error(d)
		}
	}
	t.Logf("%d fetches, %d of them read, %d otherwise", visits, read, len(all))
}

// played is an Envoy in front of the upstreams of file.
func played(t *testing.T, file *policyfile.File) (*table.Server, error) {
	p, err := envoy.New(file, envoy.Options{})
	if err != nil {
		return nil, err
	}
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		return nil, err
	}
	upstreams := map[string]*url.URL{"": file.Upstream}
	for _, r := range file.Routes {
		upstreams[r.Pattern] = r.Upstream
	}
	front := inFront(t, start(t, &envoy.Server{Processor: p}), nil)
	front.Upstream = func(r *http.Request) *url.URL { return upstreams[routes.DecideHTTP(r).Route] }
	ways := envoys(front)
	var asked atomic.Uint32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ways[asked.Add(1)%3].ServeHTTP(w, r)
	}))
	findings := []export.Finding{
		{Field: "paths", Effect: export.Narrowed, Reason: "a path that servers read in two ways, which have different routes, is answered with 400"},
		{Field: "lines", Effect: export.Needs, Reason: "where the upstream's headers are kept, Envoy may make one line of several; browsers refuse one as the other"},
	}
	return &table.Server{URL: s.URL, Findings: findings, Close: s.Close}, nil
}
