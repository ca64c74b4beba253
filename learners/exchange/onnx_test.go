package exchange

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
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
			b, exact, why, err := ONNX(m, "imported", e.Names)
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

// form is a linear model of every feature that a form can have.
type form struct {
	contract.Model
	f contract.LinearForm
}

func (f form) Linear() (contract.LinearForm, bool, string) { return f.f, true, "" }

func TestONNXOfLinear(t *testing.T) {
	f := form{f: contract.LinearForm{Outputs: 2, Classes: 2, Link: flat.Softmax, Numeric: []int{0, 2}, Mean: []float64{1, -2}, Inv: []float64{0.5, 3},
		Missing: []float64{0, -2}, Clip: 2.5, W: []float64{1, -1, 0.25, 2}, Bias: []float64{0.1, 0.2},
		Blocks: []contract.LinearBlock{{Feature: 1, Size: 3, W: []float64{1, 0, 0, 2, -1, 1}}}}}
	x := [][]float64{{1, 0, -2}, {math.NaN(), 2, math.NaN()}, {90, 7, -90}, {0.3, 1, -1.7}, {2, math.NaN(), -2.2}}
	b, _, _, err := ONNX(f, "linear", []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, b, x)
	for i, r := range x {
		s := []float64{0.1, 0.2}
		for j, c := range f.f.Numeric {
			v := r[c]
			if v != v {
				v = f.f.Missing[j]
			}
			z := min(max((v-f.f.Mean[j])*f.f.Inv[j], -2.5), 2.5)
			s[0] += z * f.f.W[2*j]
			s[1] += z * f.f.W[2*j+1]
		}
		if c := r[1]; c == c && c < 3 {
			s[0] += f.f.Blocks[0].W[2*int(c)]
			s[1] += f.f.Blocks[0].W[2*int(c)+1]
		}
		close5(t, i, out.Probabilities[i][1], 1/(1+math.Exp(s[0]-s[1])))
	}
}
