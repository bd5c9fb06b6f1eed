package engine

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// An Engine is a server that is installed as a program.
type Engine struct {
	Program string
	args    []string // CONFIG is the path of the configuration, DIR its directory
	config  *template.Template
	reload  reload
}

// A Config is what goes into the configuration with which an engine runs.
type Config struct {
	Outside  string // beside the server: in nginx's http, HAProxy's and Apache's file, before Caddy's site
	Inside   string // in the server
	Upstream string // the host and port to which the server passes all on; "" where Inside says what it does
}

// The engines. None writes outside its directory.
var (
	Nginx = newEngine("nginx", bySignal(syscall.SIGHUP), `
daemon off; pid {{.Dir}}/pid; error_log {{.Dir}}/error.log; events {}
http {
	access_log off;
	client_body_temp_path {{.Dir}}; proxy_temp_path {{.Dir}}; fastcgi_temp_path {{.Dir}}; uwsgi_temp_path {{.Dir}}; scgi_temp_path {{.Dir}};
{{.Outside}}
	server {
		listen {{.Address}};
{{.Inside}}
		{{if .Upstream}}location / { proxy_pass http://{{.Upstream}}; }{{end}}
	}
}`, "-c", "CONFIG")

	Apache = newEngine("apache2", bySignal(syscall.SIGHUP), `
ServerRoot {{.Dir}}
Listen {{.Address}}
ServerName localhost
PidFile {{.Dir}}/pid
DefaultRuntimeDir {{.Dir}}
ErrorLog {{.Dir}}/error.log
User www-data
{{range .Modules}}LoadModule {{.}}_module /usr/lib/apache2/modules/mod_{{.}}.so
{{end}}{{.Outside}}
<VirtualHost {{.Address}}>
{{.Inside}}
{{if .Upstream}}ProxyPass / http://{{.Upstream}}/{{end}}
</VirtualHost>`, "-D", "FOREGROUND", "-f", "CONFIG")

	Caddy = newEngine("caddy", byItself("reload", "--adapter", "caddyfile", "--config", "CONFIG", "--address", "unix/DIR/admin"), `
{
	admin unix/{{.Dir}}/admin
	auto_https off
	storage file_system {{.Dir}}
}
{{.Outside}}
http://:{{.Port}} {
	bind {{.Host}}
{{.Inside}}
	{{if .Upstream}}reverse_proxy {{.Upstream}}{{end}}
}`, "run", "--adapter", "caddyfile", "--config", "CONFIG")

	HAProxy = newEngine("haproxy", bySignal(sigUSR2).andAgain(time.Second), `
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
{{.Outside}}
frontend front
	bind {{.Address}}
{{.Inside}}
{{if .Upstream}}	default_backend back
backend back
	server s {{.Upstream}}{{end}}
`, "-W", "-f", "CONFIG")
)

// apacheModules are those that are loaded.
var apacheModules = []string{"mpm_event", "authz_core", "headers", "rewrite", "setenvif", "env", "proxy", "proxy_http", "ssl"}

func newEngine(program string, reload reload, config string, args ...string) *Engine {
	return &Engine{program, args, template.Must(template.New(program).Parse(strings.TrimPrefix(config, "\n") + "\n")), reload}
}

// A reload has an engine read its configuration again.
type reload struct {
	ask   func(*Process) error
	again time.Duration // after which it is asked once more, if need be; 0 is never
}

func bySignal(s os.Signal) reload {
	return reload{ask: func(p *Process) error { return p.Signal(s) }}
}

// byItself runs the program again, with other arguments.
func byItself(args ...string) reload {
	return reload{ask: func(p *Process) error {
		out, err := exec.Command(p.engine.Program, p.fill(args)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", p.engine.Program, args[0], err, out)
		}
		return nil
	}}
}

// andAgain is for HAProxy, which loses a signal while it is busy with another.
func (r reload) andAgain(d time.Duration) reload {
	r.again = d
	return r
}

// Installed returns why e cannot be run, or nil.
func (e *Engine) Installed() error {
	if _, err := exec.LookPath(e.Program); err != nil {
		return fmt.Errorf("%s is not installed", e.Program)
	}
	return nil
}

// Version is what e says of itself, as in "1.22.1"; "" where it does not.
func (e *Engine) Version() string {
	flag := "-v"
	if e == Caddy {
		flag = "version"
	}
	said, err := exec.Command(e.Program, flag).CombinedOutput()
	if err != nil {
		return ""
	}
	return version.FindString(string(said))
}

var version = regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+`)

// A Process is an engine that runs.
type Process struct {
	URL     string // http, without a path
	engine  *Engine
	dir     string
	address string
	cmd     *exec.Cmd
	said    strings.Builder
	ended   chan struct{}
}

// Start runs e, and returns when it listens. Dir is for the configuration, and
// for all that e writes; its users may be others than this process's.
func (e *Engine) Start(dir string, c Config) (*Process, error) {
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &Process{URL: "http://" + address, engine: e, dir: dir, address: address, ended: make(chan struct{})}
	if err := p.Write(c); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(e.Program, p.fill(e.args)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	return p, p.listen(reload{})
}

// Reload has the engine keep c instead, at another URL: what answers there has
// read all of c. Engines end what is under way at the old one, and then forget it.
func (p *Process) Reload(c Config) error {
	// httpd listens before it knows its signals, but does not answer before.
	r, err := http.NewRequest(http.MethodGet, p.URL, nil)
	if err != nil {
		return err
	}
	r.Close = true
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	res.Body.Close()
	address, err := freeAddress()
	if err != nil {
		return err
	}
	p.URL, p.address = "http://"+address, address
	if err := p.Write(c); err != nil {
		return err
	}
	return p.listen(p.engine.reload)
}

// fill puts paths into arguments.
func (p *Process) fill(args []string) []string {
	filled := make([]string, len(args))
	for i, arg := range args {
		filled[i] = strings.NewReplacer("CONFIG", p.configPath(), "DIR", p.dir).Replace(arg)
	}
	return filled
}

func (p *Process) configPath() string { return filepath.Join(p.dir, "config") }

// Write replaces the configuration on the disk. Which signal has an engine read
// it again is its own.
func (p *Process) Write(c Config) error {
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return err
	}
	var b strings.Builder
	err = p.engine.config.Execute(&b, struct {
		Config
		Dir, Address, Host, Port string
		Modules                  []string
	}{c, p.dir, p.address, host, port, apacheModules})
	if err != nil {
		return err
	}
	return os.WriteFile(p.configPath(), []byte(b.String()), 0o666)
}

// Signal sends a signal to the process.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// listen asks for r and waits until the engine listens. It ends the engine that
// does not.
func (p *Process) listen(r reload) error {
	deadline := time.Now().Add(20 * time.Second)
	asked := 0
	for next := time.Now(); time.Now().Before(deadline); {
		if r.ask != nil && time.Now().After(next) {
			if err := r.ask(p); err != nil {
				return err
			}
			asked++
			next = time.Now().Add(r.again)
			if r.again == 0 {
				next = deadline
			}
		}
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			if asked > 1 {
				time.Sleep(r.again) // it may have heard both, and break off what comes between
			}
			return conn.Close()
		}
		select {
		case <-p.ended:
			config, _ := os.ReadFile(p.configPath())
			return fmt.Errorf("%s does not take its configuration:\n%s\n%s\n%s", p.engine.Program, p.said.String(), p.errors(), config)
		case <-time.After(5 * time.Millisecond):
		}
	}
	p.Close()
	return fmt.Errorf("%s does not listen: %s\n%s", p.engine.Program, p.said.String(), p.errors())
}

// errors is what the engine wrote to its own log.
func (p *Process) errors() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "error.log"))
	return string(text)
}

// Close ends the engine, and returns when it has ended.
func (p *Process) Close() {
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
