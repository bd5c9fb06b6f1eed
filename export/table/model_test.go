package table

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/crossorigin/cors/export"
	serialised "github.com/crossorigin/cors/origin"
	"github.com/crossorigin/cors/policyfile"
)

// The models do what the source of a server does that cannot be run here, with
// what is exported to it: envoy's cors_filter.cc, Istio's translation into its
// policy, and the plugins of Kong 3.10 and APISIX 3.14 in Lua. A row that is right
// here shows that the export is right if the model is.
func TestModels(t *testing.T) {
	for target, model := range models {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			report, err := Run(t.TempDir(), modelled(t, target, model))
			if err != nil {
				t.Fatal(err)
			}
			findings := map[string][]export.Finding{}
			for _, p := range Policies {
				file, err := p.Parse("http://127.0.0.1:1")
				if err != nil {
					t.Fatal(err)
				}
				result, err := exported(target, file)
				if err != nil {
					t.Fatal(err)
				}
				findings[p.Name] = result.Findings
			}
			unseen, elsewhere, wrong := 0, 0, 0
			for _, o := range report.Wrong() {
				switch {
				case !o.Seen():
					unseen++
					continue
				case announcedElsewhere(o, findings[o.Row.Policy]):
					elsewhere++
					continue
				}
				if wrong++; wrong <= 40 {
					t.Error(o)
				}
			}
			t.Logf("%d rows right, %d as announced, %d otherwise in what no page sees, %d wrong", report.Right(), len(report.Announced())+elsewhere, unseen, wrong)
		})
	}
}

type model func(*testing.T, export.File, *policyfile.File) http.Handler

var models = map[string]model{"envoy": envoyModel, "istio": istioModel, "kong": kongModel, "apisix": apisixModel}

// modelled is the subject that is a model.
func modelled(t *testing.T, target string, m model) Subject {
	return func(_ string, file *policyfile.File) (*Server, error) {
		result, err := exported(target, file)
		if err != nil {
			return nil, err
		}
		server := httptest.NewServer(m(t, result.Files[0], file))
		return &Server{URL: server.URL, Findings: result.Findings, Close: server.Close}, nil
	}
}

// Of random policies nothing is allowed beyond them but what a finding names as
// widened, or what no browser asks; nothing less but where a finding says so.
func TestModelsAtRandom(t *testing.T) {
	policies, seed := fromEnvironment(t, "CORS_TEST_POLICIES", 25), fromEnvironment(t, "CORS_TEST_SEED", 1)
	for target, m := range models {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			count, more, less := 0, 0, 0
			for i := range policies {
				subject := modelled(t, target, m)
				report, file := askAtRandom(t, "", subject, &random{rand.New(rand.NewPCG(uint64(seed), uint64(i)))})
				result, err := exported(target, file)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range report.Outcomes {
					count++
					if len(o.Wrong) == 0 || !o.Seen() {
						continue
					}
					allows := slices.ContainsFunc(differ(o.Row, o.Got), func(d difference) bool { return d.more })
					if allows {
						more++
					} else {
						less++
					}
					if !excused(o, result.Findings, allows) {
						t.Errorf("policy %d: %s: %s\n%s", i, o.Row.Request.Host, o, inWords(file))
					}
				}
				if t.Failed() {
					break
				}
			}
			t.Logf("%d policies, %d requests: %d allow more, %d less, as announced", policies, count, more, less)
		})
	}
}

// excused reports whether a finding tells of o, which allows more or less.
func excused(o Outcome, findings []export.Finding, more bool) bool {
	about := o.Row.About
	if strings.HasSuffix(o.Row.Request.Host, ".") {
		about = append(slices.Clone(about), "hosts")
	}
	return slices.ContainsFunc(findings, func(f export.Finding) bool {
		switch {
		case f.Route != "" && f.Route != o.Row.Route:
			return false
		case slices.Contains([]string{"paths", "hosts", "lines"}, f.Field):
			return slices.Contains(about, f.Field)
		case f.Effect == export.Widened:
			return true
		case f.Field == "preflight-status" || f.Field == "refused-status" || f.Field == "routes" || f.Field == "upstream":
			return false
		}
		return !more || f.Effect == export.Needs && f.Route != ""
	})
}

// announcedElsewhere reports whether what is wrong with o was announced by a finding
// about another field than the row is: "*" in origins and max-age show in all rows.
func announcedElsewhere(o Outcome, findings []export.Finding) bool {
	tells := func(field string) bool {
		return slices.ContainsFunc(findings, func(f export.Finding) bool { return f.Field == field })
	}
	named := slices.ContainsFunc(findings, func(f export.Finding) bool { return f.Field == "origins" && f.Value == "*" })
	for _, wrong := range o.Wrong {
		name, _, _ := strings.Cut(wrong, ":")
		switch {
		case strings.HasPrefix(wrong, "status 200, want 20"):
		case name == "Access-Control-Max-Age" && tells("max-age"):
		case (name == "Access-Control-Allow-Origin" || name == "Vary") && named:
		case name == "Access-Control-Expose-Headers" && named && len(o.Row.Request.Header) == 0:
		case strings.HasPrefix(name, "Access-Control-") && strings.HasSuffix(wrong, "want []") && o.Row.Request.Method == http.MethodOptions:
			// Names and methods that were not asked for.
		default:
			return false
		}
	}
	return true
}

// exported is file in the language of a target, with every widening that it says.
func exported(target string, file *policyfile.File) (*export.Result, error) {
	result, err := export.To(target, file, export.Options{})
	var widening *export.WideningError
	if !errors.As(err, &widening) {
		return result, err
	}
	var o export.Options
	for _, finding := range widening.Findings {
		o.AllowWidening = append(o.AllowWidening, finding.Field)
	}
	return export.To(target, file, o)
}

func readYAML(t *testing.T, f export.File, v any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions(f.Data, v, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v\n%s", f.Name, err, f.Data)
	}
}

// upstreamOf is the upstream of a route, by the name that the export gives it.
func upstreamOf(file *policyfile.File, name string) *url.URL {
	for _, r := range file.Routes {
		if r.Pattern == name {
			return r.Upstream
		}
	}
	return file.Upstream
}

// proxyTo passes requests on, and has change look at what comes back, its own
// error too.
func proxyTo(w http.ResponseWriter, r *http.Request, to *url.URL, change func(http.Header)) {
	if to == nil {
		change(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			change(res.Header)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			change(w.Header())
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	}
	p.ServeHTTP(w, r)
}

func hostOf(r *http.Request) string {
	host, _, _ := strings.Cut(r.Host, ":")
	return strings.ToLower(host)
}

// An envoyModelRoute is a route as Envoy keeps it.
type envoyModelRoute struct {
	name                string
	path, prefix, regex string
	vary                bool
	remove              []string
	policy              *envoyModelPolicy
}

type envoyModelPolicy struct {
	origins                       []func(string) bool
	methods, names, exposed, age  string
	credentials, private, forward bool
	off                           bool
}

func (p *envoyModelPolicy) allows(origin string) bool {
	return slices.ContainsFunc(p.origins, func(match func(string) bool) bool { return match("*") || match(origin) })
}

func exactly(s string) func(string) bool { return func(o string) bool { return o == s } }

func fully(t *testing.T, expression string) func(string) bool {
	re, err := regexp.Compile(`^(?:` + expression + `)$`)
	if err != nil {
		t.Fatal(err)
	}
	return re.MatchString
}

// serveEnvoy is the filter chain: the route, cors, the router.
func serveEnvoy(w http.ResponseWriter, r *http.Request, routes []envoyModelRoute, upstream func(string) *url.URL, regex func(string) func(string) bool) {
	path := r.URL.EscapedPath()
	i := slices.IndexFunc(routes, func(route envoyModelRoute) bool {
		switch {
		case route.path != "":
			return path == route.path
		case route.regex != "":
			return regex(route.regex)(path)
		}
		return strings.HasPrefix(path, route.prefix)
	})
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	route := routes[i]
	origin, p := strings.Join(r.Header.Values("Origin"), ","), route.policy
	cors := p != nil && !p.off && origin != ""
	allowed := cors && p.allows(origin)
	asked := strings.Join(r.Header.Values("Access-Control-Request-Method"), ",")
	if cors && r.Method == http.MethodOptions && asked != "" && (allowed || !p.forward) {
		h := w.Header()
		set := func(name, value string) {
			if value != "" {
				h.Set(name, value)
			}
		}
		if allowed {
			set("Access-Control-Allow-Origin", origin)
		}
		if p.credentials {
			set("Access-Control-Allow-Credentials", "true")
		}
		if set("Access-Control-Allow-Methods", p.methods); p.methods == "*" {
			set("Access-Control-Allow-Methods", asked)
		}
		if set("Access-Control-Allow-Headers", p.names); p.names == "*" {
			h.Set("Access-Control-Allow-Headers", strings.Join(r.Header.Values("Access-Control-Request-Headers"), ","))
		}
		set("Access-Control-Max-Age", p.age)
		if p.private && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			set("Access-Control-Allow-Private-Network", "true")
		}
		w.WriteHeader(http.StatusOK)
		return
	}
	proxyTo(w, r, upstream(route.name), func(h http.Header) {
		for _, name := range route.remove {
			h.Del(name)
		}
		if route.vary {
			h.Add("Vary", "Origin")
		}
		if !allowed {
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		if p.credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if p.exposed != "" {
			h.Set("Access-Control-Expose-Headers", p.exposed)
		}
	})
}

func envoyModel(t *testing.T, f export.File, file *policyfile.File) http.Handler {
	type text struct {
		Exact     string
		SafeRegex struct{ Regex string } `yaml:"safe_regex"`
	}
	type fraction struct {
		Default struct{ Numerator int } `yaml:"default_value"`
	}
	var config struct {
		Name  string
		Hosts []struct {
			Name    string
			Domains []string
			Routes  []struct {
				Name  string
				Match struct {
					Path, Prefix string
					SafeRegex    struct{ Regex string } `yaml:"safe_regex"`
				}
				Route struct{ Cluster string }
				Add   []struct {
					Header struct{ Key, Value string }
					Action string `yaml:"append_action"`
				} `yaml:"response_headers_to_add"`
				Remove []string `yaml:"response_headers_to_remove"`
				Config map[string]struct {
					Type        string    `yaml:"@type"`
					Origins     []text    `yaml:"allow_origin_string_match"`
					Methods     string    `yaml:"allow_methods"`
					Names       string    `yaml:"allow_headers"`
					Exposed     string    `yaml:"expose_headers"`
					MaxAge      string    `yaml:"max_age"`
					Credentials bool      `yaml:"allow_credentials"`
					Private     bool      `yaml:"allow_private_network_access"`
					Forward     bool      `yaml:"forward_not_matching_preflights"`
					Enabled     *fraction `yaml:"filter_enabled"`
					Shadow      *fraction `yaml:"shadow_enabled"`
				} `yaml:"typed_per_filter_config"`
			}
		} `yaml:"virtual_hosts"`
	}
	readYAML(t, f, &config)
	hosts := map[string][]envoyModelRoute{}
	for _, h := range config.Hosts {
		var routes []envoyModelRoute
		for _, r := range h.Routes {
			route := envoyModelRoute{name: r.Name, path: r.Match.Path, prefix: r.Match.Prefix, regex: r.Match.SafeRegex.Regex, vary: len(r.Add) > 0, remove: r.Remove}
			if c, ok := r.Config["envoy.filters.http.cors"]; ok {
				p := &envoyModelPolicy{
					methods: c.Methods, names: c.Names, exposed: c.Exposed, age: c.MaxAge,
					credentials: c.Credentials, private: c.Private, forward: c.Forward, off: c.Enabled != nil && c.Enabled.Default.Numerator == 0,
				}
				for _, o := range c.Origins {
					if o.Exact != "" {
						p.origins = append(p.origins, exactly(o.Exact))
					} else {
						p.origins = append(p.origins, fully(t, o.SafeRegex.Regex))
					}
				}
				route.policy = p
			}
			routes = append(routes, route)
		}
		hosts[h.Domains[0]] = routes
	}
	return envoyHandler(t, hosts, file)
}

func envoyHandler(t *testing.T, hosts map[string][]envoyModelRoute, file *policyfile.File) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		routes, ok := hosts[hostOf(r)]
		if !ok {
			routes = hosts["*"]
		}
		serveEnvoy(w, r, routes, func(name string) *url.URL { return upstreamOf(file, name) }, func(s string) func(string) bool { return fully(t, s) })
	})
}

func istioModel(t *testing.T, f export.File, file *policyfile.File) http.Handler {
	type text struct{ Exact, Prefix, Regex string }
	type object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			Hosts []string
			HTTP  []struct {
				Name  string
				Match []struct{ URI text }
				CORS  *struct {
					Origins     []text   `yaml:"allowOrigins"`
					Methods     []string `yaml:"allowMethods"`
					Names       []string `yaml:"allowHeaders"`
					Exposed     []string `yaml:"exposeHeaders"`
					MaxAge      string   `yaml:"maxAge"`
					Credentials bool     `yaml:"allowCredentials"`
					Unmatched   string   `yaml:"unmatchedPreflights"`
				} `yaml:"corsPolicy"`
				Headers struct {
					Response struct {
						Add    map[string]string
						Remove []string
					}
				}
				Route []any
			}
		}
	}
	hosts := map[string][]envoyModelRoute{}
	for doc := range strings.SplitSeq(string(f.Data), "\n---\n") {
		var o object
		readYAML(t, export.File{Name: f.Name, Data: []byte(doc)}, &o)
		var routes []envoyModelRoute
		for _, r := range o.Spec.HTTP {
			uri := r.Match[0].URI
			route := envoyModelRoute{name: r.Name, path: uri.Exact, prefix: uri.Prefix, regex: uri.Regex, vary: len(r.Headers.Response.Add) > 0, remove: r.Headers.Response.Remove}
			if c := r.CORS; c != nil {
				p := &envoyModelPolicy{
					methods: strings.Join(c.Methods, ","), names: strings.Join(c.Names, ","), exposed: strings.Join(c.Exposed, ","),
					age: strings.TrimSuffix(c.MaxAge, "s"), credentials: c.Credentials, forward: c.Unmatched != "IGNORE",
				}
				for _, o := range c.Origins {
					if o.Exact != "" {
						p.origins = append(p.origins, exactly(o.Exact))
					} else {
						p.origins = append(p.origins, fully(t, o.Regex))
					}
				}
				route.policy = p
			}
			routes = append(routes, route)
		}
		hosts[o.Spec.Hosts[0]] = routes
	}
	return envoyHandler(t, hosts, file)
}

func kongModel(t *testing.T, f export.File, file *policyfile.File) http.Handler {
	type route struct {
		Name     string
		Hosts    []string
		Paths    []string
		Priority int  `yaml:"regex_priority"`
		Strip    bool `yaml:"strip_path"`
		Plugins  []struct {
			Name   string
			Config struct {
				Origins, Methods, Headers []string
				Exposed                   []string `yaml:"exposed_headers"`
				Credentials               bool
				Private                   bool `yaml:"private_network"`
				MaxAge                    *int `yaml:"max_age"`
				Remove                    struct{ Headers []string }
			}
		}
		to *url.URL
	}
	var config struct {
		Version  string `yaml:"_format_version"`
		Services []struct {
			Name, URL string
			Routes    []route
		}
	}
	readYAML(t, f, &config)
	var routes []route
	for _, s := range config.Services {
		to, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Routes {
			r.to = to
			if s.Name == "upstream" {
				r.to = nil
			}
			routes = append(routes, r)
		}
	}
	// A route with a host is looked at before one without.
	slices.SortStableFunc(routes, func(a, b route) int {
		if len(a.Hosts) != len(b.Hosts) {
			return len(b.Hosts) - len(a.Hosts)
		}
		return b.Priority - a.Priority
	})
	plain := regexp.MustCompile(`^[A-Za-z0-9.:/-]+$`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(routes, func(route route) bool {
			if len(route.Hosts) > 0 && !slices.Contains(route.Hosts, hostOf(r)) {
				return false
			}
			re := regexp.MustCompile("^(?:" + strings.TrimPrefix(route.Paths[0], "~") + ")")
			return re.MatchString(r.URL.Path)
		})
		if i < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		route := routes[i]
		origin, has := "", len(r.Header.Values("Origin")) > 0
		if has {
			origin = r.Header.Get("Origin")
		}
		allowOrigin := func(h http.Header, origins []string, credentials bool) {
			all := len(origins) == 0 || len(origins) == 1 && origins[0] == "*"
			switch {
			case all && credentials && has:
				h.Add("Vary", "Origin")
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Allow-Credentials", "true")
				return
			case all:
				h.Set("Access-Control-Allow-Origin", "*")
				return
			}
			h.Add("Vary", "Origin")
			if credentials {
				h.Set("Access-Control-Allow-Credentials", "true")
			}
			if len(origins) == 1 && plain.MatchString(origins[0]) {
				h.Set("Access-Control-Allow-Origin", origins[0])
				return
			}
			h.Del("Access-Control-Allow-Origin")
			if !has {
				return
			}
			// Kong compares, and answers, what is left without brackets and default ports.
			normal := strings.NewReplacer("[", "", "]", "").Replace(origin)
			if strings.HasPrefix(normal, "http://") {
				normal = strings.TrimSuffix(normal, ":80")
			} else if strings.HasPrefix(normal, "https://") {
				normal = strings.TrimSuffix(normal, ":443")
			}
			for _, o := range origins {
				if plain.MatchString(o) && normal == o || !plain.MatchString(o) && regexp.MustCompile(o).MatchString(normal) {
					h.Set("Access-Control-Allow-Origin", normal)
					return
				}
			}
		}
		for _, plugin := range route.Plugins {
			c := plugin.Config
			if plugin.Name != "cors" || r.Method != http.MethodOptions || !has || len(r.Header.Values("Access-Control-Request-Method")) == 0 {
				continue
			}
			h := w.Header()
			allowOrigin(h, c.Origins, c.Credentials)
			if len(c.Headers) > 0 {
				h.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
			} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
				h.Set("Access-Control-Allow-Headers", asked)
			}
			h.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ","))
			if c.MaxAge != nil {
				h.Set("Access-Control-Max-Age", strconv.Itoa(*c.MaxAge))
			}
			if c.Private && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
				h.Set("Access-Control-Allow-Private-Network", "true")
			}
			w.WriteHeader(http.StatusOK)
			return
		}
		proxyTo(w, r, route.to, func(h http.Header) {
			for _, plugin := range route.Plugins {
				c := plugin.Config
				if plugin.Name == "cors" {
					allowOrigin(h, c.Origins, c.Credentials)
					if len(c.Exposed) > 0 {
						h.Set("Access-Control-Expose-Headers", strings.Join(c.Exposed, ","))
					}
				}
				for _, name := range c.Remove.Headers {
					h.Del(name)
				}
			}
		})
	})
}

func apisixModel(t *testing.T, f export.File, file *policyfile.File) http.Handler {
	type route struct {
		ID, Name, Host, URI string
		Vars                [][]string
		Priority            int
		Plugins             struct {
			CORS *struct {
				Origins     string   `yaml:"allow_origins"`
				Regex       []string `yaml:"allow_origins_by_regex"`
				Methods     string   `yaml:"allow_methods"`
				Names       string   `yaml:"allow_headers"`
				Exposed     string   `yaml:"expose_headers"`
				MaxAge      int      `yaml:"max_age"`
				Credentials bool     `yaml:"allow_credential"`
			}
			Rewrite *struct {
				Meta struct {
					Priority int
				} `yaml:"_meta"`
				Headers struct{ Remove []string }
			} `yaml:"response-rewrite"`
		}
		Upstream any
	}
	var config struct{ Routes []route }
	readYAML(t, f, &config)
	slices.SortStableFunc(config.Routes, func(a, b route) int { return b.Priority - a.Priority })
	if !strings.HasSuffix(string(f.Data), "\n#END\n") {
		t.Error("APISIX waits for the end of the file")
	}
	valid := regexp.MustCompile(`^(\*|\*\*|null|\w+://[^,]+(,\w+://[^,]+)*)$`)
	for _, r := range config.Routes {
		c := r.Plugins.CORS
		if c == nil {
			continue
		}
		if !valid.MatchString(c.Origins) || c.Credentials && slices.Contains([]string{c.Origins, c.Methods, c.Names, c.Exposed}, "*") {
			t.Errorf("APISIX refuses %+v", *c)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(config.Routes, func(route route) bool {
			if route.Host != "" && route.Host != hostOf(r) {
				return false
			}
			for _, v := range route.Vars {
				if !regexp.MustCompile(v[2]).MatchString(r.URL.Path) {
					return false
				}
			}
			prefix, wild := strings.CutSuffix(route.URI, "*")
			return wild && strings.HasPrefix(r.URL.Path, prefix) || r.URL.Path == route.URI
		})
		if i < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		route := config.Routes[i]
		change := func(h http.Header) {
			// In the order of their priorities: response-rewrite 4001, cors 4000.
			if rewrite := route.Plugins.Rewrite; rewrite != nil {
				for _, name := range rewrite.Headers.Remove {
					h.Del(name)
				}
			}
			c := route.Plugins.CORS
			if c == nil {
				return
			}
			origin, has := r.Header.Get("Origin"), len(r.Header.Values("Origin")) > 0
			allow := ""
			switch {
			case c.Regex != nil:
				if has && regexp.MustCompile(strings.Join(c.Regex, "|")).MatchString(origin) {
					allow = origin
				}
			case c.Origins == "**":
				if allow = origin; !has {
					allow = "*"
				}
			case strings.Contains(c.Origins, ","):
				if has && slices.Contains(strings.Split(c.Origins, ","), origin) {
					allow = origin
				}
			default:
				allow = c.Origins
			}
			if allow != "*" && allow != origin {
				allow = ""
			}
			if c.Origins != "*" {
				h.Add("Vary", "Origin")
			}
			if allow == "" {
				return
			}
			h.Set("Access-Control-Allow-Origin", allow)
			if h.Set("Access-Control-Allow-Methods", c.Methods); c.Methods == "**" {
				h.Set("Access-Control-Allow-Methods", "GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE")
			}
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
			if c.Exposed != "" {
				h.Set("Access-Control-Expose-Headers", c.Exposed)
			}
			if h.Set("Access-Control-Allow-Headers", c.Names); c.Names == "**" {
				h.Del("Access-Control-Allow-Headers")
				if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
					h.Set("Access-Control-Allow-Headers", asked)
				}
			}
			if c.Credentials {
				h.Set("Access-Control-Allow-Credentials", "true")
			}
		}
		if route.Plugins.CORS != nil && r.Method == http.MethodOptions {
			change(w.Header())
			w.WriteHeader(http.StatusOK)
			return
		}
		proxyTo(w, r, upstreamOf(file, route.Name), change)
	})
}

// Buckets have no upstream to be a subject of the  What their patterns match
// is compared with ours, on every origin of it: where more matches, a finding said
// so.
func TestModelsOfOrigins(t *testing.T) {
	glob := func(pattern string) *regexp.Regexp {
		return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
	}
	targets := map[string]func(*testing.T, export.File) []string{
		"s3": func(t *testing.T, f export.File) []string {
			var config struct {
				CORSRules []struct{ AllowedOrigins []string }
			}
			readJSON(t, f, &config)
			return config.CORSRules[0].AllowedOrigins
		},
		"azure-blob": func(t *testing.T, f export.File) []string {
			var config struct {
				Properties struct {
					CORS struct {
						CorsRules []struct{ AllowedOrigins []string }
					}
				}
			}
			readJSON(t, f, &config)
			return config.Properties.CORS.CorsRules[0].AllowedOrigins
		},
		"gateway-api": func(t *testing.T, f export.File) []string {
			var route struct {
				Spec struct {
					Rules []struct {
						Filters []struct {
							CORS struct {
								Origins []string `yaml:"allowOrigins"`
							}
						}
					}
				}
			}
			if err := yaml.Unmarshal(f.Data, &route); err != nil {
				t.Fatal(err)
			}
			return route.Spec.Rules[0].Filters[0].CORS.Origins
		},
	}
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Policies {
		file, err := p.Parse("http://127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Routes) != 1 || file.Routes[0].Pattern != "/" || len(file.Routes[0].Policy.Origins) == 0 {
			continue
		}
		for target, patternsOf := range targets {
			t.Run(p.Name+" to "+target, func(t *testing.T) {
				result, err := exported(target, file)
				if err != nil {
					t.Fatal(err)
				}
				widens := func(effect export.Effect) bool {
					return slices.ContainsFunc(result.Findings, func(f export.Finding) bool { return f.Field == "origins" && f.Effect == effect })
				}
				asked := 0
				for _, row := range rows {
					want := len(row.Want.Header["Access-Control-Allow-Origin"]) > 0
					lines := row.Request.Header
					if row.Policy != p.Name || row.Request.Method != http.MethodGet || len(lines) != 1 || lines[0].Name != "Origin" || slices.Contains(row.About, "lines") {
						continue
					}
					asked++
					got := slices.ContainsFunc(patternsOf(t, result.Files[0]), func(pattern string) bool { return glob(pattern).MatchString(lines[0].Value) })
					switch {
					case got && !want && browsers(lines[0].Value) && !widens(export.Widened):
						t.Errorf("%q is let in", lines[0].Value)
					case want && !got && !widens(export.Narrowed):
						t.Errorf("%q is left out", lines[0].Value)
					}
				}
				if asked < 20 {
					t.Errorf("%d origins, want 20 at least", asked)
				}
			})
		}
	}
}

func readJSON(t *testing.T, f export.File, v any) {
	t.Helper()
	if err := json.Unmarshal(f.Data, v); err != nil {
		t.Fatal(err)
	}
}

// browsers reports whether a browser can send an origin.
func browsers(s string) bool {
	_, err := serialised.Parse(s)
	return err == nil
}
