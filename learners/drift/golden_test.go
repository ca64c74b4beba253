package drift

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

func shared(t testing.TB, name string) io.Reader {
	dir, _ := os.Getwd()
	for ; ; dir = filepath.Dir(dir) {
		if f, err := os.Open(filepath.Join(dir, "..", "shared", "data", "drift", name)); err == nil {
			t.Cleanup(func() { f.Close() })
			if !strings.HasSuffix(name, ".gz") {
				return f
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}
		if dir == filepath.Dir(dir) {
			t.Skip("shared data not there: drift/" + name)
		}
	}
}

func decode[T any](t testing.TB, name string) (v T) {
	if err := json.NewDecoder(shared(t, name)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func sequence(t testing.TB, name string) (out []float64) {
	s := bufio.NewScanner(shared(t, "sequences/"+name+".txt.gz"))
	for s.Scan() {
		v, err := strconv.ParseFloat(s.Text(), 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// golden is one list of a detector on a sequence.
type golden struct {
	Params        map[string]any
	Drift         []int
	WarningSteps  *int  `json:"warning_steps"`
	FirstWarnings []int `json:"first_warnings"`
}

func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*math.Max(1e-3, math.Max(math.Abs(a), math.Abs(b)))
}

// rivers are River's names of our detectors.
var rivers = map[string]string{"ADWIN": "adwin", "PageHinkley": "page_hinkley", "KSWIN": "kswin", "DDM": "ddm", "EDDM": "eddm", "HDDM_A": "hddm_a",
	"HDDM_W": "hddm_w", "FHDDM": "fhddm", "Dummy": "dummy"}

func TestRiverDetections(t *testing.T) {
	all := decode[map[string]map[string][]golden](t, "river_detections.json.gz")
	checkpoints := map[string][]string{}
	s := bufio.NewScanner(shared(t, "river_adwin_checkpoints.csv.gz"))
	for s.Scan() {
		f := strings.Split(s.Text(), ",")
		checkpoints[f[0]+","+f[1]+","+f[2]] = f[3:]
	}
	lists, checked, warnings := 0, 0, 0
	for name, detectors := range all {
		x := sequence(t, name)
		for theirs, list := range detectors {
			ours, ok := rivers[theirs]
			if !ok {
				t.Fatalf("%s is none of ours", theirs)
			}
			for i, g := range list {
				spec, err := FromMap(ours, g.Params)
				if err != nil {
					t.Fatal(err)
				}
				lists++
				got := detect(t, spec, x, func(j int, d Detector) {
					if f, ok := checkpoints[fmt.Sprintf("%s,%d,%d", name, i, j)]; ok && ours == "adwin" {
						checked++
						checkADWIN(t, d.(*ADWIN), f)
					}
				})
				if !slices.Equal(got.Drift, g.Drift) && len(got.Drift)+len(g.Drift) > 0 {
					t.Errorf("%s %s: %v, want %v", name, spec, got.Drift, g.Drift)
				}
				if g.WarningSteps == nil || theirs == "FHDDM" {
					continue // it never warns
				}
				warnings++
				if n := min(20, len(got.FirstWarnings)); *got.WarningSteps != *g.WarningSteps || !slices.Equal(got.FirstWarnings[:n], g.FirstWarnings) && n > 0 {
					t.Errorf("%s %s: %d warnings from %v, want %d from %v", name, spec, *got.WarningSteps, got.FirstWarnings[:n], *g.WarningSteps, g.FirstWarnings)
				}
			}
		}
	}
	t.Logf("%d lists, %d of them with warnings, %d checkpoints", lists, warnings, checked)
	if lists != 408 || checked != len(checkpoints)-1 {
		t.Errorf("%d lists, %d of %d checkpoints were compared", lists, checked, len(checkpoints)-1)
	}
}

func detect(t *testing.T, spec Spec, x []float64, each func(j int, d Detector)) (g golden) {
	d, err := spec.New()
	if err != nil {
		t.Fatal(err)
	}
	g.WarningSteps = new(int)
	for j, v := range x {
		if spec.Entry.Name == "fhddm" {
			v = 1 - v // the lists are of successes
		}
		if d.Update(v) == Drift {
			g.Drift = append(g.Drift, j)
		}
		if w, ok := d.(interface{ warned() bool }); ok && w.warned() {
			*g.WarningSteps++
			g.FirstWarnings = append(g.FirstWarnings, j)
		}
		each(j, d)
	}
	return g
}

func checkADWIN(t *testing.T, a *ADWIN, fields []string) {
	for c, got := range []float64{float64(a.Width()), a.total, a.dev, a.Mean(), float64(a.Detections())} {
		if want, _ := strconv.ParseFloat(fields[c], 64); !near(got, want) {
			t.Fatalf("column %d is %v, want %v", c, got, want)
		}
	}
}

// TestMersenneIsPythons holds the generator to numbers that Python 3.11 printed.
func TestMersenneIsPythons(t *testing.T) {
	var m mersenne
	m.seed(42)
	if got := m.float(); got != 0.6394267984578837 {
		t.Errorf("Random(42).random() is %v", got)
	}
	m.seed(1 << 40)
	out, pool := make([]int32, 5), make([]int32, 1000)
	m.sample(out, pool, 10)
	small := slices.Clone(out)
	m.sample(out, pool, 1000)
	if fmt.Sprint(small, out) != "[1 5 9 3 0] [397 408 641 573 79]" {
		t.Errorf("samples are %v and %v", small, out)
	}
}

func TestPSIAgainstDistances(t *testing.T) {
	type pair struct {
		Type     string
		Ref, Cur []any
	}
	pairs := decode[map[string]pair](t, "pairs.json.gz")
	distances := decode[map[string]map[string]any](t, "distances.json")
	for name, p := range pairs {
		o := PSIOptions{Categorical: p.Type == "categorical"}
		want := distances[name]
		if !o.Categorical {
			want = want["quantile10"].(map[string]any)
		} else {
			want = want["categories"].(map[string]any)
		}
		code := map[string]float64{}
		value := func(v any) float64 {
			if f, ok := v.(float64); ok {
				return f
			}
			s := v.(string)
			if _, ok := code[s]; !ok {
				code[s] = float64(len(code))
			}
			return code[s]
		}
		for fill, key := range []string{"psi_floor_1e-4", "psi_laplace_0.5"} {
			o.Fill = Fill(fill)
			psi, err := NewPSI(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Ref {
				psi.Observe(value(v))
			}
			psi.Seal()
			half, _ := NewPSI(o)
			b, _ := psi.AppendBinary(nil)
			if err := half.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			for i, v := range p.Cur {
				if i%2 == 0 {
					psi.Observe(value(v))
				} else {
					half.Observe(value(v))
				}
			}
			if err := psi.Merge(half); err != nil {
				t.Fatal(err)
			}
			expected, ok := want[key].(float64)
			if !ok {
				t.Fatalf("%s has no %s: %v", name, key, keys(want))
			}
			if got := psi.Value(); !near(got, expected) {
				t.Errorf("%s %s: %v, want %v", name, key, got, expected)
			}
		}
	}
}

func keys(m map[string]any) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func TestPSIBoundsAndMissing(t *testing.T) {
	p, _ := NewPSI(PSIOptions{Sample: 1000})
	if p.Seal() {
		t.Fatal("an empty reference was sealed")
	}
	for i := range 100000 {
		p.Observe(float64(i % 1000))
	}
	if p.Bytes() > 40000 {
		t.Fatalf("%d bytes", p.Bytes())
	}
	p.Seal()
	if !math.IsNaN(p.Value()) {
		t.Fatal("a value without a present")
	}
	for i := range 10000 {
		p.Observe(float64(i % 1000))
	}
	if v := p.Value(); v > 0.05 {
		t.Fatalf("equal distributions are %v apart", v)
	}
	for range 10000 {
		p.Observe(math.NaN())
	}
	if v := p.Value(); v < 1 {
		t.Fatalf("half of the values missing is %v", v)
	}
	c, _ := NewPSI(PSIOptions{Categorical: true, Categories: 8})
	for i := range 100000 {
		c.Observe(float64(i))
	}
	c.Seal()
	if n := testing.AllocsPerRun(100, func() { c.Observe(1e9); c.Observe(3) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n, _ := c.Counts(); n != 100000 || len(c.Bins()) != 9 {
		t.Fatal(n, len(c.Bins()))
	}
}

func BenchmarkDetectors(b *testing.B) {
	for _, e := range Registry() {
		b.Run(e.Name, func(b *testing.B) {
			d, _ := New(e.Name)
			b.ReportAllocs()
			for i := range b.N {
				d.Update(float64(i*7919%10) / 10)
			}
		})
	}
}
