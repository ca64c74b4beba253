package expr

import (
	"math"

	"github.com/expr-lang/expr/ast"
)

// Program is a compiled expression. It is immutable and safe for concurrent use; it allocates nothing.
type Program struct {
	kind   Kind
	num    numFn
	cond   condFn
	str    strFn
	symbol Symbol
	bare   bool
	needs  [2]int
}

// Kind is what the expression yields.
func (p *Program) Kind() Kind { return p.kind }

// Num is the value as a number: finite, or NaN for null. A condition is 1, 0 or NaN; text is NaN.
func (p *Program) Num(env *Env) float64 {
	v := p.num(env)
	if v-v != 0 { // ±Inf or NaN
		return math.NaN()
	}
	return v
}

// Bool is the value as a condition, null being false. A number is true when it is neither 0 nor null; text is false.
func (p *Program) Bool(env *Env) bool { return p.cond(env) }

// Str is the value as text, nil for null and for what is not text. The bytes are the row's or the program's: read
// only, and valid as long as the row.
func (p *Program) Str(env *Env) []byte { return p.str(env) }

// Symbol tells a bare name's slot, so that a caller can read the column itself; false for anything else.
// (Num also turns ±Inf into null, which a column need not have done.)
func (p *Program) Symbol() (Symbol, bool) { return p.symbol, p.bare }

// Slots is how long Env.Num and Env.Str must be at least.
func (p *Program) Slots() (num, str int) { return p.needs[0], p.needs[1] }

// Compile binds names to slots, checks kinds and builds the closures. names are the names that exist, for suggestions
// only. Every mistake is reported, by column: one as *Error, several as Errors (see All). Linear in the expression's
// parts.
func (e *Expr) Compile(res Resolver, names []string) (*Program, error) {
	c := &compiler{resolve: res, names: names}
	v := c.compile(e.root)
	if len(c.errs) == 0 && v.kind > Bool {
		c.fail(e.first, "the expression is %s, expected a number, a condition or text", describe(&v))
	}
	if len(c.errs) > 0 {
		return nil, join(c.errs)
	}
	p := &Program{kind: v.kind, needs: c.needs}
	_, _, p.bare = pathOf(e.root)
	if p.bare {
		p.symbol = Symbol{Kind: v.kind, Slot: v.slot}
	}
	switch v.kind {
	case Str:
		p.str = v.bytes()
		p.num = func(*Env) float64 { return math.NaN() }
		p.cond = func(*Env) bool { return false }
	case Bool:
		p.num, p.cond = v.number(), v.condition()
	default:
		p.num = v.number()
		p.cond = func(env *Env) bool { return truth(p.Num(env)) }
	}
	if p.str == nil {
		p.str = func(*Env) []byte { return nil }
	}
	return p, nil
}

type compiler struct {
	resolve Resolver
	names   []string
	needs   [2]int
	errs    []*Error
}

func (c *compiler) fail(col int, format string, args ...any) value {
	c.errs = append(c.errs, errorAt(col, format, args...))
	return value{kind: kindBad, col: col}
}

// compile builds the value of a node; operands first, so that mistakes in all of them are seen.
func (c *compiler) compile(n ast.Node) value {
	v := c.node(n)
	v.col = column(n)
	return v
}

func (c *compiler) node(n ast.Node) value {
	col := column(n)
	if path, _, ok := pathOf(n); ok {
		return c.name(path, col)
	}
	switch n := n.(type) {
	case *ast.IntegerNode:
		if n.Value > 1<<53 || n.Value < -1<<53 {
			return c.fail(col, "%d is beyond 2^53: a number (float64) cannot hold it exactly", n.Value)
		}
		return constantNum(float64(n.Value))
	case *ast.FloatNode:
		return constantNum(n.Value)
	case *ast.BoolNode:
		return constantBool(n.Value)
	case *ast.StringNode:
		return value{kind: Str, isText: true, text: append([]byte{}, n.Value...)} // "" is not null
	case *ast.NilNode:
		return value{kind: kindNil}
	case *ast.ArrayNode:
		return c.listOf(n)
	case *ast.UnaryNode:
		return c.unary(n, col)
	case *ast.BinaryNode:
		return c.binary(n, col)
	case *ast.ConditionalNode:
		return c.choice(n)
	}
	if name, args, col, ok := callOf(n); ok {
		return c.call(name, args, col)
	}
	return c.fail(col, "%s", unsupported(n))
}

// unsupported says what of the library's language does not compile here.
func unsupported(n ast.Node) string {
	switch n.(type) {
	case *ast.CallNode:
		return "methods are not supported: write function(x) with one of the listed functions"
	case *ast.MemberNode, *ast.ChainNode:
		return "indexing is not supported: a path is made of names, as in user.address.city"
	case *ast.SliceNode:
		return "slices are not supported"
	case *ast.MapNode:
		return "maps are not supported"
	case *ast.SequenceNode, *ast.VariableDeclaratorNode:
		return "let and ; are not supported: make another derived feature and use its name"
	case *ast.BytesNode:
		return "byte literals are not supported: write 'text'"
	}
	return "this is not supported in a pipeline's expressions"
}

func (c *compiler) name(path string, col int) value {
	s, ok := c.resolve(path)
	if !ok {
		v := c.fail(col, "unknown name %s", path)
		c.errs[len(c.errs)-1].Near = nearest(path, c.names)
		return v
	}
	if s.Slot < 0 || s.Kind > Bool {
		return c.fail(col, "BUG: name %s resolves to %v slot %d", path, s.Kind, s.Slot)
	}
	if s.Kind == Str {
		c.needs[1] = max(c.needs[1], s.Slot+1)
		return value{kind: Str, isField: true, slot: s.Slot}
	}
	c.needs[0] = max(c.needs[0], s.Slot+1)
	return value{kind: s.Kind, form: linear, k: 1, slot: s.Slot}
}

func (c *compiler) unary(n *ast.UnaryNode, col int) value {
	if n.Operator == "not" || n.Operator == "!" {
		// `x not in list` parses as not(x in list), both at one place; it is a comparison of its own: false for null.
		if b, ok := n.Node.(*ast.BinaryNode); ok && b.Location() == n.Location() {
			return c.compare(b, "not "+b.Operator, col)
		}
		v := c.compile(n.Node)
		if !c.wantCond(&v, n.Operator) {
			return value{kind: kindBad}
		}
		return folded(negated(v), v)
	}
	v := c.compile(n.Node)
	if !c.wantNum(&v, n.Operator) {
		return value{kind: kindBad}
	}
	if n.Operator == "+" {
		return v
	}
	return minus(v)
}

func (c *compiler) binary(n *ast.BinaryNode, col int) value {
	switch n.Operator {
	case "and", "&&", "or", "||":
		a, b := c.compile(n.Left), c.compile(n.Right)
		okA, okB := c.wantCond(&a, n.Operator), c.wantCond(&b, n.Operator)
		if !okA || !okB {
			return value{kind: kindBad}
		}
		if n.Operator == "and" || n.Operator == "&&" {
			return conjunction(a, b)
		}
		return disjunction(a, b)
	case "+", "-", "*", "/", "%", "**", "^":
		a, b := c.compile(n.Left), c.compile(n.Right)
		okA, okB := c.wantNum(&a, n.Operator), c.wantNum(&b, n.Operator)
		if !okA || !okB {
			return value{kind: kindBad}
		}
		return folded(arithmetic(n.Operator, a, b), a, b)
	case "??":
		return c.coalesce(c.compile(n.Left), c.compile(n.Right), col)
	case "..":
		return c.fail(col, "ranges are not supported: write x >= a and x <= b")
	case "matches":
		return c.fail(col, "matches is not supported: write startsWith, endsWith, contains or in [...]")
	}
	return c.compare(n, n.Operator, col)
}

// describe names a value in a message.
func describe(v *value) string {
	switch v.kind {
	case Num:
		return "a number"
	case Str:
		return "text"
	case Bool:
		return "a condition"
	case kindNil:
		return "nil"
	}
	return "a list"
}

// wantNum turns v into a number or reports it.
func (c *compiler) wantNum(v *value, op string) bool {
	switch v.kind {
	case kindBad:
		return false
	case Num, Bool:
		*v = v.asNum()
		return true
	}
	c.fail(v.col, "%s needs a number here, found %s", op, describe(v))
	return false
}

// wantCond checks that v is a condition or reports it.
func (c *compiler) wantCond(v *value, op string) bool {
	switch v.kind {
	case kindBad:
		return false
	case Bool:
		return true
	case Num:
		c.fail(v.col, "%s needs a condition here, found a number: write x != 0", op)
	default:
		c.fail(v.col, "%s needs a condition here, found %s", op, describe(v))
	}
	return false
}

// wantText checks that v is text or reports it.
func (c *compiler) wantText(v *value, op string) bool {
	switch v.kind {
	case kindBad:
		return false
	case Str:
		return true
	}
	c.fail(v.col, "%s needs text here, found %s", op, describe(v))
	return false
}
