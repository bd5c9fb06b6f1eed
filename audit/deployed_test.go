package audit_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/crossorigin/cors/audit"
)

// A deployment is a part of a configuration in the style of those that people run.
type deployment struct {
	row, rule, config string // rule is "" for what is safe
}

var nginx = []deployment{
	{"the origin is echoed", "reflect-any", `add_header Access-Control-Allow-Origin $http_origin always; add_header Access-Control-Allow-Credentials true always; return 200 "hello";`},
	{"the site is looked for anywhere", "substring", `if ($http_origin ~* "target\.com") { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; } return 200 "hello";`},
	{"the pattern has no end", "prefix", `if ($http_origin ~* "^https?://(localhost|app\.target\.com)") { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; } return 200 "hello";`},
	{"the pattern has no beginning", "suffix", `if ($http_origin ~* "target\.com$") { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; } return 200 "hello";`},
	{"the dots are not escaped", "unescaped-dot", `if ($http_origin ~ "^https://www.target.com$") { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; } return 200 "hello";`},
	{"preflights are answered for everybody", "preflight-only", `if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; add_header Access-Control-Allow-Methods "GET, PUT"; add_header Access-Control-Allow-Headers "Content-Type"; return 204; } return 200 "hello";`},
	{"two lines are added", "allow-origin-twice", `add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Origin https://app.target.com; return 200 "hello";`},
	{"* beside credentials", "wildcard-credentials", `add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Credentials true; return 200 "hello";`},
	{"a public API", "", `add_header Access-Control-Allow-Origin *; return 200 "hello";`},
	{"one origin", "", `add_header Access-Control-Allow-Origin https://app.target.com; add_header Access-Control-Allow-Credentials true; return 200 "hello";`},
	{"a pattern with both ends", "", `if ($http_origin ~ "^https://(app|www)\.target\.com$") { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; add_header Vary Origin; } return 200 "hello";`},
	{"no CORS", "", `return 200 "hello";`},
	{"a login in front", "", `return 401;`},
}

var haproxy = []deployment{
	{"the origin is echoed", "reflect-any", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)]`},
	{"the site is looked for anywhere", "substring", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m sub target.com }`},
	{"what ends like the site", "suffix", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m end target.com }`},
	{"what begins like the page", "prefix", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m beg https://app.target.com }`},
	{"any subdomain", "subdomains", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m reg ^https://[a-z0-9.-]+\.target\.com$ }`},
	{"a list", "", `http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m str https://app.target.com https://www.target.com }`},
}

var apache = []deployment{
	{"the origin is echoed", "reflect-any", "SetEnvIf Origin \"(.+)\" ORIGIN=$1\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true"},
	{"the pattern has no end, and the whole origin is echoed", "prefix", "SetEnvIf Origin \"^(https://app\\.target\\.com.*)\" ORIGIN=$1\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true"},
	{"null is on the list", "null", "SetEnvIf Origin \"^(null|https://app\\.target\\.com)$\" ORIGIN=$1\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true"},
	{"localhost is on the list", "localhost", "SetEnvIf Origin \"^(http://localhost:3000|https://app\\.target\\.com)$\" ORIGIN=$1\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true"},
	{"the pattern has no end, and only what it matches is echoed", "", "SetEnvIf Origin \"^https://app\\.target\\.com\" ORIGIN=$0\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true"},
	{"a list", "", "SetEnvIf Origin \"^(https://(app|www)\\.target\\.com)$\" ORIGIN=$1\nHeader always set Access-Control-Allow-Origin %{ORIGIN}e env=ORIGIN\nHeader always set Access-Control-Allow-Credentials true\nHeader always merge Vary Origin"},
}

// via is a transport to a server that stands for https://api.target.com.
type via struct {
	address   string
	transport *http.Transport
}

func (v via) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = "http", v.address, "api.target.com"
	return v.transport.RoundTrip(out)
}

// TestWhatPeopleDeploy audits nginx, HAProxy and Apache as they are configured.
func TestWhatPeopleDeploy(t *testing.T) {
	tests := []struct {
		program     string
		deployments []deployment
		config      func(dir string, ports []int) string
		args        func(config string) []string
	}{
		{"nginx", nginx, func(dir string, ports []int) string {
			s := "pid " + dir + "/pid; daemon off; error_log stderr crit; events {} http { access_log off;"
			for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				s += kind + "_temp_path " + dir + "/" + kind + ";"
			}
			for i, d := range nginx {
				s += fmt.Sprintf("server { listen 127.0.0.1:%d; location / { %s } }\n", ports[i], d.config)
			}
			return s + "}"
		}, func(config string) []string { return []string{"-c", config} }},
		{"haproxy", haproxy, func(_ string, ports []int) string {
			s := "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
			for i, d := range haproxy {
				s += fmt.Sprintf("frontend f%d\n  bind 127.0.0.1:%d\n  http-request set-var(txn.origin) req.hdr(origin)\n  http-after-response set-header Access-Control-Allow-Credentials true\n  http-after-response set-header Vary Origin\n  %s\n  http-request return status 200 content-type text/plain string hello\n", i, ports[i], d.config)
			}
			return s
		}, func(config string) []string { return []string{"-db", "-f", config} }},
		{"apache2", apache, func(dir string, ports []int) string {
			s := "ServerName target\nPidFile " + dir + "/pid\nErrorLog /dev/null\nDocumentRoot " + dir + "\n"
			for _, m := range []string{"mpm_event", "headers", "setenvif", "authz_core"} {
				s += "LoadModule " + m + "_module /usr/lib/apache2/modules/mod_" + m + ".so\n"
			}
			s += "<Directory " + dir + ">\nRequire all granted\n</Directory>\n"
			for i, d := range apache {
				s += fmt.Sprintf("Listen 127.0.0.1:%d\n<VirtualHost *:%d>\n%s\n</VirtualHost>\n", ports[i], ports[i], d.config)
			}
			return s
		}, func(config string) []string { return []string{"-X", "-f", config} }},
	}
	for _, tt := range tests {
		t.Run(tt.program, func(t *testing.T) {
			if _, err := exec.LookPath(tt.program); err != nil {
				t.Skipf("there is no %s", tt.program)
			}
			dir, err := os.MkdirTemp("", "audit") // where an ordinary user may read
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			os.Chmod(dir, 0o755)
			ports := freePorts(t, len(tt.deployments))
			config := filepath.Join(dir, "config")
			if err := os.WriteFile(config, []byte(tt.config(dir, ports)), 0o644); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(filepath.Join(dir, "users"), []byte(body), 0o644)
			cmd := exec.Command(tt.program, tt.args(config)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
			for i, d := range tt.deployments {
				address := fmt.Sprintf("127.0.0.1:%d", ports[i])
				if !answers(address) {
					t.Fatalf("%s does not answer", tt.program)
				}
				t.Run(d.row, func(t *testing.T) { judge(t, d, address) })
			}
		})
	}
}

func judge(t *testing.T, d deployment, address string) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	got := auditOf(t, &audit.Auditor{Transport: via{address, transport}}, "https://api.target.com/users")
	if got.Unreachable != "" {
		t.Fatalf("unreachable: %s", got.Unreachable)
	}
	found := d.rule == ""
	for _, f := range got.Findings {
		found = found || f.Rule.ID == d.rule
		if d.rule == "" && f.Severity > audit.Info {
			t.Errorf("accused of %s: %s %v", f.Rule.ID, f.Got, f.Origins)
		}
	}
	if !found {
		t.Errorf("%s is not found", d.rule)
	}
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at once, so that no port comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// answers waits for a server to listen.
func answers(address string) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return true
		}
	}
	return false
}
