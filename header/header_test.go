package header_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/header"
)

// https://fetch.spec.whatwg.org/#cors-safelisted-request-header
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte
// https://fetch.spec.whatwg.org/#simple-range-header-value
func TestIsSafelistedRequest(t *testing.T) {
	tests := []struct {
		row, name, value string
		want             bool
	}{
		{"Accept takes most bytes", "Accept", "text/html;q=0.8, */*", true},
		{"Accept takes bytes above 0x7F", "accept", "\xe9", true},
		{"Accept takes a tab", "Accept", "a\tb", true},
		{"Accept takes no other control byte", "Accept", "a\x01", false},
		{"Accept takes no DEL", "Accept", "a\x7f", false},
		{"Accept takes no quotation mark", "Accept", `"`, false},
		{"Accept takes no brace", "Accept", "{}", false},
		{"128 bytes are enough", "Accept", strings.Repeat("a", 128), true},
		{"129 bytes are too many", "Accept", strings.Repeat("a", 129), false},
		{"Accept-Language takes ranges", "accept-language", "en-GB, ja;q=0.5, *", true},
		{"Accept-Language takes no underscore", "Accept-Language", "en_GB", false},
		{"Accept-Language takes no tab", "Accept-Language", "en\tja", false},
		{"Content-Language takes a tag", "Content-Language", "ja", true},
		{"a form is safelisted", "content-type", "application/x-www-form-urlencoded", true},
		{"a form's charset does not matter", "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8", true},
		{"multipart is safelisted", "Content-Type", "multipart/form-data; boundary=x", true},
		{"text/plain is safelisted in any case", "Content-Type", "TEXT/Plain", true},
		{"a comma in a parameter does not matter", "Content-Type", "text/plain; x=,", true},
		{"a quoted parameter is unsafe", "Content-Type", `text/plain; charset="utf-8"`, false},
		{"JSON is not safelisted", "Content-Type", "application/json", false},
		{"two MIME types are none", "Content-Type", "application/json, text/plain", false},
		{"an empty Content-Type is none", "Content-Type", "", false},
		{"a range with a start", "Range", "bytes=0-", true},
		{"a range with both ends", "Range", "bytes=10-20", true},
		{"a range backwards", "Range", "bytes=20-10", false},
		{"a range beyond 64 bits", "Range", "bytes=18446744073709551616-18446744073709551617", true},
		{"leading zeros count for nothing", "Range", "bytes=010-9", false},
		{"a suffix range", "Range", "bytes=-10", false},
		{"a range in other letters", "Range", "Bytes=0-", false},
		{"a range with a space", "Range", "bytes= 0-", false},
		{"two ranges", "Range", "bytes=0-1,2-3", false},
		{"any other name", "X-A", "", false},
		{"Authorization", "Authorization", "x", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := header.IsSafelistedRequest(tt.name, tt.value); got != tt.want {
				t.Errorf("IsSafelistedRequest(%q, %q) = %t, want %t", tt.name, tt.value, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
func TestUnsafeRequestNames(t *testing.T) {
	long := strings.Repeat("a", 128)
	tests := []struct {
		row  string
		list []header.Field
		want []string
	}{
		{"nothing is nothing", nil, []string{}},
		{"names are lowered, sorted and single", []header.Field{{"X-B", ""}, {"x-a", ""}, {"X-b", ""}}, []string{"x-a", "x-b"}},
		{"safelisted names are left out", []header.Field{{"Accept", "a"}, {"X-A", ""}}, []string{"x-a"}},
		{
			"1,024 bytes of safelisted values are enough",
			[]header.Field{{"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}},
			[]string{},
		},
		{
			"one byte more makes all of them unsafe",
			[]header.Field{{"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept", long}, {"Accept-Language", "a"}},
			[]string{"accept", "accept-language"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, header.UnsafeRequestNames(tt.list)); diff != "" {
				t.Errorf("UnsafeRequestNames(%q): -want +got:\n%s", tt.list, diff)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#extract-header-list-values
// https://fetch.spec.whatwg.org/#extract-header-values
func TestLinesAreFoundInAnyCase(t *testing.T) {
	list := []header.Field{{Name: "Vary", Value: "Origin"}, {Name: "X-Vary", Value: "no"}, {Name: "vARY", Value: ""}}
	if got := header.Lines(list, "vary"); !slices.Equal(got, []string{"Origin", ""}) {
		t.Errorf("Lines = %q, want both lines of Vary in their order", got)
	}
	if got := header.Lines(list, "Via"); got != nil {
		t.Errorf("Lines of what is not there = %q, want nil", got)
	}
}

func TestIsAccessControl(t *testing.T) {
	for name, want := range map[string]bool{
		"Access-Control-Allow-Origin": true, "access-control-allow-anything": true, "ACCESS-CONTROL-": true,
		"Access-Control": false, "X-Access-Control-Allow-Origin": false, "Access_Control_Allow_Origin": false, "": false,
	} {
		if got := header.IsAccessControl(name); got != want {
			t.Errorf("IsAccessControl(%q) = %t", name, got)
		}
	}
}

func TestList(t *testing.T) {
	tests := []struct {
		row   string
		lines []string
		want  []string
		ok    bool
	}{
		{"no line is nothing", nil, nil, true},
		{"an empty line is nothing", []string{""}, nil, true},
		{"elements are trimmed", []string{" PUT ,\tPATCH"}, []string{"PUT", "PATCH"}, true},
		{"empty elements are skipped", []string{",,PUT,,", ","}, []string{"PUT"}, true},
		{"lines follow each other", []string{"PUT", "PATCH"}, []string{"PUT", "PATCH"}, true},
		{"a star is a token", []string{"*"}, []string{"*"}, true},
		{"a semicolon is none", []string{"PUT; GET"}, nil, false},
		{"a space inside is none", []string{"PUT GET"}, nil, false},
		{"a quoted name is none", []string{`"PUT"`}, nil, false},
		{"one bad line spoils all", []string{"PUT", "@"}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got, ok := header.List(tt.lines)
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
				t.Errorf("List(%q) = %q, %t, want %q, %t", tt.lines, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestVariesByOrigin(t *testing.T) {
	tests := []struct {
		row   string
		lines []string
		want  bool
	}{
		{"nothing does not vary", nil, false},
		{"another name does not", []string{"Accept-Encoding"}, false},
		{"the name among others does", []string{"Accept-Encoding,\torigin "}, true},
		{"the name on a later line does", []string{"Accept", "Origin"}, true},
		{"a star stands for everything", []string{"*"}, true},
		{"a longer name is another", []string{"Origin-Agent-Cluster"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := header.VariesByOrigin(tt.lines); got != tt.want {
				t.Errorf("VariesByOrigin(%q) = %t, want %t", tt.lines, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#header-value-get-decode-and-split
// https://fetch.spec.whatwg.org/#collect-an-http-quoted-string
func TestSplit(t *testing.T) {
	tests := []struct {
		row, value string
		want       []string
	}{
		{"the empty string is one element", "", []string{""}},
		{"a comma at the end begins an element", "nosniff,", []string{"nosniff", ""}},
		{"an open quote holds the rest", `text/html;", x/x`, []string{`text/html;", x/x`}},
		{"a quoted string stays whole", `x/x;test="hi",y/y`, []string{`x/x;test="hi"`, "y/y"}},
		{"empty elements count", "x / x,,,1", []string{"x / x", "", "", "1"}},
		{"a comma in quotes does not split", `"1,2", 3`, []string{`"1,2"`, "3"}},
		{"an escaped quote does not end", `"\",", 3`, []string{`"\","`, "3"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, header.Split(tt.value)); diff != "" {
				t.Errorf("Split(%q): -want +got:\n%s", tt.value, diff)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#forbidden-request-header
// https://fetch.spec.whatwg.org/#forbidden-method
func TestIsForbiddenRequest(t *testing.T) {
	tests := []struct {
		row, name, value string
		want             bool
	}{
		{"Cookie is the browser's", "cookie", "a=1", true},
		{"Proxy- is a forbidden beginning", "Proxy-X", "", true},
		{"Sec- is a forbidden beginning", "sEc-x", "", true},
		{"Sec alone is free", "Sec", "", false},
		{"an override to a free method", "X-HTTP-Method-Override", "PUT", false},
		{"an override to a forbidden method", "x-http-method-override", "PUT, trace", true},
		{"a quoted forbidden method is not one", "X-Method-Override", `"TRACE"`, false},
		{"User-Agent is free", "User-Agent", "x", false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			if got := header.IsForbiddenRequest(tt.name, tt.value); got != tt.want {
				t.Errorf("IsForbiddenRequest(%q, %q) = %t, want %t", tt.name, tt.value, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-method-normalize
func TestNormalizeMethod(t *testing.T) {
	for method, want := range map[string]string{"get": "GET", "Options": "OPTIONS", "patch": "patch", "eGg": "eGg"} {
		if got := header.NormalizeMethod(method); got != want {
			t.Errorf("NormalizeMethod(%q) = %q, want %q", method, got, want)
		}
	}
}

func TestMIMETypesAreParsedAndSerialised(t *testing.T) {
	tests := []struct {
		row, in, want string
	}{
		{"case is folded", "Text/HTML;Charset=UTF-8", "text/html;charset=UTF-8"},
		{"the first of equal parameters counts", "a/b;c=1;c=2", "a/b;c=1"},
		{"what needs quotes gets them", `a/b;c="x y"`, `a/b;c="x y"`},
		{"what follows a quoted value is dropped", `a/b;c="x"y;d=1`, "a/b;c=x;d=1"},
		{"a name without a value is dropped", "a/b;c;d=1", "a/b;d=1"},
		{"an empty value is dropped", "a/b;c=;d=1", "a/b;d=1"},
		{"an empty quoted value is kept", `a/b;c=""`, `a/b;c=""`},
		{"a subtype is needed", "text", ""},
		{"a space in the subtype is none", "text/ht ml", ""},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got := ""
			if m, ok := header.ParseMIMEType(tt.in); ok {
				got = m.String()
			}
			if got != tt.want {
				t.Errorf("ParseMIMEType(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
func TestExtractMIMEType(t *testing.T) {
	tests := []struct {
		row   string
		lines []string
		want  string
	}{
		{"the last one counts", []string{"text/plain", "text/html"}, "text/html"},
		{"a charset carries over within an essence", []string{"text/html;charset=gbk", "text/html;x=y"}, "text/html;x=y;charset=gbk"},
		{"and not to another", []string{"text/html;charset=gbk", "text/plain"}, "text/plain"},
		{"*/* counts for nothing", []string{"text/html", "*/*"}, "text/html"},
		{"nonsense counts for nothing", []string{"text/html", "x"}, "text/html"},
		{"nothing is nothing", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got := ""
			if m, ok := header.ExtractMIMEType(tt.lines); ok {
				got = m.String()
			}
			if got != tt.want {
				t.Errorf("ExtractMIMEType(%q) = %q, want %q", tt.lines, got, tt.want)
			}
		})
	}
}
