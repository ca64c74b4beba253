package linear_test

import (
	"fmt"

	"freshet/learners/linear"
	"freshet/learners/scale"
)

// Test, then train: predict each row before its label is learned.
func Example() {
	m, err := linear.NewLogistic(linear.Options{
		Features: 2, Classes: 2,
		Nominal:   []scale.Nominal{{Feature: 1, Categories: 3}}, // the second feature is a category
		Optimizer: linear.FTRL, Rate: 0.5,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	right := 0
	p := make([]float64, 2)
	for i := range 1000 {
		x := []float64{float64(i * 7 % 10), float64(i % 3)}
		class := 0
		if x[0]+2*x[1] > 6.5 {
			class = 1
		}
		m.PredictProba(x, p)
		if p[class] > 0.5 {
			right++
		}
		m.Learn(x, class, 1)
	}
	fmt.Println(right > 950, m.Shape().Parameters)
	// Output: true 5
}

// The exact posterior says how sure it is.
func ExampleBayes() {
	m, err := linear.NewBayes(linear.BayesOptions{Options: linear.Options{Features: 1}, Coverage: 0.9})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 200 {
		x := float64(i % 10)
		m.Learn([]float64{x}, 3*x+float64(i%3)-1, 1)
	}
	low, high := m.PredictInterval([]float64{5})
	fmt.Printf("%.1f in [%.1f, %.1f]\n", m.Predict([]float64{5}), low, high)
	// Output: 15.0 in [13.6, 16.3]
}
