package ensemble

import (
	"sync"

	"freshet/learners/numeric"
)

// chunkRows is how many rows members work on by themselves before their votes are combined.
const chunkRows = 128

// TestThenTrain is PredictProba and Learn for each row in order, with the same result bit for bit: for as long as members
// do not depend on each other they are shared out to the workers; where they always do, and with one worker, it goes row
// by row, but votes only once for both.
func (c *Classifier) TestThenTrain(x []float64, classes []int, weights, p []float64, workers int) {
	b := batch{core: &c.core, x: x, weights: weights, out: p, workers: workers}
	b.run(len(classes), func(i int) (float64, bool) {
		k := classes[i]
		return float64(k), k >= 0 && k < c.o.Classes
	})
}

// TestThenTrain is Predict and Learn for each row in order, as for Classifier.
func (c *Regressor) TestThenTrain(x, y, weights, out []float64, workers int) {
	b := batch{core: &c.core, x: x, weights: weights, out: out, workers: workers}
	b.run(len(y), func(i int) (float64, bool) { return numeric.Tame(y[i]) })
	for i, v := range out[:len(y)] {
		out[i] = tame(v)
	}
}

type batch struct {
	*core
	x, weights, out []float64
	workers         int
	y               func(i int) (float64, bool) // target of a row, and whether it is one
}

func (b *batch) run(rows int, y func(i int) (float64, bool)) {
	b.y = y
	if b.m.side() == 0 || b.workers < 2 || b.m.size() < 2 {
		k := b.o.outputs()
		for i := range rows {
			if y, w, ok := b.row(i); ok {
				b.check(b.at(i))
				b.learn(b.at(i), y, w, b.out[i*k:i*k+k])
			} else {
				b.predict(b.at(i), b.out[i*k:i*k+k])
			}
		}
		return
	}
	workers := min(b.workers, b.m.size())
	if need := min(rows, chunkRows)*len(b.votes) + workers*b.o.Input.Features; len(b.chunk) < need {
		b.chunk = make([]float64, need)
	}
	for from := 0; from < rows; {
		to, left := from, b.m.side()
		for ; to < min(from+chunkRows, rows) && left > 0; to++ {
			if _, _, ok := b.row(to); ok {
				left--
			}
		}
		b.part(from, to, workers)
		from = to
	}
}

func (b *batch) at(i int) []float64 {
	f := b.o.Input.Features
	return b.x[i*f : i*f+f]
}

// row returns target and weight of a row; ok is false if it is not to be learned.
func (b *batch) row(i int) (y, weight float64, ok bool) {
	weight = 1
	if b.weights != nil {
		weight = b.weights[i]
	}
	y, ok = b.y(i)
	return y, weight, ok && numeric.Weight(weight)
}

// part does the rows from from to to: each worker takes every so many-th member through all of them, and then the votes
// are combined row by row.
func (b *batch) part(from, to, workers int) {
	n, s, f, k := len(b.votes), b.m.stride(), b.o.Input.Features, b.o.outputs()
	rooms := b.chunk[(to-from)*n:]
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			room := rooms[w*f : w*f+f]
			for m := w; m < b.m.size(); m += workers {
				for i := from; i < to; i++ {
					vote := b.chunk[(i-from)*n+m*s : (i-from)*n+m*s+s]
					b.m.vote(m, b.at(i), vote, room)
					if y, weight, ok := b.row(i); ok {
						b.m.train(m, b.at(i), y, weight, vote)
					}
				}
			}
		}()
	}
	wg.Wait()
	for i := from; i < to; i++ {
		votes := b.chunk[(i-from)*n : (i-from)*n+n]
		b.m.combine(b.at(i), votes, b.out[i*k:i*k+k])
		if y, weight, ok := b.row(i); ok {
			b.m.after(b.at(i), y, weight, votes)
		}
	}
}
