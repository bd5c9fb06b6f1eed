package service_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/service"
)

func TestCertificatesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, "first.example", certificate, key)
	now := time.Now()
	log := new(strings.Builder)
	get, err := service.CertificateFiles(certificate, key, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		t.Helper()
		c, err := get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.Subject.CommonName
	}
	later := now
	change := func() { // as time goes by, also for the file system
		now, later = now.Add(2*time.Second), later.Add(time.Hour)
		for _, f := range []string{certificate, key} {
			if err := os.Chtimes(f, later, later); err != nil {
				t.Fatal(err)
			}
		}
	}
	writePair(t, "second.example", certificate, key)
	change()
	if got := name(); got != "second.example" {
		t.Errorf("after a change the certificate is for %s", got)
	}
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	change()
	if got := name(); got != "second.example" || !strings.Contains(log.String(), "the certificate is refused") {
		t.Errorf("after a broken change the certificate is for %s, and the log says %q", got, log.String())
	}
}

func TestACertificateThatIsNoneIsRefused(t *testing.T) {
	if _, err := service.TLSFromFiles("no-such-file", "nor-this", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), `"no-such-file"`) {
		t.Errorf("got %v, want an error with the name", err)
	}
}

// writePair writes a certificate for name, by itself, and its key.
func writePair(t *testing.T, name, certificate, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	leaf, err := x509.CreateCertificate(rand.Reader, template, template, own.Public(), own)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: leaf}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
