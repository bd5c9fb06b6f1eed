package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Need is the least policy that allows a fetch. Nothing in it needs quoting:
// what a server or a page could have chosen to break out of a configuration is
// left out.
type Need struct {
	Origin      string
	Methods     []string // beyond GET, HEAD and POST, and those that are allowed already
	Headers     []string // request-header names, and those that are allowed already
	Exposed     []string // response-header names that are exposed already
	Credentials bool
	MaxAge      int // seconds; 0 says nothing
}

// policy is what d's fetch needs. What the server allows already is kept, so
// that the mend breaks nobody else.
func (d *Diagnosis) policy(req *fetch.Request, exchanges []*fetch.Exchange) Need {
	n := Need{Origin: d.Page, Credentials: req.Credentials == fetch.CredentialsInclude}
	if !isPlainOrigin(n.Origin) {
		n.Origin = "https://app.example.com"
	}
	var allowedMethods, allowedHeaders, asked []string
	method := d.Method
	for _, e := range exchanges {
		if get(e.ResponseHeader, header.AccessControlAllowCredentials) == "true" {
			n.Credentials = true
		}
		n.Exposed = append(n.Exposed, names(get(e.ResponseHeader, header.AccessControlExposeHeaders))...)
		if !e.Preflight {
			continue
		}
		method = cmp.Or(get(e.RequestHeader, header.AccessControlRequestMethod), method)
		asked = append(asked, names(get(e.RequestHeader, header.AccessControlRequestHeaders))...)
		allowedMethods = append(allowedMethods, names(get(e.ResponseHeader, header.AccessControlAllowMethods))...)
		allowedHeaders = append(allowedHeaders, names(get(e.ResponseHeader, header.AccessControlAllowHeaders))...)
	}
	if len(asked) == 0 {
		asked = header.UnsafeRequestNames(req.Header)
	}
	if !header.IsSafelistedMethod(method) && isPlainName(method) {
		if upper := strings.ToUpper(method); method != upper && slices.Contains(allowedMethods, upper) {
			method = upper // the page is at fault
		}
		allowedMethods = append(allowedMethods, method)
	}
	exact := func(a, b string) bool { return a == b }
	n.Methods = n.keep(allowedMethods, exact)
	n.Headers = n.keep(append(allowedHeaders, asked...), header.EqualFold)
	n.Exposed = n.keep(n.Exposed, header.EqualFold)
	return n
}

// names are the tokens of a list that may not even be one.
func names(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// mostNames is how many names a configuration repeats of what a server sent.
const mostNames = 40

// keep is each plain name in list once. "*" stays where it is a wildcard.
func (n *Need) keep(list []string, same func(a, b string) bool) (kept []string) {
	for _, name := range list {
		known := slices.ContainsFunc(kept, func(k string) bool { return same(k, name) })
		if !known && len(kept) < mostNames && (isPlainName(name) || name == "*" && !n.Credentials) {
			kept = append(kept, name)
		}
	}
	return kept
}

// isPlainName reports whether a method or header name needs no quoting in any
// configuration. Tokens may hold $, ' and `.
func isPlainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

func isPlainOrigin(s string) bool {
	scheme, host, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || host == "" || len(s) > 300 {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-._:/[]") == ""
}

// preflightReasons are why the last preflight was sent.
func (d *Diagnosis) preflightReasons(req *fetch.Request, exchanges []*fetch.Exchange) (reasons []Reason) {
	var preflight *fetch.Exchange
	for _, e := range exchanges {
		if e.Preflight {
			preflight = e
		}
	}
	if preflight == nil {
		return nil
	}
	if method := get(preflight.RequestHeader, header.AccessControlRequestMethod); !header.IsSafelistedMethod(method) {
		reasons = append(reasons, Reason{Method: method, why: reasonMethod, facts: facts{"method": d.show(method)}})
	}
	for name := range strings.SplitSeq(get(preflight.RequestHeader, header.AccessControlRequestHeaders), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		reasons = append(reasons, d.headerReason(name, req.Header))
	}
	if len(reasons) == 0 {
		why := reasonUpload
		if req.Stream != nil {
			why = reasonStream
		}
		reasons = append(reasons, Reason{why: why})
	}
	return reasons
}

func (d *Diagnosis) headerReason(name string, list []header.Field) Reason {
	value := get(list, name)
	r := Reason{Header: name, why: reasonHeader, facts: facts{
		"name": d.show(name), "value": d.show(d.secrets.field(header.Field{Name: name, Value: value}).Value), "length": fmt.Sprint(len(value)),
	}}
	switch name {
	case "content-type":
		r.why = reasonContentType
	case "range":
		r.why = reasonRange
	case "accept", "accept-language", "content-language":
		r.why = reasonValue
	}
	if header.IsNoCORSSafelistedRequestName(name) || name == "range" {
		switch {
		case len(value) > 128:
			r.why = reasonLong
		case header.IsSafelistedRequest(name, value):
			r.why = reasonTotal
		}
	}
	return r
}

var (
	reasonMethod = phrase{
		"{method} is not GET, HEAD or POST",
		"{method} は GET、HEAD、POST のいずれでもない",
	}
	reasonHeader = phrase{
		"{name} is not a CORS-safelisted request-header",
		"{name} は CORS セーフリストにあるリクエストヘッダーではない",
	}
	reasonContentType = phrase{
		"Content-Type: {value} is not that of a form, nor text/plain",
		"Content-Type: {value} はフォームのものでも text/plain でもない",
	}
	reasonRange = phrase{
		"Range: {value} is not one simple range of bytes",
		"Range: {value} は単純な 1 つのバイト範囲ではない",
	}
	reasonValue = phrase{
		"{name} has a value with bytes that are not safelisted: {value}",
		"{name} の値にセーフリスト外のバイトが含まれている: {value}",
	}
	reasonLong = phrase{
		"{name} has {length} bytes, more than 128",
		"{name} の値が {length} バイトあり、128 バイトを超えている",
	}
	reasonTotal = phrase{
		"{name} counts because the safelisted values are longer than 1,024 bytes together",
		"セーフリストの値が合計 1,024 バイトを超えるため、{name} も数えられる",
	}
	reasonUpload = phrase{
		"the XMLHttpRequest has listeners on its upload",
		"XMLHttpRequest の upload にイベントリスナーがある",
	}
	reasonStream = phrase{
		"the body is a stream",
		"ボディがストリームである",
	}
)
