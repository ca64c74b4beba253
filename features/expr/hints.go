package expr

import "github.com/expr-lang/expr/ast"

// guess is a Kind or unknown.
type guess int8

const unknown guess = -1

// KindHints guesses each name's kind from its use, for sources that have no schema: compared with text or searched in
// → Str; used as a condition or compared with true → Bool; in arithmetic, a numeric function or compared with a
// number → Num. Names compared with each other share a guess. A name whose use says nothing (`merchant_id` in
// distinct(merchant_id), `x == nil`) is absent. The first use counts; Compile finds contradictions.
func (e *Expr) KindHints() map[string]Kind {
	h := hinter{kinds: map[string]Kind{}}
	// Twice, so that what is learned of b late reaches a in `a == b and b == 'x'`.
	h.hint(e.root, unknown)
	h.hint(e.root, unknown)
	return h.kinds
}

type hinter struct{ kinds map[string]Kind }

// hint records that n is wanted as a kind, and goes down.
func (h *hinter) hint(n ast.Node, want guess) {
	if path, _, ok := pathOf(n); ok {
		if _, known := h.kinds[path]; !known && want != unknown {
			h.kinds[path] = Kind(want)
		}
		return
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			h.hint(n.Node, guess(Bool))
		} else {
			h.hint(n.Node, guess(Num))
		}
	case *ast.BinaryNode:
		h.binary(n, want)
	case *ast.ConditionalNode:
		h.hint(n.Cond, guess(Bool))
		h.pair(n.Exp1, n.Exp2, want)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			h.hint(item, want)
		}
	default:
		name, args, _, ok := callOf(n)
		if !ok {
			return
		}
		f := functionNamed(name)
		for i, arg := range args {
			w := unknown
			switch {
			case f == nil:
			case f.like && len(args) == 2: // if_null(x, d)
				w = h.guess(args[1-i])
				if w == unknown {
					w = want
				}
			case f.like:
			default:
				w = guess(f.arg)
			}
			h.hint(arg, w)
		}
	}
}

func (h *hinter) binary(n *ast.BinaryNode, want guess) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		h.hint(n.Left, guess(Bool))
		h.hint(n.Right, guess(Bool))
	case "==", "!=", "<", "<=", ">", ">=":
		h.pair(n.Left, n.Right, unknown)
	case "in":
		w := unknown
		if list, ok := n.Right.(*ast.ArrayNode); ok && len(list.Nodes) > 0 {
			w = h.guess(list.Nodes[0])
		}
		h.hint(n.Left, w)
		h.hint(n.Right, unknown)
	case "startsWith", "endsWith", "contains", "matches":
		h.hint(n.Left, guess(Str))
		h.hint(n.Right, guess(Str))
	case "??":
		h.pair(n.Left, n.Right, want)
	default:
		h.hint(n.Left, guess(Num))
		h.hint(n.Right, guess(Num))
	}
}

// pair hints two nodes that must be of one kind.
func (h *hinter) pair(a, b ast.Node, want guess) {
	ga, gb := h.guess(a), h.guess(b)
	if gb != unknown {
		h.hint(a, gb)
	} else {
		h.hint(a, want)
	}
	if ga != unknown {
		h.hint(b, ga)
	} else {
		h.hint(b, want)
	}
}

// guess is the kind of a node as far as it is known without a schema.
func (h *hinter) guess(n ast.Node) guess {
	if path, _, ok := pathOf(n); ok {
		if k, known := h.kinds[path]; known {
			return guess(k)
		}
		return unknown
	}
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return guess(Num)
	case *ast.StringNode:
		return guess(Str)
	case *ast.BoolNode:
		return guess(Bool)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return guess(Bool)
		}
		return guess(Num)
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/", "%", "**", "^":
			return guess(Num)
		case "??":
			return h.either(n.Left, n.Right)
		}
		return guess(Bool)
	case *ast.ConditionalNode:
		return h.either(n.Exp1, n.Exp2)
	}
	if name, args, _, ok := callOf(n); ok {
		if f := functionNamed(name); f != nil {
			if f.like && f.result == anyKind && len(args) == 2 {
				return h.either(args[0], args[1])
			}
			if f.result != anyKind {
				return guess(f.result)
			}
		}
	}
	return unknown
}

func (h *hinter) either(a, b ast.Node) guess {
	if g := h.guess(a); g != unknown {
		return g
	}
	return h.guess(b)
}
