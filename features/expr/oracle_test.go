package expr

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	lang "github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"pgregory.net/rapid"
)

// gen writes random expressions of the language. With nulls false it keeps to what the library's machine also does.
type gen struct {
	t     *rapid.T
	nulls bool
}

func (g *gen) pick(words ...string) string { return rapid.SampledFrom(words).Draw(g.t, "pick") }

func (g *gen) num(depth int) string {
	if depth == 0 || g.pick("leaf", "node", "node") == "leaf" {
		// Whole literals as 3.0: the library takes max(0, a) for an int and fails at == 100 when a is a float64.
		leaves := []string{"a", "b", "c", "d", "e.x", "0.0", "1.0", "3.0", "2.5", "100.0"}
		if g.nulls {
			leaves = append(leaves, "f", "p", "q", "0", "3")
		}
		return g.pick(leaves...)
	}
	d := depth - 1
	forms := []string{"+", "-", "*", "/", "neg", "abs", "min", "max", "floor", "ceil", "round", "choice", "pow", "len"}
	if g.nulls {
		forms = append(forms, "??", "%", "clip", "if_null", "condition", "is_weekend", "hour")
	}
	switch f := g.pick(forms...); f {
	case "+", "-", "*", "%":
		return fmt.Sprintf("(%s %s %s)", g.num(d), f, g.num(d))
	case "/":
		if g.nulls {
			return fmt.Sprintf("(%s / %s)", g.num(d), g.num(d))
		}
		return fmt.Sprintf("(%s / (1 + abs(%s)))", g.num(d), g.num(d)) // the library divides by zero
	case "neg":
		return "(-" + g.num(0) + ")"
	case "abs", "floor", "ceil", "round":
		return fmt.Sprintf("%s(%s)", f, g.num(d))
	case "min", "max":
		return fmt.Sprintf("%s(%s, %s, %s)", f, g.num(d), g.num(d), g.num(0))
	case "choice":
		return fmt.Sprintf("(%s ? %s : %s)", g.cond(d), g.num(d), g.num(d))
	case "pow":
		return fmt.Sprintf("((abs(%s) + 0.5) ** %s)", g.num(0), g.pick("2", "3", "0.5", "-1"))
	case "len":
		return fmt.Sprintf("(len(%s) + 0.5)", g.str()) // the library's int makes its min compare int with float64
	case "??":
		return fmt.Sprintf("(%s ?? %s)", g.num(d), g.num(d))
	case "clip":
		return fmt.Sprintf("clip(%s, %s, %s)", g.num(d), g.pick("a", "b", "f"), g.num(d))
	case "condition":
		return "(" + g.cond(d) + ")"
	}
	if f := g.pick("hour", "is_weekend"); f == "hour" {
		return fmt.Sprintf("hour(%s)", g.num(d))
	}
	return fmt.Sprintf("if_null(%s, %s)", g.num(d), g.num(d))
}

func (g *gen) str() string {
	if g.nulls {
		return g.pick("s", "u", "v", "w", "'DE'", "''", "(s ?? u)", "(a > b ? s : 'x')", "if_null(v, 'D')")
	}
	return g.pick("s", "u", "v", "'DE'", "'D'", "''", "(a > b ? s : 'x')")
}

func (g *gen) cond(depth int) string {
	d := max(depth-1, 0)
	if depth > 0 {
		switch g.pick("and", "or", "not", "leaf", "choice") {
		case "and":
			return fmt.Sprintf("(%s %s %s)", g.cond(d), g.pick("and", "&&"), g.cond(d))
		case "or":
			return fmt.Sprintf("(%s %s %s)", g.cond(d), g.pick("or", "||"), g.cond(d))
		case "not":
			return fmt.Sprintf("not (%s)", g.cond(d))
		case "choice":
			return fmt.Sprintf("(%s ? %s : %s)", g.cond(d), g.cond(d), g.cond(d))
		}
	}
	cmp := g.pick("<", "<=", ">", ">=", "==", "!=")
	forms := []string{"num", "num", "num", "str", "in", "ins", "find", "const"}
	if g.nulls {
		forms = append(forms, "nil", "isnull", "nilstr", "flag", "flag")
	}
	switch g.pick(forms...) {
	case "num":
		return fmt.Sprintf("%s %s %s", g.num(d), cmp, g.num(d))
	case "str":
		return fmt.Sprintf("%s %s %s", g.str(), cmp, g.str())
	case "in":
		return fmt.Sprintf("%s %s %s", g.num(d), g.pick("in", "not in"), g.pick("[0.0, 1.0, 3.0, 2.5]", "[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]"))
	case "ins":
		return fmt.Sprintf("%s %s %s", g.str(), g.pick("in", "not in"), g.pick("['DE', 'x']", "['', 'D', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']"))
	case "find":
		return fmt.Sprintf("%s %s%s %s", g.str(), g.pick("", "not "), g.pick("startsWith", "endsWith", "contains"), g.str())
	case "nil":
		return fmt.Sprintf("%s %s nil", g.num(d), g.pick("==", "!="))
	case "isnull":
		return fmt.Sprintf("isnull(%s)", g.num(d))
	case "nilstr":
		return fmt.Sprintf("nil %s %s", g.pick("==", "!="), g.str())
	case "flag":
		return g.pick("p", "q", "p == true", "(q ?? true)", "q != false", "(p ?? q)")
	}
	return g.pick("true", "false")
}

func randomRow(t *rapid.T, nulls bool) *row {
	values := []float64{0, 1, -1, 3, 2.5, -7.25, 100, 0.1, 1e9}
	flags := []float64{0, 1}
	texts := [][]byte{{}, []byte("D"), []byte("DE"), []byte("DEM"), []byte("x"), []byte("ö")}
	if nulls {
		values, flags, texts = append(values, math.NaN(), math.NaN()), append(flags, math.NaN()), append(texts, nil)
	}
	r := newRow()
	for _, name := range []string{"a", "b", "c", "d", "e.x", "f"} {
		r.num(name, rapid.SampledFrom(values).Draw(t, name))
	}
	r.flag("p", rapid.SampledFrom(flags).Draw(t, "p")).flag("q", rapid.SampledFrom(flags).Draw(t, "q"))
	for _, name := range []string{"s", "u", "v", "w"} {
		r.str(name, rapid.SampledFrom(texts).Draw(t, name))
	}
	return r
}

func generate(t *rapid.T, nulls bool) string {
	g := &gen{t, nulls}
	if rapid.Bool().Draw(t, "cond") {
		return g.cond(4)
	}
	return g.num(4)
}

// TestAgainstTheLibrary: where no value is null, the library's own machine gives the same answers.
func TestAgainstTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := generate(t, false)
		r := randomRow(t, false)
		env := map[string]any{}
		for name, s := range r.syms {
			switch {
			case name == "e.x":
				env["e"] = map[string]float64{"x": r.env.Num[s.Slot]}
			case s.Kind == Str:
				env[name] = string(r.env.Str[s.Slot])
			default:
				env[name] = r.env.Num[s.Slot]
			}
		}
		prog, err := lang.Compile(src, lang.Env(env))
		if err != nil {
			t.Fatalf("%s: the library: %v", src, err)
		}
		want, err := lang.Run(prog, env)
		if err != nil {
			t.Fatalf("%s: the library: %v", src, err)
		}
		p, err := r.compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		switch want := want.(type) {
		case bool:
			if got := p.Bool(&r.env); got != want {
				t.Fatalf("%s = %v, the library says %v", src, got, want)
			}
		case float64:
			if got := p.Num(&r.env); !sameNum(got, finite(want)) {
				t.Fatalf("%s = %v, the library says %v", src, got, want)
			}
		case int:
			if got := p.Num(&r.env); got != float64(want) {
				t.Fatalf("%s = %v, the library says %v", src, got, want)
			}
		default:
			t.Fatalf("%s: the library returned %T", src, want)
		}
	})
}

// TestAgainstTheRules: with nulls everywhere, the specialised closures agree with the written rules, here interpreted
// node by node without any specialisation.
func TestAgainstTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := generate(t, true)
		e, err := Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		r := randomRow(t, true)
		p, err := e.Compile(r.resolve, r.names)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		switch want := interpret(e.root, r).(type) {
		case nil:
			if got := p.Num(&r.env); !math.IsNaN(got) || p.Bool(&r.env) {
				t.Fatalf("%s = %v, want null", src, got)
			}
		case bool:
			if got := p.Bool(&r.env); got != want || p.Num(&r.env) != boolToNum(want) {
				t.Fatalf("%s = %v, want %v", src, got, want)
			}
		case float64:
			if got := p.Num(&r.env); !sameNum(got, finite(want)) {
				t.Fatalf("%s = %v, want %v", src, got, want)
			}
		}
	})
}

func finite(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// interpret evaluates a node to nil (null), float64, bool or string.
func interpret(n ast.Node, r *row) any {
	if path, _, ok := pathOf(n); ok {
		s := r.syms[path]
		switch {
		case s.Kind == Str && r.env.Str[s.Slot] == nil, s.Kind != Str && math.IsNaN(r.env.Num[s.Slot]):
			return nil
		case s.Kind == Str:
			return string(r.env.Str[s.Slot])
		case s.Kind == Bool:
			return r.env.Num[s.Slot] == 1
		}
		return r.env.Num[s.Slot]
	}
	number := func(v any) float64 {
		switch v := v.(type) {
		case float64:
			return v
		case bool:
			return boolToNum(v)
		}
		return math.NaN()
	}
	orNull := func(f float64) any {
		if math.IsNaN(f) {
			return nil
		}
		return f
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return nil
	case *ast.IntegerNode:
		return float64(n.Value)
	case *ast.FloatNode:
		return n.Value
	case *ast.StringNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.UnaryNode:
		v := interpret(n.Node, r)
		if n.Operator == "-" {
			return orNull(-number(v))
		}
		if b, ok := n.Node.(*ast.BinaryNode); ok && b.Location() == n.Location() && interpret(b.Left, r) == nil {
			return false // x not in
		} else if ok && b.Location() == n.Location() && b.Operator != "in" && interpret(b.Right, r) == nil {
			return false
		}
		return v != true
	case *ast.ConditionalNode:
		if interpret(n.Cond, r) == true {
			return interpret(n.Exp1, r)
		}
		return interpret(n.Exp2, r)
	case *ast.BinaryNode:
		a := interpret(n.Left, r)
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				if v := interpret(item, r); a != nil && (a == v || number(a) == number(v)) {
					return true
				}
			}
			return false
		}
		b := interpret(n.Right, r)
		switch n.Operator {
		case "and", "&&":
			return a == true && b == true
		case "or", "||":
			return a == true || b == true
		case "??":
			if a == nil {
				return b
			}
			return a
		case "+":
			return orNull(number(a) + number(b))
		case "-":
			return orNull(number(a) - number(b))
		case "*":
			return orNull(float64(number(a) * number(b)))
		case "/":
			return orNull(divide(number(a), number(b)))
		case "%":
			x, y := number(a), number(b)
			m := math.Mod(x, y)
			if m*y < 0 {
				m += y
			}
			return orNull(m)
		case "**":
			return orNull(math.Pow(number(a), number(b)) + 0*number(a))
		}
		_, nilL := n.Left.(*ast.NilNode)
		_, nilR := n.Right.(*ast.NilNode)
		if nilL || nilR {
			return (a == nil && b == nil) == (n.Operator == "==")
		}
		if a == nil || b == nil {
			return false
		}
		order := 0
		if s, ok := a.(string); ok {
			t := b.(string)
			switch n.Operator {
			case "startsWith":
				return strings.HasPrefix(s, t)
			case "endsWith":
				return strings.HasSuffix(s, t)
			case "contains":
				return strings.Contains(s, t)
			}
			order = bytes.Compare([]byte(s), []byte(t))
		} else if x, y := number(a), number(b); x < y {
			order = -1
		} else if x > y {
			order = 1
		}
		return map[string]bool{"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0, "!=": order != 0}[n.Operator]
	}
	name, nodes, _, _ := callOf(n)
	var args []any
	null := false
	for _, node := range nodes {
		args = append(args, interpret(node, r))
		null = null || args[len(args)-1] == nil
	}
	switch {
	case name == "if_null" && args[0] == nil:
		return args[1]
	case name == "if_null":
		return args[0]
	case name == "isnull":
		return null
	case null:
		return nil
	case name == "len":
		return float64(utf8.RuneCountInString(args[0].(string)))
	}
	x := number(args[0])
	switch name {
	case "abs":
		return math.Abs(x)
	case "floor":
		return math.Floor(x)
	case "ceil":
		return math.Ceil(x)
	case "round":
		return math.Round(x)
	case "hour":
		return orNull(hour(x))
	case "min":
		return min(x, number(args[1]), number(args[2]))
	case "max":
		return max(x, number(args[1]), number(args[2]))
	case "clip":
		return min(max(x, number(args[1])), number(args[2]))
	}
	panic("no rule for " + name)
}

func TestClockAgainstTime(t *testing.T) {
	check := func(ms int64) {
		u, x := time.UnixMilli(ms).UTC(), float64(ms)
		if hour(x) != float64(u.Hour()) || dayOfWeek(x) != float64((int(u.Weekday())+6)%7) || dayOfMonth(x) != float64(u.Day()) ||
			month(x) != float64(u.Month()) || weekend(x) != boolToNum(u.Weekday() == time.Saturday || u.Weekday() == time.Sunday) {
			t.Fatalf("%v: hour %v dow %v day %v month %v", u, hour(x), dayOfWeek(x), dayOfMonth(x), month(x))
		}
	}
	for day := int64(-300_000); day < 300_000; day += 1 { // the years 1148 to 2791, every day
		check(day*dayMs + day%dayMs)
	}
	rapid.Check(t, func(t *rapid.T) { check(rapid.Int64Range(-MaxTimeMs, MaxTimeMs).Draw(t, "ms")) })
}

func TestFloorMod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64().Draw(t, "x"), rapid.SampledFrom([]float64{3, -3, 24, 0.1, -2.5, 1 << 53, 1e300, 7}).Draw(t, "y")
		if rapid.Bool().Draw(t, "whole") {
			x = math.Trunc(x)
		}
		want := math.Mod(x, y)
		if want != 0 && want > 0 != (y > 0) {
			want += y
		}
		if got := floorMod(x, y); !sameNum(got, want) {
			t.Fatalf("%v %% %v = %v, want %v", x, y, got, want)
		}
	})
}
