package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/policyfile"
)

// A Target is a server whose language is known.
type Target struct {
	Name  string // as [To] takes it
	Title string // as its makers write it
	Label Label
	write func(*job) error
}

// A Label says how it is known that what is exported to a target is right.
type Label string

const (
	RunOnEngine          Label = "run on the real engine"
	RunOnCode            Label = "run on its code"
	CheckedAgainstSchema Label = "checked against its schema"
	Modelled             Label = "modelled"
)

var targets = []Target{
	{"nginx", "nginx", RunOnEngine, nginx},
	{"haproxy", "HAProxy", RunOnEngine, haproxy},
	{"apache", "Apache httpd", RunOnEngine, apache},
	{"caddyfile", "Caddy", RunOnEngine, caddyfile},
	{"traefik", "Traefik", RunOnCode, traefik},
	{"traefik-crd", "Traefik Middleware", CheckedAgainstSchema, traefikCRD},
	{"envoy", "Envoy", CheckedAgainstSchema, envoy},
	{"istio", "Istio VirtualService", CheckedAgainstSchema, istio},
	{"gateway-api", "Kubernetes Gateway API", CheckedAgainstSchema, gatewayAPI},
	{"kong", "Kong", Modelled, kong},
	{"apisix", "Apache APISIX", Modelled, apisix},
	{"api-gateway", "Amazon API Gateway (HTTP API)", CheckedAgainstSchema, apiGateway},
	{"cloudfront", "Amazon CloudFront", CheckedAgainstSchema, cloudFront},
	{"workers", "Cloudflare Workers", RunOnEngine, workers},
	{"s3", "Amazon S3", CheckedAgainstSchema, s3},
	{"r2", "Cloudflare R2", CheckedAgainstSchema, r2},
	{"gcs", "Google Cloud Storage", CheckedAgainstSchema, gcs},
	{"azure-blob", "Azure Blob Storage", CheckedAgainstSchema, azure},
}

// Targets returns all targets, always in the same order.
func Targets() []Target { return slices.Clone(targets) }

// Options are how a file is exported. The zero value lets nothing be widened.
type Options struct {
	// AllowWidening names the fields of which the target may allow more than the
	// file does: each a Field of a [Finding].
	AllowWidening []string
}

// A Result is a file in the language of a target.
type Result struct {
	Files    []File // the first is the main one
	Findings []Finding
}

// A File is one of the files that a target reads.
type File struct {
	Name string // without a directory
	Data []byte
}

// A Finding is what the target does otherwise than the file says.
type Finding struct {
	Route  string `json:"route,omitempty"` // its pattern; "" where it is of the file, or of all routes
	Field  string `json:"field"`           // the key of cors.yaml, or what of a request it depends on: "paths", "lines"
	Value  string `json:"value,omitempty"` // of the field, where it is of one value
	Effect Effect `json:"effect"`
	Reason string `json:"reason"`
	Fix    string `json:"fix"` // what to do about it
}

// An Effect is what becomes of a field.
type Effect string

const (
	Lost     Effect = "lost"     // the target does without, and allows no more
	Narrowed Effect = "narrowed" // the target allows less
	Widened  Effect = "widened"  // the target allows more
	Needs    Effect = "needs"    // the target needs a version, a module or a setting
)

func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(string(f.Effect) + ": ")
	if f.Route != "" {
		fmt.Fprintf(&b, "route %q: ", f.Route)
	}
	b.WriteString(f.Field)
	if f.Value != "" {
		fmt.Fprintf(&b, ": %.200q", f.Value)
	}
	fmt.Fprintf(&b, ": %s; %s", f.Reason, f.Fix)
	return b.String()
}

// A WideningError says that a target would allow more than the file does.
type WideningError struct {
	Target   string
	Findings []Finding // those that widen, and were not allowed to
}

func (e *WideningError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "export to %s: it would allow more than the file does", e.Target)
	for _, f := range e.Findings {
		b.WriteString("\n" + f.String())
	}
	return b.String()
}

// To writes file in the language of target. The findings say what of it the
// target does not do. If one widens what file allows and o does not name its
// field, the error is a [*WideningError]; the result is there for its findings
// alone.
func To(target string, file *policyfile.File, o Options) (*Result, error) {
	i := slices.IndexFunc(targets, func(t Target) bool { return t.Name == target })
	if i < 0 {
		return nil, fmt.Errorf("%.40q: there is no such target; write one of %s", target, names())
	}
	j := newJob(file)
	if err := errors.Join(j.checkUpstreams(), j.checkRoutes()); err != nil {
		return nil, err
	}
	if err := targets[i].write(j); err != nil {
		return nil, fmt.Errorf("export to %s: %w", target, err)
	}
	var widened []Finding
	for _, f := range j.result.Findings {
		if f.Effect == Widened && !slices.Contains(o.AllowWidening, f.Field) {
			widened = append(widened, f)
		}
	}
	if len(widened) > 0 {
		return &Result{Findings: j.result.Findings}, &WideningError{target, widened}
	}
	return &j.result, nil
}

func names() string {
	all := make([]string, len(targets))
	for i, t := range targets {
		all[i] = t.Name
	}
	return strings.Join(all, ", ")
}
