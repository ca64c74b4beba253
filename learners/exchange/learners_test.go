package exchange_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"freshet/learners"
	"freshet/learners/exchange"
	"freshet/learners/numeric"
)

// shape is two numbers and a category, with gaps.
var shape = learners.Input{Features: 3, Nominal: []learners.Nominal{{Feature: 2, Categories: 4}}, Names: []string{"a", "b", "c"}}

func draw(r *numeric.Rand) (x []float64, y float64) {
	x = []float64{r.Float()*10 - 5, r.Float(), float64(r.Intn(4))}
	y = 2*x[0] - 3*x[1] + 4*math.Mod(x[2], 2) + r.Float()
	if r.Float() < 0.1 {
		x[r.Intn(2)] = math.NaN()
	}
	return x, y
}

// TestONNXOfLearners trains every learner that has an ONNX form and, where that is exact, compares onnxruntime's
// predictions with the learner's own.
func TestONNXOfLearners(t *testing.T) {
	python := os.Getenv("FRESHET_TEST_PYTHON")
	if python == "" {
		t.Skip("SKIPPED: FRESHET_TEST_PYTHON names no Python with onnxruntime")
	}
	for _, c := range []struct {
		text    string
		classes int // 0: regression
		exact   bool
	}{
		{"logistic", 2, true}, {"logistic", 3, true}, {"logistic(one_vs_rest=true)", 3, true}, {"ftrl", 2, true}, {"adaptive_linear", 3, true},
		{"linear", 0, true}, {"linear(loss=poisson)", 0, true}, {"linear(scale_target=true)", 0, true}, {"linear(clip=1,missing=mean)", 0, true}, {"bayesian_linear", 0, true},
		{"hoeffding_tree(leaf_prediction=mc)", 2, true}, {"hoeffding_tree(leaf_prediction=mc)", 3, true}, {"hoeffding_tree", 2, false},
		{"hoeffding_tree(regression_leaf=mean)", 0, true}, {"adaptive_random_forest(leaf_prediction=mc,calibrate=false)", 3, true}, {"adaptive_random_forest", 2, false},
		{"adaptive_random_forest(regression_leaf=mean)", 0, true}, {"gradient_boosting", 2, true}, {"gradient_boosting", 3, true}, {"gradient_boosting", 0, true},
		{"mondrian_forest", 2, true}, {"mondrian_forest", 0, true}, {"streaming_gradient_boosting", 2, false},
	} {
		t.Run(fmt.Sprint(c.text, "/", c.classes), func(t *testing.T) { roundTrip(t, python, c.text, c.classes, c.exact) })
	}
}

func roundTrip(t *testing.T, python, text string, classes int, wantExact bool) {
	spec, err := learners.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := numeric.NewRand(7)
	var model learners.Model
	var predict func(x []float64) []float64
	if classes == 0 {
		m, err := spec.NewRegressor(shape)
		if err != nil {
			t.Fatal(err)
		}
		for range 4000 {
			x, y := draw(&r)
			m.Learn(x, math.Abs(y), 1)
		}
		model, predict = m, func(x []float64) []float64 { return []float64{m.Predict(x)} }
	} else {
		m, err := spec.NewClassifier(shape, classes)
		if err != nil {
			t.Fatal(err)
		}
		for range 4000 {
			x, y := draw(&r)
			m.Learn(x, min(max(int(y/6+1.5), 0), classes-1), 1)
		}
		model, predict = m, func(x []float64) []float64 { p := make([]float64, classes); m.PredictProba(x, p); return p }
	}
	file, exact, why, err := exchange.ONNX(model, spec.String(), shape, classes)
	if err != nil {
		t.Fatal(err)
	}
	if exact != wantExact || exact != (why == "") {
		t.Errorf("exact %v (%s), want %v", exact, why, wantExact)
	}
	var rows [][]*float64
	var want [][]float64
	for range 1000 {
		x, _ := draw(&r)
		row := make([]*float64, len(x))
		for j := range x {
			if x[j] == x[j] {
				row[j] = &x[j]
			}
		}
		rows, want = append(rows, row), append(want, predict(x))
	}
	dir := t.TempDir()
	b, _ := json.Marshal(rows)
	if os.WriteFile(filepath.Join(dir, "m.onnx"), file, 0o600) != nil || os.WriteFile(filepath.Join(dir, "x.json"), b, 0o600) != nil {
		t.Fatal("cannot write", dir)
	}
	cmd := exec.Command(python, filepath.Join("testdata", "onnx_check.py"), filepath.Join(dir, "m.onnx"), filepath.Join(dir, "x.json"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Probabilities [][]float64 `json:"probabilities"`
		Prediction    []float64   `json:"prediction"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if !exact {
		return // it loads and runs; what it leaves out is said
	}
	for i, w := range want {
		var g []float64
		if classes > 0 {
			g = got.Probabilities[i]
		} else {
			g = got.Prediction[i : i+1]
		}
		for k := range w {
			if !(math.Abs(g[k]-w[k]) <= 1e-5*max(1, math.Abs(w[k]))) {
				t.Fatalf("row %d, output %d: onnxruntime %v, the learner %v", i, k, g[k], w[k])
			}
		}
	}
}
