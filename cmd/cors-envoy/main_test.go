package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

var update = flag.Bool("u", false, "rewrite the golden parts of scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cors-envoy": main})
}

// TestScripts runs testdata/script, which reads as a manual of the command.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../cors").CombinedOutput(); err != nil {
		t.Fatalf("go build ../cors: %v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"address": freeAddress, "envoy": askAsEnvoy, "get": get, "certificates": certificates,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("PATH", env.Getenv("PATH")+string(filepath.ListSeparator)+bin)
			return nil
		},
	})
}

// freeAddress sets the variable of that name to an address where nobody listens.
func freeAddress(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], l.Addr().String())
}

// envoy [-tls CERT KEY CA] [-until PATTERN] ADDRESS METHOD URL [NAME:VALUE]...
// asks as Envoy does, and prints what becomes of a request, and of a response
// with Access-Control-Allow-Origin: *. It asks again while nobody listens, and
// until what it prints matches.
func askAsEnvoy(ts *testscript.TestScript, neg bool, args []string) {
	creds := insecure.NewCredentials()
	if args[0] == "-tls" {
		creds = clientCredentials(ts, args[1], args[2], args[3])
		args = args[4:]
	}
	until := regexp.MustCompile("")
	if args[0] == "-until" {
		until, args = regexp.MustCompile(args[1]), args[2:]
	}
	c, err := grpc.NewClient(args[0], grpc.WithTransportCredentials(creds))
	ts.Check(err)
	defer c.Close()
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		text, err = ask(ctx, extproc.NewExternalProcessorClient(c), args[1], args[2], args[3:])
		cancel()
		if neg && err != nil && !strings.Contains(err.Error(), "refused") {
			fmt.Fprintln(ts.Stdout(), err)
			return
		}
		if err == nil && !neg && until.MatchString(text) {
			fmt.Fprint(ts.Stdout(), text)
			return
		}
	}
	ts.Fatalf("%s %s was not answered as wanted: %v; at last:\n%s", args[1], args[2], err, text)
}

func ask(ctx context.Context, client extproc.ExternalProcessorClient, method, target string, headers []string) (string, error) {
	host, path, _ := strings.Cut(strings.TrimPrefix(target, "http://"), "/")
	stream, err := client.Process(ctx)
	if err != nil {
		return "", err
	}
	h := new(core.HeaderMap)
	for _, field := range append([]string{":method:" + method, ":authority:" + host, ":path:/" + path}, headers...) {
		name, value, _ := strings.Cut(strings.TrimPrefix(field, ":"), ":")
		if field[0] == ':' {
			name = ":" + name
		}
		h.Headers = append(h.Headers, &core.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(value)})
	}
	if err := stream.Send(&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: &extproc.HttpHeaders{Headers: h}}}); err != nil {
		return "", err
	}
	answer, err := stream.Recv()
	if err != nil {
		return "", err
	}
	if i := answer.GetImmediateResponse(); i != nil {
		return fmt.Sprintf("%d\n%s%s", i.Status.Code, mutation(i.Headers), i.Body), nil
	}
	h = &core.HeaderMap{Headers: []*core.HeaderValue{{Key: ":status", RawValue: []byte("200")}, {Key: "access-control-allow-origin", RawValue: []byte("*")}}}
	if err := stream.Send(&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extproc.HttpHeaders{Headers: h}}}); err != nil && err != io.EOF {
		return "", err
	}
	switch answer, err = stream.Recv(); err {
	case nil:
		return "goes on\n" + mutation(answer.GetResponseHeaders().GetResponse().GetHeaderMutation()), nil
	case io.EOF:
		return "goes on, and the response as it comes\n", nil
	}
	return "", err
}

func mutation(m *extproc.HeaderMutation) string {
	var b strings.Builder
	for _, name := range m.GetRemoveHeaders() {
		fmt.Fprintf(&b, "remove %s\n", name)
	}
	for _, h := range m.GetSetHeaders() {
		fmt.Fprintf(&b, "%s: %s\n", h.Header.Key, h.Header.RawValue)
	}
	return b.String()
}

// get [-until PATTERN] URL prints a page, once it matches.
func get(ts *testscript.TestScript, _ bool, args []string) {
	until := regexp.MustCompile("")
	if args[0] == "-until" {
		until, args = regexp.MustCompile(args[1]), args[2:]
	}
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		res, err := http.Get(args[0])
		if err != nil {
			text = err.Error()
			continue
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		ts.Check(err)
		if text = res.Status + "\n" + string(body); until.MatchString(text) {
			fmt.Fprint(ts.Stdout(), text)
			return
		}
	}
	ts.Fatalf("%s was not answered as wanted; at last:\n%s", args[0], text)
}

// certificates writes an authority, ca.pem, and two certificates by it, each with
// its key: server.pem and client.pem.
func certificates(ts *testscript.TestScript, _ bool, _ []string) {
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		return key
	}
	write := func(name, kind string, der []byte) {
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	template := func(n int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: n == 1}
	}
	ca, caKey := template(1, "ca"), newKey()
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	ts.Check(err)
	write("ca.pem", "CERTIFICATE", der)
	for i, name := range []string{"server", "client"} {
		key := newKey()
		der, err := x509.CreateCertificate(rand.Reader, template(int64(i)+2, name), ca, key.Public(), caKey)
		ts.Check(err)
		write(name+".pem", "CERTIFICATE", der)
		der, err = x509.MarshalPKCS8PrivateKey(key)
		ts.Check(err)
		write(name+"-key.pem", "PRIVATE KEY", der)
	}
}

func clientCredentials(ts *testscript.TestScript, certificate, key, ca string) credentials.TransportCredentials {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ts.ReadFile(ca)))
	config := &tls.Config{RootCAs: roots}
	if certificate != "none" {
		pair, err := tls.LoadX509KeyPair(ts.MkAbs(certificate), ts.MkAbs(key))
		ts.Check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config)
}
