package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// apisix writes the routes of a standalone configuration, with the cors plugin on
// each.
//
// https://apisix.apache.org/docs/apisix/plugins/cors/
func apisix(j *job) error {
	config := apisixConfig{}
	matchers := j.matchers()
	for i, m := range matchers {
		r := j.of(m.route)
		route := apisixRoute{ID: fmt.Sprintf("cors-%02d", i+1), Name: m.route, Priority: len(matchers) - i, Upstream: apisixUpstream(j.serviceOf(r.upstream))}
		if m.host != "" {
			route.Host = m.host
		}
		route.URI, route.Vars = apisixPath(m)
		if !r.shadow {
			route.Plugins = apisixPlugins(r)
		}
		config.Routes = append(config.Routes, route)
	}
	if rest := j.rest(); rest != nil {
		config.Routes = append(config.Routes, apisixRoute{ID: "cors-other", Name: "other", URI: "/*", Upstream: apisixUpstream(j.serviceOf(rest)), Plugins: apisixPlugins(&rule{})})
	}
	j.needUpstream(true)
	j.apisixFindings()
	var b strings.Builder
	if err := j.writeYAML("apisix.yaml", document{
		head:    `CORS for Apache APISIX, written by "cors export --to apisix": change cors.yaml, and write it again.`,
		content: config,
		comments: map[string]string{
			"$.routes": "The priorities make the most specific route win, as in cors.yaml. response-rewrite removes what the upstream says of\n" +
				"CORS: its priority puts it before the cors plugin, which writes the policy after that. Where there are regular\n" +
				"expressions, allow_origins is not read: it stands there since \"*\", which it is without, would leave out Vary.\n" +
				"No page can set \"" + nobody + "\": it stands for no request-header.",
		},
	}); err != nil {
		return err
	}
	// Without this line APISIX takes the file for one that is still being written.
	last := &j.result.Files[len(j.result.Files)-1]
	b.Write(last.Data)
	b.WriteString("#END\n")
	last.Data = []byte(b.String())
	return nil
}

// apisixPath matches the path with its escapes undone, as APISIX has it in uri.
func apisixPath(m matcher) (uri string, vars [][]string) {
	path, ok := m.literal()
	switch {
	case ok && !strings.Contains(path, "%") && m.exact:
		return path, nil
	case ok && !strings.Contains(path, "%"):
		return path + "*", nil
	case m.exact:
		return "/*", [][]string{{"uri", "~~", "^" + m.path + "$"}}
	}
	return "/*", [][]string{{"uri", "~~", "^" + m.path}}
}

func apisixUpstream(s service) apisixNodes {
	nodes := apisixNodes{Type: "roundrobin", Nodes: map[string]int{s.name + ":80": 1}}
	if s.url != nil {
		nodes.Nodes = map[string]int{addressOf(s.url): 1}
		if s.url.Scheme == "https" {
			nodes.Scheme = "https"
		}
	}
	return nodes
}

func apisixPlugins(r *rule) apisixPluginList {
	list := apisixPluginList{Rewrite: &apisixRewrite{apisixMeta{4001}, apisixHeaders{stripped}}}
	if !r.off() {
		list.CORS = apisixCORS(r)
	}
	return list
}

// apisixOrigins is what allow_origins holds: one that is not of it has to be in a
// regular expression, and then all have, since the list is not read beside them.
var apisixOrigins = regexp.MustCompile(`^[0-9A-Za-z_]+://[^,]+$`)

func apisixCORS(r *rule) *apisixPolicy {
	p := &apisixPolicy{
		AllowCredential: r.policy.Credentials,
		ExposeHeaders:   strings.Join(r.policy.ExposedHeaders, ","),
		MaxAge:          5, // of APISIX, and of browsers where nothing is said
	}
	if age := r.seconds(); age != nil {
		p.MaxAge = *age
	}
	exact, wild := r.origins()
	var plain []string
	for _, o := range exact {
		if apisixOrigins.MatchString(o) {
			plain = append(plain, o)
		}
	}
	switch {
	case r.any() && r.policy.Credentials:
		p.AllowOrigins = "**"
	case r.any():
		p.AllowOrigins = "*"
	case len(wild) == 0 && len(plain) == len(exact):
		p.AllowOrigins = strings.Join(plain, ",")
	case len(wild) == 0 && len(exact) == 1 && exact[0] == "null":
		p.AllowOrigins = "null"
	default:
		p.AllowOrigins = "https://regex.invalid"
		if len(plain) > 0 {
			p.AllowOrigins = strings.Join(plain, ",")
		}
		for _, o := range slices.Concat(exact, wild) {
			p.ByRegex = append(p.ByRegex, anchored(o))
		}
	}
	methods, every := r.allMethods()
	switch {
	case every && r.policy.Credentials:
		p.AllowMethods = "**"
	case every:
		p.AllowMethods = "*"
	default:
		p.AllowMethods = strings.Join(methods, ",")
	}
	names, everyName := r.names()
	switch {
	case everyName && r.policy.Credentials:
		p.AllowHeaders = "**"
	case everyName:
		p.AllowHeaders = strings.Join(append([]string{"*"}, names...), ",")
	case len(names) == 0:
		p.AllowHeaders = nobody
	default:
		p.AllowHeaders = strings.Join(names, ",")
	}
	return p
}

func (j *job) apisixFindings() {
	j.findStatuses(200, 200)
	j.findHeaders()
	j.findShadow()
	j.findOff()
	j.findPrivateNetwork()
	j.find(Finding{Field: "methods", Value: "OPTIONS", Effect: Lost, Reason: "the plugin answers every OPTIONS request with 200, also one that is no preflight", Fix: "nothing, unless the upstream answers OPTIONS itself"})
	j.find(Finding{Field: "upstream-headers", Effect: Needs, Reason: "response-rewrite removes headers, and the order of plugins is set, from APISIX 3.0 on", Fix: "use 3.0 or later"})
	j.find(Finding{Field: "lines", Effect: Needs, Reason: "of a header that comes in several lines APISIX reads the first", Fix: "nothing: no browser sends one so"})
	j.findHosts("APISIX")
	for _, r := range j.rules {
		if r.upstream != nil && r.upstream.Scheme == "h2c" {
			j.findIn(r, Finding{Field: "upstream", Value: r.upstream.String(), Effect: Lost, Reason: "APISIX speaks HTTP/1.1 to it", Fix: "have the upstream take both, or set the scheme grpc, if that is what it speaks"})
		}
	}
	if j.parted() {
		j.find(Finding{Field: "paths", Effect: Needs, Reason: "a path that can be read as that of another route is not refused by the plugin",
			Fix: "set normalize_uri_like_servlet where the upstream reads paths so, and have it read them no other way"})
	}
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		if r.policy.MaxAge == 0 {
			j.findIn(r, Finding{Field: "max-age", Effect: Lost, Reason: "5 is said where nothing is set", Fix: "nothing: browsers keep an answer for 5 s in any case"})
		}
		_, every := r.methods()
		if every && r.policy.Credentials {
			j.findMethods(r, []string{"*"}, "with credentials APISIX lists the methods of HTTP itself")
		}
		if _, every := r.names(); every && r.policy.Credentials && !r.authorization() {
			j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened,
				Reason: "with credentials the names asked for are sent back, Authorization among them", Fix: "list the names"})
		}
		if len(r.policy.ExposedHeaders) == 0 {
			j.findIn(r, Finding{Field: "exposed-headers", Effect: Needs, Reason: `where nothing is set, old releases expose "*"; the file sets it to nothing`, Fix: "keep the line"})
		}
	}
}

// What of APISIX's configuration is written.
type (
	apisixConfig struct {
		Routes []apisixRoute `yaml:"routes"`
	}
	apisixRoute struct {
		ID       string           `yaml:"id"`
		Name     string           `yaml:"name"`
		Host     string           `yaml:"host,omitempty"`
		URI      string           `yaml:"uri"`
		Vars     [][]string       `yaml:"vars,omitempty"`
		Priority int              `yaml:"priority"`
		Plugins  apisixPluginList `yaml:"plugins,omitempty"`
		Upstream apisixNodes      `yaml:"upstream"`
	}
	apisixPluginList struct {
		CORS    *apisixPolicy  `yaml:"cors,omitempty"`
		Rewrite *apisixRewrite `yaml:"response-rewrite,omitempty"`
	}
	apisixPolicy struct {
		AllowOrigins    string   `yaml:"allow_origins"`
		ByRegex         []string `yaml:"allow_origins_by_regex,omitempty"`
		AllowMethods    string   `yaml:"allow_methods"`
		AllowHeaders    string   `yaml:"allow_headers"`
		ExposeHeaders   string   `yaml:"expose_headers"`
		MaxAge          int64    `yaml:"max_age"`
		AllowCredential bool     `yaml:"allow_credential"`
	}
	apisixRewrite struct {
		Meta    apisixMeta    `yaml:"_meta"`
		Headers apisixHeaders `yaml:"headers"`
	}
	apisixMeta struct {
		Priority int `yaml:"priority"`
	}
	apisixHeaders struct {
		Remove []string `yaml:"remove"`
	}
	apisixNodes struct {
		Type   string         `yaml:"type"`
		Scheme string         `yaml:"scheme,omitempty"`
		Nodes  map[string]int `yaml:"nodes"`
	}
)
