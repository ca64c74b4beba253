package boosting

import (
	"bytes"
	"math"
	"testing"

	"freshet/learners/flat"
	"freshet/learners/numeric"
	"freshet/learners/scale"
)

var nominal = []scale.Nominal{{Feature: 3, Categories: 6}}

// draw fills x with three numbers, one of them useless, and a category, and returns what all but that one add up to.
func draw(r *numeric.Rand, x []float64) float64 {
	x[0], x[1], x[2], x[3] = r.Float()*4-2, r.Float(), r.Float(), float64(r.Intn(6))
	y := x[0]*x[0] + 2*x[2]
	if int(x[3])%2 == 1 {
		y += 3
	}
	return y
}

func classOf(y float64, classes int) int { return min(int(y/9*float64(classes)), classes-1) }

// TestExplained expects contributions to add up to the raw scores.
func TestExplained(t *testing.T) {
	for _, start := range []Start{Linear, Constant} {
		o := Options{Features: 4, Nominal: nominal, Steps: 20, Start: start}
		two, three := o, o
		two.Classes, three.Classes = 2, 3
		a, _ := NewClassifier(two)
		b, _ := NewClassifier(three)
		c, _ := NewRegressor(o)
		r := numeric.NewRand(1)
		x := make([]float64, 4)
		for range 4000 {
			y := draw(&r, x)
			a.Learn(x, classOf(y, 2), 1)
			b.Learn(x, classOf(y, 3), 1)
			c.Learn(x, 100+10*y, 1)
		}
		out, base, p := make([]float64, 12), make([]float64, 3), make([]float64, 3)
		for i := range 100 {
			draw(&r, x)
			if i%7 == 0 {
				x[i%4] = math.NaN()
			}
			a.PredictProba(x, p[:2])
			a.Contributions(x, out[:4], base[:1])
			if raw := base[0] + out[0] + out[1] + out[2] + out[3]; math.Abs(numeric.Sigmoid(raw)-p[1]) > 1e-9 {
				t.Fatalf("log-odds %v, probability %v", raw, p[1])
			}
			c.Contributions(x, out[:4], base[:1])
			if sum := base[0] + out[0] + out[1] + out[2] + out[3]; math.Abs(sum-c.Predict(x)) > 1e-8*math.Abs(sum) {
				t.Fatalf("contributions add up to %v, prediction %v", sum, c.Predict(x))
			}
			b.PredictProba(x, p)
			b.Contributions(x, out, base)
			for f := range 4 {
				for k := range 3 {
					base[k] += out[3*f+k]
				}
			}
			numeric.Softmax(base)
			for k := range p {
				if math.Abs(base[k]-p[k]) > 1e-9 {
					t.Fatalf("class %d: %v, want %v", k, base[k], p[k])
				}
			}
		}
		a.Importance(out[:4])
		if sum := out[0] + out[1] + out[2] + out[3]; math.Abs(sum-1) > 1e-9 || out[1] > 0.1 {
			t.Errorf("importance %v", out[:4])
		}
	}
}

// raw walks flat trees by their documentation.
func raw(e *flat.Ensemble, x, sum []float64) {
	copy(sum, e.Base)
	for _, t := range e.Trees {
		at := int32(0)
		for t.Nodes[at].Feature >= 0 {
			n := t.Nodes[at]
			v := x[n.Feature]
			left := n.MissingLeft
			if !math.IsNaN(v) {
				left = v <= n.Threshold
				if n.Test == flat.In {
					left = t.Sets[n.Set][int(v)>>6]>>(int(v)&63)&1 != 0
				}
			}
			if at = n.Right; left {
				at = n.Left
			}
		}
		for k := range sum {
			sum[k] += t.Weight * t.Values[int(t.Nodes[at].Value)+k]
		}
	}
}

// TestExport expects the exported trees of a constant start to be the model.
func TestExport(t *testing.T) {
	o := Options{Features: 4, Nominal: nominal, Steps: 20, Start: Constant}
	reg, _ := NewRegressor(o)
	o.Classes = 3
	cls, _ := NewClassifier(o)
	r := numeric.NewRand(2)
	x, sum, p := make([]float64, 4), make([]float64, 3), make([]float64, 3)
	for range 4000 {
		y := draw(&r, x)
		cls.Learn(x, classOf(y, 3), 1)
		reg.Learn(x, 1000+y, 1)
	}
	a, exactA, _ := cls.Export()
	b, exactB, _ := reg.Export()
	if !exactA || !exactB || a.Link != flat.Softmax || b.Link != flat.Identity {
		t.Fatal("not exact, or of another link")
	}
	for range 200 {
		draw(&r, x)
		raw(a, x, sum)
		numeric.Softmax(sum)
		cls.PredictProba(x, p)
		for k := range p {
			if math.Abs(p[k]-sum[k]) > 1e-9 {
				t.Fatalf("class %d: exported trees say %v, the model %v", k, sum[k], p[k])
			}
		}
		raw(b, x, sum[:1])
		if got := reg.Predict(x); math.Abs(got-sum[0]) > 1e-9*got {
			t.Fatalf("exported trees say %v, the model %v", sum[0], got)
		}
	}
	o.Start = Linear
	cls, _ = NewClassifier(o)
	if _, exact, why := cls.Export(); exact || why == "" {
		t.Error("a linear start cannot be exported, and must say so")
	}
}

// TestQuantileCovers expects about so many targets below the estimate as its level says.
func TestQuantileCovers(t *testing.T) {
	for _, level := range []float64{0.1, 0.5, 0.9} {
		m, err := NewRegressor(Options{Features: 4, Nominal: nominal, Loss: Quantile, Level: level, Start: Constant})
		if err != nil {
			t.Fatal(err)
		}
		r := numeric.NewRand(3)
		x := make([]float64, 4)
		below := 0.0
		const n, warm = 8000, 2000
		for i := range n {
			y := draw(&r, x) + r.Exponential()
			if i >= warm && y <= m.Predict(x) {
				below++
			}
			m.Learn(x, y, 1)
		}
		if share := below / (n - warm); math.Abs(share-level) > 0.06 {
			t.Errorf("level %v: %v of the targets are below", level, share)
		}
	}
}

// TestHuberResistsOutliers expects a smaller error than that of squared loss where a target in fifty is far off.
func TestHuberResistsOutliers(t *testing.T) {
	err := func(loss Loss) float64 {
		m, _ := NewRegressor(Options{Features: 4, Nominal: nominal, Loss: loss, Start: Constant})
		r := numeric.NewRand(4)
		x := make([]float64, 4)
		sum := 0.0
		for i := range 6000 {
			y := draw(&r, x)
			if i > 1000 {
				sum += math.Abs(m.Predict(x) - y)
			}
			if r.Intn(50) == 0 {
				y += 200
			}
			m.Learn(x, y, 1)
		}
		return sum / 5000
	}
	if h, s := err(Huber), err(Squared); !(h < 0.7*s) {
		t.Errorf("mean absolute error %v with Huber, %v with squared loss", h, s)
	}
}

// TestBlendTrustsTheRightPart expects trees of pure noise to lose their part, and with that doubt where there is nothing
// to learn: the log loss stays near that of a coin.
func TestBlendTrustsTheRightPart(t *testing.T) {
	m, _ := NewClassifier(Options{Features: 5, Classes: 2})
	r := numeric.NewRand(5)
	x, p := make([]float64, 5), make([]float64, 2)
	loss, n := 0.0, 0.0
	for i := range 8000 {
		for j := range x {
			x[j] = r.Float()
		}
		y := r.Intn(2)
		if i > 2000 {
			m.PredictProba(x, p)
			loss -= math.Log(p[y])
			n++
		}
		m.Learn(x, y, 1)
	}
	if loss/n > math.Ln2+0.02 || m.b.blend.part[1] > 0.3 {
		t.Errorf("log loss %v of a coin, trees' part %v", loss/n, m.b.blend.part[1])
	}
}

// TestMemoryBound expects a small bound to hold, and bytes to round-trip there.
func TestMemoryBound(t *testing.T) {
	const bound = 300000
	o := Options{Features: 4, Classes: 2, Steps: 30, MaxBytes: bound, GracePeriod: 5}
	m, err := NewClassifier(o)
	if err != nil {
		t.Fatal(err)
	}
	r := numeric.NewRand(6)
	x := make([]float64, 4)
	for i := range 20000 {
		m.Learn(x, classOf(draw(&r, x), 2), 1)
		if i%500 == 0 && m.Bytes() > bound {
			t.Fatalf("%d bytes, bound %d", m.Bytes(), bound)
		}
	}
	b, _ := m.AppendBinary(nil)
	again, _ := NewClassifier(o)
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if c, _ := again.AppendBinary(nil); !bytes.Equal(b, c) {
		t.Fatal("bytes do not round-trip")
	}
	if _, err := NewClassifier(Options{Features: 40, Classes: 100, MaxBytes: 1 << 20}); err == nil {
		t.Error("no error where memory is too small")
	}
}
