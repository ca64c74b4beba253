package flat

// Explainer computes contributions with scratch of its own: one goroutine at a time.
type Explainer struct {
	e    *Ensemble
	path []element // (depth+1)*(depth+2)/2 places at most, one run a level
}

// element is one feature on the path so far (Lundberg, Erion, Lee 2018, algorithm 2).
type element struct {
	feature   int32
	zero, one float64 // share of paths that flow through with the feature unknown and known
	weight    float64 // of subsets of this size
}

// NewExplainer returns an explainer of an ensemble that passed Check. Trees without covers are given equal ones.
func NewExplainer(e *Ensemble) *Explainer {
	_, _, _, depth := e.Size()
	return &Explainer{e: e, path: make([]element, (depth+2)*(depth+3))}
}

// Contributions fills out (features*outputs, a feature's outputs side by side) with the exact Shapley values of the
// ensemble's raw sum at x, missing features being averaged over by the trees' covers ("path-dependent" TreeSHAP), and
// base (one place an output) with the mean raw sum: base plus the sum over features is Raw(x). With Link Mean all are
// divided by the sum of weights. O(trees*leaves*depth²) (Lundberg, Erion, Lee 2018, algorithm 2).
func (w *Explainer) Contributions(x, out, base []float64) {
	e := w.e
	clear(out)
	copy(base, e.Base)
	for i := range e.Trees {
		t := &e.Trees[i]
		w.mean(t, 0, t.Weight, base)
		w.walk(t, x, out, 0, 0, 0, 1, 1, -1)
	}
	if sum := e.Weight(); e.Link == Mean && sum > 0 {
		for i := range out {
			out[i] /= sum
		}
		for i := range base {
			base[i] /= sum
		}
	}
}

// mean adds the tree's mean output, by covers, times share.
func (w *Explainer) mean(t *Tree, at int32, share float64, base []float64) {
	n := &t.Nodes[at]
	if n.Leaf() {
		for k := range base {
			base[k] += float64(share * t.Values[int(n.Value)+k])
		}
		return
	}
	l, r := t.split(n)
	w.mean(t, n.Left, float64(share*l), base)
	w.mean(t, n.Right, float64(share*r), base)
}

// split returns the shares of the cover that go left and right.
func (t *Tree) split(n *Node) (left, right float64) {
	l, r := t.Nodes[n.Left].Cover, t.Nodes[n.Right].Cover
	if !(l+r > 0) {
		return 0.5, 0.5
	}
	return l / (l + r), r / (l + r)
}

// walk goes through the tree with the unique path of features in w.path[from : from+length].
func (w *Explainer) walk(t *Tree, x, out []float64, at int32, from, length int, zero, one float64, feature int32) {
	path := w.path[from:]
	extend(path, length, zero, one, feature)
	length++
	n := &t.Nodes[at]
	if n.Leaf() {
		w.leaf(t, n, path, length, out)
		return
	}
	hot, cold := n.Left, n.Right
	hotShare, coldShare := t.split(n)
	if !t.Left(n, x) {
		hot, cold, hotShare, coldShare = cold, hot, coldShare, hotShare
	}
	zeroBefore, oneBefore := 1.0, 1.0
	for i := 1; i < length; i++ {
		if path[i].feature == n.Feature {
			zeroBefore, oneBefore = path[i].zero, path[i].one
			unwind(path, length, i)
			length--
			break
		}
	}
	next := from + length + 1
	for i, c := range [2]int32{hot, cold} {
		share, o := hotShare, oneBefore
		if i == 1 {
			share, o = coldShare, 0
		}
		if share = float64(zeroBefore * share); share == 0 && o == 0 {
			continue // nobody comes here, with the feature known or not
		}
		copy(w.path[next:next+length], path[:length])
		w.walk(t, x, out, c, next, length, share, o, n.Feature)
	}
}

// leaf credits the leaf's values to the features on the path.
func (w *Explainer) leaf(t *Tree, n *Node, path []element, length int, out []float64) {
	k := w.e.Outputs
	values := t.Values[n.Value : int(n.Value)+k]
	for i := 1; i < length; i++ {
		p := &path[i]
		share := float64(unwound(path, length, i) * (p.one - p.zero) * t.Weight)
		to := out[int(p.feature)*k : int(p.feature)*k+k]
		for j, v := range values {
			to[j] += float64(share * v)
		}
	}
}

// extend adds a feature to the path: the weights of subsets of each size grow by those with it.
func extend(path []element, length int, zero, one float64, feature int32) {
	path[length] = element{feature: feature, zero: zero, one: one}
	if length == 0 {
		path[0].weight = 1
	}
	d := float64(length + 1)
	for i := length - 1; i >= 0; i-- {
		path[i+1].weight += float64(one*path[i].weight) * float64(i+1) / d
		path[i].weight = float64(zero*path[i].weight) * float64(length-i) / d
	}
}

// unwind takes feature i out of the path again.
func unwind(path []element, length, i int) {
	one, zero := path[i].one, path[i].zero
	last := length - 1
	next := path[last].weight
	for j := last - 1; j >= 0; j-- {
		if one != 0 {
			was := path[j].weight
			path[j].weight = next * float64(length) / (float64(j+1) * one)
			next = was - path[j].weight*float64(zero*float64(last-j))/float64(length)
		} else {
			path[j].weight = path[j].weight * float64(length) / float64(zero*float64(last-j))
		}
	}
	for j := i; j < last; j++ {
		path[j].feature, path[j].zero, path[j].one = path[j+1].feature, path[j+1].zero, path[j+1].one
	}
}

// unwound is the sum of the weights that unwind would leave.
func unwound(path []element, length, i int) float64 {
	one, zero := path[i].one, path[i].zero
	last := length - 1
	next := path[last].weight
	total := 0.0
	for j := last - 1; j >= 0; j-- {
		if one != 0 {
			v := next * float64(length) / (float64(j+1) * one)
			total += v
			next = path[j].weight - v*float64(zero*float64(last-j))/float64(length)
		} else if zero != 0 {
			total += path[j].weight * float64(length) / float64(zero*float64(last-j))
		}
	}
	return total
}
