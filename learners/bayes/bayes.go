package bayes

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
)

const (
	// unlikely is the log density of a value that a class has never shown in a feature where it had no spread: one such
	// feature all but rules the class out, not for ever.
	unlikely = -50
	// noSpread is the variance below which a normal distribution is a point.
	noSpread   = 1e-200
	halfLog2Pi = 0.9189385332046727 // ln(2 pi)/2
)

// Options of a model. The zero value of each field is the default named with it.
type Options struct {
	Features, Classes int             // required; at least 1 and 2
	Nominal           []scale.Nominal // features that are categories
	MaxCategories     int             // bound of categories a nominal feature, the rest is hashed: 1024
	// Temper is the power of the joint density: 1. Features are not independent, so probabilities are too sure of
	// themselves; 1/sqrt(Features) is a good power, and what a negative value stands for. It does not change which class
	// is the likeliest.
	Temper float64
	// Laplace is added to the weight of each category: 1.
	Laplace float64
}

func (o *Options) fill() error {
	if o.MaxCategories == 0 {
		o.MaxCategories = 1024
	}
	if o.Temper == 0 {
		o.Temper = 1
	}
	if o.Laplace == 0 {
		o.Laplace = 1
	}
	if o.Temper < 0 {
		o.Temper = 1 / math.Sqrt(float64(max(o.Features, 1)))
	}
	switch {
	case o.Features < 1 || o.Features > 1<<16:
		return fmt.Errorf("bayes: %d features, expected 1 to %d", o.Features, 1<<16)
	case o.Classes < 2 || o.Classes > 1<<12:
		return fmt.Errorf("bayes: %d classes, expected 2 to %d", o.Classes, 1<<12)
	case o.MaxCategories < 1 || o.MaxCategories > 1<<20:
		return fmt.Errorf("bayes: at most %d categories, expected 1 to %d", o.MaxCategories, 1<<20)
	case !(o.Temper <= 1) || !(o.Laplace > 0 && o.Laplace <= 1e6):
		return fmt.Errorf("bayes: temper %v (expected at most 1), laplace %v (above 0, at most 1e6)", o.Temper, o.Laplace)
	}
	return nil
}

// normal is the distribution of a number in a class.
type normal struct {
	mean float64
	inv  float64 // -1/(2 variance), 0 for a point
	n    float64
	dev  float64 // sum of squared deviations
}

// Bayes is a Gaussian naive Bayes classifier. One goroutine learns; any number may predict while none learns.
type Bayes struct {
	o       Options
	numbers []int     // features that are numbers
	tables  []table   // the others
	prior   []float64 // weight of a class
	normals []normal  // class*len(numbers) + number
	// logs[class] = ln prior + sum over numbers of the log of the density's factor; points how many numbers of
	// the class have no spread, which predicting then looks at one by one.
	logs   []float64
	points []int
}

// table is what is known of a category.
type table struct {
	feature, slots int
	declared       int       // number of categories as told; 0: those that were seen count
	seen           float64   // number of slots with weight
	total          []float64 // weight a class
	weight         []float64 // slot*classes + class
}

// New returns an untrained model; it predicts equal probabilities.
func New(o Options) (*Bayes, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	b := &Bayes{o: o}
	declared := make([]int, o.Features)
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || declared[n.Feature] != 0 {
			return nil, fmt.Errorf("bayes: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		declared[n.Feature] = n.Categories
		if n.Categories <= 0 {
			declared[n.Feature] = -1
		}
	}
	for f, d := range declared {
		if d == 0 {
			b.numbers = append(b.numbers, f)
			continue
		}
		t := table{feature: f, slots: o.MaxCategories}
		if d > 0 {
			t.slots = min(d, o.MaxCategories)
			t.declared = t.slots
		}
		t.total, t.weight = make([]float64, o.Classes), make([]float64, t.slots*o.Classes)
		b.tables = append(b.tables, t)
	}
	b.o.Nominal = append([]scale.Nominal(nil), o.Nominal...)
	b.prior, b.logs, b.points = make([]float64, o.Classes), make([]float64, o.Classes), make([]int, o.Classes)
	b.normals = make([]normal, o.Classes*len(b.numbers))
	return b, nil
}

func (b *Bayes) check(x []float64) {
	if len(x) != b.o.Features {
		panic(fmt.Sprintf("BUG: bayes: vector of %d features, the model has %d", len(x), b.o.Features))
	}
}

// PredictProba fills p (one place a class) with the probabilities of the classes at x. O(features * classes).
func (b *Bayes) PredictProba(x, p []float64) {
	b.check(x)
	p = p[:b.o.Classes]
	whole := true
	for _, f := range b.numbers {
		whole = whole && math.Abs(x[f]) <= numeric.Limit
	}
	for c := range p {
		switch {
		case b.prior[c] == 0:
			p[c] = math.Inf(-1)
			continue
		case whole && b.points[c] == 0:
			p[c] = b.quick(c, x)
		default:
			p[c] = b.careful(c, x)
		}
		for i := range b.tables {
			p[c] += b.tables[i].log(x, c, b.o)
		}
		p[c] *= b.o.Temper
	}
	numeric.Softmax(p)
}

// quick is the log joint density of class c and the numbers of x, all of which are there, with spread in each.
func (b *Bayes) quick(c int, x []float64) float64 {
	s := 0.0
	normals := b.normals[c*len(b.numbers) : (c+1)*len(b.numbers)]
	for j, f := range b.numbers {
		g := &normals[j]
		d := x[f] - g.mean
		s += float64(float64(d*d) * g.inv)
	}
	return b.logs[c] + max(s, -1e6)
}

// careful is quick where values are missing or numbers have no spread.
func (b *Bayes) careful(c int, x []float64) float64 {
	s := 0.0
	normals := b.normals[c*len(b.numbers) : (c+1)*len(b.numbers)]
	for j, f := range b.numbers {
		g := &normals[j]
		v, ok := numeric.Tame(x[f])
		switch {
		case !ok:
			if g.inv < 0 { // its factor is in logs
				s -= factor(g.inv)
			}
		case g.inv < 0:
			d := v - g.mean
			s += max(float64(float64(d*d)*g.inv), -1e6)
		case g.n > 0 && v != g.mean:
			s += unlikely
		}
	}
	return b.logs[c] + max(s, -1e6)
}

// factor is the log of the factor before the exponential in a density.
func factor(inv float64) float64 { return float64(0.5*numeric.Log(-2*inv)) - halfLog2Pi }

// log is the log probability of the category of x in class c.
func (t *table) log(x []float64, c int, o Options) float64 {
	s := scale.Slot(x[t.feature], t.slots)
	if s < 0 {
		return 0
	}
	kinds := float64(t.declared)
	if t.declared == 0 {
		kinds = t.seen + 1 // and one for those to come
	}
	return numeric.Log((t.weight[s*o.Classes+c] + o.Laplace) / (t.total[c] + float64(o.Laplace*kinds)))
}

// Learn takes in one example. A class outside [0, Classes) or a weight that is not positive and finite is a no-op.
// O(features), no allocation.
func (b *Bayes) Learn(x []float64, class int, weight float64) {
	b.check(x)
	if class < 0 || class >= b.o.Classes || !numeric.Weight(weight) {
		return
	}
	weight = min(max(weight, 1e-30), 1e30)
	b.prior[class] = min(b.prior[class]+weight, numeric.Limit)
	normals := b.normals[class*len(b.numbers) : (class+1)*len(b.numbers)]
	lastN, share := 0.0, 0.0
	for j, f := range b.numbers {
		v, ok := numeric.Tame(x[f])
		if !ok {
			continue
		}
		g := &normals[j]
		g.n = min(g.n+weight, numeric.Limit)
		if g.n != lastN { // mostly the same in all numbers: one division
			lastN, share = g.n, weight/g.n
		}
		d := v - g.mean
		g.mean += float64(d * share)
		g.dev = min(g.dev+float64(float64(weight*d)*(v-g.mean)), 1e250)
		g.settle()
	}
	for i := range b.tables {
		b.tables[i].learn(x, class, weight, b.o.Classes)
	}
	b.settle(class)
}

// settle brings inv up to date. The variance is the sample's, with n-1, as in MOA and River.
func (g *normal) settle() {
	g.inv = 0
	if g.n > 1 && g.dev > noSpread*(g.n-1) {
		g.inv = max(float64(-0.5*(g.n-1))/g.dev, -1e250)
	}
}

// settle brings the logs of a class up to date: the logarithm of a product of up to four factors at a time, which fits
// a float64 where none is extreme.
func (b *Bayes) settle(class int) {
	sum, product, held := 0.0, 1.0, 0
	points, spread := 0, 0
	for j := range len(b.numbers) {
		g := &b.normals[class*len(b.numbers)+j]
		v := -2 * g.inv
		switch {
		case v == 0:
			points++
			continue
		case v > 1e-60 && v < 1e60:
			product *= v
			if held++; held == 4 {
				sum += numeric.Log(product)
				product, held = 1, 0
			}
		default:
			sum += numeric.Log(v)
		}
		spread++
	}
	if held > 0 {
		sum += numeric.Log(product)
	}
	likelihood := float64(0.5*sum) - float64(halfLog2Pi*float64(spread))
	b.logs[class] = numeric.Log(b.prior[class]) + likelihood
	b.points[class] = points
}

func (t *table) learn(x []float64, class int, weight float64, classes int) {
	s := scale.Slot(x[t.feature], t.slots)
	if s < 0 {
		return
	}
	row := t.weight[s*classes : (s+1)*classes]
	if t.declared == 0 {
		fresh := true
		for _, w := range row {
			fresh = fresh && w == 0
		}
		if fresh {
			t.seen++
		}
	}
	row[class] = min(row[class]+weight, numeric.Limit)
	t.total[class] = min(t.total[class]+weight, numeric.Limit)
}

// Bytes is the memory of the model.
func (b *Bayes) Bytes() int {
	n := 32*len(b.normals) + 24*b.o.Classes + 8*len(b.numbers) + 256
	for i := range b.tables {
		n += 8*(len(b.tables[i].weight)+b.o.Classes) + 88
	}
	return n
}
