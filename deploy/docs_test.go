package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// TestThePagesBuildOnTheBase renders the kustomization that docs/kubernetes.md
// shows, with the base of this checkout.
func TestThePagesBuildOnTheBase(t *testing.T) {
	for _, name := range []string{"kubernetes.md", "kubernetes.ja.md"} {
		page, err := os.ReadFile("../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		shown := regexp.MustCompile("(?s)```yaml\n# kustomization.yaml\n(.*?)```").FindSubmatch(page)
		if shown == nil {
			t.Fatalf("docs/%s shows no kustomization", name)
		}
		dir := t.TempDir()
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		base, err := filepath.Rel(dir, filepath.Join(here, "gateway"))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(shown[1]), "github.com/crossorigin/cors//deploy/gateway?ref=main", base, 1)
		const policy = "upstream: http://other\nroutes: {/: off}\n"
		for file, text := range map[string]string{"kustomization.yaml": text, "cors.yaml": policy} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		all := render(t, dir)
		if m := one[*corev1.ConfigMap](t, all); m.Data["cors.yaml"] != policy || m.Name != "cors-gateway" || m.Namespace != "api" {
			t.Errorf("docs/%s: the map is %s/%s, %q", name, m.Namespace, m.Name, m.Data)
		}
		if image := one[*appsv1.Deployment](t, all).Spec.Template.Spec.Containers[0].Image; image != "registry.example.org/our/cors:1" {
			t.Errorf("docs/%s: the image is %q", name, image)
		}
	}
}
