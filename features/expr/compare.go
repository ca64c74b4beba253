package expr

import (
	"bytes"
	"sort"

	"github.com/expr-lang/expr/ast"
)

// compare builds comparisons, membership and text search, and the negated forms of the last two ("not in"): all of
// them false when an operand is null.
func (c *compiler) compare(n *ast.BinaryNode, op string, col int) value {
	a, b := c.compile(n.Left), c.compile(n.Right)
	if a.kind == kindBad || b.kind == kindBad {
		return value{kind: kindBad}
	}
	switch op {
	case "in", "not in":
		return c.member(a, b, op == "in", col)
	case "startsWith", "endsWith", "contains", "not startsWith", "not endsWith", "not contains":
		okA, okB := c.wantText(&a, op), c.wantText(&b, op)
		if !okA || !okB {
			return value{kind: kindBad}
		}
		return folded(search(op, a, b), a, b)
	case "==", "!=", "<", "<=", ">", ">=":
	default:
		return c.fail(col, "%s is not supported", op)
	}
	if a.kind == kindNil || b.kind == kindNil {
		return c.compareNil(a, b, op, col)
	}
	switch {
	case a.isNumeric() && b.isNumeric():
		return folded(compareNum(op, a.asNum(), b.asNum()), a, b)
	case a.kind == Str && b.kind == Str:
		return folded(compareStr(op, a, b), a, b)
	}
	return c.fail(col, "%s cannot compare %s with %s", op, describe(&a), describe(&b))
}

// compareNil builds x == nil and x != nil.
func (c *compiler) compareNil(a, b value, op string, col int) value {
	if a.kind != kindNil {
		a, b = b, a
	}
	if op != "==" && op != "!=" {
		return c.fail(col, "%s with nil is always false: write x == nil or x != nil", op)
	}
	if b.kind == kindList {
		return c.fail(col, "%s cannot compare a list with nil", op)
	}
	v := constantBool(true)
	if b.kind != kindNil {
		v = folded(nullTest(b), b)
	}
	if op == "!=" {
		v = folded(negated(v), v)
	}
	return v
}

// nullTest builds the test for null of a number, a condition or text.
func nullTest(v value) value {
	switch {
	case v.kind == Str:
		f := v.bytes()
		return generalCond(func(e *Env) bool { return f(e) == nil })
	case v.form == linear:
		s := v.slot
		return generalCond(func(e *Env) bool { x := e.Num[s]; return x != x })
	}
	f := v.number()
	return generalCond(func(e *Env) bool { x := f(e); return x != x })
}

// compareNum specialises for fields (or multiples of one) on both sides, or a literal on the right. NaN is false by
// itself but for !=, which is therefore written a < b || a > b.
func compareNum(op string, a, b value) value {
	if a.form == constant || a.form == general && b.form == linear {
		a, b, op = b, a, mirrored(op)
	}
	switch {
	case a.form == linear && b.form == constant:
		return generalCond(compareFieldConst(op, a.k, a.slot, b.k))
	case a.form == linear && b.form == linear:
		return generalCond(compareFields(op, a, b))
	case b.form == constant:
		return generalCond(compareConst(op, a.number(), b.k))
	}
	if op == ">" || op == ">=" {
		a, b, op = b, a, mirrored(op)
	}
	f, g := a.number(), b.number()
	switch op {
	case "<":
		return generalCond(func(e *Env) bool { return f(e) < g(e) })
	case "<=":
		return generalCond(func(e *Env) bool { return f(e) <= g(e) })
	case "==":
		return generalCond(func(e *Env) bool { return f(e) == g(e) })
	}
	return generalCond(func(e *Env) bool { x, y := f(e), g(e); return x < y || x > y })
}

func compareFieldConst(op string, k float64, s int, c float64) condFn {
	if k == 1 {
		switch op { // the commonest of all
		case "<":
			return func(e *Env) bool { return e.Num[s] < c }
		case "<=":
			return func(e *Env) bool { return e.Num[s] <= c }
		case ">":
			return func(e *Env) bool { return e.Num[s] > c }
		case ">=":
			return func(e *Env) bool { return e.Num[s] >= c }
		case "==":
			return func(e *Env) bool { return e.Num[s] == c }
		}
		return func(e *Env) bool { x := e.Num[s]; return x < c || x > c }
	}
	v := value{form: linear, k: k, slot: s}
	return compareConst(op, v.number(), c)
}

func compareConst(op string, f numFn, c float64) condFn {
	switch op {
	case "<":
		return func(e *Env) bool { return f(e) < c }
	case "<=":
		return func(e *Env) bool { return f(e) <= c }
	case ">":
		return func(e *Env) bool { return f(e) > c }
	case ">=":
		return func(e *Env) bool { return f(e) >= c }
	case "==":
		return func(e *Env) bool { return f(e) == c }
	}
	return func(e *Env) bool { x := f(e); return x < c || x > c }
}

func compareFields(op string, a, b value) condFn {
	if op == ">" || op == ">=" {
		a, b, op = b, a, mirrored(op)
	}
	j, s, k, t := a.k, a.slot, b.k, b.slot
	switch op {
	case "<":
		return func(e *Env) bool { return float64(j*e.Num[s]) < float64(k*e.Num[t]) }
	case "<=":
		return func(e *Env) bool { return float64(j*e.Num[s]) <= float64(k*e.Num[t]) }
	case "==":
		return func(e *Env) bool { return float64(j*e.Num[s]) == float64(k*e.Num[t]) }
	}
	return func(e *Env) bool {
		x, y := float64(j*e.Num[s]), float64(k*e.Num[t])
		return x < y || x > y
	}
}

// mirrored is the operator for exchanged operands.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

// compareStr orders text by bytes.
func compareStr(op string, a, b value) value {
	if a.isText {
		a, b, op = b, a, mirrored(op)
	}
	if b.isText && b.text != nil && (op == "==" || op == "!=") {
		f, c, equal := a.bytes(), string(b.text), op == "=="
		if a.isField && equal {
			s := a.slot
			return generalCond(func(e *Env) bool { x := e.Str[s]; return x != nil && string(x) == c })
		}
		return generalCond(func(e *Env) bool { x := f(e); return x != nil && (string(x) == c) == equal })
	}
	f, g := a.bytes(), b.bytes()
	if op == "==" || op == "!=" {
		equal := op == "=="
		return generalCond(func(e *Env) bool {
			x, y := f(e), g(e)
			return x != nil && y != nil && bytes.Equal(x, y) == equal
		})
	}
	// lo ≤ order ≤ hi
	lo, hi := -1, -1
	switch op {
	case "<=":
		hi = 0
	case ">":
		lo, hi = 1, 1
	case ">=":
		lo, hi = 0, 1
	}
	return generalCond(func(e *Env) bool {
		x, y := f(e), g(e)
		if x == nil || y == nil {
			return false
		}
		order := bytes.Compare(x, y)
		return lo <= order && order <= hi
	})
}

// search builds startsWith, endsWith, contains and their negations.
func search(op string, a, b value) value {
	find, found := bytes.Contains, true
	switch op {
	case "startsWith", "not startsWith":
		find = bytes.HasPrefix
	case "endsWith", "not endsWith":
		find = bytes.HasSuffix
	}
	if op[0] == 'n' {
		found = false
	}
	f, g := a.bytes(), b.bytes()
	return generalCond(func(e *Env) bool {
		x, y := f(e), g(e)
		return x != nil && y != nil && find(x, y) == found
	})
}

// listOf compiles [literals].
func (c *compiler) listOf(n *ast.ArrayNode) value {
	v := value{kind: kindList}
	bad := false
	for _, item := range n.Nodes {
		x := c.compile(item)
		switch {
		case x.kind == kindBad:
			bad = true
		case x.kind == kindNil:
			c.fail(x.col, "nil in a list matches nothing: write x == nil or x in [...]")
			bad = true
		case !x.isConstant():
			c.fail(x.col, "a list holds literals only: write x == a or x == b")
			bad = true
		}
		v.list = append(v.list, x)
	}
	if bad {
		return value{kind: kindBad}
	}
	return v
}

// member builds in and not in. Short lists are scanned; long ones are looked up (text) or bisected (numbers).
func (c *compiler) member(a, b value, want bool, col int) value {
	if b.kind != kindList {
		return c.fail(col, "in needs a list of literals on its right, as in x in [1, 2]; found %s", describe(&b))
	}
	if a.kind > Bool {
		return c.fail(a.col, "in needs a number, a condition or text on its left, found %s", describe(&a))
	}
	bad := false
	for i := range b.list {
		if x := &b.list[i]; (x.kind == Str) != (a.kind == Str) {
			c.fail(x.col, "the list holds %s, compared with %s", describe(x), describe(&a))
			bad = true
		}
	}
	if bad {
		return value{kind: kindBad}
	}
	if a.kind == Str {
		return folded(memberStr(a.bytes(), b.list, want), a)
	}
	return folded(memberNum(a.number(), b.list, want), a)
}

const shortList = 8 // measured: up to here a scan is no slower than a lookup

func memberStr(f strFn, list []value, want bool) value {
	items := make([]string, len(list))
	set := make(map[string]struct{}, len(list))
	for i := range list {
		items[i] = string(list[i].text)
		set[items[i]] = struct{}{}
	}
	if len(items) > shortList {
		return generalCond(func(e *Env) bool {
			x := f(e)
			_, ok := set[string(x)] // no allocation: the compiler knows the pattern
			return x != nil && ok == want
		})
	}
	return generalCond(func(e *Env) bool {
		x := f(e)
		if x == nil {
			return false
		}
		for _, item := range items {
			if string(x) == item {
				return want
			}
		}
		return !want
	})
}

func memberNum(f numFn, list []value, want bool) value {
	items := make([]float64, 0, len(list))
	for i := range list {
		if k := list[i].k; !isNull(k) { // 1/0 in a list equals nothing
			items = append(items, k)
		}
	}
	sort.Float64s(items)
	if len(items) > shortList {
		return generalCond(func(e *Env) bool {
			x := f(e)
			lo, hi := 0, len(items)
			for lo < hi {
				if mid := (lo + hi) / 2; items[mid] < x {
					lo = mid + 1
				} else {
					hi = mid
				}
			}
			return x == x && (lo < len(items) && items[lo] == x) == want
		})
	}
	return generalCond(func(e *Env) bool {
		x := f(e)
		if x != x {
			return false
		}
		for _, item := range items {
			if x == item {
				return want
			}
		}
		return !want
	})
}
