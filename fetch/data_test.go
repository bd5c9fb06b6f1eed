package fetch

import (
	"encoding/base64"
	"strings"
	"testing"
)

// https://fetch.spec.whatwg.org/#data-url-processor
func TestParseDataURL(t *testing.T) {
	for _, tt := range []struct{ name, url, mime, body string }{
		{"text has a default type", "data:,hello", "text/plain;charset=US-ASCII", "hello"},
		{"a type may be given", "data:text/html,<p>", "text/html", "<p>"},
		{"parameters alone are of text/plain", "data:;charset=utf-8,x", "text/plain;charset=utf-8", "x"},
		{"a type that does not parse is the default", "data:nonsense,x", "text/plain;charset=US-ASCII", "x"},
		{"the type is in lower case", "data:IMAGE/GIF;X=Y,", "image/gif;x=Y", ""},
		{"the content is percent-decoded", "data:,%41%zz%", "text/plain;charset=US-ASCII", "A%zz%"},
		{"what is not ASCII is UTF-8", "data:,\u00e9", "text/plain;charset=US-ASCII", "\u00e9"},
		{"a query is content", "data:,a?b=c,d", "text/plain;charset=US-ASCII", "a?b=c,d"},
		{"a fragment is not", "data:,a#b", "text/plain;charset=US-ASCII", "a"},
		{"base64 is decoded", "data:;base64,aGVsbG8=", "text/plain;charset=US-ASCII", "hello"},
		{"base64 needs no padding", "data:;base64,aGVsbG8", "text/plain;charset=US-ASCII", "hello"},
		{"base64 may have spaces in it, and be percent-encoded", "data:;base64,aGVs%62G8%20%3D", "text/plain;charset=US-ASCII", "hello"},
		{"base64 may leave bits over", "data:;base64,YR", "text/plain;charset=US-ASCII", "a"},
		{"the word may be in upper case, after spaces", "data:text/plain;  BASE64,YQ", "text/plain", "a"},
		{"the word must be the last", "data:;base64;charset=x,YQ", "text/plain;charset=x", "YQ"},
		{"the word needs its semicolon", "data:base64,YQ", "text/plain;charset=US-ASCII", "YQ"},
		{"another word before it is a parameter", "data:text/plain;x=y;base64,YQ", "text/plain;x=y", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mime, body, err := parseDataURL(mustParse(t, tt.url))
			if err != nil || mime.String() != tt.mime || string(body) != tt.body {
				t.Errorf("parseDataURL(%q) = %q, %q, %v, want %q, %q", tt.url, mime, body, err, tt.mime, tt.body)
			}
		})
	}
}

func TestParseDataURLRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		want      error
	}{
		{"no comma", "data:text/plain", errDataComma},
		{"a comma in the fragment", "data:text/plain#,", errDataComma},
		{"one letter too many", "data:;base64,aGVsb", errDataBase64},
		{"padding where none belongs", "data:;base64,YQ=", errDataBase64},
		{"three padding signs", "data:;base64,Y===", errDataBase64},
		{"letters of the other alphabet", "data:;base64,-_-_", errDataBase64},
		{"a letter after the padding", "data:;base64,YQ==YQ==", errDataBase64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if mime, body, err := parseDataURL(mustParse(t, tt.url)); err != tt.want {
				t.Errorf("parseDataURL(%q) = %q, %q, %v, want %v", tt.url, mime, body, err, tt.want)
			}
		})
	}
}

// Of a data: URL that says base64, the content is what encoding/base64 reads
// once the spaces and the padding are away.
//
// https://fetch.spec.whatwg.org/#data-url-processor
func FuzzDataURL(f *testing.F) {
	f.Add("data:;base64,aGVsbG8=")
	f.Add("data:text/plain; charset=utf-8;base64,%61%20\u00e9")
	f.Add("data:\";base64,\",a")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s, nil)
		if err != nil || u.scheme != "data" {
			return
		}
		mime, body, err := parseDataURL(u)
		if err != nil {
			return
		}
		head, content, _ := strings.Cut(strings.TrimPrefix(u.withoutFragment(), "data:"), ",")
		want := percentDecode(content)
		head = strings.ToLower(strings.Trim(head, " "))
		if before, ok := strings.CutSuffix(head, "base64"); ok && strings.HasSuffix(strings.TrimRight(before, " "), ";") {
			plain := strings.TrimRight(strings.Join(strings.FieldsFunc(string(want), isASCIIWhitespace), ""), "=")
			if want, err = base64.RawStdEncoding.DecodeString(plain); err != nil {
				t.Fatalf("%q is read as %q, though its base64 is none: %v", s, body, err)
			}
		}
		if string(body) != string(want) {
			t.Errorf("%q is read as %q, want %q", s, body, want)
		}
		if mime.Type == "" || mime.Subtype == "" {
			t.Errorf("%q has the type %q", s, mime)
		}
	})
}
