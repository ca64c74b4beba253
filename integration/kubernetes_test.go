package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestKubernetesPipeline keeps the pipeline of the Kubernetes base equal to the shipped one: kustomize reads no file outside
// of its folder, so it needs a copy.
func TestKubernetesPipeline(t *testing.T) {
	deploy := filepath.Join("..", "deploy")
	want, err := os.ReadFile(filepath.Join(deploy, "pipelines", "fraud.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(deploy, "kubernetes", "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("deploy/kubernetes/pipeline.yaml differs from deploy/pipelines/fraud.yaml: cp deploy/pipelines/fraud.yaml deploy/kubernetes/pipeline.yaml")
	}
}

// TestKubernetesBuilds renders the base, where there is a kubectl to do so; no cluster is needed.
func TestKubernetesBuilds(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("SKIPPED: no kubectl to render deploy/kubernetes with")
	}
	out, err := exec.Command(kubectl, "kustomize", filepath.Join("..", "deploy", "kubernetes")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"kind: StatefulSet", "kind: Service", "kind: ConfigMap", "kind: PodDisruptionBudget", "runAsNonRoot: true", "path: /readyz"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the rendered base lacks %q", want)
		}
	}
}
