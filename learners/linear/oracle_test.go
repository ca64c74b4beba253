package linear

import (
	"math"
	"testing"

	"freshet/learners/wire"
)

// xs is a deterministic stream of vectors with rows of different scale, and a target.
func xs(i int) (x []float64, y float64) {
	f := float64(i)
	x = []float64{math.Sin(f) * 10, math.Cos(f*0.7) - 3, math.Mod(f*0.37, 1) * 100}
	return x, x[0] - 2*x[1] + 0.05*x[2] + math.Sin(f*1.7)
}

// TestOptimizersByHand holds each optimizer to its published formula, in plain arithmetic, on unscaled input.
func TestOptimizersByHand(t *testing.T) {
	const rate, mu, rho, beta2, l1, l2 = 0.003, 0.8, 0.95, 0.99, 0.02, 0.01
	for name, o := range map[string]Options{
		"momentum": {Optimizer: Momentum, Momentum: mu},
		"rmsprop":  {Optimizer: RMSProp, Decay: rho},
		"adam":     {Optimizer: Adam, Momentum: mu, Decay: beta2},
		"adagrad":  {Optimizer: AdaGrad},
		"sgd":      {Optimizer: SGD},
	} {
		o.Features, o.Scale, o.Rate, o.L1, o.L2, o.InterceptRate = 3, Raw, rate, l1, l2, -1
		m, err := NewLinear(o)
		if err != nil {
			t.Fatal(err)
		}
		var w, a, b [3]float64
		for i := range 300 {
			x, y := xs(i)
			y /= 10
			for j := range x {
				x[j] /= 10
			}
			e := w[0]*x[0] + w[1]*x[1] + w[2]*x[2] - y
			for j := range w {
				g := 2*e*x[j] + l2*w[j]
				step, eff := rate*g, rate
				switch name {
				case "momentum":
					a[j] = mu*a[j] + g
					step = rate * a[j]
				case "rmsprop":
					a[j] = rho*a[j] + (1-rho)*g*g
					eff = rate / (math.Sqrt(a[j]) + 1e-8)
					step = eff * g
				case "adagrad":
					a[j] += g * g
					eff = rate / (math.Sqrt(a[j]) + 1e-8)
					step = eff * g
				case "adam":
					a[j], b[j] = mu*a[j]+(1-mu)*g, beta2*b[j]+(1-beta2)*g*g
					r := rate * math.Sqrt(1-math.Pow(beta2, float64(i+1))) / (1 - math.Pow(mu, float64(i+1)))
					eff = r / (math.Sqrt(b[j]) + 1e-8)
					step = eff * a[j]
				}
				v := w[j] - step
				w[j] = math.Copysign(math.Max(math.Abs(v)-eff*l1, 0), v)
			}
			m.Learn(x, y, 1)
		}
		for j := range w {
			if math.Abs(m.w[j]-w[j]) > 1e-9*(1+math.Abs(w[j])) {
				t.Errorf("%s: weight %d is %v, want %v", name, j, m.w[j], w[j])
			}
		}
	}
}

// TestFTRLByHand follows the paper's algorithm with n and z, the weights computed from them when they are needed.
func TestFTRLByHand(t *testing.T) {
	const alpha, beta, l1, l2 = 0.3, 0.7, 0.5, 0.2
	for _, l1 := range []float64{0, l1} {
		for _, decay := range []float64{0, 0.01} {
			m, err := NewLogistic(Options{Features: 3, Classes: 2, Scale: Raw, Optimizer: FTRL, Rate: alpha, Beta: beta, L1: l1, L2: l2, Decay: decay})
			if err != nil {
				t.Fatal(err)
			}
			var n, z, w [4]float64
			for i := range 400 {
				x, target := xs(i)
				y := 0.0
				if target > 8 {
					y = 1
				}
				v := append(append([]float64(nil), x...), 1)
				s := 0.0
				for j := range v {
					w[j] = 0
					if math.Abs(z[j]) > l1 {
						w[j] = -(z[j] - math.Copysign(l1, z[j])) / ((beta+math.Sqrt(n[j]))/alpha + l2)
					}
					s += w[j] * v[j]
				}
				p := 1 / (1 + math.Exp(-s))
				for j := range v {
					g := (p - y) * v[j]
					if g == 0 { // an example that says nothing makes nothing fade
						continue
					}
					kept := n[j]*(1-decay) + g*g
					z[j] += g - (math.Sqrt(kept)-math.Sqrt(n[j]))/alpha*w[j]
					n[j] = kept
				}
				m.Learn(x, int(y), 1)
			}
			zeros := 0
			for j := range w {
				want := 0.0
				if math.Abs(z[j]) > l1 {
					want = -(z[j] - math.Copysign(l1, z[j])) / ((beta+math.Sqrt(n[j]))/alpha + l2)
				} else {
					zeros++
				}
				if math.Abs(m.all[j]-want) > 1e-9*(1+math.Abs(want)) {
					t.Errorf("l1 %v decay %v: weight %d is %v, want %v", l1, decay, j, m.all[j], want)
				}
			}
		}
	}
}

// TestMiniBatch: one step by the mean gradient of the batch, at the weights before it.
func TestMiniBatch(t *testing.T) {
	m, err := NewLinear(Options{Features: 3, Scale: Raw, Rate: 0.0001, InterceptRate: 0.001, MiniBatch: 8, Nominal: nil})
	if err != nil {
		t.Fatal(err)
	}
	var w, g [4]float64
	for i := range 200 {
		x, y := xs(i)
		e := 2 * (w[0]*x[0] + w[1]*x[1] + w[2]*x[2] + w[3] - y)
		for j := range x {
			g[j] += e * x[j] / 8
		}
		g[3] += e / 8
		if i%8 == 7 {
			for j := range g {
				rate := 0.0001
				if j == 3 {
					rate = 0.001
				}
				w[j] -= rate * g[j]
				g[j] = 0
			}
		}
		m.Learn(x, y, 1)
	}
	for j := range w {
		if math.Abs(m.all[j]-w[j]) > 1e-9 {
			t.Errorf("weight %d is %v, want %v", j, m.all[j], w[j])
		}
	}
}

// TestFallFollowsTheLoss integrates the way downhill in small steps and compares; two halves make a whole.
func TestFallFollowsTheLoss(t *testing.T) {
	follow := func(slope func(s float64) float64, s, h, square float64) float64 {
		const n = 200000
		for range n {
			s -= slope(s) * h * square / n
		}
		return s
	}
	for _, c := range []struct{ s, y, h, square float64 }{{3, 1, 1, 0.1}, {-2, 1, 2, 0.7}, {0.5, 0, 5, 3}, {4, 0, 0.3, 0.01}, {-1, 3, 1, 10}} {
		for _, o := range []Options{{Loss: Squared}, {Loss: Huber}, {Loss: QuantileLoss, Quantile: 0.8}, {Loss: Poisson}} {
			g := o.fall(c.s, c.y, 0.5, c.h, c.square)
			got := c.s - g*c.square
			want := follow(func(s float64) float64 { return o.slope(s, c.y, 0.5) }, c.s, c.h, c.square)
			if math.Abs(got-want) > 2e-4 {
				t.Errorf("loss %d at %+v: ends at %v, want %v", o.Loss, c, got, want)
			}
			half := o.fall(c.s, c.y, 0.5, c.h/2, c.square)
			mid := c.s - half*c.square
			if again := mid - o.fall(mid, c.y, 0.5, c.h/2, c.square)*c.square; math.Abs(again-got) > 1e-9 {
				t.Errorf("loss %d at %+v: two halves end at %v, the whole at %v", o.Loss, c, again, got)
			}
			if g0 := o.fall(c.s, c.y, 0.5, c.h, 0); math.Abs(g0-o.slope(c.s, c.y, 0.5)*c.h) > 1e-12 {
				t.Errorf("loss %d: without a way %v is not the gradient", o.Loss, g0)
			}
		}
		for _, sign := range []float64{-1, 1} {
			got := c.s - logFall(c.s, sign, c.h, c.square)*c.square
			want := follow(func(s float64) float64 { return -sign / (1 + math.Exp(s*sign)) }, c.s, c.h, c.square)
			if math.Abs(got-want) > 2e-4 {
				t.Errorf("log loss at %+v, class %v: ends at %v, want %v", c, sign, got, want)
			}
			got = c.s - hingeFall(c.s, sign, c.h, c.square)*c.square
			if got*sign > math.Max(1, c.s*sign)+1e-9 {
				t.Errorf("hinge at %+v, class %v: passes the margin, %v", c, sign, got)
			}
		}
	}
	for _, s := range []float64{-1e90, -800, -1, 0, 1, 800, 1e90} {
		for _, way := range []float64{0, 1e-300, 1, 1e90, math.MaxFloat64} {
			if g := logFall(s, 1, 1, way); g != g || g > 0 || math.IsInf(g, 0) {
				t.Errorf("log loss from %v over %v: %v", s, way, g)
			}
		}
	}
}

// TestFirstFormatIsRead: the bytes of models written before there were other optimizers.
func TestFirstFormatIsRead(t *testing.T) {
	b := wire.Begin(nil, "linear", 1)
	for _, v := range []uint64{2, 1, uint64(Raw)} {
		b = wire.Uint(b, v)
	}
	b = wire.Bool(b, true)
	b = wire.Uint(b, 0) // no nominal features
	b = wire.Uint(b, 7) // steps
	b = wire.Floats(b, []float64{0.5})
	b = wire.Floats(b, []float64{2, 3})
	b = wire.Floats(b, []float64{4, 9})
	m, _ := NewLinear(Options{Features: 2, Scale: Raw, Optimizer: AdaGrad})
	if err := m.UnmarshalBinary(wire.Seal(b, 0)); err != nil {
		t.Fatal(err)
	}
	if got := m.Predict([]float64{1, 10}); got != 32.5 || m.Steps() != 7 || m.s1[1] != 9 {
		t.Fatalf("predicts %v after %d steps", got, m.Steps())
	}
	other, _ := NewLinear(Options{Features: 2, Scale: Raw, Optimizer: Adam})
	if other.UnmarshalBinary(wire.Seal(b, 0)) == nil {
		t.Error("another optimizer took them")
	}
}
