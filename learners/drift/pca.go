package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// PCAOptions are the parameters of PCA. The zero value of each is the default named with it.
type PCAOptions struct {
	Features  int     // of a vector; must be given
	Reference int     // first vectors, which give the components: 2000
	Share     float64 // of the variance that the components must explain: 0.9
	Detector  Spec    // what watches the error: robust
}

// PCA finds changes of how features hang together: it rebuilds each vector from the principal components of the first ones
// and watches the error of that, which is small as long as old relations hold, by a detector of one series (Qahtan et al.
// 2015). Features are standardised by the reference. O(Features * components) a vector, O(Features³) once; Features² floats.
type PCA struct {
	o          PCAOptions
	inner      Detector
	n          int
	mean, std  []float64
	cov        []float64 // sums of products until the reference is full
	components []float64 // rows of Features
	z          []float64
	fresh      bool
}

// NewPCA returns a detector.
func NewPCA(o PCAOptions) (*PCA, error) {
	if o.Reference == 0 {
		o.Reference = 2000
	}
	if o.Share == 0 {
		o.Share = 0.9
	}
	if o.Detector.Entry.Name == "" {
		s, err := Parse("robust")
		if err != nil {
			return nil, err
		}
		o.Detector = s
	}
	if o.Features < 2 || o.Features > 512 || o.Reference < 10 || o.Reference > 1<<30 || !(o.Share > 0 && o.Share <= 1) {
		return nil, fmt.Errorf("pca: %d features (expected 2 to 512), reference %d (from 10), share %v (above 0, at most 1)", o.Features, o.Reference, o.Share)
	}
	inner, err := o.Detector.New()
	if err != nil {
		return nil, err
	}
	d := o.Features
	return &PCA{o: o, inner: inner, mean: make([]float64, d), std: make([]float64, d), cov: make([]float64, d*d), components: make([]float64, 0, d*d), z: make([]float64, d)}, nil
}

// Reset forgets everything.
func (p *PCA) Reset() {
	p.inner.Reset()
	p.n, p.fresh, p.components = 0, false, p.components[:0]
	clear(p.mean)
	clear(p.cov)
}

// UpdateVector takes in a vector. It panics if its length is not Features.
func (p *PCA) UpdateVector(x []float64) Signal {
	if len(x) != p.o.Features {
		panic(fmt.Sprintf("pca: a vector of %d features, expected %d", len(x), p.o.Features))
	}
	if p.fresh {
		p.Reset()
	}
	if p.n < p.o.Reference {
		p.learn(x)
		return None
	}
	s := p.inner.Update(p.Error(x))
	p.fresh = s == Drift
	return s
}

// learn adds a vector to the moments (Welford's update for covariances).
func (p *PCA) learn(x []float64) {
	p.n++
	d := p.o.Features
	for i, v := range x {
		v, ok := numeric.Tame(v)
		if !ok {
			v = p.mean[i]
		}
		p.z[i] = v - p.mean[i]
		p.mean[i] += p.z[i] / float64(p.n)
	}
	f := float64(p.n-1) / float64(p.n)
	for i := range d {
		for j := range i + 1 {
			p.cov[i*d+j] += float64(float64(p.z[i]*p.z[j]) * f)
		}
	}
	if p.n == p.o.Reference {
		p.begin()
	}
}

// begin takes the components of the correlations.
func (p *PCA) begin() {
	d := p.o.Features
	for i := range d {
		p.std[i] = math.Sqrt(p.cov[i*d+i] / float64(p.n))
	}
	for i := range d {
		for j := range i + 1 {
			c := 0.0
			if s := p.std[i] * p.std[j]; s > 0 {
				c = p.cov[i*d+j] / float64(p.n) / s
			}
			p.cov[i*d+j], p.cov[j*d+i] = c, c
		}
	}
	values, vectors := jacobi(p.cov, d)
	all, sum := 0.0, 0.0
	for _, v := range values {
		all += max(v, 0)
	}
	// All but one at most: with all components there is no error to watch.
	for k := 0; k < d-1 && (k == 0 || sum < p.o.Share*all); k++ {
		best := 0
		for i, v := range values {
			if v > values[best] {
				best = i
			}
		}
		sum += max(values[best], 0)
		values[best] = math.Inf(-1)
		for i := range d {
			p.components = append(p.components, vectors[i*d+best])
		}
	}
}

// Error is the root mean square of what the components do not explain of a vector, in standard deviations of the features;
// NaN before the reference is full. Missing features are held to be average. No allocation.
func (p *PCA) Error(x []float64) float64 {
	if len(p.components) == 0 {
		return math.NaN()
	}
	d := p.o.Features
	square := 0.0
	for i, v := range x {
		p.z[i] = 0
		if v, ok := numeric.Tame(v); ok && p.std[i] > 0 {
			p.z[i] = min(max((v-p.mean[i])/p.std[i], -1e6), 1e6)
		} else if ok && v != p.mean[i] {
			p.z[i] = 4 // a feature that was constant has moved
		}
		square += float64(p.z[i] * p.z[i])
	}
	for k := 0; k < len(p.components); k += d {
		dot := 0.0
		for i, c := range p.components[k : k+d] {
			dot += float64(c * p.z[i])
		}
		square -= float64(dot * dot)
	}
	return math.Sqrt(max(square, 0) / float64(d))
}

// Components is the number of components, 0 before the reference is full.
func (p *PCA) Components() int { return len(p.components) / p.o.Features }

// Explain returns what the detector of the error says.
func (p *PCA) Explain() Detail {
	if e, ok := p.inner.(Explainer); ok {
		return e.Explain()
	}
	return Detail{}
}

// AppendBinary appends the state.
func (p *PCA) AppendBinary(dst []byte) ([]byte, error) {
	inner, err := p.inner.AppendBinary(nil)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "pca", 1), uint64(p.n))
	for _, v := range [][]float64{p.mean, p.std, p.cov, p.components} {
		dst = wire.Floats(dst, v)
	}
	dst = wire.String(wire.Bool(dst, p.fresh), string(inner))
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (p *PCA) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "pca", 1)
	if err != nil {
		return err
	}
	n, err := NewPCA(p.o)
	if err != nil {
		return err
	}
	n.n = r.Count(p.o.Reference)
	r.FloatsInto(n.mean)
	r.FloatsInto(n.std)
	r.FloatsInto(n.cov)
	n.components = append(n.components, r.Floats(p.o.Features*(p.o.Features-1))...)
	n.fresh = r.Bool()
	inner := r.Bytes(1 << 30)
	if len(n.components)%p.o.Features != 0 || (len(n.components) > 0) != (n.n == p.o.Reference) {
		r.Fail("%d numbers of components after %d vectors", len(n.components), n.n)
	}
	if err := r.Close(); err != nil {
		return err
	}
	if err := n.inner.UnmarshalBinary(inner); err != nil {
		return err
	}
	*p = *n
	return nil
}

// jacobi returns the eigenvalues of a symmetric d x d matrix and, as columns, its eigenvectors, by rotations that are done
// in a fixed order, so that they are the same on every CPU. The matrix is not changed. O(d³) a sweep, at most 50 sweeps.
func jacobi(m []float64, d int) (values, vectors []float64) {
	a := append([]float64(nil), m...)
	v := make([]float64, d*d)
	for i := range d {
		v[i*d+i] = 1
	}
	for range 50 {
		off := 0.0
		for i := range d {
			for j := range i {
				off += float64(a[i*d+j] * a[i*d+j])
			}
		}
		if off < 1e-22*float64(d) {
			break
		}
		for i := range d {
			for j := range i {
				rotate(a, v, d, j, i)
			}
		}
	}
	values = make([]float64, d)
	for i := range d {
		values[i] = a[i*d+i]
	}
	return values, v
}

// rotate makes a[p][q] zero.
func rotate(a, v []float64, d, p, q int) {
	if a[p*d+q] == 0 {
		return
	}
	theta := (a[q*d+q] - a[p*d+p]) / (2 * a[p*d+q])
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	for k := range d {
		x, y := a[k*d+p], a[k*d+q]
		a[k*d+p], a[k*d+q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	for k := range d {
		x, y := a[p*d+k], a[q*d+k]
		a[p*d+k], a[q*d+k] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	for k := range d {
		x, y := v[k*d+p], v[k*d+q]
		v[k*d+p], v[k*d+q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
}
