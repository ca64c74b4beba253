package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"freshet/features/agg"
	"freshet/learners"
	"freshet/learners/drift"
)

// step is a series whose mean rises at a row.
func step(rows, at int) (text string, v []float64) {
	for i := range rows {
		x := float64(i*7919%100) / 100
		if i >= at {
			x += 2
		}
		text += fmt.Sprintln(x)
		v = append(v, x)
	}
	return text, v
}

func TestDetect(t *testing.T) {
	text, v := step(3000, 1500)
	want := []int{}
	d, err := drift.New("adwin(delta=0.01)")
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range v {
		if d.Update(x) == drift.Drift {
			want = append(want, i)
		}
	}
	// The same series without a header, as a column beside another, and gzip is tested by TestEvalTexts.
	table := "id,value\n"
	for i, line := range strings.Fields(text) {
		table += fmt.Sprintf("%d,%s\n", i, line)
	}
	for _, args := range [][]string{{"--input", write(t, "bare.txt", text)}, {"--input", write(t, "bare.csv", text)}, {"--input", write(t, "table.csv", table), "--column", "value"},
		{"--input", write(t, "one.csv", "value\n"+text)}} {
		code, out, errs := invoke(t, context.Background(), nil, append([]string{"detect", "--detector", "adwin(delta=0.01)", "--detector", "page_hinkley", "--json"}, args...)...)
		list := lines(t, out)
		if code != 0 || len(list) != 2 || errs != "" {
			t.Fatalf("%v: exit %d, %s %s", args, code, out, errs)
		}
		got := list[0]
		if fmt.Sprint(got["drifts"]) != fmt.Sprint(want) || len(want) == 0 || got["samples"] != 3000.0 || got["detector"] != "adwin(delta=0.01)" || fmt.Sprint(got["warnings"]) != "[]" || !(got["ns_per_sample"].(float64) > 0) {
			t.Errorf("%v: %v, want drifts %v", args, got, want)
		}
	}
	// A missing value has a number, but no detector sees it.
	gap := "value\nNA\n" + text
	code, out, _ := invoke(t, context.Background(), nil, "detect", "--detector", "adwin(delta=0.01)", "--input", write(t, "gap.csv", gap), "--json")
	if list := lines(t, out); code != 0 || list[0]["missing"] != 1.0 || list[0]["drifts"].([]any)[0] != float64(want[0]+1) {
		t.Errorf("exit %d, %s", code, out)
	}
	if code, out, _ := invoke(t, context.Background(), nil, "detect", "--detector", "adwin", "--input", write(t, "bare.txt", text)); code != 0 || !strings.Contains(out, "drift at") {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestDetectMistakes(t *testing.T) {
	two := write(t, "two.csv", "a,b\n1,2\n3,4\n")
	for args, want := range map[string]string{
		"":                                "give --detector",
		"--detector adwin":                "give --input",
		"--detector adwim --input " + two: `did you mean "adwin"`,
		"--detector adwin(delt=1) --input " + two:                               `did you mean "delta"`,
		"--detector adwin --input " + two:                                       "one of a, b",
		"--detector adwin --column c --input " + two:                            `no column "c"`,
		"--detector adwin --input nowhere.csv":                                  "nowhere.csv",
		"--detector adwin --input " + two + " more":                             `"more"`,
		"--detector adwin --input " + write(t, "bad.txt", "1\n2\n3\nx\n5\n6\n"): "line 4",
		"--detector adwin --input " + write(t, "head.csv", "value\n"):           "no rows",
		"--compare " + two:                                         "takes one more FILE",
		"--compare " + two + " nowhere.csv":                        "nowhere.csv",
		"--compare " + two + " " + two + " --column c":             `no column "c"`,
		"--compare " + two + " " + write(t, "other.csv", "x\n1\n"): "in common",
		"--compare " + two + " " + two + " --detector adwin":       "a run of its own",
	} {
		code, out, errs := invoke(t, context.Background(), nil, append([]string{"detect"}, strings.Fields(args)...)...)
		if code != 2 || !strings.Contains(errs, want) || out != "" {
			t.Errorf("detect %s: exit %d, %q %q, want %q", args, code, errs, out, want)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := "x,colour\n", "x,colour\n"
	var u, v []float64
	for i := range 400 {
		x := float64(i*37%101) / 10
		a += fmt.Sprintf("%v,%s\n", x, []string{"red", "green"}[i%2])
		b += fmt.Sprintf("%v,%s\n", x+1, []string{"red", "green", "blue"}[i%3])
		u, v = append(u, x), append(v, x+1)
	}
	want, err := drift.Compare(u, v)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"detect", "--compare", write(t, "a.csv", a), write(t, "b.csv", b)}
	code, out, errs := invoke(t, context.Background(), nil, append(args, "--json")...)
	list := lines(t, out)
	if code != 0 || len(list) != 2 || list[0]["column"] != "x" || list[1]["column"] != "colour" || list[1]["categories"] == nil || list[1]["ks"] != nil {
		t.Fatalf("exit %d, %s %s", code, out, errs)
	}
	if got := list[0]["ks"].(map[string]any)["statistic"]; got != want.KS.Statistic || list[0]["wasserstein1"] != *want.Wasserstein1 {
		t.Errorf("%v, want %v", list[0], want)
	}
	if code, out, _ := invoke(t, context.Background(), nil, args...); code != 0 || !strings.Contains(out, "colour") || !strings.Contains(out, "psi") {
		t.Errorf("exit %d, %s", code, out)
	}
	if code, out, _ := invoke(t, context.Background(), nil, append(args, "--column", "x")...); code != 0 || !strings.Contains(out, "wasserstein1") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// TestRegistries: each verb lists all there is, with every parameter, and one entry by name.
func TestRegistries(t *testing.T) {
	count := map[string]int{"learners": len(learners.Registry()), "detectors": len(drift.Registry()), "aggregations": len(agg.Registry())}
	for verb, n := range count {
		code, out, errs := invoke(t, context.Background(), nil, verb, "--json")
		var list []listing
		if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) != n {
			t.Errorf("%s: exit %d, %v, %d of %d entries, %s", verb, code, err, len(list), n, errs)
		}
		for _, l := range list {
			if l.Name == "" || l.Doc == "" || l.Reference == "" && verb != "aggregations" || l.Parameters == nil {
				t.Errorf("%s: %+v", verb, l)
			}
			for _, p := range l.Parameters {
				if p.Name == "" || p.Kind == "" || p.Range == "" || p.Doc == "" {
					t.Errorf("%s of %s: %+v", verb, l.Name, p)
				}
			}
		}
		if code, out, _ := invoke(t, context.Background(), nil, verb); code != 0 || strings.Count(out, "\n") != n {
			t.Errorf("%s: exit %d, %d lines, want %d", verb, code, strings.Count(out, "\n"), n)
		}
	}
	for args, want := range map[string]string{"learners logistic": "default 0.01", "detectors adwin": "delta", "aggregations ewma": "half_life  required"} {
		if code, out, _ := invoke(t, context.Background(), nil, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %s", args, code, out)
		}
	}
	for args, want := range map[string]string{"learners logistik": `did you mean "logistic"`, "detectors adwim": `did you mean "adwin"`, "aggregations sun": `did you mean "sum"`, "learners a b": "accepts at most 1"} {
		if code, _, errs := invoke(t, context.Background(), nil, strings.Fields(args)...); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
}
