package expr_test

import (
	"fmt"
	"math"

	"freshet/features/expr"
)

// A rule from source to answer: what it reads, where that is, and what it says of two rows.
func Example() {
	e, err := expr.Parse("amount > 3 * card.mean_24h and country != 'DE'")
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Names(), e.KindHints()["country"])

	symbols := map[string]expr.Symbol{
		"amount":        {Kind: expr.Num, Slot: 0},
		"card.mean_24h": {Kind: expr.Num, Slot: 1},
		"country":       {Kind: expr.Str, Slot: 0},
	}
	p, err := e.Compile(func(name string) (expr.Symbol, bool) { s, ok := symbols[name]; return s, ok }, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Kind(), p.Bool(&expr.Env{Num: []float64{100, 30}, Str: [][]byte{[]byte("FR")}}))
	fmt.Println(p.Bool(&expr.Env{Num: []float64{100, math.NaN()}, Str: [][]byte{[]byte("FR")}})) // no mean yet

	_, err = e.Compile(func(name string) (expr.Symbol, bool) { return expr.Symbol{}, name == "amount" }, []string{"amount", "card.mean_7d", "county"})
	fmt.Println(err)
	// Output:
	// [amount card.mean_24h country] text
	// condition true
	// false
	// column 14: unknown name card.mean_24h; nearest: card.mean_7d
	// column 32: unknown name country; nearest: county
}
