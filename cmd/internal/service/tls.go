package service

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLSFromFiles returns a configuration with the certificate and key in two PEM
// files, which are read again when they have changed. Where they then are no
// pair the one before stays, and log is told.
func TLSFromFiles(certificate, key string, log *slog.Logger) (*tls.Config, error) {
	f := &certificateFiles{certificate: certificate, key: key, log: log, now: time.Now}
	if _, err := f.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: f.get}, nil
}

type certificateFiles struct {
	certificate, key string
	log              *slog.Logger
	now              func() time.Time

	mu      sync.Mutex
	looked  time.Time
	changed [2]time.Time // of the files that pair is of, or that were no pair
	pair    *tls.Certificate
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.pair != nil && now.Sub(f.looked) < time.Second {
		return f.pair, nil
	}
	f.looked = now
	var changed [2]time.Time
	for i, name := range []string{f.certificate, f.key} {
		if info, err := os.Stat(name); err == nil {
			changed[i] = info.ModTime()
		}
	}
	if f.pair != nil && changed == f.changed {
		return f.pair, nil
	}
	f.changed = changed
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	switch {
	case err == nil:
		f.pair = &pair
	case f.pair == nil:
		return nil, fmt.Errorf("reading the certificate %q and its key %q: %w", f.certificate, f.key, err)
	default:
		f.log.Error("the certificate is refused, and the one before stays", "certificate", f.certificate, "key", f.key, "error", err.Error())
	}
	return f.pair, nil
}
