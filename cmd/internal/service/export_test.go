package service

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// CertificateFiles is TLSFromFiles with a clock of the test's.
func CertificateFiles(certificate, key string, log *slog.Logger, now func() time.Time) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	f := &certificateFiles{certificate: certificate, key: key, log: log, now: now}
	_, err := f.get(nil)
	return f.get, err
}
