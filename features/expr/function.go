package expr

import (
	"math"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// EarthRadiusKm is the mean radius R1 of the IUGG (Moritz 2000), which haversine_km uses.
const EarthRadiusKm = 6371.0088

// FunctionDoc documents one function of the language, for `freshet plan`, editors and the README.
type FunctionDoc struct {
	Name      string
	Signature string
	Doc       string
}

// Functions lists the functions of the language in the order of the documentation.
func Functions() []FunctionDoc {
	table := functions()
	docs := make([]FunctionDoc, len(table))
	for i, f := range table {
		docs[i] = FunctionDoc{Name: f.name, Signature: f.signature, Doc: f.doc}
	}
	return docs
}

type function struct {
	name      string
	signature string
	doc       string
	least     int  // arguments
	most      int  // 0: no limit
	arg       Kind // of every argument; like overrides
	result    Kind
	like      bool // arguments may be of any kind, all the same
	build     func(args []value) value
}

// functions is the table: adding a function is one line here. A function of a null is null unless its doc says so.
func functions() []function {
	one := func(f func(float64) float64) func([]value) value {
		return func(args []value) value { return apply(f, args[0]) }
	}
	return []function{
		{name: "abs", signature: "abs(x)", doc: "|x|", least: 1, most: 1, build: one(math.Abs)},
		{name: "min", signature: "min(x, y, ...)", doc: "the smallest; null if any is", least: 2, build: extreme(func(x, y float64) bool { return x < y })},
		{name: "max", signature: "max(x, y, ...)", doc: "the largest; null if any is", least: 2, build: extreme(func(x, y float64) bool { return x > y })},
		{name: "clip", signature: "clip(x, lo, hi)", doc: "x, but at least lo and at most hi", least: 3, most: 3, build: clip},
		{name: "round", signature: "round(x)", doc: "the nearest whole number, halves away from zero", least: 1, most: 1, build: one(math.Round)},
		{name: "floor", signature: "floor(x)", doc: "the whole number at or below x", least: 1, most: 1, build: one(math.Floor)},
		{name: "ceil", signature: "ceil(x)", doc: "the whole number at or above x", least: 1, most: 1, build: one(math.Ceil)},
		{name: "sqrt", signature: "sqrt(x)", doc: "square root; null below 0", least: 1, most: 1, build: one(math.Sqrt)},
		{name: "log", signature: "log(x)", doc: "natural logarithm; null at and below 0", least: 1, most: 1, build: one(logOrNull)},
		{name: "log1p", signature: "log1p(x)", doc: "log(1 + x), exact near 0; null at and below -1", least: 1, most: 1, build: one(log1pOrNull)},
		{name: "exp", signature: "exp(x)", doc: "e to the power x", least: 1, most: 1, build: one(math.Exp)},
		{name: "pow", signature: "pow(x, y)", doc: "x ** y; null for 0 to a negative power", least: 2, most: 2,
			build: func(a []value) value { return power(a[0], a[1]) }},
		{name: "if_null", signature: "if_null(x, d)", doc: "x, or d where x is null: x ?? d", least: 2, most: 2, result: anyKind, like: true,
			build: func(a []value) value { return firstOf(a[0].kind, a[0], a[1]) }},
		{name: "isnull", signature: "isnull(x)", doc: "whether x is null: x == nil", least: 1, most: 1, result: Bool, like: true,
			build: func(a []value) value { return nullTest(a[0]) }},
		{name: "len", signature: "len(s)", doc: "characters (code points) in a text", least: 1, most: 1, arg: Str, build: length},
		{name: "hour", signature: "hour(t)", doc: "hour of the day, 0 to 23; t in milliseconds since 1970, UTC", least: 1, most: 1, build: one(hour)},
		{name: "dow", signature: "dow(t)", doc: "day of the week, Monday 0 to Sunday 6", least: 1, most: 1, build: one(dayOfWeek)},
		{name: "day", signature: "day(t)", doc: "day of the month, 1 to 31", least: 1, most: 1, build: one(dayOfMonth)},
		{name: "month", signature: "month(t)", doc: "month, 1 to 12", least: 1, most: 1, build: one(month)},
		{name: "is_weekend", signature: "is_weekend(t)", doc: "whether it is Saturday or Sunday", least: 1, most: 1, result: Bool,
			build: func(a []value) value { v := apply(weekend, a[0]); v.kind = Bool; return v }},
		{name: "haversine_km", signature: "haversine_km(lat1, lon1, lat2, lon2)", doc: "great-circle distance in km of two points in degrees", least: 4, most: 4,
			build: func(a []value) value {
				f, g, h, i := a[0].number(), a[1].number(), a[2].number(), a[3].number()
				return generalNum(func(e *Env) float64 { return HaversineKm(f(e), g(e), h(e), i(e)) })
			}},
	}
}

func functionNamed(name string) *function {
	for _, f := range functions() {
		if f.name == name {
			return &f
		}
	}
	return nil
}

// callOf takes a call of a function apart; the parser has two nodes for it.
func callOf(n ast.Node) (name string, args []ast.Node, col int, ok bool) {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return n.Name, n.Arguments, column(n), true
	case *ast.CallNode:
		if id, isName := n.Callee.(*ast.IdentifierNode); isName {
			return id.Value, n.Arguments, column(id), true
		}
	}
	return "", nil, 0, false
}

// aggregations are words that people write where only one row is at hand.
const aggregations = " count sum mean avg std var distinct last first median quantile ewma speed seconds_since_last "

func (c *compiler) call(name string, nodes []ast.Node, col int) value {
	f := functionNamed(name)
	if f == nil {
		return c.noFunction(name, nodes, col)
	}
	args := make([]value, len(nodes))
	for i, n := range nodes {
		args[i] = c.compile(n)
	}
	if len(args) < f.least || f.most > 0 && len(args) > f.most {
		return c.fail(col, "%s has %d arguments, expected %s", name, len(args), f.signature)
	}
	ok := true
	for i := range args {
		switch {
		case args[i].kind == kindBad:
			ok = false
		case f.like && (args[i].kind == kindList || args[i].kind == kindNil && len(args) == 1):
			c.fail(args[i].col, "%s needs a value here, found %s", name, describe(&args[i]))
			ok = false
		case f.like:
		case f.arg == Str:
			ok = c.wantText(&args[i], name) && ok
		default:
			ok = c.wantNum(&args[i], name) && ok
		}
	}
	if ok && f.like && len(args) == 2 {
		ok = c.common(&args[0], &args[1], col, "the arguments of "+name+" are") != kindBad
	}
	if !ok {
		return value{kind: kindBad}
	}
	if name == "clip" && args[1].form == constant && args[2].form == constant && args[1].k > args[2].k {
		return c.fail(col, "clip(x, lo, hi) has lo %v above hi %v", args[1].k, args[2].k)
	}
	return folded(f.build(args), args...)
}

func (c *compiler) noFunction(name string, nodes []ast.Node, col int) value {
	for _, n := range nodes { // their mistakes too
		if _, isPredicate := n.(*ast.PredicateNode); !isPredicate {
			c.compile(n)
		}
	}
	for i := 0; i+len(name)+2 <= len(aggregations); i++ {
		if aggregations[i:i+len(name)+2] == " "+name+" " {
			return c.fail(col, "%s is an aggregation over many events: define it under compute and use its feature's name here", name)
		}
	}
	v := c.fail(col, "unknown function %s", name)
	var known []string
	for _, f := range functions() {
		known = append(known, f.name)
	}
	c.errs[len(c.errs)-1].Near = nearest(name, known)
	return v
}

// apply builds f(x) for a function that maps NaN to NaN.
func apply(f func(float64) float64, x value) value {
	if x.form == linear && x.k == 1 {
		s := x.slot
		return generalNum(func(e *Env) float64 { return f(e.Num[s]) })
	}
	g := x.number()
	return generalNum(func(e *Env) float64 { return f(g(e)) })
}

// extreme builds min and max: the first of the best ones, null if any is null.
func extreme(better func(x, y float64) bool) func([]value) value {
	return func(args []value) value {
		best := args[0].number()
		for i := 1; i < len(args); i++ {
			f, g := best, args[i].number()
			best = func(e *Env) float64 {
				x, y := f(e), g(e)
				if isNull(y) || better(y, x) {
					return y
				}
				return x // also when it is null: nothing is better than NaN
			}
		}
		return generalNum(best)
	}
}

func clip(args []value) value {
	f, lo, hi := args[0].number(), args[1].number(), args[2].number()
	return generalNum(func(e *Env) float64 {
		x, l, h := f(e), lo(e), hi(e)
		switch {
		case isNull(x) || isNull(l) || isNull(h):
			return math.NaN()
		case x > h || l > h: // bounds the wrong way round: hi holds
			return h
		case x < l:
			return l
		}
		return x
	})
}

func length(args []value) value {
	f := args[0].bytes()
	return generalNum(func(e *Env) float64 {
		b := f(e)
		if b == nil {
			return math.NaN()
		}
		return float64(utf8.RuneCount(b))
	})
}

func logOrNull(x float64) float64 {
	if x <= 0 {
		return math.NaN()
	}
	return math.Log(x)
}

func log1pOrNull(x float64) float64 {
	if x <= -1 {
		return math.NaN()
	}
	return math.Log1p(x)
}

// HaversineKm is the great-circle distance in km of two points in degrees, by the haversine formula (Sinnott 1984) on
// a sphere of EarthRadiusKm; NaN for a latitude beyond ±90, a longitude beyond ±360 or a null.
func HaversineKm(lat1, lon1, lat2, lon2 float64) float64 {
	if !(math.Abs(lat1) <= 90 && math.Abs(lat2) <= 90 && math.Abs(lon1) <= 360 && math.Abs(lon2) <= 360) {
		return math.NaN()
	}
	const rad = math.Pi / 180
	sLat, sLon := math.Sin(float64((lat2-lat1)*rad)/2), math.Sin(float64((lon2-lon1)*rad)/2)
	c := float64(math.Cos(float64(lat1*rad)) * math.Cos(float64(lat2*rad)))
	h := float64(sLat*sLat) + float64(c*float64(sLon*sLon))
	return float64(2*EarthRadiusKm) * math.Asin(math.Sqrt(min(h, 1)))
}
