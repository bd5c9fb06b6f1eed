package deploy

import (
	"debug/elf"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// An image is what the Dockerfile makes, as a folder.
type image struct {
	root       string
	user       uint32
	entrypoint string
}

// build does what the Dockerfile says, without an engine: the command that builds
// the programs, the files that are copied, the user.
func build(t *testing.T) *image {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	m := &image{root: t.TempDir()}
	if err := os.Chmod(m.root, 0o755); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "RUN":
			_, command, ok := strings.Cut(rest, "CGO_ENABLED=0 ")
			if !ok {
				t.Fatalf("RUN %s: no static program is built", rest)
			}
			cmd := exec.Command("sh", "-c", "CGO_ENABLED=0 "+strings.ReplaceAll(command, "/out/", out+"/"))
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "GOWORK=", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, said)
			}
		case "COPY":
			files, fromBuild := strings.CutPrefix(rest, "--from=build ")
			if !fromBuild {
				continue // into the stage that builds
			}
			fields := strings.Fields(files)
			for _, from := range fields[:len(fields)-1] {
				to := fields[len(fields)-1]
				if strings.HasSuffix(to, "/") {
					to += filepath.Base(from)
				}
				m.copy(t, strings.Replace(from, "/out/", out+"/", 1), to)
			}
		case "USER":
			id, _, _ := strings.Cut(rest, ":")
			n, err := strconv.ParseUint(id, 10, 32)
			if err != nil || n == 0 {
				t.Fatalf("USER %s: the kubelet starts only who is known by number not to be root", rest)
			}
			m.user = uint32(n)
		case "ENTRYPOINT":
			m.entrypoint = strings.Trim(rest, `[]"`)
		}
	}
	return m
}

func (m *image) copy(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if os.IsNotExist(err) && strings.HasSuffix(from, ".crt") {
		data, err = nil, nil // this machine has no authorities
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(m.root, filepath.Dir(to)), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.root, to), data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheImageServes runs the pods' containers as far as that goes without a
// cluster: the files of the image and no others, the user without rights, the
// arguments of the manifest, the policy mounted as the kubelet does.
func TestTheImageServes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the programs")
	}
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root of Linux can run a program in another root")
	}
	m := build(t)
	for _, name := range []string{"cors", "cors-envoy"} {
		f, err := elf.Open(filepath.Join(m.root, name))
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			t.Errorf("%s is not static: the image has nothing to link it to", name)
		}
		f.Close()
	}
	for _, dir := range servers {
		t.Run(dir, func(t *testing.T) {
			all := render(t, dir)
			spec := one[*appsv1.Deployment](t, all).Spec.Template.Spec
			c := spec.Containers[0]
			if int64(m.user) != *spec.SecurityContext.RunAsUser {
				t.Errorf("the image is for user %d, and the pod for %d", m.user, *spec.SecurityContext.RunAsUser)
			}
			mount := &configMap{t: t, dir: filepath.Join(m.root, c.VolumeMounts[0].MountPath)}
			mount.write(one[*corev1.ConfigMap](t, all).Data)
			admin := serve(t, m, c)
			await(t, admin+c.ReadinessProbe.HTTPGet.Path, "ready")
			await(t, admin+c.LivenessProbe.HTTPGet.Path, "alive")
			await(t, admin+"/metrics", "cors_policy_version 1\n")
			mount.write(map[string]string{"cors.yaml": "routes: {/: {origins: [https://other.example]}}"})
			await(t, admin+"/metrics", "cors_policy_version 2\n")
		})
	}
}

// serve starts the container, ends it with the test, and returns the URL of its
// port admin. Its ports are others, since those of the manifest may be taken here.
func serve(t *testing.T, m *image, c corev1.Container) (admin string) {
	t.Helper()
	program := m.entrypoint
	if len(c.Command) > 0 {
		program = c.Command[0]
	}
	args := slices.Clone(c.Args)
	for i, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if name == "--listen" || name == "--admin" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			args[i] = fmt.Sprintf("%s=%s", name, l.Addr())
			if name == "--admin" {
				admin = "http://" + l.Addr().String()
			}
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/"}
	for _, e := range c.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root, Credential: &syscall.Credential{Uid: m.user, Gid: m.user}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s %q: %v\n%s", program, args, err, log.String())
		}
	})
	return admin
}

// await waits until a page says text.
func await(t *testing.T, url, text string) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		res, err := http.Get(url)
		if err != nil {
			said = err.Error()
			continue
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if said = string(body); strings.Contains(said, text) {
			return
		}
	}
	t.Fatalf("%s does not say %q; at last:\n%.2000s", url, text, said)
}

// A configMap is a folder as the kubelet mounts it: each name leads through
// "..data" to a folder that never changes.
type configMap struct {
	t    *testing.T
	dir  string
	last string
}

// write swaps the folder to which "..data" leads, as the kubelet does.
func (m *configMap) write(data map[string]string) {
	m.t.Helper()
	try := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	try(os.MkdirAll(m.dir, 0o755))
	folder, err := os.MkdirTemp(m.dir, "..2026_11_25_*")
	try(err)
	try(os.Chmod(folder, 0o755))
	for name, text := range data {
		try(os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	link := filepath.Join(m.dir, "..data")
	try(os.Symlink(filepath.Base(folder), link+"_tmp"))
	try(os.Rename(link+"_tmp", link))
	for name := range data {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)); !os.IsExist(err) {
			try(err)
		}
	}
	if m.last != "" {
		try(os.RemoveAll(m.last))
	}
	m.last = folder
}
