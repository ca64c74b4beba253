package boosting

import (
	"math"

	"freshet/learners/bins"
)

// leaf is what a tree knows of one of its leaves. Sums fade by HalfLife, so that a leaf follows what the trees before
// it leave over.
type leaf struct {
	grad, curv float64   // sums of weighted gradients and curvatures
	square     float64   // sum of squared gradients: over curv, how noisy they are
	weight     float64   // examples since the last attempt to split
	value      float64   // -grad/(curv+lambda), the step before Rate
	hist       []float32 // pairs (curvature, gradient) by feature and code; nil: does not split any more
	depth      int32
}

const (
	leafBytes = 72
	treeBytes = 104
)

// boostTree is one tree of the sum.
type boostTree struct {
	skeleton bins.Tree
	leaves   []leaf
	features []int32 // those it may test
}

// plant makes a tree anew.
func (b *booster) plant(t *boostTree) {
	t.skeleton = bins.NewTree()
	for i := range t.leaves {
		b.release(t.leaves[i].hist)
	}
	t.leaves = append(t.leaves[:0], leaf{hist: b.claim()})
	b.draw(t)
}

// draw chooses the features of a tree without replacement.
func (b *booster) draw(t *boostTree) {
	all := b.pool
	for i := range b.perTree {
		j := i + b.rand.Intn(len(all)-i)
		all[i], all[j] = all[j], all[i]
	}
	t.features = append(t.features[:0], all[:b.perTree]...)
	// The pool goes back to its order, so that what is drawn depends on the source of chance alone.
	for f := range all {
		all[f] = int32(f)
	}
}

// claim returns an empty histogram, or nil if the memory bound is reached.
func (b *booster) claim() []float32 {
	if n := len(b.spare); n > 0 {
		h := b.spare[n-1]
		b.spare = b.spare[:n-1]
		clear(h)
		return h
	}
	if b.hists == b.maxHists {
		return nil
	}
	b.hists++
	return make([]float32, b.histSize)
}

func (b *booster) release(h []float32) {
	if h != nil {
		b.spare = append(b.spare, h)
	}
}

// learnTree takes an example's gradient and curvature in at a node of a tree, as often as a Poisson draw says: trees that
// see different examples differ, and their sum varies less (on-line bagging, Oza and Russell 2001). O(features).
func (b *booster) learnTree(t *boostTree, at int32, grad, curv float64) {
	k := float64(b.poisson.Draw(&b.rand))
	if k == 0 {
		return
	}
	grad *= k
	curv *= k
	l := &t.leaves[t.skeleton.Nodes[at].Child]
	// Forgetting follows what is learned: a leaf that is sure (of a rare class, say) keeps what it knows for longer.
	keep := 1 - min(float64(b.forget*curv), 0.5)
	l.grad = float64(l.grad*keep) + grad
	l.curv = float64(l.curv*keep) + curv
	l.square = float64(l.square*keep) + float64(grad*grad)
	l.value = -l.grad / (l.curv + b.o.Lambda)
	if l.hist == nil {
		return
	}
	off := 0
	g32, h32 := float32(grad), float32(curv)
	hist := l.hist
	for _, f := range t.features {
		p := off + 2*int(b.code[f])
		hist[p] += h32
		hist[p+1] += g32
		off += b.span[f]
	}
	l.weight++
	if l.weight >= b.o.GracePeriod {
		l.weight = 0
		b.attempt(t, at)
	}
}

// attempt splits the leaf at a node by its best split, if that gains more than noise does.
func (b *booster) attempt(t *boostTree, at int32) {
	n := t.skeleton.Nodes[at].Child
	l := &t.leaves[n]
	best, weight, sum := b.best(t, l.hist)
	noise := l.square / max(l.curv, math.SmallestNonzeroFloat64)
	if len(t.leaves) == b.maxLeaves || !(best.Gain > b.o.MinGain*noise) {
		if weight > stale {
			for i := range l.hist {
				l.hist[i] *= 0.5
			}
		}
		return
	}
	t.skeleton.Grow(at, b.grid, best, int32(len(t.leaves)))
	left, right := b.children(l, best, weight, sum)
	if hist := l.hist; int(left.depth) < b.o.Depth {
		clear(hist)
		left.hist, right.hist = hist, b.claim()
	} else {
		b.release(hist)
	}
	t.leaves[n] = left
	t.leaves = append(t.leaves, right)
}

// stale is the curvature at which a histogram is halved, so that what it holds stays recent.
const stale = 1e4

// best returns the best split of a histogram, and the sums of curvature and gradient that it holds.
func (b *booster) best(t *boostTree, hist []float32) (best bins.Split, weight, sum float64) {
	off := 0
	for i, f := range t.features {
		h := hist[off : off+2*b.grid.Codes(int(f))]
		off += b.span[f]
		if i == 0 {
			for c := 0; c < len(h); c += 2 {
				weight += float64(h[c])
				sum += float64(h[c+1])
			}
			b.search.MinWeight = float64(b.o.MinBranchFraction * weight)
		}
		if s, ok := bins.Best(&b.search, h, b.grid.Categories(int(f)) > 0); ok && s.Gain > best.Gain {
			best, best.Feature = s, int(f)
		}
	}
	return best, weight, sum
}

// children returns the leaves of a split: they start from what it knows, scaled to what the leaf still remembers.
func (b *booster) children(l *leaf, s bins.Split, weight, sum float64) (left, right leaf) {
	share := min(max(s.LeftWeight/weight, 0), 1)
	scale := l.curv / weight
	side := func(share, grad float64) leaf {
		c := leaf{grad: float64(grad * scale), curv: float64(l.curv * share), square: float64(l.square * share), depth: l.depth + 1}
		c.value = -c.grad / (c.curv + b.o.Lambda)
		return c
	}
	return side(share, s.LeftSum), side(1-share, sum-s.LeftSum)
}
