package gateway

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

// LaneAnswers counts what lanes answer.
var LaneAnswers = &laneAnswers

// ParsePreflight returns what the lane makes of the head of a request: the host,
// the path, and what is decided upon.
func ParsePreflight(head string) ([]any, bool) {
	q := new(preflight)
	if !q.parse(head) {
		return nil, false
	}
	return []any{q.host, q.path, q.request()}, true
}
