package table

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

//go:embed workerd/package.json
var workerdPackage []byte

//go:embed workerd/package-lock.json
var workerdLock []byte

// InstallWorkerd returns the path of workerd, the engine of Cloudflare Workers,
// which npm puts into the user's cache if it is not there.
func InstallWorkerd() (string, error) {
	dir, err := install("workerd", workerdPackage, workerdLock)
	if err != nil {
		return "", err
	}
	// The program itself: what npm puts into .bin is a script that would leave it
	// running.
	paths, _ := filepath.Glob(filepath.Join(dir, "node_modules", "@cloudflare", "workerd-*", "bin", "workerd"))
	if len(paths) == 0 {
		return "", errors.New("there is no workerd for this machine")
	}
	return paths[0], nil
}

// install has npm put packages into a directory of the user's cache, unless they
// are there, and returns its path.
func install(name string, packages, lock []byte) (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "crossorigin-cors", name)
	// Written last, when all is there.
	done := filepath.Join(dir, "done.json")
	if was, err := os.ReadFile(done); err == nil && bytes.Equal(was, lock) {
		return dir, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("there is no npm to install %s", name)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	for name, data := range map[string][]byte{"package.json": packages, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return "", err
		}
	}
	cmd := exec.Command(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm does not install %s: %w: %s", name, err, out)
	}
	return dir, os.WriteFile(done, lock, 0o666)
}

const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "policy.json", json = embed "policy.json"),
  ],
  compatibilityDate = "2026-11-01",
);
`

// Workerd returns the subject that is workerd, at this path, with what is exported
// to it.
func Workerd(program string) Subject {
	return func(dir string, file *policyfile.File) (*Server, error) {
		result, err := export.To("workers", file, export.Options{})
		if err != nil {
			return nil, err
		}
		for _, f := range result.Files {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o666); err != nil {
				return nil, err
			}
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		// It is given the socket, not the number of a port that others may take first.
		socket, err := l.(*net.TCPListener).File()
		if err != nil {
			return nil, err
		}
		defer socket.Close()
		path := filepath.Join(dir, "config.capnp")
		if err := os.WriteFile(path, []byte(workerdConfig), 0o666); err != nil {
			return nil, err
		}
		var said bytes.Buffer
		cmd := exec.Command(program, "serve", "--socket-fd=http=3", path)
		cmd.ExtraFiles = []*os.File{socket}
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		ended := make(chan struct{})
		go func() {
			cmd.Wait()
			close(ended)
		}()
		stop := func() {
			cmd.Process.Kill()
			<-ended
		}
		// It takes connections before it is ready, and answers when it is.
		answered := make(chan error, 1)
		go func() {
			client := http.Client{Timeout: 20 * time.Second}
			res, err := client.Get("http://" + l.Addr().String())
			if err == nil {
				res.Body.Close()
			}
			answered <- err
		}()
		select {
		case err = <-answered:
		case <-ended:
			return nil, fmt.Errorf("workerd does not start: %s", &said)
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("workerd does not answer: %w: %s", err, &said)
		}
		return &Server{URL: "http://" + l.Addr().String(), Findings: result.Findings, Close: stop}, nil
	}
}

// WorkerdVersion is that of the workerd that [InstallWorkerd] installs.
func WorkerdVersion() string {
	var p struct{ Dependencies map[string]string }
	if err := json.Unmarshal(workerdPackage, &p); err != nil {
		return ""
	}
	return p.Dependencies["workerd"]
}
