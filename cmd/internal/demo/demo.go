package demo

import (
	_ "embed"
	"net"
	"net/http"
	"strings"
	"text/template"
	"time"
)

// A Demo is an API that is being served, on loopback alone.
type Demo struct {
	Policy []byte // the cors.yaml to put in front of the API

	server *http.Server
}

//go:embed cors.yaml
var policyText string

var policyTemplate = template.Must(template.New("cors.yaml").Parse(policyText))

// Start serves the API on a port of its own. Its policy allows pages of the
// origin page, and no others.
func Start(page string) (*Demo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var policy strings.Builder
	if err := policyTemplate.Execute(&policy, map[string]string{"API": "http://" + l.Addr().String(), "Page": page}); err != nil {
		l.Close()
		return nil, err
	}
	d := &Demo{[]byte(policy.String()), &http.Server{Handler: API(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}}
	go d.server.Serve(l)
	return d, nil
}

// Close ends the API.
func (d *Demo) Close() error { return d.server.Close() }
