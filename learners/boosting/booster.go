package boosting

import (
	"fmt"
	"math"

	"freshet/learners/bins"
	"freshet/learners/drift"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

// booster is what the classifier and the regressor share: outputs sums of trees over one grid.
type booster struct {
	o       Options
	outputs int // sums: 1, or as many as classes
	grid    *bins.Grid
	trees   []boostTree // step*outputs + output
	linear  start
	line    *line // of a regressor with a linear start, in its place
	target  target
	blend   blend
	rand    numeric.Rand
	learnt  uint64
	drifts  uint64
	adwin   *drift.ADWIN // of the loss

	// derived
	fade      float64 // of a leaf's sums, an example
	perTree   int     // features a tree
	span      []int   // floats of a feature in a histogram
	histSize  int
	maxHists  int
	maxLeaves int // a tree
	poisson   numeric.Poisson

	hists int // histograms in use or spare
	spare [][]float32

	// scratch
	loss   float64 // of the example at hand
	code   []uint8
	pool   []int32
	search bins.Searcher
	old    []float32
	sum    []float64
	start  []float64
	prob   []float64
}

func newBooster(o Options, outputs int) (*booster, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	b := &booster{o: o, outputs: outputs, rand: numeric.NewRand(o.Seed)}
	var err error
	if b.grid, err = bins.New(o.Features, o.Nominal, o.Bins, min(o.MaxCategories, bins.Most), o.MaxBytes/8); err != nil {
		return nil, err
	}
	b.fade = numeric.Exp(-math.Ln2 / o.HalfLife)
	b.perTree = max(1, int(math.Ceil(o.FeatureShare*float64(o.Features))))
	b.poisson = numeric.NewPoisson(1)
	b.span = make([]int, o.Features)
	widest := 0
	for f := range b.span {
		b.span[f] = 2 * b.grid.Width(f)
		widest = max(widest, b.span[f])
	}
	if err := b.divide(); err != nil {
		return nil, err
	}
	b.code = make([]uint8, o.Features)
	b.pool = make([]int32, o.Features)
	for f := range b.pool {
		b.pool[f] = int32(f)
	}
	b.search = bins.NewSearcher(o.Lambda, 1)
	b.old = make([]float32, widest)
	b.sum, b.start, b.prob = make([]float64, outputs), make([]float64, outputs), make([]float64, outputs)
	b.trees = make([]boostTree, o.Steps*outputs)
	for i := range b.trees {
		b.plant(&b.trees[i])
	}
	b.linear = newStart(o, outputs)
	b.blend = newBlend()
	b.adwin = newWatch()
	return b, nil
}

// enough is how many histograms a tree should have room for: with fewer, each gets fewer features.
const enough = 12

// divide shares the memory out: a quarter to leaves, the rest to histograms.
func (b *booster) divide() error {
	trees := b.o.Steps * b.outputs
	const leaf = 2 * (leafBytes + 2*16 + 8) // slices may double as they grow
	widest, size := 0, 0
	for _, n := range b.span {
		widest = max(widest, n)
		size += n
	}
	for {
		room := b.o.MaxBytes - b.grid.Bytes() - trees*(4*b.perTree+treeBytes)
		b.histSize = min(size, b.perTree*widest) // any features fit
		b.maxLeaves = min(room/4/trees/leaf, 1<<b.o.Depth)
		b.maxHists = (room - trees*b.maxLeaves*leaf) / (4*b.histSize + 24)
		switch {
		case b.maxLeaves >= 2 && b.maxHists >= enough*trees:
			return nil
		case b.perTree > 1:
			b.perTree -= (b.perTree + 3) / 4
		case b.maxLeaves >= 2 && b.maxHists >= trees:
			return nil
		default:
			return fmt.Errorf("boosting: %d bytes are too few for %d trees of %d features, expected at least %d: fewer steps or bins need less",
				b.o.MaxBytes, trees, b.o.Features, b.o.MaxBytes-room+trees*max(8*leaf, (4*b.histSize+24)*4/3))
		}
	}
}

func (b *booster) check(x []float64) {
	if len(x) != b.o.Features {
		panic(fmt.Sprintf("BUG: boosting: vector of %d features, the model has %d", len(x), b.o.Features))
	}
}

// hold bounds sums: what is beyond says no more.
func hold(v float64) float64 { return min(max(v, -far), far) }

// begin fills sum with what the trees start from.
func (b *booster) begin(x, sum []float64) {
	b.linear.predict(x, sum)
	if b.line != nil {
		sum[0] = hold(b.target.bound(sum[0] + b.line.inputs.Estimate(b.line.model, x)))
	}
}

// raw fills sum, one place an output, with the reported sums at x. O(trees * depth).
func (b *booster) raw(x, sum []float64) {
	b.begin(x, sum)
	for k := range sum {
		trees := 0.0
		for i := k; i < len(b.trees); i += b.outputs {
			t := &b.trees[i]
			trees += t.leaves[t.skeleton.Route(b.grid, x)].value
		}
		sum[k] = hold(b.blend.mix(sum[k], b.o.Rate*trees))
	}
}

// observe codes x, after carrying histograms over to new cuts if there are.
func (b *booster) observe(x []float64) {
	if b.grid.Observe(x) {
		for i := range b.trees {
			b.carry(&b.trees[i])
		}
	}
	b.grid.Code(x, b.code)
}

func (b *booster) carry(t *boostTree) {
	for j := range t.leaves {
		h := t.leaves[j].hist
		if h == nil {
			continue
		}
		off := 0
		for _, f := range t.features {
			if m := b.grid.Moved(int(f)); !m.Empty() {
				part := h[off : off+b.span[f]]
				m.Apply32(part, b.old[:len(part)], 2)
			}
			off += b.span[f]
		}
	}
}

// bytes is the memory of the model.
func (b *booster) bytes() int {
	n := b.grid.Bytes() + b.linear.bytes() + b.hists*(4*b.histSize+24) + 2048
	if b.line != nil {
		n += b.line.bytes()
	}
	for i := range b.trees {
		t := &b.trees[i]
		n += treeBytes + t.skeleton.Bytes() + cap(t.leaves)*leafBytes + 4*cap(t.features)
	}
	return n
}

// newWatch returns the detector of a rising loss.
func newWatch() *drift.ADWIN {
	a, err := drift.NewADWIN(drift.ADWINOptions{Direction: drift.Up, After: drift.Keep})
	if err != nil {
		panic("BUG: boosting: " + err.Error())
	}
	return a
}

// watch replaces some trees when the loss has risen.
func (b *booster) watch() {
	if b.o.NoDrift || b.adwin.Update(b.loss) != drift.Drift {
		return
	}
	b.drifts++
	for i := 0; i < len(b.trees); i += b.outputs {
		if b.rand.Float() < replaced {
			for j := range b.outputs {
				b.plant(&b.trees[i+j])
			}
		}
	}
}

// replaced is the share of the trees that a drift replaces.
const replaced = 0.3
