package streams

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"freshet/state"
	"freshet/streams/file"
)

// sharedData finds the cases that are kept beside the repository; the test is skipped where they are absent.
func sharedData(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		p := filepath.Join(append([]string{dir, "shared", "data"}, parts...)...)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skipf("SKIPPED: no shared/data/%s beside this repository", filepath.Join(parts...))
	return ""
}

func compileFile(t testing.TB, name string) *Topology {
	t.Helper()
	p, err := Load(filepath.Join("..", "deploy", "pipelines", name))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func openInput(t testing.TB, topo *Topology, stream, path string) RowSource {
	t.Helper()
	for _, s := range topo.Streams {
		if s.Name == stream {
			r, err := file.Open(path, s.Wire, file.Options{TimeCol: s.TimeCol()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		}
	}
	t.Fatalf("no stream %s", stream)
	return nil
}

// goldenRows compares the features of the golden rows as they pass.
type goldenRows struct {
	t     *testing.T
	cols  []int // golden column per feature, -1 none
	rows  map[string][]string
	tol   func(name string) float64
	names []string
	found int
	seen  int
	bad   int
}

func readGolden(t *testing.T, path string, names []string, tol func(string) float64) *goldenRows {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenRows{t: t, rows: map[string][]string{}, tol: tol, names: names, cols: make([]int, len(names))}
	matched := 0
	for i, n := range names {
		g.cols[i] = -1
		for j, h := range all[0] {
			if h == n {
				g.cols[i] = j
				matched++
			}
		}
	}
	if matched != len(all[0])-1 {
		t.Fatalf("%d of the %d golden columns are features of the pipeline", matched, len(all[0])-1)
	}
	for _, r := range all[1:] {
		g.rows[r[0]] = r
	}
	return g
}

func (g *goldenRows) Write(id []byte, _ int64, x []float64) error {
	g.seen++
	r, ok := g.rows[string(id)]
	if !ok {
		return nil
	}
	g.found++
	for i, j := range g.cols {
		if j < 0 {
			continue
		}
		want := math.NaN()
		if r[j] != "" {
			var err error
			if want, err = strconv.ParseFloat(r[j], 64); err != nil {
				return err
			}
		}
		if got := x[i]; math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > g.tol(g.names[i])*math.Max(1, math.Abs(want)) {
			if g.bad++; g.bad <= 10 {
				g.t.Errorf("event %s: %s is %v, golden %v", id, g.names[i], got, want)
			}
		}
	}
	return nil
}

func memoryStore(t testing.TB) *state.Store {
	t.Helper()
	s, err := state.Open(state.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tolerance(name string) float64 { return 1e-9 }

// limited ends an input after so many rows.
func TestBackfillEqualsGoldenFraud(t *testing.T) {
	path := sharedData(t, "fraud", "transactions.csv.gz")
	topo := compileFile(t, "handbook.yaml")
	names, _ := topo.FeatureNames()
	g := readGolden(t, filepath.Join(filepath.Dir(path), "golden_features.csv.gz"), names, tolerance)
	if testing.Short() {
		t.Skip("SKIPPED: 1.75 million events")
	}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{"transactions": openInput(t, topo, "transactions", path)}, Features: g, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", res)
	if g.found != len(g.rows) || res.Late+res.Rejects != 0 || g.seen != int(res.Rows) {
		t.Fatalf("%d of %d golden rows seen, %d events, result %+v", g.found, len(g.rows), g.seen, res)
	}
}

func TestBackfillEqualsGoldenFlights(t *testing.T) {
	path := sharedData(t, "eta", "flights.csv.gz")
	topo := compileFile(t, "flights.yaml")
	names, _ := topo.FeatureNames()
	g := readGolden(t, filepath.Join(filepath.Dir(path), "golden_features.csv.gz"), names, tolerance)
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{
		"flights": openInput(t, topo, "flights", path), "weather": openInput(t, topo, "weather", filepath.Join(filepath.Dir(path), "weather.csv.gz"))}, Features: g, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", res)
	if g.found != len(g.rows) || res.Late+res.Rejects != 0 {
		t.Fatalf("%d of %d golden rows seen, %d events, result %+v", g.found, len(g.rows), g.seen, res)
	}
}

func TestBackfillEqualsGoldenTaxi(t *testing.T) {
	path := sharedData(t, "eta", "green_taxi.csv.gz")
	topo := compileFile(t, "taxi.yaml")
	names, _ := topo.FeatureNames()
	g := readGolden(t, filepath.Join(filepath.Dir(path), "taxi_golden_features.csv.gz"), names, tolerance)
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{"trips": openInput(t, topo, "trips", path)}, Features: g, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", res)
	if g.found != len(g.rows) || res.Late+res.Rejects != 0 {
		t.Fatalf("%d of %d golden rows seen, %d events, result %+v", g.found, len(g.rows), g.seen, res)
	}
}
