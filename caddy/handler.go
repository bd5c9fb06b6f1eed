package caddycors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/internal/intercept"
	"github.com/crossorigin/cors/policyfile"
)

func init() { caddy.RegisterModule(new(Handler)) }

// A Handler answers preflights by a policy, and owns the CORS headers of what
// the handlers behind it answer, the errors that they return included. One of
// Policy and PolicyFile is to be there.
type Handler struct {
	// Policy is a cors.yaml: an object, or a string that holds its text. The
	// upstreams in it are not read: reverse_proxy knows where requests go.
	Policy json.RawMessage `json:"policy,omitempty"`

	// PolicyFile is the path of a cors.yaml. It is read when the configuration
	// is loaded.
	PolicyFile string `json:"policy_file,omitempty"`

	table   *table
	refused func(*http.Request, cors.Decision)
}

// CaddyModule returns what Caddy is to know of the module.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.cors", New: func() caddy.Module { return new(Handler) }}
}

// Provision reads the policy. If it fails Caddy keeps the configuration that it
// has.
func (h *Handler) Provision(ctx caddy.Context) error {
	file, err := h.file()
	if err != nil {
		return err
	}
	m, err := newMetrics(ctx.GetMetricsRegistry())
	if err != nil {
		return err
	}
	if h.table, err = newTable(file, m); err != nil {
		return err
	}
	log := ctx.Slogger()
	h.refused = cors.LogRefusals(log)
	if file.Upstream != nil || h.table.namesUpstream {
		log.Warn("the upstreams of a policy are not read here: write reverse_proxy")
	}
	return nil
}

func (h *Handler) file() (*policyfile.File, error) {
	switch {
	case len(h.Policy) > 0 && h.PolicyFile != "":
		return nil, errors.New("policy and policy_file: there are both; remove one")
	case h.PolicyFile != "":
		return policyfile.Load(h.PolicyFile)
	case len(h.Policy) == 0:
		return nil, errors.New(`there is no policy; write one in "policy", or its path in "policy_file"`)
	}
	text := []byte(h.Policy)
	if bytes.HasPrefix(text, []byte(`"`)) {
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		text = []byte(s)
	}
	file, err := policyfile.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return file, nil
}

// ServeHTTP answers a preflight, and has next answer everything else.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	route, ok := h.table.match(r)
	d := route.decide(r)
	// In handle_errors the decision is made once more, for what is answered there.
	failed := r.Context().Value(caddyhttp.ErrorCtxKey) != nil
	if !failed {
		route.metrics.decided(d)
		h.refused(r, d)
	}
	switch {
	case route.shadow:
		return next.ServeHTTP(w, r)
	case failed:
	case !ok:
		edge.Own(w.Header(), d, edge.Strip)
		return caddyhttp.Error(http.StatusBadRequest, errAmbiguous)
	case d.Kind == cors.Preflight:
		edge.Own(w.Header(), d, edge.Strip)
		w.WriteHeader(d.Status())
		return nil
	}
	return own(w, r, next, d, route)
}

var errAmbiguous = errors.New("servers differ in what they make of the path, and it would have another policy")

// own has next answer. Where next returns an error and has written nothing, the
// headers are in w, and whoever answers in its place sends them.
func own(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, d cors.Decision, route *route) (err error) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = next.ServeHTTP(w, r) })
	intercept.Serve(w, r, handler, func(h http.Header, status int) {
		mode := route.mode
		if err != nil {
			mode = edge.Strip // next has written nothing: the error is no upstream's
		}
		if stripped := edge.OwnStatus(h, status, d, mode); stripped != 0 {
			route.metrics.strip(stripped)
		}
	})
	if route.mode == edge.Strip {
		edge.StripTrailer(w.Header())
	}
	return err
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
