package streams

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"freshet/schemas"
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

// firstRows ends an input after so many rows; 0: never.
type firstRows struct {
	RowSource
	rows int
}

func (f *firstRows) Next(b *schemas.Batch, max int) (int, error) {
	if f.rows == 0 {
		return f.RowSource.Next(b, max)
	}
	if f.rows < 0 {
		return 0, io.EOF
	}
	n, err := f.RowSource.Next(b, min(max, f.rows))
	if f.rows -= n; f.rows == 0 {
		f.rows = -1
	}
	return n, err
}

// full reports whether the quality tests run over all public weeks: minutes each. Else they say what they leave out.
func full(t testing.TB, short string) bool {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: replays of the real cases")
	}
	if os.Getenv("FRESHET_TEST_FULL") == "" {
		t.Logf("SKIPPED: the whole case. This is %s only; FRESHET_TEST_FULL=1 runs all public weeks and holds them to the published figures", short)
		return false
	}
	return true
}

// replay runs a pipeline over its first rows events, models learning on the way, and returns what they predicted.
func replay(t testing.TB, name string, rows int, inputs map[string]string) (*Topology, *served) {
	topo := compileFile(t, name)
	out := &served{t: t}
	o := BackfillOptions{Inputs: map[string]RowSource{}, Predictions: out, Store: memoryStore(t)}
	for s, path := range inputs {
		src := openInput(t, topo, s, path)
		if s == topo.Streams[topo.Events].Name {
			src = &firstRows{src, rows}
		}
		o.Inputs[s] = src
	}
	res, err := Backfill(context.Background(), topo, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows, %d learned, %d drifts, %d retrains", res.Rows, res.Joined, res.Drifts, res.Retrains)
	return topo, out
}

// model returns the column of what a model says: its score, or NAME_low.
func model(t testing.TB, topo *Topology, name string) int {
	i := slices.Index(topo.PredictionNames(), name)
	if i < 0 {
		t.Fatalf("no model %s", name)
	}
	return i
}

// TestFraudQuality holds the predictions of a backfill, with labels seven days late, to the batch random forest in the published week
// (forest, boosting) and to River's logistic regression over the public weeks (all models); shared/data/fraud/README.md has these figures. On
// the first public week alone both must be better than the logistic regression.
func TestFraudQuality(t *testing.T) {
	path := sharedData(t, "fraud", "transactions.csv.gz")
	rows, weeks := 0, []int{45, 52, 59, 66, 73, 80, 87, 94, 101, 108, 115, 122, 129, 136}
	all := full(t, "the first public week")
	if !all {
		rows, weeks = 500_000, weeks[:1] // 52 days
	}
	topo, out := replay(t, "handbook.yaml", rows, map[string]string{"transactions": path})
	var forest, boosting, logistic [15]fraudScores // by week; the last is the mean
	for name, scores := range map[string]*[15]fraudScores{"forest": &forest, "boosting": &boosting, "logistic": &logistic} {
		var txs []payment
		y := out.y[model(t, topo, name)]
		table(t, path, []string{"TRANSACTION_ID", "CUSTOMER_ID", "TX_TIME_DAYS", "TX_FRAUD"}, func(f [][]byte) {
			if day := whole(t, f[2]); day >= 45-14 && day < weeks[len(weeks)-1]+7 && whole(t, f[0]) < len(y) {
				txs = append(txs, payment{whole(t, f[1]), day, f[3][0] == '1', y[whole(t, f[0])]})
			}
		})
		mean, n := &scores[14], float64(len(weeks))
		for i, week := range weeks {
			s := evaluateFraud(txs, week)
			scores[i] = s
			mean.auc, mean.ap, mean.cards = mean.auc+s.auc/n, mean.ap+s.ap/n, mean.cards+s.cards/n
		}
		t.Logf("%s: mean of %v weeks %+v, week 129 %+v", name, n, *mean, scores[12])
	}
	if !all {
		for name, s := range map[string]fraudScores{"forest": forest[14], "boosting": boosting[14]} {
			if !(s.ap > logistic[14].ap && s.cards > logistic[14].cards) {
				t.Errorf("%s has %+v, logistic regression %+v", name, s, logistic[14])
			}
		}
		return
	}
	for _, c := range []struct {
		name       string
		got, least float64 // at the digits that are printed: more is needed
	}{
		{"forest: AUC", forest[14].auc, 0.869}, {"forest: average precision", forest[14].ap, 0.65}, {"forest: card precision@100", forest[14].cards, 0.295},
		{"forest: average precision of week 129", forest[12].ap, 0.658}, {"forest: card precision@100 of week 129", forest[12].cards, 0.287},
		{"boosting: AUC", boosting[14].auc, 0.869}, {"boosting: average precision", boosting[14].ap, 0.585}, {"boosting: card precision@100", boosting[14].cards, 0.289},
		{"boosting: average precision of week 129", boosting[12].ap, 0.658}, {"boosting: card precision@100 of week 129", boosting[12].cards, 0.287},
		{"logistic: AUC", logistic[14].auc, 0.869}, {"logistic: average precision", logistic[14].ap, 0.585}, {"logistic: card precision@100", logistic[14].cards, 0.289},
		{"logistic: AUC of week 129", logistic[12].auc, 0.8682}, {"logistic: average precision of week 129", logistic[12].ap, 0.5857}, {"logistic: card precision@100 of week 129", logistic[12].cards, 0.2814},
	} {
		if !(c.got >= c.least) {
			t.Errorf("%s is %v, at least %v is expected", c.name, c.got, c.least)
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

// timed is a model whose absolute error is compared: with a published one, or, in a short run, with that of another model.
type timed struct {
	model     string
	near, far float64
	most      float64 // MAE that others have published
	than      string  // short run: this model must be worse
}

func checkTimes(t *testing.T, topo *Topology, out *served, ids []int, want [][]float64, all bool, models []timed) {
	mae := map[string]float64{}
	for i, c := range models {
		y := out.y[model(t, topo, c.model)]
		var got, real []float64
		for j, id := range ids {
			if id < len(y) {
				got, real = append(got, y[id]), append(real, want[i][j])
			}
		}
		s := evaluateTimes(got, real, c.near, c.far)
		mae[c.model] = s.mae
		t.Logf("%s: %.0f events, MAE %.4f, RMSE %.4f, R2 %.5f, within %v and %v: %.4f, %.4f", c.model, s.n, s.mae, s.rmse, s.r2, c.near, c.far, s.near, s.far)
		if all && (int(s.n) != len(ids) || !(s.mae <= c.most)) {
			t.Errorf("%s: MAE %v on %v of %d events, at most %v is expected", c.model, s.mae, s.n, len(ids), c.most)
		}
	}
	for _, c := range models {
		if c.than != "" && !(mae[c.model] < mae[c.than]) {
			t.Errorf("%s has MAE %v, %s %v", c.model, mae[c.model], c.than, mae[c.than])
		}
	}
}

// TestFlightsQuality holds the predictions of a backfill to LightGBM retrained weekly and to River's linear regression
// (shared/data/eta/README.md). On two weeks alone boosting must be better than the linear model.
func TestFlightsQuality(t *testing.T) {
	path := sharedData(t, "eta", "flights.csv.gz")
	rows, all := 0, full(t, "the first two public weeks")
	if !all {
		rows = 39_000
	}
	topo, out := replay(t, "flights.yaml", rows, map[string]string{"flights": path, "weather": filepath.Join(filepath.Dir(path), "weather.csv.gz")})
	var ids []int
	var delay, air []float64
	const day0 = 1356998400 // 2013-01-01
	table(t, path, []string{"flight_id", "dep_ts", "arr_ts", "arr_delay", "air_time"}, func(f [][]byte) {
		if day := (whole(t, f[1]) - day0) / 86400; len(f[2]) > 0 && day >= 31 && day <= 272 {
			ids, delay, air = append(ids, whole(t, f[0])), append(delay, decimal(t, f[3])), append(air, decimal(t, f[4]))
		}
	})
	checkTimes(t, topo, out, ids, [][]float64{delay, air, delay}, all, []timed{
		{"delay", 5, 15, 12.257, "delay_linear"}, {"air_time", 2, 5, 6.519, ""}, {"delay_linear", 5, 15, 12.976, ""}})
	if !all {
		return
	}
	origin, hour := map[int]string{}, map[int]string{}
	table(t, path, []string{"flight_id", "origin", "hour_local"}, func(f [][]byte) {
		origin[whole(t, f[0])], hour[whole(t, f[0])] = string(f[1]), string(f[2])
	})
	checkCoverage(t, topo, out, "delay", ids, delay, origin, hour)
	checkCoverage(t, topo, out, "air_time", ids, air, origin, hour)
}

// checkCoverage holds intervals, as they were served, to nine of ten targets: within a point over all, within three in each segment of
// at least 500 events.
func checkCoverage(t *testing.T, topo *Topology, out *served, name string, ids []int, want []float64, by ...map[int]string) {
	low, high := out.y[model(t, topo, name+"_low")], out.y[model(t, topo, name+"_high")]
	in, all := map[string]float64{}, map[string]float64{}
	width := 0.0
	for i, id := range ids {
		keys := []string{"all"}
		for _, m := range by {
			keys = append(keys, m[id])
		}
		width += (high[id] - low[id]) / float64(len(ids))
		for _, k := range keys {
			if all[k]++; low[id] <= want[i] && want[i] <= high[id] {
				in[k]++
			}
		}
	}
	worst := ""
	for k, n := range all {
		if off := math.Abs(in[k]/n - 0.9); n >= 500 && (off > 0.03 || k == "all" && off > 0.01) {
			t.Errorf("%s: intervals hold %.4f of %v in %s", name, in[k]/n, n, k)
		} else if n >= 500 && (worst == "" || off > math.Abs(in[worst]/all[worst]-0.9)) {
			worst = k
		}
	}
	t.Logf("%s: intervals hold %.4f, in the worst segment (%s) %.4f; mean width %.1f", name, in["all"]/all["all"], worst, in[worst]/all[worst], width)
}

// TestTaxiQuality holds the predictions of a backfill to LightGBM retrained daily (shared/data/eta/README.md), and those of the linear
// model to what it reached: 4.72, where River's has 4.566. On the first public days alone boosting must be better than the linear model.
func TestTaxiQuality(t *testing.T) {
	path := sharedData(t, "eta", "green_taxi.csv.gz")
	rows, all := 0, full(t, "the first public days")
	if !all {
		rows = 85_000
	}
	topo, out := replay(t, "taxi.yaml", rows, map[string]string{"trips": path})
	var ids []int
	var want []float64
	const day0 = 1609459200 // 2021-01-01
	table(t, path, []string{"trip_id", "pickup_ts", "dropoff_ts", "valid"}, func(f [][]byte) {
		if day := (whole(t, f[1]) - day0) / 86400; f[3][0] == '1' && day >= 31 && day <= 119 {
			ids, want = append(ids, whole(t, f[0])), append(want, float64(whole(t, f[2])-whole(t, f[1]))/60)
		}
	})
	checkTimes(t, topo, out, ids, [][]float64{want, want}, all, []timed{{"duration", 2, 5, 3.417, "duration_linear"}, {"duration_linear", 2, 5, 4.75, ""}})
}
