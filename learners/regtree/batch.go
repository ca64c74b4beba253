package regtree

// batchRows is how many examples members work through side by side before their votes are counted.
const batchRows = 256

// batch is the scratch of TestThenTrain: rows that are filled, and what each member says of them.
type batch struct {
	rows  []row
	y     []float64
	w     []float64 // 0: not to be learned
	unit  []float64 // standard deviation of targets as of the row, for weights before and errors after it
	prior []float64
	votes []float64 // row*members + member
	share []float64 // the member's weight then
}

func (b *batch) bytes() int {
	n := 8 * (4*len(b.y) + 2*len(b.votes))
	for i := range b.rows {
		n += len(b.rows[i].code) + 8*len(b.rows[i].z) + 72
	}
	return n
}

func (f *Forest) newBatch() *batch {
	b := &batch{rows: make([]row, batchRows), y: make([]float64, batchRows), w: make([]float64, batchRows), unit: make([]float64, batchRows), prior: make([]float64, batchRows),
		votes: make([]float64, batchRows*len(f.members)), share: make([]float64, batchRows*len(f.members))}
	for i := range b.rows {
		b.rows[i] = f.s.newRow()
	}
	return b
}

// TestThenTrain does for each row of x what Predict and then Learn would, with the same result bit for bit: members
// work through stretches of rows on up to so many goroutines. A row at which the grid may change is done alone.
func (f *Forest) TestThenTrain(x, y, weights, out []float64, workers int) {
	if f.batch == nil {
		f.batch = f.newBatch()
	}
	d := f.s.o.Features
	n := 0
	for i := range y {
		at := x[i*d : (i+1)*d]
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		if f.s.grid.Due() {
			f.flush(n, out[i-n:i], workers)
			n = 0
			out[i] = f.Predict(at)
			f.Learn(at, y[i], weight)
			continue
		}
		f.stage(n, at, y[i], weight)
		if n++; n == batchRows {
			f.flush(n, out[i+1-n:i+1], workers)
			n = 0
		}
	}
	f.flush(n, out[len(y)-n:len(y)], workers)
}

// stage fills row n of the batch.
func (f *Forest) stage(n int, x []float64, y, weight float64) {
	b := f.batch
	b.prior[n] = f.targets.sd()
	y, weight, ok := usable(y, weight)
	b.y[n], b.w[n] = y, 0
	b.rows[n].x = x
	if ok {
		f.observe(x, y)
		f.s.fill(&b.rows[n], x)
		b.w[n] = weight
	}
	b.unit[n] = f.targets.sd()
}

// flush lets members work through the n rows of the batch and counts their votes.
func (f *Forest) flush(n int, out []float64, workers int) {
	if n == 0 {
		return
	}
	b, k := f.batch, len(f.members)
	f.each(workers, func(i int) {
		m := &f.members[i]
		for j := range n {
			b.share[j*k+i] = m.weight(b.prior[j])
			if b.w[j] > 0 {
				b.votes[j*k+i] = f.learn(m, &b.rows[j], b.y[j], b.w[j], b.unit[j])
			} else {
				b.votes[j*k+i] = m.tree.predict(b.rows[j].x)
			}
		}
	})
	for j := range n {
		v := votes{way: f.o.Aggregation}
		for i := range k {
			v.add(b.votes[j*k+i], b.share[j*k+i])
		}
		out[j] = v.result()
		b.rows[j].x = nil
	}
}
