package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freshet/learners"
	"freshet/learners/evaluate"
	"freshet/learners/exchange"

	"github.com/parquet-go/parquet-go"
)

// lines decodes a JSON object a line.
func lines(t *testing.T, out string) (list []map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(out))
	for {
		var v map[string]any
		if err := d.Decode(&v); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		list = append(list, v)
	}
}

// exam is a stream of two features, one of them a category, whose label depends on both.
func exam(rows int) (text string, x [][]float64, y []int) {
	b := "num,nom_kind,label\n"
	for i := range rows {
		v, kind := float64(i*7919%1000)/1000, i*31%3
		class := 0
		if v > 0.3+0.2*float64(kind) != (i%10 == 0) {
			class = 1
		}
		b += fmt.Sprintf("%v,%d,%d\n", v, kind, class)
		x, y = append(x, []float64{v, float64(kind)}), append(y, class)
	}
	return b, x, y
}

// TestEvalAgainstALoop: what the verb prints is what a plain loop over the same rows gives.
func TestEvalAgainstALoop(t *testing.T) {
	text, x, y := exam(3000)
	path := write(t, "exam.csv", text)
	for _, delay := range []int{0, 1, 250, 5000} {
		code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree", "--learner", "logistic(rate=0.05)", "--input", path, "--label", "label", "--delay", fmt.Sprint(delay), "--json")
		list := lines(t, out)
		if code != 0 || len(list) != 2 || !strings.Contains(errs, "whole numbers from 0 to 1") {
			t.Fatalf("exit %d, %s %s", code, out, errs)
		}
		for i, text := range []string{"hoeffding_tree", "logistic(rate=0.05)"} {
			c, err := learners.NewClassifier(text, learners.Input{Features: 2, Nominal: []learners.Nominal{{Feature: 1, Categories: 3}}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			table, score, loss := evaluate.NewConfusion(2), []float64{}, 0.0
			for i := range x {
				p := make([]float64, 2)
				c.PredictProba(x[i], p)
				said := 0
				if p[1] > p[0] {
					said = 1
				}
				table.Add(y[i], said)
				score = append(score, p[1])
				loss -= math.Log(min(max(p[y[i]], 1e-6), 1-1e-6)) / float64(len(x))
				if i >= delay {
					c.Learn(x[i-delay], y[i-delay], 1)
				}
			}
			got := list[i]
			if got["learner"] != text || got["rows"] != 3000.0 || got["bytes"] != float64(c.Bytes()) || got["drifts"] != 0.0 {
				t.Errorf("%v", got)
			}
			for name, want := range map[string]float64{"accuracy": table.Accuracy(), "kappa": table.Kappa(), "log_loss": loss, "auc": evaluate.Rank(y, score).AUC()} {
				v, ok := got[name].(float64)
				if ok && math.Abs(v-want) > 1e-9 || ok == math.IsNaN(want) {
					t.Errorf("delay %d: %s of %s is %v, want %v", delay, name, text, got[name], want)
				}
			}
			if v := got["rows_per_cpu_second"].(float64); !(v > 0) {
				t.Errorf("%v rows a second", v)
			}
		}
	}
}

func TestEvalRegression(t *testing.T) {
	b := "x,y\n"
	for i := range 500 {
		b += fmt.Sprintf("%v,%v\n", i%37, 3*(i%37)+i%5)
	}
	path := write(t, "line.csv", b)
	code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "linear(rate=0.1)", "--input", path, "--label", "y", "--json")
	list := lines(t, out)
	if code != 0 || len(list) != 1 || list[0]["task"] != "regression" || !(list[0]["mae"].(float64) < 10) || list[0]["r2"] == nil || list[0]["rmse"] == nil {
		t.Fatalf("exit %d, %s %s", code, out, errs)
	}
	code, out, errs = invoke(t, context.Background(), nil, "eval", "--learner", "linear", "--learner", "hoeffding_tree", "--input", path, "--label", "y")
	if code != 0 || !strings.Contains(out, "mae") || !strings.Contains(out, "for comparison") || !strings.Contains(errs, "regression: label y has") {
		t.Errorf("exit %d, %s %s", code, out, errs)
	}
}

// TestEvalTexts: labels and categories that are texts, missing values, several classes, rows without a label, .csv.gz.
func TestEvalTexts(t *testing.T) {
	b := "id,colour,size,label\n"
	for i := range 600 {
		size, label := fmt.Sprint(i%7), []string{"low", "mid", "high"}[i%3]
		if i%50 == 0 {
			size = "NA"
		}
		if i%60 == 59 {
			label = ""
		}
		b += fmt.Sprintf("%d,%s,%s,%s\n", i, []string{"red", "green", "blue"}[i%3], size, label)
	}
	path := filepath.Join(t.TempDir(), "texts.csv.gz")
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprint(w, b)
	w.Close()
	if err := os.WriteFile(path, z.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree(grace_period=50)", "--input", path, "--ignore", "id", "--json")
	list := lines(t, out)
	if code != 0 || len(list) != 1 || list[0]["rows"] != 590.0 || list[0]["classes"] != 3.0 || list[0]["features"] != 2.0 || !(list[0]["accuracy"].(float64) > 0.9) || !(list[0]["auc"].(float64) > 0.9) {
		t.Fatalf("exit %d, %s %s", code, out, errs)
	}
	if !strings.Contains(errs, "10 without a label") || !strings.Contains(errs, "1 nominal") || !strings.Contains(errs, "texts") {
		t.Error(errs)
	}
}

func TestEvalParquet(t *testing.T) {
	text, x, y := exam(800)
	type row struct {
		Num   float64 `parquet:"num"`
		Kind  int32   `parquet:"nom_kind"`
		Label string  `parquet:"label"`
	}
	var rows []row
	for i := range x {
		rows = append(rows, row{x[i][0], int32(x[i][1]), fmt.Sprint(y[i])})
	}
	path := filepath.Join(t.TempDir(), "exam.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	args := []string{"eval", "--learner", "hoeffding_tree", "--json", "--metric", "accuracy", "--input"}
	_, a, _ := invoke(t, context.Background(), nil, append(args, write(t, "exam.csv", text))...)
	code, b, errs := invoke(t, context.Background(), nil, append(args, path)...)
	l, m := lines(t, a), lines(t, b)
	if code != 0 || len(m) != 1 || l[0]["accuracy"] != m[0]["accuracy"] || l[0]["log_loss"] != m[0]["log_loss"] {
		t.Errorf("exit %d, %s, %s %s", code, a, b, errs)
	}
}

// TestEvalThenMeasure: the predictions that eval writes are what measure reads, with the same answers.
func TestEvalThenMeasure(t *testing.T) {
	text, _, _ := exam(1000)
	said := filepath.Join(t.TempDir(), "said.csv")
	code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree(grace_period=50)", "--learner", "logistic", "--input", write(t, "exam.csv", text), "--predictions", said, "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	want := lines(t, out)
	code, out, errs = invoke(t, context.Background(), nil, "measure", "--input", said, "--score", "logistic", "--against", "hoeffding_tree(grace_period=50)", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	got := lines(t, out)[0]
	for _, m := range []string{"rows", "auc", "average_precision", "brier", "ece"} {
		if math.Abs(got[m].(float64)-want[1][m].(float64)) > 1e-12 {
			t.Errorf("%s is %v, eval said %v", m, got[m], want[1][m])
		}
	}
	if v := want[1]["versus_first"].(map[string]any); v["verdict"] == nil || v["p"] == nil {
		t.Errorf("%v", v)
	}
}

func TestEvalSegments(t *testing.T) {
	text, _, y := exam(900)
	path := write(t, "exam.csv", text)
	code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree(grace_period=50)", "--input", path, "--segment", "nom_kind", "--max-segments", "2", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	got := lines(t, out)[0]
	list := got["segments"].([]any)
	if len(list) != 2 || got["segments_left_out"] != 1.0 || got["features"] != 2.0 || list[0].(map[string]any)["segment"] != "0" || list[0].(map[string]any)["rows"] != 300.0 {
		t.Errorf("%s", out)
	}
	code, out, errs = invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree", "--input", path, "--segment", "nom_kind", "--ignore", "nom_kind", "--json")
	got = lines(t, out)[0]
	right := 0.0
	for _, s := range got["segments"].([]any) {
		right += s.(map[string]any)["accuracy"].(float64) * s.(map[string]any)["rows"].(float64)
	}
	if code != 0 || got["features"] != 1.0 || math.Abs(right/float64(len(y))-got["accuracy"].(float64)) > 1e-12 {
		t.Errorf("exit %d, %s %s", code, out, errs)
	}
	if code, out, _ := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree", "--input", path, "--segment", "nom_kind"); code != 0 || !strings.Contains(out, "by nom_kind") {
		t.Errorf("exit %d, %s", code, out)
	}
	if code, _, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree", "--input", path, "--segment", "nom_kin"); code != 2 || !strings.Contains(errs, `"nom_kind"`) {
		t.Errorf("exit %d, %s", code, errs)
	}
}

// TestPlot: axes, gaps and constants.
func TestPlot(t *testing.T) {
	nan := math.NaN()
	for _, c := range []chart{{}, {lines: []line{{name: "a < b", x: []float64{1, 2, 3, 4}, y: []float64{1, nan, 2, 3}}}}, {lines: []line{{x: []float64{5}, y: []float64{0.5}}}},
		{lines: []line{{x: []float64{1, 2}, y: []float64{nan, nan}}}}} {
		svg := c.svg()
		if err := xml.Unmarshal(svg, new(struct{})); err != nil || bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
			t.Errorf("%v %s", err, svg)
		}
	}
	if got := fmt.Sprint(ticks(0, 10, 5), ticks(-1000, 45312, 9)); got != "[0 2 4 6 8 10] [0 10000 20000 30000 40000]" {
		t.Error(got)
	}
	if tick(0.1+0.2) != "0.3" || tick(25000) != "25k" || tick(2.5e6) != "2.5M" || tick(1e-17) != "0" {
		t.Error(tick(0.1+0.2), tick(25000), tick(2.5e6), tick(1e-17))
	}
}

// TestEvalKeeps: the plot is XML with a curve a learner, the saved learner predicts what the last one would.
func TestEvalKeeps(t *testing.T) {
	text, x, y := exam(2000)
	dir := t.TempDir()
	plot, saved, onnx := filepath.Join(dir, "a.svg"), filepath.Join(dir, "a.model"), filepath.Join(dir, "a.onnx")
	code, out, errs := invoke(t, context.Background(), nil, "eval", "--learner", "hoeffding_tree(grace_period=50)", "--input", write(t, "exam.csv", text), "--plot", plot, "--save", saved, "--onnx", onnx, "--metric", "log_loss,bytes", "--importance")
	if code != 0 || !strings.Contains(out, "log_loss") {
		t.Fatalf("exit %d, %s %s", code, out, errs)
	}
	svg, err := os.ReadFile(plot)
	if err != nil || xml.Unmarshal(svg, new(struct{})) != nil || !bytes.Contains(svg, []byte(">hoeffding_tree(grace_period=50)<")) || !bytes.Contains(svg, []byte("log_loss over the newest")) || bytes.Contains(svg, []byte("NaN")) {
		t.Errorf("%v %s", err, svg)
	}
	b, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	var f exchange.File
	if err := f.UnmarshalBinary(b); err != nil || f.Rows != 2000 || f.Classes != 2 || strings.Join(f.Input.Names, ",") != "num,nom_kind" {
		t.Fatalf("%v %+v", err, f)
	}
	restored, _ := learners.NewClassifier(f.Learner, f.Input, f.Classes)
	if err := restored.UnmarshalBinary(f.State); err != nil {
		t.Fatal(err)
	}
	fresh, _ := learners.NewClassifier("hoeffding_tree(grace_period=50)", f.Input, 2)
	for i := range x {
		fresh.Learn(x[i], y[i], 1)
	}
	p, q := make([]float64, 2), make([]float64, 2)
	restored.PredictProba(x[7], p)
	fresh.PredictProba(x[7], q)
	if p[0] != q[0] || p[1] != q[1] {
		t.Error(p, q)
	}
	if st, err := os.Stat(onnx); err != nil || st.Size() < 100 {
		t.Error(err)
	}
}

func TestEvalSeedsAndWorkers(t *testing.T) {
	text, _, _ := exam(1500)
	path := write(t, "exam.csv", text)
	args := []string{"eval", "--input", path, "--json", "--learner", "adaptive_random_forest(trees=3,seed=1)"}
	code, out, errs := invoke(t, context.Background(), nil, append(args, "--seeds", "3", "--learner", "logistic")...)
	list := lines(t, out)
	if code != 0 || len(list) != 2 || list[0]["seeds"] != 3.0 || list[0]["sd"] == nil || list[1]["seeds"] != nil || list[0]["rows"] != 1500.0 {
		t.Fatalf("exit %d, %s %s", code, out, errs)
	}
	_, a, _ := invoke(t, context.Background(), nil, args...)
	_, b, _ := invoke(t, context.Background(), nil, append(args, "--workers", "3")...)
	one, three := lines(t, a)[0], lines(t, b)[0]
	for _, m := range []string{"accuracy", "kappa", "log_loss", "auc", "ece", "bytes", "drifts"} {
		if one[m] != three[m] {
			t.Errorf("%s is %v with one worker, %v with three", m, one[m], three[m])
		}
	}
}

func TestEvalMistakes(t *testing.T) {
	good := write(t, "good.csv", "a,b,label\n1,2,0\n2,3,1\n")
	for args, want := range map[string]string{
		"--input " + good:                                                                                 "give --learner",
		"--learner logistic":                                                                              "give --input",
		"--learner logistic --input nowhere.csv":                                                          "nowhere.csv",
		"--learner logistc --input " + good:                                                               `did you mean "logistic"`,
		"--learner logistic(rat=1) --input " + good:                                                       `did you mean "rate"`,
		"--learner logistic --input " + good + " --label labl":                                            `the nearest is "label"`,
		"--learner linear --input " + good:                                                                "is not a classifier",
		"--learner logistic --task regression --input " + good:                                            "is not a regressor",
		"--learner logistic --task classify --input " + good:                                              `expected auto, classification or regression`,
		"--learner logistic --metric acuracy --input " + good:                                             `did you mean "accuracy"`,
		"--learner logistic --delay -1 --input " + good:                                                   "--delay",
		"--learner logistic --nominal c --input " + good:                                                  `no column "c"`,
		"--learner logistic --save x --learner linear --input " + good:                                    "of one learner",
		"--learner logistic --input " + write(t, "bad.csv", "a,label\n1,0\n2,1\nx,0\n3,1\n"):              "line 4: column a: expected a number, found \"x\"",
		"--learner logistic --input " + write(t, "short.csv", "a,label\n1,0\n2\n"):                        "line 3",
		"--learner logistic --input " + write(t, "empty.csv", ""):                                         "empty",
		"--learner logistic --input " + write(t, "rows.csv", "a,label\n"):                                 "no row has a label",
		"--learner logistic --input " + write(t, "only.csv", "label\n1\n0\n"):                             "no column besides",
		"--learner logistic --input " + write(t, "no.parquet", "PAR1 nothing of the kind"):                "no.parquet",
		"--learner logistic --task regression --input " + write(t, "words.csv", "a,label\n1,yes\n2,no\n"): "texts",
	} {
		code, out, errs := invoke(t, context.Background(), nil, append([]string{"eval"}, strings.Fields(args)...)...)
		if code != 2 || !strings.Contains(errs, want) || out != "" {
			t.Errorf("eval %s: exit %d, %q, want %q", args, code, errs, want)
		}
	}
}

// TestEvalStops: an interrupted run tells how far it came.
func TestEvalStops(t *testing.T) {
	text, _, _ := exam(300)
	path := write(t, "exam.csv", text)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code, _, errs := invoke(t, ctx, nil, "eval", "--learner", "logistic", "--input", path); code != 1 || !strings.Contains(errs, "stopped") {
		t.Errorf("exit %d, %s", code, errs)
	}
}
