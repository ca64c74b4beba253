package linear

import (
	"math"
	"sort"
	"strconv"
	"testing"
	"time"
)

type payment struct {
	ts                 int64
	customer, terminal int
	amount             float64
	fraud              int
}

// mass reads the sum of values over (from, to] of one key's history by two moving ends.
type mass struct{ hi, lo int }

func (m *mass) move(ts []int64, from, to int64) (lo, hi int) {
	for m.hi < len(ts) && ts[m.hi] <= to {
		m.hi++
	}
	for m.lo < m.hi && ts[m.lo] <= from {
		m.lo++
	}
	return m.lo, m.hi
}

type history struct {
	ts   []int64
	sum  []float64 // sum[i] of the first i values
	ends [3]mass
}

func (h *history) add(ts int64, v float64) {
	if h.sum == nil {
		h.sum = []float64{0}
	}
	h.ts, h.sum = append(h.ts, ts), append(h.sum, h.sum[len(h.sum)-1]+v)
}

// TestFraudMatchesRiver repeats evaluation B of the fraud case (shared data): every label learned after seven days,
// mean of the metrics over the 14 public weeks.
func TestFraudMatchesRiver(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 1.75 million payments")
	}
	const day, features = 86400, 15
	var tx []payment
	base := time.Date(2018, 4, 1, 0, 0, 0, 0, time.UTC).Unix()
	readCSV(t, "fraud/transactions.csv.gz", func(f []string) {
		c, _ := strconv.Atoi(f[2])
		m, _ := strconv.Atoi(f[3])
		s, _ := strconv.ParseInt(f[5], 10, 64)
		fraud, _ := strconv.Atoi(f[7])
		tx = append(tx, payment{s, c, m, num(f[4]), fraud})
	})
	m, err := NewLogistic(Options{Features: features, Classes: 2, Clip: 5})
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := NewLogistic(Options{Features: features, Classes: 2})
	customers, terminals := make([]history, 5000), make([]history, 10000)
	x := make([]float64, len(tx)*features)
	scores := [2][]float64{make([]float64, len(tx)), make([]float64, len(tx))}
	next := 0
	p := make([]float64, 2)
	last := 143 * day
	for i, e := range tx {
		if e.ts >= int64(last) {
			tx = tx[:i]
			break
		}
		for next < i && tx[next].ts+7*day <= e.ts {
			row := x[next*features : (next+1)*features]
			m.Learn(row, tx[next].fraud, 1)
			plain.Learn(row, tx[next].fraud, 1)
			next++
		}
		now := time.Unix(base+e.ts, 0).UTC()
		v := x[i*features : (i+1)*features]
		v[0] = e.amount
		if d := now.Weekday(); d == time.Saturday || d == time.Sunday {
			v[1] = 1
		}
		if now.Hour() <= 6 {
			v[2] = 1
		}
		c, m2 := &customers[e.customer], &terminals[e.terminal]
		c.add(e.ts, e.amount)
		m2.add(e.ts, float64(e.fraud))
		for w, days := range []int64{1, 7, 30} {
			lo, hi := c.ends[w].move(c.ts, e.ts-days*day, e.ts)
			v[3+2*w], v[4+2*w] = float64(hi-lo), (c.sum[hi]-c.sum[lo])/float64(hi-lo)
			lo, hi = m2.ends[w].move(m2.ts, e.ts-(7+days)*day, e.ts-7*day)
			v[9+2*w] = float64(hi - lo)
			if hi > lo {
				v[10+2*w] = (m2.sum[hi] - m2.sum[lo]) / float64(hi-lo)
			}
		}
		m.PredictProba(v, p)
		scores[0][i] = p[1]
		plain.PredictProba(v, p)
		scores[1][i] = p[1]
	}
	fraudDays := map[[2]int]bool{} // customer, day
	for _, e := range tx {
		if e.fraud == 1 {
			fraudDays[[2]int{e.customer, int(e.ts / day)}] = true
		}
	}
	for variant, name := range []string{"clip 5", "no clip"} {
		var sumAUC, sumAP float64
		for w := 45; w <= 136; w += 7 {
			start := w - 14
			var ps []float64
			var ys []int
			for i, e := range tx {
				d := int(e.ts / day)
				if d < w || d >= w+7 {
					continue
				}
				known := false
				for k := start; k < start+7; k++ {
					known = known || fraudDays[[2]int{e.customer, k}]
				}
				for j := 0; j <= d-w; j++ {
					known = known || fraudDays[[2]int{e.customer, start + 7 + j - 1}]
				}
				if !known {
					ps, ys = append(ps, scores[variant][i]), append(ys, e.fraud)
				}
			}
			auc, ap := rankMetrics(ps, ys)
			sumAUC += auc
			sumAP += ap
		}
		t.Logf("%s: AUC %.4f (River 0.869), average precision %.4f (River 0.585)", name, sumAUC/14, sumAP/14)
		// Clipping lifts AUC but hides the large amounts that are fraud: only the unclipped model is held to River's.
		if variant == 1 && (sumAUC/14 < 0.8685 || sumAP/14 < 0.584) {
			t.Errorf("worse than River")
		}
	}
	if math.IsNaN(scores[0][len(tx)-1]) {
		t.Error("NaN score")
	}
}

func rankMetrics(ps []float64, ys []int) (auc, ap float64) {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return ps[order[a]] > ps[order[b]] })
	var tp, fp, area float64
	for i := 0; i < len(order); {
		var p, n float64
		j := i
		for ; j < len(order) && ps[order[j]] == ps[order[i]]; j++ {
			if ys[order[j]] == 1 {
				p++
			} else {
				n++
			}
		}
		area += n * (tp + p/2)
		tp, fp = tp+p, fp+n
		if p > 0 {
			ap += p * tp / (tp + fp)
		}
		i = j
	}
	return area / (tp * fp), ap / tp
}
