package envoy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	bootstrappb "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	manager "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	upstreams "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/anypb"
)

// documents returns the documents of a YAML file, each as JSON.
func documents(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, document := range strings.Split(string(text), "\n---\n") {
		data, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, data)
	}
	return all
}

// read reads JSON into m, refuses fields that m does not have, and has m and all
// that is wrapped in it checked by its rules.
func read(t testing.TB, data []byte, m proto.Message) {
	t.Helper()
	if err := protojson.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	validate(t, m)
}

func validate(t testing.TB, m proto.Message) {
	t.Helper()
	v, ok := m.(interface{ ValidateAll() error })
	if !ok {
		t.Fatalf("%T has no rules", m)
	}
	if err := v.ValidateAll(); err != nil {
		t.Errorf("%T: %v", m, err)
	}
	eachAny(m.ProtoReflect(), func(a *anypb.Any) {
		wrapped, err := a.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		validate(t, wrapped)
	})
}

// eachAny finds the messages that are wrapped in m.
func eachAny(m protoreflect.Message, f func(*anypb.Any)) {
	if a, ok := m.Interface().(*anypb.Any); ok {
		f(a)
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				eachAny(v.Message(), f)
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range v.List().Len() {
				eachAny(v.List().Get(i).Message(), f)
			}
		case field.Message() != nil && !field.IsMap() && !field.IsList():
			eachAny(v.Message(), f)
		}
		return true
	})
}

func bootstrap(t testing.TB) *bootstrappb.Bootstrap {
	t.Helper()
	b := new(bootstrappb.Bootstrap)
	read(t, documents(t, "examples/bootstrap.yaml")[0], b)
	return b
}

// filterOf returns the filter that b has first.
func filterOf(t testing.TB, b *bootstrappb.Bootstrap) *filter.ExternalProcessor {
	t.Helper()
	m := new(manager.HttpConnectionManager)
	if err := b.StaticResources.Listeners[0].FilterChains[0].Filters[0].GetTypedConfig().UnmarshalTo(m); err != nil {
		t.Fatal(err)
	}
	f := new(filter.ExternalProcessor)
	if err := m.HttpFilters[0].GetTypedConfig().UnmarshalTo(f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheBootstrapIsOne(t *testing.T) {
	b := bootstrap(t)
	f := filterOf(t, b)
	if name := f.GrpcService.GetEnvoyGrpc().GetClusterName(); f.FailureModeAllow || name != b.StaticResources.Clusters[0].Name {
		t.Errorf("failure_mode_allow %t, cluster %q", f.FailureModeAllow, name)
	}
	o := new(upstreams.HttpProtocolOptions)
	if err := b.StaticResources.Clusters[0].TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].UnmarshalTo(o); err != nil {
		t.Fatal(err)
	}
	if o.GetExplicitHttpConfig().GetHttp2ProtocolOptions() == nil {
		t.Error("the cluster of the processor does not speak HTTP/2, and gRPC needs it")
	}
}

// TestTheExamplesAreOfOneMind compares the filter for Istio with that of the
// bootstrap: they differ in the cluster alone.
func TestTheExamplesAreOfOneMind(t *testing.T) {
	var object struct {
		APIVersion, Kind string
		Spec             struct {
			ConfigPatches []struct {
				ApplyTo string
				Patch   struct {
					Operation string
					Value     struct {
						Name        string
						TypedConfig json.RawMessage `json:"typed_config"`
					}
				}
			}
		}
	}
	if err := json.NewDecoder(bytes.NewReader(documents(t, "examples/istio.yaml")[0])).Decode(&object); err != nil {
		t.Fatal(err)
	}
	patch := object.Spec.ConfigPatches[0]
	if object.Kind != "EnvoyFilter" || patch.ApplyTo != "HTTP_FILTER" || patch.Patch.Operation != "INSERT_FIRST" {
		t.Errorf("%s %s %s", object.Kind, patch.ApplyTo, patch.Patch.Operation)
	}
	a := new(anypb.Any)
	if err := protojson.Unmarshal(patch.Patch.Value.TypedConfig, a); err != nil {
		t.Fatal(err)
	}
	got := new(filter.ExternalProcessor)
	if err := a.UnmarshalTo(got); err != nil {
		t.Fatal(err)
	}
	validate(t, got)
	want := exampleFilter(t)
	if got, want := got.GrpcService.GetEnvoyGrpc().GetClusterName(), "outbound|9001||cors-envoy.cors.svc.cluster.local"; got != want {
		t.Errorf("cluster %q, want %q", got, want)
	}
	got.GrpcService, want.GrpcService = nil, nil
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-bootstrap +istio:\n%s", diff)
	}
}
