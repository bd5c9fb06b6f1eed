package fetch

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
)

// bytesMatchIntegrity reports whether body has one of the digests in metadata,
// of the strongest algorithm that it names. Metadata without a known algorithm
// asks for nothing.
//
// https://w3c.github.io/webappsec-subresource-integrity/#does-response-match-metadatalist
func bytesMatchIntegrity(body []byte, metadata string) bool {
	digests := strongestIntegrity(metadata)
	if len(digests) == 0 {
		return true
	}
	for _, d := range digests {
		if d.matches(body) {
			return true
		}
	}
	return false
}

type integrityDigest struct {
	algorithm integrityAlgorithm
	value     string
}

// The algorithms in the order of their strength.
type integrityAlgorithm int

const (
	integritySHA256 integrityAlgorithm = iota + 1
	integritySHA384
	integritySHA512
)

// strongestIntegrity parses metadata and returns what is of the strongest
// algorithm in it.
//
// https://w3c.github.io/webappsec-subresource-integrity/#parse-metadata
// https://w3c.github.io/webappsec-subresource-integrity/#get-the-strongest-metadata
func strongestIntegrity(metadata string) []integrityDigest {
	var strongest []integrityDigest
	for item := range strings.FieldsFuncSeq(metadata, isASCIIWhitespace) {
		expression, _, _ := strings.Cut(item, "?") // options, of which none is defined
		name, value, ok := strings.Cut(expression, "-")
		d := integrityDigest{integrityAlgorithms[name], value}
		if !ok || d.algorithm == 0 {
			continue
		}
		if len(strongest) > 0 && d.algorithm != strongest[0].algorithm {
			if d.algorithm < strongest[0].algorithm {
				continue
			}
			strongest = strongest[:0]
		}
		strongest = append(strongest, d)
	}
	return strongest
}

var integrityAlgorithms = map[string]integrityAlgorithm{
	"sha256": integritySHA256,
	"sha384": integritySHA384,
	"sha512": integritySHA512,
}

func isASCIIWhitespace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\f' || r == '\r'
}

// matches compares digests, not their base64: both alphabets are written.
func (d integrityDigest) matches(body []byte) bool {
	value := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(d.value, "="))
	want, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return false
	}
	switch d.algorithm {
	case integritySHA256:
		got := sha256.Sum256(body)
		return string(got[:]) == string(want)
	case integritySHA384:
		got := sha512.Sum384(body)
		return string(got[:]) == string(want)
	}
	got := sha512.Sum512(body)
	return string(got[:]) == string(want)
}
