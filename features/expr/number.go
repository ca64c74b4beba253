package expr

import "math"

// arithmetic builds a op b. Fields and multiples of fields are read in the closure itself: one indirect call less for
// each operand. A product is always rounded (float64(…)) before it is used, so that no compiler fuses it with a sum.
func arithmetic(op string, a, b value) value {
	switch op {
	case "+":
		return plus(a, b)
	case "-":
		return difference(a, b)
	case "*":
		return product(a, b)
	case "/":
		return quotient(a, b)
	case "%":
		f, g := a.number(), b.number()
		return generalNum(func(e *Env) float64 { return floorMod(f(e), g(e)) })
	}
	return power(a, b) // ** and ^
}

func plus(a, b value) value {
	if a.form == constant || a.form == general && b.form == linear { // commutes to the bit
		a, b = b, a
	}
	switch {
	case a.form == linear && b.form == constant:
		ka, sa, k := a.k, a.slot, b.k
		return generalNum(func(e *Env) float64 { return float64(ka*e.Num[sa]) + k })
	case a.form == linear && b.form == linear:
		ka, sa, kb, sb := a.k, a.slot, b.k, b.slot
		return generalNum(func(e *Env) float64 { return float64(ka*e.Num[sa]) + float64(kb*e.Num[sb]) })
	case b.form == constant:
		f, k := a.number(), b.k
		return generalNum(func(e *Env) float64 { return f(e) + k })
	case a.form == linear:
		ka, sa, g := a.k, a.slot, b.number()
		return generalNum(func(e *Env) float64 { return float64(ka*e.Num[sa]) + g(e) })
	}
	f, g := a.number(), b.number()
	return generalNum(func(e *Env) float64 { return f(e) + g(e) })
}

// difference is a + (−b): the same bits in IEEE 754.
func difference(a, b value) value {
	if b.form != general {
		return plus(a, minus(b))
	}
	g := b.number()
	switch a.form {
	case constant:
		k := a.k
		return generalNum(func(e *Env) float64 { return k - g(e) })
	case linear:
		ka, sa := a.k, a.slot
		return generalNum(func(e *Env) float64 { return float64(ka*e.Num[sa]) - g(e) })
	}
	f := a.number()
	return generalNum(func(e *Env) float64 { return f(e) - g(e) })
}

func minus(v value) value {
	if v.form != general {
		v.k = -v.k
		return v
	}
	f := v.number()
	return generalNum(func(e *Env) float64 { return -f(e) })
}

func product(a, b value) value {
	if a.form == constant || a.form == general && b.form == linear {
		a, b = b, a
	}
	switch {
	case a.form == linear && b.form == constant:
		if a.k == 1 {
			a.k = b.k
			return a // k·x stays linear; (j·x)·k does not, it rounds twice
		}
		ka, sa, k := a.k, a.slot, b.k
		return generalNum(func(e *Env) float64 { return float64(float64(ka*e.Num[sa]) * k) })
	case a.form == linear && b.form == linear:
		ka, sa, kb, sb := a.k, a.slot, b.k, b.slot
		return generalNum(func(e *Env) float64 { return float64(float64(ka*e.Num[sa]) * float64(kb*e.Num[sb])) })
	case b.form == constant:
		f, k := a.number(), b.k
		return generalNum(func(e *Env) float64 { return float64(f(e) * k) })
	case a.form == linear:
		ka, sa, g := a.k, a.slot, b.number()
		return generalNum(func(e *Env) float64 { return float64(float64(ka*e.Num[sa]) * g(e)) })
	}
	f, g := a.number(), b.number()
	return generalNum(func(e *Env) float64 { return float64(f(e) * g(e)) })
}

func quotient(a, b value) value {
	switch {
	case b.form == constant && b.k == 0:
		return constantNum(null())
	case a.form == linear && b.form == constant:
		ka, sa, k := a.k, a.slot, b.k
		return generalNum(func(e *Env) float64 { return float64(ka*e.Num[sa]) / k })
	case b.form == constant:
		f, k := a.number(), b.k
		return generalNum(func(e *Env) float64 { return f(e) / k })
	case a.form == linear && b.form == linear:
		ka, sa, kb, sb := a.k, a.slot, b.k, b.slot
		return generalNum(func(e *Env) float64 { return divide(float64(ka*e.Num[sa]), float64(kb*e.Num[sb])) })
	case b.form == linear:
		f, kb, sb := a.number(), b.k, b.slot
		return generalNum(func(e *Env) float64 { return divide(f(e), float64(kb*e.Num[sb])) })
	}
	f, g := a.number(), b.number()
	return generalNum(func(e *Env) float64 { return divide(f(e), g(e)) })
}

func power(a, b value) value {
	f := a.number()
	if b.form == constant && b.k == 2 { // exact: pow(x, 2) is the rounded product too
		return generalNum(func(e *Env) float64 { x := f(e); return float64(x * x) })
	}
	g := b.number()
	return generalNum(func(e *Env) float64 { return pow(f(e), g(e)) })
}

// divide is null for a divisor of zero.
func divide(x, y float64) float64 {
	if y == 0 {
		return math.NaN()
	}
	return x / y
}

// pow is math.Pow without its two ways of making a number from null (1**null, null**0), and null where 0 would be
// divided by.
func pow(x, y float64) float64 {
	if isNull(x) || isNull(y) || x == 0 && y < 0 {
		return math.NaN()
	}
	return math.Pow(x, y)
}

// floorMod is the remainder with the sign of the divisor, exact; null for a divisor of zero.
func floorMod(x, y float64) float64 {
	const exact = 1 << 53
	if i, j := int64(x), int64(y); x > -exact && x < exact && y > -exact && y < exact &&
		float64(i) == x && float64(j) == y && j != 0 { // whole numbers: ten times faster than math.Mod
		r := i % j
		if r != 0 && (r < 0) != (j < 0) {
			r += j
		}
		return float64(r)
	}
	r := math.Mod(x, y) // NaN for y = 0
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}
