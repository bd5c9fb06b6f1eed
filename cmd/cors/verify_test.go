package main

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// TestVerifyScripts runs testdata/verify with servers to ask. In the environment
// are their addresses: KEEPING keeps the cors.yaml of the script, CARELESS is
// what people write by hand (and at PLAIN, which is a URL), HOSTILE means ill, and UPSTREAM is the URL of an
// application that knows nothing of CORS. At NOBODY nobody listens.
func TestVerifyScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/verify",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			start := func(name string, h http.Handler) *httptest.Server {
				server := httptest.NewUnstartedServer(h)
				server.EnableHTTP2 = name == "KEEPING"
				server.Config.ErrorLog = log.New(io.Discard, "", 0) // scripts that trust no certificate fill it
				server.StartTLS()
				env.Defer(server.Close)
				env.Setenv(name, server.Listener.Addr().String())
				return server
			}
			start("CARELESS", http.HandlerFunc(careless))
			start("HOSTILE", http.HandlerFunc(hostile))
			plain := httptest.NewServer(http.HandlerFunc(careless))
			env.Defer(plain.Close)
			env.Setenv("PLAIN", plain.URL)
			upstream := httptest.NewServer(http.HandlerFunc(application))
			env.Defer(upstream.Close)
			env.Setenv("UPSTREAM", upstream.URL)
			keeping, err := keeping(filepath.Join(env.WorkDir, "cors.yaml"))
			if err != nil {
				return err
			}
			server := start("KEEPING", keeping)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("NOBODY", listener.Addr().String())
			listener.Close()
			certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			path := filepath.Join(env.WorkDir, "staging.pem")
			env.Setenv("SSL_CERT_FILE", path)
			return os.WriteFile(path, certificate, 0o600)
		},
	})
}

// application knows nothing of CORS.
func application(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api":
		http.Redirect(w, r, "/api/", http.StatusMovedPermanently)
	case "/api/", "/public/":
		io.WriteString(w, "hello")
	default:
		http.NotFound(w, r)
	}
}

func keeping(path string) (http.Handler, error) {
	file, err := policyfile.Load(path)
	if err != nil {
		return http.NotFoundHandler(), nil // the script is about such a file
	}
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		return nil, err
	}
	return routes.Wrap(http.HandlerFunc(application)), nil
}

// careless has the mistakes that are made most.
func careless(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if strings.HasSuffix(origin, "example.com") {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.Header().Set("Access-Control-Max-Age", "86400")
		return
	}
	if r.URL.Path != "/api/" {
		w.Header().Del("Access-Control-Allow-Origin") // a proxy in front answers
	}
	application(w, r)
}

// hostile would like to write on the terminal: escape sequences, which end the
// connection, and what turns the direction of text.
func hostile(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/worse"):
		w.Header().Set("Access-Control-Allow-Origin", "\x1b[2J\x1b]0;owned\x07?token=secret")
	case r.URL.Query().Has("token"):
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com\u202e\xff")
	default:
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Location", "/\u202e?token=secret")
		w.WriteHeader(http.StatusFound)
	}
}

// TestTheDocumentationShowsWhatComes holds the example in docs to the golden
// output.
func TestTheDocumentationShowsWhatComes(t *testing.T) {
	golden, err := os.ReadFile("testdata/verify/broken.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"verify.md", "verify.ja.md"} {
		page, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		_, shown, ok := strings.Cut(string(page), "\n$ cors verify --quiet cors.yaml https://staging.example.com\n")
		shown, _, _ = strings.Cut(shown, "\n```")
		if !ok {
			t.Errorf("docs/%s shows no example", name)
		}
		for line := range strings.Lines(shown + "\n") {
			if line != "  …\n" && !strings.Contains(string(golden), line) {
				t.Errorf("docs/%s shows what does not come: %s", name, line)
			}
		}
	}
}
