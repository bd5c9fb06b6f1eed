package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Server is one for which this package knows how to write a mend. Its text is
// the name by which a user asks for it.
type Server string

// The servers.
const (
	Library    Server = "cors"
	CORSYAML   Server = "cors.yaml"
	Nginx      Server = "nginx"
	Apache     Server = "apache"
	Caddy      Server = "caddy"
	HAProxy    Server = "haproxy"
	Express    Server = "express"
	Spring     Server = "spring"
	Django     Server = "django"
	FastAPI    Server = "fastapi"
	Rails      Server = "rails"
	ASPNETCore Server = "aspnetcore"
	S3         Server = "s3"
	APIGateway Server = "apigateway"
	Envoy      Server = "envoy"
)

// Servers returns every server.
func Servers() []Server {
	all := make([]Server, len(servers))
	for i, s := range servers {
		all[i] = s.server
	}
	return all
}

// ParseServer reads the name of a server, or one by which it is known too.
func ParseServer(name string) (Server, error) {
	lower := strings.ToLower(name)
	for _, s := range servers {
		if lower == string(s.server) || slices.Contains(s.aliases, lower) {
			return s.server, nil
		}
	}
	var known []string
	for _, s := range servers {
		known = append(known, string(s.server))
	}
	return "", fmt.Errorf("server %q: the mend can be written for %s", name, strings.Join(known, ", "))
}

// Name is how its makers write it.
func (s Server) Name() string { return s.entry().name }

// Place says where the configuration goes.
func (s Server) Place(l Language) string { return s.entry().place[l] }

func (s Server) entry() serverEntry {
	for _, e := range servers {
		if e.server == s {
			return e
		}
	}
	return serverEntry{}
}

// serverEntry is what is known of a server.
type serverEntry struct {
	server  Server
	aliases []string
	name    string
	place   phrase
	policy  func(Need) string               // a policy that allows this
	set     func(name, value string) string // one response-header, always
}

var servers = []serverEntry{
	{Library, []string{"go", "library"}, "Go, package cors", phrase{
		"around your handler, outside of everything else",
		"ハンドラーのいちばん外側に",
	}, libraryPolicy, librarySet},
	{CORSYAML, []string{"yaml", "gateway", "policyfile"}, "cors serve", phrase{
		"in cors.yaml; run: cors serve --policy cors.yaml",
		"cors.yaml に書き、cors serve --policy cors.yaml を実行",
	}, yamlPolicy, yamlSet},
	{Nginx, nil, "nginx", phrase{
		"in the server block, outside of any location; remove the add_header lines for Access-Control-* that are there",
		"server ブロックの中、location の外に。既存の Access-Control-* の add_header は削除",
	}, nginxPolicy, nginxSet},
	{Apache, []string{"httpd", "apache2"}, "Apache httpd", phrase{
		"in the <VirtualHost>, with the modules headers, rewrite and setenvif (a2enmod headers rewrite setenvif)",
		"<VirtualHost> の中に。モジュール headers、rewrite、setenvif が必要（a2enmod headers rewrite setenvif）",
	}, apachePolicy, apacheSet},
	{Caddy, nil, "Caddy", phrase{
		"in the site block, before reverse_proxy",
		"サイトブロックの中、reverse_proxy の前に",
	}, caddyPolicy, caddySet},
	{HAProxy, nil, "HAProxy", phrase{
		"in the frontend, before its other http-request lines",
		"frontend の中、ほかの http-request 行より前に",
	}, haproxyPolicy, haproxySet},
	{Express, []string{"node"}, "Express", phrase{
		"before every route and every login (npm install cors)",
		"すべてのルートとログイン処理より前に（npm install cors）",
	}, expressPolicy, expressSet},
	{Spring, []string{"springboot", "spring-boot"}, "Spring", phrase{
		"in a @Configuration class; with Spring Security also http.cors(withDefaults())",
		"@Configuration クラスの中に。Spring Security を使うなら http.cors(withDefaults()) も",
	}, springPolicy, springSet},
	{Django, nil, "Django", phrase{
		"in settings.py (pip install django-cors-headers)",
		"settings.py に（pip install django-cors-headers）",
	}, djangoPolicy, djangoSet},
	{FastAPI, []string{"starlette"}, "FastAPI, Starlette", phrase{
		"after all other add_middleware calls, so that it is outermost",
		"ほかの add_middleware の後に（最後に加えたものがいちばん外側になる）",
	}, fastapiPolicy, fastapiSet},
	{Rails, []string{"rack"}, "Rails", phrase{
		"in config/initializers/cors.rb (bundle add rack-cors)",
		"config/initializers/cors.rb に（bundle add rack-cors）",
	}, railsPolicy, railsSet},
	{ASPNETCore, []string{"asp.net", "aspnet", "dotnet", "asp.net core"}, "ASP.NET Core", phrase{
		"in Program.cs; UseCors before UseAuthentication and the endpoints",
		"Program.cs に。UseCors は UseAuthentication とエンドポイントより前に",
	}, aspnetPolicy, aspnetSet},
	{S3, []string{"aws-s3"}, "AWS S3", phrase{
		"in cors.json; then: aws s3api put-bucket-cors --bucket BUCKET --cors-configuration file://cors.json",
		"cors.json に書き、aws s3api put-bucket-cors --bucket BUCKET --cors-configuration file://cors.json を実行",
	}, s3Policy, s3Set},
	{APIGateway, []string{"api-gateway", "aws-api-gateway"}, "AWS API Gateway", phrase{
		"in a shell, for an HTTP API; the integration must send no Access-Control-* of its own",
		"HTTP API 向け。シェルで実行し、統合先からは Access-Control-* を返さない",
	}, apiGatewayPolicy, apiGatewaySet},
	{Envoy, []string{"istio"}, "Envoy", phrase{
		"the filter before envoy.filters.http.router; the policy in the virtual host",
		"フィルターは envoy.filters.http.router の前に、ポリシーは virtual host に",
	}, envoyPolicy, envoySet},
}

// Config is what to write for s, or "" where no server's configuration helps.
func (d *Diagnosis) Config(s Server) string {
	e, c := s.entry(), d.Cause.entry()
	if c == nil || e.policy == nil {
		return ""
	}
	switch c.fix {
	case fixPolicy:
		return e.policy(d.Need)
	case fixCORP:
		return e.set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	return ""
}

// guess says what seems to have sent the last answer: an application that says
// so before the proxy in front of it, which is in every answer.
func guess(exchanges []*fetch.Exchange) Server {
	for i := len(exchanges) - 1; i >= 0; i-- {
		h := exchanges[i].ResponseHeader
		for _, sign := range signs {
			for _, value := range header.Lines(h, sign.header) {
				if strings.Contains(strings.ToLower(value), sign.value) {
					return sign.server
				}
			}
		}
	}
	return ""
}

var signs = []struct {
	header, value string
	server        Server
}{
	{"X-Powered-By", "express", Express},
	{"X-Powered-By", "asp.net", ASPNETCore},
	{"Server", "kestrel", ASPNETCore},
	{"X-Application-Context", "", Spring},
	{"X-Runtime", "", Rails},
	{"Server", "uvicorn", FastAPI},
	{"Server", "hypercorn", FastAPI},
	{"Server", "wsgiserver", Django},
	{"Server", "gunicorn", Django},
	{"Server", "amazons3", S3},
	{"Apigw-Requestid", "", APIGateway},
	{"X-Amz-Apigw-Id", "", APIGateway},
	{"Server", "envoy", Envoy},
	{"Server", "openresty", Nginx},
	{"Server", "nginx", Nginx},
	{"Server", "apache", Apache},
	{"Server", "caddy", Caddy},
	{"Via", "caddy", Caddy},
	{"Server", "haproxy", HAProxy},
}
