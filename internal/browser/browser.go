package browser

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	session net.Conn // nil for none
}

// Start opens url in a browser that shows no window and has no past. It ends
// with ctx, or with [Process.Close].
func Start(ctx context.Context, n Name, url string) (*Process, error) {
	return start(ctx, n, url, setting{})
}

// StartBehind is Start with a network of its own: whatever name a page asks for,
// also localhost, is asked of the HTTP proxy at the address proxy, and whatever
// certificate comes is taken.
func StartBehind(ctx context.Context, n Name, url, proxy string) (*Process, error) {
	s, err := behind(n, proxy)
	if err != nil || n != Firefox {
		return start(ctx, n, url, s)
	}
	p, err := start(ctx, n, "about:blank", s)
	if err != nil {
		return nil, err
	}
	if p.session, err = visitInsecurely(ctx, p.profile, url); err != nil {
		p.Close()
		return nil, fmt.Errorf("start %s: %w", n, err)
	}
	return p, nil
}

// StartInSpaces is Start of Chromium, which judges by address spaces: of each
// address with port that spaces has, it takes the space to be "public", "local"
// or "loopback".
func StartInSpaces(ctx context.Context, url string, spaces map[string]string) (*Process, error) {
	var list []string
	for address, space := range spaces {
		list = append(list, address+"="+space)
	}
	return start(ctx, Chromium, url, setting{args: []string{"--ip-address-space-overrides=" + strings.Join(list, ",")}})
}

// StartExtension runs script in a page of an extension that may do nothing
// special. There is none in WebKit.
func StartExtension(ctx context.Context, n Name, script string) (*Process, error) {
	const (
		page = `<!doctype html><script src="page.js"></script>`
		uuid = "6f1d2a34-0c5b-4e7f-9a8d-3b2c1d0e9f8a"
	)
	switch n {
	case Chromium:
		dir := "extension" // in the profile
		return start(ctx, n, "about:blank", setting{
			args: []string{"--disable-features=DisableLoadExtensionCommandLineSwitch", "--load-extension=" + inProfile + dir},
			files: map[string]string{
				dir + "/manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "background": {"service_worker": "open.js"}}`,
				dir + "/open.js":       `chrome.runtime.onInstalled.addListener(() => chrome.tabs.create({ url: "page.html" }))`,
				dir + "/page.html":     page, dir + "/page.js": script,
			},
		})
	case Firefox:
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		for name, text := range map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "browser_specific_settings": {"gecko": {"id": "x@example.com"}}}`,
			"page.html":     page, "page.js": script,
		} {
			f, err := z.Create(name)
			if err != nil {
				return nil, err
			}
			if _, err := io.WriteString(f, text); err != nil {
				return nil, err
			}
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		return start(ctx, n, "moz-extension://"+uuid+"/page.html", setting{
			prefs: `user_pref("xpinstall.signatures.required", false);
user_pref("extensions.autoDisableScopes", 0);
user_pref("extensions.webextensions.uuids", "{\"x@example.com\":\"` + uuid + `\"}");
`,
			files: map[string]string{"extensions/x@example.com.xpi": packed.String()},
		})
	}
	return nil, fmt.Errorf("start %s: it is started without extensions", n)
}

// A setting is what of a browser is not as usual.
type setting struct {
	args  []string
	prefs string            // Firefox's
	files map[string]string // of the profile, by name
}

// inProfile stands in an argument for the folder of the profile.
const inProfile = "{profile}/"

func start(ctx context.Context, n Name, url string, s setting) (*Process, error) {
	args, err := command(n)
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "browser-")
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	maps.Copy(files, s.files)
	switch n {
	case Chromium:
		args = append(args, "--user-data-dir="+profile)
	case Firefox:
		args = append(args, "--profile", profile)
		files["user.js"] = quiet + s.prefs
	}
	for name, text := range files {
		path := filepath.Join(profile, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return nil, err
		}
	}
	for _, arg := range s.args {
		args = append(args, strings.Replace(arg, inProfile, profile+"/", 1))
	}
	c := exec.CommandContext(ctx, args[0], append(args[1:], url)...)
	c.Env = append(os.Environ(), "HOME="+profile,
		"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1") // the sandbox needs what containers lack
	// A browser is many processes, which end together.
	group(c)
	if err := c.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, fmt.Errorf("start %s: %w", n, err)
	}
	p := &Process{cmd: c, profile: profile, done: make(chan struct{})}
	go func() {
		c.Wait()
		close(p.done)
	}()
	return p, nil
}

// behind leads n to the proxy.
func behind(n Name, proxy string) (setting, error) {
	switch n {
	case Chromium:
		return setting{args: []string{"--proxy-server=" + proxy, "--proxy-bypass-list=<-loopback>", "--ignore-certificate-errors"}}, nil
	case WebKit:
		return setting{args: []string{"--proxy=http://" + proxy, "--ignore-tls-errors"}}, nil
	}
	host, port, err := net.SplitHostPort(proxy)
	if err != nil {
		return setting{}, err
	}
	prefs := `user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("network.proxy.no_proxies_on", "");
`
	for _, scheme := range []string{"http", "ssl"} {
		prefs += fmt.Sprintf("user_pref(\"network.proxy.%s\", %q);\nuser_pref(\"network.proxy.%s_port\", %s);\n", scheme, host, scheme, port)
	}
	return setting{args: []string{"--marionette"}, prefs: prefs}, nil
}

// visitInsecurely has the Firefox of a profile open url, and take what
// certificates come. No preference says that: its remote protocol does, which is
// arrays of JSON behind their length. It does so until the session is closed.
func visitInsecurely(ctx context.Context, profile, url string) (session net.Conn, err error) {
	var port []byte
	for len(port) == 0 {
		port, _ = os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+string(port))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := bufio.NewReader(conn)
	hear := func() (string, error) {
		length, err := in.ReadString(':')
		if err != nil {
			return "", err
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil {
			return "", err
		}
		text := make([]byte, n)
		_, err = io.ReadFull(in, text)
		return string(text), err
	}
	if _, err := hear(); err != nil { // who it is
		return nil, err
	}
	for i, say := range []string{
		`"WebDriver:NewSession",{"acceptInsecureCerts":true,"pageLoadStrategy":"none"}`,
		fmt.Sprintf(`"WebDriver:Navigate",{"url":%q}`, url),
	} {
		say = fmt.Sprintf("[0,%d,%s]", i+1, say)
		if _, err := fmt.Fprintf(conn, "%d:%s", len(say), say); err != nil {
			return nil, err
		}
		if said, err := hear(); err != nil || !strings.HasPrefix(said, fmt.Sprintf("[1,%d,null,", i+1)) {
			return nil, fmt.Errorf("it was told %s and says %s %w", say, said, err)
		}
	}
	return conn, nil
}

// Close ends the browser and removes its profile.
func (p *Process) Close() error {
	if p.session != nil {
		p.session.Close()
	}
	endGroup(p.cmd)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	killGroup(p.cmd)
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
