package drift

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

type goldenPair struct {
	Type     string
	Ref, Cur []any
}

func (p goldenPair) compare(t *testing.T) Distances {
	var d Distances
	var err error
	if p.Type == "categorical" {
		words := func(side []any) (out []string) {
			for _, v := range side {
				out = append(out, v.(string))
			}
			return out
		}
		d, err = CompareCategories(words(p.Ref), words(p.Cur))
	} else {
		d, err = Compare(goldenNumbers(p.Ref), goldenNumbers(p.Cur))
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func goldenNumbers(side []any) (out []float64) {
	for _, v := range side {
		out = append(out, v.(float64))
	}
	return out
}

// same walks a golden value and ours as JSON: every golden number must be there, to 1e-9, p-values to 1e-6.
func same(t *testing.T, path string, want, got any) (checked int) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: absent", path)
			return 1
		}
		for k, v := range w {
			checked += same(t, path+"."+k, v, g[k])
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			t.Errorf("%s: %v, want %v", path, got, want)
			return 1
		}
		for i := range w {
			checked += same(t, fmt.Sprintf("%s[%d]", path, i), w[i], g[i])
		}
	case float64:
		g, ok := got.(float64)
		tolerance := 1e-9*math.Abs(w) + 1e-13
		if last := path[strings.LastIndexByte(path, '.')+1:]; strings.HasPrefix(last, "p_") || last == "p" || last == "chi2_p" {
			tolerance = max(1e-6*math.Abs(w), 1e-300)
			if strings.HasSuffix(path, "cvm.p_asymp") {
				tolerance = max(tolerance, 2e-15) // 1 minus a sum: SciPy's Bessel function is 1e-15 off
			}
		}
		if !ok || !(math.Abs(g-w) <= tolerance) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		return 1
	default:
		if want != got {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		return 1
	}
	return checked
}

func asJSON(t *testing.T, v any) (out map[string]any) {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompareAgreesWithTheGoldenDistances(t *testing.T) {
	pairs := decode[map[string]goldenPair](t, "pairs.json.gz")
	distances := decode[map[string]any](t, "distances.json")
	evidently := decode[map[string]any](t, "evidently.json")
	checked := 0
	for name, p := range pairs {
		got := asJSON(t, p.compare(t))
		checked += same(t, name, distances[name], got)
		checked += same(t, name+".evidently", evidently[name], got["evidently"])
	}
	t.Logf("%d numbers of %d pairs", checked, len(pairs))
	if len(pairs) != 40 || checked < 2000 {
		t.Errorf("only %d numbers of %d pairs were compared", checked, len(pairs))
	}
}

func TestCompareOfAnything(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	draw := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			switch r.Intn(8) {
			case 0:
				v[i] = math.NaN()
			case 1:
				v[i] = math.Inf(1 - 2*r.Intn(2))
			case 2:
				v[i] = math.MaxFloat64 * (r.Float64()*2 - 1)
			case 3:
				v[i] = 5e-324
			default:
				v[i] = float64(r.Intn(4))
			}
		}
		return v
	}
	for range 2000 {
		a, b := draw(1+r.Intn(12)), draw(1+r.Intn(12))
		d, err := Compare(a, b)
		if (err != nil) != (len(finite(a)) == 0 || len(finite(b)) == 0) {
			t.Fatal(err, a, b)
		}
		if err != nil {
			continue
		}
		if _, err := json.Marshal(d); err != nil {
			t.Fatal(err, a, b)
		}
		if same, _ := Compare(a, a); same.KS.Statistic != 0 || same.Quantile10.PSI != 0 || *same.Wasserstein1 != 0 || same.KS.PExact != 1 {
			t.Fatal("a sample is apart from itself", a, same)
		}
	}
	if _, err := CompareCategories(nil, []string{"a"}); err == nil {
		t.Error("an empty sample was compared")
	}
}

func TestDistancesAreSymmetricWhereTheyShould(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	a, b := make([]float64, 300), make([]float64, 200)
	for i := range a {
		a[i] = r.NormFloat64()
	}
	for i := range b {
		b[i] = r.NormFloat64() + 0.3
	}
	x, _ := Compare(a, b)
	y, _ := Compare(b, a)
	for _, p := range [][2]float64{{*x.Wasserstein1, *y.Wasserstein1}, {*x.Energy, *y.Energy}, {x.KS.Statistic, y.KS.Statistic},
		{x.KS.PExact, y.KS.PExact}, {*x.MannWhitney.P, *y.MannWhitney.P}, {x.CramerVonMises.Statistic, y.CramerVonMises.Statistic}} {
		if !near(p[0], p[1]) {
			t.Errorf("%v one way and %v the other", p[0], p[1])
		}
	}
	if x.KS.Sign == y.KS.Sign || slices.IsSorted(a) {
		t.Error("sign, or the samples were sorted")
	}
}
