package policyfile

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crossorigin/cors/edge"
)

// Format writes f as the text of a cors.yaml. What Parse reads there is f again,
// but that each list is spelled out and no key is written that says what is so
// without it. OriginSource and OverrideHandler are code, and left out.
func Format(f *File) []byte {
	var w writer
	if f.Upstream != nil {
		w.line(0, "upstream", Scalar(f.Upstream.String()))
	}
	w.b.WriteString("routes:\n")
	for _, r := range f.Routes {
		w.route(r, f.Upstream)
	}
	return []byte(w.b.String())
}

type writer struct{ b strings.Builder }

func (w *writer) line(indent int, key, value string) {
	if !strings.HasPrefix(value, "\n") {
		value = " " + value
	}
	fmt.Fprintf(&w.b, "%*s%s:%s\n", indent, "", key, value)
}

func (w *writer) route(r Route, upstream *url.URL) {
	var own writer
	p := r.Policy
	flag := func(key string, on bool) {
		if on {
			own.line(4, key, "true")
		}
	}
	list := func(key string, values []string) {
		if len(values) > 0 {
			own.line(4, key, sequence(values))
		}
	}
	list("methods", p.Methods)
	list("request-headers", p.RequestHeaders)
	list("exposed-headers", p.ExposedHeaders)
	flag("credentials", p.Credentials)
	switch {
	case p.MaxAge < 0:
		own.line(4, "max-age", "0")
	case p.MaxAge > 0:
		own.line(4, "max-age", shortDuration(p.MaxAge.Truncate(time.Second)))
	}
	if p.PreflightStatus != 0 {
		own.line(4, "preflight-status", fmt.Sprint(p.PreflightStatus))
	}
	if p.RefusedStatus != 0 {
		own.line(4, "refused-status", fmt.Sprint(p.RefusedStatus))
	}
	flag("private-network", p.PrivateNetwork)
	if r.Upstream != nil && (upstream == nil || r.Upstream.String() != upstream.String()) {
		own.line(4, "upstream", Scalar(r.Upstream.String()))
	}
	if r.UpstreamHeaders != edge.Strip {
		text, _ := r.UpstreamHeaders.MarshalText()
		own.line(4, "upstream-headers", string(text))
	}
	flag("shadow", r.Shadow)
	flag("insecure-allow-null", p.InsecureAllowNull)
	flag("insecure-allow-public-suffix", p.InsecureAllowPublicSuffix)
	flag("insecure-allow-http", p.InsecureAllowHTTP)
	flag("insecure-reflect-any-origin", p.InsecureReflectAnyOrigin)
	if len(p.Origins) == 0 && own.b.Len() == 0 {
		w.line(2, Scalar(r.Pattern), "off")
		return
	}
	fmt.Fprintf(&w.b, "  %s:\n", Scalar(r.Pattern))
	w.line(4, "origins", sequence(p.Origins))
	w.b.WriteString(own.b.String())
}

// sequence is one line, but where that would be long.
func sequence(values []string) string {
	written := make([]string, len(values))
	length := 0
	for i, v := range values {
		written[i] = Scalar(v)
		length += len(written[i]) + 2
	}
	if length > 100 {
		return "\n      - " + strings.Join(written, "\n      - ")
	}
	return "[" + strings.Join(written, ", ") + "]"
}

// plain is what means itself without quotes, in a list of YAML too.
var plain = regexp.MustCompile(`^[A-Za-z/](?:[A-Za-z0-9._/+~-]|:[^\s,\[\]{}"'#&*!|>%@` + "`" + `\\?])*$`)

// Scalar returns s as a key or a value of a cors.yaml, also in a list: in quotes
// where it would be read as something else.
func Scalar(s string) string {
	if plain.MatchString(s) && !slices.Contains([]string{"null", "true", "false", "off", "on", "yes", "no", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	// Every JSON text is one of YAML. Without & and < as escapes, it is legible.
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
