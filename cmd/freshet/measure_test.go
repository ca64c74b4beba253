package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharedMetrics reads a file of the shared metrics, or skips the test.
func sharedMetrics[T any](t *testing.T, name string) (v T) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "metrics", name))
	if err != nil {
		t.Skip("SKIPPED: the shared data is not there: metrics/" + name)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		d = json.NewDecoder(z)
	}
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// table writes columns as CSV.
func table(t *testing.T, names string, columns ...[]any) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, names)
	for i := range columns[0] {
		for k, c := range columns {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprint(&b, c[i])
		}
		b.WriteByte('\n')
	}
	return write(t, "table.csv", b.String())
}

// same compares what measure printed with the shared values under their names there, if not renamed.
func same(t *testing.T, what string, got, want map[string]any, rename map[string]string) {
	t.Helper()
	compared := 0
	for name, w := range want {
		at := name
		if r, ok := rename[name]; ok {
			at = r
		}
		g, there := got[at]
		if !there || at == "-" {
			if at != "-" {
				t.Errorf("%s: no %s in %v", what, at, got)
			}
			continue
		}
		compared++
		x, isNumber := g.(float64)
		y, _ := w.(float64)
		if isNumber != (w != nil) || isNumber && !(math.Abs(x-y) <= 1e-9*max(1, math.Abs(y))) {
			t.Errorf("%s: %s is %v, want %v", what, name, g, w)
		}
	}
	if compared < 5 {
		t.Errorf("%s: %d values compared", what, compared)
	}
}

func TestMeasureGolden(t *testing.T) {
	cases := sharedMetrics[map[string]map[string]any](t, "cases.json.gz")
	expected := sharedMetrics[map[string]map[string]any](t, "expected.json")
	for name, want := range expected {
		c := cases[name]
		column := func(k string) []any { return c[k].([]any) }
		measure := func(path string, args ...string) map[string]any {
			code, out, errs := invoke(t, context.Background(), nil, append([]string{"measure", "--json", "--label", "y", "--input", path}, args...)...)
			if code != 0 {
				t.Fatalf("%s: exit %d, %s", name, code, errs)
			}
			return lines(t, out)[0]
		}
		switch name[0] {
		case 'b':
			path := table(t, "y,p", column("y"), column("p"))
			rename := map[string]string{"n": "rows", "log_loss_clip_1e15": "log_loss"}
			same(t, name, measure(path, "--score", "p"), want["binary"].(map[string]any), rename)
			same(t, name, measure(path, "--score", "p", "--threshold", "0.3"), want["binary_thr_0_3"].(map[string]any), rename)
			if rows, ok := want["prequential"].([]any); ok {
				got := measure(path, "--score", "p", "--every", "500")["prequential"].([]any)
				for i, r := range rows {
					same(t, name+" prequential", got[i].(map[string]any), r.(map[string]any), map[string]string{"cum_auc": "-", "fading_error_99": "-"})
				}
			}
		case 'm':
			text := make([]any, len(column("y")))
			for i, y := range column("y") {
				text[i] = fmt.Sprintf("c%02v", y)
			}
			said := make([]any, len(text))
			for i, h := range column("h") {
				said[i] = fmt.Sprintf("c%02v", h)
			}
			same(t, name, measure(table(t, "y,h", text, said), "--prediction", "h"), want, map[string]string{"confusion": "-"})
		case 'r':
			path := table(t, "y,h,a,b,c", column("y"), column("h"), column("q10"), column("q50"), column("q90"))
			same(t, name, measure(path, "--prediction", "h", "--quantiles", "0.1=a,0.5=b,0.9=c", "--window", "200"), want, map[string]string{"n": "rows", "bias_mean_h_minus_y": "bias",
				"coverage_10_90_closed": "coverage", "mean_width_10_90": "mean_width", "fading_mae_0.99": "-", "win_rmse_200_last": "win_rmse"})
		case 'f':
			got := measure(table(t, "y,h,g", column("y"), column("h"), column("group")), "--score", "h", "--group", "g")["fairness"].(map[string]any)
			rename := map[string]string{"by_group": "-"}
			if groups := want["by_group"].(map[string]any); len(groups) > 2 {
				rename["signed_parity_g1_minus_g0"] = "-" // of two groups only
			}
			same(t, name, got, want, rename)
			for g, w := range want["by_group"].(map[string]any) {
				same(t, name+" "+g, got["by_group"].(map[string]any)[g].(map[string]any), w.(map[string]any), nil)
			}
		}
	}
}

func TestMeasureSegmentsAndChampion(t *testing.T) {
	b := "y,p,q,channel\n"
	for i := range 4000 {
		y := i * 7 % 5 / 4
		p, q := 0.1+0.6*float64(y), 0.3+0.1*float64(y)
		b += fmt.Sprintf("%d,%v,%v,%s\n", y, p, q, []string{"web", "shop", "web", ""}[i%4])
	}
	path := write(t, "scored.csv", b)
	code, out, errs := invoke(t, context.Background(), nil, "measure", "--input", path, "--label", "y", "--score", "p", "--against", "q", "--segment", "channel", "--max-segments", "2", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	got := lines(t, out)[0]
	segments := got["segments"].([]any)
	if len(segments) != 2 || segments[0].(map[string]any)["segment"] != "web" || segments[0].(map[string]any)["rows"] != 2000.0 || got["segments_left_out"] != 1.0 || got["rows_of_segments_left_out"] != 1000.0 {
		t.Errorf("%v", out)
	}
	against := got["against"].(map[string]any)
	if v := against["sequential"].(map[string]any); v["verdict"] != 1.0 || !(v["low"].(float64) > 0) {
		t.Errorf("%v", against)
	}
	if v := against["mcnemar"].(map[string]any); v["only_challenger_right"] != 800.0 || !(v["p_exact"].(float64) < 1e-9) {
		t.Errorf("%v", against)
	}
	code, out, _ = invoke(t, context.Background(), nil, "measure", "--input", path, "--label", "y", "--prediction", "p", "--against", "q", "--segment", "channel", "--low", "q", "--high", "p")
	if code == 0 {
		t.Errorf("a low above its high is accepted: %s", out)
	}
	code, out, _ = invoke(t, context.Background(), nil, "measure", "--input", path, "--label", "y", "--score", "p", "--against", "q", "--segment", "channel", "--every", "1000")
	for _, want := range []string{"auc", "prequential", "reliability", "segments", "(missing)", "mcnemar", "sequential"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %s in %s", code, want, out)
		}
	}
}

func TestMeasureMistakes(t *testing.T) {
	good := write(t, "good.csv", "y,p,s\n0,0.2,a\n1,0.7,b\n")
	for args, want := range map[string]string{
		"":                          "give --input",
		"--input " + good:           "what is measured",
		"--input nowhere --score p": "nowhere",
		"--input " + good + " --label y --score q":                                       `no column "q"`,
		"--input " + good + " --label z --score p":                                       `no column "z"`,
		"--input " + good + " --label y --score s":                                       "has texts",
		"--input " + good + " --label p --score y --low y":                               "a run of their own",
		"--input " + good + " --label y --low p":                                         "come together",
		"--input " + good + " --label y --quantiles 1.5=p":                               "expected LEVEL=COLUMN",
		"--input " + good + " --label y --quantiles 0.9=p,0.1=p":                         "must rise",
		"--input " + good + " --label y --score p --window 0":                            "--window",
		"--input " + good + " --label y --prediction p --level 2":                        "--level",
		"--label y --score p --input " + write(t, "x.csv", "y,p\n0,0.1\n1,x\n2,0.3\n"):   "line 3",
		"--label y --score p --input " + write(t, "k.csv", "y,p\n0,0.1\n1,0.2\n2,0.3\n"): "3 different values",
		"--label y --score p --input " + write(t, "n.csv", "y,p\n,0.1\n,0.2\n"):          "no row has",
	} {
		code, out, errs := invoke(t, context.Background(), nil, append([]string{"measure"}, strings.Fields(args)...)...)
		if code != 2 || !strings.Contains(errs, want) || out != "" {
			t.Errorf("measure %s: exit %d, %q, want %q", args, code, errs, want)
		}
	}
}
