package main

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// startAPI sets $API to the origin of a server of another site, for the page
// https://app.example.com. Over TLS, and HTTP/2 where that is wanted, its
// certificate is in ca.pem.
func startAPI(ts *testscript.TestScript, neg bool, args []string) {
	over := strings.Join(args, " ")
	server := httptest.NewUnstartedServer(http.HandlerFunc(serveAPI))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	switch {
	case neg:
		ts.Fatalf("usage: api [tls | h2]")
	case over == "":
		server.Start()
	case over == "tls", over == "h2":
		server.EnableHTTP2 = over == "h2"
		server.StartTLS()
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), ca, 0o666))
	default:
		ts.Fatalf("usage: api [tls | h2]")
	}
	ts.Defer(server.Close)
	ts.Setenv("API", server.URL)
}

func serveAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Date"] = nil
	allow := func() {
		h.Set("Access-Control-Allow-Origin", "https://app.example.com")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "PUT")
		h.Set("Access-Control-Allow-Headers", "content-type, authorization")
	}
	if r.Method == http.MethodOptions {
		if r.URL.Path != "/open" {
			allow()
		}
		return
	}
	switch r.URL.Path {
	case "/users":
		allow()
		h.Set("X-Request-Id", "7")
		body, _ := io.ReadAll(r.Body)
		h.Set("X-Protocol", r.Proto)
		fmt.Fprintf(w, "%s by %s, cookie %q, body %q\n", r.Method, r.Header.Get("Origin"), r.Header.Get("Cookie"), body)
	case "/private":
		fmt.Fprintln(w, "secret")
	case "/missing":
		allow()
		http.Error(w, "no such user", http.StatusNotFound)
	case "/large":
		allow()
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, strings.Repeat("a", 100_000))
		z.Close()
	case "/there":
		allow()
		http.Redirect(w, r, "/users", http.StatusFound)
	case "/hostile":
		allow()
		h["X-Colour"] = []string{"\x1b[31mred\xff"}
		h["Access-Control-Expose-Headers"] = []string{"x-colour"}
		fmt.Fprintln(w, "hello")
	}
}
