package boosting

import (
	"encoding/binary"
	"math"

	"freshet/learners/bins"
	"freshet/learners/ridge"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

const (
	kind   = "streaming_gradient_boosting"
	format = 1
)

// AppendBinary appends the model's bytes.
func (c *Classifier) AppendBinary(dst []byte) ([]byte, error) { return c.b.append(dst) }

// UnmarshalBinary replaces the state by that of a model of the same shape; on an error it is as before.
func (c *Classifier) UnmarshalBinary(data []byte) error { return c.b.restore(data) }

// Bytes is the memory that the model holds now.
func (c *Classifier) Bytes() int { return c.b.bytes() }

// AppendBinary appends the model's bytes.
func (r *Regressor) AppendBinary(dst []byte) ([]byte, error) { return r.b.append(dst) }

// UnmarshalBinary replaces the state by that of a model of the same shape; on an error it is as before.
func (r *Regressor) UnmarshalBinary(data []byte) error { return r.b.restore(data) }

// Bytes is the memory that the model holds now.
func (r *Regressor) Bytes() int { return r.b.bytes() }

// shape is what must be the same for bytes to fit.
func (b *booster) shape() []int {
	linear := 0
	if b.line != nil {
		linear = 1
	}
	return []int{b.o.Classes, b.outputs, b.o.Steps, b.o.Depth, b.perTree, int(b.o.Start), int(b.o.Loss), linear}
}

func (b *booster) append(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, kind, format)
	dst = b.grid.Shape(dst)
	for _, v := range b.shape() {
		dst = wire.Uint(dst, uint64(v))
	}
	dst = b.grid.Append(dst)
	dst = b.linear.scaler.Append(dst)
	dst = wire.Floats(dst, b.linear.weights)
	if b.line != nil {
		dst = b.line.inputs.Append(dst)
		dst = b.line.model.Append(dst)
	}
	t := b.target
	for _, v := range []float64{t.n, t.mean, t.dev, t.center, t.spread, t.low, t.high, b.blend.part[0], b.blend.part[1], b.blend.hess[0], b.blend.hess[1], b.blend.hess[2]} {
		dst = wire.Float(dst, v)
	}
	for _, w := range b.rand.S {
		dst = wire.Uint(dst, w)
	}
	dst = wire.Uint(dst, b.learnt)
	dst = wire.Uint(dst, b.drifts)
	watch, err := b.adwin.AppendBinary(nil)
	if err != nil {
		return dst, err
	}
	dst = wire.String(dst, string(watch))
	for i := range b.trees {
		dst = b.trees[i].append(dst, b)
	}
	return wire.Seal(dst, start), nil
}

func (t *boostTree) append(dst []byte, b *booster) []byte {
	for _, f := range t.features {
		dst = wire.Uint(dst, uint64(f))
	}
	dst = t.skeleton.Append(dst)
	for i := range t.leaves {
		l := &t.leaves[i]
		for _, v := range []float64{l.grad, l.curv, l.square, l.weight, l.value} {
			dst = wire.Float(dst, v)
		}
		dst = wire.Bool(dst, l.hist != nil)
		if l.hist == nil {
			continue
		}
		dst = appendHist(dst, l.hist[:t.floats(b)])
	}
	return dst
}

// pairBytes is the size of a stored bin: three bytes of index, two small floats.
const pairBytes = 11

// appendHist appends the bins that hold something: most do not, as every split starts from empty ones.
func appendHist(dst []byte, h []float32) []byte {
	n := 0
	for i := 0; i < len(h); i += 2 {
		if h[i] != 0 || h[i+1] != 0 {
			n++
		}
	}
	dst = wire.Uint(dst, uint64(n*pairBytes))
	for i := 0; i < len(h); i += 2 {
		if h[i] != 0 || h[i+1] != 0 {
			dst = append(dst, byte(i/2), byte(i/2>>8), byte(i/2>>16))
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(h[i]))
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(h[i+1]))
		}
	}
	return dst
}

// floats is how much of a histogram the tree's features use.
func (t *boostTree) floats(b *booster) int {
	n := 0
	for _, f := range t.features {
		n += b.span[f]
	}
	return n
}

func (b *booster) restore(data []byte) error {
	r, _, err := wire.Open(data, kind, format)
	if err != nil {
		return err
	}
	b.grid.CheckShape(r)
	for _, want := range b.shape() {
		if got := r.Count(1 << 40); r.Err() == nil && got != want {
			r.Fail("shape: the bytes have %d where this model has %d", got, want)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	n := *b
	n.spare, n.hists = nil, 0
	n.grid = b.grid.Read(r)
	n.readStart(r)
	n.readState(r)
	n.trees = make([]boostTree, len(b.trees))
	for i := range n.trees {
		if r.Err() != nil {
			break
		}
		n.readTree(r, &n.trees[i])
	}
	if err := r.Close(); err != nil {
		return err
	}
	*b = n
	return nil
}

func (b *booster) readStart(r *wire.Reader) {
	b.linear.scaler = scale.NewStandard(b.o.Features)
	b.linear.scaler.Read(r)
	b.linear.weights = make([]float64, len(b.linear.weights))
	r.FloatsInto(b.linear.weights)
	for _, w := range b.linear.weights {
		if !(math.Abs(w) <= 1e9) {
			r.Fail("a weight is %v", w)
		}
	}
	if b.line != nil {
		l := newLine(b.line.inputs.Features)
		l.inputs = b.line.inputs.Read(r)
		l.model = ridge.New(len(l.z))
		l.model.Read(r)
		b.line = l
	}
}

func (b *booster) readState(r *wire.Reader) {
	b.target = target{r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite()}
	if b.target.n < 0 || b.target.dev < 0 || b.target.spread < 0 || b.target.spread > 1e200 || b.target.low > b.target.high || math.Abs(b.target.center) > 1e200 {
		r.Fail("moments of the target are impossible")
	}
	m := &b.blend
	for i := range m.part {
		if m.part[i] = r.Finite(); m.part[i] < 0 || m.part[i] > mostPart {
			r.Fail("a part of the blend is %v", m.part[i])
		}
	}
	for i := range m.hess {
		m.hess[i] = r.Finite()
	}
	if m.hess[0] < blendPrior || m.hess[2] < blendPrior {
		r.Fail("curvatures of the blend are below %d", blendPrior)
	}
	for i := range b.rand.S {
		b.rand.S[i] = r.Uint(1<<64 - 1)
	}
	if !b.rand.Valid() {
		r.Fail("the source of chance has no state")
	}
	b.learnt, b.drifts = r.Uint(1<<63), r.Uint(1<<63)
	watch := r.Bytes(r.Left())
	if r.Err() != nil {
		return
	}
	b.adwin = newWatch()
	if err := b.adwin.UnmarshalBinary(watch); err != nil {
		r.Fail("drift detector: %v", err)
	}
}

func (b *booster) readTree(r *wire.Reader, t *boostTree) {
	t.features = make([]int32, b.perTree)
	seen := make([]bool, b.o.Features)
	for i := range t.features {
		f := r.Count(b.o.Features - 1)
		if r.Err() == nil && seen[f] {
			r.Fail("a tree has feature %d twice", f)
		}
		seen[f] = true
		t.features[i] = int32(f)
	}
	var depth []int
	t.skeleton, depth = b.grid.ReadTree(r, b.maxLeaves, b.o.Depth)
	t.leaves = make([]leaf, len(t.skeleton.Nodes)/2+1)
	for i, n := range t.skeleton.Nodes {
		if n.Kind == bins.Leaf && r.Err() == nil {
			t.leaves[n.Child].depth = int32(depth[i])
		}
	}
	for i := range t.leaves {
		l := &t.leaves[i]
		l.grad, l.curv, l.square, l.weight, l.value = r.Finite(), r.Finite(), r.Finite(), r.Finite(), r.Finite()
		if l.curv < 0 || l.square < 0 || l.weight < 0 || math.Abs(l.value) > 1e9 {
			r.Fail("a leaf's sums are impossible")
		}
		if r.Bool() && r.Err() == nil {
			b.readHist(r, l, t.floats(b))
		}
	}
}

func (b *booster) readHist(r *wire.Reader, l *leaf, n int) {
	if b.hists == b.maxHists || int(l.depth) >= b.o.Depth {
		r.Fail("a histogram is one too many, or of a leaf that cannot split")
		return
	}
	b.hists++
	l.hist = make([]float32, b.histSize)
	next := 0 // least index that may come
	for p := r.Bytes(n / 2 * pairBytes); len(p) > 0; p = p[pairBytes:] {
		if len(p) < pairBytes {
			r.Fail("a histogram is cut off")
			return
		}
		i := int(p[0]) | int(p[1])<<8 | int(p[2])<<16
		h := math.Float32frombits(binary.LittleEndian.Uint32(p[3:]))
		g := math.Float32frombits(binary.LittleEndian.Uint32(p[7:]))
		if i < next || 2*i >= n || !(h >= 0 && h <= 1e30) || !(math.Abs(float64(g)) <= 1e30) {
			r.Fail("a histogram holds %v, %v in bin %d of %d", h, g, i, n/2)
			return
		}
		l.hist[2*i], l.hist[2*i+1] = h, g
		next = i + 1
	}
}
