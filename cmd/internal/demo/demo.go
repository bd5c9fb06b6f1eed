package demo

import (
	_ "embed"
	"net"
	"net/http"
	"strings"
	"text/template"
	"time"
)

// A Demo is an API and a page that are being served, on loopback alone.
type Demo struct {
	Policy []byte // the cors.yaml to put in front of the API
	Page   string // the origin of the page, which the policy allows
	Other  string // the same page by an address that is another origin

	*decisions
	servers []*http.Server
}

//go:embed cors.yaml
var policyText string

var policyTemplate = template.Must(template.New("cors.yaml").Parse(policyText))

// Start serves the API on a port of its own, and the page on l. Gateway is the
// origin at which the gateway is to be reached.
func Start(l net.Listener, gateway string) (*Demo, error) {
	d, err := startAPI(l.Addr())
	if err != nil {
		return nil, err
	}
	d.serve(l, newPage(d, gateway))
	return d, nil
}

// startAPI is Start without the page, which will be at address.
func startAPI(address net.Addr) (*Demo, error) {
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return nil, err
	}
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &Demo{Page: "http://localhost:" + port, Other: "http://127.0.0.1:" + port, decisions: newDecisions()}
	var policy strings.Builder
	if err := policyTemplate.Execute(&policy, map[string]string{"API": "http://" + api.Addr().String(), "Page": d.Page}); err != nil {
		api.Close()
		return nil, err
	}
	d.Policy = []byte(policy.String())
	d.serve(api, API())
	return d, nil
}

func (d *Demo) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	d.servers = append(d.servers, s)
	go s.Serve(l)
}

// Close ends the API and the page.
func (d *Demo) Close() error {
	for _, s := range d.servers {
		s.Close()
	}
	return nil
}
