package test_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/walrelay/walrelay/test/harness"
)

const kubernetes = "../deploy/kubernetes"

type k8sLabels map[string]string

type k8sProbe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// k8sObject is what the tests look at of the manifests.
type k8sObject struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name   string
		Labels k8sLabels
	}
	Spec struct {
		Replicas int
		Strategy struct {
			Type          string
			RollingUpdate struct {
				MaxSurge       *int `yaml:"maxSurge"`
				MaxUnavailable *int `yaml:"maxUnavailable"`
			} `yaml:"rollingUpdate"`
		}
		MaxUnavailable *int      `yaml:"maxUnavailable"`
		Selector       yaml.Node // of a Deployment with matchLabels, of a Service without
		PodSelector    struct {
			MatchLabels k8sLabels `yaml:"matchLabels"`
		} `yaml:"podSelector"`
		PublishNotReadyAddresses bool `yaml:"publishNotReadyAddresses"`
		Ports                    []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		Endpoints []struct{ Port, Path string }
		Groups    yaml.Node // of a PrometheusRule
		Template  struct {
			Metadata struct{ Labels k8sLabels }
			Spec     k8sPod
		}
	}
}

type k8sPod struct {
	Grace           int `yaml:"terminationGracePeriodSeconds"`
	SecurityContext struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []k8sContainer
	Volumes    []struct {
		Name      string
		ConfigMap struct{ Name string } `yaml:"configMap"`
		Secret    struct {
			Items []struct{ Key, Path string }
		}
	}
}

type k8sContainer struct {
	Args  []string
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe, LivenessProbe, ReadinessProbe k8sProbe
	SecurityContext                             struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

// UnmarshalYAML is there for the probes, whose names are in camel case.
func (c *k8sContainer) UnmarshalYAML(node *yaml.Node) error {
	type plain k8sContainer
	var probes struct {
		Startup   k8sProbe `yaml:"startupProbe"`
		Liveness  k8sProbe `yaml:"livenessProbe"`
		Readiness k8sProbe `yaml:"readinessProbe"`
	}
	if err := errors.Join(node.Decode((*plain)(c)), node.Decode(&probes)); err != nil {
		return err
	}
	c.StartupProbe, c.LivenessProbe, c.ReadinessProbe = probes.Startup, probes.Liveness, probes.Readiness
	return nil
}

// manifests reads all objects of a folder, by their kind.
func manifests(t *testing.T, folder string) map[string]k8sObject {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(kubernetes, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", folder, err)
	}
	found := map[string]k8sObject{}
	for _, file := range files {
		if name := filepath.Base(file); name == "kustomization.yaml" || name == "walrelay.yaml" {
			continue
		}
		decoder := yaml.NewDecoder(bytes.NewReader([]byte(readFile(t, file))))
		for {
			var o k8sObject
			if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name != "walrelay" {
				t.Errorf("%s: %s %s %q", file, o.APIVersion, o.Kind, o.Metadata.Name)
			}
			found[o.Kind] = o
		}
	}
	return found
}

// TestKubernetesSelectors: whatever selects pods selects those of the Deployment.
func TestKubernetesSelectors(t *testing.T) {
	t.Parallel()
	base := manifests(t, "base")
	deployment, service := base["Deployment"], base["Service"]
	labels := deployment.Spec.Template.Metadata.Labels
	if len(labels) == 0 {
		t.Error("the pods have no labels")
	}
	selects := func(what string, node yaml.Node, inner bool) {
		t.Helper()
		var selector k8sLabels
		var deployment struct {
			MatchLabels k8sLabels `yaml:"matchLabels"`
		}
		err := node.Decode(&deployment)
		if selector = deployment.MatchLabels; !inner {
			err = node.Decode(&selector)
		}
		if err != nil || !reflect.DeepEqual(selector, labels) {
			t.Errorf("%s selects %v (%v), the pods have %v", what, selector, err, labels)
		}
	}
	selects("the Deployment", deployment.Spec.Selector, true)
	selects("the Service", service.Spec.Selector, false)
	standby, monitoring := manifests(t, "standby"), manifests(t, "components/monitoring")
	selects("the PodDisruptionBudget", standby["PodDisruptionBudget"].Spec.Selector, true)
	selects("the ServiceMonitor", monitoring["ServiceMonitor"].Spec.Selector, true)
	if !reflect.DeepEqual(service.Metadata.Labels, labels) {
		t.Errorf("the ServiceMonitor does not find the Service by %v", service.Metadata.Labels)
	}
	if policy := manifests(t, "components/networkpolicy")["NetworkPolicy"]; !reflect.DeepEqual(policy.Spec.PodSelector.MatchLabels, labels) {
		t.Errorf("the NetworkPolicy selects %v", policy.Spec.PodSelector.MatchLabels)
	}
}

// TestKubernetes: probes, ports and rights of the manifests fit each other and the
// program.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	base, standby, monitoring := manifests(t, "base"), manifests(t, "standby"), manifests(t, "components/monitoring")
	deployment, service := base["Deployment"], base["Service"]
	pod := deployment.Spec.Template.Spec
	c := pod.Containers[0]
	if len(c.Ports) != 1 || fmt.Sprint(c.Ports[0].ContainerPort) != port || c.Ports[0].Name != "http" {
		t.Errorf("the container's ports are %v", c.Ports)
	}
	for probe, want := range map[*k8sProbe]string{&c.StartupProbe: "/healthz", &c.LivenessProbe: "/healthz", &c.ReadinessProbe: "/readyz"} {
		if probe.HTTPGet.Path != want || probe.HTTPGet.Port != "http" {
			t.Errorf("a probe asks %v instead of %s", probe.HTTPGet, want)
		}
	}
	if s := service.Spec; !s.PublishNotReadyAddresses || fmt.Sprint(s.Ports[0].Port) != port || s.Ports[0].TargetPort != "http" || s.Ports[0].Name != monitoring["ServiceMonitor"].Spec.Endpoints[0].Port {
		t.Errorf("the Service is %+v", s)
	}
	if s := deployment.Spec; s.Replicas != 1 || s.Strategy.Type != "Recreate" || pod.Grace < 60 {
		t.Errorf("%d replicas, strategy %s, %d s to stop", s.Replicas, s.Strategy.Type, pod.Grace)
	}
	two := standby["Deployment"].Spec
	if r := two.Strategy.RollingUpdate; two.Replicas != 2 || r.MaxSurge == nil || *r.MaxSurge != 0 || two.Template.Spec.Containers[0].ReadinessProbe.HTTPGet.Path != "/readyz?standby=ok" {
		t.Errorf("standby: %d replicas, %+v: a roll-out would wait for itself", two.Replicas, two)
	}
	if s := pod.SecurityContext; !s.RunAsNonRoot || s.RunAsUser != 65532 || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("the pod runs as %+v", s)
	}
	if s := c.SecurityContext; s.Escalation == nil || *s.Escalation || !s.ReadOnly || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("the container may %+v", s)
	}
	checkCommand(t, "the Deployment", c.Args)
}

// TestKubernetesConfig: the program takes the configuration of the manifests, with
// its secrets in the files that the Deployment mounts.
func TestKubernetesConfig(t *testing.T) {
	t.Parallel()
	pod := manifests(t, "base")["Deployment"].Spec.Template.Spec
	const mounted = "/run/secrets/walrelay"
	config := readFile(t, kubernetes+"/base/walrelay.yaml")
	dir := t.TempDir()
	mounts := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	if mounts["secrets"] != mounted || mounts["config"] != "/etc/walrelay" {
		t.Fatalf("mounts %v", mounts)
	}
	for _, v := range pod.Volumes {
		for _, item := range v.Secret.Items {
			if !strings.Contains(config, mounted+"/"+item.Path) {
				t.Errorf("walrelay.yaml does not use the secret %s", item.Path)
			}
			if err := os.WriteFile(filepath.Join(dir, item.Path), []byte("secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := filepath.Join(dir, "walrelay.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, mounted, dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	values := effective(t, file, nil)
	if values["http.listen"] != ":"+port || values["on_fatal"] != "hold" || values["log.format"] != "json" {
		t.Errorf("the program understands %v", values)
	}
}

// TestPrometheusRule: the Prometheus Operator gets the same alerts as everybody.
func TestPrometheusRule(t *testing.T) {
	t.Parallel()
	var alerts struct{ Groups any }
	readYAML(t, alertsFile, &alerts)
	rule := manifests(t, "components/monitoring")["PrometheusRule"]
	var groups any
	if err := rule.Spec.Groups.Decode(&groups); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(groups, alerts.Groups) {
		t.Errorf("%s/components/monitoring/prometheusrule.yaml has other rules than %s", kubernetes, alertsFile)
	}
}

// TestKustomize: kubectl builds base and overlays.
func TestKustomize(t *testing.T) {
	t.Parallel()
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		harness.Skip(t, "no kubectl: the kustomizations are not built")
	}
	overlay := t.TempDir()
	relative := func(path string) string {
		absolute, err := filepath.Abs(filepath.Join(kubernetes, path))
		if err != nil {
			t.Fatal(err)
		}
		path, err = filepath.Rel(overlay, absolute)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), fmt.Appendf(nil, "resources: [%q]\ncomponents: [%q, %q]\n",
		relative("standby"), relative("components/monitoring"), relative("components/networkpolicy")), 0o600); err != nil {
		t.Fatal(err)
	}
	for folder, kinds := range map[string][]string{
		kubernetes + "/base":    {"ConfigMap", "Deployment", "Service", "ServiceAccount"},
		kubernetes + "/standby": {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"},
		overlay:                 {"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service", "ServiceAccount", "ServiceMonitor"},
	} {
		out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", folder).CombinedOutput()
		if err != nil {
			t.Errorf("kubectl kustomize %s: %v: %s", folder, err, out)
			continue
		}
		var built []string
		for line := range strings.Lines(string(out)) {
			if kind, ok := strings.CutPrefix(line, "kind: "); ok {
				built = append(built, strings.TrimSpace(kind))
			}
		}
		slices.Sort(built)
		if !slices.Equal(built, kinds) {
			t.Errorf("%s is made of %v instead of %v", folder, built, kinds)
		}
	}
}
