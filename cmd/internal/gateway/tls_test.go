package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/gateway"
)

func TestTheLocalCertificateIsForThisMachineOnly(t *testing.T) {
	in := filepath.Join(t.TempDir(), "local")
	config, authority, err := gateway.TLSLocal(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", authority)
	}
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "app.localhost", "127.0.0.1", "[::1]"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if info, err := os.Stat(filepath.Join(in, "authority-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has the mode %v, %v, want 0600", info.Mode(), err)
	}

	// Whoever has the key signs for another name.
	signer, err := tls.LoadX509KeyPair(authority, filepath.Join(in, "authority-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	stolen := issue(t, "bank.example", signer.Leaf, signer.PrivateKey)
	if _, err := stolen.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "bank.example"}); err == nil {
		t.Error("the authority can sign for bank.example")
	}

	again, _, err := gateway.TLSLocal(in)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err = x509.ParseCertificate(again.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
		t.Errorf("the second start has another authority: %v", err)
	}
}

// issue returns a certificate for name, by itself where parent is nil.
func issue(t *testing.T, name string, parent *x509.Certificate, key any) tls.Certificate {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if parent == nil {
		parent, key = template, own
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, own.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own, Leaf: leaf}
}
