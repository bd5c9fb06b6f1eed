package console

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/demo"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/policyfile"
)

// A site is a service behind a gateway, with its console.
type site struct {
	*Console
	gateway string // the origin at which it is
}

// sitePolicy allows what the browser's tests and pictures need; UPSTREAM and
// CONSOLE are put in.
const sitePolicy = `# Who may read the users' service.
upstream: UPSTREAM
routes:
  /:
    origins:
      - https://app.example.com
      - "https://*.example.com"
      - CONSOLE
    methods: [PUT, PATCH]
    request-headers: [Authorization, Content-Type]
    exposed-headers: X-Request-Id
    credentials: true
    max-age: 10m
  /private: off
`

// newSite serves all of it on loopback until the test ends, the console with what
// goes around it.
func newSite(t *testing.T, around ...func(http.Handler) http.Handler) *site {
	return newSiteAt(t, "0", "0", "0", around...)
}

// newSiteAt is newSite on these ports.
func newSiteAt(t *testing.T, service, gatewayPort, console string, around ...func(http.Handler) http.Handler) *site {
	t.Helper()
	listen := func(port string) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	upstream := &httptest.Server{Listener: listen(service), Config: &http.Server{Handler: demo.API()}}
	upstream.Start()
	t.Cleanup(upstream.Close)
	l, front := listen(console), listen(gatewayPort)
	var err error
	address := "localhost:" + portOf(l)
	s := &site{gateway: "http://localhost:" + portOf(front)}
	force := &inForce{}
	text := strings.NewReplacer("UPSTREAM", strings.Replace(upstream.URL, "127.0.0.1", "localhost", 1), "CONSOLE", "http://"+address).Replace(sitePolicy)
	if err := force.read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	s.Console, err = New(Options{Address: address, Gateway: s.gateway, Policy: force.policy, Apply: force.apply})
	if err != nil {
		t.Fatal(err)
	}
	force.gateway, err = gateway.New(configOf(force.now.File), gateway.Options{Observe: s.Observe})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: force.gateway}
	go server.Serve(front)
	t.Cleanup(func() { server.Close() })
	for _, wrap := range around {
		s.handler = wrap(s.handler)
	}
	s.serve(t, l)
	return s
}

// newAlone serves a console without a gateway.
func newAlone(t *testing.T, around ...func(http.Handler) http.Handler) *site {
	return newAloneAt(t, "0", around...)
}

// newAloneAt is newAlone on this port.
func newAloneAt(t *testing.T, port string, around ...func(http.Handler) http.Handler) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	if s.Console, err = New(Options{Address: "localhost:" + portOf(l)}); err != nil {
		t.Fatal(err)
	}
	for _, wrap := range around {
		s.handler = wrap(s.handler)
	}
	s.serve(t, l)
	return s
}

func (s *site) serve(t *testing.T, l net.Listener) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// inForce is a policy that is in no file.
type inForce struct {
	gateway *gateway.Gateway
	mu      sync.Mutex
	now     Policy
}

func (f *inForce) policy() Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *inForce) read(text []byte) error {
	file, err := policyfile.Parse(text)
	if err != nil {
		return err
	}
	f.now = Policy{Text: text, File: file}
	return nil
}

func (f *inForce) apply(base, text []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !bytes.Equal(base, f.now.Text) {
		return ErrChanged
	}
	file, err := policyfile.Parse(text)
	if err != nil {
		return err
	}
	if err := f.gateway.SetConfig(configOf(file)); err != nil {
		return err
	}
	f.now = Policy{Text: text, File: file}
	return nil
}

func configOf(file *policyfile.File) gateway.Config {
	c := gateway.Config{Upstream: file.Upstream, Routes: make(map[string]gateway.Route)}
	for _, r := range file.Routes {
		c.Routes[r.Pattern] = gateway.Route{Policy: r.Policy, Upstream: r.Upstream, Headers: r.UpstreamHeaders, Shadow: r.Shadow}
	}
	return c
}

// ask sends the gateway a request from a page at an origin, or the preflight of
// one, and returns the answer.
func (s *site) ask(t *testing.T, method, path, origin string, names ...string) *http.Response {
	t.Helper()
	send := method
	if method != "GET" && method != "POST" || len(names) > 0 {
		send = http.MethodOptions
	}
	r, err := http.NewRequest(send, s.gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", origin)
	if send == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", method)
		if len(names) > 0 {
			r.Header.Set("Access-Control-Request-Headers", strings.ToLower(strings.Join(names, ",")))
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// traffic has the gateway decide on what a service sees of a day.
func (s *site) traffic(t *testing.T) {
	t.Helper()
	for i := range 6 {
		s.ask(t, "GET", "/users", "https://app.example.com")
		if i < 4 {
			s.ask(t, "GET", "/users", "https://partner.example")
			s.ask(t, "DELETE", "/users/1", "https://app.example.com", "Authorization")
		}
		if i < 3 {
			s.ask(t, "PATCH", "/users/2", "https://app.example.com", "Content-Type")
		}
		if i == 4 {
			s.ask(t, "GET", "/private", "https://app.example.com")
			s.ask(t, "PUT", "/users/2", "https://app.example.com", "X-Trace")
			s.ask(t, "GET", "/users", "http://app.example.com")
		}
		s.ask(t, "PUT", "/users/1", "https://app.example.com", "Content-Type", "Authorization")
		s.ask(t, "GET", "/users/3", "https://admin.example.com")
	}
}
