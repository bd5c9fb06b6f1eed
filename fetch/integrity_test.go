package fetch

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"
)

func TestBytesMatchIntegrity(t *testing.T) {
	const body = "alert('Hello, world.');"
	sum256, sum384, sum512 := sha256.Sum256([]byte(body)), sha512.Sum384([]byte(body)), sha512.Sum512([]byte(body))
	good256 := "sha256-" + base64.StdEncoding.EncodeToString(sum256[:])
	good384 := "sha384-" + base64.StdEncoding.EncodeToString(sum384[:])
	good512 := "sha512-" + base64.StdEncoding.EncodeToString(sum512[:])
	url512 := "sha512-" + base64.RawURLEncoding.EncodeToString(sum512[:])
	bad256, bad512 := "sha256-"+strings.Repeat("A", 43)+"=", "sha512-"+strings.Repeat("A", 86)+"=="
	for _, tt := range []struct {
		name, metadata string
		want           bool
	}{
		{"no metadata asks for nothing", "", true},
		{"white space asks for nothing", " \n", true},
		{"sha256 matches", good256, true},
		{"sha384 matches", good384, true},
		{"sha512 matches", good512, true},
		{"the alphabet of URLs, without padding, matches", url512, true},
		{"another digest does not", bad256, false},
		{"one of two of an algorithm is enough", bad256 + " " + good256, true},
		{"the strongest algorithm decides, when it fails", good256 + " " + bad512, false},
		{"and when it matches", bad256 + " " + good512 + "\t" + bad512, true},
		{"an unknown algorithm asks for nothing", "md5-AAAA", true},
		{"beside a known one it is nothing", "md5-AAAA " + bad256, false},
		{"algorithms are in lower case", "SHA256-AAAA", true},
		{"options are nothing", good256 + "?ct=text/javascript", true},
		{"a digest that is not base64 matches nothing", "sha256-!", false},
		{"an empty digest matches nothing", "sha256-", false},
		{"no dash is no metadata", "sha256", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := bytesMatchIntegrity([]byte(body), tt.metadata); got != tt.want {
				t.Errorf("bytesMatchIntegrity(%q, %q) = %t, want %t", body, tt.metadata, got, tt.want)
			}
		})
	}
}
