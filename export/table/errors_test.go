package table

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/internal/engine"
	"github.com/crossorigin/cors/policyfile"
)

// A server that gives its errors pages of its own keeps the headers of the
// request that failed, also where its path is of another route than the page's.
func TestPagesForErrorsKeepTheHeaders(t *testing.T) {
	const text = `
routes:
  /api/:
    origins: https://app.example.com
    upstream: http://127.0.0.1:1
  /errors/: off
`
	file, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		target string
		pages  string
	}{
		{"nginx", "error_page 502 /errors/502;\nlocation /errors/ { internal; default_type text/plain; return 502 \"our own page\"; }\n"},
		{"apache", "DocumentRoot DIR\nErrorDocument 503 /errors/page.txt\n"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			for _, e := range Engines {
				if e.Target != tt.target {
					continue
				}
				if err := e.Engine.Installed(); err != nil {
					t.Skip(err)
				}
				result, err := export.To(e.Target, file, export.Options{})
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				if err := os.Mkdir(filepath.Join(dir, "errors"), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "errors", "page.txt"), []byte("our own page"), 0o666); err != nil {
					t.Fatal(err)
				}
				config := e.Config(result.Files)
				config.Inside = strings.ReplaceAll(tt.pages, "DIR", dir) + config.Inside
				p, err := e.Engine.Start(dir, engine.Config{Outside: config.Outside, Inside: config.Inside})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				got, err := send(p.URL, Request{Method: http.MethodGet, Host: "service.example", Path: "/api/x", Header: fields(header.Origin, "https://app.example.com")}, 0)
				if err != nil {
					t.Fatal(err)
				}
				if got.Status/100 != 5 || strings.Join(got.Header[header.AccessControlAllowOrigin], "|") != "https://app.example.com" || strings.Join(got.Header[header.Vary], "|") != "Origin" {
					t.Errorf("%d %q, want an error that https://app.example.com may read", got.Status, got.Header)
				}
			}
		})
	}
}

// What a file may say, an engine takes: upstreams over TLS and HTTP/2, too.
func TestEnginesTakeAFileOfEveryKey(t *testing.T) {
	text, err := os.ReadFile("../testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// nginx looks its upstreams up as it starts.
	file, err := policyfile.Parse([]byte(strings.ReplaceAll(string(text), "down.example.com", "localhost")))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range Engines {
		t.Run(e.Target, func(t *testing.T) {
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			server, err := e.Start(t.TempDir(), file)
			if err != nil {
				t.Fatal(err)
			}
			server.Close()
		})
	}
}

// Without an upstream in the file, a server's own locations are as good.
func TestOwnLocationsKeepTheTable(t *testing.T) {
	for _, e := range Engines {
		if e.Target != "nginx" && e.Target != "apache" {
			continue // what is exported to the others is the whole server
		}
		t.Run(e.Target, func(t *testing.T) {
			t.Parallel()
			if err := e.Engine.Installed(); err != nil {
				t.Skip(err)
			}
			report, err := RunOn(t.TempDir(), func(dir string, file *policyfile.File) (*Server, error) {
				upstream := file.Upstream.Host
				bare := &policyfile.File{Routes: slices.Clone(file.Routes)}
				for i := range bare.Routes {
					bare.Routes[i].Upstream = nil
				}
				result, err := export.To(e.Target, bare, export.Options{})
				if err != nil {
					return nil, err
				}
				config := e.Config(result.Files)
				config.Upstream = upstream
				p, err := e.Engine.Start(dir, config)
				if err != nil {
					return nil, err
				}
				return &Server{URL: p.URL, Findings: result.Findings, Close: p.Close}, nil
			}, "credentials for some", "public", "null", "routes")
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range report.Wrong() {
				t.Error(o)
			}
			if report.Right() < 1000 {
				t.Errorf("%d rows are right: this proves little", report.Right())
			}
		})
	}
}
