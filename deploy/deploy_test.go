// Package deploy holds the manifests for Kubernetes to the types of its API, and
// the image to what the manifests make of it.
package deploy

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/crossorigin/cors/policyfile"
)

// An object is one of Kubernetes'.
type object interface {
	runtime.Object
	metav1.Object
}

// render returns what kubectl apply -k sends, each object read into its type. A
// field that the type does not have is an error.
func render(t *testing.T, dir string) []object {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	var all []object
	for {
		document := make([]byte, 1<<20)
		n, err := documents.Read(document)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		o, kind, err := decoder.Decode(document[:n], nil, nil)
		if err != nil {
			t.Fatalf("%v: %v\n%s", kind, err, document[:n])
		}
		all = append(all, o.(object))
	}
}

// of returns the objects of a type.
func of[T object](all []object) (some []T) {
	for _, o := range all {
		if o, ok := o.(T); ok {
			some = append(some, o)
		}
	}
	return some
}

// one returns the only object of a type.
func one[T object](t *testing.T, all []object) T {
	t.Helper()
	some := of[T](all)
	if len(some) != 1 {
		t.Fatalf("%d of %T, want 1", len(some), *new(T))
	}
	return some[0]
}

var servers = []string{"gateway", "processor"}

func TestEveryObjectIsAboutThePods(t *testing.T) {
	for _, dir := range servers {
		t.Run(dir, func(t *testing.T) {
			all := render(t, dir)
			d := one[*appsv1.Deployment](t, all)
			pods := labels.Set(d.Spec.Template.Labels)
			match := func(what string, s *metav1.LabelSelector) {
				t.Helper()
				selector, err := metav1.LabelSelectorAsSelector(s)
				if err != nil || selector.Empty() || !selector.Matches(pods) {
					t.Errorf("%s selects %v (%v), and the pods are %v", what, selector, err, pods)
				}
			}
			match("the deployment", d.Spec.Selector)
			match("the disruption budget", one[*policyv1.PodDisruptionBudget](t, all).Spec.Selector)
			match("the network policy", &one[*networkingv1.NetworkPolicy](t, all).Spec.PodSelector)
			for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
				match("the spread by "+c.TopologyKey, c.LabelSelector)
			}
			for _, s := range of[*corev1.Service](all) {
				match("the service "+s.Name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
				for _, p := range s.Spec.Ports {
					hasPort(t, d, "the service "+s.Name, p.TargetPort.String())
				}
			}
			for _, rule := range one[*networkingv1.NetworkPolicy](t, all).Spec.Ingress {
				for _, p := range rule.Ports {
					hasPort(t, d, "the network policy", p.Port.String())
				}
			}
			if to := one[*autoscalingv2.HorizontalPodAutoscaler](t, all).Spec.ScaleTargetRef; to.Kind != "Deployment" || to.Name != d.Name || to.APIVersion != "apps/v1" {
				t.Errorf("the autoscaler scales %v", to)
			}
			if d.Spec.Replicas != nil {
				t.Error("the deployment and the autoscaler disagree on how many there are")
			}
			if name := one[*corev1.ServiceAccount](t, all).Name; name != d.Spec.Template.Spec.ServiceAccountName {
				t.Errorf("the account %q is not that of the pods", name)
			}
		})
	}
}

// hasPort fails unless a container has a port of this name.
func hasPort(t *testing.T, d *appsv1.Deployment, who, name string) {
	t.Helper()
	for _, c := range d.Spec.Template.Spec.Containers {
		if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name }) {
			return
		}
	}
	t.Errorf("%s wants port %q, and no container has it", who, name)
}

// TestPodsHaveNoRights holds pods to the profile "restricted" of Kubernetes, and
// to a file system that is read alone.
func TestPodsHaveNoRights(t *testing.T) {
	for _, pod := range templates(t) {
		spec := pod.Spec
		s := spec.SecurityContext
		if s == nil || !is(s.RunAsNonRoot) || s.RunAsUser == nil || *s.RunAsUser == 0 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || is(spec.AutomountServiceAccountToken) || spec.AutomountServiceAccountToken == nil {
			t.Errorf("%v: the pod is not restricted: %v", pod.Labels, s)
		}
		for _, c := range spec.Containers {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !is(s.ReadOnlyRootFilesystem) || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%v: the container is not restricted: %v", pod.Labels, s)
			}
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
				t.Errorf("%v: the container has no resources: %v", pod.Labels, c.Resources)
			}
			for _, m := range c.VolumeMounts {
				if !m.ReadOnly || m.SubPath != "" {
					t.Errorf("%v: %s is mounted to be written, or by a subPath, which never changes", pod.Labels, m.MountPath)
				}
			}
		}
	}
}

func is(b *bool) bool { return b != nil && *b }

// templates are those of all pods.
func templates(t *testing.T) []corev1.PodTemplateSpec {
	var all []corev1.PodTemplateSpec
	for _, dir := range servers {
		all = append(all, one[*appsv1.Deployment](t, render(t, dir)).Spec.Template)
	}
	return append(all, one[*batchv1.Job](t, render(t, "audit")).Spec.Template)
}

// TestPodsHaveTheTimeToDrain adds up what a pod does when it is told to end.
func TestPodsHaveTheTimeToDrain(t *testing.T) {
	for _, dir := range servers {
		spec := one[*appsv1.Deployment](t, render(t, dir)).Spec.Template.Spec
		c := spec.Containers[0]
		drain, err := time.ParseDuration(flagOf(t, c, "drain"))
		if err != nil {
			t.Fatal(err)
		}
		before := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		if grace := time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second; grace < before+drain+2*time.Second {
			t.Errorf("%s: preStop takes %v and --drain %v, and the pod has %v", dir, before, drain, grace)
		}
	}
}

// flagOf returns the value of a flag in the arguments of a container.
func flagOf(t *testing.T, c corev1.Container, name string) string {
	t.Helper()
	for _, arg := range c.Args {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
	}
	t.Fatalf("%q has no --%s", c.Args, name)
	return ""
}

// TestPodsReadTheirConfigMap has the file of --policy be one that is mounted, and
// a policy.
func TestPodsReadTheirConfigMap(t *testing.T) {
	for _, dir := range servers {
		all := render(t, dir)
		m := one[*corev1.ConfigMap](t, all)
		spec := one[*appsv1.Deployment](t, all).Spec.Template.Spec
		c := spec.Containers[0]
		if got := spec.Volumes[0].ConfigMap.Name; got != m.Name {
			t.Errorf("%s: %q is mounted, and the map is %q", dir, got, m.Name)
		}
		name, ok := strings.CutPrefix(flagOf(t, c, "policy"), c.VolumeMounts[0].MountPath+"/")
		text, there := m.Data[name]
		if !ok || !there {
			t.Errorf("%s: --policy is not in %v", dir, slices.Collect(maps.Keys(m.Data)))
		}
		if _, err := policyfile.Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestTheAuditHasAllItsParts counts the parts.
func TestTheAuditHasAllItsParts(t *testing.T) {
	all := render(t, "audit")
	j := one[*batchv1.Job](t, all)
	want := fmt.Sprintf("$(JOB_COMPLETION_INDEX)/%d", *j.Spec.Completions)
	if got := flagOf(t, j.Spec.Template.Spec.Containers[0], "shard"); got != want || *j.Spec.CompletionMode != batchv1.IndexedCompletion {
		t.Errorf("--shard=%s of %d completions, want %s", got, *j.Spec.Completions, want)
	}
}
