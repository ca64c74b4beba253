package wrap

import (
	"fmt"
	"math"

	"freshet/learners/contract"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Encoding is how a category becomes numbers.
type Encoding uint8

// The encodings.
const (
	TargetMean Encoding = iota // smoothed mean of the target, or share of each class, so far
	OneHot                     // a column a category
	Hashing                    // ±1 in one of a few columns shared by all categories of all features
	Codes                      // the code itself, as a number
	Frequency                  // the share of the category so far
)

// EncoderOptions are the parameters of an Encoder. The zero value of each is the default named with it.
type EncoderOptions struct {
	Method        Encoding
	MaxCategories int     // bound of categories a feature, the rest is hashed: 64 for OneHot, else 1024
	Buckets       int     // columns of Hashing: 32
	Smoothing     float64 // of TargetMean: weight of the mean of all: 10
	Memory        float64 // of TargetMean: weight that a category remembers; 0: all
}

// Encoder replaces nominal features by numbers: the output has the numeric features in their order, then what the
// nominal ones became. Nothing in it is nominal.
type Encoder struct {
	o                            EncoderOptions
	numbers, nominal, categories []int
	outputs                      int // of TargetMean a feature
	features                     int
	target                       *scale.Target
	counts                       [][]float64 // Frequency: weight a category, missing last, then the sum
}

// NewEncoder returns the transform. outputs is the number of targets that Label gets.
func NewEncoder(in contract.Input, outputs int, o EncoderOptions) (*Encoder, error) {
	if o.MaxCategories == 0 {
		o.MaxCategories = 1024
		if o.Method == OneHot {
			o.MaxCategories = 64
		}
	}
	if o.Buckets == 0 {
		o.Buckets = 32
	}
	if o.Smoothing == 0 {
		o.Smoothing = 10
	}
	if o.MaxCategories < 2 || o.MaxCategories > 1<<20 || o.Buckets < 1 || o.Buckets > 1<<16 || !(o.Smoothing > 0) {
		return nil, fmt.Errorf("encoded: at most %d categories (expected 2 to %d), %d buckets (1 to %d), smoothing %v (above 0)",
			o.MaxCategories, 1<<20, o.Buckets, 1<<16, o.Smoothing)
	}
	t := &Encoder{o: o, outputs: outputs}
	t.numbers, t.nominal, t.categories = columns(in, o.MaxCategories)
	t.features = len(t.numbers)
	var err error
	switch o.Method {
	case TargetMean:
		t.features += outputs * len(t.nominal)
		t.target, err = scale.NewTarget(t.categories, outputs, o.Smoothing, o.Memory)
	case OneHot:
		for _, c := range t.categories {
			t.features += c
		}
	case Hashing:
		t.features += o.Buckets
	default:
		t.features += len(t.nominal)
	}
	if o.Method == Frequency {
		t.counts = make([][]float64, len(t.nominal))
		for i, c := range t.categories {
			t.counts[i] = make([]float64, c+2)
		}
	}
	if err == nil && t.features > 1<<16 {
		err = fmt.Errorf("encoded: %d columns, at most %d", t.features, 1<<16)
	}
	return t, err
}

// Output is a shape without nominal features.
func (t *Encoder) Output() contract.Input { return contract.Input{Features: t.features} }

// place is the category's index, the last for missing.
func (t *Encoder) place(i int, code float64) int {
	if s := scale.Slot(code, t.categories[i]); s >= 0 {
		return s
	}
	return t.categories[i]
}

// Update counts categories for Frequency.
func (t *Encoder) Update(x []float64) {
	for i, c := range t.counts {
		c[t.place(i, x[t.nominal[i]])]++
		c[len(c)-1]++
	}
}

// Label takes in the targets for TargetMean.
func (t *Encoder) Label(x, targets []float64, weight float64) {
	if t.target == nil {
		return
	}
	t.target.LearnAll(targets, weight)
	for i, f := range t.nominal {
		t.target.Learn(i, x[f], targets, weight)
	}
}

// Apply fills out. O(len(out)).
func (t *Encoder) Apply(x, out []float64) {
	for j, f := range t.numbers {
		out[j] = x[f]
	}
	out = out[len(t.numbers):]
	if t.o.Method == OneHot || t.o.Method == Hashing {
		clear(out)
	}
	for i, f := range t.nominal {
		switch t.o.Method {
		case TargetMean:
			t.target.Apply(i, x[f], out)
			out = out[t.outputs:]
		case OneHot:
			if s := scale.Slot(x[f], t.categories[i]); s >= 0 {
				out[s] = 1
			}
			out = out[t.categories[i]:]
		case Hashing:
			t.hash(i, x[f], out)
		case Codes:
			out[i] = x[f]
		case Frequency:
			c := t.counts[i]
			out[i] = c[t.place(i, x[f])] / max(c[len(c)-1], 1)
		}
	}
}

// hash adds the category's sign to its bucket (Weinberger et al. 2009).
func (t *Encoder) hash(i int, code float64, out []float64) {
	if !(math.Abs(code) <= math.MaxFloat64) {
		return
	}
	h := (math.Float64bits(code+0) ^ uint64(i+1)*0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	sign := 1.0
	if h>>63 == 1 {
		sign = -1
	}
	out[h%uint64(len(out))] += sign
}

// Append appends the fields.
func (t *Encoder) Append(dst []byte) []byte {
	dst = wire.Uint(dst, uint64(t.o.Method))
	if t.target != nil {
		dst = t.target.Append(dst)
	}
	for _, c := range t.counts {
		dst = wire.Floats(dst, c)
	}
	return dst
}

// Read reads them.
func (t *Encoder) Read(r *wire.Reader) {
	if m := r.Count(int(Frequency)); r.Err() == nil && m != int(t.o.Method) {
		r.Fail("categories are encoded by method %d, here by %d", m, t.o.Method)
	}
	if t.target != nil {
		t.target.Read(r)
	}
	for _, c := range t.counts {
		r.FloatsInto(c)
		for _, v := range c {
			if v < 0 {
				r.Fail("a category's count is negative")
			}
		}
	}
}

// Bytes is the memory of the transform.
func (t *Encoder) Bytes() int {
	n := 8*(len(t.numbers)+2*len(t.nominal)) + 192
	if t.target != nil {
		n += t.target.Bytes()
	}
	for _, c := range t.counts {
		n += 8*len(c) + 24
	}
	return n
}
