package ensemble

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// shares are the shares among which a mixer learns which serves best.
var shares = []float64{0.1, 0.01, 0.001, 0.0001}

// mixer weighs voters by exp(-rate*loss) of what they said before each example, with a share of all weights spread
// evenly, so that one can come back (Hedge: Freund, Schapire 1997; Fixed-Share: Herbster, Warmuth 1998). How much to share
// depends on how often the best voter changes, so there may be several rows of weights, each with its own share, weighed
// in turn by how well they blend (learn-α: Monteleoni, Jaakkola 2003). Losses: log loss of classes; of numbers the squared
// error by twice the usual one of the blend, the log loss of a normal distribution, at most 8.
type mixer struct {
	classes  int
	rate     float64
	share    []float64 // of each row
	top      []float64 // of each row, add up to 1
	rows     []float64 // row*voters: weights, each row adds up to 1
	w        []float64 // the rows by top: what voters weigh
	loss     []float64 // scratch
	usual, n float64   // of numbers: faded squared error of the blend, and over how many
}

// newMixer returns equal weights. A share of 0 is learned.
func newMixer(classes, voters int, rate, share float64) mixer {
	m := mixer{classes: classes, rate: rate, share: shares, w: make([]float64, voters), loss: make([]float64, voters)}
	if share > 0 {
		m.share = []float64{share}
	}
	m.top, m.rows = make([]float64, len(m.share)), make([]float64, len(m.share)*voters)
	for i := range m.top {
		m.top[i] = 1 / float64(len(m.top))
	}
	for i := range m.rows {
		m.rows[i] = 1 / float64(voters)
	}
	m.weigh()
	return m
}

// weigh fills w.
func (m *mixer) weigh() {
	v := len(m.w)
	clear(m.w)
	for r, t := range m.top {
		for i, w := range m.rows[r*v : r*v+v] {
			m.w[i] += float64(t * w)
		}
	}
}

// blend fills out with the votes by their weights.
func (m *mixer) blend(votes, out []float64) {
	k := len(out)
	clear(out)
	for i, w := range m.w {
		for j, v := range votes[i*k : i*k+k] {
			out[j] += float64(w * v)
		}
	}
	if m.classes == 0 {
		out[0] = tame(out[0])
		return
	}
	// Votes add up to 1 within rounding; many roundings do not.
	total := 0.0
	for _, v := range out {
		total += v
	}
	for j := range out {
		out[j] /= total
	}
}

// update moves the weights by what the votes said of an example that turned out to be y.
func (m *mixer) update(votes []float64, y, weight float64) {
	k := max(m.classes, 1)
	least := math.Inf(1)
	for i := range m.w {
		if m.classes > 0 {
			m.loss[i] = -numeric.Log(max(votes[i*k+int(y)], 1e-6))
		} else {
			m.loss[i] = m.squared(votes[i], y)
		}
		least = min(least, m.loss[i])
	}
	if m.classes == 0 {
		m.settle(votes, y)
	}
	rate := m.rate * min(weight, 100)
	for i, l := range m.loss {
		m.loss[i] = numeric.Exp(-rate * (l - least)) // from here on: how much of its weight a voter keeps
	}
	v := len(m.w)
	for r, share := range m.share {
		row := m.rows[r*v : r*v+v]
		m.top[r] *= move(row, m.loss, share)
	}
	total := 0.0
	for _, t := range m.top {
		total += t
	}
	// Rows share a little too: what serves best may change.
	n := float64(len(m.top))
	for r := range m.top {
		m.top[r] = float64(0.999*(m.top[r]/total)) + 0.001/n
	}
	m.weigh()
}

// move multiplies the weights of a row by keep, spreads the share, and returns how much of the sum was kept: the
// likelihood of the row, but for a factor that all rows have.
func move(row, keep []float64, share float64) (kept float64) {
	total := 0.0
	for i := range row {
		kept += float64(row[i] * keep[i])
		// A floor, or a voter would need for ever to come back where next to nothing is shared.
		row[i] = max(float64(row[i]*keep[i]), 1e-12)
		total += row[i]
	}
	n := float64(len(row))
	for i := range row {
		row[i] = float64((1-share)*(row[i]/total)) + share/n
	}
	return max(kept, 1e-100)
}

func (m *mixer) squared(vote, y float64) float64 {
	if m.usual == 0 {
		return 0
	}
	d := (vote - y) / math.Sqrt(m.usual)
	return min(float64(d*d)/2, 8)
}

// settle follows the squared error of the blend; one wild target counts as ten times the usual error.
func (m *mixer) settle(votes []float64, y float64) {
	said := 0.0
	for i, w := range m.w {
		said += float64(w * votes[i])
	}
	d := tame(said) - y
	e := min(float64(d*d), math.MaxFloat64/4)
	if m.n >= 20 {
		e = min(e, 100*max(m.usual, 1e-300))
	}
	m.n = min(m.n+1, 500)
	m.usual += float64((e - m.usual) / m.n)
}

func (m *mixer) bytes() int { return 8*(len(m.top)+len(m.rows)+2*len(m.w)) + 160 }

func (m *mixer) append(dst []byte) []byte {
	dst = wire.Floats(dst, m.top)
	dst = wire.Floats(dst, m.rows)
	dst = wire.Float(dst, m.usual)
	return wire.Float(dst, m.n)
}

func (m *mixer) read(r *wire.Reader) {
	r.FloatsInto(m.top)
	r.FloatsInto(m.rows)
	m.usual, m.n = r.Finite(), r.Finite()
	v := len(m.w)
	ok := sumsToOne(m.top) && m.usual >= 0 && m.n >= 0 && m.n <= 500
	for at := 0; at < len(m.rows); at += v {
		ok = ok && sumsToOne(m.rows[at:at+v])
	}
	if r.Err() == nil && !ok {
		r.Fail("weights do not add up to 1, or usual error %v of %v", m.usual, m.n)
	}
	m.weigh()
}

func sumsToOne(w []float64) bool {
	total := 0.0
	for _, v := range w {
		if v < 0 {
			return false
		}
		total += v
	}
	return math.Abs(total-1) < 1e-6
}
