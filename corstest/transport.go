package corstest

import (
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
)

// Hosts is a web of several servers: handlers by host, with the port where it
// is not the scheme's own, as in "api.example.com" and "localhost:8080". A host
// that is not in it cannot be reached.
type Hosts map[string]http.Handler

// ServeHTTP hands the request to the handler of its host.
func (h Hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, ok := h[r.Host]
	if !ok {
		panic(noHost(fmt.Sprintf("there is no host %q in this web, only %q", r.Host, slices.Sorted(maps.Keys(h)))))
	}
	handler.ServeHTTP(w, r)
}

// noHost is how Hosts tells inProcess that there is nobody to answer.
type noHost string

func (e noHost) Error() string { return string(e) }

// inProcess is a transport that hands each request to a handler, in the form in
// which net/http's server does.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(out *http.Request) (res *http.Response, err error) {
	in := out.Clone(out.Context())
	in.RequestURI = out.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234" // a documentation address
	in.URL.Scheme, in.URL.Host, in.URL.Opaque = "", "", ""
	if out.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: out.URL.Hostname()}
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	// Browsers keep the case of names; a server canonicalises them.
	in.Header = make(http.Header, len(out.Header))
	for _, name := range slices.Sorted(maps.Keys(out.Header)) {
		key := http.CanonicalHeaderKey(name)
		in.Header[key] = append(in.Header[key], out.Header[name]...)
	}
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case noHost:
			res, err = nil, fault
		default:
			res, err = nil, fmt.Errorf("the handler panicked: %v", fault)
		}
	}()
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, in)
	res = w.Result()
	res.Request = out
	res.Header = onTheWire(res.Header)
	if out.Method == http.MethodHead || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified {
		res.Body = io.NopCloser(strings.NewReader(""))
	}
	return res, nil
}

// onTheWire is h as net/http's server would write it, and a client read it.
func onTheWire(h http.Header) http.Header {
	read := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			value = strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
			read.Add(name, textproto.TrimString(value))
		}
	}
	return read
}
