package vendortest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/traefik/genconf/dynamic"
	"google.golang.org/protobuf/encoding/protojson"
	istio "istio.io/api/networking/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/crossorigin/cors/export"
)

func TestHTTPRoute(t *testing.T) {
	judge := customResource(t, "sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml", "HTTPRoute", "v1")
	each(t, "gateway-api", func(t *testing.T, files []export.File) {
		for _, doc := range documents(t, files[0].Data) {
			strictly(t, doc, new(gateway.HTTPRoute))
			judge(t, doc)
		}
	})
}

func TestVirtualService(t *testing.T) {
	judge := customResource(t, "istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml", "VirtualService", "v1")
	each(t, "istio", func(t *testing.T, files []export.File) {
		for _, doc := range documents(t, files[0].Data) {
			var object struct{ Spec json.RawMessage }
			if err := json.Unmarshal(doc, &object); err != nil {
				t.Fatal(err)
			}
			if err := protojson.Unmarshal(object.Spec, new(istio.VirtualService)); err != nil {
				t.Fatalf("%v\n%s", err, object.Spec)
			}
			judge(t, doc)
		}
	})
}

func TestTraefik(t *testing.T) {
	each(t, "traefik", func(t *testing.T, files []export.File) {
		strictly(t, toJSON(t, files[0].Data), new(dynamic.Configuration))
	})
	each(t, "traefik-crd", func(t *testing.T, files []export.File) {
		for _, doc := range documents(t, files[0].Data) {
			// What Kubernetes' Middleware holds of it is this.
			strictly(t, doc, new(struct {
				APIVersion, Kind string
				Metadata         struct{ Name string }
				Spec             dynamic.Middleware
			}))
		}
	})
}

// customResource returns what judges an object as the API server does: by the
// schema of its definition in a module, its CEL rules included.
func customResource(t *testing.T, module, path, kind, version string) func(*testing.T, []byte) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), path))
	if err != nil {
		t.Fatal(err)
	}
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(doc, &definition); err != nil {
			t.Fatal(err)
		}
		for _, v := range definition.Spec.Versions {
			if definition.Spec.Names.Kind == kind && v.Name == version {
				return judgeBy(t, v.Schema)
			}
		}
	}
	t.Fatalf("%s defines no %s %s", path, kind, version)
	return nil
}

func judgeBy(t *testing.T, v1 *apiextensionsv1.CustomResourceValidation) func(*testing.T, []byte) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v1, &internal, nil); err != nil {
		t.Fatal(err)
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return func(t *testing.T, doc []byte) {
		t.Helper()
		var object map[string]any
		if err := utiljson.Unmarshal(doc, &object); err != nil { // which knows integers
			t.Fatal(err)
		}
		defaulting.Default(object, structural)
		for _, err := range validation.ValidateCustomResource(nil, object, validator) {
			t.Error(err)
		}
		for _, err := range listtype.ValidateListSetsAndMaps(nil, structural, object) {
			t.Error(err)
		}
		if rules == nil {
			return
		}
		errs, _ := rules.Validate(context.Background(), nil, structural, object, nil, celconfig.RuntimeCELCostBudget)
		for _, err := range errs {
			t.Error(err)
		}
	}
}

// TestTheJudge shows that the judge refuses what the API server does.
func TestTheJudge(t *testing.T) {
	judge := customResource(t, "sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml", "HTTPRoute", "v1")
	const route = `{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "x"}, "spec": {"rules": [
		{"filters": [{"type": "CORS", "cors": {"allowOrigins": [ORIGINS]}}]}]}}`
	for name, origins := range map[string]string{
		"a wildcard in a label":     `"https://app-*.example.com"`,
		"every origin beside one":   `"*", "https://app.example.com"`,
		"a scheme that is not HTTP": `"tauri://localhost"`,
	} {
		t.Run(name, func(t *testing.T) {
			probe := new(testing.T)
			judge(probe, []byte(strings.ReplaceAll(route, "ORIGINS", origins)))
			if !probe.Failed() {
				t.Errorf("%s is taken", origins)
			}
		})
	}
}
