package table

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/internal/engine"
	"github.com/crossorigin/cors/policyfile"
)

// An Engine is a real server, with what is exported to it.
type Engine struct {
	Target string // of package export
	Engine *engine.Engine

	// Config puts the files of an export into the engine's configuration.
	Config func(files []export.File) engine.Config
}

// Engines are the real servers that policies are exported to.
var Engines = []Engine{
	{"nginx", engine.Nginx, func(files []export.File) engine.Config {
		return engine.Config{Outside: string(files[0].Data), Inside: string(files[1].Data)}
	}},
	{"haproxy", engine.HAProxy, haproxyConfig},
	{"apache", engine.Apache, func(files []export.File) engine.Config { return engine.Config{Inside: string(files[0].Data)} }},
	{"caddyfile", engine.Caddy, func(files []export.File) engine.Config {
		before, inside, _ := strings.Cut(string(files[0].Data), "\n:8080 {\n")
		return engine.Config{Outside: before, Inside: strings.TrimSuffix(inside, "}\n")}
	}},
}

// Start is a [Subject].
func (e Engine) Start(dir string, file *policyfile.File) (*Server, error) {
	findings, config, err := e.export(dir, file)
	if err != nil {
		return nil, err
	}
	p, err := e.Engine.Start(dir, config)
	if err != nil {
		return nil, err
	}
	return &Server{URL: p.URL, Findings: findings, Close: p.Close}, nil
}

// Reloading returns a [Subject] that is one process, which is started for the
// first file, and reloads for each other one; and what ends it. It keeps the last
// file alone, whatever directory it is given.
func (e Engine) Reloading(dir string) (subject Subject, end func()) {
	var p *engine.Process
	subject = func(_ string, file *policyfile.File) (*Server, error) {
		findings, config, err := e.export(dir, file)
		if err != nil {
			return nil, err
		}
		if p == nil {
			p, err = e.Engine.Start(dir, config)
		} else {
			err = p.Reload(config)
		}
		if err != nil {
			return nil, err
		}
		return &Server{URL: p.URL, Findings: findings, Close: func() {}}, nil
	}
	return subject, func() {
		if p != nil {
			p.Close()
		}
	}
}

// export exports file to e, and puts what is beside the configuration into dir.
func (e Engine) export(dir string, file *policyfile.File) ([]export.Finding, engine.Config, error) {
	result, err := export.To(e.Target, file, export.Options{})
	if err != nil {
		return nil, engine.Config{}, err
	}
	config := e.Config(result.Files)
	for _, f := range result.Files[1:] {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o666); err != nil {
			return nil, engine.Config{}, err
		}
	}
	config.Inside = strings.ReplaceAll(config.Inside, "/etc/haproxy", dir)
	return result.Findings, config, nil
}

// Reference is the subject that decides by package cors, and owns headers by
// package edge.
func Reference(_ string, file *policyfile.File) (*Server, error) {
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		return nil, err
	}
	handlers := map[string]http.Handler{"": handler(policyfile.Route{Upstream: file.Upstream}, routes)}
	for _, r := range file.Routes {
		handlers[r.Pattern] = handler(r, routes)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[routes.DecideHTTP(r).Route].ServeHTTP(w, r)
	}))
	return &Server{URL: server.URL, Close: server.Close}, nil
}

// handler serves a route.
func handler(r policyfile.Route, routes *cors.Routes) http.Handler {
	next := http.NotFoundHandler()
	if r.Upstream != nil {
		next = proxy(r.Upstream, func(w http.ResponseWriter, q *http.Request, _ error) {
			if !r.Shadow {
				routes.DecideHTTP(q).Own(w.Header())
			}
			w.WriteHeader(http.StatusBadGateway)
		})
	}
	if r.Shadow {
		return next
	}
	// What the proxy says itself is not the upstream's, whatever the mode.
	return &edge.Handler{Decide: routes.DecideHTTP, Mode: r.UpstreamHeaders, Next: next}
}

func proxy(to *url.URL, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: fail,
	}
}

// Exported returns the subject that is an engine with what is exported to it.
func Exported(target string) (Subject, error) {
	for _, e := range Engines {
		if e.Target == target {
			return e.Start, e.Engine.Installed()
		}
	}
	return nil, fmt.Errorf("%q is no engine that is run here", target)
}

// haproxyConfig takes the frontend's lines from where they are. A row whose
// upstream is not there does not wait for HAProxy to try it again.
func haproxyConfig(files []export.File) engine.Config {
	text := strings.Replace(string(files[0].Data), "\tmode http\n", "\tmode http\n\tretries 0\n", 1)
	before, rest, _ := strings.Cut(text, "frontend cors from cors\n\tbind :8080\n")
	inside, backends, ok := strings.Cut(rest, "\nbackend ")
	if ok {
		backends = "backend " + backends
	}
	return engine.Config{Outside: before + backends, Inside: inside}
}
