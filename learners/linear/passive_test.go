package linear

import (
	"math"
	"testing"
)

// TestPassiveAggressive: without a bound, an example that was learned has a margin of exactly 1, or no error.
func TestPassiveAggressive(t *testing.T) {
	for _, classes := range []int{2, 4} {
		m, err := NewPassiveClassifier(PassiveOptions{Options: Options{Features: 3, Classes: classes, Scale: Raw}, C: 1e9})
		if err != nil {
			t.Fatal(err)
		}
		s := make([]float64, classes)
		for i := range 200 {
			x, _ := xs(i)
			class := i * 7 % 5 % classes
			m.scores(x, s[:m.outputs])
			rival := best(s, class)
			m.Learn(x, class, 1)
			m.scores(x, s[:m.outputs])
			margin := s[0] * sign(0, class, 1)
			if classes > 2 {
				margin = s[class] - s[rival]
			}
			if margin < 1-1e-9 {
				t.Fatalf("%d classes: margin %v after learning", classes, margin)
			}
		}
	}
	m, _ := NewPassiveRegressor(PassiveOptions{Options: Options{Features: 3}, C: 1e9, Epsilon: 0.25})
	for i := range 200 {
		x, y := xs(i)
		m.Learn(x, y, 1)
		if e := math.Abs(m.Predict(x) - y); e > 0.25+1e-9 {
			t.Fatalf("error %v after learning", e)
		}
	}
}

// TestTau by the paper's formulas; weight 2 trusts the example twice as far.
func TestTau(t *testing.T) {
	first, second := PassiveOptions{C: 0.1}, PassiveOptions{C: 0.1, Second: true}
	for _, c := range []struct{ got, want float64 }{
		{first.tau(1, 5, 1), 0.1}, {first.tau(1, 50, 1), 0.02}, {first.tau(1, 5, 2), 0.2}, {first.tau(1, 5, 1e300), 0.2},
		{second.tau(1, 5, 1), 0.1}, {second.tau(1, 5, 2), 1 / 7.5}, {second.tau(1, 5, 1e300), 0.2},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("tau %v, want %v", c.got, c.want)
		}
	}
}
