package wrap

import (
	"math"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

const (
	// leastProb is the distance from 0 and 1 at which calibrators cut probabilities: leaves that are sure beyond it are not
	// to be believed, and their log-odds would swamp all others.
	leastProb = 1e-6
	maxSlope  = 50
	maxWeight = 100
)

// a calibrator maps one class' probability to a better one, and learns from whether it was that class.
type calibrator interface {
	apply(p float64) float64
	learn(p float64, hit bool, weight float64)
	append(dst []byte) []byte
	read(r *wire.Reader)
	bytes() int
}

func cut(p float64) float64 { return min(max(p, leastProb), 1-leastProb) }

func logit(p float64) float64 { return numeric.Log(p) - numeric.Log(1-p) }

// sigmoidal is a logistic regression on one, two or three functions of a probability, fitted by an extended Kalman
// filter whose weights walk at random: second-order steps that never die out.
type sigmoidal struct {
	dims int // 1: log-odds; 2: log-odds and 1 (Platt 1999); 3: ln p, -ln(1-p) and 1 (beta calibration, Kull et al. 2017)
	walk float64
	w    [3]float64
	v    [3][3]float64 // covariance of w
}

// newSigmoidal starts at the identity. memory is over how many examples it looks back, roughly.
func newSigmoidal(dims int, memory float64) *sigmoidal {
	s := &sigmoidal{dims: dims, walk: 10 / (memory * memory)}
	s.w[0] = 1
	if dims == 3 {
		s.w[1] = 1
	}
	s.spread()
	return s
}

// spread makes the weights as unsure as at the start.
func (s *sigmoidal) spread() {
	s.v = [3][3]float64{}
	for i := range s.dims {
		s.v[i][i] = 0.5
	}
}

func (s *sigmoidal) features(p float64) (f [3]float64) {
	p = cut(p)
	switch s.dims {
	case 1:
		f[0] = logit(p)
	case 2:
		f[0], f[1] = logit(p), 1
	default:
		f[0], f[1], f[2] = numeric.Log(p), -numeric.Log(1-p), 1
	}
	return f
}

func (s *sigmoidal) score(f *[3]float64) float64 {
	return float64(s.w[0]*f[0]) + float64(s.w[1]*f[1]) + float64(s.w[2]*f[2])
}

func (s *sigmoidal) apply(p float64) float64 {
	f := s.features(p)
	return numeric.Sigmoid(s.score(&f))
}

func (s *sigmoidal) learn(p float64, hit bool, weight float64) {
	f := s.features(p)
	q := numeric.Sigmoid(s.score(&f))
	miss := -q
	if hit {
		miss = 1 - q
	}
	weight = min(weight, maxWeight)
	h := float64(max(float64(q*(1-q)), 1e-4) * weight)
	var k [3]float64
	c := 1.0
	for i := range s.dims {
		for j := range s.dims {
			k[i] += float64(s.v[i][j] * f[j])
		}
		c += float64(float64(f[i]*k[i]) * h)
	}
	for i := range s.dims {
		s.w[i] = min(max(s.w[i]+float64(float64(k[i]*miss)*(weight/c)), -maxSlope), maxSlope)
		for j := range s.dims {
			s.v[i][j] -= float64(float64(k[i]*k[j]) * (h / c))
		}
		s.v[i][i] += s.walk
	}
	// More probable has to stay more probable.
	s.w[0] = max(s.w[0], 0.01)
	if s.dims == 3 {
		s.w[1] = max(s.w[1], 0.01)
	}
	if !s.sound() {
		s.spread()
	}
}

// sound reports whether rounding or a wild example has left the covariance one.
func (s *sigmoidal) sound() bool {
	for i := range s.dims {
		if !(s.v[i][i] > 0 && s.v[i][i] < 1e3) {
			return false
		}
		for j := range i {
			if s.v[i][j] != s.v[j][i] || float64(s.v[i][j]*s.v[i][j]) > float64(s.v[i][i]*s.v[j][j])*(1+1e-9) {
				return false
			}
		}
	}
	return true
}

func (s *sigmoidal) append(dst []byte) []byte {
	dst = wire.Floats(dst, s.w[:s.dims])
	for i := range s.dims {
		dst = wire.Floats(dst, s.v[i][:s.dims])
	}
	return dst
}

func (s *sigmoidal) read(r *wire.Reader) {
	r.FloatsInto(s.w[:s.dims])
	for i := range s.dims {
		r.FloatsInto(s.v[i][:s.dims])
	}
	for _, w := range s.w {
		if math.Abs(w) > maxSlope {
			r.Fail("a calibration's weight is %v", w)
		}
	}
	if r.Err() == nil && !s.sound() {
		r.Fail("a calibration's covariance %v is none", s.v)
	}
}

func (s *sigmoidal) bytes() int { return 8 * (3 + 9 + 2) }
