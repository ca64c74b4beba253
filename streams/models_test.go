package streams

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"freshet/features/expr"
	"freshet/learners"
	"freshet/learners/models"
	"freshet/learners/numeric"
	"freshet/state"
)

const kindsPipeline = `
pipeline: kinds
streams:
  orders: {topic: orders, format: json, id: id, time: ts, keyed_by: shop}
  known: {of: orders, delay: 1m}
entities: {shop: {key: shop}}
features: {shop: [{from: orders, over: [1h], compute: {n: count()}}]}
models:
  three: {learner: "logistic(rate=0.1)", classes: 3, target: kind, labels: known, features: [a, b]}
  sized: {learner: "conformal(base=linear,coverage=0.9)", target: size, labels: known, features: [a, b]}
  costly: {learner: "logistic(rate=0.1)", target: kind, miss_cost: 20, labels: known, features: [a, b]}
  few: {learner: "logistic(rate=0.1)", target: kind, alerts_per_day: 144, labels: known, features: [a, b], role: champion}
  worse: {learner: "logistic(rate=0.0001)", target: kind, labels: known, features: [a, b]}
  odd: {learner: half_space_trees, target: kind * 2, labels: known, features: [a, b]}
topics: {format: json}
`

// said keeps the predictions of a backfill.
type said struct{ rows [][]float64 }

func (s *said) Write(id []byte, _ int64, x []float64) error {
	if i, err := strconv.Atoi(string(id)); err != nil || i != len(s.rows) {
		return fmt.Errorf("event %q comes as number %d", id, len(s.rows))
	}
	s.rows = append(s.rows, append([]float64(nil), x...))
	return nil
}

// TestKindsOfModels runs a model of three classes, one that gives intervals and two that decide over one stream.
func TestKindsOfModels(t *testing.T) {
	var src bytes.Buffer
	src.WriteString("id,ts,shop,a,b,kind,size\n")
	r := numeric.NewRand(1)
	const n = 12000 // one a minute
	kind, size := make([]int, n), make([]float64, n)
	for i := range n {
		a, b := r.Float()*4-2, r.Float()*4-2
		kind[i] = min(max(int(math.Floor(a-b+r.Float()+1)), 0), 2)
		size[i] = 10*a + 4*r.Float()
		fmt.Fprintf(&src, "%d,%d,s%d,%v,%v,%d,%v\n", i, 1700000000000+60000*i, i%5, a, b, kind[i], size[i])
	}
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, src.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	topo := mustCompile(t, kindsPipeline)
	want := []string{"three", "three_0", "three_1", "three_2", "sized", "sized_low", "sized_high", "costly", "costly_threshold", "few", "few_threshold", "worse", "odd"}
	if got := topo.PredictionNames(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("columns %v, want %v", got, want)
	}
	st, err := state.Open(state.Options{Dir: "state", FS: state.NewMemFS()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	out := &said{}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{"orders": openInput(t, topo, "orders", path)}, Predictions: out, Store: st})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.rows) != n || res.Joined < n-10 {
		t.Fatalf("%d rows, %d joined", len(out.rows), res.Joined)
	}
	judged(t, res.Models)
	var right, inside, costly, few, alarms float64
	const from = n / 2
	for i, p := range out.rows {
		if p[9] >= p[10] { // over all days: what is not spent on one may be spent on the next
			few++
		}
		if i < from {
			continue
		}
		best := 0
		for k := range 3 {
			if p[1+k] > p[1+best] {
				best = k
			}
		}
		if math.Abs(p[1]+p[2]+p[3]-1) > 1e-9 || p[0] != p[1+best] {
			t.Fatalf("event %d: score %v of probabilities %v", i, p[0], p[1:4])
		}
		if best == kind[i] {
			right++
		}
		if p[5] <= size[i] && size[i] <= p[6] {
			inside++
		}
		if p[7] >= p[8] {
			costly++
		}
		if kind[i] > 0 {
			alarms++
		}
	}
	if share := right / (n - from); share < 0.75 {
		t.Errorf("three classes: %v right", share)
	}
	if share := inside / (n - from); math.Abs(share-0.9) > 0.02 {
		t.Errorf("intervals hold %v of the targets, want 0.9", share)
	}
	if !(costly > alarms) {
		t.Errorf("with misses at 20 alarms %v alerts for %v cases", costly, alarms)
	}
	if days := n / 1440.0; math.Abs(few/days-144) > 20 {
		t.Errorf("%v alerts a day, want 144", few/days)
	}
}

// judged looks at the coverage of intervals and at the verdicts on challengers.
func judged(t *testing.T, list []*Quality) {
	t.Helper()
	for _, q := range list {
		if q.Bytes <= 0 {
			t.Errorf("%s: %d bytes", q.Model, q.Bytes)
		}
		v := q.Verdict
		switch q.Model {
		case "sized":
			if !q.Interval || math.Abs(q.OverallI.Coverage-0.9) > 0.02 || math.Abs(q.SlidingI.Coverage-0.9) > 0.02 || !(q.SlidingI.Width > 0) {
				t.Errorf("intervals: %+v, of late %+v", q.OverallI, q.SlidingI)
			}
		case "costly": // the champion's learner: as good
			if q.Champion != "few" || v.N < 10000 || v.Better != 0 || v.Difference != 0 {
				t.Errorf("an equal of %s: %+v", q.Champion, v)
			}
		case "worse":
			if q.Champion != "few" || v.Better != -1 || !(v.P < rivalAlpha) || !(v.Difference < 0) {
				t.Errorf("a worse one than %s: %+v", q.Champion, v)
			}
		default:
			if q.Champion != "" || q.Interval {
				t.Errorf("%s is compared with %s", q.Model, q.Champion)
			}
		}
	}
}

// TestJudgesContinue saves what judges a model and goes on from the bytes.
func TestJudgesContinue(t *testing.T) {
	topo := mustCompile(t, kindsPipeline)
	make := func(i int) *training {
		m := &training{plan: topo.Models[i], shards: 1}
		err := m.reset()
		if err == nil {
			m.rival, err = newRivalry(m.plan, topo.Models)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for i := range topo.Models {
		m, back := make(i), make(i)
		for j := range 50 {
			if m.bounds != nil {
				m.bounds.Update(0, 1, float64(j)/25)
			}
			if m.rival != nil {
				m.rival.test.Update(0.5, float64(j)/50)
			}
		}
		b := m.appendJudges(nil)
		if err := back.restoreJudges(&blobReader{p: b}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.appendJudges(nil), b) {
			t.Errorf("%s: other bytes", m.plan.Name)
		}
		if m.rival != nil {
			other := make(i)
			other.rival.champion = topo.Models[i]
			if err := other.restoreJudges(&blobReader{p: b}); err != nil || other.rival.test.Verdict().N != 0 {
				t.Errorf("a comparison with another champion goes on: %v", err)
			}
		}
	}
}

// TestShardsMerge puts snapshots of two shards on a board: linear models are averaged, trees vote.
func TestShardsMerge(t *testing.T) {
	for _, c := range []struct {
		learner string
		merges  bool
	}{{"logistic(rate=0.05)", true}, {"hoeffding_tree", false}} {
		t.Run(c.learner, func(t *testing.T) {
			topo := mustCompile(t, fmt.Sprintf(`
pipeline: s
shards: 2
streams:
  orders: {topic: orders, format: json, id: id, time: ts, keyed_by: shop}
  known: {of: orders, delay: 1m}
models:
  m: {learner: "%s", target: y, labels: known, features: [a, b]}
topics: {format: json}
`, c.learner))
			board := NewBoard(topo)
			r := numeric.NewRand(3)
			x, p := make([]float64, 2), make([]float64, 2)
			var replicas []learners.Classifier
			for part := range 2 {
				m, err := topo.Models[0].fresh()
				if err != nil {
					t.Fatal(err)
				}
				cls := m.(learners.Classifier)
				for range 3000 {
					x[0], x[1] = r.Float(), r.Float()
					y := 0
					if x[0] > x[1] {
						y = 1
					}
					cls.Learn(x, y, 1)
				}
				replicas = append(replicas, cls)
				enc, _ := cls.AppendBinary(nil)
				spec, _ := parseLearner(topo.Models[0].Spec)
				s := models.Snapshot{Name: "m", Version: 3000, Learner: spec.String(), SchemaFingerprint: topo.Fingerprint, Classes: 2, Partition: int32(part), Examples: 3000, Threshold: math.NaN(), Bytes: enc}
				b, err := s.AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := board.Hear(topo, b); err != nil {
					t.Fatal(err)
				}
				if got := board.Get(0).Version; got != uint64(3000*(part+1)) {
					t.Fatalf("version %d after %d shards", got, part+1)
				}
			}
			right := 0
			for range 2000 {
				x[0], x[1] = r.Float(), r.Float()
				board.Get(0).Classifier.PredictProba(x, p)
				if (p[1] > 0.5) == (x[0] > x[1]) {
					right++
				}
				if _, votes := board.Get(0).Classifier.(classVotes); votes == c.merges {
					t.Fatalf("votes: %v", votes)
				}
				if !c.merges {
					mean := 0.0
					for _, m := range replicas {
						q := make([]float64, 2)
						m.PredictProba(x, q)
						mean += q[1] / 2
					}
					if math.Abs(mean-p[1]) > 1e-12 {
						t.Fatalf("%v, want the mean %v", p[1], mean)
					}
				}
			}
			if right < 1800 {
				t.Errorf("%d of 2000 right", right)
			}
		})
	}
}

// TestExplain holds the contributions of a linear model and of none.
func TestExplain(t *testing.T) {
	topo := mustCompile(t, kindsPipeline)
	env := &expr.Env{Num: make([]float64, 64), Str: make([][]byte, 64)}
	for _, m := range topo.Models {
		c, r, err := m.learner()
		if err != nil {
			t.Fatal(err)
		}
		e := m.explain(&Snapshot{Version: 3, Classifier: c, Regressor: r}, env)
		if e.Way != "none" && (len(e.Names) != 2 || len(e.Base) != len(e.Shares[0])) || e.Version != 3 {
			t.Errorf("%s: %+v", m.Name, e)
		}
		if m.Name == "costly" && e.Way != "own" {
			t.Errorf("logistic explains itself by %s", e.Way)
		}
	}
}
