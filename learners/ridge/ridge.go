package ridge

import (
	"math"

	"freshet/learners/wire"
)

// Model is a ridge regression of so many inputs, the last of which must be 1. One goroutine learns.
type Model struct {
	a   []float64 // lower triangle of the sum of w*z*z', row by row; the last row is the intercept's
	b   []float64 // sum of w*z*target
	W   []float64 // coefficients of the newest solution: lent for reading
	due float64   // weight (that of the intercept's place in a) at which to solve next
}

// New returns the model of q inputs that predicts 0.
func New(q int) *Model { return &NewBlock(q, 1)[0] }

// NewBlock returns n models of q inputs that lie together.
func NewBlock(q, n int) []Model {
	tri := q * (q + 1) / 2
	buf := make([]float64, n*(tri+2*q))
	out := make([]Model, n)
	for i := range out {
		out[i] = Model{a: buf[:tri:tri], b: buf[tri : tri+q : tri+q], W: buf[tri+q : tri+2*q : tri+2*q], due: float64(q + 2)}
		buf = buf[tri+2*q:]
	}
	return out
}

// Bytes is the memory of a model of q inputs.
func Bytes(q int) int { return 8*(q*(q+1)/2+2*q) + 80 }

// Add takes in an example. O(inputs^2).
func (l *Model) Add(z []float64, target, weight float64) {
	k := 0
	a := l.a
	for i, v := range z {
		v *= weight
		l.b[i] += float64(v * target)
		row := a[k : k+i+1]
		for j, u := range z[:len(row)] {
			row[j] += float64(v * u)
		}
		k += i + 1
	}
}

// Predict is the solution at z: the same bits as Inputs.Estimate. O(inputs).
func (l *Model) Predict(z []float64) float64 {
	last := len(z) - 1
	w := l.W[:len(z)]
	s := w[last]
	for i, v := range z[:last] {
		s += float64(w[i] * v)
	}
	return s
}

// Weight is the weight of what was learned.
func (l *Model) Weight() float64 { return l.a[len(l.a)-1] }

// Due reports whether enough has come in since the newest solution.
func (l *Model) Due() bool { return l.Weight() >= l.due }

// Room is the size of the scratch that Solve and Rescale need, of a model of q inputs.
func Room(q int) (f, y int) { return q * (q + 1) / 2, q }

// Fade scales what was learned down to so much weight, if it is more.
func (l *Model) Fade(most float64) {
	n := l.Weight()
	if n <= most {
		return
	}
	s := most / n
	for i := range l.a {
		l.a[i] *= s
	}
	for i := range l.b {
		l.b[i] *= s
	}
	l.due = most + max(float64(len(l.b)), most/16)
}

// Solve finds the coefficients by Cholesky's decomposition; f and y are scratch of the size of a and b. The ridge is one
// example's worth on each input but the intercept. A solution that is not finite is not taken.
func (l *Model) Solve(f, y []float64) {
	q := len(l.b)
	n := l.a[len(l.a)-1]
	l.due = n + max(float64(q), n/16)
	copy(f, l.a)
	k := 0
	for i := range q {
		row := f[k : k+i+1 : k+i+1]
		if i < q-1 {
			row[i] += ridge + float64(1e-9*n)
		}
		kj := 0
		d := row[i]
		g := l.b[i]
		for j := range i {
			other := f[kj : kj+j+1 : kj+j+1]
			s := row[j]
			for m, v := range other[:j] {
				s -= float64(row[m] * v)
			}
			s *= other[j] // which holds the inverse of the diagonal
			row[j] = s
			d -= float64(s * s)
			g -= float64(s * y[j])
			kj += j + 1
		}
		if !(d > 1e-12*l.a[k+i]) || !(d <= math.MaxFloat64) {
			return
		}
		row[i] = 1 / math.Sqrt(d)
		y[i] = g * row[i]
		k += i + 1
	}
	for i := q - 1; i >= 0; i-- {
		k -= i + 1
		row := f[k : k+i+1]
		v := y[i] * row[i]
		y[i] = v
		for m, u := range row[:i] {
			y[m] -= float64(u * v)
		}
	}
	for _, v := range y[:q] {
		if !(math.Abs(v) <= 1e150) {
			return
		}
	}
	copy(l.W, y)
}

// ridge pulls coefficients to 0 as one standardised example would.
const ridge = 1

// Inherit makes l, which may be parent itself, a model that knows what parent does, with at most so much weight, about targets that are less by
// shift.
func (l *Model) Inherit(parent *Model, most, shift float64) {
	q := len(l.b)
	n := parent.a[len(parent.a)-1]
	s := 1.0
	if n > most {
		s = most / n
	}
	last := len(l.a) - q // the intercept's row: sums of z
	for i, v := range parent.a {
		l.a[i] = float64(v * s)
	}
	for i, v := range parent.b {
		l.b[i] = float64(v*s) - float64(shift*l.a[last+i])
	}
	copy(l.W, parent.W)
	l.W[q-1] -= shift
	l.due = float64(n*s) + 4
}

// Rescale carries the sums over to inputs factor*z+shift.
func (l *Model) Rescale(factor, shift, f, y []float64) {
	q := len(l.b)
	copy(f, l.a)
	copy(y, l.b)
	last := len(l.a) - q
	one := f[len(f)-1]
	k := 0
	for i := range q {
		fi, si := 1.0, 0.0
		if i < q-1 {
			fi, si = factor[i], shift[i]
		}
		for j := range i + 1 {
			fj, sj := 1.0, 0.0
			if j < q-1 {
				fj, sj = factor[j], shift[j]
			}
			l.a[k+j] = float64(float64(fi*fj)*f[k+j]) + float64(float64(fi*sj)*f[last+i]) + float64(float64(si*fj)*f[last+j]) + float64(float64(si*sj)*one)
		}
		l.b[i] = float64(fi*y[i]) + float64(si*y[q-1])
		k += i + 1
	}
	l.Solve(f, y)
}

// Scale multiplies targets, and so sums and coefficients, and then adds shift to the targets.
func (l *Model) Scale(ratio, shift float64) {
	last := len(l.a) - len(l.b)
	for i := range l.b {
		l.b[i] = float64(l.b[i]*ratio) + float64(shift*l.a[last+i])
		l.W[i] *= ratio
	}
	l.W[len(l.W)-1] += shift
}

// Append appends the model's fields to a wire value.
func (l *Model) Append(dst []byte) []byte {
	dst = wire.Floats(dst, l.a)
	dst = wire.Floats(dst, l.b)
	dst = wire.Floats(dst, l.W)
	return wire.Float(dst, l.due)
}

// Read fills the model with what Append wrote of one of as many inputs.
func (l *Model) Read(r *wire.Reader) {
	r.FloatsInto(l.a)
	r.FloatsInto(l.b)
	r.FloatsInto(l.W)
	l.due = r.Finite()
	for i, k := 0, 0; i < len(l.b); i++ {
		k += i + 1
		if l.a[k-1] < 0 {
			r.Fail("a sum of squares is negative")
		}
	}
}

// MeanInput is the mean of input j over what was learned.
func (l *Model) MeanInput(j int) float64 {
	if n := l.Weight(); n > 0 {
		return l.a[len(l.a)-len(l.b)+j] / n
	}
	return 0
}
