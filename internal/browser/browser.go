package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Name is a browser's engine.
type Name string

const (
	Chromium Name = "chromium"
	Firefox  Name = "firefox"
	WebKit   Name = "webkit"
)

// All lists the browsers.
var All = []Name{Chromium, Firefox, WebKit}

// Available reports why n cannot be started on this machine, or nil. Tests skip
// with it.
func Available(n Name) error {
	_, err := command(n)
	return err
}

// A Process is a browser that runs.
type Process struct {
	cmd     *exec.Cmd
	profile string
	done    chan struct{}
}

// Start opens url in a browser that shows no window and has no past. It ends
// with ctx, or with [Process.Close].
func Start(ctx context.Context, n Name, url string) (*Process, error) {
	args, err := command(n)
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "browser-")
	if err != nil {
		return nil, err
	}
	switch n {
	case Chromium:
		args = append(args, "--user-data-dir="+profile)
	case Firefox:
		args = append(args, "--profile", profile)
		if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(quiet), 0o600); err != nil {
			return nil, err
		}
	}
	c := exec.CommandContext(ctx, args[0], append(args[1:], url)...)
	c.Env = append(os.Environ(), "HOME="+profile,
		"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1") // the sandbox needs what containers lack
	// A browser is many processes, which end together.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	if err := c.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, fmt.Errorf("start %s: %w", n, err)
	}
	p := &Process{c, profile, make(chan struct{})}
	go func() {
		c.Wait()
		close(p.done)
	}()
	return p, nil
}

// Close ends the browser and removes its profile.
func (p *Process) Close() error {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // whoever is left of the group
	<-p.done
	return os.RemoveAll(p.profile)
}

// command returns the browser's program and the arguments that are always the
// same.
func command(n Name) ([]string, error) {
	switch n {
	case Chromium:
		path, err := look(n, "chromium", "chromium-browser", "google-chrome")
		return []string{path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--remote-debugging-port=0"}, err // without a port, headless ends with the page's load
	case Firefox:
		path, err := look(n, "firefox-esr", "firefox")
		return []string{path, "--headless", "--no-remote"}, err
	case WebKit:
		found, err := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
		if err != nil || len(found) == 0 {
			return nil, errors.New("webkit is not installed: no /usr/lib/*/webkit2gtk-4.*/MiniBrowser")
		}
		// MiniBrowser has no headless mode.
		xvfb, err := look(n, "xvfb-run")
		return []string{xvfb, "-a", found[0], "--private"}, err
	}
	return nil, fmt.Errorf("no browser is called %q", n)
}

func look(n Name, programs ...string) (string, error) {
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: no program %s", n, strings.Join(programs, " or "))
}

// quiet keeps Firefox from asking the network about itself.
const quiet = `user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "http://localhost:1");
user_pref("toolkit.telemetry.enabled", false);
`
