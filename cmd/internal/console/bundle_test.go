package console

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// unreachable is what npm says where it cannot reach its registry.
var unreachable = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED`)

// TestTheBundleIsWhatItsSourcesMake builds page/vendor and testdata/axe.min.js
// again, and compares byte for byte.
func TestTheBundleIsWhatItsSourcesMake(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed, so the bundle is not built again")
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "bundle"), without{os.DirFS("bundle"), "node_modules"}); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) ([]byte, error) {
		c := exec.Command(npm, args...)
		c.Dir = filepath.Join(dir, "bundle")
		return c.CombinedOutput()
	}
	if out, err := run("ci", "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=10000"); err != nil {
		if unreachable.Match(out) {
			t.Skip("npm does not reach its registry, so the bundle is not built again")
		}
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if out, err := run("run", "build"); err != nil {
		t.Fatalf("npm run build: %v\n%s", err, out)
	}
	same(t, "page/vendor", filepath.Join(dir, "page/vendor"))
	same(t, "testdata/axe.min.js", filepath.Join(dir, "testdata/axe.min.js"))
}

// without is a file system that lacks what is at its top under a name.
type without struct {
	fs.FS
	name string
}

func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.FS, name)
	var kept []fs.DirEntry
	for _, e := range entries {
		if name != "." || e.Name() != w.name {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// same fails where the files below committed and below built are not the same.
func same(t *testing.T, committed, built string) {
	t.Helper()
	files := func(root string) map[string][]byte {
		all := make(map[string][]byte)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, _ := filepath.Rel(root, path)
			all[name], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	is, was := files(built), files(committed)
	for name := range is {
		if !bytes.Equal(is[name], was[name]) {
			t.Errorf("%s is not what its sources make: run npm ci && npm run build in bundle/, and commit what it writes", filepath.Join(committed, name))
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			t.Errorf("%s is made by none of the sources in bundle/", filepath.Join(committed, name))
		}
	}
}
