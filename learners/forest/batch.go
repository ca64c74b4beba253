package forest

import (
	"sync"

	"freshet/learners/numeric"
)

const (
	// blockRows is how many rows a worker drives its trees through at once.
	blockRows = 256
	// review is how many examples go by between two looks for poor trees.
	review = 2000
)

// TestThenTrain is contract.ClassifierBatcher: workers share out the trees.
func (f *Forest) TestThenTrain(x []float64, classes []int, weights, p []float64, workers int) {
	f.check(x, len(classes))
	d, k := f.o.Features, f.o.Classes
	for from := 0; from < len(classes); {
		n := f.span(classes[from:], weights, from)
		var w []float64
		if weights != nil {
			w = weights[from : from+n]
		}
		f.block(x[from*d:(from+n)*d], classes[from:from+n], w, p[from*k:(from+n)*k], workers)
		from += n
	}
}

// span is how many rows make the next block: no look for poor trees may fall into it.
func (f *Forest) span(classes []int, weights []float64, from int) int {
	left := review - f.learnt%review
	for i := range min(len(classes), blockRows) {
		if f.counts(classes[i], weightAt(weights, from+i)) {
			if left--; left == 0 {
				return i + 1
			}
		}
	}
	return min(len(classes), blockRows)
}

func (f *Forest) counts(class int, weight float64) bool {
	return class >= 0 && class < f.o.Classes && numeric.Weight(weight)
}

func weightAt(weights []float64, i int) float64 {
	if weights == nil {
		return 1
	}
	return weights[i]
}

// block tests and trains on a few rows: all trees through all rows, on so many goroutines, then the votes row by row.
func (f *Forest) block(x []float64, classes []int, weights, p []float64, workers int) {
	n, k := len(classes), f.o.Classes
	if need := n * f.o.Trees; len(f.weights) < need {
		f.weights, f.votes = make([]float64, need), make([]float64, need*k)
	}
	if workers = min(workers, f.o.Trees); workers <= 1 || n == 1 {
		f.drive(x, classes, weights, 0, 1)
	} else {
		f.share(x, classes, weights, workers)
	}
	for row, class := range classes {
		out := p[row*k : row*k+k]
		f.mean(row, out)
		learns := f.counts(class, weightAt(weights, row))
		if !f.o.Raw {
			if learns {
				f.temper.LearnThenApply(out, class, f.scratch)
			} else {
				f.temper.Apply(out)
			}
		}
		if learns {
			f.learnt++
			if f.learnt%review == 0 && f.o.ReplacePoor {
				f.weed()
			}
		}
	}
}

// share lets so many goroutines drive the trees; apart, so that one example allocates nothing.
func (f *Forest) share(x []float64, classes []int, weights []float64, workers int) {
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { f.drive(x, classes, weights, w, workers) })
	}
	all.Wait()
}

// drive puts every step-th tree, from the first on, through the rows.
func (f *Forest) drive(x []float64, classes []int, weights []float64, first, step int) {
	d, k, trees := f.o.Features, f.o.Classes, f.o.Trees
	for t := first; t < trees; t += step {
		m := &f.members[t]
		for row, class := range classes {
			at := row*trees + t
			f.weights[at] = m.step(&f.o, &f.once, x[row*d:row*d+d], class, weightAt(weights, row), f.votes[at*k:at*k+k])
		}
	}
}

// mean fills out with the weighted mean of a row's votes, added up in tree order.
func (f *Forest) mean(row int, out []float64) {
	k, trees := f.o.Classes, f.o.Trees
	clear(out)
	total := 0.0
	for t := range trees {
		at := row*trees + t
		w := f.weights[at]
		total += w
		for c, v := range f.votes[at*k : at*k+k] {
			out[c] += float64(w * v)
		}
	}
	for c := range out {
		out[c] /= total
	}
}

// weed replaces the worst tree if it has erred far more than the mean for a whole memory: by five standard errors.
func (f *Forest) weed() {
	mean, worst := 0.0, 0
	for i := range f.members {
		m := &f.members[i]
		mean += m.weight() / float64(len(f.members))
		if m.weight() < f.members[worst].weight() {
			worst = i
		}
	}
	m := &f.members[worst]
	gap := mean - m.weight()
	if m.seen < 0.8*memory || float64(gap*gap)*memory < 25*2*mean*(1-mean) {
		return
	}
	m.replace(&f.o)
}
