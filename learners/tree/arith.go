package tree

import (
	"math"

	"freshet/learners/numeric"
)

const (
	halfLog2Pi = 0.9189385332046727 // ln(2 pi)/2
	tiny       = 1e-300             // below this quickLog is not asked
)

// logTable holds, for each of 128 parts of [1, 2), one over the part's middle and its logarithm.
var logTable = buildLog()

func buildLog() *[128][2]float64 {
	var t [128][2]float64
	for i := range t {
		inv := 256 / (256 + float64(2*i+1))
		t[i] = [2]float64{inv, -numeric.Log(inv)}
	}
	return &t
}

// quickLog returns ln x within 1e-10 for x from 1e-300 to the largest number: a table and a cubic, several times faster
// than numeric.Log, and far inside the error of what trees estimate.
func quickLog(x float64) float64 {
	b := math.Float64bits(x)
	t := &logTable[b>>45&127]
	r := float64(math.Float64frombits(b&(1<<52-1)|1023<<52)*t[0]) - 1
	e := float64(int(b>>52) - 1023)
	return float64(e*math.Ln2) + t[1] + (r - float64(float64(r*r)*(0.5-float64(r*(1.0/3)))))
}

// entropy returns w ln w, 0 where w is as good as none.
func entropy(w float64) float64 {
	if w < tiny {
		return 0
	}
	return float64(w * quickLog(w))
}

const (
	cdfReach = 8
	cdfStep  = 64 // entries a unit
)

var cdfTable = buildCDF()

func buildCDF() *[2*cdfReach*cdfStep + 2]float64 {
	var t [2*cdfReach*cdfStep + 2]float64
	for i := range t {
		t[i] = numeric.NormalCDF(float64(i)/cdfStep - cdfReach)
	}
	return &t
}

// quickCDF returns the standard normal distribution function within 1e-5, by interpolation; 0 for NaN.
func quickCDF(z float64) float64 {
	if !(z > -cdfReach) {
		return 0
	}
	if z >= cdfReach {
		return 1
	}
	u := float64((z + cdfReach) * cdfStep)
	i := int(u)
	return cdfTable[i] + float64((u-float64(i))*(cdfTable[i+1]-cdfTable[i]))
}

// argmax returns the index of the largest value, the first of equals.
func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}
