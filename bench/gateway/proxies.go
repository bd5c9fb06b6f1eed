package main

import (
	"bytes"
	"embed"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"text/template"

	"github.com/rs/cors"

	"github.com/crossorigin/cors/bench/internal/rig"
)

// A proxy is one way to put the policy in front of the upstream.
type proxy struct {
	name    string
	program string // that must be installed; "" where Go builds it
	command func(b builder, listen string) ([]string, error)
}

// nginx is first: the others are told as ratios to it.
var proxies = []proxy{
	{"nginx", "nginx", func(b builder, listen string) ([]string, error) {
		path, err := b.config("nginx.conf", listen)
		return []string{"nginx", "-p", b.dir, "-c", path}, err
	}},
	{"**cors serve**", "", func(b builder, listen string) ([]string, error) {
		program, err := rig.Program(*program, b.dir, "./cmd/cors")
		if err != nil {
			return nil, err
		}
		path, err := b.config("cors.yaml", listen)
		return []string{program, "serve", "--listen", listen, "--policy", path}, err
	}},
	{"HAProxy", "haproxy", func(b builder, listen string) ([]string, error) {
		path, err := b.config("haproxy.cfg", listen)
		return []string{"haproxy", "-f", path}, err
	}},
	{"Caddy", "caddy", func(b builder, listen string) ([]string, error) {
		path, err := b.config("Caddyfile", listen)
		return []string{"env", "XDG_CONFIG_HOME=" + b.dir, "XDG_DATA_HOME=" + b.dir, "caddy", "run", "--adapter", "caddyfile", "--config", path}, err
	}},
	{"ReverseProxy in rs/cors", "", func(b builder, listen string) ([]string, error) {
		program, err := os.Executable()
		return []string{program, "plain", listen}, err
	}},
}

//go:embed nginx.conf upstream.conf cors.yaml haproxy.cfg Caddyfile
var configs embed.FS

// config fills in the addresses and returns the path of the file.
func (b builder) config(name, listen string) (string, error) {
	t, err := template.ParseFS(configs, name)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, map[string]string{"Dir": b.dir, "Listen": listen, "Upstream": upstream, "Down": down}); err != nil {
		return "", err
	}
	return b.path(name), os.WriteFile(b.path(name), text.Bytes(), 0o600)
}

// servePlain is what one writes with the standard library and rs/cors.
func servePlain(listen string) {
	to := &url.URL{Scheme: "http", Host: upstream}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: transport,
		ModifyResponse: func(res *http.Response) error {
			for name := range res.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					res.Header.Del(name)
				}
			}
			return nil
		},
	}
	toDown := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: down})
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.Handle("/down/", toDown)
	policy := cors.New(cors.Options{
		AllowedOrigins:   []string{goodOrigin},
		AllowedMethods:   []string{"GET", "HEAD", "POST", "PUT"},
		AllowedHeaders:   []string{"Authorization", "Content-Type"},
		ExposedHeaders:   []string{"X-Request-Id"},
		AllowCredentials: true,
		MaxAge:           600,
	})
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, policy.Handler(mux)))
}
