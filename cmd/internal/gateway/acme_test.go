package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/gateway"
)

// An authority issues certificates by ACME to whoever proves at address that a
// name is theirs (TLS-ALPN-01).
//
// https://www.rfc-editor.org/rfc/rfc8555, https://www.rfc-editor.org/rfc/rfc8737
type authority struct {
	t       *testing.T
	url     string
	address chan string // of the server that is asked for proof
	key     *ecdsa.PrivateKey
	root    *x509.Certificate

	name   string
	proven atomic.Bool
	issued atomic.Pointer[[]byte] // PEM
}

func newAuthority(t *testing.T) (a *authority, roots *x509.CertPool) {
	a = &authority{t: t, address: make(chan string, 1)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a.key = key
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/directory", a.directory)
	mux.HandleFunc("/nonce", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/account", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", a.url+"/account/1")
		a.say(w, http.StatusCreated, map[string]any{"status": "valid"})
	})
	mux.HandleFunc("/order", a.order)
	mux.HandleFunc("/order/1", func(w http.ResponseWriter, r *http.Request) { a.say(w, 200, a.orderNow()) })
	mux.HandleFunc("/authorization/1", func(w http.ResponseWriter, r *http.Request) {
		a.say(w, 200, map[string]any{"status": a.status(), "identifier": map[string]string{"type": "dns", "value": a.name}, "challenges": []any{a.challengeNow()}})
	})
	mux.HandleFunc("/challenge/1", a.challenge)
	mux.HandleFunc("/finalize/1", a.finalize)
	mux.HandleFunc("/certificate/1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(*a.issued.Load())
	})
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Replay-Nonce", rand.Text())
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	a.url = s.URL
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return a, roots
}

func (a *authority) say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// payload is what a request says; who says it is not looked at.
func (a *authority) payload(r *http.Request, v any) {
	var signed struct{ Payload string }
	if err := json.NewDecoder(r.Body).Decode(&signed); err != nil {
		a.t.Error(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(signed.Payload)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		a.t.Error(err)
	}
}

func (a *authority) directory(w http.ResponseWriter, _ *http.Request) {
	a.say(w, 200, map[string]string{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order"})
}

func (a *authority) order(w http.ResponseWriter, r *http.Request) {
	var order struct{ Identifiers []struct{ Value string } }
	a.payload(r, &order)
	a.name = order.Identifiers[0].Value
	w.Header().Set("Location", a.url+"/order/1")
	a.say(w, http.StatusCreated, a.orderNow())
}

func (a *authority) status() string {
	if a.proven.Load() {
		return "valid"
	}
	return "pending"
}

func (a *authority) orderNow() map[string]any {
	status := "pending"
	switch {
	case a.issued.Load() != nil:
		status = "valid"
	case a.proven.Load():
		status = "ready"
	}
	return map[string]any{"status": status, "identifiers": []any{map[string]string{"type": "dns", "value": a.name}},
		"authorizations": []string{a.url + "/authorization/1"}, "finalize": a.url + "/finalize/1", "certificate": a.url + "/certificate/1"}
}

func (a *authority) challengeNow() map[string]any {
	return map[string]any{"type": "tls-alpn-01", "url": a.url + "/challenge/1", "token": "token", "status": a.status()}
}

// challenge asks the server for proof.
func (a *authority) challenge(w http.ResponseWriter, r *http.Request) {
	address := <-a.address
	a.address <- address
	c, err := tls.Dial("tcp", address, &tls.Config{ServerName: a.name, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		a.t.Errorf("the server gives no proof: %v", err)
	} else {
		defer c.Close()
		for _, e := range c.ConnectionState().PeerCertificates[0].Extensions {
			if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && c.ConnectionState().NegotiatedProtocol == "acme-tls/1" {
				a.proven.Store(true)
			}
		}
	}
	a.say(w, 200, a.challengeNow())
}

func (a *authority) finalize(w http.ResponseWriter, r *http.Request) {
	var request struct{ CSR string }
	a.payload(r, &request)
	der, err := base64.RawURLEncoding.DecodeString(request.CSR)
	if err != nil {
		a.t.Error(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		a.t.Error(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leaf, err := x509.CreateCertificate(rand.Reader, template, a.root, csr.PublicKey, a.key)
	if err != nil {
		a.t.Error(err)
	}
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})...)
	a.issued.Store(&chain)
	w.Header().Set("Location", a.url+"/order/1")
	a.say(w, 200, a.orderNow())
}

func TestACertificateIsObtained(t *testing.T) {
	a, roots := newAuthority(t)
	log := new(lines)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config, err := gateway.TLSAutomatic(ctx, []string{"api.example.com"}, gateway.Authority{Directory: a.url + "/directory", Roots: roots, Store: t.TempDir()}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	to, _ := start(t, &gateway.Server{TLS: config, Handler: newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}, gateway.Options{})})
	a.address <- to.Host
	log.await(t, "a certificate has been obtained")

	trusted := x509.NewCertPool()
	trusted.AddCert(a.root)
	client := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "api.example.com"}, ForceAttemptHTTP2: true}
	defer client.CloseIdleConnections()
	res, err := client.RoundTrip(request(t, "GET", to, nil, "Origin", app))
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		// It has been obtained, and is yet to be put where connections look for it.
		res, err = client.RoundTrip(request(t, "GET", to, nil, "Origin", app))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if allow := res.Header.Get("Access-Control-Allow-Origin"); res.Proto != "HTTP/2.0" || allow != app {
		t.Errorf("%s, Access-Control-Allow-Origin %q", res.Proto, allow)
	}
}
