package header

import (
	"slices"
	"strings"
)

// Lines returns the values of the lines of list that are called name, in any case.
func Lines(list []Field, name string) (values []string) {
	for _, f := range list {
		if EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// List returns the elements of a header whose value is a list of tokens, such
// as Access-Control-Allow-Methods, given all its lines. Without a line it
// returns nil and true; ok is false for the standard's failure, a list that
// does not parse.
//
// https://fetch.spec.whatwg.org/#extract-header-list-values
// https://fetch.spec.whatwg.org/#extract-header-values
func List(lines []string) (elems []string, ok bool) {
	for _, line := range lines {
		// Empty elements count for nothing: RFC 9110, section 5.6.1.2.
		for elem := range strings.SplitSeq(line, ",") {
			elem = strings.Trim(elem, " \t")
			if elem == "" {
				continue
			}
			if !IsToken(elem) {
				return nil, false
			}
			elems = append(elems, elem)
		}
	}
	return elems, true
}

// VariesByOrigin reports whether caches keep a response with these lines of Vary
// apart by the Origin of the request: one of them names it, or says "*".
//
// https://www.rfc-editor.org/rfc/rfc9110#name-vary
func VariesByOrigin(lines []string) bool {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "*" || EqualFold(name, Origin) {
				return true
			}
		}
	}
	return false
}

// Split returns the elements of value, a header's lines joined by ", ". A comma
// inside a quoted string does not split.
//
// https://fetch.spec.whatwg.org/#header-value-get-decode-and-split
func Split(value string) []string {
	var values []string
	start, pos := 0, 0
	for {
		// 5.1. and 5.2. A quoted string is taken as it is, quotes and all, so that
		// the temporary value is always a piece of the input.
		for pos < len(value) && value[pos] != ',' {
			if value[pos] == '"' {
				_, pos = quoted(value, pos)
			} else {
				pos++
			}
		}
		values = append(values, strings.Trim(value[start:pos], " \t"))
		if pos == len(value) {
			return values
		}
		pos++
		start = pos
	}
}

// quoted collects an HTTP quoted string from value, in which a quotation mark
// is at pos: what is said between the quotes, and the position behind them.
//
// https://fetch.spec.whatwg.org/#collect-an-http-quoted-string
func quoted(value string, pos int) (string, int) {
	var b strings.Builder
	for pos++; pos < len(value); pos++ {
		switch value[pos] {
		case '"':
			return b.String(), pos + 1
		case '\\':
			if pos+1 < len(value) {
				pos++
			}
		}
		b.WriteByte(value[pos])
	}
	return b.String(), pos
}

// SortedLowerSet returns names in lower case, sorted, each once.
//
// https://fetch.spec.whatwg.org/#convert-header-names-to-a-sorted-lowercase-set
func SortedLowerSet(names []string) []string {
	set := make([]string, len(names))
	for i, name := range names {
		set[i] = Lower(name)
	}
	slices.Sort(set)
	return slices.Compact(set)
}
