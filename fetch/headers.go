package fetch

import (
	"strings"

	"github.com/crossorigin/cors/header"
)

// Headers is a Headers object of a page: a list that its guard keeps a script
// from filling with what it may not send. The zero value is guarded as a
// request of mode "cors".
//
// https://fetch.spec.whatwg.org/#headers-class
type Headers struct {
	Guard Guard
	List  []header.Field
}

// A Guard says which request-headers a script may set.
//
// https://fetch.spec.whatwg.org/#headers-guard
type Guard uint8

const (
	GuardRequest       Guard = iota // all but the forbidden ones
	GuardRequestNoCORS              // the few of mode "no-cors"
)

// Fill appends each of list.
//
// https://fetch.spec.whatwg.org/#concept-headers-fill
func (h *Headers) Fill(list []header.Field) {
	for _, f := range list {
		h.Append(f.Name, f.Value)
	}
}

// Append adds a line, unless the guard, or the grammar of HTTP, forbids it: it
// reports whether it did.
//
// https://fetch.spec.whatwg.org/#concept-headers-append
func (h *Headers) Append(name, value string) bool {
	value = header.Normalize(value)
	if !h.validate(name, value) {
		return false
	}
	if h.Guard == GuardRequestNoCORS {
		// 3. What counts is the value that the server will see.
		combined := value
		if present, ok := get(h.List, name); ok {
			combined = present + ", " + value
		}
		if !header.IsNoCORSSafelistedRequest(name, combined) {
			return false
		}
	}
	h.List = appendField(h.List, name, value)
	h.removePrivileged()
	return true
}

// Set replaces all lines of name by one, and reports whether it did.
//
// https://fetch.spec.whatwg.org/#dom-headers-set
func (h *Headers) Set(name, value string) bool {
	value = header.Normalize(value)
	if !h.validate(name, value) || h.Guard == GuardRequestNoCORS && !header.IsNoCORSSafelistedRequest(name, value) {
		return false
	}
	h.List = setField(h.List, name, value)
	h.removePrivileged()
	return true
}

// Delete removes all lines of name, and reports whether there were any that may
// be removed.
//
// https://fetch.spec.whatwg.org/#dom-headers-delete
func (h *Headers) Delete(name string) bool {
	if !h.validate(name, "") {
		return false
	}
	if h.Guard == GuardRequestNoCORS && !header.IsNoCORSSafelistedRequestName(name) && !header.IsPrivilegedNoCORSRequestName(name) {
		return false
	}
	if _, ok := get(h.List, name); !ok {
		return false
	}
	h.List = deleteField(h.List, name)
	h.removePrivileged()
	return true
}

// validate is what a Headers object asks before each change.
//
// https://fetch.spec.whatwg.org/#headers-validate
func (h *Headers) validate(name, value string) bool {
	if !header.IsToken(name) || !header.IsValue(value) {
		return false // where a script would get a TypeError
	}
	return h.Guard != GuardRequest || !header.IsForbiddenRequest(name, value)
}

// removePrivileged takes back what only the browser may have put there, now
// that a script has changed the list.
//
// https://fetch.spec.whatwg.org/#concept-headers-remove-privileged-no-cors-request-headers
func (h *Headers) removePrivileged() {
	if h.Guard == GuardRequestNoCORS {
		h.List = deleteField(h.List, "Range")
	}
}

// get joins the lines of name with ", "; ok is false where there are none.
//
// https://fetch.spec.whatwg.org/#concept-header-list-get
func get(list []header.Field, name string) (value string, ok bool) {
	for i := range list {
		if !header.EqualFold(list[i].Name, name) {
			continue
		}
		if ok {
			return strings.Join(header.Lines(list, name), ", "), true
		}
		value, ok = list[i].Value, true
	}
	return value, ok
}

// getSplit is "get, decode, and split"; nil where there is no line of name.
//
// https://fetch.spec.whatwg.org/#concept-header-list-get-decode-split
func getSplit(list []header.Field, name string) []string {
	value, ok := get(list, name)
	if !ok {
		return nil
	}
	return header.Split(value)
}

// appendField adds a line, with the name in the case in which list has it
// already.
//
// https://fetch.spec.whatwg.org/#concept-header-list-append
func appendField(list []header.Field, name, value string) []header.Field {
	for i := range list {
		if header.EqualFold(list[i].Name, name) {
			name = list[i].Name
			break
		}
	}
	return append(list, header.Field{Name: name, Value: value})
}

// setField gives the first line of name this value and removes the others.
//
// https://fetch.spec.whatwg.org/#concept-header-list-set
func setField(list []header.Field, name, value string) []header.Field {
	set := false
	kept := make([]header.Field, 0, len(list)+1)
	for _, f := range list {
		if header.EqualFold(f.Name, name) {
			if set {
				continue
			}
			f.Value, set = value, true
		}
		kept = append(kept, f)
	}
	if !set {
		kept = append(kept, header.Field{Name: name, Value: value})
	}
	return kept
}

// deleteField removes all lines of name. The list given is left as it is.
//
// https://fetch.spec.whatwg.org/#concept-header-list-delete
func deleteField(list []header.Field, name string) []header.Field {
	for i := range list {
		if header.EqualFold(list[i].Name, name) {
			kept := append([]header.Field(nil), list[:i]...)
			for _, f := range list[i+1:] {
				if !header.EqualFold(f.Name, name) {
					kept = append(kept, f)
				}
			}
			return kept
		}
	}
	return list
}
