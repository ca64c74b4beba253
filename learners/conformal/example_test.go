package conformal_test

import (
	"fmt"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/numeric"
)

// An interval around a linear regression whose noise depends on a category, feature 1.
func Example() {
	in := learners.Input{Features: 2, Nominal: []learners.Nominal{{Feature: 1, Categories: 2}}}
	m, err := learners.NewRegressor("conformal(base=linear,coverage=0.9,segment=1)", in)
	if err != nil {
		panic(err)
	}
	r := numeric.NewRand(1)
	var inside, n [2]float64
	for i := range 20000 {
		x := []float64{r.Float() * 10, float64(r.Intn(2))}
		y := 3*x[0] + (1+9*x[1])*(r.Float()-0.5) // ten times the noise in category 1
		if low, high := m.(contract.Interval).PredictInterval(x); i > 1000 {
			k := int(x[1])
			n[k]++
			if low <= y && y <= high {
				inside[k]++
			}
		}
		m.Learn(x, y, 1)
	}
	fmt.Printf("coverage of the two categories: %.2f, %.2f\n", inside[0]/n[0], inside[1]/n[1])
	// Output: coverage of the two categories: 0.90, 0.90
}
