package fetch

import (
	"strings"
	"testing"

	"github.com/crossorigin/cors/header"
	"github.com/google/go-cmp/cmp"
)

// https://fetch.spec.whatwg.org/#concept-headers-append
// https://fetch.spec.whatwg.org/#dom-headers-set
// https://fetch.spec.whatwg.org/#dom-headers-delete
// https://fetch.spec.whatwg.org/#headers-validate
// https://fetch.spec.whatwg.org/#concept-headers-remove-privileged-no-cors-request-headers
// https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header
// https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header-name
// https://fetch.spec.whatwg.org/#privileged-no-cors-request-header-name
// https://fetch.spec.whatwg.org/#concept-header-list-append
// https://fetch.spec.whatwg.org/#concept-header-list-set
// https://fetch.spec.whatwg.org/#concept-header-list-delete
// https://fetch.spec.whatwg.org/#concept-header-value-normalize
func TestHeaders(t *testing.T) {
	type step struct{ do, name, value string }
	long := strings.Repeat("a", 100)
	for _, tt := range []struct {
		name  string
		guard Guard
		start []header.Field // put there by the browser, past the guard
		steps []step
		want  []header.Field
	}{
		{"an author header is taken", GuardRequest, nil, []step{{"append", "X-A", "1"}}, headerList("X-A", "1")},
		{"white space around the value goes", GuardRequest, nil, []step{{"append", "X-A", " \t1\r\n"}}, headerList("X-A", "1")},
		{"a second line takes the case of the first", GuardRequest, nil, []step{{"append", "X-A", "1"}, {"append", "x-a", "2"}}, headerList("X-A", "1", "X-A", "2")},
		{"set keeps the place of the first and drops the others", GuardRequest, headerList("a", "1", "b", "2", "A", "3"), []step{{"set", "A", "4"}}, headerList("a", "4", "b", "2")},
		{"set adds what is not there", GuardRequest, headerList("a", "1"), []step{{"set", "B", "2"}}, headerList("a", "1", "B", "2")},
		{"delete takes all lines", GuardRequest, headerList("a", "1", "b", "2", "A", "3"), []step{{"delete", "a", ""}}, headerList("b", "2")},
		{"a forbidden name is not taken", GuardRequest, nil, []step{{"append", "Cookie", "a=1"}, {"append", "Sec-X", "1"}, {"set", "Origin", "x"}}, nil},
		{"a forbidden name is not deleted", GuardRequest, headerList("Cookie", "a=1"), []step{{"delete", "cookie", ""}}, headerList("Cookie", "a=1")},
		{"a method in disguise is not taken", GuardRequest, nil, []step{{"append", "X-HTTP-Method", "GET, trace"}}, nil},
		{"another method is", GuardRequest, nil, []step{{"append", "X-HTTP-Method", "PUT"}}, headerList("X-HTTP-Method", "PUT")},
		{"Range is taken", GuardRequest, nil, []step{{"append", "Range", "bytes=0-"}}, headerList("Range", "bytes=0-")},
		{"what is no name is not taken", GuardRequest, nil, []step{{"append", "a b", "1"}, {"append", "", "1"}}, nil},
		{"what is no value is not taken", GuardRequest, nil, []step{{"append", "a", "1\n2"}, {"set", "a", "\x00"}}, nil},

		{"no-cors takes what is safelisted", GuardRequestNoCORS, nil, []step{{"append", "Accept", "*/*"}, {"set", "Content-Type", "text/plain"}}, headerList("Accept", "*/*", "Content-Type", "text/plain")},
		{"no-cors does not take an author header", GuardRequestNoCORS, nil, []step{{"append", "X-A", "1"}, {"set", "X-A", "1"}}, nil},
		{"nor a type that needs a preflight", GuardRequestNoCORS, nil, []step{{"append", "Content-Type", "application/json"}}, nil},
		{"nor a value that is too long only together with the one before", GuardRequestNoCORS, nil, []step{{"append", "Accept", long}, {"append", "accept", long}}, headerList("Accept", long)},
		{"set looks at the new value alone", GuardRequestNoCORS, nil, []step{{"append", "Accept", long}, {"set", "accept", long + "b"}}, headerList("Accept", long+"b")},
		{"no-cors does not take Range from a script", GuardRequestNoCORS, nil, []step{{"append", "Range", "bytes=0-"}}, nil},
		{"a change takes Range away", GuardRequestNoCORS, headerList("Range", "bytes=0-"), []step{{"append", "Accept", "*/*"}}, headerList("Accept", "*/*")},
		{"a change that is refused does not", GuardRequestNoCORS, headerList("Range", "bytes=0-"), []step{{"append", "X-A", "1"}}, headerList("Range", "bytes=0-")},
		{"deleting what is not there does not", GuardRequestNoCORS, headerList("Range", "bytes=0-"), []step{{"delete", "Accept", ""}}, headerList("Range", "bytes=0-")},
		{"Range itself may be deleted", GuardRequestNoCORS, headerList("Range", "bytes=0-"), []step{{"delete", "range", ""}}, nil},
		{"another name may not", GuardRequestNoCORS, headerList("X-A", "1"), []step{{"delete", "X-A", ""}}, headerList("X-A", "1")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Headers{Guard: tt.guard, List: tt.start}
			before := append([]header.Field(nil), tt.start...)
			for _, s := range tt.steps {
				switch s.do {
				case "append":
					h.Append(s.name, s.value)
				case "set":
					h.Set(s.name, s.value)
				case "delete":
					h.Delete(s.name)
				}
			}
			if len(h.List) != len(tt.want) || len(tt.want) > 0 && !cmp.Equal(h.List, tt.want) {
				t.Errorf("%v on %q: %q, want %q", tt.steps, before, h.List, tt.want)
			}
			if len(before) > 0 && !cmp.Equal(tt.start, before) {
				t.Errorf("%v changes the caller's list %q to %q", tt.steps, before, tt.start)
			}
		})
	}
}

// https://fetch.spec.whatwg.org/#concept-headers-fill
func TestHeadersFill(t *testing.T) {
	h := Headers{Guard: GuardRequestNoCORS}
	h.Fill(headerList("X-A", "1", "Accept", "text/html", "Range", "bytes=0-", "accept", "x/y"))
	if want := headerList("Accept", "text/html", "Accept", "x/y"); !cmp.Equal(h.List, want) {
		t.Errorf("filled under request-no-cors: %q, want %q", h.List, want)
	}
}
