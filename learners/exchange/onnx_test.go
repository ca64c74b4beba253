package exchange

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"freshet/learners/contract"
)

// python is an interpreter that has onnxruntime, from FRESHET_TEST_PYTHON.
func python(t *testing.T) string {
	p := os.Getenv("FRESHET_TEST_PYTHON")
	if p == "" {
		t.Skip("SKIPPED: FRESHET_TEST_PYTHON names no Python with onnxruntime")
	}
	return p
}

// run has onnxruntime predict with the file.
func run(t *testing.T, file []byte, x [][]float64) (out struct {
	Label         []int       `json:"label"`
	Probabilities [][]float64 `json:"probabilities"`
	Prediction    []float64   `json:"prediction"`
}) {
	t.Helper()
	dir := t.TempDir()
	rows := make([][]*float64, len(x))
	for i, r := range x {
		rows[i] = make([]*float64, len(r))
		for j := range r {
			if r[j] == r[j] {
				rows[i][j] = &r[j]
			}
		}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	model, data := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "rows.json")
	if os.WriteFile(model, file, 0o600) != nil || os.WriteFile(data, b, 0o600) != nil {
		t.Fatal("cannot write", dir)
	}
	cmd := exec.Command(python(t), filepath.Join("testdata", "onnx_check.py"), model, data)
	cmd.Stderr = os.Stderr
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func close5(t *testing.T, row int, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-5*max(1, math.Abs(want))) {
		t.Fatalf("row %d: %v, want %v", row, got, want)
	}
}

// TestONNXOfTrees writes every model of testdata and compares onnxruntime's predictions with ours.
func TestONNXOfTrees(t *testing.T) {
	python(t)
	g, x := load(t)
	for name := range g.Models {
		t.Run(name, func(t *testing.T) {
			e, err := Read(file(t, name))
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewTrees(e, contract.Input{Features: 6})
			if err != nil {
				t.Fatal(err)
			}
			b, exact, why, err := ONNX(m, "imported", contract.Input{Features: 6, Names: e.Names}, m.Classes())
			if err != nil || !exact {
				t.Fatal(exact, why, err)
			}
			out := run(t, b, x)
			p := make([]float64, max(1, m.Classes()))
			for i := range x {
				if m.Classes() == 0 {
					close5(t, i, out.Prediction[i], m.Predict(x[i]))
					continue
				}
				m.PredictProba(x[i], p)
				for k := range p {
					close5(t, i, out.Probabilities[i][k], p[k])
				}
			}
		})
	}
}
