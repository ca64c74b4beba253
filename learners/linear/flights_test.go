package linear

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"freshet/learners/scale"
)

// shared opens a file of the shared data, found beside the repository, or skips.
func shared(t testing.TB, name string) io.Reader {
	dir, _ := os.Getwd()
	for ; ; dir = filepath.Dir(dir) {
		if f, err := os.Open(filepath.Join(dir, "..", "shared", "data", name)); err == nil {
			t.Cleanup(func() { f.Close() })
			z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<16))
			if err != nil {
				t.Fatal(err)
			}
			return z
		}
		if dir == filepath.Dir(dir) {
			t.Skipf("shared data not there: %s", name)
		}
	}
}

func readCSV(t testing.TB, name string, row func(f []string)) (header map[string]int) {
	s := bufio.NewScanner(shared(t, name))
	s.Scan()
	header = map[string]int{}
	for i, h := range strings.Split(s.Text(), ",") {
		header[h] = i
	}
	for s.Scan() {
		row(strings.Split(s.Text(), ","))
	}
	return header
}

func num(s string) float64 {
	if s == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// trailing is the sum of one key's values over (t-w, t], exact enough for integers.
type trailing struct {
	ts  []int64
	v   []float64
	lo  int
	sum float64
}

func (w *trailing) add(ts int64, v float64) {
	w.ts, w.v = append(w.ts, ts), append(w.v, v)
	w.sum += v
}

func (w *trailing) read(now, width int64) (n, mean float64) {
	for w.lo < len(w.ts) && w.ts[w.lo] <= now-width {
		w.sum -= w.v[w.lo]
		w.lo++
	}
	if w.lo == len(w.ts) {
		return 0, math.NaN()
	}
	n = float64(len(w.ts) - w.lo)
	return n, w.sum / n
}

type flight struct {
	dep, arr                     int64
	carrier, origin, dest, route string
	own                          [5]float64 // dep_delay, distance, sched_block_min, hour_local, dow
	arrDelay, airTime            float64
	landed                       bool
}

// TestFlightsMatchRiver repeats the ETA case of the shared data: vectors as served at departure, learned at landing.
func TestFlightsMatchRiver(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 330,000 flights")
	}
	var flights []flight
	readCSV(t, "eta/flights.csv.gz", func(f []string) {
		// flight_id,dep_ts,arr_ts,sched_dep_ts,sched_block_min,carrier,flight,tailnum,origin,dest,distance,hour_local,dow,month_local,dep_delay,arr_delay,air_time
		dep, _ := strconv.ParseInt(f[1], 10, 64)
		arr, _ := strconv.ParseInt(f[2], 10, 64)
		flights = append(flights, flight{dep: dep, arr: arr, landed: f[2] != "", carrier: f[5], origin: f[8], dest: f[9], route: f[8] + "-" + f[9],
			own: [5]float64{num(f[14]), num(f[10]), num(f[4]), num(f[11]), num(f[12])}, arrDelay: num(f[15]), airTime: num(f[16])})
	})
	type obs struct {
		ts int64
		v  []float64
	}
	weather := map[string][]obs{}
	var columns int
	readCSV(t, "eta/weather.csv.gz", func(f []string) {
		ts, _ := strconv.ParseInt(f[0], 10, 64)
		o := obs{ts: ts}
		for _, s := range f[2:] {
			o.v = append(o.v, num(s))
		}
		columns = len(o.v)
		weather[f[1]] = append(weather[f[1]], o)
	})
	landing := make([]int, 0, len(flights))
	for i, f := range flights {
		if f.landed {
			landing = append(landing, i)
		}
	}
	sort.SliceStable(landing, func(a, b int) bool { return flights[landing[a]].arr < flights[landing[b]].arr })

	codes := scale.NewOrdinal(200)
	code := func(s string) float64 { return codes.Learn([]byte(s)) }
	win := map[string]*trailing{}
	get := func(key string) *trailing {
		w := win[key]
		if w == nil {
			w = &trailing{}
			win[key] = w
		}
		return w
	}
	hours := []int64{1, 3, 24}
	width := 5 + 18 + 2 + 2 + columns + 1
	features := width + 4
	nominal := []scale.Nominal{{Feature: width, Categories: 200}, {Feature: width + 1, Categories: 200}, {Feature: width + 2, Categories: 200}, {Feature: width + 3, Categories: 24}}
	model := func(rate float64) *Linear {
		m, err := NewLinear(Options{Features: features, Nominal: nominal, Rate: rate, Clip: 5})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	delay, air := model(0.0003), model(0.002)
	// The learners that predict the median reach the batch model, LightGBM retrained every week.
	median := func() *Linear {
		m, err := NewLinear(Options{Features: features, Nominal: nominal, Optimizer: Normalised, Rate: 0.5, PowerT: 0.5, Clip: 5, Loss: QuantileLoss, ScaleTarget: true})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	medianDelay, medianAir := median(), median()
	xs := make([][]float64, len(flights))
	base := make([]float64, len(flights))
	var n, sumDelay, sumAir, sumMedianDelay, sumMedianAir float64
	next := 0
	start := int64(1356998400) // 2013-01-01
	for i := range flights {
		f := &flights[i]
		for next < len(landing) && flights[landing[next]].arr <= f.dep {
			j := landing[next]
			g := &flights[j]
			for _, key := range []string{"o" + g.origin, "r" + g.route, "c" + g.carrier} {
				for h := range hours {
					get(key+string(rune('0'+h))).add(g.arr, g.arrDelay)
				}
			}
			get("a"+g.route).add(g.arr, g.airTime)
			delay.Learn(xs[j], g.arrDelay-g.own[0], 1)
			air.Learn(xs[j], g.airTime-base[j], 1)
			medianDelay.Learn(xs[j], g.arrDelay-g.own[0], 1)
			medianAir.Learn(xs[j], g.airTime-base[j], 1)
			xs[j] = nil
			next++
		}
		x := make([]float64, 0, features)
		x = append(x, f.own[:]...)
		for _, key := range []string{"o" + f.origin, "r" + f.route, "c" + f.carrier} {
			for h, w := range hours {
				n, mean := get(key+string(rune('0'+h))).read(f.dep, w*3600)
				x = append(x, n, mean)
			}
		}
		cnt, routeAir := get("a"+f.route).read(f.dep, 168*3600)
		x = append(x, cnt, routeAir)
		st := get("s" + f.origin)
		st.add(f.dep, f.own[0])
		cnt, mean := st.read(f.dep, 3600)
		x = append(x, cnt, mean)
		ws := weather[f.origin]
		k := sort.Search(len(ws), func(k int) bool { return ws[k].ts > f.dep }) - 1
		if k >= 0 {
			x = append(append(x, ws[k].v...), float64(f.dep-ws[k].ts))
		} else {
			for range columns + 1 {
				x = append(x, math.NaN())
			}
		}
		x = append(x, code("c"+f.carrier), code("o"+f.origin), code("d"+f.dest), f.own[3])
		xs[i] = x
		base[i] = routeAir
		if math.IsNaN(routeAir) {
			base[i] = 0.12*f.own[1] + 18
		}
		if day := (f.dep - start) / 86400; f.landed && day >= 31 && day <= 272 {
			n++
			sumDelay += math.Abs(f.own[0] + delay.Predict(x) - f.arrDelay)
			sumAir += math.Abs(base[i] + air.Predict(x) - f.airTime)
			sumMedianDelay += math.Abs(f.own[0] + medianDelay.Predict(x) - f.arrDelay)
			sumMedianAir += math.Abs(base[i] + medianAir.Predict(x) - f.airTime)
		}
	}
	t.Logf("%v flights, %d columns: arr_delay MAE %.4f (River 12.976), air_time MAE %.4f (River 6.519)", n, delay.columns, sumDelay/n, sumAir/n)
	if n != 218421 || sumDelay/n > 12.976*1.002 || sumAir/n > 6.519*1.002 {
		t.Errorf("worse than River, or other rows")
	}
	t.Logf("normalised median regression: arr_delay MAE %.4f (LightGBM retrained weekly 12.257), air_time MAE %.4f (6.618)", sumMedianDelay/n, sumMedianAir/n)
	if sumMedianDelay/n > 12.257 || sumMedianAir/n > 6.618 {
		t.Errorf("median regression is worse than LightGBM")
	}
}
