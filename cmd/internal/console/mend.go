package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// A mend is what to write so that a request would be allowed. It is shown, and
// never put into force: whom to trust only the operator knows.
type mend struct {
	Route   string   `json:"route"`   // the pattern of the route below which the lines belong, as YAML
	Lines   []string `json:"lines"`   // of the file, where each key takes the place of the one that is there
	Flags   []string `json:"flags"`   // in the place of lines, where the policy comes from flags
	Refused string   `json:"refused"` // why no file may say so
}

// A listed field is one in which a request may be wanting.
type listed struct {
	key, flag string
	values    func(*cors.Policy) *[]string
}

var (
	listedOrigins = &listed{"origins", "--origin", func(p *cors.Policy) *[]string { return &p.Origins }}
	listedMethods = &listed{"methods", "--method", func(p *cors.Policy) *[]string { return &p.Methods }}
	listedHeaders = &listed{"request-headers", "--header", func(p *cors.Policy) *[]string { return &p.RequestHeaders }}
)

// mendOf asks the decision core again and again, with what it said was wanting
// added, until the request is allowed.
func mendOf(in Policy, o observation) mend {
	none := mend{Lines: []string{}, Flags: []string{}}
	route, policy, ok := routeOf(in, o)
	if !ok || o.CutAsked || o.Cut && o.Route == "" {
		return none
	}
	added := make(map[*listed][]string)
	for {
		if len(added) > 0 {
			if _, err := policyfile.Parse(policyfile.Format(&policyfile.File{Routes: []policyfile.Route{{Pattern: route, Policy: policy}}})); err != nil {
				none.Refused = whyNot(err)
				return none // also where the path is no pattern
			}
		}
		mw, err := cors.New(policy)
		if err != nil {
			return none
		}
		d := mw.Decide(context.Background(), o.request())
		if d.Allowed {
			return tellMend(in, route, policy, added)
		}
		field, value := wanting(d)
		if field == nil || slices.Contains(added[field], value) || len(added[field]) > maxAdded {
			return none
		}
		added[field] = append(added[field], value)
		values := field.values(&policy)
		*values = append(slices.Clone(*values), value)
	}
}

// maxAdded is how many names a mend adds: who asks for more is no page.
const maxAdded = 16

// wanting is what d says is missing in the policy, or nil where a policy cannot
// help.
func wanting(d cors.Decision) (*listed, string) {
	switch d.Reason {
	case cors.ReasonOff, cors.ReasonOrigin:
		return listedOrigins, d.Origin
	case cors.ReasonMethod:
		return listedMethods, d.Name
	case cors.ReasonRequestHeader:
		return listedHeaders, d.Name
	}
	return nil, ""
}

// routeOf returns the route by which o was decided, and its policy now. Where
// no route matched it is a new one of that path.
func routeOf(in Policy, o observation) (pattern string, p cors.Policy, ok bool) {
	if in.File == nil {
		return "", p, false
	}
	if o.Route == "" {
		return o.Path, p, true
	}
	for _, r := range in.File.Routes {
		if r.Pattern == o.Route {
			// An origin source is asked, and has refused already.
			return r.Pattern, r.Policy, true
		}
	}
	return "", p, false
}

func tellMend(in Policy, route string, p cors.Policy, added map[*listed][]string) mend {
	m := mend{Route: visible(policyfile.Scalar(route)), Lines: []string{}, Flags: []string{}}
	for _, field := range []*listed{listedOrigins, listedMethods, listedHeaders} {
		if len(added[field]) == 0 {
			continue
		}
		if in.Text != nil {
			for _, l := range listLines(field.key, *field.values(&p), len(added[field])) {
				m.Lines = append(m.Lines, visible(l))
			}
			continue
		}
		for _, value := range added[field] {
			m.Flags = append(m.Flags, visible(field.flag+" "+value))
		}
	}
	return m
}

// maxListed is how many values stand in one line.
const maxListed = 8

// listLines are a list as a file says it, in one line; where it is long only
// what has been added, as elements.
func listLines(key string, values []string, added int) []string {
	if len(values) <= maxListed {
		return []string{flow(key, values)}
	}
	lines := []string{key + ":"}
	for _, value := range values[len(values)-added:] {
		lines = append(lines, "  - "+policyfile.Scalar(value))
	}
	return lines
}

func flow(key string, values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = policyfile.Scalar(value)
	}
	return key + ": [" + strings.Join(quoted, ", ") + "]"
}

// whyNot is what is wrong with what would have to be written.
func whyNot(err error) string {
	var fault *policyfile.Error
	if !errors.As(err, &fault) || fault.Field == "" {
		return ""
	}
	return visible(fmt.Sprintf("%.200q: %s; %s", fault.Value, fault.Reason, fault.Fix))
}
