package evaluate_test

import (
	"fmt"

	"freshet/learners/evaluate"
)

// Labels come 50 predictions late; each is compared with what was served then, one evaluator a channel.
func Example() {
	pending, _ := evaluate.NewPending(2, 1000)
	channels, _ := evaluate.NewSegments(100, func() (*evaluate.Classification, error) {
		return evaluate.NewClassification(evaluate.Options{Window: 500})
	})
	for i := range 1000 {
		p := 0.2 + 0.6*float64(i%2) // what a model might say
		pending.Served(uint64(i), []float64{1 - p, p})
		if late := i - 50; late >= 0 {
			served, ok := pending.Label(uint64(late))
			if !ok {
				continue // evicted: more than 1000 predictions ago
			}
			channel, _ := channels.Of([]string{"web", "shop"}[late/2%2])
			channel.Update(served, late%2)
		}
	}
	channels.Each(func(name string, c *evaluate.Classification) {
		s := c.Windowed()
		fmt.Printf("%s: %d examples, accuracy %.2f, AUC %.2f, log loss %.4f\n", name, s.N, s.Accuracy, s.AUC, s.LogLoss)
	})
	// Output:
	// shop: 474 examples, accuracy 1.00, AUC 1.00, log loss 0.2231
	// web: 476 examples, accuracy 1.00, AUC 1.00, log loss 0.2231
}

// A challenger is watched until it is known to be better, however long that takes.
func ExampleSequential() {
	test, _ := evaluate.NewSequential(0.05, 1)
	for i := range 10_000 {
		champion, challenger := 0.0, 0.0 // 1 where it was wrong
		if i%10 == 0 {
			champion = 1
		}
		if i%20 == 0 {
			challenger = 1
		}
		test.Update(champion, challenger)
		if v := test.Verdict(); v.Better != 0 {
			fmt.Printf("after %d examples the challenger is better by %.3f errors an example\n", v.N, v.Difference)
			return
		}
	}
	// Output:
	// after 211 examples the challenger is better by 0.052 errors an example
}
