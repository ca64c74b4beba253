package exchange

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/flat"
)

// golden is testdata/predictions.json: what LightGBM and XGBoost themselves predict (testdata/make.py).
type golden struct {
	X      [][]*float64 `json:"x"`
	Models map[string]struct {
		P       json.RawMessage `json:"p"`
		Contrib [][]float64     `json:"contrib"`
	} `json:"models"`
}

func load(t testing.TB) (g golden, x [][]float64) {
	b, err := os.ReadFile(filepath.Join("testdata", "predictions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	for _, row := range g.X {
		v := make([]float64, len(row))
		for i, p := range row {
			v[i] = math.NaN()
			if p != nil {
				v[i] = *p
			}
		}
		x = append(x, v)
	}
	return g, x
}

func file(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPredictionsOfTheirMakers compares with LightGBM (double precision) and XGBoost (single).
func TestPredictionsOfTheirMakers(t *testing.T) {
	g, x := load(t)
	for name, want := range g.Models {
		t.Run(name, func(t *testing.T) {
			e, err := Read(file(t, name))
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewTrees(e, contract.Input{Features: 6})
			if err != nil {
				t.Fatal(err)
			}
			tolerance := 1e-12
			if strings.HasPrefix(name, "xgboost") {
				tolerance = 2e-6
			}
			near := func(row int, got, want float64) {
				if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
					t.Fatalf("row %d %v: %v, want %v", row, x[row], got, want)
				}
			}
			var numbers []float64
			var rows [][]float64
			if json.Unmarshal(want.P, &numbers) != nil {
				if err := json.Unmarshal(want.P, &rows); err != nil {
					t.Fatal(err)
				}
			}
			p := make([]float64, max(m.Classes(), 1))
			for i := range x {
				switch {
				case m.Classes() == 0:
					near(i, m.Predict(x[i]), numbers[i])
				case rows == nil:
					m.PredictProba(x[i], p)
					near(i, p[1], numbers[i])
				default:
					m.PredictProba(x[i], p)
					for k := range p {
						near(i, p[k], rows[i][k])
					}
				}
			}
			if name == "lightgbm_forest.txt" { // LightGBM adds up the contributions of a forest that it averages: 8 rounds
				for _, row := range want.Contrib {
					for j := range row {
						row[j] /= 8
					}
				}
			}
			contributions(t, m, x, want.Contrib)
		})
	}
}

// contributions compares with LightGBM's own TreeSHAP: features, then the base value, an output after the other.
func contributions(t *testing.T, m *Trees, x, want [][]float64) {
	k := m.scorer.Ensemble().Outputs
	out, base := make([]float64, 6*k), make([]float64, k)
	for i := range want {
		m.Contributions(x[i], out, base)
		for o := range k {
			for j := range 7 {
				got := base[o]
				if j < 6 {
					got = out[j*k+o]
				}
				if w := want[i][o*7+j]; math.Abs(got-w) > 1e-9*max(1, math.Abs(w)) {
					t.Fatalf("row %d, output %d, feature %d: contribution %v, want %v", i, o, j, got, w)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	_, x := load(t)
	read := func() *flat.Ensemble {
		e, err := Read(file(t, "lightgbm_regression.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	plain, err := NewTrees(read(), contract.Input{Features: 6})
	if err != nil {
		t.Fatal(err)
	}
	turned, err := NewTrees(read(), contract.Input{Features: 7, Names: []string{"f5", "f4", "other", "f3", "f2", "f1", "f0"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range x {
		if got, want := turned.Predict([]float64{r[5], r[4], 99, r[3], r[2], r[1], r[0]}), plain.Predict(r); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	if _, err := NewTrees(read(), contract.Input{Features: 6, Names: []string{"f0", "f1", "f2", "f3", "f4", "x"}}); err == nil || !strings.Contains(err.Error(), `"f5"`) {
		t.Fatal(err)
	}
	if _, err := NewTrees(read(), contract.Input{Features: 5}); err == nil {
		t.Fatal("five features were taken for six")
	}
}

func TestErrors(t *testing.T) {
	light, boost := string(file(t, "lightgbm_binary.txt")), string(file(t, "xgboost_binary.json"))
	for _, c := range []struct{ text, old, new, want string }{
		{light, "objective=binary sigmoid:1", "objective=lambdarank", `objective "lambdarank"`},
		{light, "end of trees", "", "before \"end of trees\""},
		{light, "num_leaves=7", "num_leaves=8", "split_feature has 6 values, expected 7"},
		{light, "left_child=1 3 4", "left_child=1 3 0", "do not make a tree"},
		{light, "split_feature=0", "split_feature=6", "feature 6 of 6"},
		{light, "threshold=0.18100000000000002", "threshold=abc", `value 1 is "abc"`},
		{boost, `"gbtree"`, `"gblinear"`, `booster "gblinear"`},
		{boost, `"binary:logistic"`, `"rank:ndcg"`, `objective "rank:ndcg"`},
		{boost, `"left_children":[1`, `"left_children":[0`, "do not make a tree"},
		{"PMML", "", "", "unknown model file"},
	} {
		bad := c.text
		if c.old != "" {
			bad = strings.Replace(c.text, c.old, c.new, 1)
		}
		if _, err := Read([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, n := range []string{"lightgbm_binary.txt", "lightgbm_poisson.txt", "xgboost_binary.json", "xgboost_multiclass.json"} {
		f.Add(file(f, n))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Read(data)
		if err != nil {
			return
		}
		m, err := NewTrees(e, contract.Input{Features: e.Features})
		if err != nil {
			t.Fatal(err)
		}
		m.scorer.Raw(make([]float64, e.Features), make([]float64, e.Outputs))
	})
}
