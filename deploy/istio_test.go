package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestIstioAsksTheProcessor reads the example for Istio into the types of its API,
// without a field too many, and looks for the processor where it says.
func TestIstioAsksTheProcessor(t *testing.T) {
	text, err := os.ReadFile("../envoy/examples/istio.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var filter v1alpha3.EnvoyFilter
	var rule v1alpha3.DestinationRule
	specs := map[string]proto.Message{"EnvoyFilter": &filter, "DestinationRule": &rule}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		data, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		var object struct {
			Kind string
			Spec json.RawMessage
		}
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatal(err)
		}
		if err := protojson.Unmarshal(object.Spec, specs[object.Kind]); err != nil {
			t.Errorf("%s: %v", object.Kind, err)
		}
	}
	service := of[*corev1.Service](render(t, "processor"))[0]
	host := service.Name + ".cors.svc.cluster.local"
	if rule.Host != host {
		t.Errorf("the rule is for %q, want %q", rule.Host, host)
	}
	patch := filter.ConfigPatches[0]
	want := fmt.Sprintf("outbound|%d||%s", service.Spec.Ports[0].Port, host)
	if got := patch.Patch.Value.String(); !strings.Contains(got, want) || patch.ApplyTo != v1alpha3.EnvoyFilter_HTTP_FILTER || patch.Patch.Operation != v1alpha3.EnvoyFilter_Patch_INSERT_FIRST {
		t.Errorf("%v %v: there is no %q in %s", patch.ApplyTo, patch.Patch.Operation, want, got)
	}
}
