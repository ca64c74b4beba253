package ensemble

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// mixer weighs voters by exp(-rate*loss) of what they said before each example, with a share of all weights spread
// evenly (Hedge: Freund, Schapire 1997; Fixed-Share: Herbster, Warmuth 1998). Losses: log loss of classes; of numbers
// the squared error by twice the usual one of the blend, the log loss of a normal distribution, at most 8.
type mixer struct {
	classes     int
	rate, share float64
	w           []float64 // adds up to 1
	loss        []float64 // scratch
	usual, n    float64   // of numbers: faded squared error of the blend, and over how many
}

func newMixer(classes, voters int, rate, share float64) mixer {
	m := mixer{classes: classes, rate: rate, share: share, w: make([]float64, voters), loss: make([]float64, voters)}
	for i := range m.w {
		m.w[i] = 1 / float64(voters)
	}
	return m
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
	total := 0.0
	for i := range m.w {
		// A floor, or a voter would need for ever to come back where nothing is shared.
		m.w[i] = max(float64(m.w[i]*numeric.Exp(-rate*(m.loss[i]-least))), 1e-12)
		total += m.w[i]
	}
	n := float64(len(m.w))
	for i := range m.w {
		m.w[i] = float64((1-m.share)*(m.w[i]/total)) + m.share/n
	}
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

func (m *mixer) bytes() int { return 16*len(m.w) + 64 }

func (m *mixer) append(dst []byte) []byte {
	dst = wire.Floats(dst, m.w)
	dst = wire.Float(dst, m.usual)
	return wire.Float(dst, m.n)
}

// read reads weights that are not negative and add up to 1.
func (m *mixer) read(r *wire.Reader) {
	r.FloatsInto(m.w)
	total := 0.0
	for _, v := range m.w {
		total += v
		if v < 0 {
			total = math.Inf(1)
		}
	}
	m.usual, m.n = r.Finite(), r.Finite()
	if r.Err() == nil && !(math.Abs(total-1) < 1e-6 && m.usual >= 0 && m.n >= 0 && m.n <= 500) {
		r.Fail("weights %v do not add up to 1, or usual error %v of %v", m.w, m.usual, m.n)
	}
}
