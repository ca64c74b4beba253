package mondrian

import (
	"sync"

	"freshet/learners/numeric"
)

// batch is what TestThenTrain keeps of some rows: trees need nothing else, so each can go through all of them alone,
// which also keeps a tree's nodes in the CPU's caches.
type batch struct {
	rows         int
	seen         []float32 // coordinates before the row was learned: for predicting
	x            []float32 // coordinates after it
	rates        []float32 // rates after it
	learn        []bool
	votes        []float64 // (tree, row, output)
	y            []float64 // regression: coordinate of the target,
	spread       []float64 // their variance,
	unit, origin []float64 // and the way back, before the row was learned
}

func (b *batch) bytes() int {
	return 4*(cap(b.seen)+cap(b.x)+cap(b.rates)) + 8*(cap(b.votes)+4*cap(b.y)) + cap(b.learn)
}

// room makes place for as many rows at once as fit into a megabyte or so.
func (f *forest) room(outputs int) *batch {
	b := &f.batch
	if b.rows > 0 {
		return b
	}
	d := f.o.Features
	b.rows = min(max(1<<17/max(f.o.Trees*outputs, 3*d), 1), 256)
	b.seen, b.x, b.rates = make([]float32, b.rows*d), make([]float32, b.rows*d), make([]float32, b.rows*d)
	b.learn = make([]bool, b.rows)
	b.votes = make([]float64, f.o.Trees*b.rows*outputs)
	b.y, b.spread = make([]float64, b.rows), make([]float64, b.rows)
	b.unit, b.origin = make([]float64, b.rows), make([]float64, b.rows)
	return b
}

// row lends row i of a table of d columns.
func row[T any](table []T, i, d int) []T { return table[i*d : (i+1)*d : (i+1)*d] }

// each calls do for every tree, on up to so many goroutines.
func (f *forest) each(workers int, do func(t *tree, i int)) {
	workers = min(workers, len(f.trees))
	if workers <= 1 {
		for i := range f.trees {
			do(&f.trees[i], i)
		}
		return
	}
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(f.trees); i += workers {
				do(&f.trees[i], i)
			}
		})
	}
	wait.Wait()
}

func weightOf(weights []float64, i int) float64 {
	if weights == nil {
		return 1
	}
	return weights[i]
}

// TestThenTrain does, for each row in order, what PredictProba and then Learn would do, bit for bit.
func (c *Classifier) TestThenTrain(x []float64, classes []int, weights, p []float64, workers int) {
	d, k := c.o.Features, c.o.Classes
	b := c.room(k)
	for from := 0; from < len(classes); from += b.rows {
		n := min(b.rows, len(classes)-from)
		for i := range n {
			v, w := row(x, from+i, d), weightOf(weights, from+i)
			c.space.fill(row(b.seen, i, d), v)
			if b.learn[i] = classes[from+i] >= 0 && classes[from+i] < k && numeric.Weight(w); b.learn[i] {
				c.space.learn(v, row(b.rates, i, d))
				c.space.fill(row(b.x, i, d), v)
			}
		}
		clear(b.votes)
		c.each(workers, func(t *tree, at int) {
			for i := range n {
				votes := row(b.votes, at*b.rows+i, k)
				t.vote(point{s: &c.space, c: row(b.seen, i, d)}, votes, 0)
				if b.learn[i] {
					t.takeClass(row(b.x, i, d), row(b.rates, i, d), classes[from+i], weightOf(weights, from+i))
				}
			}
		})
		for i := range n {
			out := row(p, from+i, k)
			clear(out)
			for at := range c.trees {
				for j, v := range row(b.votes, at*b.rows+i, k) {
					out[j] += v
				}
			}
			normalise(out)
		}
	}
}

// TestThenTrain does, for each row in order, what Predict and then Learn would do, bit for bit.
func (r *Regressor) TestThenTrain(x, y, weights, out []float64, workers int) {
	d := r.o.Features
	b := r.room(1)
	for from := 0; from < len(y); from += b.rows {
		n := min(b.rows, len(y)-from)
		for i := range n {
			v, w := row(x, from+i, d), weightOf(weights, from+i)
			r.space.fill(row(b.seen, i, d), v)
			b.unit[i], b.origin[i] = r.back()
			target, ok := numeric.Tame(y[from+i])
			if b.learn[i] = ok && numeric.Weight(w); b.learn[i] {
				r.space.learn(v, row(b.rates, i, d))
				r.space.fill(row(b.x, i, d), v)
				b.y[i], b.spread[i] = r.target.learn(target)
			}
		}
		r.each(workers, func(t *tree, at int) {
			for i := range n {
				b.votes[at*b.rows+i] = t.estimate(point{s: &r.space, c: row(b.seen, i, d)})
				if b.learn[i] {
					t.takeValue(row(b.x, i, d), row(b.rates, i, d), b.y[i], b.spread[i], weightOf(weights, from+i))
				}
			}
		})
		for i := range n {
			sum := 0.0
			for at := range r.trees {
				sum += b.votes[at*b.rows+i]
			}
			out[from+i] = float64(sum/float64(len(r.trees))*b.unit[i]) + b.origin[i]
		}
	}
}
