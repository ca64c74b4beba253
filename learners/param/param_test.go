package param

import (
	"strings"
	"testing"
)

var table = []Param{
	{Name: "rate", Kind: Float, Default: "0.01", Min: 0, Max: 10},
	{Name: "trees", Kind: Int, Default: "10", Min: 1, Max: 100},
	{Name: "fast", Kind: Bool, Default: "false"},
	{Name: "leaf", Kind: Choice, Default: "nba", Choices: []string{"mc", "nb", "nba"}},
}

func TestResolve(t *testing.T) {
	name, raw, err := Parse(" sgd ( rate = 0.5, fast=true ,leaf=mc) ")
	if err != nil || name != "sgd" {
		t.Fatal(name, err)
	}
	v, err := Resolve(name, table, raw)
	if err != nil {
		t.Fatal(err)
	}
	if v.Float("rate") != 0.5 || v.Int("trees") != 10 || !v.Bool("fast") || v.Choice("leaf") != "mc" {
		t.Fatalf("%+v", v)
	}
	if got := v.String(); got != "sgd(rate=0.5,fast=true,leaf=mc)" {
		t.Fatal(got)
	}
	yaml, err := Resolve("sgd", table, map[string]any{"rate": 1, "trees": uint64(3), "fast": true})
	if err != nil || yaml.String() != "sgd(rate=1,trees=3,fast=true)" {
		t.Fatal(yaml, err)
	}
	if d, err := Resolve("sgd", table, nil); err != nil || d.String() != "sgd" {
		t.Fatal(d, err)
	}
}

func TestErrorsSayWhatWasExpected(t *testing.T) {
	for text, want := range map[string]string{
		"sgd(rat=1)":            `unknown parameter "rat"; did you mean "rate"?`,
		"sgd(zzzzzzzzz=1)":      "there are rate, trees, fast, leaf",
		"sgd(rate=11)":          "rate: is 11, expected number from 0 to 10",
		"sgd(rate=nan)":         "expected number from 0 to 10",
		"sgd(trees=1.5)":        "expected whole number from 1 to 100",
		"sgd(leaf=nb2)":         `did you mean "nb"?`,
		"sgd(fast=maybe)":       "expected true or false",
		"sgd(rate=1":            "expected ) at the end",
		"sgd(rate)":             "expected parameter=value",
		"sgd(rate=1,rate=2)":    "given twice",
		"sgd(rate=)":            "expected a value for rate",
		"":                      "expected a name",
		"sgd(rate=11,trees=-1)": "trees: is -1",
	} {
		name, raw, err := Parse(text)
		if err == nil {
			_, err = Resolve(name, table, raw)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something with %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("sgd(rate=0.5,fast=true)")
	f.Fuzz(func(t *testing.T, s string) {
		name, raw, err := Parse(s)
		if err != nil {
			return
		}
		v, err := Resolve(name, table, raw)
		if err != nil {
			return
		}
		n2, r2, err := Parse(v.String())
		if err != nil {
			t.Fatal(err)
		}
		v2, err := Resolve(n2, table, r2)
		if err != nil || v2.String() != v.String() {
			t.Fatalf("%q -> %q -> %q, %v", s, v, v2, err)
		}
	})
}
