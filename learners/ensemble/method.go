package ensemble

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// Options are what all methods share. Classes is 0 for regression; then Regressor is needed, else Classifier. Both make
// an untrained member for a shape of input; members that use chance take it from the seed.
type Options struct {
	Input      contract.Input
	Classes    int
	Members    int    // bagging, patches, boosting: 10
	Seed       uint64 // of everything that is left to chance
	Classifier func(in contract.Input, seed uint64) (contract.Classifier, error)
	Regressor  func(in contract.Input, seed uint64) (contract.Regressor, error)
}

// maxMembers bounds an ensemble.
const maxMembers = 1000

func (o *Options) fill() error {
	if o.Members == 0 {
		o.Members = 10
	}
	switch {
	case o.Input.Features < 1 || o.Classes < 0 || o.Classes == 1:
		return fmt.Errorf("ensemble: %d features (expected at least 1), %d classes (0 for regression, or at least 2)", o.Input.Features, o.Classes)
	case o.Members < 1 || o.Members > maxMembers:
		return fmt.Errorf("ensemble: %d members, expected 1 to %d", o.Members, maxMembers)
	}
	return nil
}

// outputs is the number of places of a vote.
func (o *Options) outputs() int { return max(o.Classes, 1) }

// make returns an untrained member.
func (o *Options) make(in contract.Input, seed uint64) (member, error) {
	seed &= 1<<53 - 1 // what a parameter can hold
	if o.Classes == 0 {
		r, err := o.Regressor(in, seed)
		return asRegressor{r}, err
	}
	c, err := o.Classifier(in, seed)
	return asClassifier{c}, err
}

// member is a classifier or a regressor: a vote has one place a class, or holds the estimate; y is a class' number.
type member interface {
	contract.Model
	vote(x, out []float64)
	learn(x []float64, y, weight float64)
	model() contract.Model
}

type asClassifier struct{ contract.Classifier }

func (m asClassifier) vote(x, out []float64)           { m.PredictProba(x, out) }
func (m asClassifier) learn(x []float64, y, w float64) { m.Learn(x, int(y), w) }
func (m asClassifier) model() contract.Model           { return m.Classifier }

type asRegressor struct{ contract.Regressor }

func (m asRegressor) vote(x, out []float64)           { out[0] = m.Predict(x) }
func (m asRegressor) learn(x []float64, y, w float64) { m.Learn(x, y, w) }
func (m asRegressor) model() contract.Model           { return m.Regressor }

// method is what differs between ensembles. vote and combine change nothing. Learning one example is: all vote, all
// train, after. For as many examples as side says, train(i) and after touch nothing that another member's vote or train
// looks at, so members can go through these by themselves.
type method interface {
	size() int   // members
	stride() int // places of a vote: outputs, and what combine needs besides
	vote(i int, x, vote, room []float64)
	train(i int, x []float64, y, weight float64, vote []float64)
	combine(x, votes, out []float64)
	after(x []float64, y, weight float64, votes []float64)
	side() int   // examples; 0: members always depend on each other
	looks() bool // train or after look at the votes

	fresh() (method, error) // the same, untrained
	model(i int) contract.Model
	features(i int) []int32 // of the input, that member i sees; nil: all
	drifts() uint64
	bytes() int
	append(dst []byte) ([]byte, error)
	read(r *wire.Reader)
}

// whole is the part of methods whose members see everything and whose votes are their estimates.
type whole struct {
	o       Options
	members []member
	reacted uint64
}

func (w *whole) size() int                                    { return len(w.members) }
func (w *whole) stride() int                                  { return w.o.outputs() }
func (w *whole) vote(i int, x, vote, _ []float64)             { w.members[i].vote(x, vote) }
func (w *whole) model(i int) contract.Model                   { return w.members[i].model() }
func (w *whole) features(int) []int32                         { return nil }
func (w *whole) drifts() uint64                               { return w.reacted }
func (w *whole) looks() bool                                  { return true }
func (w *whole) side() int                                    { return math.MaxInt }
func (w *whole) after([]float64, float64, float64, []float64) {}

func (w *whole) train(i int, x []float64, y, weight float64, _ []float64) {
	w.members[i].learn(x, y, weight)
}

func (w *whole) bytes() int {
	n := 64
	for _, m := range w.members {
		n += m.Bytes() + 32
	}
	return n
}

func (w *whole) append(dst []byte) ([]byte, error) {
	dst = wire.Uint(dst, w.reacted)
	var err error
	for _, m := range w.members {
		if dst, err = wire.Model(dst, m); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (w *whole) read(r *wire.Reader) {
	w.reacted = r.Uint(1 << 63)
	for _, m := range w.members {
		r.Model(m)
	}
}

// mean fills out with the mean of the votes.
func mean(votes, out []float64, stride int) {
	k := len(out)
	copy(out, votes[:k])
	n := 1
	for at := stride; at < len(votes); at += stride {
		for j := range out {
			out[j] += votes[at+j]
		}
		n++
	}
	for j := range out {
		out[j] /= float64(n)
	}
	if k == 1 {
		out[0] = tame(out[0])
	}
}

// weighted is mean with a weight a vote, in the place after its outputs.
func weighted(votes, out []float64, stride int) {
	k := len(out)
	clear(out)
	total := 0.0
	for at := 0; at < len(votes); at += stride {
		w := votes[at+k]
		total += w
		for j := range out {
			out[j] += float64(w * votes[at+j])
		}
	}
	if !(total > 0) {
		mean(votes, out, stride)
		return
	}
	for j := range out {
		out[j] /= total
	}
}

// say is the weight of a member's vote: the log-odds of its being right, against what chance would be right of so many
// classes (SAMME, Zhu et al. 2009); at least a little, so that bad members decide where there are no better ones.
func say(right, n float64, classes int) float64 {
	return max(numeric.Log((right+2)/(n-right+1)*float64(classes-1)), 0.01)
}

func tame(v float64) float64 { return min(max(v, -numeric.Limit), numeric.Limit) }

func argmax(p []float64) int {
	best := 0
	for k, v := range p {
		if v > p[best] {
			best = k
		}
	}
	return best
}

// gauge turns a member's misses into numbers in [0, 1] that a drift detector can watch: 0 or 1 of a class, and of an
// estimate its distance by four times the usual one.
type gauge struct{ n, usual float64 }

func (g *gauge) miss(o *Options, vote []float64, y float64) float64 {
	if o.Classes > 0 {
		if argmax(vote[:o.Classes]) == int(y) {
			return 0
		}
		return 1
	}
	e := max(vote[0], y) - min(vote[0], y)
	v := 1.0
	if e < 4*g.usual {
		v = e / (4 * g.usual)
	}
	if e == 0 || g.n == 0 {
		v = 0
	}
	// A wild error may not hide later ones; the usual error follows slowly.
	if g.n >= 20 {
		e = min(e, 20*g.usual)
	}
	g.n = min(g.n+1, 2000)
	g.usual += float64((e - g.usual) / g.n)
	return v
}

// say is the weight of a member's estimate: one by the fourth power of its usual error, so that those that lack a feature
// that matters are not heard; none before that is known.
func (g *gauge) say() float64 {
	if g.n < 20 {
		return 0
	}
	u := max(g.usual, 1e-35)
	return 1 / float64(float64(u*u)*float64(u*u))
}

func (g *gauge) append(dst []byte) []byte { return wire.Float(wire.Float(dst, g.n), g.usual) }

func (g *gauge) read(r *wire.Reader) {
	g.n, g.usual = r.Finite(), r.Finite()
	if r.Err() == nil && !(g.n >= 0 && g.n <= 2000 && g.usual >= 0) {
		r.Fail("usual error %v of %v", g.usual, g.n)
	}
}
