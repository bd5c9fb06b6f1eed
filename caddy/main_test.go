package caddycors_test

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/crossorigin/cors/caddy"
)

var update = flag.Bool("u", false, "rewrite the golden files")

// The test's program is also the Caddy that it starts.
func TestMain(m *testing.M) {
	if os.Getenv("CORS_TEST_CADDY") != "" {
		caddycmd.Main()
		return
	}
	os.Exit(m.Run())
}

// A caddy is a process of its own.
type caddy struct {
	admin string
	dir   string
	close func()
}

// start runs Caddy with a Caddyfile, in which ADMIN is the address of its API, DIR
// a directory that holds the files, and each of the names in addresses stands for
// a free address, which it then holds.
func start(t *testing.T, caddyfile string, addresses, files map[string]string) *caddy {
	t.Helper()
	c, err := run(t.TempDir(), caddyfile, addresses, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func run(dir, caddyfile string, addresses, files map[string]string) (*caddy, error) {
	c := &caddy{admin: freeAddress(), dir: dir}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	for name := range addresses {
		if addresses[name] == "" {
			addresses[name] = freeAddress()
		}
	}
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(c.fill(caddyfile, addresses)), 0o666); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.Command(self, "run", "--config", path, "--adapter", "caddyfile")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(), "CORS_TEST_CADDY=1", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	c.close = func() {
		cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if strings.Contains(said.String(), "DATA RACE") {
			panic(said.String())
		}
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		res, err := http.Get("http://" + c.admin + "/config/")
		if err == nil {
			res.Body.Close()
			return c, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("Caddy ended:\n%s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	c.close()
	return nil, fmt.Errorf("Caddy does not listen:\n%s", said.String())
}

func (c *caddy) fill(caddyfile string, addresses map[string]string) string {
	pairs := []string{"ADMIN", c.admin, "DIR", c.dir}
	for name, address := range addresses {
		pairs = append(pairs, name, address)
	}
	return strings.NewReplacer(pairs...).Replace(caddyfile)
}

// load has Caddy load another Caddyfile, as caddy reload does.
func (c *caddy) load(caddyfile string) error {
	res, err := http.Post("http://"+c.admin+"/load", "text/caddyfile", strings.NewReader(caddyfile))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		var body bytes.Buffer
		body.ReadFrom(res.Body)
		return fmt.Errorf("%s: %s", res.Status, &body)
	}
	return nil
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}
