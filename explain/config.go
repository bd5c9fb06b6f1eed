package explain

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

// writer writes lines of a configuration.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(w, format+"\n", args...)
}

// lineIf writes a line with list in it, unless there is none.
func (w *writer) lineIf(list []string, format string, args ...any) {
	if len(list) > 0 {
		w.line(format, args...)
	}
}

func (w *writer) text() string { return strings.TrimSuffix(w.String(), "\n") }

// quoted is list in double quotes, with commas. Its names need no escapes: see Need.
func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = `"` + s + `"`
	}
	return strings.Join(q, ", ")
}

func comma(list []string) string { return strings.Join(list, ", ") }

// canonical is header names as net/http and people write them.
func canonical(list []string) []string {
	names := make([]string, len(list))
	for i, name := range list {
		parts := strings.Split(header.Lower(name), "-")
		for j, p := range parts {
			if p != "" {
				parts[j] = strings.ToUpper(p[:1]) + p[1:]
			}
		}
		names[i] = strings.Join(parts, "-")
	}
	return names
}

// withSafelisted is methods and the three that need no mention, for servers that
// want all to be named.
func withSafelisted(methods []string) []string {
	all := []string{"GET", "HEAD", "POST"}
	for _, m := range methods {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// needsInsecureHTTP reports whether package cors wants to be told that an origin
// over plain http may have credentials.
func (n Need) needsInsecureHTTP() bool {
	u, err := url.Parse(n.Origin)
	if err != nil || u.Scheme != "http" || !n.Credentials {
		return false
	}
	host := u.Hostname()
	return host != "localhost" && !strings.HasSuffix(host, ".localhost") && !strings.HasPrefix(host, "127.") && host != "::1"
}

func libraryPolicy(n Need) string {
	var w writer
	w.line("mw, err := cors.New(cors.Policy{")
	w.line("\tOrigins:        []string{%q},", n.Origin)
	w.lineIf(n.Methods, "\tMethods:        []string{%s},", quoted(n.Methods))
	w.lineIf(n.Headers, "\tRequestHeaders: []string{%s},", quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, "\tExposedHeaders: []string{%s},", quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line("\tCredentials:    true,")
	}
	if n.needsInsecureHTTP() {
		w.line("\tInsecureAllowHTTP: true,")
	}
	w.line("})")
	w.line("if err != nil {")
	w.line("\tlog.Fatal(err)")
	w.line("}")
	w.line(`http.ListenAndServe(":8080", mw.Wrap(handler))`)
	return w.text()
}

func librarySet(name, value string) string {
	return fmt.Sprintf("w.Header().Set(%q, %q)", name, value)
}

func yamlPolicy(n Need) string {
	var w writer
	w.line("upstream: http://localhost:3000")
	w.line("routes:")
	w.line("  /:")
	w.line("    origins: [%q]", n.Origin)
	w.lineIf(n.Methods, "    methods: [%s]", quoted(n.Methods))
	w.lineIf(n.Headers, "    request-headers: [%s]", quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, "    exposed-headers: [%s]", quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line("    credentials: true")
	}
	if n.needsInsecureHTTP() {
		w.line("    insecure-allow-http: true")
	}
	return w.text()
}

func yamlSet(name, value string) string {
	return fmt.Sprintf("# cors serve passes on what the upstream sends; send there:\n# %s: %s", name, value)
}

// nginxPolicy answers preflights in the server's rewrite phase, before any
// location, and takes away what the upstream says. An empty value sends no line.
func nginxPolicy(n Need) string {
	var w writer
	w.line(`set $cors_origin "";`)
	w.line(`set $cors_methods "";`)
	w.line(`set $cors_headers "";`)
	w.line(`set $cors_credentials "";`)
	w.line(`set $cors_expose "";`)
	w.line(`if ($http_origin = "%s") {`, n.Origin)
	w.line(`    set $cors_origin $http_origin;`)
	if n.Credentials {
		w.line(`    set $cors_credentials "true";`)
	}
	w.lineIf(n.Exposed, `    set $cors_expose "%s";`, comma(canonical(n.Exposed)))
	w.line(`}`)
	w.line(`set $cors_preflight "$request_method $http_access_control_request_method $cors_origin";`)
	w.line(`if ($cors_preflight ~ "^OPTIONS [^ ]+ [^ ]") {`)
	w.lineIf(n.Methods, `    set $cors_methods "%s";`, comma(n.Methods))
	w.lineIf(n.Headers, `    set $cors_headers "%s";`, comma(n.Headers))
	w.line(`    return 204;`)
	w.line(`}`)
	w.line(`add_header Access-Control-Allow-Origin $cors_origin always;`)
	w.line(`add_header Access-Control-Allow-Credentials $cors_credentials always;`)
	w.line(`add_header Access-Control-Allow-Methods $cors_methods always;`)
	w.line(`add_header Access-Control-Allow-Headers $cors_headers always;`)
	w.line(`add_header Access-Control-Expose-Headers $cors_expose always;`)
	w.line(`add_header Vary Origin always;`)
	w.line(`proxy_hide_header Access-Control-Allow-Origin;`)
	w.line(`proxy_hide_header Access-Control-Allow-Credentials;`)
	w.line(`proxy_hide_header Access-Control-Expose-Headers;`)
	return w.text()
}

func nginxSet(name, value string) string {
	return fmt.Sprintf("proxy_hide_header %s;\nadd_header %s %q always;", name, name, value)
}

// apachePolicy unsets in both of httpd's tables: what a proxied server sent is in
// the one, what httpd says itself in the other.
func apachePolicy(n Need) string {
	var w writer
	w.line(`SetEnvIf Origin "^%s$" CORS_ORIGIN=$0`, regexpQuote(n.Origin))
	w.line(`Header unset Access-Control-Allow-Origin`)
	w.line(`Header unset Access-Control-Allow-Credentials`)
	w.line(`Header unset Access-Control-Expose-Headers`)
	w.line(`Header always set Access-Control-Allow-Origin "%%{CORS_ORIGIN}e" env=CORS_ORIGIN`)
	if n.Credentials {
		w.line(`Header always set Access-Control-Allow-Credentials "true" env=CORS_ORIGIN`)
	}
	w.lineIf(n.Methods, `Header always set Access-Control-Allow-Methods "%s" env=CORS_ORIGIN`, comma(n.Methods))
	w.lineIf(n.Headers, `Header always set Access-Control-Allow-Headers "%s" env=CORS_ORIGIN`, comma(n.Headers))
	w.lineIf(n.Exposed, `Header always set Access-Control-Expose-Headers "%s" env=CORS_ORIGIN`, comma(canonical(n.Exposed)))
	w.line(`Header always merge Vary Origin`)
	w.line(`RewriteEngine On`)
	w.line(`RewriteCond %%{REQUEST_METHOD} =OPTIONS`)
	w.line(`RewriteCond %%{HTTP:Access-Control-Request-Method} !=""`)
	w.line(`RewriteCond %%{ENV:CORS_ORIGIN} !=""`)
	w.line(`RewriteRule ^ - [R=204,L]`)
	return w.text()
}

// regexpQuote quotes an origin for httpd, where \ needs none of its own.
func regexpQuote(s string) string {
	return strings.NewReplacer(".", `\.`, "[", `\[`, "]", `\]`).Replace(s)
}

func apacheSet(name, value string) string {
	return fmt.Sprintf("Header unset %s\nHeader always set %s %q", name, name, value)
}

// caddyPolicy sets when the answer is written (defer). Of two header directives in
// a route the second is the inner one, and so removes what the upstream says
// before the first adds to it. Caddy's own errors take another way.
func caddyPolicy(n Need) string {
	var w writer
	w.line(`@cors header Origin %s`, n.Origin)
	w.line(`@preflight {`)
	w.line(`	method OPTIONS`)
	w.line(`	header Origin %s`, n.Origin)
	w.line(`	header Access-Control-Request-Method *`)
	w.line(`}`)
	set := func(indent string) {
		w.line(indent + `header @cors {`)
		w.line(indent+`	Access-Control-Allow-Origin %s`, n.Origin)
		if n.Credentials {
			w.line(indent + `	Access-Control-Allow-Credentials true`)
		}
		w.lineIf(n.Methods, indent+`	Access-Control-Allow-Methods "%s"`, comma(n.Methods))
		w.lineIf(n.Headers, indent+`	Access-Control-Allow-Headers "%s"`, comma(n.Headers))
		w.lineIf(n.Exposed, indent+`	Access-Control-Expose-Headers "%s"`, comma(canonical(n.Exposed)))
		w.line(indent + `	defer`)
		w.line(indent + `}`)
	}
	w.line(`route {`)
	set(`	`)
	w.line(`	header {`)
	w.line(`		-Access-Control-*`)
	w.line(`		+Vary Origin`)
	w.line(`		defer`)
	w.line(`	}`)
	w.line(`	respond @preflight 204`)
	w.line(`}`)
	w.line(`handle_errors {`)
	set(`	`)
	w.line(`	header +Vary Origin`)
	w.line(`}`)
	return w.text()
}

func caddySet(name, value string) string {
	return fmt.Sprintf("header {\n\t%s %s\n\tdefer\n}", name, value)
}

// haproxyPolicy sets in http-after-response, which HAProxy's own errors go
// through too.
func haproxyPolicy(n Need) string {
	var w writer
	w.line(`acl cors_preflight method OPTIONS`)
	w.line(`acl cors_asks req.hdr(Access-Control-Request-Method) -m found`)
	w.line(`http-request set-var(txn.cors_origin) req.hdr(Origin) if { req.hdr(Origin) -m str %s }`, n.Origin)
	w.line(`http-request set-var(txn.cors_preflight) bool(true) if cors_preflight cors_asks { var(txn.cors_origin) -m found }`)
	w.line(`http-request return status 204 if { var(txn.cors_preflight) -m bool }`)
	w.line(`http-after-response del-header Access-Control-Allow-Origin`)
	w.line(`http-after-response del-header Access-Control-Allow-Credentials`)
	w.line(`http-after-response del-header Access-Control-Expose-Headers`)
	w.line(`http-after-response set-header Access-Control-Allow-Origin %%[var(txn.cors_origin)] if { var(txn.cors_origin) -m found }`)
	if n.Credentials {
		w.line(`http-after-response set-header Access-Control-Allow-Credentials true if { var(txn.cors_origin) -m found }`)
	}
	w.lineIf(n.Exposed, `http-after-response set-header Access-Control-Expose-Headers "%s" if { var(txn.cors_origin) -m found }`, comma(canonical(n.Exposed)))
	w.lineIf(n.Methods, `http-after-response set-header Access-Control-Allow-Methods "%s" if { var(txn.cors_preflight) -m bool }`, comma(n.Methods))
	w.lineIf(n.Headers, `http-after-response set-header Access-Control-Allow-Headers "%s" if { var(txn.cors_preflight) -m bool }`, comma(n.Headers))
	w.line(`http-after-response add-header Vary Origin`)
	return w.text()
}

func haproxySet(name, value string) string {
	return fmt.Sprintf("http-after-response set-header %s %s", name, value)
}

func expressPolicy(n Need) string {
	var w writer
	w.line(`const cors = require("cors");`)
	w.line(`app.use(cors({`)
	w.line(`  origin: [%q],`, n.Origin)
	w.lineIf(n.Methods, `  methods: [%s],`, quoted(withSafelisted(n.Methods)))
	w.lineIf(n.Headers, `  allowedHeaders: [%s],`, quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, `  exposedHeaders: [%s],`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`  credentials: true,`)
	}
	w.line(`}));`)
	return w.text()
}

func expressSet(name, value string) string {
	return fmt.Sprintf("app.use((req, res, next) => { res.set(%q, %q); next(); });", name, value)
}

func springPolicy(n Need) string {
	var w writer
	w.line(`@Bean`)
	w.line(`CorsConfigurationSource corsConfigurationSource() {`)
	w.line(`    var cors = new CorsConfiguration();`)
	w.line(`    cors.setAllowedOrigins(List.of(%q));`, n.Origin)
	w.line(`    cors.setAllowedMethods(List.of(%s));`, quoted(withSafelisted(n.Methods)))
	w.lineIf(n.Headers, `    cors.setAllowedHeaders(List.of(%s));`, quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, `    cors.setExposedHeaders(List.of(%s));`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`    cors.setAllowCredentials(true);`)
	}
	w.line(`    var source = new UrlBasedCorsConfigurationSource();`)
	w.line(`    source.registerCorsConfiguration("/**", cors);`)
	w.line(`    return source;`)
	w.line(`}`)
	w.line(``)
	w.line(`@Bean // without Spring Security; with it: http.cors(withDefaults())`)
	w.line(`FilterRegistrationBean<CorsFilter> corsFilter(CorsConfigurationSource source) {`)
	w.line(`    var bean = new FilterRegistrationBean<>(new CorsFilter(source));`)
	w.line(`    bean.setOrder(Ordered.HIGHEST_PRECEDENCE);`)
	w.line(`    return bean;`)
	w.line(`}`)
	return w.text()
}

func springSet(name, value string) string {
	return fmt.Sprintf("response.setHeader(%q, %q);", name, value)
}

func djangoPolicy(n Need) string {
	var w writer
	w.line(`INSTALLED_APPS = [*INSTALLED_APPS, "corsheaders"]`)
	w.line(`MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *MIDDLEWARE]`)
	w.line(`CORS_ALLOWED_ORIGINS = [%q]`, n.Origin)
	w.lineIf(n.Methods, `CORS_ALLOW_METHODS = [%s]`, quoted(withSafelisted(n.Methods)))
	w.lineIf(n.Headers, `CORS_ALLOW_HEADERS = [%s]`, quoted(n.Headers))
	w.lineIf(n.Exposed, `CORS_EXPOSE_HEADERS = [%s]`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`CORS_ALLOW_CREDENTIALS = True`)
	}
	return w.text()
}

func djangoSet(name, value string) string { return fmt.Sprintf("response[%q] = %q", name, value) }

func fastapiPolicy(n Need) string {
	var w writer
	w.line(`from starlette.middleware.cors import CORSMiddleware`)
	w.line(``)
	w.line(`app.add_middleware(`)
	w.line(`    CORSMiddleware,`)
	w.line(`    allow_origins=[%q],`, n.Origin)
	w.line(`    allow_methods=[%s],`, quoted(withSafelisted(n.Methods)))
	w.lineIf(n.Headers, `    allow_headers=[%s],`, quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, `    expose_headers=[%s],`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`    allow_credentials=True,`)
	}
	w.line(`)`)
	return w.text()
}

func fastapiSet(name, value string) string {
	return fmt.Sprintf("response.headers[%q] = %q", name, value)
}

func railsPolicy(n Need) string {
	var w writer
	w.line(`Rails.application.config.middleware.insert_before 0, Rack::Cors do`)
	w.line(`  allow do`)
	w.line(`    origins %q`, n.Origin)
	var symbols []string
	for _, m := range append(withSafelisted(n.Methods), "OPTIONS") {
		if m == "*" {
			symbols = []string{":any"}
			break
		}
		symbols = append(symbols, ":"+strings.ReplaceAll(strings.ToLower(m), "-", "_"))
	}
	methods := "[" + strings.Join(symbols, ", ") + "]"
	w.line(`    resource "*",`)
	w.lineIf(n.Headers, `      headers: [%s],`, quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, `      expose: [%s],`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`      credentials: true,`)
	}
	w.line(`      methods: %s`, methods)
	w.line(`  end`)
	w.line(`end`)
	return w.text()
}

func railsSet(name, value string) string {
	return fmt.Sprintf("response.set_header(%q, %q)", name, value)
}

func aspnetPolicy(n Need) string {
	var w writer
	w.line(`builder.Services.AddCors(options => options.AddDefaultPolicy(policy => policy`)
	w.line(`    .WithOrigins(%q)`, n.Origin)
	w.lineIf(n.Headers, `    .WithHeaders(%s)`, quoted(canonical(n.Headers)))
	w.lineIf(n.Exposed, `    .WithExposedHeaders(%s)`, quoted(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`    .AllowCredentials()`)
	}
	w.line(`    .WithMethods(%s)));`, quoted(withSafelisted(n.Methods)))
	w.line(``)
	w.line(`var app = builder.Build();`)
	w.line(`app.UseRouting();`)
	w.line(`app.UseCors();`)
	return w.text()
}

func aspnetSet(name, value string) string {
	return fmt.Sprintf("context.Response.Headers[%q] = %q;", name, value)
}

// s3Policy knows only five methods. S3 allows credentials wherever the origin is
// named.
func s3Policy(n Need) string {
	var methods []string
	for _, m := range withSafelisted(n.Methods) {
		if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE"}, m) {
			methods = append(methods, m)
		}
	}
	var w writer
	w.line(`{`)
	w.line(`  "CORSRules": [`)
	w.line(`    {`)
	w.line(`      "AllowedOrigins": [%q],`, n.Origin)
	w.lineIf(n.Headers, `      "AllowedHeaders": [%s],`, quoted(n.Headers))
	w.lineIf(n.Exposed, `      "ExposeHeaders": [%s],`, quoted(canonical(n.Exposed)))
	w.line(`      "AllowedMethods": [%s]`, quoted(methods))
	w.line(`    }`)
	w.line(`  ]`)
	w.line(`}`)
	return w.text()
}

func s3Set(name, value string) string {
	return fmt.Sprintf("# in a CloudFront response headers policy, since S3 sends no such header:\n# %s: %s", name, value)
}

func apiGatewayPolicy(n Need) string {
	cors := struct {
		AllowOrigins     []string `json:"AllowOrigins"`
		AllowMethods     []string `json:"AllowMethods"`
		AllowHeaders     []string `json:"AllowHeaders,omitempty"`
		ExposeHeaders    []string `json:"ExposeHeaders,omitempty"`
		AllowCredentials bool     `json:"AllowCredentials,omitempty"`
	}{[]string{n.Origin}, withSafelisted(n.Methods), n.Headers, canonical(n.Exposed), n.Credentials}
	text, err := json.Marshal(cors)
	if err != nil {
		return ""
	}
	return "aws apigatewayv2 update-api --api-id API_ID --cors-configuration '" + string(text) + "'"
}

func apiGatewaySet(name, value string) string {
	return fmt.Sprintf("aws apigatewayv2 update-integration --api-id API_ID --integration-id INTEGRATION_ID --response-parameters '{\"200\": {\"overwrite:header.%s\": %q}}'", name, value)
}

func envoyPolicy(n Need) string {
	var w writer
	w.line(`http_filters:`)
	w.line(`- name: envoy.filters.http.cors`)
	w.line(`  typed_config:`)
	w.line(`    "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors`)
	w.line(``)
	w.line(`virtual_hosts:`)
	w.line(`- name: api`)
	w.line(`  typed_per_filter_config:`)
	w.line(`    envoy.filters.http.cors:`)
	w.line(`      "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy`)
	w.line(`      allow_origin_string_match:`)
	w.line(`      - exact: %q`, n.Origin)
	w.line(`      allow_methods: %q`, comma(withSafelisted(n.Methods)))
	w.lineIf(n.Headers, `      allow_headers: %q`, comma(n.Headers))
	w.lineIf(n.Exposed, `      expose_headers: %q`, comma(canonical(n.Exposed)))
	if n.Credentials {
		w.line(`      allow_credentials: true`)
	}
	return w.text()
}

func envoySet(name, value string) string {
	return fmt.Sprintf("response_headers_to_add:\n- header: { key: %s, value: %s }\n  append_action: OVERWRITE_IF_EXISTS_OR_ADD", name, value)
}
