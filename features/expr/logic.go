package expr

import "github.com/expr-lang/expr/ast"

func negated(v value) value {
	f := v.condition()
	return generalCond(func(e *Env) bool { return !f(e) })
}

// conjunction is a and b, both already conditions. A literal side decides or vanishes.
func conjunction(a, b value) value {
	for _, p := range [2][2]*value{{&a, &b}, {&b, &a}} {
		if p[0].form == constant {
			if truth(p[0].k) {
				return twoValued(*p[1])
			}
			return constantBool(false)
		}
	}
	f, g := a.condition(), b.condition()
	return generalCond(func(e *Env) bool { return f(e) && g(e) })
}

// disjunction is a or b.
func disjunction(a, b value) value {
	for _, p := range [2][2]*value{{&a, &b}, {&b, &a}} {
		if p[0].form == constant {
			if truth(p[0].k) {
				return constantBool(true)
			}
			return twoValued(*p[1])
		}
	}
	f, g := a.condition(), b.condition()
	return generalCond(func(e *Env) bool { return f(e) || g(e) })
}

// twoValued forgets null: what comes out of and/or is true or false.
func twoValued(v value) value {
	if v.form == constant {
		return constantBool(truth(v.k))
	}
	return generalCond(v.condition())
}

// choice is cond ? a : b.
func (c *compiler) choice(n *ast.ConditionalNode) value {
	cond, a, b := c.compile(n.Cond), c.compile(n.Exp1), c.compile(n.Exp2)
	ok := c.wantCond(&cond, "the choice ?")
	kind := c.common(&a, &b, a.col, "the two sides of the choice are")
	if !ok || kind == kindBad {
		return value{kind: kindBad}
	}
	if cond.form == constant {
		if truth(cond.k) {
			return a
		}
		return b
	}
	is := cond.condition()
	switch kind {
	case Str:
		f, g := a.bytes(), b.bytes()
		return value{kind: Str, str: func(e *Env) []byte {
			if is(e) {
				return f(e)
			}
			return g(e)
		}}
	}
	f, g := a.number(), b.number()
	return value{kind: kind, num: func(e *Env) float64 {
		if is(e) {
			return f(e)
		}
		return g(e)
	}}
}

// coalesce is a ?? b.
func (c *compiler) coalesce(a, b value, col int) value {
	kind := c.common(&a, &b, col, "the two sides of ?? are")
	if kind == kindBad {
		return value{kind: kindBad}
	}
	return folded(firstOf(kind, a, b), a, b)
}

// firstOf builds "a unless it is null, else b" for two values of one kind.
func firstOf(kind Kind, a, b value) value {
	if kind == Str {
		f, g := a.bytes(), b.bytes()
		return value{kind: Str, str: func(e *Env) []byte {
			if x := f(e); x != nil {
				return x
			}
			return g(e)
		}}
	}
	if a.form == linear && b.form == constant {
		k, s, d := a.k, a.slot, b.k
		return value{kind: kind, num: func(e *Env) float64 {
			if x := float64(k * e.Num[s]); x == x {
				return x
			}
			return d
		}}
	}
	f, g := a.number(), b.number()
	return value{kind: kind, num: func(e *Env) float64 {
		if x := f(e); x == x {
			return x
		}
		return g(e)
	}}
}

// common brings two values to one kind: nil becomes the other's null, a condition beside a number becomes a number.
func (c *compiler) common(a, b *value, col int, what string) Kind {
	if a.kind == kindBad || b.kind == kindBad {
		return kindBad
	}
	if a.kind == kindNil {
		nullAs(a, b.kind)
	}
	if b.kind == kindNil {
		nullAs(b, a.kind)
	}
	switch {
	case a.kind == kindNil:
		c.fail(col, "%s both nil", what)
		return kindBad
	case a.kind > Bool || b.kind > Bool || (a.kind == Str) != (b.kind == Str):
		c.fail(col, "%s %s and %s, expected one kind", what, describe(a), describe(b))
		return kindBad
	case a.kind != b.kind:
		*a, *b = a.asNum(), b.asNum()
	}
	return a.kind
}

// nullAs gives the literal nil the kind of what stands beside it.
func nullAs(v *value, k Kind) {
	col := v.col
	switch k {
	case Num, Bool:
		*v = value{kind: k, form: constant, k: null()}
	case Str:
		*v = value{kind: Str, isText: true}
	}
	v.col = col
}
