package gbdt

import "math"

// ring is the window: row-major columns of the newest examples. It grows by doubling up to its bound, then the newest
// takes the place of the oldest.
type ring struct {
	features, outputs int
	bound             int
	n, next           int       // rows held; where the next one goes
	raw               []float32 // n*features; NaN: missing
	bin               []uint8   // n*features, under the edges in force
	y                 []float64 // target, or class
	w                 []float32
	score             []float64 // n*outputs: of the ensemble that trees are being added to
}

// add makes room for one row and returns its index. Allocates when it doubles.
func (r *ring) add() int {
	if r.n < r.bound && r.n == len(r.y) {
		r.grow(min(max(256, 2*r.n), r.bound))
	}
	i := r.next
	r.n = max(r.n, i+1)
	if r.next++; r.next == r.bound {
		r.next = 0
	}
	return i
}

func (r *ring) grow(rows int) {
	r.raw = append(make([]float32, 0, rows*r.features), r.raw...)[:rows*r.features]
	r.bin = append(make([]uint8, 0, rows*r.features), r.bin...)[:rows*r.features]
	r.y = append(make([]float64, 0, rows), r.y...)[:rows]
	r.w = append(make([]float32, 0, rows), r.w...)[:rows]
	r.score = append(make([]float64, 0, rows*r.outputs), r.score...)[:rows*r.outputs]
}

// age is how many rows are newer than row i.
func (r *ring) age(i int) int {
	if d := r.next - 1 - i; d >= 0 {
		return d
	}
	return r.next - 1 - i + r.n
}

func (r *ring) values(i int) []float32 { return r.raw[i*r.features : (i+1)*r.features] }
func (r *ring) bins(i int) []uint8     { return r.bin[i*r.features : (i+1)*r.features] }

// single rounds a feature to what the window keeps: NaN is missing, all else is limited to finite values.
func single(v float64) float32 {
	switch {
	case v > math.MaxFloat32:
		return math.MaxFloat32
	case v < -math.MaxFloat32:
		return -math.MaxFloat32
	}
	return float32(v)
}

// rowBytes is the memory of one row of the window, its places in scratch included: values and bins, scores, target and
// weight, the grower's gradients and indices; residuals of leaves and codes of categories where they are needed.
func (o *Options) rowBytes() int {
	n := 5*o.Features + 8*o.outputs() + 12 + 32
	if o.medians() {
		n += 16
	}
	if len(o.Nominal) > 0 {
		n += 8
	}
	return n
}
