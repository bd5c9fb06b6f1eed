package caddycors

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crossorigin/cors/policyfile"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("cors", parseCaddyfile)
	// Before whatever answers or fails, and before "header", so that the policy has
	// the last word.
	httpcaddyfile.RegisterDirectiveOrder("cors", httpcaddyfile.Before, "header")
}

func parseCaddyfile(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	return handler, handler.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile reads the directive:
//
//	cors [<matcher>] [off | <origin>...] {
//		policy                        <cors.yaml>
//
//		origins                       <origin>...
//		methods                       <method>...
//		request_headers               <name>...
//		exposed_headers               <name>...
//		credentials
//		max_age                       <duration>
//		preflight_status              <status>
//		refused_status                <status>
//		private_network
//		upstream_headers              strip | fill | keep
//		shadow
//		insecure_allow_null
//		insecure_allow_public_suffix
//		insecure_allow_http
//		insecure_reflect_any_origin
//	}
//
// The names are the keys of cors.yaml, and mean what they mean there. The file
// of policy is read here, relative to the one in which its path is written, so
// that caddy reload sees it change.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the directive
	r := &reader{directive: d.Token(), keys: make(map[string]*key)}
	if args := d.RemainingArgsAsTokens(); len(args) == 1 && args[0].Text == "off" {
		r.off = true
	} else if len(args) > 0 {
		r.add("origins", r.directive, args)
	}
	for d.NextBlock(0) {
		name := d.Token()
		switch args := d.RemainingArgsAsTokens(); {
		case d.NextBlock(1):
			return r.fault(d.Token(), fmt.Errorf("%q: a block begins here; write the values behind the name, on its line", name.Text))
		case name.Text == "policy" && len(args) == 1:
			if err := r.policy(args[0]); err != nil {
				return err
			}
		case name.Text == "policy":
			return r.fault(name, errors.New(`policy: one path is wanted; write "policy cors.yaml"`))
		default:
			r.add(strings.ReplaceAll(name.Text, "_", "-"), name, args)
		}
	}
	var err error
	h.Policy, err = r.result()
	return err
}

// A reader gathers what a directive says.
type reader struct {
	directive caddyfile.Token
	off       bool
	keys      map[string]*key
	file      string // the text of the policy's file, as JSON
}

// A key is one of cors.yaml.
type key struct {
	name   caddyfile.Token
	values []caddyfile.Token
}

func (r *reader) add(name string, at caddyfile.Token, values []caddyfile.Token) {
	if r.keys[name] == nil {
		r.keys[name] = &key{name: at}
	}
	r.keys[name].values = append(r.keys[name].values, values...)
}

func (r *reader) policy(path caddyfile.Token) error {
	name := path.Text
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(path.File), name)
	}
	if _, err := policyfile.Load(name); err != nil {
		return r.fault(path, err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return r.fault(path, err)
	}
	encoded, err := json.Marshal(string(text))
	r.file = string(encoded)
	return err
}

// result returns the policy as the handler takes it.
func (r *reader) result() (json.RawMessage, error) {
	switch {
	case r.file != "" && (r.off || len(r.keys) > 0):
		return nil, r.fault(r.directive, errors.New("a policy stands in a file or here; remove the line with policy, or the others"))
	case r.file != "":
		return json.RawMessage(r.file), nil
	case r.off && len(r.keys) > 0:
		return nil, r.fault(r.directive, errors.New("off says that no origin may read; remove it, or what is below it"))
	}
	var route any = "off"
	if !r.off {
		if r.keys["origins"] == nil {
			return nil, r.fault(r.directive, errors.New(`there is no origin; write "origins https://app.example.com" in its block, or "origins *" for every origin, or "off" behind the name`))
		}
		fields := make(map[string]any, len(r.keys))
		for name, k := range r.keys {
			fields[name] = k.value()
		}
		route = fields
	}
	text, err := json.Marshal(map[string]any{"routes": map[string]any{"/": route}})
	if err != nil {
		return nil, err
	}
	if _, err := policyfile.Parse(text); err != nil {
		return nil, r.faults(err)
	}
	return text, nil
}

// value returns what cors.yaml has as the value of the key.
func (k *key) value() any {
	switch len(k.values) {
	case 0:
		return true
	case 1:
		return scalar(k.values[0].Text)
	}
	var list []string
	for _, v := range k.values {
		list = append(list, v.Text)
	}
	return list
}

func scalar(text string) any {
	switch n, err := strconv.Atoi(text); {
	case err == nil && strconv.Itoa(n) == text:
		return n
	case text == "true":
		return true
	case text == "false":
		return false
	}
	return text
}

// faults returns each mistake that policyfile found, with the place at which it
// is written in the Caddyfile.
func (r *reader) faults(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return r.fault(r.directive, err)
	}
	var errs []error
	for _, fault := range joined.Unwrap() {
		e := fault.(*policyfile.Error)
		at := r.directive
		what := ""
		switch k := r.keys[e.Field]; {
		case k != nil && e.Index >= 0 && e.Index < len(k.values):
			at, what = k.values[e.Index], named(e.Field)
		case k != nil:
			at, what = k.name, named(e.Field)
		case r.keys[e.Value] != nil:
			at = r.keys[e.Value].name
		}
		if e.Value != "" || e.Index >= 0 {
			what += strconv.Quote(e.Value) + ": "
		}
		errs = append(errs, r.fault(at, errors.New(what+e.Reason+"; "+inCaddyfile(e.Fix))))
	}
	return errors.Join(errs...)
}

func named(field string) string { return strings.ReplaceAll(field, "-", "_") + ": " }

func (r *reader) fault(at caddyfile.Token, err error) error {
	return fmt.Errorf("cors: %w, at %s:%d", err, at.File, at.Line)
}

// setting is how cors.yaml sets a key.
var setting = regexp.MustCompile(`"([a-z-]+): true"`)

// inCaddyfile is a mend of policyfile in the words of the Caddyfile.
func inCaddyfile(fix string) string {
	return setting.ReplaceAllStringFunc(fix, func(s string) string {
		return strings.ReplaceAll(strings.Replace(s, ": true", "", 1), "-", "_")
	})
}
