package gateway

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// An Authority is where certificates are obtained by ACME. The zero value is
// Let's Encrypt.
type Authority struct {
	Directory string // URL
	Email     string // to be told of trouble with certificates; may be ""
	Roots     *x509.CertPool
	Store     string // folder; "" means that of the user
}

// TLSAutomatic returns a configuration with certificates for the names, which
// are obtained and renewed in the background. The authority asks for proof on
// port 443 of each name, which must lead to this server. By calling this the
// terms of the authority are accepted.
func TLSAutomatic(ctx context.Context, names []string, a Authority, log *slog.Logger) (*tls.Config, error) {
	store := a.Store
	if store == "" {
		folder, err := folder("certificates")
		if err != nil {
			return nil, err
		}
		store = folder
	}
	if a.Directory == "" {
		a.Directory = certmagic.LetsEncryptProductionCA
	}
	config := certmagic.Config{
		Storage: &certmagic.FileStorage{Path: store},
		Logger:  zap.NewNop(),
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			switch event {
			case "cert_obtained":
				log.Info("a certificate has been obtained", "name", data["identifier"], "renewal", data["renewal"])
			case "cert_failed":
				log.Error("no certificate could be obtained; it is tried again", "name", data["identifier"], "error", fmt.Sprint(data["error"]))
			}
			return nil
		},
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           zap.NewNop(),
	})
	context.AfterFunc(ctx, cache.Stop)
	magic = certmagic.New(cache, config)
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA:                   a.Directory,
		Email:                a.Email,
		Agreed:               true,
		TrustedRoots:         a.Roots,
		DisableHTTPChallenge: true,
		Logger:               zap.NewNop(),
	})}
	if err := magic.ManageAsync(ctx, names); err != nil {
		return nil, fmt.Errorf("obtaining certificates for %q: %w", names, err)
	}
	t := magic.TLSConfig()
	t.NextProtos = append([]string{"h2", "http/1.1"}, t.NextProtos...)
	return t, nil
}

// TLSLocal returns a configuration with a certificate for this machine's own
// names, signed by an authority that is made once and kept in folder ("" means
// that of the user), and the path of that authority's certificate, which a
// browser has to trust. It can sign for this machine's own names only.
func TLSLocal(in string) (config *tls.Config, authority string, err error) {
	if in == "" {
		if in, err = folder("local"); err != nil {
			return nil, "", err
		}
	}
	authority = filepath.Join(in, "authority.pem")
	signer, err := tls.LoadX509KeyPair(authority, filepath.Join(in, "authority-key.pem"))
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeAuthority(in); err == nil {
			signer, err = tls.LoadX509KeyPair(authority, filepath.Join(in, "authority-key.pem"))
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("local certificate: %w; remove %q, and it is made anew", err, in)
	}
	if time.Now().After(signer.Leaf.NotAfter.AddDate(0, 0, -1)) {
		return nil, "", fmt.Errorf("local certificate: the authority in %q ends on %s; remove it, and it is made anew", in, signer.Leaf.NotAfter.Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	template := certificate("cors serve", time.Now().AddDate(0, 0, 90))
	if template.NotAfter.After(signer.Leaf.NotAfter) {
		template.NotAfter = signer.Leaf.NotAfter
	}
	template.DNSNames = []string{"localhost", "*.localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Leaf, key.Public(), signer.PrivateKey)
	if err != nil {
		return nil, "", err
	}
	pair := tls.Certificate{Certificate: [][]byte{der, signer.Certificate[0]}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, authority, nil
}

func makeAuthority(in string) error {
	if err := os.MkdirAll(in, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := certificate("cors serve, local authority", time.Now().AddDate(2, 0, 0))
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	// So that whoever steals the key can pretend to be this machine, to itself.
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = []string{"localhost"}
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if err := writeKey(filepath.Join(in, "authority-key.pem"), key); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(in, "authority.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func writeKey(name string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func certificate(name string, until time.Time) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     until,
	}
}

// folder is where the user's own things of this kind are kept.
func folder(kind string) (string, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for certificates: %w", err)
	}
	return filepath.Join(config, "cors", kind), nil
}
