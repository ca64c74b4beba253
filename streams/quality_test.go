package streams

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// served keeps the predictions of a backfill, by the number that is the event's id: one column a model.
type served struct {
	y    [][]float64
	last int64
	t    testing.TB
}

func (s *served) Write(id []byte, timeMs int64, x []float64) error {
	i, err := strconv.Atoi(string(id))
	if err != nil {
		return err
	}
	if timeMs < s.last {
		s.t.Errorf("prediction of %d at %d comes after one at %d", i, timeMs, s.last)
	}
	s.last = timeMs
	for m, v := range x {
		if len(s.y) <= m {
			s.y = append(s.y, nil)
		}
		for len(s.y[m]) <= i {
			s.y[m] = append(s.y[m], math.NaN())
		}
		s.y[m][i] = v
	}
	return nil
}

// table calls row for each line of a compressed CSV file without quotes; fields are in the order of cols and lent.
func table(t testing.TB, path string, cols []string, row func(f [][]byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	var at []int
	out := make([][]byte, len(cols))
	var all [][]byte
	for lines.Scan() {
		all = all[:0]
		for rest, more := lines.Bytes(), true; more; {
			var v []byte
			v, rest, more = bytes.Cut(rest, []byte{','})
			all = append(all, v)
		}
		if at == nil {
			for _, c := range cols {
				i := slices.IndexFunc(all, func(h []byte) bool { return string(h) == c })
				if i < 0 {
					t.Fatalf("%s has no column %s", path, c)
				}
				at = append(at, i)
			}
			continue
		}
		for i, j := range at {
			out[i] = all[j]
		}
		row(out)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func whole(t testing.TB, v []byte) int {
	n, err := strconv.Atoi(string(v))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func decimal(t testing.TB, v []byte) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

type payment struct {
	customer, day int
	fraud         bool
	score         float64
}

// fraudScores are the metrics of evaluation B.
type fraudScores struct{ auc, ap, cards float64 }

// evaluateFraud computes one public week's metrics as shared/data/fraud/README.md defines them. txs are in the order of the stream.
func evaluateFraud(txs []payment, week int) fraudScores {
	start := week - 14
	var fraudDays = map[int]map[int]bool{} // customer → days with a fraud
	for _, x := range txs {
		if x.fraud && x.day >= start && x.day < week+7 {
			if fraudDays[x.customer] == nil {
				fraudDays[x.customer] = map[int]bool{}
			}
			fraudDays[x.customer][x.day] = true
		}
	}
	var kept []payment
	for _, x := range txs {
		if x.day < week || x.day >= week+7 {
			continue
		}
		days, known := fraudDays[x.customer], false
		for d := start; d < start+7+x.day-week; d++ {
			known = known || days[d]
		}
		if !known {
			kept = append(kept, x)
		}
	}
	s := fraudScores{cards: cardPrecision(kept, week, 100)}
	s.auc, s.ap = ranking(kept)
	return s
}

// ranking returns the area under the ROC curve, ties counting half, and the average precision without interpolation.
func ranking(txs []payment) (auc, ap float64) {
	txs = slices.Clone(txs)
	slices.SortFunc(txs, func(a, b payment) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var frauds, fair, area float64
	for i := 0; i < len(txs); {
		var p, n float64
		for at := txs[i].score; i < len(txs) && txs[i].score == at; i++ {
			if txs[i].fraud {
				p++
			} else {
				n++
			}
		}
		area += n * (frauds + p/2)
		frauds, fair = frauds+p, fair+n
		ap += p * frauds / (frauds + fair)
	}
	return area / (frauds * fair), ap / frauds
}

// cardPrecision is the mean over the week's days of the share of compromised cards among the k with the highest score; cards that were
// found are out of the following days.
func cardPrecision(txs []payment, week, k int) float64 {
	type card struct {
		customer int
		score    float64
		fraud    bool
	}
	found, sum := map[int]bool{}, 0.0
	for day := week; day < week+7; day++ {
		at, cards := map[int]int{}, []card(nil)
		for _, x := range txs {
			if x.day != day || found[x.customer] {
				continue
			}
			i, ok := at[x.customer]
			if !ok {
				i = len(cards)
				at[x.customer] = i
				cards = append(cards, card{customer: x.customer, score: math.Inf(-1)})
			}
			cards[i].score, cards[i].fraud = max(cards[i].score, x.score), cards[i].fraud || x.fraud
		}
		slices.SortFunc(cards, func(a, b card) int {
			switch {
			case a.score > b.score:
				return -1
			case a.score < b.score:
				return 1
			}
			return a.customer - b.customer
		})
		hits := 0
		for _, c := range cards[:min(k, len(cards))] {
			if c.fraud {
				hits++
				found[c.customer] = true
			}
		}
		sum += float64(hits) / float64(k)
	}
	return sum / 7
}

// TestFraudQuality holds the predictions of a backfill (labels seven days late) to what River's logistic regression reaches.
func TestFraudQuality(t *testing.T) {
	path := sharedData(t, "fraud", "transactions.csv.gz")
	if testing.Short() {
		t.Skip("SKIPPED: 1.75 million events")
	}
	topo := compileFile(t, "handbook.yaml")
	out := &served{t: t}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{"transactions": openInput(t, topo, "transactions", path)},
		Predictions: out, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows, %d learned, %d drifts, %d retrains", res.Rows, res.Joined, res.Drifts, res.Retrains)
	var txs []payment
	table(t, path, []string{"TRANSACTION_ID", "CUSTOMER_ID", "TX_TIME_DAYS", "TX_FRAUD"}, func(f [][]byte) {
		if day := whole(t, f[2]); day >= 45-14 && day < 143 {
			txs = append(txs, payment{whole(t, f[1]), day, f[3][0] == '1', out.y[0][whole(t, f[0])]})
		}
	})
	var mean, published fraudScores
	for week := 45; week <= 136; week += 7 {
		s := evaluateFraud(txs, week)
		mean.auc, mean.ap, mean.cards = mean.auc+s.auc/14, mean.ap+s.ap/14, mean.cards+s.cards/14
		if week == 129 {
			published = s
		}
	}
	for _, c := range []struct {
		name        string
		got, better float64 // River, at the digits that are printed: more is needed
	}{
		{"AUC", mean.auc, 0.869}, {"average precision", mean.ap, 0.585}, {"card precision@100", mean.cards, 0.289},
		{"AUC of week 129", published.auc, 0.8682}, {"average precision of week 129", published.ap, 0.5857}, {"card precision@100 of week 129", published.cards, 0.2814},
	} {
		t.Logf("%s %.5f, River %v", c.name, c.got, c.better)
		if !(c.got >= c.better) {
			t.Errorf("%s %v is below River's %v", c.name, c.got, c.better)
		}
	}
}

// regressionScores are the metrics of the ETA case.
type regressionScores struct{ n, mae, rmse, r2, near, far float64 }

func evaluateTimes(got, want []float64, near, far float64) (s regressionScores) {
	mean := 0.0
	for _, y := range want {
		mean += y / float64(len(want))
	}
	var spread float64
	for i, y := range want {
		e := math.Abs(got[i] - y)
		s.n, s.mae, s.rmse, spread = s.n+1, s.mae+e, s.rmse+e*e, spread+(y-mean)*(y-mean)
		if e <= near {
			s.near++
		}
		if e <= far {
			s.far++
		}
	}
	s.r2 = 1 - s.rmse/spread
	s.mae, s.rmse, s.near, s.far = s.mae/s.n, math.Sqrt(s.rmse/s.n), s.near/s.n, s.far/s.n
	return s
}

// TestFlightsQuality holds the predictions of a backfill to what River's linear regression reaches.
func TestFlightsQuality(t *testing.T) {
	path := sharedData(t, "eta", "flights.csv.gz")
	if testing.Short() {
		t.Skip("SKIPPED: 350,000 events")
	}
	topo := compileFile(t, "flights.yaml")
	out := &served{t: t}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{
		"flights": openInput(t, topo, "flights", path), "weather": openInput(t, topo, "weather", filepath.Join(filepath.Dir(path), "weather.csv.gz"))},
		Predictions: out, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows, %d learned, %d drifts, %d retrains", res.Rows, res.Joined, res.Drifts, res.Retrains)
	var got, want [2][]float64
	const day0 = 1356998400 // 2013-01-01
	table(t, path, []string{"flight_id", "dep_ts", "arr_ts", "arr_delay", "air_time"}, func(f [][]byte) {
		if day := (whole(t, f[1]) - day0) / 86400; len(f[2]) > 0 && day >= 31 && day <= 272 {
			id := whole(t, f[0])
			for m := range got {
				got[m], want[m] = append(got[m], out.y[m][id]), append(want[m], decimal(t, f[3+m]))
			}
		}
	})
	for m, c := range []struct {
		name      string
		near, far float64
		river     regressionScores
	}{
		{"delay", 5, 15, regressionScores{218421, 12.976, 17.822, 0.8588, 0.267, 0.679}},
		{"air_time", 2, 5, regressionScores{218421, 6.519, 8.979, 0.9906, 0.223, 0.507}},
	} {
		if topo.Models[m].Name != c.name {
			t.Fatalf("model %d is %s, expected %s", m, topo.Models[m].Name, c.name)
		}
		s := evaluateTimes(got[m], want[m], c.near, c.far)
		t.Logf("%s: %.0f flights, MAE %.4f, RMSE %.4f, R2 %.5f, within %v and %v: %.4f, %.4f; River %+v", c.name, s.n, s.mae, s.rmse, s.r2, c.near, c.far, s.near, s.far, c.river)
		if s.n != c.river.n || !(s.mae <= c.river.mae) {
			t.Errorf("%s: MAE %v on %v flights, River has %v on %v", c.name, s.mae, s.n, c.river.mae, c.river.n)
		}
	}
}
