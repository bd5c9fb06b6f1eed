package traefiktest_test

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/headers"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/export/table"
	"github.com/crossorigin/cors/policyfile"
)

var update = flag.Bool("u", false, "rewrite the record")

// Each row of the table is right, or was announced, or is other than it must be in
// what no page and no cache can tell: headers without Access-Control-Allow-Origin,
// and what the answer to a preflight says beyond what was asked.
func TestTable(t *testing.T) {
	report, err := table.Run(t.TempDir(), traefik)
	if err != nil {
		t.Fatal(err)
	}
	unseen := 0
	for _, o := range report.Wrong() {
		if !o.Seen() {
			unseen++
			continue
		}
		t.Error(o)
	}
	record := report.Record("Traefik", table.ModuleVersion("github.com/traefik/traefik/v3"), string(export.RunOnCode))
	if err := record.Hold("../table/records/traefik.json", *update); err != nil {
		t.Error(err)
	}
	t.Logf("%d rows right, %d as announced, %d otherwise in what no page sees", report.Right(), len(report.Announced()), unseen)
}

// traefik starts what Traefik would be with the export of f.
func traefik(dir string, f *policyfile.File) (*table.Server, error) {
	result, err := exported(f)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, result.Files[0].Name)
	if err := os.WriteFile(path, result.Files[0].Data, 0o666); err != nil {
		return nil, err
	}
	config := new(dynamic.Configuration)
	if err := file.Decode(path, config); err != nil {
		return nil, err
	}
	handler, err := handlerOf(config.HTTP)
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(handler)
	return &table.Server{URL: server.URL, Findings: result.Findings, Close: server.Close}, nil
}

// exported is f in the language of Traefik, with all widenings that it says.
func exported(f *policyfile.File) (*export.Result, error) {
	result, err := export.To("traefik", f, export.Options{})
	var widening *export.WideningError
	if !errors.As(err, &widening) {
		return result, err
	}
	var o export.Options
	for _, finding := range widening.Findings {
		o.AllowWidening = append(o.AllowWidening, finding.Field)
	}
	return export.To("traefik", f, o)
}

// handlerOf puts Traefik's rules, middlewares and a proxy together.
func handlerOf(config *dynamic.HTTPConfiguration) (http.Handler, error) {
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		return nil, err
	}
	m := muxer.NewMuxer(parser, nil)
	for _, router := range config.Routers {
		to, err := url.Parse(config.Services[router.Service].LoadBalancer.Servers[0].URL)
		if err != nil {
			return nil, err
		}
		handler := proxy(to)
		for _, name := range router.Middlewares {
			if handler, err = headers.New(context.Background(), handler, *config.Middlewares[name].Headers, name); err != nil {
				return nil, err
			}
		}
		if err := m.AddRoute(router.Rule, "default", router.Priority, "", handler); err != nil {
			return nil, err
		}
	}
	// The rules find the host where the entry point leaves it.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requestdecorator.New(nil).ServeHTTP(w, r, m.ServeHTTP)
	}), nil
}

func proxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}
